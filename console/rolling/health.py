"""Whether the cluster can do without the next nodes: nodes that are down, quorum, storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from console.checks.catalogue import Facts, run_checks
from console.checks.registry import SitePolicy
from console.checks.values import Severity
from console.clock import Clock
from console.inventory.detailing import read_details
from console.inventory.reading import read_cluster
from console.model.cluster import Cluster, NodeState
from console.model.failures import Failure
from console.model.identity import HostName
from console.planning import WAITED_FOR
from console.ports import Reader


async def read_health(
    reader: Reader, seeds: Sequence[HostName], clock: Clock, nodes: Sequence[HostName], policy: SitePolicy
) -> str:
    """Why no further node should go out now; empty when all is well. ``nodes`` are those of the next wave."""
    try:
        cluster = await read_cluster(reader, seeds, clock)
        cluster = await read_details(reader, cluster, nodes[0] if nodes else None)
    except Failure as failure:
        return f"it could not be read ({failure.what})"
    return "; ".join(dict.fromkeys(ailments(cluster, nodes, policy)))


def ailments(cluster: Cluster, nodes: Iterable[HostName], policy: SitePolicy) -> Iterator[str]:
    """What speaks against emptying these nodes now, in sentences without a full stop."""
    for host in cluster.hosts:
        if host.state not in (NodeState.UP, NodeState.PAUSED):
            yield f"{host.name} is {host.state.name.lower()}"
    settings = cluster.settings
    if settings.s2d_enabled and (cluster.storage_jobs is None or cluster.virtual_disks is None):
        yield "the storage jobs or the health of the virtual disks could not be read"
    for node in nodes:
        for conflict in run_checks(Facts(cluster, node), policy).conflicts:
            if conflict.code in WAITED_FOR and conflict.severity is Severity.BLOCKS:
                yield conflict.message.rstrip(".")
