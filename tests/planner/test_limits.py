"""Limits besides MaximumParallelMigrations, slow ways, shared lines: what each does to a plan."""

from __future__ import annotations

import pytest

from console.forecast.forecaster import PriorForecaster
from console.model.cluster import AffinityRule, Cluster, MigrationTransport, VmState
from console.model.identity import HostName, RoleName
from console.model.units import GIB
from console.planner.plan import plan_drain
from console.planner.rules import contradictions
from console.planner.schedule import SharedLink
from console.planner.values import (
    OFFLINE_AT_ONCE,
    Engine,
    HeavyClass,
    InFlight,
    Plan,
    PlanOptions,
    Progress,
    SiteLimits,
    SlotReading,
)
from tests.builders import host_name, make_adapter, make_cluster, make_host, make_settings, make_vm

HV01, HV02, HV03, HV04 = (host_name(number) for number in range(1, 5))


def cluster(vms: int = 12, hosts: int = 4, parallel: int = 2) -> Cluster:
    moving = [make_vm(f"v{number}", HV01, 8) for number in range(vms)]
    return make_cluster(hosts, vms=moving, settings=make_settings(maximum_parallel_migrations=parallel))


def plan(of: Cluster, options: PlanOptions | None = None, **limits: object) -> Plan:
    asked = options or PlanOptions(limits=SiteLimits(**limits))  # type: ignore[arg-type]
    return plan_drain(of, HV01, asked, PriorForecaster())


def at_once(found: Plan, into: HostName | None = None) -> int:
    moves = [move for move in found.moves if into in (None, move.destination)]
    return max(sum(m.start_s <= other.start_s < m.end_s for m in moves) for other in moves)


def test_read_per_pair_each_destination_takes_its_own_number() -> None:
    assert at_once(plan(cluster(parallel=1))) == 1
    found = plan(cluster(parallel=1), reading=SlotReading.PAIR)
    assert at_once(found) == 3
    assert all(at_once(found, host) == 1 for host in (HV02, HV03, HV04))
    assert "per pair" in found.notes[0]
    lever = plan(cluster(parallel=1), PlanOptions(slots=2, limits=SiteLimits(reading=SlotReading.PAIR)))
    assert at_once(lever) == 2, "the operator's lever holds besides"


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ({"cluster_wide": 1}, 1),
        ({"slots_of": {HV01: 3}}, 3),
        ({"slots_of": {HV01: 4}, "per_pair": 1}, 3),
    ],
)
def test_each_limit_is_reached_and_not_passed(limits: dict[str, object], most: int) -> None:
    assert at_once(plan(cluster(), **limits)) == most


def test_inflow_and_pairs_hold_and_waits_say_so() -> None:
    found = plan_drain(
        cluster(hosts=2), HV01, PlanOptions(slots=4, limits=SiteLimits(per_destination=2)), PriorForecaster()
    )
    assert at_once(found) == 2
    assert "a slot into HV02 (2 at once)" in found.moves[-1].waits_for


def test_vms_go_over_the_fast_way_and_only_the_rest_over_the_slow_one() -> None:
    slow = make_host(HV02, adapters=(make_adapter(link_bytes_per_s=1.25e8),))
    fast = make_host(HV03, memory_free_bytes=100 * GIB)
    vms = [make_vm(f"v{number}", HV01, 20) for number in range(6)]
    found = plan(make_cluster([make_host(HV01), slow, fast], vms=vms))
    to_fast = [move for move in found.moves if move.destination == HV03]
    assert len(to_fast) == 3, "what its memory and reserve allow"
    assert "the fastest way" in to_fast[0].reason


def test_a_shared_line_is_avoided_and_where_not_it_decides_the_finish() -> None:
    line = SharedLink("between sites", 1e8, frozenset({HV01, HV02}))
    free = plan(cluster(hosts=3), links=(line,))
    assert {move.destination for move in free.moves} == {HV02}
    only = plan_drain(
        cluster(hosts=3), HV01, PlanOptions(avoided=frozenset({HV02}), limits=SiteLimits(links=(line,))),
        PriorForecaster(),
    )  # fmt: skip
    assert only.makespan_s > 12 * 8 * GIB / 1e8
    assert only.ratio == pytest.approx(1.0, abs=0.05)


def test_the_transport_lever_plans_as_if() -> None:
    tcp = make_cluster([make_host(name, migration_transport=MigrationTransport.TCPIP) for name in (HV01, HV02)],
                       vms=[make_vm("v", HV01, 32)])  # fmt: skip
    as_it_is = plan(tcp)
    compressed = plan(tcp, PlanOptions(transport=MigrationTransport.COMPRESSION))
    assert compressed.makespan_s < as_it_is.makespan_s


def test_tight_memory_is_packed_before_a_vm_is_left_without_a_place() -> None:
    sizes = [50, 30, 30, 20, 20]
    vms = [make_vm(f"v{number}", HV01, size) for number, size in enumerate(sizes)]
    hosts = [make_host(HV01), *(make_host(name, memory_free_bytes=room * GIB) for name, room in
                                ((HV02, 76), (HV03, 81)))]  # fmt: skip
    found = plan_drain(make_cluster(hosts, vms=vms), HV01, PlanOptions(memory_reserve_fraction=0.0), PriorForecaster())
    assert not found.infeasible
    assert "so that all find room" in found.moves[0].reason


def test_a_vm_tied_to_one_that_stays_stays_too() -> None:
    big, small = make_vm("big", HV01, 400), make_vm("small", HV01, 4)
    hosts = [make_host(HV01, fault_domain="a"), make_host(HV02, memory_free_bytes=50 * GIB, fault_domain="b")]
    rule = AffinityRule("r", 1, True, (RoleName("big"), RoleName("small")))
    found = plan(make_cluster(hosts, vms=[big, small], affinity_rules=(rule,)))
    assert not found.moves
    assert {each.vm.name: each.rules for each in found.infeasible} == {
        "big": ("memory",), "small": ("affinity rule r",),
    }  # fmt: skip


def test_contradictions_name_the_shortest_chain() -> None:
    def rule(name: str, kind: int, *groups: str) -> AffinityRule:
        return AffinityRule(name, kind, True, tuple(RoleName(group) for group in groups))

    rules = [
        rule("ab", 2, "a", "b"), rule("bc", 2, "b", "c"), rule("abc", 1, "a", "c"),
        rule("apart", 4, "a", "c"), rule("racks", 3, "a", "c"), rule("fine", 4, "a", "d"),
    ]  # fmt: skip
    found = {each.rules[-1]: each for each in contradictions(rules)}
    assert set(found) == {"affinity rule apart", "affinity rule racks"}
    assert found["affinity rule apart"].rules[:-1] == ("affinity rule ab", "affinity rule bc")
    assert found["affinity rule racks"].rules[:-1] == ("affinity rule abc",)


def test_what_is_under_way_keeps_its_slot_its_room_and_its_destination() -> None:
    of = cluster(vms=4)
    first, second, *rest = of.vms
    progress = Progress(
        done=frozenset({second.id}), in_flight=(InFlight(first.id, HV04, 3.0),),
        destinations={rest[1].id: HV03, rest[0].id: HV02},
    )  # fmt: skip
    found = plan_drain(of, HV01, PlanOptions(slots=1), PriorForecaster(), progress=progress)
    (going,) = found.in_flight
    assert (going.vm, going.destination, going.start_s) == (first.ref, HV04, -3.0)
    assert [move.vm.id for move in found.moves] == [rest[1].id, rest[0].id], "in their turn"
    assert [move.destination for move in found.moves] == [HV03, HV02]
    assert found.moves[0].start_s == pytest.approx(going.end_s)
    assert found.moves[0].reason.startswith("planned there before")
    assert {host.host: host.vms_after for host in found.after}[HV04] == 1


def test_more_moves_under_way_than_slots_go_on_and_nothing_starts_beside_them() -> None:
    of = cluster(vms=4)
    going = tuple(InFlight(vm.id, HV02) for vm in of.vms[:3])
    found = plan_drain(of, HV01, PlanOptions(slots=1), PriorForecaster(), progress=Progress(in_flight=going))
    assert len(found.in_flight) == 3
    assert found.moves[0].start_s == pytest.approx(max(move.end_s for move in found.in_flight))
    assert found.ratio >= 1.0


def test_a_destination_that_went_away_is_replaced() -> None:
    of = cluster(vms=2)
    progress = Progress(destinations={vm.id: HV02 for vm in of.vms})
    found = plan_drain(of, HV01, PlanOptions(avoided=frozenset({HV02})), PriorForecaster(), progress=progress)
    assert HV02 not in {move.destination for move in found.moves}
    assert len(found.moves) == 2


def test_heavy_alone_has_a_bound_that_knows_of_it() -> None:
    giant = make_vm("giant", HV01, 200)
    of = make_cluster(3, vms=[giant, *(make_vm(f"v{number}", HV01, 4) for number in range(12))])
    assert plan(of, PlanOptions(heavy=HeavyClass.ALONE)).ratio <= 1.05


def test_vms_that_are_off_move_beside_live_migrations_and_take_none_of_their_slots() -> None:
    off = [make_vm(f"off{number}", HV01, 8, state=VmState.OFF) for number in range(OFFLINE_AT_ONCE + 2)]
    alone = plan(cluster(vms=6, parallel=1))
    running = cluster(vms=6, parallel=1)
    found = plan(make_cluster(4, vms=[*running.vms, *off], settings=running.settings))
    assert found.makespan_s == pytest.approx(alone.makespan_s, rel=1e-6)
    theirs = {vm.id for vm in off}
    starts = [move.start_s for move in found.moves if move.vm.id in theirs]
    assert starts.count(0.0) == OFFLINE_AT_ONCE, "but not all of them in one second"
    assert "among the VMs that are off" in next(m for m in found.moves if m.vm.id in theirs and m.start_s).waits_for
    live = [move for move in found.moves if move.vm.id not in theirs]
    assert sum(move.start_s == 0 for move in live) == 1


def test_the_clusters_own_drain_is_forecast_without_our_number_for_vms_that_are_off() -> None:
    off = [make_vm(f"off{number}", HV01, 8, state=VmState.OFF) for number in range(OFFLINE_AT_ONCE + 2)]
    found = plan(make_cluster(4, vms=off), PlanOptions(engine=Engine.NATIVE))
    assert {move.start_s for move in found.moves} == {0.0}


def test_a_vm_that_is_off_moves_beside_one_that_has_the_links_for_itself() -> None:
    giant, off = make_vm("giant", HV01, 200), make_vm("off", HV01, 8, state=VmState.OFF)
    of = make_cluster(3, vms=[giant, off, *(make_vm(f"v{number}", HV01, 4) for number in range(12))])
    found = plan(of, PlanOptions(heavy=HeavyClass.ALONE))
    assert next(move for move in found.moves if move.vm == off.ref).start_s == 0
    assert found.ratio >= 1.0
