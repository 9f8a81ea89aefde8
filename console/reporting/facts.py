"""What a report tells: the run's state, and what only the events on the way there know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from console.drain.events import Event, GuardBreached, GuardRead
from console.drain.fold import fold
from console.drain.lease_events import EngineChanged, LeaseLost
from console.drain.move_events import MoveIntended
from console.drain.state import Move, MoveState, RunState

_MOVED = (MoveState.DONE, MoveState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Reading:
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Forecast against fact, over the moves that arrived."""

    moves: int
    median_ratio: float | None
    """Fact over forecast (p50); None without a move."""
    within_p90: int


@dataclass(frozen=True)
class RunReport:
    state: RunState
    readings: dict[str, tuple[Reading, ...]]
    """The guard's lines over time, by name."""
    breaches: tuple[GuardBreached, ...]
    starts: int
    """Moves that Windows was asked for, repeats included."""
    handovers: tuple[EngineChanged, ...]
    lost_leases: tuple[LeaseLost, ...]
    events: int

    @property
    def moved(self) -> tuple[Move, ...]:
        return tuple(move for move in self.state.moves.values() if move.state in _MOVED)

    @property
    def not_moved(self) -> tuple[Move, ...]:
        return tuple(move for move in self.state.moves.values() if move.state not in _MOVED)

    @property
    def duration_s(self) -> float | None:
        """From the opening to the end; to the last event when it is still open."""
        end = self.state.finished_at or self.state.now
        return (end - self.state.created_at).total_seconds()

    @property
    def blackout_s(self) -> float:
        """The longest that was measured; 0 when none was."""
        return max((move.blackout_s or 0.0 for move in self.moved), default=0.0)

    @property
    def accuracy(self) -> Accuracy:
        known = [move for move in self.moved if move.duration_s and move.forecast_p50_s > 0 and not move.foreign]
        ratios = [(move.duration_s or 0.0) / move.forecast_p50_s for move in known]
        within = sum((move.duration_s or 0.0) <= move.forecast_p90_s for move in known)
        return Accuracy(len(known), median(ratios) if ratios else None, within)


def report_of(events: Iterable[Event]) -> RunReport:
    """Collect a report.

    Raises:
        ValueError: there is no event, or the first does not open a run.
    """
    every = tuple(events)
    readings: dict[str, list[Reading]] = {}
    for event in every:
        if isinstance(event, GuardRead):
            for name, value in event.values.items():
                readings.setdefault(name, []).append(Reading(event.at, value))
    return RunReport(
        state=fold(every),
        readings={name: tuple(values) for name, values in readings.items()},
        breaches=tuple(event for event in every if isinstance(event, GuardBreached)),
        starts=sum(isinstance(event, MoveIntended) for event in every),
        handovers=tuple(event for event in every if isinstance(event, EngineChanged)),
        lost_leases=tuple(event for event in every if isinstance(event, LeaseLost)),
        events=len(every),
    )
