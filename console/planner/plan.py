"""One node's drain: who goes where, when, why, and what stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from console.forecast.values import Forecaster, MigrationType, MoveForecast
from console.model.cluster import Cluster, GroupFlags, VirtualMachine, VmState
from console.model.identity import HostName

from .after import hosts_after, survives_any_loss
from .bounds import lower_bound_s
from .fluid import EAGER
from .improve import best_schedule
from .placement import Blocked, Choice, Placement
from .schedule import Job, Limits, Slot
from .values import Engine, HeavyClass, Infeasible, Interruption, NotMoved, Plan, PlannedMove, PlanOptions
from .words import count_text

HOST_MIGRATIONS_DEFAULT = 2
"""MaximumVirtualMachineMigrations as Windows sets it, where neither cluster nor host tells."""

_ALWAYS_QUICK = 1
_EFFORT = 500
"""Moves simulated to better one plan: some 20 ms, so that levers feel instant."""
_COMMON_ERROR = 0.7
"""Share of a forecast's error that all moves of a site have in common (prior)."""

_SETTLING = frozenset(
    {VmState.STARTING, VmState.STOPPING, VmState.RESET, VmState.SAVING, VmState.PAUSING, VmState.RESUMING,
     VmState.FAST_SAVING}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A placed VM with its forecasts: alone, and as it will share."""

    choice: Choice
    solo: MoveForecast
    shared: MoveForecast
    heavy: bool = False
    held: bool = False

    @property
    def fixed_s(self) -> float:
        return max(0.0, self.shared.duration_p50_s - _transfer_s(self.shared))

    @property
    def p90_factor(self) -> float:
        return self.shared.duration_p90_s / self.shared.duration_p50_s if self.shared.duration_p50_s > 0 else 1.0


def plan_drain(
    cluster: Cluster, node: HostName, options: PlanOptions, forecaster: Forecaster, *, blocked: Blocked | None = None
) -> Plan:
    """Plan the emptying of ``node``.

    Args:
        blocked: sentences of the conflicts that block a VM's way to a host; empty when none does.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: the options ask for fewer than one slot.
    """
    host = cluster.host_by_name[node]
    asked = _with_levers(cluster, options)
    slots = slots_per_node(asked, host.maximum_virtual_machine_migrations, options)
    movable, left_behind, infeasible = _sort_out(asked, node, options)
    placement = Placement(asked, node, options, blocked)
    choices = placement.place([_as_moved(asked, vm, options) for vm in movable])
    candidates = [_forecast(asked, choice, options, forecaster, min(slots, len(choices))) for choice in choices]
    candidates, skipped = _class_heavy(candidates, slots, options)
    moves, lower_s = _schedule(candidates, node, slots, options)
    kept = [candidate.choice for candidate in candidates]
    makespan_s = max((move.end_s for move in moves), default=0.0)
    return Plan(
        node=node,
        options=options,
        moves=tuple(moves),
        left_behind=(*left_behind, *skipped),
        interrupted=tuple(_interruption(move) for move in moves if _interrupts(move)),
        infeasible=(*infeasible, *placement.infeasible),
        after=hosts_after(cluster, kept),
        slots=slots,
        makespan_s=makespan_s,
        makespan_p90_s=_makespan_p90_s(makespan_s, moves, slots),
        lower_bound_s=min(lower_s, makespan_s),
        n1_after=survives_any_loss(cluster, frozenset({node}), kept, options.memory_reserve_fraction),
        notes=_notes(cluster, options, slots),
    )


def slots_per_node(cluster: Cluster, host_limit: int | None, options: PlanOptions) -> int:
    """Moves at once on one node: the lever, else MaximumParallelMigrations, else the host's own limit.

    MaximumParallelMigrations is read per node (Get-Cluster reference), the stricter of its two readings.

    Raises:
        ValueError: the lever is below 1.
    """
    if options.slots is not None:
        if options.slots < 1:
            raise ValueError(f"a drain needs at least one slot, got {options.slots}")
        return options.slots
    return max(1, cluster.settings.maximum_parallel_migrations or host_limit or HOST_MIGRATIONS_DEFAULT)


def _with_levers(cluster: Cluster, options: PlanOptions) -> Cluster:
    if options.smb_cap_fraction is None:
        return cluster
    factor = round(options.smb_cap_fraction * 10000)
    return replace(cluster, settings=replace(cluster.settings, smb_bandwidth_limit_factor=factor))


def _as_moved(cluster: Cluster, vm: VirtualMachine, options: PlanOptions) -> VirtualMachine:
    """The VM as the chosen engine carries it: the cluster's own drain saves and restores low priorities
    (MoveTypeThreshold)."""
    threshold = cluster.settings.move_type_threshold
    low = vm.priority is not None and threshold is not None and vm.priority < threshold
    if options.engine is Engine.NATIVE and low and vm.running:
        return replace(vm, default_move_type=_ALWAYS_QUICK)
    return vm


def _sort_out(
    cluster: Cluster, node: HostName, options: PlanOptions
) -> tuple[list[VirtualMachine], list[NotMoved], list[Infeasible]]:
    movable: list[VirtualMachine] = []
    left: list[NotMoved] = []
    infeasible: list[Infeasible] = []
    for vm in cluster.vms_on(node):
        stays = _why_it_stays(vm, options)
        cannot = _why_it_cannot(vm)
        if stays:
            left.append(NotMoved(vm.ref, stays))
        elif cannot is not None:
            infeasible.append(cannot)
        else:
            movable.append(vm)
    return movable, left, infeasible


def _why_it_stays(vm: VirtualMachine, options: PlanOptions) -> str:
    if vm.id in options.excluded:
        return "left behind by choice"
    if not vm.clustered:
        return "not a clustered role: the cluster can not move it"
    if vm.migration is not None and vm.migration.destination is not None and not vm.migration.queued:
        return f"already moving to {vm.migration.destination}"
    return ""


def _why_it_cannot(vm: VirtualMachine) -> Infeasible | None:
    if vm.role_flags & GroupFlags.LOCKED:
        return Infeasible(vm.ref, "its role is locked against moves; unlock it first", ("locked role",))
    if vm.state in _SETTLING:
        doing = vm.state.name.lower().replace("_", " ")
        return Infeasible(vm.ref, f"it is {doing}; it can move once that is over", ("VM state",))
    if vm.state is VmState.CRITICAL:
        return Infeasible(vm.ref, "it is in a critical state (its storage or host failed it)", ("VM state",))
    if vm.state in (VmState.UNKNOWN, VmState.OTHER):
        return Infeasible(vm.ref, f"its state ({vm.state_number}) is not one that can move", ("VM state",))
    return None


def _forecast(
    cluster: Cluster, choice: Choice, options: PlanOptions, forecaster: Forecaster, sharing: int
) -> _Candidate:
    solo = forecaster.forecast(cluster, choice.vm, choice.host, sharing=1)
    shared = forecaster.forecast(cluster, choice.vm, choice.host, sharing=sharing) if sharing > 1 else solo
    return _Candidate(choice, solo, shared, held=choice.vm.id in options.held)


def _class_heavy(
    candidates: Sequence[_Candidate], slots: int, options: PlanOptions
) -> tuple[list[_Candidate], list[NotMoved]]:
    """Marks the VMs that dominate: those that do not converge, or take thrice the usual time and over a tenth of
    the drain's. With ``SKIP`` they stay."""
    times = sorted(candidate.solo.duration_p50_s for candidate in candidates)
    if not times:
        return [], []
    usual, share = times[len(times) // 2], sum(times) / slots / 10
    marked = [
        replace(
            candidate,
            heavy=not candidate.solo.converges or candidate.solo.duration_p50_s > max(3 * usual, share),
        )
        for candidate in candidates
    ]
    if options.heavy is not HeavyClass.SKIP:
        return marked, []
    skipped = [NotMoved(each.choice.vm.ref, _skip_reason(each)) for each in marked if each.heavy]
    return [each for each in marked if not each.heavy], skipped


def _skip_reason(candidate: _Candidate) -> str:
    if not candidate.solo.converges:
        return "heavy, skipped by choice: it dirties memory faster than the copy gets small"
    return f"heavy, skipped by choice: about {candidate.solo.duration_p50_s / 60:.0f} min by itself"


def _schedule(
    candidates: Sequence[_Candidate], node: HostName, slots: int, options: PlanOptions
) -> tuple[list[PlannedMove], float]:
    """The moves in order of start, and the lower bound of any schedule of them."""
    ordered = sorted(candidates, key=lambda candidate: _order(candidate, options))
    alone = options.heavy is HeavyClass.ALONE
    jobs = [_job(candidate, node, alone) for candidate in ordered]
    chosen = options.engine is Engine.NATIVE or options.heavy is not HeavyClass.AS_PLANNED or bool(options.held)
    limits = _limits(ordered, node, slots)
    found = best_schedule(jobs, limits, effort=0 if chosen else _EFFORT, policies=(EAGER,), keep_order=chosen)
    moves = [_move(each, node, slot) for each, slot in zip(ordered, found.slots, strict=True)]
    solo = [replace(job, transfer_bytes=each.solo.bytes_to_send) for job, each in zip(jobs, ordered, strict=True)]
    return sorted(moves, key=lambda move: move.start_s), lower_bound_s(solo, limits)


def _order(candidate: _Candidate, options: PlanOptions) -> tuple[object, ...]:
    """Longest first; heavy ones where the operator wants them; held ones at the end. The cluster's own drain goes
    by the roles' priority."""
    vm = candidate.choice.vm
    if options.engine is Engine.NATIVE:
        return -(vm.priority or 0), -candidate.shared.duration_p50_s, vm.id
    last = options.heavy in (HeavyClass.LAST, HeavyClass.ALONE)
    place = (1 if last else -1 if options.heavy is HeavyClass.FIRST else 0) if candidate.heavy else 0
    return candidate.held, place, -candidate.shared.duration_p50_s, vm.id


def _limits(candidates: Sequence[_Candidate], node: HostName, slots: int) -> Limits:
    """Slots of every node, and the ports' capacities as the forecasts imply them.

    Where a move gets slower by sharing, the path is the limit: what all sharers reach together is its capacity.
    """
    sharing = min(slots, len(candidates))
    capacity: dict[HostName, float] = {}
    for candidate in candidates:
        shared, solo = candidate.shared, candidate.solo
        if (
            shared.migration_type is MigrationType.LIVE
            and sharing > 1
            and shared.rate_bytes_per_s < solo.rate_bytes_per_s
        ):
            host = candidate.choice.host
            capacity[host] = max(capacity.get(host, 0.0), shared.rate_bytes_per_s * sharing)
    hosts = {candidate.choice.host for candidate in candidates}
    every = hosts <= capacity.keys()
    out = {node: max(capacity.values())} if capacity and every else {}
    return Limits(dict.fromkeys((node, *sorted(hosts)), slots), out, capacity)


def _job(candidate: _Candidate, node: HostName, alone: bool) -> Job:
    shared, solo = candidate.shared, candidate.solo
    return Job(
        node,
        candidate.choice.host,
        candidate.fixed_s,
        shared.bytes_to_send,
        solo.rate_bytes_per_s if shared.bytes_to_send > 0 else math.inf,
        alone and candidate.heavy,
    )


def _move(candidate: _Candidate, node: HostName, slot: Slot) -> PlannedMove:
    choice, shared = candidate.choice, candidate.shared
    duration_s = slot.end_s - slot.start_s
    copying_s = duration_s - candidate.fixed_s
    rate = shared.bytes_to_send / copying_s if shared.bytes_to_send > 0 and copying_s > 0 else shared.rate_bytes_per_s
    forecast = replace(
        shared,
        duration_p50_s=duration_s,
        duration_p90_s=duration_s * candidate.p90_factor,
        rate_bytes_per_s=rate,
    )
    return PlannedMove(
        vm=choice.vm.ref,
        source=node,
        destination=choice.host,
        start_s=slot.start_s,
        end_s=slot.end_s,
        memory_bytes=choice.vm.memory_bytes,
        forecast=forecast,
        reason=choice.reason,
        waits_for=_wait(candidate, slot),
    )


def _wait(candidate: _Candidate, slot: Slot) -> str:
    if candidate.held:
        return "held: starts when it is released"
    return f"waits for {slot.waited}" if slot.start_s > 0 and slot.waited else ""


def _interrupts(move: PlannedMove) -> bool:
    return move.forecast.migration_type is MigrationType.QUICK


def _interruption(move: PlannedMove) -> Interruption:
    dark = move.forecast.blackout_p50_s
    return Interruption(move.vm, f"quick migration: saved and restored, its guest stands still for about {dark:.0f} s")


def _transfer_s(forecast: MoveForecast) -> float:
    return forecast.bytes_to_send / forecast.rate_bytes_per_s if forecast.rate_bytes_per_s > 0 else 0.0


def _makespan_p90_s(makespan_s: float, moves: Sequence[PlannedMove], slots: int) -> float:
    """Part of the error is the site's and hits every move alike, the rest evens out over the moves of a slot."""
    total = sum(move.forecast.duration_p50_s for move in moves)
    if total <= 0:
        return makespan_s
    excess = sum(move.forecast.duration_p90_s - move.forecast.duration_p50_s for move in moves) / total
    evened = math.sqrt(max(1.0, len(moves) / slots))
    return makespan_s * (1 + excess * (_COMMON_ERROR + (1 - _COMMON_ERROR) / evened))


def _notes(cluster: Cluster, options: PlanOptions, slots: int) -> tuple[str, ...]:
    notes: list[str] = []
    limit = cluster.settings.maximum_parallel_migrations
    if limit is None:
        notes.append(
            f"MaximumParallelMigrations is not known: planned with {count_text(slots, 'move')} at once per node."
        )
    elif slots > limit:
        notes.append(f"Plans {slots} moves at once, the cluster allows {limit} (MaximumParallelMigrations).")
    else:
        notes.append(
            f"Plans {count_text(slots, 'move')} at once per node, in and out together (MaximumParallelMigrations is"
            " read per node, the stricter of its two readings)."
        )
    if options.engine is Engine.NATIVE:
        notes.append("The cluster chooses destinations and order itself: these are a forecast of what it will do.")
    return tuple(notes)
