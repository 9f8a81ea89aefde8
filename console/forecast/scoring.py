"""Scores of forecasts against what happened: exact figures from a million moves in a few megabytes."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from .facts import Finished
from .learner import Forecast

_SHARES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Errors:
    """Sizes of errors, in the unit of the field that holds them; None without any."""

    count: int
    mean: float | None
    median: float | None
    p90: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Moves by what was forecast and what happened."""

    converged_as_forecast: int
    converged_unexpectedly: int
    failed_as_forecast: int
    failed_unexpectedly: int

    @property
    def right_fraction(self) -> float | None:
        right = self.converged_as_forecast + self.failed_as_forecast
        total = right + self.converged_unexpectedly + self.failed_unexpectedly
        return right / total if total else None


@dataclass(frozen=True, slots=True)
class Score:
    duration: Errors
    """Fractions of the duration."""
    blackout: Errors
    """Seconds."""
    duration_coverage: float | None
    """Of the moves, those that ended inside their p90."""
    blackout_coverage: float | None
    convergence: Confusion


class Scorer:
    """Collects how one way of forecasting does."""

    def __init__(self) -> None:
        self._durations = array("d")
        self._blackouts = array("d")
        self._inside = 0
        self._dark_inside = 0
        self._convergence = {(said, was): 0 for said in (True, False) for was in (True, False)}

    def add(self, forecast: Forecast, finished: Finished) -> None:
        self._convergence[forecast.converges, finished.converged] += 1
        if finished.duration_s is None:
            return
        self._durations.append(abs(forecast.duration_p50_s - finished.duration_s) / finished.duration_s)
        self._inside += finished.duration_s <= forecast.duration_p90_s
        if finished.blackout_s is not None:
            self._blackouts.append(abs(forecast.blackout_p50_s - finished.blackout_s))
            self._dark_inside += finished.blackout_s <= forecast.blackout_p90_s

    def score(self) -> Score:
        counts = self._convergence
        return Score(
            errors_of(self._durations),
            errors_of(self._blackouts),
            _share(self._inside, len(self._durations)),
            _share(self._dark_inside, len(self._blackouts)),
            Confusion(counts[True, True], counts[False, True], counts[False, False], counts[True, False]),
        )


def errors_of(values: Sequence[float]) -> Errors:
    """Mean and nearest-rank quantiles."""
    if not values:
        return Errors(0, None, None, None, None)
    ordered = sorted(values)
    median, p90, p99 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in _SHARES)
    return Errors(len(ordered), sum(ordered) / len(ordered), median, p90, p99)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
