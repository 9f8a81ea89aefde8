"""The guard, foreseen: what a schedule says of it is what the guard's law says of the loads of that schedule."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.forecast.forecaster import PriorForecaster
from console.forecast.processors import NO_TOIL, Toil
from console.guard import Lines, Stance
from console.model.cluster import Cluster, MigrationTransport
from console.model.identity import HostName
from console.planner.guarding import LOOK_S, PRIORS, Watch
from console.planner.improve import best_schedule
from console.planner.plan import plan_drain
from console.planner.schedule import Job, Limits, Slot, list_schedule
from console.planner.values import Plan, PlanOptions, Progress, SiteLimits
from console.planner.whatif import what_helps
from tests.builders import make_cluster, make_host, make_vm

NODE, ONE, OTHER = HostName("HV01"), HostName("HV02"), HostName("HV03")
LINES = Lines()
GB = 1e9


def job(gigabytes: float, rate: float, processors: float, fixed_s: float = 4.0, to: HostName = ONE) -> Job:
    """A move whose compression keeps so many of the source's processors busy while it copies."""
    toil = Toil(processors / (rate * GB), 0.25 * processors / (rate * GB))
    return Job(NODE, to, fixed_s, gigabytes * GB, rate * GB, toil=toil)


def limits(slots: int = 2, busy: float = 0.0, stance: Stance | None = None) -> Limits:
    watch = Watch(
        LINES, {NODE: slots}, dict.fromkeys((NODE, ONE, OTHER), 10.0), {NODE: busy, ONE: busy, OTHER: 0.0}, stance
    )
    return Limits({NODE: slots, ONE: 9, OTHER: 9}, watch=watch)


def loads_of(jobs: list[Job], slots: list[Slot], busy: float) -> list[tuple[float, float, float]]:
    """From when to when the busiest host that takes part has which load, by the times of the moves alone."""
    after = [PRIORS.after_copying_s(each.fixed_s) for each in jobs]
    copies = [(slot.start_s + each.fixed_s - last_s, slot.end_s - last_s)
              for each, slot, last_s in zip(jobs, slots, after, strict=True)]  # fmt: skip
    moments = sorted(
        {0.0, *(time for copy in copies for time in copy), *(s.start_s for s in slots), *(s.end_s for s in slots)}
    )
    found = []
    for one, other in itertools.pairwise(moments):
        loads = {NODE: min(busy, 0.9), ONE: min(busy, 0.9), OTHER: 0.0}
        part = {NODE}
        for each, slot, (begins_s, ends_s) in zip(jobs, slots, copies, strict=True):
            if slot.start_s <= one < slot.end_s:
                part.add(each.destination)
            if begins_s <= one and other <= ends_s:
                loads[NODE] += each.toil.source_s_per_byte * each.stream_bytes_per_s / 10
                loads[each.destination] += each.toil.destination_s_per_byte * each.stream_bytes_per_s / 10
        found.append((one, other, max(loads[host] for host in part)))
    return found


def times_over(loads: list[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """The stretches over the guard's line, joined where one goes over into the next."""
    found: list[tuple[float, float]] = []
    for one, other, load in loads:
        if load > 0.9 + 1e-9 and other - one > 1e-9:
            if found and one - found[-1][1] <= 1e-9:
                found[-1] = found[-1][0], other
            else:
                found.append((one, other))
    return found


jobs_of_one_node = st.lists(
    st.builds(job, st.floats(1, 40), st.sampled_from([0.5, 1.0]), st.sampled_from([0.0, 2.0, 4.5, 6.0, 9.5]),
              st.sampled_from([0.0, 3.0, 5.3]), st.sampled_from([ONE, OTHER])),
    min_size=1, max_size=10,
)  # fmt: skip


@given(jobs_of_one_node, st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.95]))
@settings(max_examples=80, deadline=None)
def test_nothing_starts_until_every_load_over_the_line_is_long_over(jobs: list[Job], slots: int, busy: float) -> None:
    found = list_schedule(jobs, limits(slots, busy))
    starts = [slot.start_s for slot in found]
    for one, other in times_over(loads_of(jobs, found, busy)):
        if other - one >= LOOK_S / 2 + 1e-6:
            calm_s = max(one + LOOK_S / 2, other - LOOK_S / 2) + LINES.calm_s
            assert not [start_s for start_s in starts if one + LOOK_S / 2 + 1e-6 < start_s < calm_s - 1e-6]
            flying = sum(slot.start_s <= calm_s < slot.end_s for slot in found)
            assert flying <= max(1, slots // 2, sum(slot.start_s <= one < slot.end_s for slot in found))


@given(jobs_of_one_node, st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.95]))
@settings(max_examples=40, deadline=None)
def test_a_guard_only_ever_takes_time_and_the_bound_stays_under(jobs: list[Job], slots: int, busy: float) -> None:
    kept = limits(slots, busy)
    found = best_schedule(jobs, kept, effort=300)
    assert found.lower_bound_s <= found.makespan_s * (1 + 1e-9)
    assert found.makespan_s <= found.makespan_at_worst_s * (1 + 1e-9)
    light = [replace(each, toil=NO_TOIL) for each in jobs]
    assert list_schedule(light, kept) == list_schedule(jobs, replace(kept, watch=None)), "nothing to be held"


def test_two_that_compress_hold_the_third_until_calm_and_then_go_one_by_one() -> None:
    jobs = [job(10, 1, 5, fixed_s=0), job(10, 1, 5, fixed_s=0), job(5, 1, 5, fixed_s=0), job(5, 1, 5, fixed_s=0)]
    found = list_schedule(jobs, limits())
    assert [slot.start_s for slot in found] == pytest.approx([0.0, 0.0, 29.0, 34.0]), "20 s after the last reading"
    assert found[2].waited == "the guard: the processors are over its line, or were"


def test_a_line_that_is_left_out_holds_nothing() -> None:
    jobs = [job(10, 1, 5)] * 4
    watch = limits().watch
    assert watch is not None
    without = replace(limits(), watch=replace(watch, lines=Lines(host_cpu_fraction=None)))
    assert list_schedule(jobs, without) == list_schedule(jobs, replace(limits(), watch=None))


def test_an_order_is_found_that_keeps_clear_of_the_line() -> None:
    heavy, light = job(20, 1, 6), job(20, 1, 1)
    found = best_schedule([heavy, heavy, light, light], limits())
    assert found.holds == ()
    assert found.makespan_s == pytest.approx(48.0)
    in_order = best_schedule([heavy, heavy, light, light], limits(), keep_order=True)
    assert in_order.holds
    assert in_order.makespan_s > 60.0


def test_a_guard_that_holds_already_lets_nothing_start_before_it_is_calm() -> None:
    found = list_schedule([job(5, 1, 1)], limits(stance=Stance(1, holding=True, still_s=8.0)))
    assert found[0].start_s == pytest.approx(12.0)


# in plans


def cluster(busy: float = 0.1, transport: MigrationTransport = MigrationTransport.COMPRESSION) -> Cluster:
    hosts = [
        make_host(name, logical_processors=16, cpu_fraction=busy, migration_transport=transport)
        for name in (NODE, ONE, OTHER)
    ]
    return make_cluster(hosts, vms=[make_vm(f"app-{number}", NODE, 16) for number in range(6)])


def plan_of(where: Cluster, guard: Lines | None = LINES, progress: Progress | None = None) -> Plan:
    options = PlanOptions(slots=2, guard=guard, limits=SiteLimits())
    return plan_drain(where, NODE, options, PriorForecaster(), progress=progress)


def test_a_plan_says_what_the_guard_will_hold_and_what_would_help() -> None:
    where = cluster()
    found, without = plan_of(where), plan_of(where, None)
    assert found.holds
    assert found.makespan_s > without.makespan_s
    assert found.makespan_p90_s >= found.makespan_s
    told = next(note for note in found.notes if note.startswith("The guard will hold new starts"))
    assert "HV01" in told
    assert "over its line of 90 %" in told
    changes = [each.change for each in what_helps(where, found, PriorForecaster())]
    assert any(change.startswith("TCP/IP instead of") or change.startswith("SMB instead of") for change in changes)


def test_smb_is_held_by_nothing() -> None:
    where = cluster(transport=MigrationTransport.SMB)
    assert plan_of(where).makespan_s == plan_of(where, None).makespan_s


def test_a_host_that_is_busy_without_any_move_is_told_and_planned_for() -> None:
    where = cluster(busy=0.97, transport=MigrationTransport.SMB)
    found = plan_of(where)
    assert len(found.moves) == 6
    assert any("HV01's processors are 97 % busy now" in note for note in found.notes)


def test_a_new_plan_knows_that_the_guard_holds() -> None:
    where = cluster(transport=MigrationTransport.SMB)
    found = plan_of(where, progress=Progress(guard=Stance(1, holding=True, still_s=0.0)))
    assert min(move.start_s for move in found.moves) == pytest.approx(20.0)
    assert found.moves[0].waits_for.startswith("waits for the guard")
