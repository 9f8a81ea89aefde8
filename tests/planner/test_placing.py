"""Destinations beside every other way to choose them: what a search of all of them says of small clusters."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.forecast.forecaster import PriorForecaster
from console.model.cluster import Cluster
from console.model.identity import HostName
from console.model.units import GIB
from console.planner.packing import left_over
from console.planner.plan import plan_drain
from console.planner.refusals import Refusal
from console.planner.rules import CONFLICT, smallest_clash
from console.planner.values import Plan, PlanOptions, SiteLimits, SlotReading
from tests.builders import host_name, make_cluster, make_host, make_vm

HV01, HV02, HV03, HV04 = (host_name(number) for number in range(1, 5))


def plan(cluster: Cluster, **options: object) -> Plan:
    return plan_drain(cluster, HV01, PlanOptions(**options), PriorForecaster())  # type: ignore[arg-type]


def fits(sizes: Sequence[int], rooms: Sequence[int]) -> bool:
    """By trying every room for every size."""

    @cache
    def rest(at: int, left: tuple[int, ...]) -> bool:
        return at == len(sizes) or any(
            room >= sizes[at] and rest(at + 1, tuple(sorted((*left[:place], room - sizes[at], *left[place + 1 :]))))
            for place, room in enumerate(left)
        )

    return rest(0, tuple(sorted(rooms)))


@given(st.lists(st.integers(1, 40), max_size=8), st.lists(st.integers(-5, 60), max_size=5))
@settings(max_examples=200, deadline=None)
def test_nothing_is_left_over_exactly_when_all_fit(sizes: list[int], rooms: list[int]) -> None:
    assert (left_over(sizes, rooms) == 0) == fits(tuple(sorted(sizes, reverse=True)), rooms)


@given(st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("123456"), min_size=1), min_size=1))
@settings(max_examples=200, deadline=None)
def test_no_smaller_set_of_rules_clashes(refusals: dict[HostName, frozenset[str]]) -> None:
    found = smallest_clash(refusals)
    assert all(set(found) & rules for rules in refusals.values())
    every = sorted(frozenset().union(*refusals.values()))
    for fewer in itertools.combinations(every, len(found) - 1):
        assert not all(set(fewer) & rules for rules in refusals.values())


def small_cluster(seed: int) -> Cluster:
    """Little room, so that it matters who goes where."""
    chance = random.Random(seed)
    names = [host_name(number) for number in range(1, chance.choice((3, 4)) + 1)]
    sizes = (8, 16, 24, 32, 48, 64)
    vms = [make_vm(f"m{number}", HV01, chance.choice(sizes)) for number in range(chance.randint(2, 5))]
    whole, hosts = chance.choice((112, 128, 160, 192)), []
    for name in names:
        here = [make_vm(f"{name} {number}", name, chance.choice(sizes)) for number in range(chance.randint(0, 3))]
        free = max(0, whole * GIB - sum(vm.memory_bytes for vm in here))
        hosts.append(make_host(name, memory_bytes=whole * GIB, memory_free_bytes=free))
        vms += here if name != HV01 else []
    return make_cluster(hosts, vms=vms)


def placements(cluster: Cluster) -> Iterator[Mapping[HostName, tuple[int, Sequence[int]]]]:
    """Free GiB and running VMs' GiB of each host that is left, for every placement that fits."""
    left = [host for host in cluster.hosts if host.name != HV01]
    moving = [vm.memory_bytes // GIB for vm in cluster.vms_on(HV01)]
    here = {host.name: [vm.memory_bytes // GIB for vm in cluster.vms_on(host.name)] for host in left}
    for places in itertools.product([host.name for host in left], repeat=len(moving)):
        found = {}
        for host in left:
            come = [size for size, place in zip(moving, places, strict=True) if place == host.name]
            found[host.name] = ((host.memory_free_bytes or 0) // GIB - sum(come), here[host.name] + come)
        if all(free >= 0 for free, _ in found.values()):
            yield found


def may_lose_one(after: Mapping[HostName, tuple[int, Sequence[int]]]) -> bool:
    return all(
        fits(tuple(sorted(sizes, reverse=True)), [free for other, (free, _) in after.items() if other != lost])
        for lost, (_, sizes) in after.items()
    )


@pytest.mark.parametrize("block", range(4))
def test_whatever_a_search_of_all_placements_finds_the_plan_finds(block: int) -> None:
    kept = 0
    for seed in range(25 * block, 25 * block + 25):
        cluster = small_cluster(seed)
        found = plan(cluster, memory_reserve_fraction=0.0)
        possible = list(placements(cluster))
        assert bool(found.infeasible) == (not possible), "a place for every VM, where there is one"
        if possible:
            best = any(may_lose_one(after) for after in possible)
            assert found.n1_after is best, "and room for the loss of one more host, where there can be"
            kept += best
    assert kept >= 5


def test_a_hole_is_left_for_the_largest_vm_rather_than_an_even_load() -> None:
    big = make_vm("big", HV02, 64)
    hosts = [make_host(HV01), make_host(HV02, memory_bytes=96 * GIB, memory_free_bytes=10 * GIB)]
    hosts += [make_host(name, memory_bytes=96 * GIB, memory_free_bytes=72 * GIB) for name in (HV03, HV04)]
    cluster = make_cluster(hosts, vms=[big, *(make_vm(f"v{number}", HV01, 16) for number in range(2))])
    found = plan(cluster, memory_reserve_fraction=0.0)
    assert found.n1_after is True
    free = {host.host: host.memory_free_after_bytes for host in found.after}
    assert max(free[HV03] or 0, free[HV04] or 0) >= 64 * GIB
    assert any("any one more host may fail" in move.reason for move in found.moves)


def test_a_pinned_vm_is_not_moved_for_it() -> None:
    cluster = make_cluster(4, 6, seed=1)
    pins = {vm.id: HV02 for vm in cluster.vms_on(HV01)}
    assert {move.destination for move in plan(cluster, pinned=pins).moves} == {HV02}


def test_busy_processors_count_what_comes_with_the_vms() -> None:
    vms = [make_vm(f"v{number}", HV01, 8, processors=16, cpu_percent=100) for number in range(4)]
    hosts = [make_host(name, logical_processors=64, cpu_fraction=0.2) for name in (HV01, HV02, HV03)]
    found = plan(make_cluster(hosts, vms=vms))
    assert sorted(move.destination for move in found.moves) == [HV02, HV02, HV03, HV03]


@pytest.mark.parametrize(
    "limits",
    [SiteLimits(per_destination=1), SiteLimits(reading=SlotReading.PAIR, per_pair=1), SiteLimits(slots_of={HV02: 1})],
)
def test_where_a_destination_takes_few_at_once_the_others_take_their_share(limits: SiteLimits) -> None:
    hosts = [make_host(HV01), make_host(HV02, memory_bytes=4096 * GIB, memory_free_bytes=4000 * GIB)]
    hosts += [make_host(name, memory_free_bytes=200 * GIB) for name in (HV03, HV04)]
    cluster = make_cluster(hosts, vms=[make_vm(f"v{number}", HV01, 8) for number in range(12)])
    alone = plan(cluster, slots=4, limits=limits, avoided=frozenset({HV03, HV04}))
    found = plan(cluster, slots=4, limits=limits)
    assert {move.destination for move in alone.moves} == {HV02}
    assert len({move.destination for move in found.moves}) >= 2
    assert found.makespan_s < 0.65 * alone.makespan_s
    assert "do not hold up the drain" in found.moves[0].reason


def test_conflicts_of_one_code_are_one_rule_whatever_their_sentence() -> None:
    cluster = make_cluster(4, vms=[make_vm("v", HV01)])
    code = CONFLICT + "vm-switch"
    found = plan_drain(
        cluster, HV01, PlanOptions(avoided=frozenset({HV02})), PriorForecaster(),
        blocked=lambda _, host: [Refusal(code, f"{host} has no switch called Compute")],
    )  # fmt: skip
    assert found.infeasible[0].rules == (code,), "it refuses the avoided host too"
    assert "and 2 other hosts alike" in found.infeasible[0].reason
