"""The drain of one node, or of several that are emptied together: who goes where, when, why, and what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from console.forecast.values import Forecaster
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName, VmId

from .after import Survival, hosts_after
from .bounds import lower_bound_s
from .easing import eased
from .fluid import EAGER, MIXED, POLICIES, Policy
from .guarding import Hold, Watch, notes_on_busy, notes_on_holds, watch_of
from .improve import Schedule, best_schedule
from .limits import at_once, implied_ports, limits_of, notes_on, takes_a_slot
from .moves import Candidate, class_heavy, forecast_of, interruption, interrupts, makespan_p90_s
from .placement import Placement
from .places import Choice, Preferences, memory_needed
from .refine import refined
from .refusals import Blocked
from .schedule import Job, Limits
from .sorting import as_moved, sort_out, with_levers
from .values import Engine, HeavyClass, Infeasible, InFlight, NotMoved, Plan, PlannedMove, PlanOptions, Progress
from .ways import ways_to

_EFFORT, _EFFORT_FOR_FEW, _FEW = 500, 1200, 64
"""Moves simulated to better one plan, and to better one of few moves: some 20 ms, so that levers feel instant."""
_WORTH_ANOTHER_ORDER = 0.99
"""Of the makespan: what a new order has to save before an earlier plan's order is given up."""

_Placed: TypeAlias = tuple[list[Candidate], list[NotMoved], list[Infeasible], bool | None]
"""Those that have a destination, those skipped as heavy, those without any; whether one more host may be lost."""


def plan_drain(
    cluster: Cluster,
    node: HostName,
    options: PlanOptions,
    forecaster: Forecaster,
    *,
    blocked: Blocked | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan the emptying of ``node``, or what is left of it: :func:`plan_drains` of one node."""
    return plan_drains(cluster, (node,), options, forecaster, blocked=blocked, progress=progress)


def plan_drains(
    cluster: Cluster,
    nodes: Sequence[HostName],
    options: PlanOptions,
    forecaster: Forecaster,
    *,
    blocked: Blocked | None = None,
    doubts: Mapping[HostName, int] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan the emptying of nodes that leave together: none takes the VMs of another.

    Args:
        blocked: the conflicts that block a VM's way to a host; empty when none does.
        doubts: how many reasons there are to think that moves to a host fail; of those that serve, the surest is taken.
        progress: of a run that is under way: what is over is left out, what is in flight goes on, and what was
            planned and has not started keeps its destination and its turn wherever both still hold.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: no node, or the options ask for fewer than one slot.
    """
    asked = tuple(dict.fromkeys(nodes))
    if not asked:
        raise ValueError("a plan has at least one node")
    for node in asked:
        cluster = with_levers(cluster, node, options)
    return _Planning(cluster, asked, options, forecaster, blocked, progress or Progress(), doubts or {}).plan()


@dataclass(frozen=True)
class _Planning:
    """One question to the planner; the cluster is as it would be with the levers' settings."""

    cluster: Cluster
    nodes: tuple[HostName, ...]
    options: PlanOptions
    forecaster: Forecaster
    blocked: Blocked | None
    progress: Progress
    doubts: Mapping[HostName, int]

    def plan(self) -> Plan:
        movable, left_behind, infeasible = self._sorted_out()
        moved = [as_moved(self.cluster, vm, self.options) for vm in movable]
        candidates, skipped, homeless, may_lose_one = self._placed(moved)
        timed = self._timed(candidates)
        return Plan(
            node=self.nodes[0],
            options=self.options,
            moves=tuple(timed.moves),
            left_behind=(*left_behind, *skipped),
            interrupted=tuple(interruption(move) for move in timed.moves if interrupts(move)),
            infeasible=(*infeasible, *homeless),
            after=hosts_after(self.cluster, [candidate.choice for candidate in candidates]),
            slots=self.slots,
            makespan_s=timed.makespan_s,
            makespan_p90_s=max(
                makespan_p90_s(timed.makespan_s, timed.moves, self.slots * len(self.nodes)), timed.at_worst_s
            ),
            lower_bound_s=timed.lower_bound_s,
            n1_after=may_lose_one,
            notes=(*notes_on(self.cluster, self.options, self.slots), *self._guard_notes(timed)),
            in_flight=tuple(timed.under_way),
            together_with=self.nodes[1:],
            holds=timed.holds,
        )

    def _guard_notes(self, timed: _Timed) -> tuple[str, ...]:
        lines = self.options.guard
        if lines is None or self.options.engine is Engine.NATIVE:
            return ()
        ends = {host for move in (*timed.moves, *timed.under_way) for host in (move.source, move.destination)}
        return (*notes_on_busy(self.cluster.hosts, ends, lines), *notes_on_holds(timed.holds, lines))

    @property
    def slots(self) -> int:
        """Moves at once that each of the nodes may take part in."""
        return min(at_once(self.cluster, node, self.options) for node in self.nodes)

    def _sharing(self, moves: int) -> int:
        """How many moves share a node's way out."""
        return min(self.slots, -(-moves // len(self.nodes))) or 1

    # who moves, and where to

    def _sorted_out(self) -> tuple[list[VirtualMachine], list[NotMoved], list[Infeasible]]:
        movable: list[VirtualMachine] = []
        left: list[NotMoved] = []
        infeasible: list[Infeasible] = []
        for node in self.nodes:
            can, stays, cannot = sort_out(self.cluster, node, self.options, self.progress)
            movable, left, infeasible = movable + can, left + stays, infeasible + cannot
        return movable, left, infeasible

    def _placed(self, moved: Sequence[VirtualMachine]) -> _Placed:
        """Destinations; those that are skipped as heavy take no room elsewhere, and rules hold where they stay."""
        preferences = self._preferences(moved)
        placed = self._place(moved, preferences, self.options.heavy)
        _, skipped, *_ = placed
        if not skipped:
            return placed
        staying = {each.vm.id for each in skipped}
        going = [vm for vm in moved if vm.id not in staying]
        candidates, _, homeless, may_lose_one = self._place(going, preferences, HeavyClass.AS_PLANNED)
        return candidates, skipped, homeless, may_lose_one

    def _preferences(self, moved: Sequence[VirtualMachine]) -> Preferences:
        sizes = [memory_needed(vm) for vm in moved]
        ways = ways_to(self.cluster, self.nodes, moved, sizes, self.options, self.forecaster)
        return Preferences(kept=self.progress.destinations, tier=self.doubts, ways=ways)

    def _place(self, vms: Sequence[VirtualMachine], preferences: Preferences, heavy: HeavyClass) -> _Placed:
        placement = Placement(
            self.cluster, self.nodes, self.options, self.blocked, progress=self.progress, preferences=preferences
        )
        survival = self._survival()
        choices = refined(placement, placement.place(vms), survival)
        going = self._under_way()
        sharing = self._sharing(sum(takes_a_slot(choice.vm) for choice in (*choices, *(each for each, _ in going))))
        found = [self._forecast(choice, sharing) for choice in choices]
        found += [self._forecast(choice, sharing, move) for choice, move in going]
        found = eased(found, self.slots * len(self.nodes))
        ready, skipped = class_heavy(found, self.slots * len(self.nodes), heavy, self.progress)
        return ready, skipped, placement.infeasible, survival.may_lose_one

    def _survival(self) -> Survival:
        """What a further loss would mean with nothing placed but what is under way."""
        survival = Survival(self.cluster, frozenset(self.nodes), self.options.memory_reserve_fraction)
        for choice, _ in self._under_way():
            survival.move(choice.vm, choice.vm.host, choice.host)
        return survival

    def _forecast(self, choice: Choice, sharing: int, under_way: InFlight | None = None) -> Candidate:
        return forecast_of(self.cluster, choice, self.options, self.forecaster, sharing, under_way)

    def _under_way(self) -> list[tuple[Choice, InFlight]]:
        """This run's moves that have started and not arrived."""
        found: list[tuple[Choice, InFlight]] = []
        for move in self.progress.in_flight:
            vm = self.cluster.vm_by_id.get(move.vm)
            if vm is not None and vm.host in self.nodes and move.vm not in self.progress.done:
                found.append((Choice(vm, move.destination, "under way"), move))
        return found

    # when

    def _timed(self, candidates: Sequence[Candidate]) -> _Timed:
        kept = _ranks(candidates, self.progress)
        ordered = sorted(candidates, key=lambda candidate: _order(candidate, self.options, kept))
        alone = self.options.heavy is HeavyClass.ALONE
        jobs = [candidate.job(alone) for candidate in ordered]
        limits = self._limits(ordered)
        found = self._scheduled(jobs, limits, was_planned=bool(kept))
        moves = [each.planned(slot) for each, slot in zip(ordered, found.slots, strict=True)]
        under_way = [move for move, each in zip(moves, ordered, strict=True) if each.under_way is not None]
        to_come = [move for move, each in zip(moves, ordered, strict=True) if each.under_way is None]
        to_come.sort(key=lambda move: move.start_s)
        bound_s = lower_bound_s([each.solo_job(alone) for each in ordered], limits)
        # what is under way goes on even where the limits, and with them the bound, would no longer let it
        least_s = min(bound_s, found.makespan_s) if under_way else bound_s
        return _Timed(to_come, under_way, least_s, found.holds, found.makespan_at_worst_s)

    def _limits(self, candidates: Sequence[Candidate]) -> Limits:
        forecasts = [(each.choice.host, each.solo, each.shared) for each in candidates]
        ports = implied_ports(forecasts, self.nodes, self._sharing(sum(not each.offline for each in candidates)))
        limits = limits_of(self.cluster, self.nodes, {each.choice.host for each in candidates}, self.options, ports)
        return replace(limits, watch=self._watch(candidates))

    def _watch(self, candidates: Sequence[Candidate]) -> Watch | None:
        """What the run's guard will see; the cluster's own drain has none."""
        lines = self.options.guard
        if lines is None or self.options.engine is Engine.NATIVE:
            return None
        taken: dict[HostName, float] = {}
        for each in candidates:
            for host, processors in each.takes_now.items():
                taken[host] = taken.get(host, 0.0) + processors
        return watch_of(self.cluster.hosts, lines, self.nodes, self.slots, taken, self.progress.guard)

    def _scheduled(self, jobs: Sequence[Job], limits: Limits, *, was_planned: bool) -> Schedule:
        """In the order that was chosen or planned before; else in the best that is found."""
        heavy_first_or_last = self.options.heavy is not HeavyClass.AS_PLANNED
        chosen = self.options.engine is Engine.NATIVE or heavy_first_or_last or bool(self.options.held)
        if not chosen and not was_planned:
            return self._searched(jobs, limits)
        as_before = best_schedule(jobs, limits, effort=0, policies=(EAGER,), keep_order=True)
        if chosen or as_before.lower_bound_s >= _WORTH_ANOTHER_ORDER * as_before.makespan_s:
            return as_before
        other = self._searched(jobs, limits)
        return other if other.makespan_s < _WORTH_ANOTHER_ORDER * as_before.makespan_s else as_before

    def _searched(self, jobs: Sequence[Job], limits: Limits) -> Schedule:
        """Where bandwidth is short, short moves beside long ones keep it busier. From several nodes every way to
        choose the next move may be the best one."""
        short_of_it = limits.out_bytes_per_s or limits.in_bytes_per_s or limits.links
        policies: Sequence[Policy] = (EAGER, MIXED) if short_of_it else (EAGER,)
        if len(self.nodes) > 1:
            policies = POLICIES
        return best_schedule(jobs, limits, effort=_effort(jobs), policies=policies)


@dataclass(frozen=True, slots=True)
class _Timed:
    moves: list[PlannedMove]
    """In order of start."""
    under_way: list[PlannedMove]
    lower_bound_s: float
    holds: tuple[Hold, ...]
    at_worst_s: float

    @property
    def makespan_s(self) -> float:
        return max((move.end_s for move in (*self.moves, *self.under_way)), default=0.0)


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
