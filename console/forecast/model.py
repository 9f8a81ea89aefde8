"""Pre-copy live migration as arithmetic: passes over memory that is dirtied again while it is sent.

All sizes are bytes, all times seconds, all rates bytes per second *of guest memory* (a transport that compresses
moves more memory than it puts on the wire). The passes follow the description of live migration's memory copy:
everything once, then what was dirtied meanwhile, until what is left is small enough or the passes run out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol


class Dirtying(Protocol):
    """How much memory a guest touches: *distinct* bytes, so that writing a page twice counts once."""

    def distinct_bytes(self, seconds: float) -> float:
        """Distinct bytes dirtied in ``seconds``; concave, 0 at 0, never falling."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """``c * t^p``: the measured shape of most guests, with p between 0.1 and 0.7."""

    bytes_in_first_second: float
    exponent: float

    def distinct_bytes(self, seconds: float) -> float:
        if seconds <= 0 or self.bytes_in_first_second <= 0:
            return 0.0
        return self.bytes_in_first_second * math.pow(seconds, self.exponent)


_SATURATED = 0.97
"""A second that dirtied more of the working set tells no more about the rate: it went round several times."""


class SaturatingSet(NamedTuple):
    """Writes at random over a working set: ``W * (1 - exp(-r * t / W))`` plus a steady trickle outside it."""

    working_set_bytes: float
    write_bytes_per_s: float
    cold_bytes_per_s: float = 0.0

    def distinct_bytes(self, seconds: float) -> float:
        if seconds <= 0:
            return 0.0
        cold = self.cold_bytes_per_s * seconds
        if self.working_set_bytes <= 0 or self.write_bytes_per_s <= 0:
            return cold
        return self.working_set_bytes * -math.expm1(-self.write_bytes_per_s * seconds / self.working_set_bytes) + cold

    @classmethod
    def from_distinct_rate(cls, working_set_bytes: float, distinct_in_one_second: float) -> SaturatingSet:
        """The law of a guest of which only its working set and one second's distinct bytes are known."""
        if working_set_bytes <= 0 or distinct_in_one_second <= 0:
            return cls(0.0, 0.0, max(0.0, distinct_in_one_second))
        share = min(distinct_in_one_second / working_set_bytes, _SATURATED)
        return cls(working_set_bytes, -working_set_bytes * math.log1p(-share))


class Ending(Enum):
    """Why the passes ended."""

    SMALL_ENOUGH = "small enough"
    """What was left fell under the stop size: the move converged."""
    PASS_CAP = "pass cap"
    """The passes ran out; whatever was left went over in the blackout."""
    NO_PROGRESS = "no progress"
    """A pass left as much as the one before."""
    GAVE_UP = "gave up"
    """Abandoned after the time that the operator or the hypervisor allows."""


class StopRule(NamedTuple):
    """When a hypervisor ends the copying."""

    stop_bytes: float
    pass_cap: int | None = 10
    """Passes after which whatever is left goes over (prior for Hyper-V: 10)."""
    give_up_s: float | None = None
    no_progress_ratio: float | None = None
    """A pass that leaves more than this share of the one before ends the copying; None never ends it so. With 1, a
    first pass ends it too that leaves all of the memory."""
    stops_within_pass: bool = False
    """Whether the rule is also looked at during a pass (QEMU), so that the blackout sends nearly ``stop_bytes``."""


class Precopy(NamedTuple):
    """What one move's memory copy comes to."""

    duration_s: float
    blackout_s: float
    bytes_sent: float
    passes: int
    ending: Ending

    @property
    def converged(self) -> bool:
        return self.ending is Ending.SMALL_ENOUGH


class Overheads(NamedTuple):
    """Seconds of a move that copy nothing."""

    before_s: float = 0.0
    after_s: float = 0.0
    handover_s: float = 0.0
    """Dark, on top of sending the last bytes."""

    @property
    def total_s(self) -> float:
        return self.before_s + self.after_s + self.handover_s


_MOST_PASSES = 1000


def precopy(
    memory_bytes: float, rate_bytes_per_s: float, dirtying: Dirtying, stop: StopRule, overheads: Overheads | None = None
) -> Precopy:
    """Run the passes.

    ``v0 = M; t = v / B; v' = min(D(t), M)`` until ``v' <= stop_bytes``, the pass cap, no progress or the give-up
    time. The remainder is sent in the dark.

    Raises:
        ValueError: the rate is not positive, or the memory is negative.
    """
    if not rate_bytes_per_s > 0:
        raise ValueError(f"a move needs a rate above 0 bytes per second, got {rate_bytes_per_s}")
    if memory_bytes < 0:
        raise ValueError(f"memory can not be negative, got {memory_bytes}")
    extra = overheads or Overheads()
    remaining, copying_s, sent, passes, ending = _passes(memory_bytes, rate_bytes_per_s, dirtying, stop)
    if ending is Ending.GAVE_UP:
        return Precopy(stop.give_up_s or copying_s, 0.0, sent, passes, ending)
    last_s = remaining / rate_bytes_per_s
    blackout_s = last_s + extra.handover_s
    duration_s = extra.before_s + copying_s + blackout_s + extra.after_s
    return Precopy(duration_s, blackout_s, sent + remaining, passes, ending)


def _passes(
    memory_bytes: float, rate: float, dirtying: Dirtying, stop: StopRule
) -> tuple[float, float, float, int, Ending]:
    """Bytes left for the blackout, seconds copied, bytes sent so far, passes, why it ended."""
    remaining, copying_s, sent = memory_bytes, 0.0, 0.0
    stop_bytes, pass_cap, give_up_s, ratio, within = stop
    for number in range(1, _MOST_PASSES + 1):
        left = min(stop_bytes, remaining) if within else 0.0
        pass_s = (remaining - left) / rate
        if give_up_s is not None and copying_s + pass_s >= give_up_s:
            return remaining, copying_s, sent + (give_up_s - copying_s) * rate, number, Ending.GAVE_UP
        copying_s += pass_s
        sent += remaining - left
        after = dirtying.distinct_bytes(pass_s) + left
        after = after if after < memory_bytes else memory_bytes
        if after <= stop_bytes:
            return after, copying_s, sent, number, Ending.SMALL_ENOUGH
        if pass_cap is not None and number >= pass_cap:
            return after, copying_s, sent, number, Ending.PASS_CAP
        if ratio is not None and (number > 1 or ratio >= 1.0) and after - left >= (remaining - left) * ratio:
            return after, copying_s, sent, number, Ending.NO_PROGRESS
        remaining = after
    return remaining, copying_s, sent, _MOST_PASSES, Ending.NO_PROGRESS


STOP_SHARE = 0.25
"""Prior for the last argument of the next function."""


def at_the_rule_s(last_pass_s: float, passes: int, stop_seconds: float, share: float) -> float:
    """Seconds in the dark for the memory of a move that converges, where the hypervisor aims at ``stop_seconds``.

    The rule is looked at during passes too, so that a move which needed several goes dark as soon as it may: near the
    rule's limit, however little the last whole pass would have left. A move that converges in its first pass may
    leave less, but seldom less than a ``share`` of the limit. So a faster link never makes it longer.
    """
    return stop_seconds if passes > 1 else min(stop_seconds, max(last_pass_s, share * stop_seconds))


def fixed_point_bytes(law: PowerLaw, rate_bytes_per_s: float) -> float:
    """Where the passes of a power law settle: ``v* = (c / B^p)^(1 / (1 - p))``; the move converges when it is at
    most the stop size.

    Raises:
        ValueError: the exponent is 1 or more, where the passes settle nowhere.
    """
    if law.exponent >= 1:
        raise ValueError(f"no fixed point with exponent {law.exponent}")
    base = law.bytes_in_first_second / math.pow(rate_bytes_per_s, law.exponent)
    return math.pow(base, 1 / (1 - law.exponent))
