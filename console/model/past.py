"""Moves that are over, as the journal and the hosts' event logs tell of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .identity import HostName, VmId


class Origin(Enum):
    """Who tells of a move."""

    JOURNAL = "journal"
    """A run of this console saw it from start to end."""
    EVENT_LOG = "event log"
    """The hosts wrote down when it began and when it had arrived."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over memory and what was dirtied meanwhile."""

    duration_s: float
    dirtied_bytes: float


@dataclass(frozen=True, slots=True)
class FinishedMove:
    """One live migration that arrived."""

    vm: VmId
    name: str
    run: str
    """Empty for a move that was no part of a run."""
    source: HostName
    destination: HostName
    memory_bytes: int
    finished_at: datetime
    duration_s: float | None = None
    blackout_s: float | None = None
    bytes_sent: float | None = None
    sharing: int = field(default=1, metadata={"above_zero": True})
    """Moves on its way at the same time, this one included."""
    passes: tuple[Pass, ...] = ()
    origin: Origin = Origin.JOURNAL
    told_by: HostName | None = None
    """The host whose log tells that it arrived."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of earlier moves."""

    read_at: datetime
    moves: tuple[FinishedMove, ...] = ()
    silent: tuple[HostName, ...] = ()
    """Hosts whose logs could not be read."""
