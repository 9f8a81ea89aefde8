"""The light re-read: node states, roles, memory and load, and the progress of what moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from console.clock import Clock, sleep_for
from console.model.cluster import Cluster, Contact, DrainStatus, GroupFlags, GroupState, Host, NodeState, VirtualMachine
from console.model.failures import Failure
from console.model.identity import HostName, RoleName
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.decode.cluster import Group, Resource

from .control import Control, control_order
from .host import glance, silent
from .joining import Names, other_groups, progress, with_counts
from .survey import read_nodes

GRACE_S = 5.0
"""How long hosts that were silent before may keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the cluster tells in a light re-read; None is unknown."""

    nodes: tuple[Host, ...]
    groups: tuple[Group, ...] | None
    resources: tuple[Resource, ...] | None
    """Of the VMs that move or may move."""
    problems: tuple[str, ...]


async def refresh(reader: Reader, cluster: Cluster, clock: Clock) -> Cluster:
    """Read again what changes by the minute and lay it over an earlier full reading.

    VMs that came since, and what else only a full reading tells, are not in it.

    Raises:
        Failure: no node answers for the cluster.
    """
    pulse, glances = await asyncio.gather(_pulse(reader, cluster), _glances(reader, cluster.hosts, clock))
    if isinstance(pulse, Failure):
        raise pulse
    return _laid_over(cluster, pulse, glances, clock)


async def _pulse(reader: Reader, cluster: Cluster) -> Pulse | Failure:
    control = Control(reader, control_order(cluster))
    try:
        nodes = await read_nodes(control)
        groups = await control.told(catalogue.cluster.GROUPS.bind(), decode.cluster.groups)
        names = moving(cluster, nodes, groups or ())
        resources = None
        if names:
            resources = await control.told(catalogue.progress.resources_in_flight(names), decode.cluster.resources)
    except Failure as failure:
        return failure
    return Pulse(nodes, groups, resources, control.problems)


def moving(cluster: Cluster, nodes: Iterable[Host], groups: Iterable[Group]) -> tuple[str, ...]:
    """The resources whose progress is worth asking: of roles that are pending, that moved a moment ago, or that are on
    a node that is being emptied. Those that wait in the queue tell nothing more."""
    by_role = {group.name: group for group in groups}
    emptied = {
        node.name for node in nodes if node.drain_status is DrainStatus.IN_PROGRESS or node.state is NodeState.PAUSED
    }
    return tuple(
        vm.resource_name
        for vm in cluster.vms
        if vm.resource_name is not None
        and _worth_asking(vm, by_role.get(vm.ref.role) if vm.ref.role else None, emptied)
    )


def _worth_asking(vm: VirtualMachine, group: Group | None, emptied: set[HostName]) -> bool:
    if group is not None and group.flags & GroupFlags.QUEUED:
        return False
    pending = group is not None and group.state is GroupState.PENDING
    return pending or vm.migration is not None or vm.host in emptied


async def _glances(reader: Reader, hosts: Sequence[Host], clock: Clock) -> dict[HostName, Host]:
    """A glance at every host; those that were silent before are waited for no longer than the others, or GRACE_S."""
    tasks = {host.name: asyncio.ensure_future(glance(reader, host, clock)) for host in hosts}
    answering = [tasks[host.name] for host in hosts if host.contact is Contact.ANSWERING]
    doubtful = [tasks[host.name] for host in hosts if host.contact is not Contact.ANSWERING]
    try:
        await asyncio.gather(*answering)
        if doubtful:
            await _no_longer_than(asyncio.gather(*doubtful), clock)
    finally:
        for task in tasks.values():
            task.cancel()
    return {name: task.result() for name, task in tasks.items() if task.done() and not task.cancelled()}


async def _no_longer_than(work: asyncio.Future[list[Host]], clock: Clock) -> None:
    timer = asyncio.ensure_future(sleep_for(clock, GRACE_S))
    both: tuple[asyncio.Future[list[Host]], asyncio.Future[None]] = (work, timer)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        work.cancel()


def _laid_over(cluster: Cluster, pulse: Pulse, glances: Mapping[HostName, Host], clock: Clock) -> Cluster:
    names = Names(pulse.nodes)
    hosts = [_host(node, glances.get(node.name), cluster) for node in pulse.nodes]
    vms = cluster.vms if pulse.groups is None else _vms(cluster.vms, pulse.groups, pulse.resources, names)
    claimed = {vm.ref.role for vm in vms}
    roles = cluster.roles
    if pulse.groups is not None:
        roles = other_groups((group for group in pulse.groups if group.name not in claimed), names)
    return replace(
        cluster,
        read_at=clock.now(),
        hosts=with_counts(hosts, vms, known=pulse.groups is not None),
        vms=vms,
        roles=roles,
        problems=tuple(dict.fromkeys((*cluster.problems, *pulse.problems))),
    )


def _host(node: Host, seen: Host | None, cluster: Cluster) -> Host:
    """The node's own facts from the cluster, over what its own session last told."""
    before = seen or cluster.host_by_name.get(node.name)
    if before is None:
        return node
    if seen is None:
        return silent(node, before, before.problems)
    return replace(
        before,
        node_id=node.node_id,
        state=node.state,
        drain_status=node.drain_status,
        flags=node.flags,
        fault_domain=node.fault_domain,
    )


def _vms(
    vms: Iterable[VirtualMachine],
    groups: Iterable[Group],
    resources: Iterable[Resource] | None,
    names: Names,
) -> tuple[VirtualMachine, ...]:
    by_role: dict[RoleName | None, Group] = {group.name: group for group in groups}
    data = {resource.name: resource.data for resource in resources or ()}
    return tuple(_vm(vm, by_role.get(vm.ref.role), data.get(vm.resource_name or ""), names) for vm in vms)


def _vm(vm: VirtualMachine, group: Group | None, data: int | None, names: Names) -> VirtualMachine:
    if group is None:
        return vm
    return replace(
        vm,
        host=vm.host if group.owner is None else names(group.owner),
        role_state=group.state,
        role_flags=group.flags,
        priority=group.priority,
        auto_failback=group.auto_failback,
        anti_affinity=group.anti_affinity,
        migration=progress(group.flags, data),
    )
