"""How long whole runs take: forecast and measured, in the same order and with the same moves side by side."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from .facts import Finished, MoveFacts

_OPEN_RUNS = 2000
_ENDS = 64
"""Earlier moves of a run among which the one that a start waited for is looked up."""
_SLACK_S = 0.05
_LISTED = 200


@dataclass(frozen=True, slots=True)
class RunSpan:
    """One run of at least two moves: seconds in which something was moving, idle gaps left out."""

    run: str
    moves: int
    measured_s: float
    forecast_s: tuple[float, ...]
    """For each way of forecasting."""


@dataclass(slots=True)
class _End:
    clock_s: float
    measured_s: float
    forecast_s: tuple[float, ...]


@dataclass(slots=True)
class _Open:
    moves: int = 0
    ends: list[_End] = field(default_factory=list)
    measured_s: float = 0.0
    forecast_s: tuple[float, ...] = ()


class Makespans:
    """Follows runs as their rows pass by; bounded memory.

    A move that started when an earlier one had ended is taken to start when the latest such one ends, in the
    forecast as in the measurement; one that started beside others starts with the run.
    """

    def __init__(self, ways: int) -> None:
        self._ways = ways
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self.listed: list[RunSpan] = []
        self.errors = [array("d") for _ in range(ways)]

    def add(self, facts: MoveFacts, finished: Finished, forecast_s: Sequence[float]) -> None:
        """One more move, in order of starts, with its forecast durations."""
        seconds = finished.duration_s if finished.duration_s is not None else facts.give_up_s
        run = self._open.setdefault(facts.run, _Open(forecast_s=(0.0,) * self._ways))
        self._open.move_to_end(facts.run)
        if seconds is not None:
            _place(run, facts, seconds, forecast_s)
        if len(self._open) > _OPEN_RUNS:
            self._close(*self._open.popitem(last=False))

    def close(self) -> None:
        """No more rows."""
        while self._open:
            self._close(*self._open.popitem(last=False))

    def _close(self, name: str, run: _Open) -> None:
        if run.moves < 2:
            return
        for errors, forecast_s in zip(self.errors, run.forecast_s, strict=True):
            errors.append(abs(forecast_s - run.measured_s) / run.measured_s)
        if len(self.listed) < _LISTED:
            self.listed.append(RunSpan(name, run.moves, run.measured_s, run.forecast_s))


def _place(run: _Open, facts: MoveFacts, seconds: float, forecast_s: Sequence[float]) -> None:
    before = _waited_for(run, facts)
    begin, begins = (0.0, (0.0,) * len(forecast_s)) if before is None else (before.measured_s, before.forecast_s)
    clock = (facts.started_s if facts.started_s is not None else begin) + seconds
    end = _End(clock, begin + seconds, tuple(a + b for a, b in zip(begins, forecast_s, strict=True)))
    run.ends = [*run.ends[1 - _ENDS :], end]
    run.moves += 1
    run.measured_s = max(run.measured_s, end.measured_s)
    run.forecast_s = tuple(max(a, b) for a, b in zip(run.forecast_s, end.forecast_s, strict=True))


def _waited_for(run: _Open, facts: MoveFacts) -> _End | None:
    """The end that the start waited for: without clocks, of the move whose place in the link came free."""
    if facts.started_s is None:
        return run.ends[-facts.streams] if len(run.ends) >= facts.streams else None
    over = [end for end in run.ends if end.clock_s <= facts.started_s + _SLACK_S]
    return max(over, key=lambda end: end.clock_s) if over else None
