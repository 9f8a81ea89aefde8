"""Handing the rest of a run to the cluster's own drain: whether it can be, whom it would touch, and doing it."""

from __future__ import annotations

from collections.abc import Iterable

from console.model.cluster import Cluster
from console.model.identity import VmRef
from console.planner.sorting import ALWAYS_QUICK, as_moved
from console.planner.values import Engine, PlanOptions

from . import lease_events as le
from . import move_events as mv
from .native import start_native
from .requests import HandOver
from .state import Move, MoveState, Phase, Purpose, RunState
from .turn import Turn

NOT_STARTED = (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING)
_NOT_OURS_TO_MOVE = (MoveState.HELD, MoveState.SKIPPED, MoveState.BLOCKED, MoveState.LEFT_BEHIND)


def why_not_hand_over(state: RunState) -> str | None:
    """Why the cluster's own drain can not do the rest of this run; None when it can be asked to."""
    if state.purpose is Purpose.RETURN:
        return "the cluster's own drain empties a node, and this run fills one"
    if state.engine is Engine.NATIVE:
        return "the cluster's own drain works already"
    if state.phase is not Phase.MOVING:
        return f"the run is {state.phase.value}"
    if state.stopping or state.window_closed or state.lease.lost_to:
        return "nothing more starts"
    return None


def moved_against(state: RunState) -> tuple[Move, ...]:
    """What the cluster would move although this run does not: somebody has to agree to it by name."""
    return tuple(move for move in state.moves.values() if move.state in _NOT_OURS_TO_MOVE)


def not_started(state: RunState) -> list[Move]:
    """What the run has still to start, held ones apart."""
    return [move for move in state.moves.values() if move.state in NOT_STARTED]


def saved_by_drain(cluster: Cluster, moves: Iterable[Move]) -> list[VmRef]:
    """Those that the cluster would save and restore: below its MoveTypeThreshold, or set so."""
    native = PlanOptions(engine=Engine.NATIVE)
    known = [(move, cluster.vm_by_id.get(move.vm.id)) for move in moves if move.live]
    carried = [(move, as_moved(cluster, vm, native)) for move, vm in known if vm is not None]
    return [move.vm for move, vm in carried if vm.default_move_type == ALWAYS_QUICK]


def agreed(state: RunState, cluster: Cluster | None) -> HandOver:
    """The request that agrees to all that :func:`moved_against` and :func:`saved_by_drain` name."""
    saved = saved_by_drain(cluster, not_started(state)) if cluster is not None else []
    return HandOver(anyway=bool(moved_against(state)), interrupts=tuple(vm.id for vm in saved))


def hand_over(turn: Turn, by: str, request: HandOver) -> str | None:
    """From single moves to the cluster's drain; why not, or None. Nothing that moves is cancelled."""
    why = why_not_hand_over(turn.state)
    if why is not None:
        return why
    against = [move.vm.name or move.vm.id for move in moved_against(turn.state)]
    if against and not request.anyway:
        more = f" and {len(against) - 5} more" if len(against) > 5 else ""
        return f"the cluster would also move {', '.join(against[:5])}{more}, or interrupt them"
    told = f"; consent to move also: {', '.join(against)}" if against else ""
    why = f"handed over to the cluster's own drain{told}"
    turn.record(le.EngineChanged(turn.at, Engine.NATIVE, by, why, request.interrupts))
    for vm, move in tuple(turn.state.moves.items()):
        if move.state is MoveState.CHECKING:
            turn.record(mv.MoveReturned(turn.at, vm, "handed over to the cluster's own drain"))
        elif move.state is MoveState.HELD:
            turn.record(mv.MoveReleased(turn.at, vm))
    start_native(turn)
    return None
