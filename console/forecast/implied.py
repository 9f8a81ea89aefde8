"""How fast a guest dirties its memory, told by how long its earlier moves took and left it dark.

The hosts' logs hold no passes. A move that took far longer than its memory needs, and ended in a long blackout, sent
the same memory again and again; of all laws near the one that was believed, that which explains both figures best is
taken. A move that is merely slow has no long blackout: no law explains it, and it is left to the pace of its VM.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .model import Overheads, PowerLaw, Precopy, StopRule, precopy

LONGER = 0.3
"""Logarithm of how much longer than expected a VM's moves have to have been before a reason is looked for."""
_EXPONENTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_FACTORS = tuple(2.0 ** (step / 4) for step in range(-4, 33))
"""On the believed bytes of the first second: from half of them to 256 times as much."""
_NEAR = tuple(1.02**step for step in range(-15, 16))
_STEEPER = tuple(0.02 * step for step in range(-4, 5))
_DURATION_SCALE, _BLACKOUT_SCALE = 0.1, 0.3
"""Logarithms by which a law that is right may still be off."""
_EXPONENT_SCALE, _FACTOR_SCALE = 0.3, 1.5
"""How far a law may be from the believed one."""
_DARK = 0.05
_DARKER = 2.0
_EXPLAINED = 4.0
"""The misfit of a law that explains what was seen: duration and blackout within one and a half of their scales."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One finished move, and the rate and the seconds without copying that it had."""

    memory_bytes: float
    rate_bytes_per_s: float
    overheads: Overheads
    stop: StopRule
    duration_s: float
    blackout_s: float


def law_behind(moves: Sequence[Observation], believed: PowerLaw) -> PowerLaw | None:
    """The law that explains the moves, or None where none near the believed one does."""
    if not moves or believed.bytes_in_first_second <= 0 or not all(_stayed_dark(move) for move in moves):
        return None
    laws = [
        PowerLaw(believed.bytes_in_first_second * factor, exponent) for exponent in _EXPONENTS for factor in _FACTORS
    ]
    best = min(laws, key=lambda law: _misfit(moves, law) + _strangeness(law, believed))
    return _to_the_point(moves, best) if _misfit(moves, best) <= _EXPLAINED else None


def _stayed_dark(move: Observation) -> bool:
    """Longer than the hypervisor aims at: the passes ended with much left to send."""
    aim_s = move.stop.stop_bytes / move.rate_bytes_per_s + move.overheads.handover_s
    return move.blackout_s > _DARKER * aim_s


def _to_the_point(moves: Sequence[Observation], law: PowerLaw) -> PowerLaw:
    """The law in between the steps that explains the moves best."""
    near = [PowerLaw(law.bytes_in_first_second * factor, law.exponent + more) for more in _STEEPER for factor in _NEAR]
    return min(near, key=lambda each: _misfit(moves, each))


def _misfit(moves: Sequence[Observation], law: PowerLaw) -> float:
    return sum(_off(move, law) for move in moves) / len(moves)


def _off(move: Observation, law: PowerLaw) -> float:
    found = _copied(move, law)
    dark = max(found.blackout_s, move.overheads.handover_s)
    darker = math.log((dark + _DARK) / (move.blackout_s + _DARK)) / _BLACKOUT_SCALE
    return (_longer(move, law) / _DURATION_SCALE) ** 2 + darker**2


def _longer(move: Observation, law: PowerLaw) -> float:
    return math.log(_copied(move, law).duration_s / move.duration_s)


def _copied(move: Observation, law: PowerLaw) -> Precopy:
    return precopy(move.memory_bytes, move.rate_bytes_per_s, law, move.stop, move.overheads)


def _strangeness(law: PowerLaw, believed: PowerLaw) -> float:
    steeper = (law.exponent - believed.exponent) / _EXPONENT_SCALE
    more = math.log(law.bytes_in_first_second / believed.bytes_in_first_second) / _FACTOR_SCALE
    return steeper**2 + more**2
