"""What a run reads: each method is one look at the cluster, as the values that the core decides by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from console.clock import Clock
from console.drain.facts import Arrival, CheckFacts, NodeFacts, OwnedRole, Sight
from console.drain.state import Move
from console.inventory.asking import Interview
from console.model.cluster import (
    Contact,
    DrainStatus,
    GroupFlags,
    GroupState,
    Host,
    MigrationProgress,
    NodeFlags,
    VirtualMachine,
)
from console.model.failures import CommandFailed, Failure
from console.model.identity import HostName, RoleName, VmId
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.catalogue.leases import LEASE_PREFIX
from console.windows.commands import Answer, Call, Row
from console.windows.decode import Problems
from console.windows.decode.cluster import VM_GROUP_TYPE, Group, Resource, RoleState
from console.windows.decode.events import EventRecord
from console.windows.decode.progress import JOB_MOVES, MigrationJob, of_resource

from .control import Circle

T = TypeVar("T")

_FAILURE_BIT = 0x80000000
"""Of an HRESULT; LastOperationStatusCode holds informational codes, too."""
NOT_HEALTHY = frozenset({1, 2})
"""MSFT_VirtualDisk.HealthStatus: warning, unhealthy."""
_SLACK = timedelta(seconds=30)
"""Around a move's start in the event logs: the host's clock is not ours."""


@dataclass(frozen=True, slots=True)
class _HostView:
    """What one host told of the migrations on it; None is unknown."""

    counters: Mapping[str, MigrationProgress] | None = None
    jobs: tuple[MigrationJob, ...] | None = None


@dataclass
class Lookout:
    """Looks at the cluster for one run.

    Every method raises :class:`console.model.failures.Failure` when nobody answers.
    """

    reader: Reader
    circle: Circle
    clock: Clock
    node: HostName
    _status_before: dict[VmId, int | None] = field(default_factory=dict)
    """LastOperationStatusCode when the move was checked: an old failure is not this move's."""

    # the node

    async def at_node(self) -> NodeFacts:
        """The drained node: its state and everything that it owns."""
        nodes, groups, volumes = await asyncio.gather(
            self.circle.told(catalogue.cluster.NODES.bind(), decode.cluster.nodes),
            self.circle.told(catalogue.cluster.groups_of_node(self.node), decode.cluster.groups, turn=1),
            self.circle.told(catalogue.cluster.SHARED_VOLUMES.bind(), _volumes, turn=2),
        )
        self.circle.take(nodes)
        own = next((host for host in nodes if host.name.casefold() == self.node.casefold()), None)
        if own is None:
            raise CommandFailed(self.node, f"The cluster has no node {self.node}.", "Was it evicted?")
        return NodeFacts(
            state=own.state,
            drain_status=own.drain_status,
            flags=own.flags,
            roles=tuple(_owned(group) for group in groups if not group.name.startswith(LEASE_PREFIX)),
            volumes=tuple(volume.name for volume in volumes if self._is_here(volume.coordinator)),
            others_up=tuple(host.name for host in nodes if host.accepts_vms and host.name != own.name),
        )

    def _is_here(self, owner: HostName | None) -> bool:
        return owner is not None and self.circle.name(owner).casefold() == self.node.casefold()

    # one move

    async def before_start(self, move: Move, destination: HostName) -> CheckFacts:
        """Everything that can have changed since the plan."""
        group, resource, vm, target, nodes = await asyncio.gather(
            self._group_of(move),
            self._resource_of(move),
            self._vm_at(move.source, move.vm.id),
            self._host_load(destination),
            self.circle.told(catalogue.cluster.NODES.bind(), decode.cluster.nodes, turn=2),
        )
        self._status_before[move.vm.id] = None if resource is None else resource.last_status
        node = next((host for host in nodes if host.name == destination), None)
        accepts = node is not None and node.accepts_vms
        return CheckFacts(
            owner=move.source if group.owner is None else self.circle.name(group.owner),
            role_state=group.state,
            busy=_is_busy(group, resource),
            locked=bool(group.flags & GroupFlags.LOCKED),
            vm_state=None if vm is None else vm.state_number,
            memory_bytes=None if vm is None else vm.memory_bytes or None,
            destination_accepts=accepts,
            destination_why_not="" if accepts else _why_not(destination, node),
            destination_free_bytes=target.memory_free_bytes,
            destination_memory_bytes=target.memory_bytes,
            node_draining=any(host.name == self.node and is_draining(host) for host in nodes),
        )

    async def arrival(self, move: Move, host: HostName) -> Arrival:
        """The VM on the host where its role is said to be."""
        group, told = await asyncio.gather(self._group_of(move), self._told_of(host, move.vm.id))
        owner = host if group.owner is None else self.circle.name(group.owner)
        if isinstance(told, CommandFailed) and owner == host:
            raise told
        rows = () if isinstance(told, CommandFailed) else told.rows  # it left again, and the host knows it no more
        found = decode.vms.virtual_machines(rows, host, self.clock.now(), Problems(host))
        vm = next((item for item in found if item.id == move.vm.id), None)
        return Arrival(
            owner=owner,
            role_state=group.state,
            vm_state=-1 if vm is None else vm.state_number,
            heartbeat=None if vm is None or vm.heartbeat is None else int(vm.heartbeat),
        )

    async def _told_of(self, host: HostName, vm: VmId) -> Answer | CommandFailed:
        try:
            return await self.reader.read(host, catalogue.vms.vm(vm))
        except CommandFailed as refusal:
            return refusal

    async def _group_of(self, move: Move) -> Group:
        groups = await self.circle.told(catalogue.cluster.group_of_vm(move.vm.id), decode.cluster.groups)
        if not groups:
            raise CommandFailed(move.source, f"The cluster knows no role of {move.vm.name}.", "Is it clustered still?")
        return groups[0]

    async def _resource_of(self, move: Move) -> Resource | None:
        if move.resource_name is None:
            return None
        call = catalogue.progress.resources_in_flight([move.resource_name])
        return next(iter(await self.circle.told_if_possible(call, decode.cluster.resources, turn=1) or ()), None)

    async def _vm_at(self, host: HostName, vm: VmId) -> VirtualMachine | None:
        def one(rows: Sequence[Row], problems: Problems) -> tuple[VirtualMachine, ...]:
            return decode.vms.virtual_machines(rows, host, self.clock.now(), problems)

        found = await self._ask_host(host, catalogue.vms.vm(vm), one)
        return next((item for item in found or () if item.id == vm), None)

    async def _host_load(self, host: HostName) -> Host:
        known = Host(host, Contact.ANSWERING, None)
        return (
            await self._ask_host(
                host,
                catalogue.host.OPERATING_SYSTEM.bind(),
                lambda rows, problems: decode.host.with_operating_system(known, rows, problems),
            )
            or known
        )

    # progress

    async def progress(
        self, moves: Iterable[Move], own: Iterable[Move] = ()
    ) -> tuple[tuple[Sight, ...], Mapping[HostName, int] | None]:
        """Every move in flight, and the migrations at each node that are not among them, or among ``own`` ones."""
        flying = tuple(moves)
        sources = tuple(dict.fromkeys((*(move.source for move in flying), self.node)))
        roles, resources, views = await asyncio.gather(
            self._roles_of(flying),
            self._resources_of(flying),
            asyncio.gather(*(self._host_view(host) for host in sources)),
        )
        seen = dict(zip(sources, views, strict=True))
        sights = tuple(
            sight
            for move in flying
            if (sight := self._sight(move, roles, resources, seen.get(move.source, _HostView()))) is not None
        )
        return sights, _foreign((*flying, *own), seen)

    async def _roles_of(self, moves: Sequence[Move]) -> dict[RoleName, RoleState]:
        names = [move.vm.role for move in moves if move.vm.role is not None]
        if not names:
            return {}
        call = catalogue.progress.groups_in_flight(names)
        return {role.name: role for role in await self.circle.told(call, decode.cluster.groups_in_flight)}

    async def _resources_of(self, moves: Sequence[Move]) -> dict[str, Resource]:
        names = [move.resource_name for move in moves if move.resource_name is not None]
        if not names:
            return {}
        call = catalogue.progress.resources_in_flight(names)
        found = await self.circle.told_if_possible(call, decode.cluster.resources, turn=1)
        return {resource.name: resource for resource in found or ()}

    async def _host_view(self, host: HostName) -> _HostView:
        counters, jobs = await asyncio.gather(
            self._ask_host(host, catalogue.progress.MIGRATION_COUNTERS.bind(), decode.progress.counters),
            self._ask_host(host, catalogue.progress.MIGRATION_JOBS.bind(), decode.progress.jobs),
        )
        return _HostView(counters, jobs)

    def _sight(
        self,
        move: Move,
        roles: Mapping[RoleName, RoleState],
        resources: Mapping[str, Resource],
        view: _HostView,
    ) -> Sight | None:
        role = roles.get(move.vm.role) if move.vm.role is not None else None
        if role is None:
            return None
        resource = resources.get(move.resource_name or "")
        running = of_resource(resource.data if resource is not None else None)
        job = _job_of(move, view.jobs)
        counter = (view.counters or {}).get(move.vm.name) or MigrationProgress()
        percent = running.percent if running is not None else None
        return Sight(
            vm=move.vm.id,
            owner=move.source if role.owner is None else self.circle.name(role.owner),
            role_state=role.state,
            queued=bool(role.flags & GroupFlags.QUEUED),
            migrating=running is not None or job is not None,
            percent=percent if percent is not None or job is None else job.percent,
            pass_number=counter.pass_number,
            rate_bytes_per_s=counter.rate_bytes_per_s,
            dirty_pages=counter.dirty_pages,
            bytes_sent=counter.bytes_sent,
            code=self._new_failure(move.vm.id, resource),
        )

    def _new_failure(self, vm: VmId, resource: Resource | None) -> int | None:
        status = None if resource is None else resource.last_status
        if status is None or not status & _FAILURE_BIT or status == self._status_before.get(vm):
            return None
        return status & 0xFFFFFFFF

    # what was

    async def cause(self, move: Move, destination: HostName | None, since: datetime) -> EventRecord | None:
        """The newest event at either end that says why the move failed."""
        hosts = [move.source, *([destination] if destination is not None else [])]
        events = await self._events_of(move, hosts, since)
        return next((event for event in events if event.failure_code is not None), None)

    async def blackout_s(self, move: Move, host: HostName, since: datetime) -> float | None:
        """How long the guest stood still: the source writes it, some versions the destination."""
        for event in await self._events_of(move, [move.source, host], since):
            if event.blackout_s is not None:
                return event.blackout_s
        return None

    async def _events_of(self, move: Move, hosts: Sequence[HostName], since: datetime) -> list[EventRecord]:
        within_s = (self.clock.now() - since + _SLACK).total_seconds()
        call = catalogue.events.migration_events(within_s)
        answers = await asyncio.gather(*(self._ask_host(host, call, decode.events.records) for host in hosts))
        found = [event for answer in answers for event in answer or () if event.vm == move.vm.id]
        return sorted(found, key=lambda event: event.at or since, reverse=True)

    async def degraded_disks(self) -> tuple[str, ...]:
        """Virtual disks of Storage Spaces Direct that are not healthy; none where there is no such storage."""
        settings = await self.circle.told_if_possible(catalogue.cluster.CLUSTER.bind(), lambda rows, _: tuple(rows))
        if not settings or not settings[0].get("S2DEnabled"):
            return ()
        disks = await self.circle.told_if_possible(catalogue.cluster.VIRTUAL_DISKS.bind(), decode.facts.virtual_disks)
        return tuple(disk.name for disk in disks or () if disk.health in NOT_HEALTHY)

    async def setting(self, name: str) -> str | None:
        """A property of the cluster as text; None when it has none of that name."""
        rows = await self.circle.told(catalogue.cluster.CLUSTER.bind(), lambda rows, problems: tuple(rows))
        value = rows[0].get(name) if rows else None
        return None if value is None else str(value)

    async def _ask_host(self, host: HostName, call: Call, decode: Callable[[Sequence[Row], Problems], T]) -> T | None:
        """One host's own answer; a host that does not answer is unknown, not a reason to stop looking."""
        try:
            return await Interview(self.reader, host).told(call, decode)
        except Failure:
            return None


def is_draining(host: Host) -> bool:
    """Whether the cluster's own drain empties the node."""
    flagged = host.flags is not None and bool(host.flags & NodeFlags.DRAIN_IN_PROGRESS)
    return host.drain_status is DrainStatus.IN_PROGRESS or flagged


@dataclass(frozen=True, slots=True)
class _Volume:
    name: str
    coordinator: HostName | None


def _volumes(rows: Sequence[Row], problems: Problems) -> tuple[_Volume, ...]:
    known = decode.volumes.shared_volumes(rows, (), problems)
    return tuple(_Volume(volume.name, volume.coordinator) for volume in known)


def _owned(group: Group) -> OwnedRole:
    return OwnedRole(str(group.name), group.group_type == VM_GROUP_TYPE, group.core, group.state)


def _is_busy(group: Group, resource: Resource | None) -> bool:
    migrates = resource is not None and of_resource(resource.data) is not None
    return bool(group.flags & GroupFlags.QUEUED) or group.state is GroupState.PENDING or migrates


def _why_not(destination: HostName, node: Host | None) -> str:
    if node is None:
        return f"the cluster has no node {destination} any more"
    flags = node.flags.name.lower().replace("_", " ") if node.flags and node.flags.name else ""
    return f"{destination} is {node.state.name.lower()}" + (f" ({flags})" if flags else "")


def _job_of(move: Move, jobs: Sequence[MigrationJob] | None) -> MigrationJob | None:
    known = {move.vm.id.casefold(), move.vm.name.casefold()}
    return next((job for job in jobs or () if not job.over and job.virtual_system.casefold() in known), None)


def _foreign(moves: Sequence[Move], views: Mapping[HostName, _HostView]) -> Mapping[HostName, int] | None:
    """Running migration jobs of other VMs, counted at both ends; None when no host told."""
    if all(view.jobs is None for view in views.values()):
        return None
    own = {name.casefold() for move in moves for name in (move.vm.id, move.vm.name)}
    counts: dict[HostName, int] = {}
    for host, view in views.items():
        for job in view.jobs or ():
            if job.over or job.job_type not in JOB_MOVES or job.virtual_system.casefold() in own:
                continue
            for end in (host, job.destination):
                if end is not None:
                    counts[end] = counts.get(end, 0) + 1
    return counts
