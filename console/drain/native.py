"""The native engine: Suspend-ClusterNode -Drain, the cluster decides; the run forecasts, watches and warns."""

from __future__ import annotations

from console.model.cluster import DrainStatus
from console.planner.values import Engine

from . import events as ev
from . import lease_events as le
from . import move_events as mv
from .commands import ReadNode, ReadProgress, StartNativeDrain
from .ending import finish, lose_the_followed
from .facts import Answered, NodeFacts
from .limits import WAITING
from .signals import NativeAnswered
from .state import MoveState, Outcome, Phase
from .turn import Turn


def start_native(turn: Turn) -> None:
    """Hand the node to the cluster's own drain."""
    turn.record(ev.NativeDrainIntended(turn.at))
    turn.ask(StartNativeDrain(turn.state.native_target))


def on_native(turn: Turn, signal: NativeAnswered) -> None:
    if signal.reply.answered is not Answered.REFUSED or turn.state.engine is not Engine.NATIVE:
        return
    if turn.state.stopping:
        turn.record(ev.Noted(turn.at, f"The cluster's drain could not be stopped: {signal.reply.reason}", problem=True))
    else:
        _refused(turn, signal.reply.reason)


def _refused(turn: Turn, reason: str) -> None:
    """A run that handed over goes on by itself and says so; one that began natively has nothing to fall back to
    without a plan that somebody saw."""
    if turn.state.handed_over:
        gone = "the other drain is gone" if turn.state.foreign_drain else "the cluster's own drain did not begin"
        why = f"{gone} ({reason}); single moves go on"
        turn.record(le.EngineChanged(turn.at, Engine.PLANNED, "", why))
    elif turn.state.phase is Phase.MOVING and turn.state.closing_as is None:
        turn.record(ev.PauseFailed(turn.at, reason))
        lose_the_followed(turn, "something else moved it when the run ended")
        finish(turn, Outcome.FAILED, "not started: the cluster's drain was refused")


def join_drain(turn: Turn) -> None:
    """Something else drains the node as well (Cluster-Aware Updating, Failover Cluster Manager, a colleague): two who
    move the same VMs would trip over each other, so the run follows that drain and starts no single moves."""
    turn.record(le.ForeignDrainJoined(turn.at))
    turn.record(ev.NativeDrainRead(turn.at, int(DrainStatus.IN_PROGRESS)))
    for vm, move in tuple(turn.state.moves.items()):
        if move.state is MoveState.CHECKING:
            turn.record(mv.MoveReturned(turn.at, vm, "another drain of the node moves it"))
    turn.ask(ReadNode())


def follow_native(turn: Turn) -> None:
    """Every role that is still to go is looked at; the cluster starts them when it likes."""
    if turn.state.engine is not Engine.NATIVE:
        return
    if turn.state.pause_asked_at is None:
        start_native(turn)
    turn.ask(ReadNode())
    open_moves = tuple(vm for vm, move in turn.state.moves.items() if not move.state.terminal)
    if open_moves:
        turn.ask(ReadProgress(open_moves))


def on_native_node(turn: Turn, node: NodeFacts) -> None:
    """The drain's own status; a moment after it is over, what has not moved will not."""
    state = turn.state
    status = int(node.drain_status) if node.drain_status is not None else None
    waited_s = turn.seconds_since(state.pause_asked_at)
    if status in (None, DrainStatus.NOT_INITIATED) and not state.stopping and waited_s >= turn.rules.pause_patience_s:
        _refused(turn, "the node shows no drain")
        return
    ended = status in (DrainStatus.COMPLETED, DrainStatus.FAILED)
    stale = ended and state.native_status is None and waited_s < turn.rules.settle_s
    if status is not None and status != state.native_status and not stale:
        turn.record(ev.NativeDrainRead(turn.at, status))
    ended_at = turn.state.native_ended_at
    if ended_at is None or turn.seconds_since(ended_at) < turn.rules.settle_s:
        return
    for vm, move in tuple(turn.state.moves.items()):
        if move.state in (*WAITING, MoveState.MOVING) and status == DrainStatus.FAILED:
            turn.record(mv.MoveFailed(turn.at, vm, "the cluster's drain could not move it"))
        elif move.state in WAITING:
            turn.record(mv.MoveSkipped(turn.at, vm, "the cluster's drain ended without it"))
