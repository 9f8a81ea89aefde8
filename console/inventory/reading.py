"""The cluster, read in full: the cluster from one node, each host from itself, all hosts at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.clock import Clock
from console.model.cluster import Cluster, Contact, Host, NetworkInterface, SharedVolume, VirtualMachine
from console.model.failures import Failure
from console.model.identity import HostName, VmId
from console.ports import Reader

from .control import Control
from .fine import carried, with_known
from .host import QUESTIONS, Visit, read_vms_of, visit
from .joining import Names, join_vms, memberships, other_roles, with_counts
from .progress import Count, CountedReader, Told
from .survey import Survey, read_nodes, read_survey


async def read_cluster(
    reader: Reader,
    seeds: Sequence[HostName],
    clock: Clock,
    *,
    previous: Cluster | None = None,
    told: Told | None = None,
) -> Cluster:
    """Read everything once.

    Args:
        seeds: where to begin, in order; names of nodes, or the cluster's own name.
        previous: what was known before; hosts that do not answer now keep it, with its age.
        told: hears how far it is, once the nodes are known and after each answer.

    Raises:
        Failure: no seed answers, or one refused the sign-in.
        ValueError: there is no seed.
    """
    control = Control(reader, seeds)
    nodes = await read_nodes(control)
    control.also(node.name for node in nodes)
    known: Mapping[HostName, Host] = {} if previous is None else previous.host_by_name
    count = Count((node.name for node in nodes), QUESTIONS, told)
    counted = CountedReader(reader, count)

    async def visited(node: Host) -> Visit:
        result = await visit(counted, node, clock, known.get(node.name))
        count.finished(node.name, answers=result.host.contact is Contact.ANSWERING)
        return result

    survey, visits = await asyncio.gather(_survey(control), asyncio.gather(*(visited(node) for node in nodes)))
    if isinstance(survey, Failure):
        raise survey
    return _assembled(control, survey, visits, clock, previous, fallback=seeds[0])


async def read_vms(reader: Reader, cluster: Cluster, hosts: Sequence[HostName], clock: Clock) -> Cluster:
    """The cluster with the VMs of some hosts read again; a host that does not answer keeps what is known.

    Roles are not read again: a VM that is new here has none yet.
    """
    asked = [cluster.host_by_name[name] for name in hosts if name in cluster.host_by_name]
    visits = await asyncio.gather(*(read_vms_of(reader, host, clock) for host in asked))
    answered = {result.host.name for result in visits if result.vms is not None}
    before = cluster.vm_by_id
    fresh = {vm.id: _carried(vm, before.get(vm.id)) for result in visits for vm in result.vms or ()}
    kept = [vm for vm in cluster.vms if vm.id not in fresh and vm.host not in answered]
    visited = {result.host.name: result.host for result in visits}
    vms = sorted([*kept, *fresh.values()], key=lambda vm: (vm.name.casefold(), vm.id))
    return replace(cluster, vms=tuple(vms), hosts=tuple(visited.get(host.name, host) for host in cluster.hosts))


async def _survey(control: Control) -> Survey | Failure:
    """A failure as a value: the hosts that are being read at the same time must not be torn down half-way."""
    try:
        return await read_survey(control)
    except Failure as failure:
        return failure


def _assembled(
    control: Control,
    survey: Survey,
    visits: Sequence[Visit],
    clock: Clock,
    previous: Cluster | None,
    *,
    fallback: HostName,
) -> Cluster:
    names = Names(result.host for result in visits)
    known = memberships(survey)
    before: Mapping[VmId, VirtualMachine] = {} if previous is None else previous.vm_by_id
    vms = join_vms([vm for result in visits for vm in result.vms or ()], _remembered(visits, previous), known, names)
    vms = tuple(_with_details(vm, before.get(vm.id)) for vm in vms)
    hosts = [_with_fine_facts(result.host, previous) for result in visits]
    cluster = Cluster(
        name=survey.name or (str(fallback) if previous is None else previous.name),
        read_at=clock.now(),
        hosts=with_counts(hosts, vms, known=survey.resources is not None),
        vms=vms,
        roles=other_roles(survey.groups or (), known.values(), names),
        networks=survey.networks,
        interfaces=_spelled(survey.interfaces, names),
        volumes=tuple(_volume(volume, names) for volume in survey.volumes),
        affinity_rules=survey.affinity_rules,
        settings=survey.settings,
        problems=_problems(control, visits),
        unread=tuple(sorted(control.unread)),
        denied=tuple(sorted(control.denied)),
    )
    return cluster if previous is None else with_known(cluster, previous)


def _remembered(visits: Sequence[Visit], previous: Cluster | None) -> list[VirtualMachine]:
    if previous is None:
        return []
    return [vm for result in visits if result.vms is None for vm in previous.vms_on(result.host.name)]


def _problems(control: Control, visits: Sequence[Visit]) -> tuple[str, ...]:
    """The cluster's own; a node that is silent says so in its host's problems."""
    listed = {result.host.name for result in visits}
    seeds = (sentence for name, sentence in control.silent.items() if name not in listed)
    return tuple(dict.fromkeys((*seeds, *control.problems)))


def _carried(vm: VirtualMachine, before: VirtualMachine | None) -> VirtualMachine:
    """A VM that was read again from its host, with what only the cluster tells as known before."""
    if before is None:
        return vm
    return replace(
        _with_details(vm, before),
        ref=replace(vm.ref, role=before.ref.role),
        clustered=before.clustered or vm.clustered,
        role_state=before.role_state,
        role_flags=before.role_flags,
        priority=before.priority,
        default_move_type=before.default_move_type,
        anti_affinity=before.anti_affinity,
        auto_failback=before.auto_failback,
        resource_name=before.resource_name,
        migration=before.migration,
    )


def _with_details(vm: VirtualMachine, before: VirtualMachine | None) -> VirtualMachine:
    """Details are read on demand and kept until they are read again."""
    if before is None:
        return vm
    return replace(
        vm,
        details=before.details,
        possible_owners=before.possible_owners,
        preferred_owners=before.preferred_owners,
    )


def _with_fine_facts(host: Host, previous: Cluster | None) -> Host:
    before = None if previous is None else previous.host_by_name.get(host.name)
    return host if before is None else carried(host, before)


def _spelled(interfaces: tuple[NetworkInterface, ...] | None, names: Names) -> tuple[NetworkInterface, ...] | None:
    if interfaces is None:
        return None
    return tuple(replace(interface, host=names(interface.host)) for interface in interfaces)


def _volume(volume: SharedVolume, names: Names) -> SharedVolume:
    return replace(
        volume,
        coordinator=None if volume.coordinator is None else names(volume.coordinator),
        states=tuple((names(host), state) for host, state in volume.states),
        redirected_for=tuple((names(host), reason) for host, reason in volume.redirected_for),
    )
