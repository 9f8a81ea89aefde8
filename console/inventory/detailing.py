"""The finer facts of one node's VMs, which only checks and plans ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from console.model.cluster import Cluster, Contact, Host, VirtualMachine
from console.model.details import VmDetails
from console.model.failures import Failure
from console.model.identity import HostName, RoleName, VmId
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.commands import Call, Row
from console.windows.decode import Problems
from console.windows.decode.cluster import Resource
from console.windows.decode.details import AllDetails

from .asking import Interview, silence, updated
from .control import Control, control_order
from .fine import AT_ONCE, OWNER_ENTRIES, read_fine_facts, read_hardware
from .past import read_past
from .verdicts import with_verdicts

T = TypeVar("T")

Overlay = Callable[[AllDetails, Sequence[Row], Problems], AllDetails]

LOOK_BACK_S = 14 * 86400.0
"""How far back the event log is asked for migrations."""

_EVENTS = catalogue.events.MIGRATION_EVENTS.id
_OF_EVERY_VM = {catalogue.vms.VM_SETTINGS.id: "Id", catalogue.vms.VM_PROCESSORS.id: "VMId"}
"""Entries that have a row for each VM on the host: one that has none there has moved away meanwhile."""

_READS: tuple[tuple[str, Call, Overlay], ...] = (
    ("configuration_path", catalogue.vms.VM_SETTINGS.bind(), decode.details.with_settings),
    ("processor", catalogue.vms.VM_PROCESSORS.bind(), decode.details.with_processors),
    ("disks", catalogue.vms.VM_DISKS.bind(), decode.details.with_disks),
    ("optical_drives", catalogue.vms.VM_OPTICAL_DRIVES.bind(), decode.details.with_optical_drives),
    ("adapters", catalogue.vms.VM_ADAPTERS.bind(), decode.details.with_adapters),
    ("checkpoints", catalogue.vms.VM_CHECKPOINTS.bind(), decode.details.with_checkpoints),
    ("gpu_partitions", catalogue.vms.VM_GPU_PARTITIONS.bind(), decode.details.with_gpu_partitions),
    ("assigned_devices", catalogue.vms.VM_ASSIGNED_DEVICES.bind(), decode.details.with_assigned_devices),
    ("fibre_channel_sans", catalogue.vms.VM_FIBRE_CHANNEL.bind(), decode.details.with_fibre_channel),
    ("security", catalogue.vms.VM_SECURITY_SETTINGS.bind(), decode.details.with_security),
    ("vectors", catalogue.vms.VM_VECTORS.bind(), decode.details.with_vectors),
    ("failures", catalogue.events.migration_events(LOOK_BACK_S), decode.details.with_failures),
)
"""(the fact of VmDetails, how it is asked, how it is laid over)."""


async def read_details(reader: Reader, cluster: Cluster, node: HostName | None) -> Cluster:
    """The cluster with the details of one node's VMs (None: of all), their owners, the finer facts of every host, and
    what the hosts' logs tell of earlier moves.

    Never raises a Failure: what could not be read stays None, with the reason in ``VmDetails.missing``.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    nodes = [host.name for host in cluster.hosts if node is None or host.name == node]
    known = {name: [vm.id for vm in cluster.vms_on(name)] for name in nodes}
    fine, owners, past, found = await asyncio.gather(
        read_fine_facts(reader, cluster),
        _all_owners(reader, cluster, nodes),
        read_past(reader, cluster),
        asyncio.gather(*(_in_turn(gate, _details(reader, name, ids)) for name, ids in known.items())),
    )
    visits = dict(zip(nodes, found, strict=True))
    vms = tuple(
        _with_owners(replace(vm, details=visits[vm.host].details.get(vm.id)), owners) if vm.host in visits else vm
        for vm in cluster.vms
    )
    hosts = tuple(_told(host, visits[host.name]) if host.name in visits else host for host in fine.hosts)
    unread = updated(fine.unread, owners.unread, OWNER_ENTRIES)
    whole = replace(fine, vms=vms, hosts=hosts, unread=unread, past=past)
    return await with_verdicts(reader, await read_hardware(reader, whole))


async def _in_turn(gate: asyncio.Semaphore, work: Awaitable[T]) -> T:
    async with gate:
        return await work


@dataclass(frozen=True, slots=True)
class _Visit:
    """What one host told of its VMs."""

    details: Mapping[VmId, VmDetails]
    arrived_at: datetime | None
    problems: Sequence[str]
    unread: frozenset[str]
    denied: frozenset[str]


async def _details(reader: Reader, node: HostName, ids: Sequence[VmId]) -> _Visit:
    interview = Interview(reader, node)
    found: AllDetails = {id: VmDetails() for id in ids}
    arrivals = Host(node, Contact.ANSWERING, None)
    gone: set[VmId] = set()
    for fact, call, overlay in _READS:
        told = interview.problems[:]
        try:
            rows = await interview.rows(call)
        except Failure as failure:
            left = _READS[_place(fact) :]
            found = {
                id: _missing(details, [name for name, _, _ in left], silence(failure)) for id, details in found.items()
            }
            interview.unread.update(call.entry for _, call, _ in left)
            interview.problems.append(silence(failure))
            break
        if rows is None:
            reason = " ".join(interview.problems[len(told) :]) or f"{node} took too long before."
            found = {id: _missing(details, [fact], reason) for id, details in found.items()}
            continue
        problems = Problems(f"{node}, {call.entry}")
        found = overlay(found, rows, problems)
        interview.heard(call, problems)
        if call.entry in _OF_EVERY_VM:
            gone |= set(ids) - decode.details.vms_named(rows, _OF_EVERY_VM[call.entry])
        if call.entry == _EVENTS:
            arrivals = decode.host.with_arrivals(arrivals, rows, Problems(""))
    everything = [name for name, _, _ in _READS]
    for id in gone:
        found = {**found, id: _missing(VmDetails(), everything, f"It was not on {node} while its details were read.")}
    return _Visit(
        found, arrivals.arrived_at, interview.problems, frozenset(interview.unread), frozenset(interview.denied)
    )


def _told(host: Host, seen: _Visit) -> Host:
    asked = [call.entry for _, call, _ in _READS]
    return replace(
        host,
        arrived_at=seen.arrived_at,
        problems=tuple(dict.fromkeys((*host.problems, *seen.problems))),
        unread=updated(host.unread, seen.unread, asked),
        denied=updated(host.denied, seen.denied, asked),
    )


def _place(fact: str) -> int:
    return [name for name, _, _ in _READS].index(fact)


def _missing(details: VmDetails, facts: Sequence[str], reason: str) -> VmDetails:
    return replace(details, missing=(*details.missing, *((fact, reason) for fact in facts)))


@dataclass(frozen=True, slots=True)
class _Owners:
    """Possible owners (every resource of a role must allow a node) and preferred owners, by role."""

    possible: Mapping[RoleName, frozenset[HostName]]
    preferred: Mapping[RoleName, tuple[HostName, ...]]
    unread: frozenset[str]


async def _all_owners(reader: Reader, cluster: Cluster, nodes: Sequence[HostName]) -> _Owners:
    """Each node is asked about its own roles, another one where it does not answer."""
    gate = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_in_turn(gate, _owners(reader, cluster, node)) for node in nodes))
    return _Owners(
        {role: owners for part in found for role, owners in part.possible.items()},
        {role: owners for part in found for role, owners in part.preferred.items()},
        frozenset().union(*(part.unread for part in found)),
    )


async def _owners(reader: Reader, cluster: Cluster, node: HostName) -> _Owners:
    control = Control(reader, sorted(control_order(cluster), key=lambda name: name != node))
    read, told = catalogue.cluster, decode.cluster
    try:
        resources = await control.told(read.resources_of_node(node), told.resources) or ()
        by_resource = await control.told(read.possible_owners(node), told.owners) or {}
        by_group = await control.told(read.preferred_owners(node), told.owners) or {}
    except Failure:
        return _Owners({}, {}, OWNER_ENTRIES)
    preferred = {RoleName(name): owners for name, owners in by_group.items()}
    return _Owners(_possible(resources, by_resource), preferred, control.unread)


def _possible(
    resources: Sequence[Resource], by_resource: Mapping[str, tuple[HostName, ...]]
) -> dict[RoleName, frozenset[HostName]]:
    """Roles all of whose resources told their owners."""
    found: dict[RoleName, frozenset[HostName]] = {}
    untold = set()
    for resource in resources:
        owners = by_resource.get(resource.name)
        if resource.group is None:
            continue
        if owners is None:
            untold.add(resource.group)
        else:
            found[resource.group] = found.get(resource.group, frozenset(owners)) & frozenset(owners)
    return {role: owners for role, owners in found.items() if role not in untold}


def _with_owners(vm: VirtualMachine, owners: _Owners) -> VirtualMachine:
    role = vm.ref.role
    if role is None:
        return vm
    return replace(vm, possible_owners=owners.possible.get(role), preferred_owners=owners.preferred.get(role))
