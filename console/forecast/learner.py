"""One forecaster that learns as moves finish: the arithmetic, calibrated; what it is off by; how far it is off."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .calibration import Calibration, physics
from .facts import Finished, MoveFacts, Physics
from .fitting import fit, fit_stop_share
from .levels import Levels, Opinion, keys_of
from .priors import Priors
from .spread import Spread

FITS = (12, 24, 48, 96, 192, 384)
"""Finished moves at which the calibration is fitted anew; after the last one only the levels go on learning."""
_SAMPLES = 240
"""Moves that a calibration is fitted to at most."""
SHORTEST_S = 1e-3
"""Durations below it count as this long: a logarithm of nothing teaches nothing."""
_DARK = 0.05
"""Seconds added to blackouts before their ratio is taken: below, a ratio says nothing."""


class Forecast(NamedTuple):
    """What is said of one move beforehand, with what is needed to learn from it afterwards."""

    duration_p50_s: float
    duration_p90_s: float
    blackout_p50_s: float
    blackout_p90_s: float
    converges: bool
    raw: Physics
    alone: Physics
    """With equal shares all the time, as long as a calibration is still to be fitted."""
    duration: Opinion
    blackout: Opinion
    groups: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class _Lesson:
    facts: MoveFacts
    finished: Finished
    duration_ratio: float
    """What changing shares made of the duration, and of the blackout."""
    blackout_ratio: float


class Learner:
    """Learns in the order in which moves finish; memory is bounded however many there are.

    Args:
        calibration: of moves seen elsewhere; then it stays as it is.
    """

    def __init__(self, priors: Priors | None = None, calibration: Calibration | None = None) -> None:
        self.priors = priors or Priors()
        self.calibration = calibration or Calibration()
        self._lessons: list[_Lesson] | None = [] if calibration is None else None
        self._forget_errors()

    def _forget_errors(self) -> None:
        self._durations = Levels()
        self._blackouts = Levels(abs)
        self._duration_spread = Spread(self.priors.duration_p90_factor)
        self._blackout_spread = Spread(self.priors.blackout_p90_factor)

    def physics(self, facts: MoveFacts) -> Physics:
        return physics(facts, self.calibration, self.priors)

    def forecast(self, facts: MoveFacts, raw: Physics | None = None) -> Forecast:
        """Forecast a move; ``raw`` where the passes were computed together with those of the moves beside it."""
        alone = self.physics(facts) if raw is None or self._lessons is not None else raw
        raw = raw or alone
        keys = keys_of(facts)
        duration, blackout = self._durations.opinion(keys), self._blackouts.opinion(keys)
        groups = (keys.kind, (facts.transport, _effort(raw)))
        seconds = raw.duration_s * math.exp(duration.correction)
        dark = min(max(0.0, raw.blackout_s + blackout.correction), seconds)
        late = seconds * self._duration_spread.widening(groups)
        darker = (dark + _DARK) * self._blackout_spread.widening(groups) - _DARK
        return Forecast(seconds, late, dark, min(darker, late), raw.converges, raw, alone, duration, blackout, groups)

    def learn(self, facts: MoveFacts, forecast: Forecast, finished: Finished) -> None:
        """Take in how a move that was forecast ended; one that did not converge has no duration to learn from."""
        if finished.duration_s is None or not finished.converged:
            return
        self._take_in(forecast, finished)
        if self._lessons is not None:
            raw, alone = forecast.raw, forecast.alone
            ratio = raw.blackout_s / alone.blackout_s if alone.blackout_s > 0 else 1.0
            self._lessons.append(_Lesson(facts, finished, raw.duration_s / alone.duration_s, ratio))
            if len(self._lessons) in FITS:
                self._fit_anew(self._lessons)
            if len(self._lessons) >= FITS[-1]:
                self._lessons = None

    def _take_in(self, forecast: Forecast, finished: Finished) -> None:
        assert finished.duration_s is not None
        error = math.log(max(finished.duration_s, SHORTEST_S) / forecast.raw.duration_s)
        self._durations.learn(forecast.duration, error)
        self._duration_spread.learn(forecast.groups, error - forecast.duration.correction)
        if finished.blackout_s is not None:
            self._blackouts.learn(forecast.blackout, finished.blackout_s - forecast.raw.blackout_s)
            off = math.log((finished.blackout_s + _DARK) / (forecast.blackout_p50_s + _DARK))
            self._blackout_spread.learn(forecast.groups, off)

    def _fit_anew(self, lessons: Sequence[_Lesson]) -> None:
        """Fit the calibration and go through everything once more: earlier errors were those of another one."""
        self.calibration = fit_to([(each.facts, each.finished) for each in lessons], self.priors)
        self._forget_errors()
        for lesson in lessons:
            alone = self.physics(lesson.facts)
            seconds, dark = alone.duration_s * lesson.duration_ratio, alone.blackout_s * lesson.blackout_ratio
            raw = Physics(seconds, dark, alone.passes, alone.converges)
            self._take_in(self.forecast(lesson.facts, raw), lesson.finished)


def fit_to(moves: Sequence[tuple[MoveFacts, Finished]], priors: Priors) -> Calibration:
    """A calibration from finished moves, evenly chosen among many; those that shared a link with changing shares
    serve only where too few had theirs alone."""
    done = [(facts, end.duration_s) for facts, end in moves if end.duration_s is not None and end.converged]
    alone = [(facts, seconds) for facts, seconds in done if facts.streams == 1]
    chosen = alone if len(alone) >= FITS[0] else done
    step = max(1.0, len(chosen) / _SAMPLES)
    picked = [chosen[int(at * step)] for at in range(min(len(chosen), _SAMPLES))]
    fitted = fit([(facts, max(seconds, SHORTEST_S)) for facts, seconds in picked], priors)
    dark = [(facts, end.blackout_s) for facts, end in moves if end.blackout_s is not None and facts.streams == 1]
    return fit_stop_share(dark[-_SAMPLES:], fitted, priors)


def _effort(raw: Physics) -> str:
    if not raw.converges:
        return "does not converge"
    return "few passes" if raw.passes <= 2 else "some passes" if raw.passes <= 5 else "many passes"
