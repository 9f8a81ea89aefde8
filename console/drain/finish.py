"""Whether a finish can be promised at all: one told while a move stands still would only be the present moment."""

from __future__ import annotations

from datetime import datetime

from .state import Move, MoveState, Pace, RunState

_SOON_S = 15.0
"""A worst case this near is only the present moment, pushed along."""


def stuck_ones(run: RunState) -> list[Move]:
    """Moves that the watchdog has given up hoping for: nobody can tell when the run ends."""
    return [move for move in run.moves.values() if move.state is MoveState.MOVING and move.pace is Pace.STUCK]


def why_no_finish(run: RunState) -> str:
    """Why no finish can be promised: something stands still, or takes longer than was foreseen at worst."""
    stuck = len(stuck_ones(run))
    if stuck:
        return f"{_moves(stuck)} stuck"
    worst = run.forecast_finish_p90_at
    overdue = [move for move in run.in_flight if _overdue(move, run.now)]
    if worst is None or not overdue or (worst - run.now).total_seconds() > _SOON_S:
        return ""
    return f"{_moves(len(overdue))} overdue"


def _overdue(move: Move, now: datetime) -> bool:
    gone_s = (now - move.started_at).total_seconds() if move.started_at is not None else 0.0
    return move.state is MoveState.MOVING and gone_s > move.forecast_p90_s


def _moves(number: int) -> str:
    return "1 move" if number == 1 else f"{number} moves"
