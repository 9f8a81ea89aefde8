"""Following moves: what a poll saw becomes progress, an arrival, or a way back; silence becomes unknown."""

from __future__ import annotations

from datetime import timedelta

from console.model.cluster import GroupState
from console.model.identity import VmId
from console.planner.values import Engine

from . import events as ev
from . import move_events as mv
from .adopting import adopt
from .arrivals import arrived
from .commands import ReadCause
from .facts import Sight
from .limits import WAITING
from .meaning import learn
from .rules import AUTHENTICATION
from .signals import CauseFound, ProgressRead, ReadFailed
from .state import Move, MoveState, Phase, RunState
from .turn import Turn
from .watchdog import watch

_DID_NOT_MOVE = (MoveState.FAILED, MoveState.BLOCKED, MoveState.SKIPPED, MoveState.LEFT_BEHIND)


def late_ones(state: RunState) -> tuple[VmId, ...]:
    """VMs that are to be looked at once more before the run ends; one without a role can not have moved."""
    return tuple(vm for vm, move in state.moves.items() if move.state in _DID_NOT_MOVE and move.vm.role is not None)


def on_progress(turn: Turn, signal: ProgressRead) -> None:
    """One poll of the roles in flight."""
    regain_contact(turn)
    if turn.state.closing_as is not None:
        return
    if 0 <= turn.seconds_since(signal.asked_at) <= turn.rules.check_valid_s:
        turn.checked.update((check.vm, check) for check in signal.checks)
    if signal.foreign is not None and dict(signal.foreign) != dict(turn.state.foreign_in_flight):
        turn.record(ev.ForeignMigrationsSeen(turn.at, dict(signal.foreign)))
    for sight in signal.sights:
        move = turn.move(sight.vm)
        if move is None:
            continue
        if move.state is MoveState.UNKNOWN and not move.settled:
            turn.record(mv.MoveFound(turn.at, sight.vm))
            move = turn.state.moves[sight.vm]
        native = turn.state.engine is Engine.NATIVE and move.state in WAITING
        if native and (sight.busy or sight.owner != move.source):
            turn.record(mv.MoveAdopted(turn.at, sight.vm, None, ""))
            move = turn.state.moves[sight.vm]
        if move.state is MoveState.MOVING:
            _see(turn, move, sight)
        elif move.state in _DID_NOT_MOVE and sight.owner != move.source and not sight.busy:
            arrived(turn, sight.vm, sight.owner, late=True)
    _seen_late_ones(turn, signal)
    learn(turn)
    watch(turn)


def _seen_late_ones(turn: Turn, signal: ProgressRead) -> None:
    """What is on its way after all, or was not seen (a role can be removed), is waited for as long as the node may take
    to become empty."""
    if turn.state.phase is not Phase.VERIFYING or turn.state.late_ones_seen:
        return
    wanted = late_ones(turn.state)
    seen = {sight.vm: sight.busy for sight in signal.sights}
    open_question = any(seen.get(vm, True) for vm in wanted)
    patience = turn.seconds_since(turn.state.verifying_since) < turn.rules.empty_patience_s
    if not (open_question and patience):
        turn.record(ev.LateOnesSeen(turn.at))


def _see(turn: Turn, move: Move, sight: Sight) -> None:
    if sight.owner != move.source:
        if not sight.busy:
            _note_detour(turn, move, sight)
            arrived(turn, sight.vm, sight.owner)
        return
    if sight.busy:
        _progress(turn, move, sight)
    else:
        _at_rest_on_source(turn, move, sight)


def _note_detour(turn: Turn, move: Move, sight: Sight) -> None:
    if sight.owner != move.destination and not move.foreign:
        adopt(turn, move, sight.owner, f"moved to {sight.owner} instead of {move.destination} by something else")


def _progress(turn: Turn, move: Move, sight: Sight) -> None:
    event = mv.MoveProgressed(
        turn.at,
        sight.vm,
        sight.percent,
        sight.pass_number,
        sight.rate_bytes_per_s,
        sight.dirty_pages,
        sight.bytes_sent,
        sight.queued,
    )
    before = (
        move.percent,
        move.pass_number,
        move.rate_bytes_per_s,
        move.dirty_pages,
        move.bytes_sent,
        move.queued_by_cluster,
    )
    now = (
        sight.percent,
        sight.pass_number,
        sight.rate_bytes_per_s,
        sight.dirty_pages,
        sight.bytes_sent,
        sight.queued,
    )
    if now != before or move.seen_back_at is not None:
        turn.record(event)


def _at_rest_on_source(turn: Turn, move: Move, sight: Sight) -> None:
    """Online with the source as its owner is failed or cancelled (os-win's rule) - but not right after the start,
    and not on one look alone."""
    vm = move.vm.id
    young = turn.seconds_since(move.started_at) < turn.rules.settle_s
    if young and not move.cancelling and sight.code is None and sight.role_state is not GroupState.FAILED:
        return
    if move.seen_back_at is None:
        turn.record(mv.MoveSeenBack(turn.at, vm))
        turn.ask(ReadCause(vm, move.destination, move.started_at or turn.at))
    elif turn.seconds_since(move.seen_back_at) >= turn.rules.confirm_s:
        _came_back(turn, move, sight)


def _came_back(turn: Turn, move: Move, sight: Sight) -> None:
    vm = move.vm.id
    if move.forced_to is not None:
        turn.record(mv.MoveFailed(turn.at, vm, f"{move.reason}; it is on {move.source}"))
    elif move.cancelling and move.cancel_reason:
        fail(turn, move, f"cancelled: {move.cancel_reason}", None)
    elif move.cancelling:
        turn.record(mv.MoveSkipped(turn.at, vm, f"cancelled by the operator; it stays on {move.source}"))
    elif move.foreign:
        why = f"the other mover left it on {move.source}"
        until = turn.at + timedelta(seconds=turn.rules.check_again_s)
        turn.record(mv.MoveReturned(turn.at, vm, why, until=until))
    else:
        code = move.failure_code if move.failure_code is not None else sight.code
        reason = move.cause or f"it is back on {move.source}; the event logs do not say why"
        fail(turn, move, reason, code)


def fail(turn: Turn, move: Move, reason: str, code: int | None) -> None:
    """Failed; once more by itself where the cause is known to pass, never after a refused sign-in.

    A start that was never answered and, by two looks, never happened may be asked once more, too.
    """
    vm = move.vm.id
    turn.record(mv.MoveFailed(turn.at, vm, reason, code))
    _offer_the_clusters_drain(turn, code)
    never_began = code is None and not move.accepted and move.seen_back_at is not None
    known = code is not None and code not in AUTHENTICATION and turn.rules.transient(code)
    stuck = bool(move.cancel_reason)
    passes = never_began or known or stuck
    state = turn.state
    ending = state.stopping or state.detached or state.window_closed or bool(state.lease.lost_to)
    over = ending or (move.cancelling and not stuck)
    if passes and not over and move.retries < turn.rules.automatic_retries:
        until = turn.at + timedelta(seconds=turn.rules.retry_after_s)
        turn.record(mv.MoveRetried(turn.at, vm, None, True, reason, until))
        turn.replan(vm, at_once=False)


_DENIED = frozenset({5, 0x80070005})
"""ERROR_ACCESS_DENIED."""


def _offer_the_clusters_drain(turn: Turn, code: int | None) -> None:
    """Some sites allow the cluster's own drain and no single move; told once, never done by itself."""
    moves = turn.state.moves.values()
    denied = [move for move in moves if move.failure_code in _DENIED]
    if code in _DENIED and len(denied) == 1 and not any(move.accepted for move in moves):
        words = (
            "Windows refuses single moves to this account. The cluster's own drain may be allowed: hand over the rest"
        )
        turn.record(ev.Noted(turn.at, words, problem=True))


def on_cause(turn: Turn, signal: CauseFound) -> None:
    move = turn.move(signal.vm)
    if move is not None and move.state is MoveState.MOVING and move.seen_back_at and (signal.cause or signal.code):
        turn.record(mv.CauseRead(turn.at, signal.vm, signal.cause, signal.code))


def on_silence(turn: Turn, signal: ReadFailed) -> None:
    """Nobody answers: what was moving is unknown, and nothing is shown as failed."""
    if turn.state.contact_lost_at is None:
        turn.record(ev.ContactLost(turn.at, signal.reason))
    for vm, move in tuple(turn.state.moves.items()):
        if move.state is MoveState.MOVING:
            turn.record(mv.MoveLost(turn.at, vm, f"contact lost: {signal.reason}"))


def regain_contact(turn: Turn) -> None:
    if turn.state.contact_lost_at is not None:
        turn.record(ev.ContactRegained(turn.at))
