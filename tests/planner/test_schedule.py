"""Schedules and their bounds: what holds at every instant, whatever the moves."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.model.identity import HostName
from console.planner.bounds import dense_bound_s, lower_bound_s, machines_bound_s
from console.planner.fluid import POLICIES, Policy
from console.planner.improve import best_schedule
from console.planner.schedule import Job, Limits, SharedLink, Slot, compile_problem, list_schedule

HOSTS = [HostName(f"HV0{number}") for number in range(1, 6)]
GB = 1e9
LINK = 1.25e9


def job(source: int, destination: int, gigabytes: float = 1.0, fixed_s: float = 0.0, stream: float = LINK) -> Job:
    return Job(HOSTS[source], HOSTS[destination], fixed_s, gigabytes * GB, stream)


def limits(slots: int = 2, **overrides: object) -> Limits:
    ports = dict.fromkeys(HOSTS, LINK)
    values: dict[str, object] = {
        "slots": dict.fromkeys(HOSTS, slots), "out_bytes_per_s": ports, "in_bytes_per_s": ports,
    }  # fmt: skip
    return Limits(**(values | overrides))  # type: ignore[arg-type]


pairs = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] != pair[1])
job_lists = st.lists(
    st.builds(
        lambda pair, size, fixed, stream, alone, offline: (
            Job(HOSTS[pair[0]], HOSTS[pair[1]], fixed + 1, 0.0, stream * GB, offline=True)
            if offline
            else Job(HOSTS[pair[0]], HOSTS[pair[1]], fixed, size * GB, stream * GB, alone)
        ),
        pairs,
        st.floats(0.1, 60),
        st.sampled_from([0.0, 2.0, 5.8]),
        st.sampled_from([0.3, 0.85, 1.25]),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=14,
)
all_limits = st.builds(
    lambda slots, separate, pair, cluster, inflow, link: limits(
        slots,
        separate_directions=separate,
        pair_slots=pair,
        cluster_slots=cluster,
        inflow={HOSTS[0]: inflow, HOSTS[1]: inflow},
        links=(SharedLink("between sites", 0.8 * GB, frozenset(HOSTS[:2])),) if link else (),
        offline_slots=2,
    ),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 1, 3]),
    st.integers(1, 3),
    st.booleans(),
)


def running(jobs: list[Job], slots: list[Slot], at_s: float) -> list[Job]:
    return [job for job, slot in zip(jobs, slots, strict=True) if slot.start_s <= at_s < slot.end_s]


def instants(slots: list[Slot]) -> list[float]:
    moments = sorted({moment for slot in slots for moment in (slot.start_s, slot.end_s)})
    return [(one + other) / 2 for one, other in itertools.pairwise(moments) if other - one > 1e-6]


def check_limits(jobs: list[Job], slots: list[Slot], kept: Limits) -> None:
    for at_s in instants(slots):
        every = running(jobs, slots, at_s)
        now = [job for job in every if not job.offline]
        for host in HOSTS:
            assert sum(job.offline and job.source == host for job in every) <= (kept.offline_slots or 99)
        for host, most in kept.slots.items():
            out = sum(job.source == host for job in now)
            into = sum(job.destination == host for job in now)
            assert max(out, into) <= most
            assert kept.separate_directions or out + into <= most
        for host, most in kept.inflow.items():
            assert sum(job.destination == host for job in now) <= most
        if kept.cluster_slots is not None:
            assert len(now) <= kept.cluster_slots
        if kept.pair_slots is not None:
            assert all(
                sum((o.source, o.destination) == (j.source, j.destination) for o in now) <= kept.pair_slots for j in now
            )
        assert len(now) <= 1 or not any(job.alone for job in now)


@given(job_lists, all_limits, st.sampled_from(POLICIES))
def test_no_limit_is_exceeded_at_any_instant_and_every_move_runs_once(
    jobs: list[Job], kept: Limits, policy: Policy
) -> None:
    slots = list_schedule(jobs, kept, policy)
    check_limits(jobs, slots, kept)
    for each, slot in zip(jobs, slots, strict=True):
        assert slot.end_s - slot.start_s >= each.solo_s * (1 - 1e-6), "nothing is faster than alone"


@given(job_lists, all_limits)
def test_ports_and_links_carry_no_more_than_they_can(jobs: list[Job], kept: Limits) -> None:
    rates = compile_problem(jobs, kept).share(range(len(jobs)))
    for host in HOSTS:
        assert sum(r for r, j in zip(rates, jobs, strict=True) if j.source == host) <= LINK * (1 + 1e-9)
        assert sum(r for r, j in zip(rates, jobs, strict=True) if j.destination == host) <= LINK * (1 + 1e-9)
    for link in kept.links:
        crossing = sum(rate for rate, job in zip(rates, jobs, strict=True) if link.crossed_by(job))
        assert crossing <= link.capacity_bytes_per_s * (1 + 1e-9)
    assert all(0 < rate <= job.stream_bytes_per_s for rate, job in zip(rates, jobs, strict=True))


@given(job_lists, all_limits)
@settings(max_examples=50, deadline=None)
def test_the_bound_is_under_every_schedule_and_searching_never_loses(jobs: list[Job], kept: Limits) -> None:
    listed = max(slot.end_s for slot in list_schedule(jobs, kept))
    found = best_schedule(jobs, kept, effort=400)
    assert found.lower_bound_s == lower_bound_s(jobs, kept)
    assert found.lower_bound_s <= found.makespan_s * (1 + 1e-9)
    longest_first = sorted(jobs, key=lambda job: -job.solo_s)
    assert found.makespan_s <= max(slot.end_s for slot in list_schedule(longest_first, kept)) * (1 + 1e-9)
    assert listed >= found.lower_bound_s * (1 - 1e-9)
    check_limits(jobs, found.slots, kept)


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=6), st.integers(1, 3))
def test_the_bound_of_identical_slots_is_never_above_the_best_assignment(durations: list[float], machines: int) -> None:
    best = min(
        max(sum(d for d, at in zip(durations, chosen, strict=True) if at == machine) for machine in range(machines))
        for chosen in itertools.product(range(machines), repeat=len(durations))
    )
    assert machines_bound_s(durations, machines) <= best * (1 + 1e-9)


def test_three_equal_jobs_on_two_slots_take_two_rounds() -> None:
    assert machines_bound_s([10.0] * 3, 2) == pytest.approx(20.0)


def test_equal_sharers_of_one_port_take_turns_in_bandwidth_not_in_time() -> None:
    slots = list_schedule([job(0, 1, 5), job(0, 2, 10)], limits())
    assert [slot.end_s for slot in slots] == pytest.approx([8.0, 12.0]), "half each, then all of it"


def test_what_one_sharer_can_not_use_the_other_gets() -> None:
    slots = list_schedule([job(0, 1, 2.5, stream=0.25 * GB), job(0, 2, 10)], limits())
    assert [slot.end_s for slot in slots] == pytest.approx([10.0, 10.0])


def test_a_shared_link_slows_only_those_that_cross_it() -> None:
    link = SharedLink("between sites", 0.5 * GB, frozenset({HOSTS[0], HOSTS[1]}))
    slots = list_schedule([job(0, 1, 10), job(2, 3, 10), job(0, 4, 10)], limits(links=(link,)))
    assert slots[1].end_s == pytest.approx(8.0)
    assert slots[2].end_s == pytest.approx(20.0)


def test_waits_name_the_slot_that_was_taken() -> None:
    slots = list_schedule([job(0, 1), job(0, 2), job(3, 2)], limits(1))
    assert [slot.waited for slot in slots] == ["", "a slot on HV01 (1 at once)", ""]


def test_patience_gives_the_link_to_one_move_and_the_other_direction_to_another() -> None:
    jobs = [job(0, 1, 10), job(0, 2, 10), job(3, 0, 10), job(4, 0, 10)]
    eager = max(slot.end_s for slot in list_schedule(jobs, limits()))
    patient = max(slot.end_s for slot in list_schedule(jobs, limits(), Policy(patient=True)))
    assert [eager, patient] == pytest.approx([32.0, 16.0])
    assert best_schedule(jobs, limits()).ratio == pytest.approx(1.0)


def test_no_slots_is_an_error_and_no_jobs_are_none() -> None:
    with pytest.raises(ValueError, match="never start"):
        list_schedule([job(0, 1)], limits(0))
    assert best_schedule([], limits()).makespan_s == 0.0


def test_the_same_question_has_the_same_answer() -> None:
    jobs = [job(number % 4, (number + 1) % 4, 1 + number % 7, 3.0) for number in range(20)]
    assert best_schedule(jobs, limits(), effort=500) == best_schedule(jobs, limits(), effort=500)


def test_an_odd_number_of_slots_between_few_nodes_leaves_one_free() -> None:
    triangle = [job(0, 1, 10), job(1, 2, 10), job(2, 0, 10)]
    assert dense_bound_s(triangle, limits(1)) == pytest.approx(24.0), "one move at a time"
    assert best_schedule(triangle, limits(1)).ratio == pytest.approx(1.0)
    with_others = [*triangle, job(3, 4, 1)]
    assert lower_bound_s(with_others, limits(1)) == pytest.approx(24.0), "the triangle alone is the dense part"


def test_moves_under_way_start_at_once_whatever_the_slots() -> None:
    going = [replace(job(0, 1, 10), running=True), replace(job(0, 2, 10), running=True)]
    slots = list_schedule([job(0, 3, 10), *going], limits(1))
    assert [slot.start_s for slot in slots[1:]] == [0.0, 0.0]
    assert slots[0].start_s == pytest.approx(max(slot.end_s for slot in slots[1:]))
