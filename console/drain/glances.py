"""Looks between two polls, at what is about to arrive: a slot that is free and not known to be free is lost time, and
a duration that is measured late teaches the forecast wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.planner.values import Engine

from .commands import CheckMove, ReadProgress, WaitUntil
from .evolve import evolve
from .limits import WAITING, hold_reason, wait_reason
from .state import Move, MoveState, RunState
from .turn import Turn

_TELLING_PERCENT = 20.0
"""Below, set-up weighs too much to reckon from."""
_NEAR_S, _NEAR_SHARE = 2.5, 0.2
"""Seconds, or share of its forecast, around its expected end in which a look at a move checks what comes next, too."""
_LOOKED_AT = 16
"""Waiting moves, in planned order, among which the next one is looked for."""
_EMPTY_SHARE = 0.02
"""Of a move's forecast: how long its slot may stay empty unnoticed."""
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
    pause_s = _shortest_pause_s(turn)
    if pause_s is None:
        return WaitUntil(poll_at)
    at = turn.at + timedelta(seconds=max(turn.rules.glance_s, pause_s))
    return WaitUntil(at, poll_at) if at < poll_at else WaitUntil(poll_at)


def glance(turn: Turn, poll_at: datetime) -> None:
    """Look at what moves and at nothing else."""
    moves = flying(turn.state)
    if moves and turn.state.contact_lost_at is None:
        turn.ask(ReadProgress(tuple(move.vm.id for move in moves), checks_ahead(turn)))
    turn.ask(wait(turn, poll_at))


def checks_ahead(turn: Turn) -> tuple[CheckMove, ...]:
    """Of what may start if the moves that are about to arrive have arrived."""
    state = turn.state
    near = [move for move in state.moves.values() if move.state is MoveState.MOVING and _is_near(turn, move)]
    if not near or state.engine is not Engine.PLANNED or hold_reason(state, turn.at) is not None:
        return ()
    then = evolve(state, moves={**state.moves, **{m.vm.id: evolve(m, state=MoveState.VERIFYING) for m in near}})
    found: list[CheckMove] = []
    waiting = [move for move in state.moves.values() if move.state in WAITING]
    for move in waiting[:_LOOKED_AT]:
        if move.destination is None or wait_reason(then, move, turn.at) is not None:
            continue
        found.append(CheckMove(move.vm.id, move.destination))
        if len(found) == len(near):
            break
        then = evolve(then, moves={**then.moves, move.vm.id: evolve(move, state=MoveState.CHECKING)})
    return tuple(found)


def _is_near(turn: Turn, move: Move) -> bool:
    """By what it shows of itself, else by its forecast; one that overruns is not checked for again and again."""
    if move.started_at is None or move.queued_by_cluster:
        return False
    gone_s = turn.seconds_since(move.started_at)
    by_percent = _by_percent_s(move, gone_s)
    rest_s = by_percent if by_percent is not None else move.forecast_p50_s - gone_s
    return abs(rest_s) <= max(_NEAR_S, _NEAR_SHARE * move.forecast_p50_s)


def _shortest_pause_s(turn: Turn) -> float | None:
    """Seconds to the next look; None where nothing may start, or nothing is near its end."""
    state = turn.state
    if hold_reason(state, turn.at) is not None:
        return None
    pauses = (_pause_s(turn, move) for move in state.moves.values() if move.state is MoveState.MOVING)
    return min((pause for pause in pauses if pause is not None), default=None)


def _pause_s(turn: Turn, move: Move) -> float | None:
    """Half of what is left by the hastiest guess; past its middle never so long that a move that comes early leaves its
    slot empty for long. The longer it is overdue by all guesses, the less it is stared at."""
    guesses = _guesses_s(turn, move)
    if not guesses:
        return None
    rest_s = max(0.0, min(guesses))
    if rest_s > move.forecast_p50_s / 2:
        return rest_s / 2
    return max(min(rest_s / 2, _EMPTY_SHARE * move.forecast_p50_s), -_EMPTY_SHARE * max(guesses))


def _guesses_s(turn: Turn, move: Move) -> list[float]:
    """Seconds to its end, by its forecast and by what it shows; none where it does not come to an end."""
    if move.started_at is None or move.queued_by_cluster or turn.seconds_since(move.progressed_at) > _OVERDUE_S:
        return []
    gone_s = turn.seconds_since(move.started_at)
    overrun_s = gone_s - move.forecast_p50_s
    guesses = [] if overrun_s > max(_OVERDUE_S, _OVERDUE_SHARE * move.forecast_p50_s) else [-overrun_s]
    by_percent = _by_percent_s(move, gone_s)
    return guesses if by_percent is None else [*guesses, by_percent]


def _by_percent_s(move: Move, gone_s: float) -> float | None:
    """Seconds to its end if it goes on as it went; None where it shows too little of itself."""
    if move.started_at is None or move.progressed_at is None or (move.percent or 0.0) < _TELLING_PERCENT:
        return None
    return (move.progressed_at - move.started_at).total_seconds() * 100 / (move.percent or 100.0) - gone_s
