"""A drain's plan: what an operator relies on at two in the morning."""

from __future__ import annotations

import dataclasses

import pytest

from console.forecast.forecaster import PriorForecaster
from console.forecast.values import MigrationType
from console.model.cluster import (
    AffinityRule,
    Cluster,
    GroupFlags,
    Host,
    MigrationProgress,
    NodeState,
    VirtualMachine,
    VmState,
)
from console.model.identity import HostName, RoleName
from console.model.units import GIB
from console.planner.plan import plan_drain
from console.planner.refusals import Refusal
from console.planner.values import Engine, HeavyClass, Plan, PlanOptions
from tests.builders import host_name, make_cluster, make_host, make_settings, make_vm

HV01, HV02, HV03 = host_name(1), host_name(2), host_name(3)


def plan(cluster: Cluster, options: PlanOptions | None = None, **changes: object) -> Plan:
    chosen = dataclasses.replace(options or PlanOptions(), **changes)  # type: ignore[arg-type]
    return plan_drain(cluster, HV01, chosen, PriorForecaster())


def cluster_of(*vms: VirtualMachine, hosts: int = 3, **overrides: object) -> Cluster:
    return make_cluster(hosts, vms=vms, **overrides)  # type: ignore[arg-type]


def destination_of(found: Plan, vm: VirtualMachine) -> HostName:
    return next(move.destination for move in found.moves if move.vm.id == vm.id)


def reason_of(found: Plan, vm: VirtualMachine) -> str:
    return next(each.reason for each in found.infeasible if each.vm.id == vm.id)


def test_every_vm_is_accounted_for_exactly_once() -> None:
    cluster = make_cluster(4, 20, seed=3)
    found = plan(cluster)
    named = [each.vm.id for group in (found.moves, found.left_behind, found.infeasible) for each in group]
    assert sorted(named) == sorted(vm.id for vm in cluster.vms_on(HV01))


def test_longest_first_and_a_freed_slot_refills_at_once() -> None:
    found = plan(make_cluster(4, 20, seed=3))
    starts = [move.start_s for move in found.moves]
    ends = {move.end_s for move in found.moves}
    assert starts == sorted(starts)
    assert all(start == 0 or start in ends for start in starts)
    assert found.moves[0].memory_bytes == max(move.memory_bytes for move in found.moves)
    assert all("a slot on HV01 (2 at once)" in move.waits_for for move in found.moves[2:])
    assert 1.0 <= found.ratio <= 1.1


def test_a_host_keeps_its_reserve() -> None:
    vm = make_vm("big", HV01, 100)
    full = make_host(HV02, memory_bytes=512 * GIB, memory_free_bytes=110 * GIB)
    cluster = make_cluster([make_host(HV01), full], vms=[vm])
    found = plan(cluster)
    assert not found.moves
    assert "HV02 has room for 84 GiB of 100 GiB" in reason_of(found, vm)
    assert found.infeasible[0].rules == ("memory",)
    assert plan(cluster, memory_reserve_fraction=0.01).moves


def test_hosts_that_take_nothing_are_left_out_and_named() -> None:
    vm = make_vm("a", HV01)
    hosts = [make_host(HV01), make_host(HV02, state=NodeState.PAUSED), make_host(HV03)]
    cluster = make_cluster(hosts, vms=[vm])
    assert destination_of(plan(cluster), vm) == HV03
    nowhere = plan(cluster, avoided=frozenset({HV03}))
    assert nowhere.infeasible[0].rules == ("avoided hosts", "host state")
    assert "HV02 is paused" in reason_of(nowhere, vm)
    assert "HV03 avoided by choice" in reason_of(nowhere, vm)


def test_unknown_memory_is_not_room() -> None:
    vm = make_vm("a", HV01)
    cluster = make_cluster([make_host(HV01), make_host(HV02, memory_free_bytes=None)], vms=[vm])
    found = plan(cluster)
    assert "could not be read" in reason_of(found, vm)
    assert found.n1_after is None


def test_possible_owners_and_pins_and_exclusions_are_kept() -> None:
    tied = make_vm("tied", HV01, possible_owners=frozenset({HV01, HV03}))
    pinned, excluded, locked = make_vm("pinned", HV01), make_vm("stays", HV01), make_vm("locked", HV01)
    locked = dataclasses.replace(locked, role_flags=GroupFlags.LOCKED)
    cluster = cluster_of(tied, pinned, excluded, locked)
    found = plan(cluster, pinned={pinned.id: HV02}, excluded=frozenset({excluded.id}))
    assert destination_of(found, tied) == HV03
    assert destination_of(found, pinned) == HV02
    assert next(m.reason for m in found.moves if m.vm == pinned.ref) == "chosen by the operator"
    assert [each.vm for each in found.left_behind] == [excluded.ref]
    assert [each.vm for each in found.infeasible] == [locked.ref]


def test_a_pin_that_can_not_be_kept_is_infeasible_and_says_why() -> None:
    tied = make_vm("tied", HV01, possible_owners=frozenset({HV03}))
    for where, words in ((HV02, "possible owners"), (HV01, "being drained"), (HostName("gone"), "not a node")):
        assert words in reason_of(plan(cluster_of(tied), pinned={tied.id: where}), tied)


def test_blocking_conflicts_keep_a_vm_away_from_a_host() -> None:
    vm = make_vm("a", HV01)
    found = plan_drain(
        cluster_of(vm), HV01, PlanOptions(), PriorForecaster(),
        blocked=lambda _, host: [Refusal("switch", "has no switch called Compute")] if host == HV02 else [],
    )  # fmt: skip
    assert destination_of(found, vm) == HV03
    assert "HV02 has no switch called Compute" in found.moves[0].reason


def rule(kind: int, *groups: str) -> AffinityRule:
    return AffinityRule("rule 1", kind, True, tuple(RoleName(group) for group in groups))


def test_vms_kept_apart_go_apart_and_vms_kept_together_go_together() -> None:
    first, second = make_vm("first", HV01, 32), make_vm("second", HV01, 32)
    apart = cluster_of(first, second, affinity_rules=(rule(4, "first", "second"),))
    together = cluster_of(first, second, affinity_rules=(rule(2, "first", "second"),))
    found = plan(apart)
    assert destination_of(found, first) != destination_of(found, second)
    found = plan(together)
    assert destination_of(found, first) == destination_of(found, second)


def test_a_companion_elsewhere_decides_and_a_contradiction_names_the_rules() -> None:
    here, there = make_vm("here", HV01), make_vm("there", HV02)
    same = cluster_of(here, there, affinity_rules=(rule(2, "here", "there"),))
    assert destination_of(plan(same), here) == HV02
    clash = plan(same, avoided=frozenset({HV02}))
    assert clash.infeasible[0].rules == ("affinity rule rule 1", "avoided hosts")


def test_fault_domains_are_kept_where_they_are_known() -> None:
    here, there = make_vm("here", HV01), make_vm("there", HV02)
    hosts = [make_host(name, fault_domain=rack) for name, rack in ((HV01, "a"), (HV02, "a"), (HV03, "b"))]
    for kind, expected in ((1, HV02), (3, HV03)):
        cluster = make_cluster(hosts, vms=[here, there], affinity_rules=(rule(kind, "here", "there"),))
        assert destination_of(plan(cluster), here) == expected


@pytest.mark.parametrize(("enforced", "moved"), [(False, 1), (True, 0)])
def test_anti_affinity_class_names_are_hard_only_when_enforced(enforced: bool, moved: int) -> None:
    here, there = (make_vm(name, host, anti_affinity=("dc",)) for name, host in (("dc1", HV01), ("dc2", HV02)))
    cluster = cluster_of(here, there, hosts=2, settings=make_settings(enforced_anti_affinity=enforced))
    assert len(plan(cluster).moves) == moved
    assert destination_of(plan(cluster_of(here, there)), here) == HV03, "soft rules are kept where they can be"


def test_not_clustered_stays_and_a_vm_on_its_way_is_not_asked_again() -> None:
    local, going = make_vm("local", HV01, clustered=False), make_vm("going", HV01)
    going = dataclasses.replace(going, migration=MigrationProgress(40.0, HV03))
    reasons = [each.reason for each in plan(cluster_of(local, going)).left_behind]
    assert reasons == ["not a clustered role: the cluster can not move it", "already moving to HV03"]


def test_what_already_moves_to_a_host_takes_its_room() -> None:
    going = dataclasses.replace(make_vm("going", HV02, 100), migration=MigrationProgress(40.0, HV03))
    vm = make_vm("a", HV01, 100)
    hosts = [make_host(HV01), make_host(HV02, memory_free_bytes=0), make_host(HV03, memory_free_bytes=150 * GIB)]
    assert not plan(make_cluster(hosts, vms=[vm, going])).moves


def test_interruptions_are_listed_apart() -> None:
    quick, low = make_vm("quick", HV01, default_move_type=1), make_vm("low", HV01, priority=500)
    cluster = cluster_of(quick, low)
    assert [each.vm for each in plan(cluster).interrupted] == [quick.ref]
    native = plan(cluster, engine=Engine.NATIVE)
    assert {each.vm for each in native.interrupted} == {quick.ref, low.ref}
    assert any("forecast of what it will do" in note for note in native.notes)


def test_off_vms_move_offline_and_need_no_room() -> None:
    off = make_vm("off", HV01, 500, state=VmState.OFF)
    cluster = make_cluster([make_host(HV01), make_host(HV02, memory_free_bytes=30 * GIB)], vms=[off])
    found = plan(cluster)
    assert found.moves[0].forecast.migration_type is MigrationType.OFFLINE
    assert found.after[1].memory_free_after_bytes == 30 * GIB


def test_held_moves_come_last_and_say_so() -> None:
    vms = [make_vm(f"v{number}", HV01, 4 + number) for number in range(6)]
    found = plan(cluster_of(*vms), held=frozenset({vms[5].id}))
    assert found.moves[-1].vm == vms[5].ref
    assert found.moves[-1].waits_for == "held: starts when it is released"


def heavy_cluster() -> Cluster:
    vms = [make_vm(f"v{number}", HV01, 4) for number in range(12)]
    return cluster_of(make_vm("giant", HV01, 200), *vms)


def test_the_heavy_lever_puts_the_giant_where_it_is_wanted() -> None:
    def place(heavy: HeavyClass) -> int:
        moves = plan(heavy_cluster(), heavy=heavy).moves
        return next(index for index, move in enumerate(moves) if move.vm.name == "giant")

    assert (place(HeavyClass.FIRST), place(HeavyClass.LAST)) == (0, 12)
    alone = plan(heavy_cluster(), heavy=HeavyClass.ALONE)
    giant = next(move for move in alone.moves if move.vm.name == "giant")
    assert all(move.end_s <= giant.start_s or move.start_s >= giant.end_s for move in alone.moves if move != giant)
    skipped = plan(heavy_cluster(), heavy=HeavyClass.SKIP)
    assert [each.vm.name for each in skipped.left_behind] == ["giant"]
    assert skipped.makespan_s < alone.makespan_s


def test_slots_come_from_the_lever_then_the_cluster_then_the_host() -> None:
    def slots(options: PlanOptions, settings: int | None, host: int | None) -> int:
        hosts = [make_host(name, maximum_virtual_machine_migrations=host) for name in (HV01, HV02)]
        given = make_settings(maximum_parallel_migrations=settings)
        return plan(make_cluster(hosts, vms=[make_vm("a", HV01)], settings=given), options).slots

    assert slots(PlanOptions(slots=4), 1, 3) == 4
    assert slots(PlanOptions(), 1, 3) == 1
    assert slots(PlanOptions(), None, 3) == 3
    assert slots(PlanOptions(), None, None) == 2
    with pytest.raises(ValueError, match="at least one slot"):
        slots(PlanOptions(slots=0), 1, 1)


def test_the_hosts_after_add_up_and_n_plus_one_is_told() -> None:
    cluster = make_cluster(4, 10, seed=1)
    found = plan(cluster)
    before = sum(host.memory_free_before_bytes or 0 for host in found.after)
    assert sum(host.memory_free_after_bytes or 0 for host in found.after) == before
    assert found.after[0].vms_after == 0
    assert found.n1_after is True
    assert plan(make_cluster(2, 10, seed=1)).n1_after is False, "two nodes, one drained: the last may not die"


def test_an_empty_node_is_an_empty_plan_and_an_unknown_one_an_error() -> None:
    found = plan(make_cluster(3, vms=[]))
    assert (found.moves, found.makespan_s, found.ratio) == ((), 0.0, 1.0)
    with pytest.raises(KeyError):
        plan_drain(make_cluster(2, 1), HostName("nowhere"), PlanOptions(), PriorForecaster())


def test_all_silent_hosts_leave_nothing_to_plan_but_say_so() -> None:
    vm = make_vm("a", HV01)
    hosts: list[Host] = [make_host(HV01)]
    assert "no other node" in reason_of(plan(make_cluster(hosts, vms=[vm])), vm)


def test_the_p90_is_after_the_middle_and_the_bound_before_it() -> None:
    found = plan(make_cluster(4, 30, seed=5))
    assert found.lower_bound_s <= found.makespan_s < found.makespan_p90_s
