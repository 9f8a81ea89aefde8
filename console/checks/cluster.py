"""Conflicts of the cluster as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import DrainStatus, NodeFlags, VolumeState

from .registry import Check, Facts, Family, Finding, check, host_evidence, quoted
from .values import Evidence, Fix, Severity, Subject


@check(
    "cluster-drain-running",
    Severity.BLOCKS,
    Family.CLUSTER,
    "Another drain runs on this node",
    "Get-ClusterNode DrainStatus InProgress 1, reflected module",
    reads=("nodes.DrainStatus", "nodes.StatusInformation"),
)
def drain_running(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        if facts.node is not None and host.name != facts.node:
            continue
        if host.drain_status is DrainStatus.IN_PROGRESS or host.flags & NodeFlags.DRAIN_IN_PROGRESS:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} is being drained already, by another console, Cluster-Aware Updating or a colleague.",
                host_evidence(host, "DrainStatus", "InProgress"),
                Fix("Let it finish, or ask whoever started it.", f"Get-ClusterNode -Name {quoted(host.name)}"),
            )


@check(
    "cluster-csv-redirected",
    Severity.RISKS,
    Family.CLUSTER,
    "A Cluster Shared Volume is in redirected mode",
    "Get-ClusterSharedVolumeState StateInfo, reflected module",
    reads=(
        "shared-volumes.Name",
        "shared-volume-states.Name",
        "shared-volume-states.Node",
        "shared-volume-states.StateInfo",
    ),
)
def csv_redirected(facts: Facts, this: Check) -> Iterator[Finding]:
    bad = {VolumeState.BLOCK_REDIRECTED: "block redirected", VolumeState.UNAVAILABLE: "unavailable"}
    for volume in facts.cluster.volumes:
        for host, state in volume.states:
            if state in bad:
                yield this.conflict(
                    Subject(host=host),
                    f"{volume.name} is {bad[state]} on {host}: its I/O takes the network that migrations need.",
                    (Evidence("StateInfo", bad[state], host, facts.cluster.read_at),),
                    Fix(
                        "Mend the storage path first.",
                        f"Get-ClusterSharedVolumeState -Name {quoted(volume.name)}",
                    ),
                )


@check(
    "cluster-balancer",
    Severity.RISKS,
    Family.CLUSTER,
    "Automatic balancing is on: it moves VMs under the plan",
    "AutoBalancerMode 2: on join and every 30 minutes; windowsserverdocs, VM load balancing",
    reads=("cluster.AutoBalancerMode",),
)
def balancer(facts: Facts, this: Check) -> Iterator[Finding]:
    mode = facts.cluster.settings.auto_balancer_mode
    if mode is None:
        yield this.unknown(Subject(), "AutoBalancerMode (Get-Cluster) was not read.")
    elif mode == 2:
        yield this.conflict(
            Subject(),
            "The cluster balances VMs by itself every 30 minutes and may move them while a drain runs.",
            (Evidence("AutoBalancerMode", str(mode), None, facts.cluster.read_at),),
            Fix(
                "Switch it off for the window and back on afterwards.",
                "(Get-Cluster).AutoBalancerMode = 0",
            ),
        )


@check(
    "cluster-mixed-level",
    Severity.RISKS,
    Family.CLUSTER,
    "The nodes run different builds: a rolling upgrade is in progress",
    "Win32_OperatingSystem.BuildNumber",
    reads=("operating-system.BuildNumber",),
)
def mixed_level(facts: Facts, this: Check) -> Iterator[Finding]:
    builds = {host.build for host in facts.hosts() if host.build is not None}
    if len(builds) > 1:
        listed = ", ".join(str(build) for build in sorted(builds))
        oldest = min((host for host in facts.hosts() if host.build is not None), key=lambda host: host.build or 0)
        yield this.conflict(
            Subject(),
            f"The nodes run builds {listed}: the cluster is in the middle of a rolling upgrade.",
            host_evidence(oldest, "BuildNumber", oldest.build),
            Fix("Finish the upgrade of every node, then raise the functional level.", "Update-ClusterFunctionalLevel"),
        )
