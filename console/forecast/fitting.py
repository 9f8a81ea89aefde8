"""Fit a calibration to finished moves: robust least squares on their durations' relative errors.

Seven constants, each held near its prior as long as the evidence is weak, so that a handful of moves can
not bend the forecast and an outlier hardly counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .calibration import Calibration, physics
from .facts import MoveFacts
from .priors import Priors

Sample = tuple[MoveFacts, float]
"""A finished move and its duration in seconds."""

_SPREADS = (2.0, 0.1, 1.0, 1.0, 1.0, 0.7, 1.5)
"""How far, in logarithms, each constant may be from its prior."""
_FLOOR = 0.25
"""Weight of the priors against evidence whose residuals have the scale below."""
_SCALE = 0.04
"""Residuals above it count less and less."""
_FAR = 1e3
_STEP = 0.02
_STARTS = ((1.0, 1.0, 1.0), (0.01, 1.0, 0.3), (0.01, 2.0, 0.4))
"""Overhead, compression and compressor to begin with: as believed, and where next to nothing is lost. Between them the
residuals have hardly a slope to follow."""
_FIRST_ROUNDS, _ROUNDS = 4, 12
"""From every start, and then from the best of them."""
_FEWEST = 8


def fit(samples: Sequence[Sample], priors: Priors, start: Calibration | None = None) -> Calibration:
    """The calibration under which the samples' durations are most likely; neutral below eight samples."""
    if len(samples) < _FEWEST:
        return start or Calibration()
    begins = [[math.log(o), 0.0, 0.0, 0.0, 0.0, math.log(ratio), math.log(c)] for o, ratio, c in _STARTS]
    if start is not None:
        begins = [[math.log(value) for value in start.multiples()]]
    _, best = min(_descend(begin, samples, priors, _FIRST_ROUNDS) for begin in begins)
    _, best = _descend(best, samples, priors, _ROUNDS)
    fitted = _calibration(best)
    other = replace(fitted, dark_pass_counts=True)
    losses = [_loss(_errors(each, samples, priors), best) for each in (fitted, other)]
    return other if losses[1] < losses[0] else fitted


def _calibration(point: Sequence[float]) -> Calibration:
    overhead, line, stream, base, zeros, compression, compressor = (math.exp(value) for value in point)
    return Calibration(overhead, line, stream, base, zeros, compression, compressor)


def _residuals(point: Sequence[float], samples: Sequence[Sample], priors: Priors) -> list[float]:
    return _errors(_calibration(point), samples, priors)


def _errors(calibration: Calibration, samples: Sequence[Sample], priors: Priors) -> list[float]:
    return [min(_FAR, physics(facts, calibration, priors).duration_s / seconds - 1) for facts, seconds in samples]


def _loss(residuals: Sequence[float], point: Sequence[float]) -> float:
    data = sum(2 * (math.sqrt(1 + (each / _SCALE) ** 2) - 1) for each in residuals)
    return data + _FLOOR * sum((value / spread) ** 2 for value, spread in zip(point, _SPREADS, strict=True))


def _descend(point: list[float], samples: Sequence[Sample], priors: Priors, rounds: int) -> tuple[float, list[float]]:
    """Levenberg and Marquardt's steps with weights that outliers lose."""
    residuals = _residuals(point, samples, priors)
    loss, damping = _loss(residuals, point), 1e-2
    for _ in range(rounds):
        slopes = [
            [(moved - here) / _STEP for moved, here in zip(nudged, residuals, strict=True)]
            for nudged in (_residuals(_nudged(point, at), samples, priors) for at in range(len(point)))
        ]
        improved = False
        for _ in range(6):
            tried = _stepped(point, residuals, slopes, damping)
            trial = _residuals(tried, samples, priors)
            new = _loss(trial, tried)
            if new < loss:
                gain, point, residuals, loss, damping = loss - new, tried, trial, new, damping / 5
                improved = gain > 1e-3 * (1 + loss)
                break
            damping *= 6
        if not improved:
            break
    return loss, point


def _nudged(point: Sequence[float], at: int) -> list[float]:
    moved = list(point)
    moved[at] += _STEP
    return moved


def _stepped(
    point: Sequence[float], residuals: Sequence[float], slopes: Sequence[Sequence[float]], damping: float
) -> list[float]:
    size = len(point)
    weights = [1 / (_SCALE**2 * math.sqrt(1 + (each / _SCALE) ** 2)) for each in residuals]
    matrix = [
        [sum(w * a * b for w, a, b in zip(weights, slopes[row], slopes[column], strict=True)) for column in range(size)]
        for row in range(size)
    ]
    right = [-sum(w * a * r for w, a, r in zip(weights, slopes[row], residuals, strict=True)) for row in range(size)]
    for at, spread in enumerate(_SPREADS):
        matrix[at][at] = matrix[at][at] * (1 + damping) + _FLOOR / spread**2
        right[at] -= _FLOOR * point[at] / spread**2
    step = _solved(matrix, right)
    return [min(8.0, max(-8.0, value + min(1.5, max(-1.5, by)))) for value, by in zip(point, step, strict=True)]


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination; the priors keep the matrix regular."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for below in range(at + 1, size):
            factor = rows[below][at] / rows[at][at]
            rows[below] = [low - factor * high for low, high in zip(rows[below], rows[at], strict=True)]
    answer = [0.0] * size
    for at in reversed(range(size)):
        known = sum(rows[at][column] * answer[column] for column in range(at + 1, size))
        answer[at] = (rows[at][size] - known) / rows[at][at]
    return answer


_STOP_SHARES = tuple(step / 10 for step in range(11))


def fit_stop_share(samples: Sequence[tuple[MoveFacts, float]], calibration: Calibration, priors: Priors) -> Calibration:
    """The share with the least mean error of blackouts in seconds; as it was with fewer than eight of them.

    Args:
        samples: moves with their measured blackouts.
    """
    if len(samples) < _FEWEST:
        return calibration
    tried = [replace(calibration, stop_share=share) for share in _STOP_SHARES]
    return min(
        tried, key=lambda each: sum(abs(physics(facts, each, priors).blackout_s - dark) for facts, dark in samples)
    )
