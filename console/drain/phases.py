"""The run's way from claiming the node to its verified end."""

from __future__ import annotations

from console.model.cluster import DrainStatus, NodeState
from console.planner.values import Engine

from . import events as ev
from . import lease_events as le
from . import move_events as mv
from .commands import CloseNode, MoveOwned, PauseNode, ReadLease, ReadNode, ReadProgress, ReadStorage, Replan
from .ending import finish, settled_outcome
from .facts import Answered, NodeFacts
from .following import late_ones, regain_contact
from .leasing import has_to_wait
from .limits import fence_reason
from .native import on_native_node, start_native
from .opening import move_of
from .returning import resume, was_it_resumed
from .settings import change_at_start
from .signals import CloseAnswered, NodeRead, OwnedAnswered, PauseAnswered, Replanned, StorageRead
from .state import Move, MoveState, Outcome, OwnedItem, OwnedKind, Phase, Purpose
from .turn import Turn

_DONE_WITH = (MoveState.DONE, MoveState.INTERRUPTED)


def on_node(turn: Turn, signal: NodeRead) -> None:
    """A look at the node; what it means depends on where the run is."""
    regain_contact(turn)
    if turn.state.phase is Phase.CLAIMING:
        _claim(turn, signal.node)
    elif turn.state.phase is Phase.PAUSING:
        _was_it_paused(turn, signal.node)
    elif turn.state.phase is Phase.RESUMING:
        was_it_resumed(turn, signal.node)
    elif turn.state.phase is Phase.MOVING and turn.state.engine is Engine.NATIVE:
        on_native_node(turn, signal.node)
    elif turn.state.phase is Phase.VERIFYING:
        _verify(turn, signal.node)
    elif turn.state.phase is Phase.CLOSING:
        _was_the_flag_set(turn, signal.node)


# claim and pause


def _claim(turn: Turn, node: NodeFacts) -> None:
    if node.lease_of:
        _refuse(turn, f"it is held by {node.lease_of}", node.lease_of)
    elif node.draining:
        _refuse(turn, "another drain runs on it", "another drain")
    elif node.state not in (NodeState.UP, NodeState.PAUSED):
        _refuse(turn, f"it is {node.state.name.lower()}", "")
    elif not node.others_up and turn.state.purpose is Purpose.DRAIN:
        _refuse(turn, "no other node takes roles now", "")
    elif has_to_wait(turn):
        turn.ask(ReadLease())
    else:
        turn.record(ev.NodeClaimed(turn.at, already_paused=node.state is NodeState.PAUSED))
        enter(turn)


def _refuse(turn: Turn, reason: str, held_by: str) -> None:
    turn.record(ev.NodeRefused(turn.at, reason, held_by))
    finish(turn, Outcome.BLOCKED, f"not started: {turn.state.node} {reason}")


def enter(turn: Turn) -> None:
    """Do what the phase that was just entered begins with."""
    if turn.state.engine is Engine.NATIVE:
        if turn.state.pause_asked_at is None:
            start_native(turn)
        return
    if turn.state.phase is Phase.RESUMING:
        resume(turn)
    if turn.state.phase is Phase.PAUSING and turn.state.pause_asked_at is None:
        turn.record(ev.PauseIntended(turn.at))
        turn.ask(PauseNode())
    if turn.state.phase is Phase.MOVING:
        change_at_start(turn)


def on_pause(turn: Turn, signal: PauseAnswered) -> None:
    if turn.state.phase is not Phase.PAUSING:
        return
    if signal.reply.done:
        _paused(turn)
    elif signal.reply.answered is Answered.REFUSED:
        _pause_failed(turn, signal.reply.reason)
    else:
        turn.ask(ReadNode())


def _paused(turn: Turn) -> None:
    """On Storage Spaces Direct the pause may have cost a copy: the storage is read again and told, and goes on."""
    turn.record(ev.NodePaused(turn.at))
    turn.ask(ReadStorage())
    enter(turn)


def on_storage(turn: Turn, signal: StorageRead) -> None:
    if signal.degraded and turn.state.node_paused and turn.state.closing_as is None:
        turn.record(le.RedundancyLost(turn.at, signal.degraded))


def _was_it_paused(turn: Turn, node: NodeFacts) -> None:
    """The pause was asked for and its answer is outstanding or lost: the node itself tells."""
    if node.state is NodeState.PAUSED:
        _paused(turn)
    elif turn.seconds_since(turn.state.pause_asked_at) >= turn.rules.pause_patience_s:
        _pause_failed(turn, "the node is not paused and nothing answered")


def _pause_failed(turn: Turn, reason: str) -> None:
    turn.record(ev.PauseFailed(turn.at, reason))
    finish(turn, Outcome.FAILED, f"not started: {turn.state.node} could not be paused")


# verify


def begin_verification(turn: Turn) -> None:
    turn.record(ev.VerificationBegan(turn.at))
    look_for_late_ones(turn)
    turn.ask(ReadNode())


def look_for_late_ones(turn: Turn) -> None:
    """A move that was taken for failed may have finished after all, and others may have moved what we did not."""
    left = late_ones(turn.state)
    if left:
        turn.ask(ReadProgress(left))
    else:
        turn.record(ev.LateOnesSeen(turn.at))


def _verify(turn: Turn, node: NodeFacts) -> None:
    if any(move.state is MoveState.VERIFYING for move in turn.state.moves.values()):
        return
    if not turn.state.lease.lost_to and fence_reason(turn.state, turn.at) is not None:
        turn.ask(ReadLease())
        return
    if not turn.state.late_ones_seen:
        look_for_late_ones(turn)
    if not turn.state.late_ones_seen:
        return
    if turn.state.purpose is Purpose.RETURN:
        finish(turn, settled_outcome(turn.state), "")
        return
    if not node.left():
        turn.record(ev.NodeVerifiedEmpty(turn.at))
        _set_flag(turn)
        return
    strangers = _strangers(turn, node)
    if strangers and not _over(turn):
        turn.record(ev.RolesFound(turn.at, strangers))
        turn.ask(Replan(None))
    elif not _move_owned(turn, node):
        _settle_or_wait(turn, node)


def _over(turn: Turn) -> bool:
    return turn.state.stopping or turn.state.window_closed or bool(turn.state.lease.lost_to)


def _strangers(turn: Turn, node: NodeFacts) -> tuple[str, ...]:
    known = {move.vm.role for move in turn.state.moves.values()}
    seen = turn.state.roles_added_for
    return tuple(role.name for role in node.roles if role.is_vm and role.name not in known and role.name not in seen)


def _found(turn: Turn) -> tuple[str, ...]:
    """Roles that were found and that no plan has a way for yet."""
    known = {move.vm.role for move in turn.state.moves.values()}
    return tuple(name for name in turn.state.roles_added_for if name not in known)


def _move_owned(turn: Turn, node: NodeFacts) -> bool:
    """Move what is left besides VMs, each once; True while that goes on."""
    tried = {(item.kind, item.name): item for item in turn.state.owned}
    vms_left = {role.name for role in node.roles if role.is_vm} - _staying_by_choice(turn)
    if vms_left or _over(turn) or not node.others_up:
        return False
    fresh = [key for key in node.owned() if key not in tried]
    if fresh:
        kind, name = fresh[0]
        destination = node.others_up[len(tried) % len(node.others_up)]
        turn.record(ev.OwnedMoveIntended(turn.at, kind, name, destination))
        turn.ask(MoveOwned(kind, name, destination))
        return True
    left = set(node.left())
    patience_s = turn.rules.empty_patience_s + 60.0 * len(tried)
    waiting = any(item.state is MoveState.MOVING and item.name in left for item in tried.values())
    return waiting and turn.seconds_since(turn.state.verifying_since) < patience_s


def _staying_by_choice(turn: Turn) -> set[str]:
    return {str(move.vm.role) for move in turn.state.moves.values() if move.state is MoveState.LEFT_BEHIND}


def _settle_or_wait(turn: Turn, node: NodeFacts) -> None:
    """Windows needs a moment to let go of what has moved; what is left after that stays."""
    left = set(node.left())
    moved = {str(move.vm.role) for move in turn.state.moves.values() if move.state in _DONE_WITH}
    moved |= {item.name for item in turn.state.owned if item.state in (MoveState.DONE, MoveState.MOVING)}
    on_its_way = left & (moved | set(turn.state.roles_added_for))
    patience = turn.seconds_since(turn.state.verifying_since) < turn.rules.empty_patience_s
    if on_its_way and patience:
        if set(_found(turn)) & left:  # what arrived a moment ago counts as moving for another moment
            turn.ask(Replan(None))
        return
    turn.record(ev.NodeNotEmpty(turn.at, node.left()))
    finish(turn, settled_outcome(turn.state), "")


def on_owned(turn: Turn, signal: OwnedAnswered) -> None:
    if signal.reply.answered is Answered.REFUSED:
        turn.record(ev.OwnedMoveFailed(turn.at, signal.kind, signal.name, signal.reply.reason))
    else:
        turn.record(ev.OwnedMoved(turn.at, signal.kind, signal.name, signal.destination))
    if turn.state.phase is Phase.VERIFYING:
        turn.ask(ReadNode())


def remember_owned(turn: Turn, items: tuple[tuple[OwnedKind, str], ...]) -> None:
    turn.record(ev.OwnedFound(turn.at, tuple(OwnedItem(kind, name) for kind, name in items)))


# close


def _set_flag(turn: Turn) -> None:
    """Let others (CAU among them) see the node as drained, where this run paused it or found it paused."""
    if turn.state.node_paused and not turn.state.forced and not turn.state.lease.lost_to:
        turn.record(ev.DrainFlagIntended(turn.at))
        turn.ask(CloseNode())
    else:
        finish(turn, settled_outcome(turn.state), "")


def on_close(turn: Turn, signal: CloseAnswered) -> None:
    if turn.state.phase is not Phase.CLOSING or turn.state.drain_flag is not None:
        return
    if signal.reply.done:
        _flag(turn, ev.DrainFlagSet(turn.at))
    elif signal.reply.answered is Answered.REFUSED:
        _flag(turn, ev.DrainFlagRefused(turn.at, signal.reply.reason))
    else:
        turn.ask(ReadNode())


def _flag(turn: Turn, event: ev.DrainFlagSet | ev.DrainFlagRefused) -> None:
    turn.record(event)
    if turn.state.closing_as is None:
        finish(turn, settled_outcome(turn.state), "")


def _was_the_flag_set(turn: Turn, node: NodeFacts) -> None:
    if turn.state.closing_as is not None or turn.state.drain_flag is not None:
        return
    if node.drain_status is DrainStatus.COMPLETED:
        _flag(turn, ev.DrainFlagSet(turn.at))
    elif turn.seconds_since(turn.state.closing_since) >= turn.rules.pause_patience_s:
        _flag(turn, ev.DrainFlagRefused(turn.at, "the node does not show it"))


# new plans for the rest


def on_replanned(turn: Turn, signal: Replanned) -> None:
    """Another destination for one VM, or a way for VMs that the plan did not know."""
    if signal.vm is not None:
        _redirect(turn, signal)
        return
    if signal.plan is None or _over(turn) or turn.state.phase not in (Phase.VERIFYING, Phase.MOVING):
        return
    for planned in signal.plan.moves:
        if planned.vm.id not in turn.state.moves and planned.vm.role in turn.state.roles_added_for:
            turn.record(mv.MoveAdded(turn.at, move_of(planned, turn.state.consents)))


def _redirect(turn: Turn, signal: Replanned) -> None:
    move = turn.move(signal.vm) if signal.vm else None
    if move is None or move.state not in (MoveState.PLANNED, MoveState.QUEUED):
        return
    vm = move.vm.id
    moves = signal.plan.moves if signal.plan else ()
    planned = next((item for item in moves if item.vm.id == vm), None)
    wanted = signal.wanted
    if planned is None:
        _no_way(turn, move, signal)
    elif wanted is not None and planned.destination != wanted:
        turn.record(mv.MoveBlocked(turn.at, vm, f"{wanted} can not take it now; {planned.destination} could"))
    elif planned.destination != move.destination or (signal.at_once and move.not_before is not None):
        changed = planned.destination != move.destination
        stubborn = move.refused_since if not changed else None
        if stubborn is None:
            until = None if signal.at_once else move.not_before
            turn.record(mv.MoveRedirected(turn.at, vm, planned.destination, planned.reason, until))


def _no_way(turn: Turn, move: Move, signal: Replanned) -> None:
    """No plan, or none for this VM: what was planned before still holds, a wish that nobody checked does not."""
    if signal.plan is not None:
        why = next((item.reason for item in signal.plan.infeasible if item.vm.id == move.vm.id), "")
        blocked = f"no destination takes it{': ' + why if why else ''}"
        turn.record(mv.MoveBlocked(turn.at, move.vm.id, f"{move.reason}; {blocked}" if move.reason else blocked))
    elif signal.wanted is not None and signal.wanted != move.destination:
        why = f"{signal.wanted} could not be checked for conflicts: {signal.reason}"
        turn.record(mv.MoveBlocked(turn.at, move.vm.id, why))
    elif move.destination is None:
        turn.record(mv.MoveBlocked(turn.at, move.vm.id, f"no new plan could be made: {signal.reason}"))
