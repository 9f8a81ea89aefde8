"""What a forecast says of the moves that emptying a node takes, as far as conflicts rest on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .identity import VmId


@dataclass(frozen=True, slots=True)
class MoveOutlook:
    """One VM's move, alone on its path."""

    duration_s: float
    blackout_s: float
    live: bool
    """Its memory is copied while it runs."""
    converges: bool
    basis: str
    """On what the forecast rests, in words."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Seconds, by VM; of VMs that no host could take there is nothing."""

    moves: Mapping[VmId, MoveOutlook] = field(default_factory=dict)
    finish_by_cap: tuple[tuple[float, float], ...] = ()
    """(fraction of the network that SMB may take, seconds until the last move ends), rising; empty when the cap has
    nothing to say."""
    cap: float | None = None
    """The fraction that is set now."""
    capped_by: str = ""
    """The host whose cap, not whose link, decides."""
