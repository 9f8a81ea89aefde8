"""What all moves of a site have in common: the seconds that copy nothing, and the share of the rate that is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from console.model.past import FinishedMove

from .priors import Priors
from .transport import Path

_OVERHEAD_WEIGHT = 0.2
_RATE_WEIGHT = 0.02
"""How much the priors of overhead and rate weigh, in moves that are nothing but overhead or copying."""
_SCALES = (1.0, 1.0, 0.5, 0.25, 0.1, 0.05, 0.05, 0.05)
"""Of relative errors, round by round: above it an error counts less. At first all count, so that a site which is quite
unlike the priors is not taken for a row of outliers."""

_LEAST_S = 0.1
"""Of a move's time, what is left at the least when its wait for networks is taken off."""


@dataclass(frozen=True, slots=True)
class SiteConstants:
    """What all moves of the site have in common."""

    overhead_s: float
    rate_factor: float
    moves: int


@dataclass(frozen=True, slots=True)
class Told:
    """A finished move, its path, and what it sent, seen or computed."""

    move: FinishedMove
    path: Path
    rate_bytes_per_s: float
    """By the priors, while it copied, with those that copied beside it."""
    sent_bytes: float

    @property
    def copying_s(self) -> float:
        """At the rate that the priors give."""
        return self.sent_bytes / self.rate_bytes_per_s

    def expected_s(self, site: SiteConstants) -> float:
        """What the site's constants make of a move's bytes."""
        return site.overhead_s + self.path.selection_s + self.copying_s / site.rate_factor


def fit_site(moves: Sequence[Told], priors: Priors) -> SiteConstants:
    """Overhead and share of the rate by robust least squares of relative errors, held near the priors."""
    believed = priors.overhead_before_s + priors.overhead_after_s + priors.tcp.handover_s
    told = [(each.move.duration_s, each) for each in moves if each.move.duration_s]
    points = [(max(_LEAST_S, seconds - each.path.selection_s), each.copying_s) for seconds, each in told]
    overhead, stretch = believed, 1.0
    for scale in _SCALES if points else ():
        overhead, stretch = _refined(points, (overhead, stretch), believed, scale)
    return SiteConstants(overhead, 1.0 / stretch, len(points))


def _refined(
    points: Sequence[tuple[float, float]], start: tuple[float, float], believed: float, scale: float
) -> tuple[float, float]:
    """One round: solve two normal equations under weights that outliers lose."""
    overhead, stretch = start
    a, b, c = (
        _OVERHEAD_WEIGHT / median(seconds for seconds, _ in points) ** 2,
        0.0,
        _RATE_WEIGHT / max(1.0, stretch) ** 2,
    )
    x, y = a * believed, c
    for seconds, copying in points:
        off = (overhead + stretch * copying) / seconds - 1
        weight = scale / (seconds**2 * max(scale, abs(off)))
        a, b, c = a + weight, b + weight * copying, c + weight * copying**2
        x, y = x + weight * seconds, y + weight * copying * seconds
    determinant = a * c - b * b
    solved = ((c * x - b * y) / determinant, (a * y - b * x) / determinant) if determinant > 0 else start
    return max(0.1, solved[0]), min(20.0, max(0.05, solved[1]))
