"""What the small world is made of."""

from __future__ import annotations

from dataclasses import dataclass

from console.model.cluster import DrainStatus, GroupState, NodeState
from console.model.identity import HostName, VmRef


@dataclass
class Migration:
    destination: HostName
    end_s: float
    fate: str = "arrives"
    """arrives, fails, sticks, late, slow"""
    own: bool = True
    start_s: float = 0.0
    offline: bool = False
    """No live migration: the VM is off, and only its ownership moves."""


@dataclass
class Vm:
    ref: VmRef
    host: HostName
    memory_bytes: int
    state: int = 2
    heartbeat: int | None = 6
    migration: Migration | None = None
    role_state: GroupState = GroupState.ONLINE
    code: int | None = None
    excluded: frozenset[HostName] = frozenset()
    """Hosts that a blocking conflict excludes."""


@dataclass
class Node:
    name: HostName
    free_bytes: int
    state: NodeState = NodeState.UP
    drain: DrainStatus = DrainStatus.NOT_INITIATED
