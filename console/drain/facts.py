"""What one look at the cluster told the run: plain values, decoded by whoever looked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from console.model.cluster import DrainStatus, GroupState, NodeFlags, NodeState
from console.model.identity import HostName, VmId

from .state import OwnedKind

REST_OFF = frozenset({3, 6, 32779, 32783})
"""VMState of a VM that is off, saved, fast-saved or hibernated: ownership moves, no memory is copied."""

RUNNING = 2
"""VMState.Running."""

PAUSED = 9

HEARTBEAT_WELL = frozenset({5, 6, 7})
"""VMHeartbeatStatus: the guest's integration services answer."""


@dataclass(frozen=True, slots=True)
class OwnedRole:
    """A cluster group that the node owns; leases are left out by the reader."""

    name: str
    is_vm: bool
    core: bool = False
    state: GroupState = GroupState.UNKNOWN


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """The node that is being drained, and what it owns."""

    state: NodeState
    drain_status: DrainStatus | None
    flags: NodeFlags
    roles: tuple[OwnedRole, ...]
    volumes: tuple[str, ...]
    others_up: tuple[HostName, ...]
    """The other nodes that take roles now."""
    lease_of: str = ""
    """Who else holds a lease on the node; empty when nobody does."""

    @property
    def draining(self) -> bool:
        return self.drain_status is DrainStatus.IN_PROGRESS or bool(self.flags & NodeFlags.DRAIN_IN_PROGRESS)

    def owned(self) -> tuple[tuple[OwnedKind, str], ...]:
        """Everything besides VMs, in the order in which it is moved."""
        roles = tuple((OwnedKind.ROLE, role.name) for role in self.roles if not role.is_vm and not role.core)
        volumes = tuple((OwnedKind.VOLUME, name) for name in self.volumes)
        core = tuple((OwnedKind.CORE_GROUP, role.name) for role in self.roles if not role.is_vm and role.core)
        return roles + volumes + core

    def left(self) -> tuple[str, ...]:
        return tuple(role.name for role in self.roles) + self.volumes


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """Re-read right before a start. ``None`` is unknown."""

    owner: HostName
    role_state: GroupState
    busy: bool
    """Waiting in the cluster's queue, pending, or migrating: something is moving it already."""
    locked: bool
    vm_state: int | None
    memory_bytes: int | None
    destination_accepts: bool
    destination_why_not: str = ""
    destination_free_bytes: int | None = None
    destination_memory_bytes: int | None = None
    node_draining: bool = False
    """The cluster's own drain empties the node, and this run did not ask for it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One role in flight, as one poll saw it."""

    vm: VmId
    owner: HostName
    role_state: GroupState
    queued: bool = False
    migrating: bool = False
    """The resource's operational status is MigratingVirtualMachine, or a migration job of the VM runs."""
    percent: float | None = None
    pass_number: int | None = None
    rate_bytes_per_s: float | None = None
    dirty_pages: int | None = None
    bytes_sent: int | None = None
    code: int | None = None
    """LastOperationStatusCode, where it tells a failure."""

    @property
    def busy(self) -> bool:
        return self.queued or self.migrating or self.role_state is GroupState.PENDING


@dataclass(frozen=True, slots=True)
class Arrival:
    """The VM as its new host shows it, and its role as the cluster shows it."""

    owner: HostName
    role_state: GroupState
    vm_state: int
    heartbeat: int | None


class Answered(Enum):
    DONE = "done"
    REFUSED = "refused"
    """Windows said no; nothing happened."""
    UNANSWERED = "unanswered"
    """Nobody knows whether it ran: look, never send it again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How a change was answered."""

    answered: Answered
    reason: str = ""
    code: int | None = None

    @property
    def done(self) -> bool:
        return self.answered is Answered.DONE


DONE = Reply(Answered.DONE)
