"""What the pure core asks the runner to do. Reads may be dropped and asked again; effects happen once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.model.identity import HostName, RoleName, VmId

from .state import OwnedKind


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """When the core wants to hear of the time again, at the latest."""

    at: datetime
    poll_at: datetime | None = None
    """Until this moment it only glances at what moves; None: everything that is due is read."""


@dataclass(frozen=True, slots=True)
class ReadNode:
    pass


@dataclass(frozen=True, slots=True)
class CheckMove:
    vm: VmId
    destination: HostName


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """Only the roles in flight."""

    vms: tuple[VmId, ...]
    checks: tuple[CheckMove, ...] = ()
    """What may start once one of them has arrived: checked in the same look, so that its slot is not left empty for
    the time that a check takes."""


@dataclass(frozen=True, slots=True)
class ReadCause:
    """Why a move came back: the event logs of both ends since ``since``."""

    vm: VmId
    destination: HostName | None
    since: datetime


@dataclass(frozen=True, slots=True)
class VerifyArrival:
    vm: VmId
    host: HostName


@dataclass(frozen=True, slots=True)
class ReadBlackout:
    vm: VmId
    host: HostName
    since: datetime


@dataclass(frozen=True, slots=True)
class ReadSetting:
    name: str


@dataclass(frozen=True, slots=True)
class ReadActor:
    """Who else moves this VM: by what the event logs, the nodes' drains, other leases and the balancer show."""

    vm: VmId
    since: datetime


@dataclass(frozen=True, slots=True)
class ReadStorage:
    """What pausing cost Storage Spaces Direct; nothing where there is none.

    Answer: :class:`console.drain.signals.StorageRead`.
    """


@dataclass(frozen=True, slots=True)
class ReadGuard:
    pass


@dataclass(frozen=True, slots=True)
class Replan:
    """Plan what is left anew; for one VM's sake, or (None) for roles that the plan did not know."""

    vm: VmId | None
    wanted: HostName | None = None
    """A destination that the operator asked for."""
    at_once: bool = True
    """False: the VM waits its time even when a way is found."""


@dataclass(frozen=True, slots=True)
class PauseNode:
    pass


@dataclass(frozen=True, slots=True)
class ResumeNode:
    """Resume-ClusterNode -Failback NoFailback, of a run that brings VMs back. Catalogue: ``resume-node``.

    Answer: :class:`console.drain.signals.ResumeAnswered`.
    """


@dataclass(frozen=True, slots=True)
class StartMove:
    vm: VmId
    destination: HostName
    live: bool
    quick: bool


@dataclass(frozen=True, slots=True)
class CancelMove:
    vm: VmId


@dataclass(frozen=True, slots=True)
class ForceOwner:
    """Move-ClusterGroup of a VM's role to a known good owner: it saves the VM. Only with a typed consent.

    Answer: :class:`console.drain.signals.ForceReplied`.
    """

    vm: VmId
    role: RoleName
    host: HostName


@dataclass(frozen=True, slots=True)
class MoveOwned:
    kind: OwnedKind
    name: str
    destination: HostName


@dataclass(frozen=True, slots=True)
class CloseNode:
    """Set the cluster's own drain flag on the empty node."""


@dataclass(frozen=True, slots=True)
class StartNativeDrain:
    target: HostName | None = None
    """Where the cluster sends everything; None: it chooses."""


@dataclass(frozen=True, slots=True)
class StopNativeDrain:
    """Resume-ClusterNode -Failback NoFailback: the cluster takes nothing more off the node."""


@dataclass(frozen=True, slots=True)
class SetSetting:
    """Set one property of the cluster.

    ``original`` is given when a run changes the value, and None when it puts it back. With it, whoever carries
    this out first writes the original on the cluster-wide object for changed settings, so that any console can put
    it back and no other run takes the changed value for the original; without it, the object is cleared afterwards.
    """

    name: str
    value: str
    original: str | None = None


@dataclass(frozen=True, slots=True)
class ReadLease:
    """Every lease there is, with its private properties, and the time of the node that answered.

    Answer: :class:`console.drain.signals.LeaseRead`, or ``ReadFailed`` when nobody answers. Catalogue: ``leases``,
    then ``lease-properties`` for each, then the answering host's own clock.
    """


@dataclass(frozen=True, slots=True)
class CreateLease:
    """Create the empty group. Catalogue: ``create-lease``, which returns the group's id.

    Answer: :class:`console.drain.signals.LeaseCreated` with that id; a refusal keeps its code (5010 or 0x80071392:
    another console was first).
    """

    name: RoleName


@dataclass(frozen=True, slots=True)
class RenewLease:
    """Write every property, in this order. Catalogue: ``set-lease-property`` for each; stop at the first failure.

    Answer: :class:`console.drain.signals.LeaseWritten`.
    """

    name: RoleName
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RemoveLease:
    """Remove the group of that name, if it still has that id. Catalogue: ``remove-lease``. No answer is needed.

    It may come in the same step as the end of the run: carry it out all the same.
    """

    name: RoleName
    id: str


ReadCommand: TypeAlias = (
    ReadNode
    | CheckMove
    | ReadProgress
    | ReadCause
    | VerifyArrival
    | ReadBlackout
    | ReadActor
    | ReadStorage
    | ReadSetting
    | ReadGuard
    | Replan
)

ChangeCommand: TypeAlias = (
    PauseNode
    | ResumeNode
    | StartMove
    | CancelMove
    | ForceOwner
    | MoveOwned
    | CloseNode
    | StartNativeDrain
    | StopNativeDrain
    | SetSetting
)

LeaseCommand: TypeAlias = ReadLease | CreateLease | RenewLease | RemoveLease
"""Asked only under rules with ``lease`` terms."""

Command: TypeAlias = WaitUntil | ReadCommand | ChangeCommand | LeaseCommand
