"""What happened to one VM's move. Every event is a fact in the past tense; ``at`` is when it became known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.model.identity import HostName, VmId

from .state import Move


@dataclass(frozen=True, slots=True)
class MoveAdded:
    """A VM that the plan did not know was found on the node."""

    at: datetime
    move: Move


@dataclass(frozen=True, slots=True)
class MoveQueued:
    """Its turn has come and something lets it wait; ``reason`` says what."""

    at: datetime
    vm: VmId
    reason: str


@dataclass(frozen=True, slots=True)
class MoveChecked:
    """It took its slot and is being re-read: owner, state, destination's state and room."""

    at: datetime
    vm: VmId
    destination: HostName


@dataclass(frozen=True, slots=True)
class MoveKindSeen:
    """Its check found it running although it was off when the move was planned, or off although it ran."""

    at: datetime
    vm: VmId
    live: bool


@dataclass(frozen=True, slots=True)
class MoveReturned:
    """The check ended without a start: back to the queue, slot free, not before ``until``."""

    at: datetime
    vm: VmId
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveRedirected:
    at: datetime
    vm: VmId
    destination: HostName
    reason: str
    until: datetime | None = None
    """Not before this moment."""


@dataclass(frozen=True, slots=True)
class MoveIntended:
    """Written before Windows is asked; from here on the cluster may be moving it."""

    at: datetime
    vm: VmId
    destination: HostName
    live: bool
    quick: bool
    vm_state: int
    """VMState just before, which the arrival has to show again."""


@dataclass(frozen=True, slots=True)
class MoveStarted:
    """Windows accepted it (started, or waiting in the cluster's own queue)."""

    at: datetime
    vm: VmId


@dataclass(frozen=True, slots=True)
class MoveStartUnanswered:
    """The request was sent and no answer came: it is followed as if it had started, and never sent again."""

    at: datetime
    vm: VmId
    reason: str


@dataclass(frozen=True, slots=True)
class MoveAdopted:
    """Something else is moving it, or has moved it to ``host``; the run follows and verifies."""

    at: datetime
    vm: VmId
    host: HostName | None
    """Where it is or goes; None when that is not known yet."""
    reason: str


@dataclass(frozen=True, slots=True)
class MoveProgressed:
    at: datetime
    vm: VmId
    percent: float | None = None
    pass_number: int | None = None
    rate_bytes_per_s: float | None = None
    dirty_pages: int | None = None
    bytes_sent: int | None = None
    queued_by_cluster: bool = False


@dataclass(frozen=True, slots=True)
class MoveSlowed:
    """The watchdog: no progress for some minutes."""

    at: datetime
    vm: VmId
    cause: str


@dataclass(frozen=True, slots=True)
class MoveStuck:
    at: datetime
    vm: VmId
    cause: str


@dataclass(frozen=True, slots=True)
class MoveSeenBack:
    """At rest on its source while it should be moving; a second look decides."""

    at: datetime
    vm: VmId


@dataclass(frozen=True, slots=True)
class CauseRead:
    """What the event logs of source and destination tell about why it came back."""

    at: datetime
    vm: VmId
    cause: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class MoveArrived:
    """The cluster names ``host`` as the owner and the role is at rest there; not yet verified."""

    at: datetime
    vm: VmId
    host: HostName
    late: bool = False
    """After it had been taken for failed, or by something else."""


@dataclass(frozen=True, slots=True)
class MoveVerified:
    """Owner, role state, VM state and heartbeat are what they have to be."""

    at: datetime
    vm: VmId
    host: HostName
    vm_state: int
    heartbeat: int | None


@dataclass(frozen=True, slots=True)
class MoveUnverified:
    """Arrived as far as the cluster tells, but the host never answered: unknown, without a slot."""

    at: datetime
    vm: VmId
    reason: str


@dataclass(frozen=True, slots=True)
class BlackoutMeasured:
    """From Hyper-V VMMS events 20415, 20417 (seconds in the third property)."""

    at: datetime
    vm: VmId
    blackout_s: float


@dataclass(frozen=True, slots=True)
class MoveFailed:
    at: datetime
    vm: VmId
    reason: str
    code: int | None = None
    """HRESULT or Win32 code, unsigned."""


@dataclass(frozen=True, slots=True)
class MoveRetried:
    """Queued again, by the operator or as the one automatic retry."""

    at: datetime
    vm: VmId
    destination: HostName | None
    automatic: bool
    reason: str = ""
    until: datetime | None = None
    """Not before this moment."""


@dataclass(frozen=True, slots=True)
class MoveBlocked:
    at: datetime
    vm: VmId
    reason: str


@dataclass(frozen=True, slots=True)
class MoveHeld:
    at: datetime
    vm: VmId


@dataclass(frozen=True, slots=True)
class MoveReleased:
    at: datetime
    vm: VmId


@dataclass(frozen=True, slots=True)
class MoveSkipped:
    at: datetime
    vm: VmId
    reason: str


@dataclass(frozen=True, slots=True)
class CancelIntended:
    """Written before Windows is asked to cancel."""

    at: datetime
    vm: VmId
    reason: str = ""
    """Why the run cancels it by itself; empty when an operator does."""


@dataclass(frozen=True, slots=True)
class CancelAnswered:
    """Whether Windows took the cancellation; where the VM ends is told by its own events."""

    at: datetime
    vm: VmId
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ForceIntended:
    """Written before Move-ClusterGroup is asked for, which saves the VM; it is the consent to that, too."""

    at: datetime
    vm: VmId
    host: HostName
    """The known good owner."""
    by: str


@dataclass(frozen=True, slots=True)
class ForceAnswered:
    """Whether Windows took it; where the VM ends is told by its own events."""

    at: datetime
    vm: VmId
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ActorNamed:
    """Who else moved or moves the VM, as far as the cluster tells."""

    at: datetime
    vm: VmId
    who: str


@dataclass(frozen=True, slots=True)
class MoveLost:
    """Nobody can see it now: unknown, never failed."""

    at: datetime
    vm: VmId
    reason: str


@dataclass(frozen=True, slots=True)
class MoveFound:
    """Seen again after it was lost, and still moving as far as can be told."""

    at: datetime
    vm: VmId


MoveEvent: TypeAlias = (
    MoveAdded
    | MoveQueued
    | MoveChecked
    | MoveKindSeen
    | MoveReturned
    | MoveRedirected
    | MoveIntended
    | MoveStarted
    | MoveStartUnanswered
    | MoveAdopted
    | MoveProgressed
    | MoveSlowed
    | MoveStuck
    | MoveSeenBack
    | CauseRead
    | MoveArrived
    | MoveVerified
    | MoveUnverified
    | BlackoutMeasured
    | MoveFailed
    | MoveRetried
    | MoveBlocked
    | MoveHeld
    | MoveReleased
    | MoveSkipped
    | CancelIntended
    | CancelAnswered
    | ForceIntended
    | ForceAnswered
    | ActorNamed
    | MoveLost
    | MoveFound
)
