"""Looks between two polls, at what is about to arrive: a slot that is free and not known to be free is lost time, and
a duration that is measured late teaches the forecast wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from .commands import ReadProgress, WaitUntil
from .limits import hold_reason
from .state import Move, MoveState, RunState
from .turn import Turn

_TELLING_PERCENT = 20.0
"""Below, set-up weighs too much to reckon from."""
_OVERDUE_S, _OVERDUE_SHARE = 10.0, 0.5
"""By how much of its forecast, or at least how long, a move may overrun and still be expected any moment."""


def flying(state: RunState) -> tuple[Move, ...]:
    """What moves, or may move."""
    return tuple(
        move
        for move in state.moves.values()
        if move.state is MoveState.MOVING or (move.state is MoveState.UNKNOWN and not move.settled)
    )


def wait(turn: Turn, poll_at: datetime) -> WaitUntil:
    """Until the next poll, or half-way to the arrival that is expected first."""
    rest_s = _soonest_s(turn)
    if rest_s is None:
        return WaitUntil(poll_at)
    at = turn.at + timedelta(seconds=max(turn.rules.glance_s, rest_s / 2))
    return WaitUntil(at, poll_at) if at < poll_at else WaitUntil(poll_at)


def glance(turn: Turn, poll_at: datetime) -> None:
    """Look at what moves and at nothing else."""
    moves = flying(turn.state)
    if moves and turn.state.contact_lost_at is None:
        turn.ask(ReadProgress(tuple(move.vm.id for move in moves)))
    turn.ask(wait(turn, poll_at))


def _soonest_s(turn: Turn) -> float | None:
    """Seconds to the next arrival by the hastiest guess; None where nothing may start, or nothing is near its end."""
    state = turn.state
    if hold_reason(state, turn.at) is not None:
        return None
    guesses = (_rest_s(turn, move) for move in state.moves.values() if move.state is MoveState.MOVING)
    return min((guess for guess in guesses if guess is not None), default=None)


def _rest_s(turn: Turn, move: Move) -> float | None:
    if move.started_at is None or move.queued_by_cluster or turn.seconds_since(move.progressed_at) > _OVERDUE_S:
        return None
    gone_s = turn.seconds_since(move.started_at)
    overrun_s = gone_s - move.forecast_p50_s
    guesses = [] if overrun_s > max(_OVERDUE_S, _OVERDUE_SHARE * move.forecast_p50_s) else [-overrun_s]
    if move.percent is not None and move.progressed_at is not None and move.percent >= _TELLING_PERCENT:
        guesses.append((move.progressed_at - move.started_at).total_seconds() * 100 / move.percent - gone_s)
    return max(0.0, min(guesses)) if guesses else None
