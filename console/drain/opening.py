"""From a plan to the run's first event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from console.forecast.values import MigrationType
from console.model.cluster import Cluster, MigrationTransport, VirtualMachine
from console.model.identity import RunId
from console.planner.values import HeavyClass, Plan, PlannedMove

from .events import RunOpened
from .state import Consent, Move, MoveState, Purpose, WhenStuck


def consent_entries(
    *,
    interrupt: Iterable[str] = (),
    leave_behind: Iterable[str] = (),
    settings: Iterable[tuple[str, int]] = (),
    by: str,
    at: datetime,
) -> tuple[Consent, ...]:
    """What the operator agreed to, as the journal keeps it; a setting's subject is ``Name=value``."""
    return (
        *(Consent("interrupt", subject, by, at) for subject in sorted(interrupt)),
        *(Consent("leave-behind", subject, by, at) for subject in sorted(leave_behind)),
        *(Consent("setting", f"{name}={value}", by, at) for name, value in settings),
    )


def open_event(
    plan: Plan,
    cluster: Cluster,
    *,
    run: RunId,
    at: datetime,
    operator: str = "",
    consents: tuple[Consent, ...] = (),
    window_ends_at: datetime | None = None,
    pause_node: bool = True,
    purpose: Purpose = Purpose.DRAIN,
    when_stuck: WhenStuck = WhenStuck.ASK,
) -> RunOpened:
    """The facts that the run begins with; with RETURN, of a plan of :func:`console.drain.returning.plan_return`.

    A VM that would be interrupted without consent is blocked from the start; one that the plan leaves behind, or
    has no place for, is in the run too, so that nothing goes missing from its report.
    """
    return replace(
        _as_planned(plan, cluster, run, at, consents),
        operator=operator,
        window_ends_at=window_ends_at,
        pause_node=pause_node,
        purpose=purpose,
        when_stuck=when_stuck,
    )


def _as_planned(plan: Plan, cluster: Cluster, run: RunId, at: datetime, consents: tuple[Consent, ...]) -> RunOpened:
    """What the plan and the cluster say; how the run goes about it is the operator's."""
    host = cluster.host_by_name.get(plan.node)
    limit = cluster.settings.maximum_parallel_migrations
    site = plan.options.limits
    return RunOpened(
        at=at,
        run=run,
        cluster=cluster.name,
        node=plan.node,
        engine=plan.options.engine,
        moves=(*_planned(plan, cluster, consents), *_left(plan, cluster)),
        slots=plan.slots,
        per_node_limit=max(limit if limit is not None else plan.slots, 1),
        destination_limit=site.per_destination,
        pair_limit=site.per_pair,
        cluster_limit=site.cluster_wide,
        parallel_per=site.reading,
        native_target=plan.options.native_target,
        memory_reserve_fraction=plan.options.memory_reserve_fraction,
        smb_transport=host is not None and host.migration_transport is MigrationTransport.SMB,
        forecast_s=plan.makespan_s,
        forecast_p90_s=plan.makespan_p90_s,
        consents=consents,
        busy_fraction=(host.cpu_fraction or 0.0) if host is not None else 0.0,
    )


def move_of(planned: PlannedMove, consents: tuple[Consent, ...], vm: VirtualMachine | None = None) -> Move:
    """A planned move at its beginning; ``vm`` adds what verification compares with."""
    kind = planned.forecast.migration_type
    move = Move(
        vm=planned.vm,
        source=planned.source,
        destination=planned.destination,
        state=MoveState.PLANNED,
        memory_bytes=planned.memory_bytes,
        forecast_p50_s=planned.forecast.duration_p50_s,
        forecast_p90_s=planned.forecast.duration_p90_s,
        blackout_forecast_s=planned.forecast.blackout_p50_s,
        live=kind is MigrationType.LIVE,
        quick=kind is MigrationType.QUICK,
        takes_fraction=planned.takes_fraction,
        reason="",
    )
    if vm is not None:
        heartbeat = int(vm.heartbeat) if vm.heartbeat is not None else None
        move = replace(move, vm_state=vm.state_number, heartbeat=heartbeat, resource_name=vm.resource_name)
    if move.quick and not _allowed(consents, move):
        why = "it would be saved and restored, and nobody consented to interrupt it"
        return replace(move, state=MoveState.BLOCKED, reason=why)
    return move


def _allowed(consents: tuple[Consent, ...], move: Move) -> bool:
    subjects = {consent.subject for consent in consents if consent.kind == "interrupt"}
    return bool(subjects & {"all", move.vm.id, move.vm.name})


def _planned(plan: Plan, cluster: Cluster, consents: tuple[Consent, ...]) -> Iterable[Move]:
    interrupted = {item.vm.id: item.how for item in plan.interrupted}
    for planned in plan.moves:
        move = move_of(planned, consents, cluster.vm_by_id.get(planned.vm.id))
        if planned.vm.id in plan.options.held and move.state is MoveState.PLANNED:
            move = replace(move, state=MoveState.HELD, reason="held in the plan")
        how = interrupted.get(planned.vm.id)
        if how is not None and move.state is MoveState.PLANNED and not _allowed(consents, move):
            why = f"it would be interrupted ({how}), and nobody consented to that"
            move = replace(move, state=MoveState.BLOCKED, reason=why)
        yield replace(move, alone=_alone(plan, planned))


def _alone(plan: Plan, planned: PlannedMove) -> bool:
    """Whether the plan gives this move the links for itself."""
    if plan.options.heavy is not HeavyClass.ALONE or plan.slots < 2:
        return False
    offline = MigrationType.OFFLINE
    others = [move for move in plan.moves if move is not planned and move.forecast.migration_type is not offline]
    return not any(other.start_s < planned.end_s and planned.start_s < other.end_s for other in others)


def _left(plan: Plan, cluster: Cluster) -> Iterable[Move]:
    planned = {move.vm.id for move in plan.moves}
    for kind, items in ((MoveState.LEFT_BEHIND, plan.left_behind), (MoveState.BLOCKED, plan.infeasible)):
        for item in items:
            if item.vm.id in planned:
                continue
            vm = cluster.vm_by_id.get(item.vm.id)
            yield Move(
                vm=item.vm,
                source=vm.host if vm else plan.node,
                destination=None,
                state=kind,
                memory_bytes=vm.memory_bytes if vm else 0,
                forecast_p50_s=0.0,
                forecast_p90_s=0.0,
                blackout_forecast_s=0.0,
                reason=item.reason,
            )
