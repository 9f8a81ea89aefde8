"""The guard's law: additive increase, multiplicative decrease of the moves at once, by what they do to others.

A breach of any line holds new starts at once and halves what is allowed; calm for long enough lets starts go on with
that, and each further stretch of calm allows one more, up to the operator's ceiling. A run obeys it, and a plan
foresees it: both ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

CSV_LATENCY = "csv latency s"
"""The worst shared volume's, seconds an operation."""
MISSED_HEARTBEATS = "missed heartbeats"
"""NetFT, the worst node's."""
HOST_CPU = "host cpu fraction"
"""The busiest node that takes part, 0 to 1."""
FREE_MEMORY = "free memory fraction"
"""The fullest destination's, 0 to 1."""
REDIRECTED = "redirected io per s"
SMB_STALLS = "smb credit stalls per s"


@dataclass(frozen=True, slots=True)
class Lines:
    """What must not be crossed. The numbers are priors of this project, not Microsoft's; None leaves a line out."""

    csv_latency_s: float | None = 0.050
    missed_heartbeats: float | None = 5.0
    host_cpu_fraction: float | None = 0.90
    free_memory_fraction: float | None = 0.03
    redirected_io_per_s: float | None = 1000.0
    smb_stalls_per_s: float | None = None
    calm_s: float = 20.0
    """How long every line has to be kept before starts go on."""
    raise_after_s: float = 60.0
    """Calm after which one more is allowed."""

    def above(self) -> tuple[tuple[str, float | None], ...]:
        """Lines that are crossed from below."""
        return (
            (CSV_LATENCY, self.csv_latency_s),
            (MISSED_HEARTBEATS, self.missed_heartbeats),
            (HOST_CPU, self.host_cpu_fraction),
            (REDIRECTED, self.redirected_io_per_s),
            (SMB_STALLS, self.smb_stalls_per_s),
        )

    def limit_of(self, name: str) -> float | None:
        """The line that a reading is measured against, for the screens."""
        return {**dict(self.above()), FREE_MEMORY: self.free_memory_fraction}.get(name)


def crossed(lines: Lines, values: Mapping[str, float]) -> tuple[str, ...]:
    """A sentence for each line that the readings cross; a reading that is missing crosses nothing."""
    over = [
        f"{_reading(name, values[name])} is over {_amount(name, limit)}"
        for name, limit in lines.above()
        if limit is not None and name in values and values[name] > limit
    ]
    free, floor = values.get(FREE_MEMORY), lines.free_memory_fraction
    if free is not None and floor is not None and free < floor:
        over.append(f"{_reading(FREE_MEMORY, free)} is under {_amount(FREE_MEMORY, floor)}")
    return tuple(over)


_WORDS: Mapping[str, tuple[str, float, str]] = {
    CSV_LATENCY: ("CSV latency", 1000.0, " ms"),
    MISSED_HEARTBEATS: ("missed heartbeats", 1.0, ""),
    HOST_CPU: ("the busiest host's CPU", 100.0, " %"),
    FREE_MEMORY: ("free memory of the fullest destination", 100.0, " %"),
    REDIRECTED: ("redirected I/O", 1.0, " a second"),
    SMB_STALLS: ("SMB credit stalls", 1.0, " a second"),
}
"""What people call each line, the factor to the unit they read it in, and that unit."""


def _reading(name: str, value: float) -> str:
    return f"{_WORDS[name][0]} {_amount(name, value)}"


def _amount(name: str, value: float) -> str:
    _, factor, unit = _WORDS[name]
    return f"{value * factor:.4g}{unit}"


class Verdict(Enum):
    STEADY = "steady"
    BREACHED = "breached"
    CALMED = "calmed"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a guard stands when a reading comes."""

    allowed: int
    """Moves at once."""
    holding: bool = False
    still_s: float | None = None
    """Seconds since it last held, let go or raised; None where nothing was ever read."""


def judged(lines: Lines, stance: Stance, ceiling: int, *, over: bool) -> tuple[Verdict, int]:
    """What follows from a reading, and how many moves at once are allowed then.

    Args:
        ceiling: moves at once that the operator allows.
        over: whether any line is crossed. A new breach halves; one that goes on only restarts the wait for calm.
    """
    allowed = min(stance.allowed, ceiling)
    if over:
        return Verdict.BREACHED, allowed if stance.holding else max(1, allowed // 2)
    if stance.still_s is None:
        return Verdict.STEADY, allowed
    if stance.holding:
        return (Verdict.CALMED if stance.still_s >= lines.calm_s else Verdict.STEADY), allowed
    if allowed < ceiling and stance.still_s >= lines.raise_after_s:
        return Verdict.RAISED, allowed + 1
    return Verdict.STEADY, allowed
