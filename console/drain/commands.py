"""What the pure core asks the runner to do. Reads may be dropped and asked again; effects happen once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.model.identity import HostName, VmId

from .state import OwnedKind


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """When the core wants to hear of the time again, at the latest."""

    at: datetime


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
class StartMove:
    vm: VmId
    destination: HostName
    live: bool
    quick: bool


@dataclass(frozen=True, slots=True)
class CancelMove:
    vm: VmId


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
    pass


@dataclass(frozen=True, slots=True)
class StopNativeDrain:
    """Resume-ClusterNode -Failback NoFailback: the cluster takes nothing more off the node."""


@dataclass(frozen=True, slots=True)
class SetSetting:
    name: str
    value: str


ReadCommand: TypeAlias = (
    ReadNode | CheckMove | ReadProgress | ReadCause | VerifyArrival | ReadBlackout | ReadSetting | ReadGuard | Replan
)

ChangeCommand: TypeAlias = (
    PauseNode | StartMove | CancelMove | MoveOwned | CloseNode | StartNativeDrain | StopNativeDrain | SetSetting
)

Command: TypeAlias = WaitUntil | ReadCommand | ChangeCommand
