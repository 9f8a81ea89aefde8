"""The lab's own pre-copy against real moves: QEMU's, measured one at a time over a link of a known speed.

What the world is given is what the rig knew before each move: link, sizes, how the guest writes, QEMU's own stop rule.
The world does the rest: passes, the end, the blackout. See ``tests/data/qemu-precopy``.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.clock import ManualClock
from console.lab.serve import EPOCH
from console.lab.world.cluster import LabCluster
from console.lab.world.law import DirtyLaw, HotSet, PowerLaw
from console.lab.world.moving import Phase
from console.lab.world.spec import parse_scenario
from console.lab.world.transport import TCP_EFFICIENCY
from console.model.units import GIB, PAGE_BYTES

MOVES = Path(__file__).parents[2] / "data" / "qemu-precopy" / "moves.csv"
ZERO_PAGE_BYTES = 9
"""What QEMU sends for a page of zeros."""
SYSTEM_BYTES = 62e6
"""Kernel and program, beside what the guest filled: median of the idle moves."""
FORCED_PASSES = 9
"""QEMU counts the scan before the first pass too, so that the rig, which forces at 10, lets nine passes end."""
ACHIEVED = ((100e6, 0.99), (150e6, 0.95), (260e6, 0.875), (math.inf, 0.81))
"""Up to which link speed what share of it the rig reached (its description, tbf)."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """Writes spread evenly over a set of pages."""

    set_bytes: float
    written_bytes_per_s: float

    def distinct_bytes(self, seconds: float) -> float:
        if self.set_bytes <= 0:
            return 0.0
        return self.set_bytes * -math.expm1(-self.written_bytes_per_s * seconds / self.set_bytes)


@dataclass(frozen=True, slots=True)
class Together:
    """Several laws on pages of their own."""

    parts: tuple[DirtyLaw, ...]

    def distinct_bytes(self, seconds: float) -> float:
        return sum(part.distinct_bytes(seconds) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Measured:
    """One real move."""

    id: str
    memory_bytes: int
    filled_bytes: int
    link_bytes_per_s: float
    law: DirtyLaw
    stop_s: float
    forced: bool
    give_up_s: float
    """When the rig cancelled a move that was not over."""
    duration_s: float
    """Not a number where it was given up."""
    blackout_s: float
    completed: bool

    @property
    def sent_at_first_bytes(self) -> float:
        full_bytes = self.filled_bytes + SYSTEM_BYTES
        return full_bytes + max(0.0, self.memory_bytes - full_bytes) / PAGE_BYTES * ZERO_PAGE_BYTES


@dataclass(frozen=True, slots=True)
class Simulated:
    """The same move in the world; None for one that was still copying when the rig would have given it up."""

    duration_s: float | None
    blackout_s: float | None
    passes: int


def law_of(pattern: str, set_bytes: float, rate: float) -> DirtyLaw:
    """How the rig's guest writes: evenly, in a sweep, or four fifths of it to one fifth of the pages."""
    if pattern == "idle" or set_bytes <= 0 or rate <= 0:
        return PowerLaw(0.0, 0.5)
    if pattern == "seq":
        return HotSet(set_bytes, set_bytes / rate, 0.0)
    if pattern == "hotcold":
        return Together((Uniform(set_bytes * 0.2, rate * 0.8), Uniform(set_bytes * 0.8, rate * 0.2)))
    return Uniform(set_bytes, rate)


def measured_moves() -> tuple[Measured, ...]:
    """Every move in the data."""
    with MOVES.open(encoding="utf-8", newline="") as lines:
        return tuple(_measured(row) for row in csv.DictReader(lines))


def _measured(row: dict[str, str]) -> Measured:
    return Measured(
        id=row["id"],
        memory_bytes=int(row["memory_bytes"]),
        filled_bytes=int(row["filled_bytes"]),
        link_bytes_per_s=float(row["link_bytes_per_s"]),
        law=law_of(row["pattern"], float(row["working_set_bytes"]), float(row["writes_bytes_per_s"])),
        stop_s=float(row["stop_s"]),
        forced=row["pass_cap"] != "",
        give_up_s=float(row["give_up_s"] or math.inf),
        duration_s=float(row["duration_s"] or math.nan),
        blackout_s=float(row["blackout_s"] or 0),
        completed=row["outcome"] == "completed",
    )


def simulate(move: Measured) -> Simulated:
    """Let the world carry it over."""
    share = next(share for limit, share in ACHIEVED if move.link_bytes_per_s <= limit)
    gbps = move.link_bytes_per_s * share / TCP_EFFICIENCY * 8 / 1e9
    scenario = f"""
title = "One move of the rig"
host_count = 2
[hosts]
migration_transport = "TCPIP"
[[networks]]
name = "Link"
address = "10.0.0.0"
gbps = {gbps!r}
[vms]
per_host = 0
[[vm]]
name = "guest"
host = "HV01"
memory_gib = {move.sent_at_first_bytes / GIB!r}
[physics]
stop_s = {move.stop_s!r}
pass_cap = {FORCED_PASSES if move.forced else 10_000}
stop_without_progress = false
tcp_stream_bytes_per_s = 1e12
"""
    cluster = LabCluster(parse_scenario(scenario), 1, ManualClock(EPOCH))
    world = cluster.world
    guest = next(iter(world.vms.values()))
    guest.law = move.law
    group = world.group_of(guest.id)
    assert group is not None
    going = cluster.service.move_vm_role(group, "HV02", "Live")
    assert going is not None
    world.advance_to(going.setup_s + going.finish_s + move.give_up_s)
    if going.phase is not Phase.ENDED or going.blackout_started_s is None or going.blackout_s is None:
        return Simulated(None, None, going.passes)
    assert going.copying_s is not None
    blackout_s = going.blackout_s - going.handover_s
    return Simulated(going.blackout_started_s - going.copying_s + blackout_s, blackout_s, going.passes)


@dataclass(frozen=True, slots=True)
class Score:
    """How far the world is from the rig, over the moves that both complete."""

    moves: int
    median: float
    p90: float
    bias: float
    """Median of the signed errors."""
    blackout_p90_s: float
    judged_alike: float
    """Share of moves that both complete or neither does."""


def score(pairs: Iterable[tuple[Measured, Simulated]]) -> Score:
    """Compare."""
    known: Sequence[tuple[Measured, Simulated]] = tuple(pairs)
    both = [(real, sim) for real, sim in known if real.completed and sim.duration_s is not None]
    signed = [(sim.duration_s or 0.0) / real.duration_s - 1 for real, sim in both]
    errors = sorted(abs(error) for error in signed)
    dark = sorted(abs((sim.blackout_s or 0.0) - real.blackout_s) for real, sim in both)
    alike = sum(real.completed == (sim.duration_s is not None) for real, sim in known)
    return Score(
        moves=len(known),
        median=statistics.median(errors),
        p90=errors[int(0.9 * len(errors))],
        bias=statistics.median(signed),
        blackout_p90_s=dark[int(0.9 * len(dark))],
        judged_alike=alike / len(known),
    )
