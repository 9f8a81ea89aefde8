"""The few constants that all moves of a site share, and the arithmetic of one move under them."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import NamedTuple

from .facts import Carrier, MoveFacts, Physics
from .model import (
    STOP_SHARE,
    Dirtying,
    Ending,
    Overheads,
    Precopy,
    SaturatingSet,
    StopRule,
    at_the_rule_s,
    precopy,
)
from .priors import Priors, TransportPriors, Workload

PAGE_STRUCTURES = 64 / 4096
"""Of a Linux guest's memory, filled with the 64 bytes that the kernel keeps for each page of 4 KiB."""

_MULTIPLES = 7
_STALLED = 0.9
"""A pass that leaves this share of the one before makes no progress worth the name."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Multiples of the priors (1 means: nothing was learned yet), and two habits of the hypervisor."""

    overhead: float = 1.0
    """Of the seconds that copy nothing."""
    line: float = 1.0
    """Of the share of a link that moves use."""
    stream: float = 1.0
    """Of what one stream reaches."""
    base: float = 1.0
    """Of the memory that a guest fills beside what is known to be filled."""
    zeros: float = 1.0
    """Of the time it takes to skip memory that is zero."""
    compression: float = 1.0
    """Of the bytes of guest memory for a byte on the wire."""
    compressor: float = 1.0
    """Of what the processors compress."""
    stop_share: float = STOP_SHARE
    """Of the blackout that the hypervisor aims at: the least that a move sees which converges in its first pass."""
    dark_pass_counts: bool = False
    """Whether the cap on passes counts the one in the dark."""

    def multiples(self) -> tuple[float, ...]:
        return astuple(self)[:_MULTIPLES]


class Load(NamedTuple):
    """One move as the passes see it, on a link of its own."""

    content_bytes: float
    before_s: float
    handover_s: float
    after_s: float
    dirtying: Dirtying
    stop_seconds: float
    pass_cap: int | None
    give_up_s: float | None


_PRIORS_OF = {
    Carrier.TCP.value: "tcp",
    Carrier.COMPRESSION.value: "compression",
    Carrier.SMB.value: "smb",
    Carrier.RDMA.value: "smb_direct",
}


def transport_of(facts: MoveFacts, priors: Priors) -> TransportPriors:
    """The priors of the move's transport; a word that is not known counts as plain TCP."""
    found: TransportPriors = getattr(priors, _PRIORS_OF.get(facts.transport, "tcp"))
    return found


def rate_bytes_per_s(facts: MoveFacts, calibration: Calibration, priors: Priors, sharing: float) -> float:
    """Guest memory per second while ``sharing`` moves share the link."""
    transport = transport_of(facts, priors)
    ratio = transport.compression_ratio
    if ratio > 1:
        ratio *= calibration.compression
    wire = facts.link_bytes_per_s * transport.line_share * calibration.line / sharing
    rate = _both(wire, transport.stream_ceiling_bytes_per_s * calibration.stream) * ratio
    if ratio > 1:
        rate = _both(rate, priors.compressor_bytes_per_s * calibration.compressor)
    return max(rate, 1.0)


def _both(one: float, other: float) -> float:
    """The rate under two limits: near each other they cost a little more than the lower one alone."""
    return one * other / math.hypot(one, other)


def load_of(facts: MoveFacts, calibration: Calibration, priors: Priors) -> Load:
    """What has to be sent, the fixed seconds, and the rules that end the copying."""
    memory = facts.memory_bytes
    content = memory
    if facts.filled_bytes is not None:
        base = priors.base_bytes * calibration.base + PAGE_STRUCTURES * memory
        content = min(memory, facts.filled_bytes + base)
    skipping = (memory - content) * priors.zero_s_per_byte * calibration.zeros
    handover = transport_of(facts, priors).handover_s * calibration.overhead
    return Load(
        content,
        priors.overhead_before_s * calibration.overhead + skipping,
        handover,
        priors.overhead_after_s * calibration.overhead,
        _dirtying(facts, priors),
        priors.stop_s if facts.stop_seconds is None else facts.stop_seconds,
        None if facts.pass_cap is None else max(1, facts.pass_cap - calibration.dark_pass_counts),
        facts.give_up_s,
    )


def physics(facts: MoveFacts, calibration: Calibration, priors: Priors) -> Physics:
    """One move whose link is shared equally by ``facts.streams`` moves all the time."""
    load = load_of(facts, calibration, priors)
    rate = rate_bytes_per_s(facts, calibration, priors, facts.streams)
    found = _copy(load, rate, StopRule(rate * load.stop_seconds, load.pass_cap, _copying_limit(load)))
    if found.ending is Ending.PASS_CAP:
        return Physics(found.duration_s, found.blackout_s, found.passes, True)
    if found.ending is Ending.SMALL_ENOUGH:
        dark = rule_s(found.blackout_s, found.passes, load, calibration.stop_share)
        return Physics(max(found.duration_s, dark), dark, found.passes, True)
    return _stalled(load, rate, found)


def rule_s(blackout_s: float, passes: int, load: Load, stop_share: float) -> float:
    """The blackout of a move that the stop rule ended, given what its last pass alone would make of it."""
    return load.handover_s + at_the_rule_s(blackout_s - load.handover_s, passes, load.stop_seconds, stop_share)


def _stalled(load: Load, rate: float, found: Precopy) -> Physics:
    """A move that should not converge, ended where it stalls: those that do converge get there by luck."""
    luck = _copy(load, rate, StopRule(rate * load.stop_seconds, load.pass_cap, None, _STALLED))
    seconds = luck.duration_s if load.give_up_s is None else min(luck.duration_s, load.give_up_s)
    blackout = min(luck.blackout_s, load.stop_seconds + load.handover_s, seconds)
    return Physics(seconds, blackout, found.passes, False)


def _copying_limit(load: Load) -> float | None:
    return None if load.give_up_s is None else max(0.0, load.give_up_s - load.before_s)


def _copy(load: Load, rate: float, stop: StopRule) -> Precopy:
    overheads = Overheads(load.before_s, load.after_s, load.handover_s)
    return precopy(load.content_bytes, rate, load.dirtying, stop, overheads)


def _dirtying(facts: MoveFacts, priors: Priors) -> Dirtying:
    if facts.dirty_bytes_per_s is None:
        return priors.dirtying[Workload.GENERAL]
    working_set = facts.working_set_bytes
    if working_set is None:
        working_set = facts.memory_bytes
    return SaturatingSet.from_distinct_rate(working_set, facts.dirty_bytes_per_s)
