"""The finer facts of one node's VMs, which only checks and plans ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from console.model.cluster import Cluster, Contact, Host, VirtualMachine
from console.model.details import VmDetails
from console.model.failures import Failure
from console.model.identity import HostName, RoleName, VmId
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.commands import Call, Row
from console.windows.decode import Problems
from console.windows.decode.details import AllDetails

from .asking import Interview, silence
from .control import Control, control_order

Overlay = Callable[[AllDetails, Sequence[Row], Problems], AllDetails]

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
)
"""(the fact of VmDetails, how it is asked, how it is laid over)."""


async def read_details(reader: Reader, cluster: Cluster, node: HostName) -> Cluster:
    """The cluster with the details of one node's VMs, their owners, and every host's compatibility vectors.

    Never raises a Failure: what could not be read stays None, with the reason in ``VmDetails.missing``.
    """
    vms = cluster.vms_on(node)
    (details, problems), owners, vectors = await asyncio.gather(
        _details(reader, node, [vm.id for vm in vms]), _owners(reader, cluster, node), _vectors(reader, cluster)
    )
    detailed = tuple(
        _with_owners(replace(vm, details=details.get(vm.id)), owners) if vm.host == node else vm for vm in cluster.vms
    )
    hosts = (vectors.get(host.name, host) for host in cluster.hosts)
    return replace(
        cluster,
        vms=detailed,
        hosts=tuple(_with_problems(host, problems) if host.name == node else host for host in hosts),
    )


async def _details(
    reader: Reader, node: HostName, ids: Sequence[VmId]
) -> tuple[Mapping[VmId, VmDetails], Sequence[str]]:
    interview = Interview(reader, node)
    found: AllDetails = {id: VmDetails() for id in ids}
    for fact, call, overlay in _READS:
        told = interview.problems[:]
        try:
            rows = await interview.rows(call)
        except Failure as failure:
            reason = silence(failure)
            left = [name for name, _, _ in _READS[_place(fact) :]]
            found = {id: _missing(details, left, reason) for id, details in found.items()}
            return found, [*interview.problems, reason]
        if rows is None:
            reason = " ".join(interview.problems[len(told) :]) or f"{node} took too long before."
            found = {id: _missing(details, [fact], reason) for id, details in found.items()}
        else:
            problems = Problems(f"{node}, {call.entry}")
            found = overlay(found, rows, problems)
            interview.problems.extend(problems.sentences())
    return found, interview.problems


def _with_problems(host: Host, problems: Sequence[str]) -> Host:
    return replace(host, problems=tuple(dict.fromkeys((*host.problems, *problems))))


def _place(fact: str) -> int:
    return [name for name, _, _ in _READS].index(fact)


def _missing(details: VmDetails, facts: Sequence[str], reason: str) -> VmDetails:
    return replace(details, missing=(*details.missing, *((fact, reason) for fact in facts)))


async def _owners(
    reader: Reader, cluster: Cluster, node: HostName
) -> tuple[Mapping[RoleName, frozenset[HostName]], Mapping[RoleName, tuple[HostName, ...]]]:
    """Possible owners (every resource of a role must allow a node) and preferred owners, by role."""
    control = Control(reader, control_order(cluster))
    try:
        resources = await control.told(catalogue.cluster.resources_of_node(node), decode.cluster.resources) or ()
        by_resource = await control.told(catalogue.cluster.possible_owners(node), decode.cluster.owners) or {}
        by_group = await control.told(catalogue.cluster.preferred_owners(node), decode.cluster.owners) or {}
    except Failure:
        return {}, {}
    possible: dict[RoleName, frozenset[HostName]] = {}
    for resource in resources:
        owners = by_resource.get(resource.name)
        if resource.group is not None and owners is not None:
            allowed = frozenset(owners)
            possible[resource.group] = possible.get(resource.group, allowed) & allowed
    return possible, {RoleName(name): owners for name, owners in by_group.items()}


def _with_owners(
    vm: VirtualMachine,
    owners: tuple[Mapping[RoleName, frozenset[HostName]], Mapping[RoleName, tuple[HostName, ...]]],
) -> VirtualMachine:
    possible, preferred = owners
    if vm.ref.role is None:
        return vm
    return replace(vm, possible_owners=possible.get(vm.ref.role), preferred_owners=preferred.get(vm.ref.role))


async def _vectors(reader: Reader, cluster: Cluster) -> dict[HostName, Host]:
    """The hosts that answer and whose vectors are not known yet."""
    asked = [host for host in cluster.hosts if host.contact is Contact.ANSWERING and host.compatibility_vectors is None]
    found = await asyncio.gather(*(_vector(reader, host) for host in asked))
    return {host.name: host for host in found}


async def _vector(reader: Reader, host: Host) -> Host:
    interview = Interview(reader, host.name)
    try:
        told = await interview.told(
            catalogue.host.HOST_VECTORS.bind(),
            lambda rows, problems: decode.host.with_vectors(host, rows, problems),
        )
    except Failure:
        return host
    return told or host
