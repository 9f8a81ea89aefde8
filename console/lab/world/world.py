"""The world: everything that exists, and the moment it is at.

Nothing here looks at a clock: :meth:`World.advance_to` is told the moment and processes every event up to it, each at
its own exact time, so that the outcome does not depend on how often anybody asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from console.lab.world.facts import Facts
from console.lab.world.fluid import Fabric
from console.lab.world.log import EventLog
from console.lab.world.moving import Move, Trouble
from console.lab.world.spec import Scenario
from console.lab.world.state import (
    AffinityRule,
    Group,
    Host,
    Network,
    NodeState,
    Resource,
    VirtualMachine,
    Volume,
)
from console.lab.world.timeline import Timeline

CLUSTER_DEFAULTS: dict[str, int] = {
    "MaximumParallelMigrations": 1,
    "SetSMBBandwidthLimit": 1,
    "SMBBandwidthLimitFactor": 2500,
    "AutoBalancerMode": 2,
    "AutoBalancerLevel": 1,
    "ClusterEnforcedAntiAffinity": 0,
    "ClusterFunctionalLevel": 12,
    "ClusterUpgradeVersion": 8,
    "DrainOnShutdown": 1,
    "ShutdownTimeoutInMinutes": 20,
    "S2DEnabled": 0,
    "QuarantineThreshold": 3,
    "QuarantineDuration": 7200,
    "DynamicQuorum": 1,
    "SameSubnetDelay": 1000,
    "SameSubnetThreshold": 20,
    "CrossSubnetDelay": 1000,
    "CrossSubnetThreshold": 20,
    "CrossSiteDelay": 1000,
    "CrossSiteThreshold": 20,
    "GroupDependencyTimeout": 600,
    "MinimumPreemptorPriority": 1,
    "MinimumNeverPreemptPriority": 3000,
    "CsvBalancer": 1,
    "PlacementOptions": 0,
    "BlockCacheSize": 1024,
}

MOVE_TYPE_THRESHOLD_DEFAULT = 1001
"""Assumed: high and medium priority live, low quick, as the documented default behaves; the number is not attested."""


@dataclass
class Limits:
    """How many live migrations were on at once, at most, and where a limit was broken."""

    most_by_node: dict[str, int] = field(default_factory=dict)
    most_by_pair: dict[str, int] = field(default_factory=dict)
    most_in_cluster: int = 0
    violations: list[dict[str, object]] = field(default_factory=list)


@dataclass
class World:
    """The simulated cluster."""

    scenario: Scenario
    seed: int
    epoch: datetime
    """Wall time at moment 0."""
    hosts: dict[str, Host] = field(default_factory=dict)
    vms: dict[UUID, VirtualMachine] = field(default_factory=dict)
    groups: dict[UUID, Group] = field(default_factory=dict)
    resources: dict[UUID, Resource] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    rules: list[AffinityRule] = field(default_factory=list)
    settings: dict[str, int] = field(default_factory=lambda: dict(CLUSTER_DEFAULTS))
    parameters: dict[str, object] = field(default_factory=dict)
    """Private properties of the cluster itself (Set-ClusterParameter on Get-Cluster)."""
    vm_type_parameters: dict[str, object] = field(default_factory=dict)
    cluster_id: UUID = field(default_factory=lambda: UUID(int=0))
    facts: Facts = field(default_factory=Facts)
    log: EventLog = field(default_factory=EventLog)
    moves: list[Move] = field(default_factory=list)
    troubles: dict[UUID, Trouble] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    fabric: Fabric = field(default_factory=Fabric)
    timeline: Timeline = field(default_factory=Timeline)
    now_s: float = 0.0
    group_of_vm: dict[UUID, UUID] = field(default_factory=dict)
    resources_of_group: dict[UUID, list[UUID]] = field(default_factory=dict)
    vms_on: dict[str, dict[UUID, VirtualMachine]] = field(default_factory=dict)
    pending: dict[UUID, Move] = field(default_factory=dict)
    """The move of each group that has one which is not over."""
    on_transfer_end: Callable[[str], None] | None = None

    # -- time ---------------------------------------------------------------------------------------------------

    def wall(self, moment_s: float) -> datetime:
        return self.epoch + timedelta(seconds=moment_s)

    def next_event_s(self) -> float | None:
        """The moment of the next thing that will happen by itself."""
        self.fabric.settle(self.now_s)
        planned = self.timeline.next_s()
        ending = self.fabric.next_end()
        moments = [moment for moment in (planned, ending[0] if ending else None) if moment is not None]
        return min(moments) if moments else None

    def advance_to(self, moment_s: float) -> bool:
        """Process every event up to ``moment_s``, in order, each at its own time. True when there was any."""
        happened = False
        while True:
            upcoming = self.next_event_s()
            if upcoming is None or upcoming > moment_s:
                break
            self.now_s = max(self.now_s, upcoming)
            self._process_one()
            happened = True
        self.now_s = max(self.now_s, moment_s)
        return happened

    def _process_one(self) -> None:
        planned = self.timeline.next_s()
        if planned is not None and planned <= self.now_s:
            self.timeline.pop()()
            return
        ending = self.fabric.next_end()
        if ending is not None and self.on_transfer_end is not None:
            self.on_transfer_end(ending[1])

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.timeline.at(self.now_s + seconds, action)

    def dice(self, *what: object) -> Random:
        """Dice of their own for every purpose, so that nothing depends on the order of asking."""
        return Random("/".join(str(part) for part in (self.seed, *what)))

    # -- finding things -----------------------------------------------------------------------------------------

    def host(self, name: str) -> Host | None:
        return self.hosts.get(name.upper()) or self.hosts.get(name.split(".")[0].upper())

    def group_named(self, name: str) -> Group | None:
        wanted = name.casefold()
        return next((group for group in self.groups.values() if group.name.casefold() == wanted), None)

    def group_of(self, vm: UUID) -> Group | None:
        found = self.group_of_vm.get(vm)
        return self.groups.get(found) if found is not None else None

    def resources_in(self, group: UUID) -> list[Resource]:
        return [self.resources[key] for key in self.resources_of_group.get(group, ())]

    def groups_on(self, host: str) -> list[Group]:
        return [group for group in self.groups.values() if group.owner == host]

    def in_flight(self) -> list[Move]:
        return [move for move in self.pending.values() if move.in_flight]

    def up_hosts(self) -> list[Host]:
        return [host for host in self.hosts.values() if host.state is NodeState.UP]

    # -- memory -------------------------------------------------------------------------------------------------

    def used_bytes(self, host: str) -> int:
        """Guest memory here, and what is held for moves on their way here."""
        resident = sum(vm.held_bytes for vm in self.vms_on.get(host, {}).values())
        return resident + sum(self.hosts[host].incoming_bytes.values())

    def free_bytes(self, host: str) -> int:
        """What a new guest can still get."""
        there = self.hosts[host]
        return there.memory_bytes - there.reserve_bytes - self.used_bytes(host)

    # -- placing ------------------------------------------------------------------------------------------------

    def add_vm(self, vm: VirtualMachine) -> None:
        self.vms[vm.id] = vm
        self.vms_on.setdefault(vm.host, {})[vm.id] = vm

    def place(self, vm: VirtualMachine, host: str) -> None:
        self.vms_on.get(vm.host, {}).pop(vm.id, None)
        vm.host = host
        self.vms_on.setdefault(host, {})[vm.id] = vm

    def add_group(self, group: Group) -> None:
        self.groups[group.id] = group
        if group.vm is not None:
            self.group_of_vm[group.vm] = group.id

    def remove_group(self, group: Group) -> None:
        for key in self.resources_of_group.pop(group.id, []):
            self.resources.pop(key, None)
        self.groups.pop(group.id, None)
        if group.vm is not None:
            self.group_of_vm.pop(group.vm, None)

    def add_resource(self, resource: Resource) -> None:
        self.resources[resource.id] = resource
        self.resources_of_group.setdefault(resource.group, []).append(resource.id)

    # -- counting -----------------------------------------------------------------------------------------------

    def live_on(self, host: str) -> int:
        """Live migrations that a node takes part in, in either direction."""
        return sum(1 for move in self.pending.values() if move.holds_slot and host in (move.source, move.destination))
