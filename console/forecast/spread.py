"""How far forecasts were off, and so how far to widen the next one: the p90 that evidence supports."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Final

from .windows import Kinds, Window

P90: Final = 0.9
_ENOUGH = 20
"""Errors of a group from which its own p90 is read."""


class Spread:
    """Errors (logarithms of actual ÷ forecast) by group, from the narrowest with enough of them to all."""

    def __init__(self, prior_factor: float) -> None:
        self._prior = math.log(prior_factor)
        self._everywhere = Window(400)
        self._groups: Kinds[Window] = Kinds(lambda: Window(200))

    def widening(self, groups: Sequence[Hashable]) -> float:
        """The factor that nine of ten moves stay under, at least 1."""
        for group in groups:
            found = self._groups.find(group)
            if found is not None and len(found) >= _ENOUGH:
                return math.exp(max(0.0, found.upper(P90)))
        return math.exp(max(0.0, self._of_all()))

    def learn(self, groups: Sequence[Hashable], error: float) -> None:
        self._everywhere.add(error)
        for group in groups:
            self._groups.at(group).add(error)

    def _of_all(self) -> float:
        """Few errors only lean against the prior."""
        count = len(self._everywhere)
        if count == 0:
            return self._prior
        share = min(1.0, count / _ENOUGH)
        return share * self._everywhere.upper(P90) + (1 - share) * self._prior
