"""How a guest dirties its memory: distinct bytes written within a span of time.

Measured guests follow a power of time or a hot set that saturates; neither is linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class DirtyLaw(Protocol):
    """Distinct bytes dirtied in a span; concave, zero at zero."""

    def distinct_bytes(self, seconds: float) -> float: ...


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """``c · t^p``: c bytes in the first second, 0 < p < 1."""

    first_second_bytes: float
    exponent: float

    def distinct_bytes(self, seconds: float) -> float:
        return self.first_second_bytes * seconds**self.exponent if seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class HotSet:
    """``min(hot · t/τ, hot) + cold · t``: a working set touched within τ seconds, and a slow trickle."""

    hot_bytes: float
    tau_s: float
    cold_bytes_per_s: float

    def distinct_bytes(self, seconds: float) -> float:
        if seconds <= 0:
            return 0.0
        return min(self.hot_bytes * seconds / self.tau_s, self.hot_bytes) + self.cold_bytes_per_s * seconds


def dirtied_bytes(law: DirtyLaw, seconds: float, memory_bytes: float) -> float:
    """What the next pass has to send after one that took ``seconds``; never more than the memory."""
    return min(law.distinct_bytes(seconds), memory_bytes)
