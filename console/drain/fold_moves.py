"""How each event of a move changes that move."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch

from . import move_events as mv
from .evolve import evolve
from .state import Move, MoveState, Pace


def apply_to_move(move: Move, event: mv.MoveEvent) -> Move:
    """The move after the event."""
    return _changed(event, move)


@singledispatch
def _changed(event: object, move: Move) -> Move:
    raise TypeError(f"not an event of a move: {type(event).__name__}")


def _ended(move: Move, state: MoveState, at: datetime, reason: str) -> Move:
    return evolve(
        move,
        state=state,
        reason=reason,
        finished_at=at if move.started_at else None,
        queued_by_cluster=False,
        cancelling=False,
        checking_since=None,
        seen_back_at=None,
        settled=False,
        pace=Pace.STEADY,
    )


@_changed.register
def _(event: mv.MoveAdded, move: Move) -> Move:
    return event.move


@_changed.register
def _(event: mv.MoveQueued, move: Move) -> Move:
    return evolve(move, state=MoveState.QUEUED, reason=event.reason)


@_changed.register
def _(event: mv.MoveChecked, move: Move) -> Move:
    return evolve(move, state=MoveState.CHECKING, destination=event.destination, reason="", checking_since=event.at)


@_changed.register
def _(event: mv.MoveKindSeen, move: Move) -> Move:
    return evolve(move, live=event.live)


@_changed.register
def _(event: mv.MoveReturned, move: Move) -> Move:
    return evolve(
        move,
        state=MoveState.QUEUED,
        reason=event.reason,
        checking_since=None,
        not_before=event.until,
        refused_since=move.refused_since or (event.at if event.until else None),
    )


@_changed.register
def _(event: mv.MoveRedirected, move: Move) -> Move:
    return evolve(move, destination=event.destination, reason=event.reason, not_before=event.until, refused_since=None)


@_changed.register
def _(event: mv.MoveIntended, move: Move) -> Move:
    return evolve(
        move,
        state=MoveState.MOVING,
        destination=event.destination,
        live=event.live,
        quick=event.quick,
        vm_state=event.vm_state,
        attempts=move.attempts + 1,
        started_at=event.at,
        progressed_at=event.at,
        finished_at=None,
        checking_since=None,
        arrived_at=None,
        blackout_s=None,
        percent=None,
        pass_number=None,
        bytes_sent=None,
        rate_bytes_per_s=None,
        dirty_pages=None,
        failure_code=None,
        cause="",
        accepted=False,
        foreign=False,
        cancel_reason="",
        forced_to=None,
        not_before=None,
        refused_since=None,
        reason="",
    )


@_changed.register
def _(event: mv.MoveStarted, move: Move) -> Move:
    return evolve(move, accepted=True)


@_changed.register
def _(event: mv.MoveStartUnanswered, move: Move) -> Move:
    return evolve(move, reason=event.reason)


@_changed.register
def _(event: mv.MoveAdopted, move: Move) -> Move:
    return evolve(
        move,
        state=MoveState.MOVING,
        destination=event.host or move.destination,
        foreign=True,
        started_at=event.at,
        progressed_at=event.at,
        finished_at=None,
        checking_since=None,
        seen_back_at=None,
        reason=event.reason,
    )


@_changed.register
def _(event: mv.MoveProgressed, move: Move) -> Move:
    return evolve(
        move,
        percent=event.percent if event.percent is not None else move.percent,
        pass_number=event.pass_number if event.pass_number is not None else move.pass_number,
        rate_bytes_per_s=event.rate_bytes_per_s,
        dirty_pages=event.dirty_pages,
        bytes_sent=event.bytes_sent if event.bytes_sent is not None else move.bytes_sent,
        queued_by_cluster=event.queued_by_cluster,
        progressed_at=event.at if _advanced(move, event) else move.progressed_at,
        pace=Pace.STEADY if _advanced(move, event) else move.pace,
        seen_back_at=None,
    )


def _advanced(move: Move, event: mv.MoveProgressed) -> bool:
    """Whether bytes, pass or percent moved; waiting in the cluster's queue is not lack of progress."""
    if event.queued_by_cluster or move.queued_by_cluster:
        return True
    pairs = (
        (move.percent, event.percent),
        (move.pass_number, event.pass_number),
        (move.bytes_sent, event.bytes_sent),
    )
    return any(new is not None and new != old for old, new in pairs)


@_changed.register
def _(event: mv.MoveSlowed, move: Move) -> Move:
    return evolve(move, pace=Pace.SLOW, reason=event.cause)


@_changed.register
def _(event: mv.MoveStuck, move: Move) -> Move:
    return evolve(move, pace=Pace.STUCK, reason=event.cause)


@_changed.register
def _(event: mv.MoveSeenBack, move: Move) -> Move:
    return evolve(move, seen_back_at=event.at)


@_changed.register
def _(event: mv.CauseRead, move: Move) -> Move:
    return evolve(move, failure_code=event.code, cause=event.cause)


@_changed.register
def _(event: mv.MoveArrived, move: Move) -> Move:
    return evolve(
        move,
        state=MoveState.VERIFYING,
        destination=event.host,
        arrived_at=event.at,
        finished_at=event.at if move.started_at else None,
        checking_since=None,
        seen_back_at=None,
        queued_by_cluster=False,
        settled=False,
        pace=Pace.STEADY,
    )


@_changed.register
def _(event: mv.MoveVerified, move: Move) -> Move:
    saved = (move.quick and not move.foreign) or move.forced_to is not None
    state = MoveState.INTERRUPTED if saved else MoveState.DONE
    arrived = move.arrived_at or event.at
    interrupted = state is MoveState.INTERRUPTED
    reason = "saved and restored, with consent" if interrupted else move.reason if move.foreign else ""
    return evolve(_ended(move, state, arrived, reason), percent=100.0, destination=event.host)


@_changed.register
def _(event: mv.MoveUnverified, move: Move) -> Move:
    return evolve(move, state=MoveState.UNKNOWN, reason=event.reason, settled=True)


@_changed.register
def _(event: mv.BlackoutMeasured, move: Move) -> Move:
    return evolve(move, blackout_s=event.blackout_s)


@_changed.register
def _(event: mv.MoveFailed, move: Move) -> Move:
    tried = (*move.tried, move.destination) if move.destination and move.started_at else move.tried
    return evolve(_ended(move, MoveState.FAILED, event.at, event.reason), failure_code=event.code, tried=tried)


@_changed.register
def _(event: mv.MoveRetried, move: Move) -> Move:
    again = _ended(move, MoveState.PLANNED, event.at, event.reason)
    return evolve(
        again,
        destination=event.destination or move.destination,
        retries=move.retries + event.automatic,
        percent=None,
        pass_number=None,
        rate_bytes_per_s=None,
        dirty_pages=None,
        bytes_sent=None,
        foreign=False,
        accepted=False,
        not_before=event.until,
        refused_since=None,
        started_at=None,
        finished_at=None,
        arrived_at=None,
    )


@_changed.register
def _(event: mv.MoveBlocked, move: Move) -> Move:
    return _ended(move, MoveState.BLOCKED, event.at, event.reason)


@_changed.register
def _(event: mv.MoveHeld, move: Move) -> Move:
    return evolve(move, state=MoveState.HELD, reason="held by the operator", checking_since=None)


@_changed.register
def _(event: mv.MoveReleased, move: Move) -> Move:
    return evolve(move, state=MoveState.PLANNED, reason="")


@_changed.register
def _(event: mv.MoveSkipped, move: Move) -> Move:
    return _ended(move, MoveState.SKIPPED, event.at, event.reason)


@_changed.register
def _(event: mv.CancelIntended, move: Move) -> Move:
    return evolve(move, cancelling=True, cancel_reason=event.reason)


@_changed.register
def _(event: mv.CancelAnswered, move: Move) -> Move:
    return evolve(move, cancelling=event.accepted and move.cancelling)


@_changed.register
def _(event: mv.ForceIntended, move: Move) -> Move:
    """It gets the watchdog's whole patience anew."""
    return evolve(
        move,
        forced_to=event.host,
        destination=event.host if event.host != move.source else move.destination,
        cancelling=False,
        progressed_at=event.at,
        pace=Pace.STEADY,
        reason=f"forced to {event.host} by {event.by or 'the operator'}, which saves it",
    )


@_changed.register
def _(event: mv.ForceAnswered, move: Move) -> Move:
    return move if event.accepted else evolve(move, forced_to=None, pace=Pace.STUCK, reason=event.reason)


@_changed.register
def _(event: mv.ActorNamed, move: Move) -> Move:
    return evolve(move, reason=f"{move.reason}: {event.who}" if move.reason else event.who)


@_changed.register
def _(event: mv.MoveLost, move: Move) -> Move:
    return evolve(move, state=MoveState.UNKNOWN, reason=event.reason, seen_back_at=None)


@_changed.register
def _(event: mv.MoveFound, move: Move) -> Move:
    return evolve(move, state=MoveState.MOVING, reason="", progressed_at=event.at, settled=False)
