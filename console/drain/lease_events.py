"""What a run goes on by: its lease on the node, the engine that works, the node's return, the window, missed time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.model.identity import RoleName, VmId
from console.planner.values import Engine


@dataclass(frozen=True, slots=True)
class LeaseIntended:
    """Written before the lease's group is created; creation is the atomic step."""

    at: datetime
    name: RoleName
    generation: int


@dataclass(frozen=True, slots=True)
class LeaseCreated:
    """The group is this run's; its properties are still to be written and read back."""

    at: datetime
    name: RoleName
    generation: int
    id: str


@dataclass(frozen=True, slots=True)
class LeaseNotCreated:
    """Somebody else was first, or nobody knows; what is there is read again."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class LeaseConfirmed:
    """Read as this run's, and as the highest generation."""

    at: datetime
    name: RoleName
    generation: int
    id: str
    expires_at: datetime | None
    """In the cluster's time."""
    life_s: float
    seen_at: datetime
    """When that look was begun; everything is counted from here."""
    left_s: float
    """Until its expiry, by that look: a renewal that is lost does not make it longer."""


@dataclass(frozen=True, slots=True)
class LeaseWaited:
    """Another's lease without an owner or an expiry was seen first: it gets a whole life to be completed."""

    at: datetime
    name: RoleName


@dataclass(frozen=True, slots=True)
class LeaseMissing:
    """This run's lease is gone, and no other is there: nothing starts until it has one again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another console holds the node now."""

    at: datetime
    held_by: str


@dataclass(frozen=True, slots=True)
class LeaseUnavailable:
    """The site refuses leases; only the node's own state keeps two consoles apart."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class TimeSkipped:
    """The run saw nothing for so long: its machine slept, or its clock was set. Negative: set back."""

    at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """From single moves to the cluster's own drain, or back; always with who and why."""

    at: datetime
    engine: Engine
    by: str
    reason: str
    interrupts: tuple[VmId, ...] = ()
    """VMs that the cluster's drain saves and restores, by the consent of ``by``."""


@dataclass(frozen=True, slots=True)
class ForeignDrainJoined:
    """Something else began the cluster's own drain of the node beside single moves: the run watches it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RedundancyLost:
    """After the pause these virtual disks are degraded: so they stay until the node is resumed."""

    at: datetime
    disks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResumeIntended:
    """Resume-ClusterNode -Failback NoFailback, before VMs return."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NodeResumed:
    at: datetime


@dataclass(frozen=True, slots=True)
class ResumeFailed:
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class WindowAtRisk:
    """The forecast's p90 ends so many seconds after the window."""

    at: datetime
    late_s: float


@dataclass(frozen=True, slots=True)
class WindowSafe:
    """The forecast fits the window again."""

    at: datetime


LeaseEvent: TypeAlias = (
    LeaseIntended
    | LeaseCreated
    | LeaseNotCreated
    | LeaseConfirmed
    | LeaseWaited
    | LeaseMissing
    | LeaseLost
    | LeaseUnavailable
    | TimeSkipped
    | EngineChanged
    | ForeignDrainJoined
    | RedundancyLost
    | ResumeIntended
    | NodeResumed
    | ResumeFailed
    | WindowAtRisk
    | WindowSafe
)
