"""One node's drain: who goes where, when, why, and what stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from console.forecast.values import Forecaster
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName, VmId

from .after import hosts_after, survives_any_loss
from .bounds import lower_bound_s
from .fluid import EAGER, MIXED
from .improve import Schedule, best_schedule
from .limits import at_once, implied_ports, limits_of, notes_on
from .moves import Candidate, class_heavy, forecast_of, interruption, interrupts, makespan_p90_s, slower_ways
from .placement import Blocked, Choice, Placement, Preferences, host_refusal, memory_needed
from .schedule import Job, Limits
from .sorting import as_moved, sort_out, with_levers
from .values import Engine, HeavyClass, Infeasible, InFlight, NotMoved, Plan, PlannedMove, PlanOptions, Progress

_EFFORT, _EFFORT_FOR_FEW, _FEW = 500, 1200, 64
"""Moves simulated to better one plan, and to better one of few moves: some 20 ms, so that levers feel instant."""
_WORTH_ANOTHER_ORDER = 0.99
"""Of the makespan: what a new order has to save before an earlier plan's order is given up."""

_Placed: TypeAlias = tuple[list[Candidate], list[NotMoved], list[Infeasible]]
"""Those that have a destination, those skipped as heavy, those without any."""


def plan_drain(
    cluster: Cluster,
    node: HostName,
    options: PlanOptions,
    forecaster: Forecaster,
    *,
    blocked: Blocked | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan the emptying of ``node``, or what is left of it.

    Args:
        blocked: sentences of the conflicts that block a VM's way to a host; empty when none does.
        progress: of a run that is under way: what is over is left out, what is in flight goes on, and what was
            planned and has not started keeps its destination and its turn wherever both still hold.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: the options ask for fewer than one slot.
    """
    so_far = progress or Progress()
    asked = with_levers(cluster, node, options)
    slots = at_once(asked, node, options)
    movable, left_behind, infeasible = sort_out(asked, node, options, so_far)
    moved = [as_moved(asked, vm, options) for vm in movable]
    ways = _slower_ways(asked, node, moved, options, forecaster, slots)
    preferences = Preferences(kept=so_far.destinations, slower=ways)
    going = _under_way(asked, node, so_far)

    def place(
        vms: Sequence[VirtualMachine], heavy: HeavyClass
    ) -> tuple[list[Candidate], list[NotMoved], list[Infeasible]]:
        placement = Placement(asked, node, options, blocked, progress=so_far, preferences=preferences)
        choices = placement.place(vms)
        sharing = min(slots, len(choices) + len(going)) or 1
        found = [forecast_of(asked, choice, options, forecaster, sharing) for choice in choices]
        found += [forecast_of(asked, choice, options, forecaster, sharing, move) for choice, move in going]
        return *class_heavy(found, slots, heavy, so_far), placement.infeasible

    candidates, skipped, homeless = place(moved, options.heavy)
    if skipped:  # those that stay take no room elsewhere, and rules hold against where they stay
        staying = {each.vm.id for each in skipped}
        candidates, _, homeless = place([vm for vm in moved if vm.id not in staying], HeavyClass.AS_PLANNED)
    moves, under_way, lower_s = _schedule(asked, candidates, node, slots, options, so_far)
    kept = [candidate.choice for candidate in candidates]
    makespan_s = max((move.end_s for move in (*moves, *under_way)), default=0.0)
    return Plan(
        node=node,
        options=options,
        moves=tuple(moves),
        left_behind=(*left_behind, *skipped),
        interrupted=tuple(interruption(move) for move in moves if interrupts(move)),
        infeasible=(*infeasible, *homeless),
        after=hosts_after(cluster, kept),
        slots=slots,
        makespan_s=makespan_s,
        makespan_p90_s=makespan_p90_s(makespan_s, moves, slots),
        lower_bound_s=min(lower_s, makespan_s),
        n1_after=survives_any_loss(cluster, frozenset({node}), kept, options.memory_reserve_fraction),
        notes=notes_on(cluster, options, slots),
        in_flight=tuple(under_way),
    )


def _under_way(cluster: Cluster, node: HostName, progress: Progress) -> list[tuple[Choice, InFlight]]:
    """This run's moves that have started and not arrived."""
    found: list[tuple[Choice, InFlight]] = []
    for move in progress.in_flight:
        vm = cluster.vm_by_id.get(move.vm)
        if vm is not None and vm.host == node and move.vm not in progress.done:
            found.append((Choice(vm, move.destination, "under way"), move))
    return found


def _slower_ways(
    cluster: Cluster,
    node: HostName,
    movable: Sequence[VirtualMachine],
    options: PlanOptions,
    forecaster: Forecaster,
    slots: int,
) -> dict[HostName, int]:
    """Which hosts are slow to reach, by the forecast of the largest VM's way to each."""
    if not movable:
        return {}
    probe = max(movable, key=lambda vm: (memory_needed(vm), vm.id))
    hosts = [host for host in cluster.hosts if host.name != node and host_refusal(host, options.avoided) is None]
    sharing = min(slots, len(movable))
    rates = [forecaster.forecast(cluster, probe, host.name, sharing=sharing).rate_bytes_per_s for host in hosts]
    return slower_ways(node, [host.name for host in hosts], options, rates)


def _schedule(
    cluster: Cluster,
    candidates: Sequence[Candidate],
    node: HostName,
    slots: int,
    options: PlanOptions,
    progress: Progress,
) -> tuple[list[PlannedMove], list[PlannedMove], float]:
    """The moves in order of start, those under way, and the lower bound of any schedule of them."""
    kept = _ranks(candidates, progress)
    ordered = sorted(candidates, key=lambda candidate: _order(candidate, options, kept))
    alone = options.heavy is HeavyClass.ALONE
    jobs = [candidate.job(alone) for candidate in ordered]
    limits = _limits(cluster, ordered, node, slots, options)
    chosen = options.engine is Engine.NATIVE or options.heavy is not HeavyClass.AS_PLANNED or bool(options.held)
    found = _best(jobs, limits, chosen=chosen, was_planned=bool(kept))
    moves = [each.planned(slot) for each, slot in zip(ordered, found.slots, strict=True)]
    under_way = [move for move, each in zip(moves, ordered, strict=True) if each.under_way is not None]
    to_come = [move for move, each in zip(moves, ordered, strict=True) if each.under_way is None]
    to_come.sort(key=lambda move: move.start_s)
    return to_come, under_way, lower_bound_s([each.solo_job(alone) for each in ordered], limits)


def _best(jobs: Sequence[Job], limits: Limits, *, chosen: bool, was_planned: bool) -> Schedule:
    if chosen:
        return best_schedule(jobs, limits, effort=0, policies=(EAGER,), keep_order=True)
    if not was_planned:
        return _searched(jobs, limits)
    as_before = best_schedule(jobs, limits, effort=0, policies=(EAGER,), keep_order=True)
    if as_before.lower_bound_s >= _WORTH_ANOTHER_ORDER * as_before.makespan_s:
        return as_before
    other = _searched(jobs, limits)
    return other if other.makespan_s < _WORTH_ANOTHER_ORDER * as_before.makespan_s else as_before


def _searched(jobs: Sequence[Job], limits: Limits) -> Schedule:
    """Where bandwidth is short, short moves beside long ones keep it busier."""
    short_of_it = limits.out_bytes_per_s or limits.in_bytes_per_s or limits.links
    return best_schedule(jobs, limits, effort=_effort(jobs), policies=(EAGER, MIXED) if short_of_it else (EAGER,))


def _effort(jobs: Sequence[Job]) -> int:
    """At the least every way to begin is tried once."""
    return _EFFORT_FOR_FEW if len(jobs) <= _FEW else max(_EFFORT, 4 * len(jobs))


def _ranks(candidates: Sequence[Candidate], progress: Progress) -> dict[VmId, float]:
    """Turns of an earlier plan; a VM that it did not know comes before the first shorter one."""
    known = {vm: float(turn) for turn, vm in enumerate(progress.destinations)}
    if not known:
        return {}
    planned = [each for each in candidates if each.choice.vm.id in known]
    planned.sort(key=lambda each: known[each.choice.vm.id])
    ranks = dict(known)
    for each in candidates:
        if each.choice.vm.id not in known:
            length = each.shared.duration_p50_s
            shorter = (known[other.choice.vm.id] for other in planned if other.shared.duration_p50_s < length)
            ranks[each.choice.vm.id] = next(shorter, float(len(known))) - 0.5
    return ranks


def _order(candidate: Candidate, options: PlanOptions, kept: dict[VmId, float]) -> tuple[object, ...]:
    """What is under way, then longest first; heavy ones where the operator wants them; held ones at the end. The
    cluster's own drain goes by the roles' priority."""
    vm = candidate.choice.vm
    going = candidate.under_way is None
    if options.engine is Engine.NATIVE:
        return going, -(vm.priority or 0), -candidate.shared.duration_p50_s, vm.id
    last = options.heavy in (HeavyClass.LAST, HeavyClass.ALONE)
    place = (1 if last else -1 if options.heavy is HeavyClass.FIRST else 0) if candidate.heavy else 0
    return going, candidate.held, place, kept.get(vm.id, 0.0), -candidate.shared.duration_p50_s, vm.id


def _limits(
    cluster: Cluster, candidates: Sequence[Candidate], node: HostName, slots: int, options: PlanOptions
) -> Limits:
    forecasts = [(each.choice.host, each.solo, each.shared) for each in candidates]
    ports = implied_ports(forecasts, (node,), min(slots, len(candidates)))
    return limits_of(cluster, (node,), {each.choice.host for each in candidates}, options, ports)
