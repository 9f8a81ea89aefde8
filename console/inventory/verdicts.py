"""Why a host would refuse a VM, in Windows' own words: asked only for pairs that the vectors refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from console.model.cluster import Cluster, Contact, Host, VirtualMachine
from console.model.details import HostVerdict
from console.model.failures import Failure
from console.model.identity import HostName, VmId
from console.model.vectors import failing_vectors
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.decode import Problems

AT_MOST = 12
"""Pairs that are asked about: a cluster has few kinds of processors, and each kind says the same."""


async def with_verdicts(reader: Reader, cluster: Cluster) -> Cluster:
    """The cluster with what hosts say about VMs that their vectors refuse, one VM of a kind and one host of a kind.

    Never raises a Failure: the words only explain a finding, which stands without them.
    """
    pairs = list(islice(_refused(cluster), AT_MOST))
    if not pairs:
        return cluster
    found = await asyncio.gather(*(_ask(reader, vm, host) for vm, host in pairs))
    told: dict[VmId, list[HostVerdict]] = {}
    for (vm, _), verdict in zip(pairs, found, strict=True):
        if verdict is not None:
            told.setdefault(vm.id, []).append(verdict)
    vms = tuple(_told(vm, told[vm.id]) if vm.id in told else vm for vm in cluster.vms)
    return replace(cluster, vms=vms)


def _told(vm: VirtualMachine, verdicts: list[HostVerdict]) -> VirtualMachine:
    assert vm.details is not None
    return replace(vm, details=replace(vm.details, verdicts=tuple(verdicts)))


def _refused(cluster: Cluster) -> Iterator[tuple[VirtualMachine, Host]]:
    """The first VM and host of every combination of vectors that do not fit."""
    by_name = cluster.host_by_name
    seen = set()
    for vm in cluster.vms:
        mine = vm.details.vectors if vm.details else None
        source = by_name.get(vm.host)
        if mine is None or not vm.running or source is None or not _asked(source):
            continue
        for host in cluster.hosts:
            theirs = host.compatibility_vectors
            if theirs is None or (mine, theirs) in seen or host.name == vm.host or not _asked(host):
                continue
            seen.add((mine, theirs))
            if failing_vectors(mine, theirs):
                yield vm, host


def _asked(host: Host) -> bool:
    return host.contact is Contact.ANSWERING


async def _ask(reader: Reader, vm: VirtualMachine, host: Host) -> HostVerdict | None:
    """Two calls, each of one hop: what the VM needs, of its own host; whether that fits, of the other."""
    told, read = decode.compatibility, catalogue.vms
    try:
        needs = await reader.read(vm.host, read.vm_compatibility(vm.id))
        info = told.needs(needs.rows, Problems(""))
        if info is None:
            return None
        answer = await reader.read(HostName(host.name), read.vm_compatibility_check(info))
    except Failure:
        return None
    verdict = told.verdict(answer.rows, Problems(""))
    return None if verdict is None else HostVerdict(host.name, *verdict, host.read_at)
