"""What reaches the pure core: time, requests, looks at the cluster, answers to commands.

Signals are not kept. What is worth keeping of them becomes events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from console.model.identity import HostName, RoleName, VmId
from console.planner.values import Plan

from .facts import Arrival, CheckFacts, NodeFacts, Reply, Sight
from .lease import LeaseRow
from .requests import OperatorRequest
from .state import OwnedKind


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time went on."""

    at: datetime
    poll_at: datetime | None = None
    """See :class:`console.drain.commands.WaitUntil`."""


@dataclass(frozen=True, slots=True)
class Requested:
    at: datetime
    request: OperatorRequest
    by: str


@dataclass(frozen=True, slots=True)
class NodeRead:
    at: datetime
    node: NodeFacts


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """No node of the cluster answered a read."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PauseAnswered:
    at: datetime
    reply: Reply


@dataclass(frozen=True, slots=True)
class ResumeAnswered:
    at: datetime
    reply: Reply


@dataclass(frozen=True, slots=True)
class CheckRead:
    """``facts`` is None when it could not be read; ``reason`` says why."""

    at: datetime
    vm: VmId
    destination: HostName
    facts: CheckFacts | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StartAnswered:
    at: datetime
    vm: VmId
    reply: Reply


@dataclass(frozen=True, slots=True)
class CancelReplied:
    at: datetime
    vm: VmId
    reply: Reply


@dataclass(frozen=True, slots=True)
class ForceReplied:
    at: datetime
    vm: VmId
    reply: Reply


@dataclass(frozen=True, slots=True)
class ActorFound:
    """Who else moves a VM, in words."""

    at: datetime
    vm: VmId
    who: str


@dataclass(frozen=True, slots=True)
class ProgressRead:
    at: datetime
    sights: tuple[Sight, ...]
    foreign: Mapping[HostName, int] | None = None
    """Migrations at each node that are not this run's; None when not read."""
    checks: tuple[CheckRead, ...] = ()
    """Of moves that may be next, read in the same look."""
    asked_at: datetime | None = None
    """When the look began."""


@dataclass(frozen=True, slots=True)
class CauseFound:
    """From the event logs of both ends; empty when they tell nothing."""

    at: datetime
    vm: VmId
    cause: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class ArrivalRead:
    """``arrival`` is None when the host did not answer."""

    at: datetime
    vm: VmId
    host: HostName
    arrival: Arrival | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BlackoutRead:
    at: datetime
    vm: VmId
    blackout_s: float


@dataclass(frozen=True, slots=True)
class Replanned:
    """A new plan for what is left; for one VM's sake, or for roles that were found."""

    at: datetime
    plan: Plan | None
    vm: VmId | None
    wanted: HostName | None = None
    at_once: bool = True
    """Both as they were asked (:class:`console.drain.commands.Replan`)."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OwnedAnswered:
    at: datetime
    kind: OwnedKind
    name: str
    destination: HostName
    reply: Reply


@dataclass(frozen=True, slots=True)
class CloseAnswered:
    """How the drain flag on the empty node was taken."""

    at: datetime
    reply: Reply


@dataclass(frozen=True, slots=True)
class NativeAnswered:
    """How the start (or the stop) of the cluster's own drain was taken."""

    at: datetime
    reply: Reply


@dataclass(frozen=True, slots=True)
class StorageRead:
    """The virtual disks that are not healthy, by name."""

    at: datetime
    degraded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingRead:
    at: datetime
    name: str
    value: str | None
    reason: str = ""
    original: str | None = None
    """What the cluster-wide object for changed settings says that it was before a run changed it."""
    held_by: str = ""
    """The run that changed it and still goes on, told by that object; empty when there is none."""


@dataclass(frozen=True, slots=True)
class SettingAnswered:
    at: datetime
    name: str
    value: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class GuardMeasured:
    at: datetime
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeaseRead:
    """``cluster_now`` is the time of the node that answered: expiries are judged by it, never by ours."""

    at: datetime
    cluster_now: datetime
    leases: tuple[LeaseRow, ...]
    asked_at: datetime | None = None
    """When the look was begun, by the run's clock: an answer that waited while the machine slept is an old one."""


@dataclass(frozen=True, slots=True)
class LeaseCreated:
    at: datetime
    name: RoleName
    reply: Reply
    id: str = ""


@dataclass(frozen=True, slots=True)
class LeaseWritten:
    at: datetime
    name: RoleName
    reply: Reply


@dataclass(frozen=True, slots=True)
class TimeSkipped:
    """Whoever runs the core noticed that ``seconds`` went by unseen: sleep, suspension, or a clock that was set.

    Negative when the clock was set back. Patience counts only time that was watched; deadlines on the wall stay.
    """

    at: datetime
    seconds: float


Signal: TypeAlias = (
    Ticked
    | Requested
    | NodeRead
    | ReadFailed
    | PauseAnswered
    | ResumeAnswered
    | CheckRead
    | StartAnswered
    | CancelReplied
    | ForceReplied
    | ActorFound
    | ProgressRead
    | CauseFound
    | ArrivalRead
    | BlackoutRead
    | Replanned
    | OwnedAnswered
    | CloseAnswered
    | NativeAnswered
    | StorageRead
    | SettingRead
    | SettingAnswered
    | GuardMeasured
    | LeaseRead
    | LeaseCreated
    | LeaseWritten
    | TimeSkipped
)
