"""When will it be finished? The forecast of the rest, learnt from the moves of this run that are over."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from console.forecast.processors import Toil
from console.guard import Lines
from console.planner.guarding import Watch
from console.planner.schedule import Job, Limits, list_schedule
from console.planner.values import OFFLINE_AT_ONCE, SlotReading

from . import events as ev
from . import lease_events as le
from .guard import stance_of
from .limits import WAITING
from .state import Move, MoveState, RunState
from .turn import Turn

_LEARN_FROM = 3
"""Finished moves before their ratio to the forecast rescales the rest."""
_BELIEF = 2.0
"""Finished moves that weigh as much as the forecast: moves differ among themselves about as much as sites do."""
_WORTH_TELLING_S = 5.0
_OVERHEAD_S, _OVERHEAD_SHARE = 5.8, 0.7
"""Seconds of a move that copy nothing, as forecasts begin with; and no more of it than this share."""
_SPARE_S = 60.0
"""Before the window's end; a forecast that wavers around it would warn again and again."""


def pace_of_run(state: RunState) -> float:
    """Actual over forecast duration of what is finished, held near 1 as long as it is little; 1 until enough is.

    The middle by forecast seconds: small moves are mostly overhead and tell little of large ones, and one that hung
    tells nothing at all.
    """
    told = [
        ((move.duration_s or 0.0) / move.forecast_p50_s, move.forecast_p50_s)
        for move in state.moves.values()
        if _tells(move) and (move.duration_s or 0.0) > 0 and move.forecast_p50_s > 0
    ]
    if len(told) < _LEARN_FROM:
        return 1.0
    return float(_middle(told) ** (len(told) / (len(told) + _BELIEF)))


def _tells(move: Move) -> bool:
    """A VM that is off has nothing to copy, an adopted move began before it was seen; a clock that was set back makes
    durations that are none."""
    return move.state is MoveState.DONE and move.live and not move.foreign


def _middle(weighed: Sequence[tuple[float, float]]) -> float:
    """The weighted median of (value, weight)."""
    ordered = sorted(weighed)
    ends = list(accumulate(weight for _, weight in ordered))
    return ordered[bisect_left(ends, ends[-1] / 2)][0]


def finish_forecast(state: RunState, at: datetime, lines: Lines | None = None) -> tuple[datetime, datetime]:
    """p50 and p90 of the end, if starts go on as allowed now.

    A list schedule of what is left over the slots, VMs that are off beside it. What the guard will hold for the
    processors' sake is foreseen where moves compress; waiting for its other lines or the operator is not.

    Args:
        lines: of the run's guard; None: it has none.
    """
    scale = pace_of_run(state)
    return tuple(at + timedelta(seconds=_makespan(state, at, lines, scale, p90)) for p90 in (False, True))  # type: ignore[return-value]


def _makespan(state: RunState, at: datetime, lines: Lines | None, scale: float, p90: bool) -> float:
    live = [move for move in state.moves.values() if not move.offline]
    offline = [move for move in state.moves.values() if move.offline]
    apart = _listed(offline, OFFLINE_AT_ONCE, at, scale, p90)
    if lines is not None and any(move.takes_fraction > 0 for move in live if move.state in WAITING):
        return max(_held_by_guard(state, live, at, lines, scale, p90), apart)
    return max(_listed(live, _at_once(state), at, scale, p90), apart)


def _held_by_guard(state: RunState, live: Sequence[Move], at: datetime, lines: Lines, scale: float, p90: bool) -> float:
    """The rest by the planner's own simulation, from where the guard stands now."""
    jobs = [_job(state, move, at, scale, p90) for move in live if move.under_way or move.state in WAITING]
    ceiling = max(state.slots, 1)
    busy = {state.node: state.busy_fraction}
    watch = Watch(lines, {state.node: ceiling}, {state.node: 1.0}, busy, stance_of(state, at))
    limits = Limits({state.node: _at_once(state, ceiling)}, watch=watch)
    return max((slot.end_s for slot in list_schedule(jobs, limits)), default=0.0)


def _job(state: RunState, move: Move, at: datetime, scale: float, p90: bool) -> Job:
    """The move with a byte for each second in which it copies."""
    whole_s = _forecast_s(move, scale, p90)
    fixed_s = min(_OVERHEAD_S, _OVERHEAD_SHARE * whole_s)
    left_s = _remaining_s(move, at, scale, p90) if move.under_way else whole_s
    copying_s = min(whole_s - fixed_s, left_s)
    return Job(
        state.node,
        move.destination or state.node,
        left_s - copying_s,
        copying_s,
        stream_bytes_per_s=1.0,
        running=move.under_way,
        toil=Toil(source_s_per_byte=move.takes_fraction),
    )


def _listed(moves: Sequence[Move], slots: int, at: datetime, scale: float, p90: bool) -> float:
    free = [_remaining_s(move, at, scale, p90) for move in moves if move.under_way]
    last = max(free, default=0.0)
    while len(free) < slots:
        free.append(0.0)
    heapq.heapify(free)
    while len(free) > slots:
        heapq.heappop(free)
    for move in moves:
        if move.state in WAITING:
            end = heapq.heappop(free) + _forecast_s(move, scale, p90)
            last = max(last, end)
            heapq.heappush(free, end)
    return last


def _at_once(state: RunState, slots: int | None = None) -> int:
    """Moves that the limits let run together; read per pair, MaximumParallelMigrations is none for the node."""
    allowed = state.allowed_slots if slots is None else slots
    by_node = state.per_node_limit if state.parallel_per is SlotReading.NODE else allowed
    everywhere = allowed if state.cluster_limit is None else state.cluster_limit
    return max(min(allowed, by_node, everywhere), 1)


def _forecast_s(move: Move, scale: float, p90: bool) -> float:
    return (move.forecast_p90_s if p90 else move.forecast_p50_s) * scale


def _remaining_s(move: Move, at: datetime, scale: float, p90: bool) -> float:
    gone_s = (at - move.started_at).total_seconds() if move.started_at else 0.0
    return max(_forecast_s(move, scale, p90) - gone_s, 0.0)


def revise(turn: Turn) -> None:
    """Tell a new forecast when it differs enough from the one on screen."""
    if not any(move.state in WAITING or move.under_way for move in turn.state.moves.values()):
        return
    p50, p90 = finish_forecast(turn.state, turn.at, turn.rules.guard)
    told = turn.state.forecast_finish_p50_at
    if told is None or abs((p50 - told).total_seconds()) >= _WORTH_TELLING_S:
        turn.record(ev.ForecastRevised(turn.at, p50, p90))
    _window(turn, p90)


def _window(turn: Turn, p90: datetime) -> None:
    """Warn while there is time to do something; take the warning back only when there is some to spare."""
    ends_at = turn.state.window_ends_at
    if ends_at is None or turn.state.window_closed:
        return
    late_s = (p90 - ends_at).total_seconds()
    if late_s > 0 and not turn.state.window_at_risk:
        turn.record(le.WindowAtRisk(turn.at, late_s))
    elif late_s < -_SPARE_S and turn.state.window_at_risk:
        turn.record(le.WindowSafe(turn.at))
