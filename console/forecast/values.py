"""What a forecast is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName


class MigrationType(Enum):
    """How a VM goes over."""

    LIVE = "live"
    QUICK = "quick"
    """Saved and restored: the guest is dark all the time."""
    OFFLINE = "offline"
    """Off or saved already: ownership moves, no memory is copied."""


@dataclass(frozen=True, slots=True)
class MoveForecast:
    """One move's forecast at a given rate; p50 is the middle, p90 what nine of ten stay under."""

    migration_type: MigrationType
    duration_p50_s: float
    duration_p90_s: float
    blackout_p50_s: float
    blackout_p90_s: float
    rate_bytes_per_s: float
    bytes_to_send: float
    converges: bool
    basis: str
    """On what it rests, in words: "prior for its size", "3 earlier moves of this VM", …"""
    link_weight: float = 1.0
    """How much of what moves share one of its bytes takes, beside those of other VMs on the same way: less than one for
    memory that is known to compress better."""


class Forecaster(Protocol):
    """The port that planner, drain and screens use."""

    def forecast(
        self, cluster: Cluster, vm: VirtualMachine, destination: HostName, *, sharing: int = 1
    ) -> MoveForecast:
        """Forecast one move while ``sharing`` moves (itself included) share its path."""
