"""Delegation from the directory itself, where the nodes' own sessions could not ask it."""

from __future__ import annotations

from dataclasses import replace

from console.model.cluster import Cluster, MigrationAuthentication
from console.model.failures import Failure
from console.model.identity import HostName
from console.ports import Directory
from console.windows import decode
from console.windows.decode import Problems


async def with_delegations(directory: Directory | None, cluster: Cluster) -> Cluster:
    """The cluster with what its nodes' accounts may delegate, as far as nobody told it yet. Never raises a Failure:
    what could not be read stays unknown, with the reason among the problems."""
    untold = [
        HostName(host.name)
        for host in cluster.hosts
        if host.migration_authentication is MigrationAuthentication.KERBEROS
        and host.part_of_domain is not False
        and (host.delegation is None or host.delegation.any_protocol is None)
    ]
    if directory is None or not untold:
        return cluster
    problems = Problems("the directory")
    try:
        found = decode.facts.delegations(await directory.computers(untold), problems)
    except Failure as failure:
        return _noting(cluster, failure.what, failure.advice)
    hosts = tuple(
        replace(host, delegation=found.get(host.name.casefold(), host.delegation)) if host.name in untold else host
        for host in cluster.hosts
    )
    missing = [name for name in untold if name.casefold() not in found]
    told = replace(cluster, hosts=hosts)
    return _noting(told, f"The directory has no account of {', '.join(missing)}.") if missing else told


def _noting(cluster: Cluster, *sentences: str) -> Cluster:
    text = " ".join(sentence for sentence in sentences if sentence)
    return replace(cluster, problems=tuple(dict.fromkeys((*cluster.problems, text))))
