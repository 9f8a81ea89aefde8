"""What is known of one move before it starts: the row of a file of migrations, or a VM, a path and a setting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Carrier(Enum):
    """How memory travels; the value is the word in a file of migrations."""

    TCP = "tcp"
    COMPRESSION = "compression"
    SMB = "smb"
    RDMA = "rdma"


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """One move as it is known beforehand. Bytes, seconds, bytes per second; None is unknown."""

    run: str
    """The drain that it is part of."""
    memory_bytes: float
    link_bytes_per_s: float
    """What the link carries for this move when nothing shares it."""
    vm: str | None = None
    source: str = ""
    destination: str = ""
    started_s: float | None = None
    """On the run's own clock."""
    filled_bytes: float | None = None
    """Memory that is not zero."""
    streams: int = 1
    """Moves that share the link, this one included."""
    transport: str = Carrier.TCP.value
    dirty_bytes_per_s: float | None = None
    """Distinct bytes written in one second, measured before."""
    working_set_bytes: float | None = None
    stop_seconds: float | None = None
    """The blackout that the hypervisor aims at."""
    pass_cap: int | None = None
    """None: the passes go on until the rest is small enough."""
    give_up_s: float | None = None


class Finished(NamedTuple):
    """How the move ended."""

    duration_s: float | None
    """None only for a move that did not converge."""
    blackout_s: float | None = None
    converged: bool = True


class Physics(NamedTuple):
    """What the arithmetic of passes gives, before any evidence about its errors."""

    duration_s: float
    """If it completes; a move that does not converge is ended where its passes stop shrinking."""
    blackout_s: float
    passes: int
    converges: bool
