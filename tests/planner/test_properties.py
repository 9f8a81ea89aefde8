"""What holds of every plan, of what is left of one at any moment, and of every roll."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from console.forecast.forecaster import PriorForecaster
from console.model.cluster import Cluster, MigrationProgress, VirtualMachine
from console.planner.plan import plan_drain
from console.planner.roll import RollOptions, plan_roll
from console.planner.values import InFlight, Plan, PlannedMove, PlanOptions, Progress
from tests.planner.instances import (
    HOSTS,
    NODE,
    Interval,
    check_counts,
    check_memory,
    check_rules,
    clusters,
    instants,
    intervals,
    needs,
    plan_options,
    site_limits,
)

FORECASTER = PriorForecaster()


def plan_of(cluster: Cluster, options: PlanOptions, progress: Progress | None = None) -> Plan:
    return plan_drain(cluster, NODE, options, FORECASTER, progress=progress)


@given(clusters(), plan_options)
@settings(max_examples=50, deadline=None)
def test_no_limit_is_exceeded_and_no_memory_overcommitted_at_any_instant(
    cluster: Cluster, options: PlanOptions
) -> None:
    found = plan_of(cluster, options)
    moves = intervals(cluster, found)
    check_counts(cluster, options, found.slots, moves)
    check_memory(cluster, options.memory_reserve_fraction, moves)
    assert found.lower_bound_s <= found.makespan_s * (1 + 1e-9)
    named = [each.vm.id for group in (found.moves, found.left_behind, found.infeasible) for each in group]
    assert sorted(named) == sorted(vm.id for vm in cluster.vms_on(NODE)), "each VM exactly once"


@given(clusters(), plan_options)
@settings(max_examples=30, deadline=None)
def test_bytes_that_cross_a_line_take_the_time_that_it_needs(cluster: Cluster, options: PlanOptions) -> None:
    found = plan_of(cluster, options)
    for link in options.limits.links:
        crossing = [m for m in found.moves if (m.source in link.members) != (m.destination in link.members)]
        carried = sum(move.forecast.bytes_to_send for move in crossing)
        assert found.makespan_s >= carried / link.capacity_bytes_per_s * (1 - 1e-9)
    for host, capacity in options.limits.in_bytes_per_s.items():
        coming = sum(move.forecast.bytes_to_send for move in found.moves if move.destination == host)
        assert found.makespan_s >= coming / capacity * (1 - 1e-9)


@given(clusters(), plan_options)
@settings(max_examples=30, deadline=None)
def test_every_rule_that_a_vm_depends_on_holds_where_it_goes(cluster: Cluster, options: PlanOptions) -> None:
    check_rules(cluster, plan_of(cluster, options))


@given(clusters(), plan_options, st.floats(0.02, 0.98))
@settings(max_examples=50, deadline=None)
def test_a_new_plan_at_any_moment_keeps_what_is_done_and_completes(
    cluster: Cluster, options: PlanOptions, share: float
) -> None:
    before = plan_of(cluster, options)
    assume(before.moves)
    at_s = before.makespan_s * share
    later, progress = world_at(cluster, before, at_s)
    rest = plan_of(later, options, progress)
    moved = {move.vm.id for move in rest.moves}
    assert not moved & progress.done
    assert {move.vm.id: move.destination for move in rest.in_flight} == {
        move.vm: move.destination for move in progress.in_flight
    }
    waiting = {move.vm.id: move.destination for move in before.moves if move.start_s > at_s}
    assert {move.vm.id: move.destination for move in rest.moves} == waiting, "the rest goes where it was to go"
    assert not {each.vm.id for each in rest.infeasible} & set(waiting)
    check_memory(later, options.memory_reserve_fraction, [i for i in intervals(later, rest) if i.start_s >= 0])
    assert rest.makespan_s <= (before.makespan_s - at_s) * 1.35 + 15, "and takes about as long as it was to"


def world_at(cluster: Cluster, plan: Plan, at_s: float) -> tuple[Cluster, Progress]:
    """The cluster as it would be seen in the midst of the plan."""
    done = [move for move in plan.moves if move.end_s <= at_s]
    going = [move for move in plan.moves if move.start_s <= at_s < move.end_s]
    gone = {move.vm.id: move for move in done}
    under_way = {move.vm.id: move for move in going}
    need = needs(cluster)
    room = {host.name: host.memory_free_bytes or 0 for host in cluster.hosts}
    for move in done:
        room[move.source] += need[move.vm.id]
        room[move.destination] -= need[move.vm.id]

    def seen(vm: VirtualMachine) -> VirtualMachine:
        if vm.id in gone:
            return replace(vm, host=gone[vm.id].destination)
        if vm.id in under_way:
            return replace(vm, migration=MigrationProgress(50.0, under_way[vm.id].destination))
        return vm

    later = replace(
        cluster,
        hosts=tuple(replace(host, memory_free_bytes=room[host.name]) for host in cluster.hosts),
        vms=tuple(seen(vm) for vm in cluster.vms),
    )
    waiting = {move.vm.id: move.destination for move in plan.moves if move.start_s > at_s}
    settled = {each.vm.id for each in (*plan.left_behind, *plan.infeasible)}
    return later, Progress(frozenset(gone) | settled, tuple(flight(move, at_s) for move in going), waiting)


def flight(move: PlannedMove, at_s: float) -> InFlight:
    return InFlight(move.vm.id, move.destination, at_s - move.start_s)


@given(clusters(), st.integers(1, 3), st.booleans(), site_limits)
@settings(max_examples=30, deadline=None)
def test_a_roll_never_overcommits_and_empties_every_node_in_its_turn(
    cluster: Cluster, wave: int, failback: bool, limits: object
) -> None:
    options = RollOptions(PlanOptions(limits=limits), wave=wave, failback=failback)  # type: ignore[arg-type]
    found = plan_roll(cluster, HOSTS, options, FORECASTER)
    need = needs(cluster)
    moves = [
        Interval(move.source, move.destination, move.start_s, move.end_s, 0.0, need[move.vm.id])
        for each in found.waves
        for move in each.moves
    ]
    check_memory(cluster, 0.05, moves)
    assert sorted(node for each in found.order for node in each) == sorted(HOSTS)
    stuck = {each.vm.id for each in (*found.infeasible, *found.left_behind)}
    at = {vm.id: vm.host for vm in cluster.vms}
    for each in found.waves:
        for move in each.moves:
            assert at[move.vm.id] == move.source, "moves start where the VM is"
            assert move.back or move.destination not in each.nodes
            at[move.vm.id] = move.destination
        assert failback or all(vm in stuck for vm, host in at.items() if host in each.nodes)
    if not stuck:
        assert found.moves_per_vm >= found.lower_bound_moves - 1e-9
    if failback:
        assert at == {vm.id: vm.host for vm in cluster.vms}
    assert found.lower_bound_s <= found.window_s * (1 + 1e-9)


def test_an_instant_is_between_events() -> None:
    moves = [Interval(HOSTS[0], HOSTS[1], 0.0, 2.0), Interval(HOSTS[0], HOSTS[1], 1.0, 3.0)]
    assert instants(moves) == pytest.approx([0.5, 1.5, 2.5])
