"""The finer facts of hosts and cluster that only checks ask for: nothing of them changes by the minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from console.model.cluster import Cluster, Contact, Host, MigrationAuthentication, MigrationTransport
from console.model.facts import Delegation
from console.model.failures import Failure
from console.model.identity import HostName
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.commands import Call, Effect

from .asking import Interview, silence, updated
from .control import Control, control_order
from .host import Overlay, overlaid

CHANGING_COMMANDS: tuple[str, ...] = tuple(
    sorted(
        {
            name
            for entry in catalogue.ENTRIES.values()
            if entry.effect is Effect.CHANGES
            for name in (
                entry.constrained_function,
                *(stage.name for stage in entry.pipeline if isinstance(stage, catalogue.Stage)),
            )
        }
    )
)
"""Every command that a drain may send, on a plain endpoint and on a constrained one."""

Condition = Callable[[Host], bool]


def _has_modules(host: Host) -> bool:
    return {"FailoverClusters", "Hyper-V"} <= set(host.modules or ())


def _by_smb(host: Host) -> bool:
    return host.migration_transport in (None, MigrationTransport.SMB)


_HOST_READS: tuple[tuple[Call, Overlay, Condition], ...] = (
    (catalogue.host.MODULES.bind(), decode.host.with_modules, lambda host: not _has_modules(host)),
    (catalogue.session.abilities(CHANGING_COMMANDS), decode.host.with_abilities, lambda host: not host.abilities),
    (
        catalogue.host.COMPUTER_SYSTEM.bind(),
        decode.host.with_computer_system,
        lambda host: not host.part_of_domain,
    ),
    (catalogue.host.COMPUTER_NAME.bind(), decode.host.with_computer_name, _by_smb),
    (catalogue.host.SMB_SERVER.bind(), decode.host.with_smb_server, _by_smb),
    (catalogue.host.TRAFFIC_CLASSES.bind(), decode.host.with_traffic_classes, lambda host: True),
    (
        catalogue.host.HOST_VECTORS.bind(),
        decode.host.with_vectors,
        lambda host: host.compatibility_vectors is None,
    ),
)
"""How each is asked, how it is laid over, and when: what was well before is not asked again."""

_HARDWARE_READS: tuple[tuple[Call, Overlay, Condition], ...] = (
    (catalogue.host.VIRTUAL_SANS.bind(), decode.host.with_virtual_sans, lambda host: True),
    (catalogue.host.PARTITIONABLE_GPUS.bind(), decode.host.with_gpus, lambda host: True),
)
"""Asked only where a VM has an adapter or a partition of the kind."""

AT_ONCE = 16
"""Hosts that are read in detail at the same time: large answers of many would outlast each other's deadlines."""


_HOST_FACTS = (
    "modules",
    "abilities",
    "part_of_domain",
    "registry_name",
    "smb_encrypts",
    "reserves_bandwidth",
    "virtual_sans",
    "gpus",
    "compatibility_vectors",
    "arrived_at",
    "delegation",
)
_DETAIL_ENTRIES = frozenset(call.entry for call, _, _ in (*_HOST_READS, *_HARDWARE_READS)) | (
    frozenset(entry.id for entry in (*catalogue.vms.ENTRIES, catalogue.events.MIGRATION_EVENTS))
    - {catalogue.vms.VMS.id, catalogue.vms.VM.id}
)
_CLUSTER_FACTS = ("quorum", "access", "storage_jobs", "virtual_disks", "network_intents")
_ASKED = frozenset(
    entry.id
    for entry in (
        catalogue.cluster.QUORUM,
        catalogue.cluster.STORAGE_JOBS,
        catalogue.cluster.VIRTUAL_DISKS,
        catalogue.cluster.NETWORK_INTENTS,
        catalogue.cluster.DELEGATION,
        catalogue.cluster.ACCESS,
    )
)
OWNER_ENTRIES = frozenset(
    entry.id
    for entry in (
        catalogue.cluster.RESOURCES_OF_NODE,
        catalogue.cluster.POSSIBLE_OWNERS,
        catalogue.cluster.PREFERRED_OWNERS,
    )
)


def carried(host: Host, before: Host) -> Host:
    """A host that was read again, with the finer facts that are only read on demand."""
    kept = {name: getattr(before, name) for name in _HOST_FACTS}
    unread = [one for one in before.unread if one.partition(".")[0] in _DETAIL_ENTRIES]
    return replace(host, **kept, unread=tuple(sorted({*host.unread, *unread})))


def with_known(cluster: Cluster, before: Cluster) -> Cluster:
    """A cluster that was read again, with the finer facts that are only read on demand."""
    kept = {name: getattr(before, name) for name in _CLUSTER_FACTS}
    unread = [one for one in before.unread if one.partition(".")[0] in _ASKED | OWNER_ENTRIES]
    return replace(cluster, **kept, past=before.past, unread=tuple(sorted({*cluster.unread, *unread})))


async def read_fine_facts(reader: Reader, cluster: Cluster) -> Cluster:
    """The cluster with the finer facts of the hosts that answer. Never raises a Failure."""
    return await _whole(reader, await _each(reader, cluster, _HOST_READS))


async def read_hardware(reader: Reader, cluster: Cluster) -> Cluster:
    """The cluster with what each host has for the GPU partitions and Fibre Channel adapters of its VMs, if any."""
    details = [vm.details for vm in cluster.vms if vm.details is not None]
    wanted = (any(one.fibre_channel_sans for one in details), any(one.gpu_partitions for one in details))
    reads = tuple(read for read, is_wanted in zip(_HARDWARE_READS, wanted, strict=True) if is_wanted)
    return await _each(reader, cluster, reads) if reads else cluster


async def _each(reader: Reader, cluster: Cluster, reads: tuple[tuple[Call, Overlay, Condition], ...]) -> Cluster:
    gate = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_host(reader, host, reads, gate) for host in _answering(cluster)))
    by_name = {host.name: host for host in found}
    return replace(cluster, hosts=tuple(by_name.get(host.name, host) for host in cluster.hosts))


async def _host(
    reader: Reader, host: Host, reads: tuple[tuple[Call, Overlay, Condition], ...], gate: asyncio.Semaphore
) -> Host:
    interview = Interview(reader, host.name)
    found = host
    asked = [(call, overlay) for call, overlay, is_due in reads if is_due(host)]
    left = [call.entry for call, _ in asked]
    async with gate:
        try:
            for call, overlay in asked:
                found = await overlaid(interview, found, call, overlay)
                left.remove(call.entry)
        except Failure as failure:
            interview.unread.update(left)
            interview.problems.append(silence(failure))
    entries = [call.entry for call, _ in asked]
    return replace(
        found,
        unread=updated(host.unread, interview.unread, entries),
        denied=updated(host.denied, interview.denied, entries),
        problems=tuple(dict.fromkeys((*host.problems, *interview.problems))),
    )


async def _whole(reader: Reader, cluster: Cluster) -> Cluster:
    control = Control(reader, control_order(cluster))
    try:
        found = await _told(control, cluster)
    except Failure as failure:
        reason = silence(failure)
        return replace(
            cluster,
            unread=updated(cluster.unread, _ASKED, _ASKED),
            problems=tuple(dict.fromkeys((*cluster.problems, reason))),
        )
    return replace(
        found,
        unread=updated(cluster.unread, control.unread, _ASKED),
        denied=updated(cluster.denied, control.denied, _ASKED),
        problems=tuple(dict.fromkeys((*cluster.problems, *control.problems))),
    )


async def _told(control: Control, cluster: Cluster) -> Cluster:
    read, facts = catalogue.cluster, decode.facts
    quorum = await control.told(read.QUORUM.bind(), facts.quorum)
    access = await control.told(read.ACCESS.bind(), facts.access)
    jobs, disks = cluster.storage_jobs, cluster.virtual_disks
    if cluster.settings.s2d_enabled:
        jobs = await control.told(read.STORAGE_JOBS.bind(), facts.storage_jobs)
        disks = await control.told(read.VIRTUAL_DISKS.bind(), facts.virtual_disks)
    intents: int | None = 0
    if any("NetworkATC" in (host.modules or ()) for host in cluster.hosts):
        intents = await control.told(read.NETWORK_INTENTS.bind(), facts.network_intents)
    delegations = await _delegations(control, cluster)
    return replace(
        cluster,
        quorum=quorum,
        access=access,
        storage_jobs=jobs,
        virtual_disks=disks,
        network_intents=intents if all(host.modules is not None for host in _answering(cluster)) else None,
        hosts=tuple(replace(host, delegation=delegations.get(host.name.casefold())) for host in cluster.hosts),
    )


def _answering(cluster: Cluster) -> list[Host]:
    return [host for host in cluster.hosts if host.contact is Contact.ANSWERING]


async def _delegations(control: Control, cluster: Cluster) -> Mapping[str, Delegation]:
    """Only of hosts that use Kerberos: the others do not need it."""
    kerberos = [
        HostName(host.name)
        for host in cluster.hosts
        if host.migration_authentication is MigrationAuthentication.KERBEROS and host.part_of_domain is not False
    ]
    if not kerberos:
        return {}
    return await control.told(catalogue.cluster.delegation(kerberos), decode.facts.delegations) or {}
