"""What a move's own passes tell while it is under way: its dirtying, whether it will converge, when it will be over."""

from __future__ import annotations

import math
from collections.abc import Sequence

from console.model.past import Pass

from .model import Overheads, PowerLaw, Precopy, StopRule, precopy

_GENTLEST, _STEEPEST = 0.1, 0.7
"""Exponents that measured guests have; two passes alone would let one believe anything."""
_LATEST = 4
"""Passes that are looked at: the short ones of the end say most about the next."""


def law_of(passes: Sequence[Pass]) -> PowerLaw | None:
    """The dirtying law that leads through the last pass, bent as the last few passes are; None without any."""
    seen = [each for each in passes if each.duration_s > 0 and each.dirtied_bytes > 0][-_LATEST:]
    if not seen or passes[-1].dirtied_bytes <= 0:
        return PowerLaw(0.0, _GENTLEST) if passes else None
    exponent = min(_STEEPEST, max(_GENTLEST, _slope(seen)))
    last = seen[-1]
    return PowerLaw(last.dirtied_bytes / math.pow(last.duration_s, exponent), exponent)


def rest_of(
    passes: Sequence[Pass],
    left_bytes: float,
    rate_bytes_per_s: float,
    stop: StopRule,
    after: Overheads | None = None,
) -> Precopy:
    """What is still to come after the passes seen so far, ``left_bytes`` first; seconds from now.

    Raises:
        ValueError: no pass was seen yet, or the rate is not above 0.
    """
    law = law_of(passes)
    if law is None:
        raise ValueError("the rest can be told from the first finished pass on")
    if left_bytes <= stop.stop_bytes:
        law = PowerLaw(0.0, _GENTLEST)
    return precopy(left_bytes, rate_bytes_per_s, law, stop, after)


def _slope(passes: Sequence[Pass]) -> float:
    """Least squares in logarithms; the middle of the measured exponents where all passes took equally long."""
    times = [math.log(each.duration_s) for each in passes]
    sizes = [math.log(each.dirtied_bytes) for each in passes]
    middle_time, middle_size = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((time - middle_time) ** 2 for time in times)
    if spread < 1e-6:
        return (_GENTLEST + _STEEPEST) / 2
    return sum((t - middle_time) * (s - middle_size) for t, s in zip(times, sizes, strict=True)) / spread
