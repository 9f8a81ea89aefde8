"""Conflicts of the cluster as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import DrainStatus, Host, NodeFlags, NodeState, VolumeState
from console.model.facts import QuorumKind
from console.windows.catalogue.leases import LEASE_PREFIX

from .registry import Check, Facts, Family, Finding, check, cluster_evidence, host_evidence, listed, quoted, untold
from .values import Evidence, Fix, Severity, Subject

CLUSTER_AWARE_UPDATING = 117
"""ClusterGroup.GroupType (reflected module)."""


@check(
    "cluster-drain-running",
    Severity.BLOCKS,
    Family.CLUSTER,
    "Another drain runs on this node, a console holds it, or Cluster-Aware Updating may come upon it",
    "Get-ClusterNode DrainStatus InProgress 1, GroupType 117, reflected module; this console's own leases",
    reads=("nodes.DrainStatus", "nodes.StatusInformation", "groups.Name", "groups.GroupType"),
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
    yield from _leases(facts, this)
    for role in facts.cluster.roles:
        if role.group_type == CLUSTER_AWARE_UPDATING:
            yield this.conflict(
                Subject(),
                f"Cluster-Aware Updating is set up here ({role.name}): a run of it drains nodes. Whether one is due in "
                "the window can not be read from here.",
                cluster_evidence(facts, "Get-ClusterGroup GroupType", f"{role.name} {role.group_type}"),
                Fix("Look at its schedule before the window.", f"Get-ClusterGroup -Name {quoted(role.name)}"),
                Severity.ADVICE,
            )


def _leases(facts: Facts, this: Check) -> Iterator[Finding]:
    """Whose time is over can not be told from the name: the start of a run asks each and refuses what still holds."""
    for role in facts.cluster.roles:
        node = role.name.removeprefix(LEASE_PREFIX).rpartition("-")[0] if role.name.startswith(LEASE_PREFIX) else ""
        held = next((host for host in facts.hosts() if host.name.casefold() == node.casefold()), None)
        if held is None or facts.node not in (None, held.name):
            continue
        yield this.conflict(
            Subject(host=held.name),
            f"A console holds {held.name}, or has left its lease behind: while it lives no other run may start there.",
            cluster_evidence(facts, "Get-ClusterGroup", role.name),
            Fix("Let that run finish, or join it (drainboard attach).", f"Get-ClusterGroup -Name {quoted(role.name)}"),
            Severity.RISKS,
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
    "The functional level is below the nodes' version, or the nodes run different builds: a rolling upgrade is on",
    "Win32_OperatingSystem.BuildNumber; Get-Cluster ClusterFunctionalLevel against NodeHighestVersion",
    reads=("operating-system.BuildNumber", "nodes.NodeHighestVersion", "cluster.ClusterFunctionalLevel"),
)
def mixed_level(facts: Facts, this: Check) -> Iterator[Finding]:
    known = [host for host in facts.hosts() if host.build is not None]
    builds = sorted({host.build for host in known if host.build is not None})
    if len(builds) > 1:
        oldest = min(known, key=lambda host: host.build or 0)
        yield this.conflict(
            Subject(),
            f"The nodes run builds {', '.join(str(build) for build in builds)}: the cluster is in the middle of a "
            "rolling upgrade.",
            host_evidence(oldest, "BuildNumber", oldest.build),
            Fix("Finish the upgrade of every node, then raise the functional level.", "Update-ClusterFunctionalLevel"),
        )
        return
    levels = [host.highest_level for host in facts.hosts() if host.highest_level is not None]
    level = facts.cluster.settings.functional_level
    if level is not None and levels and level < min(levels):
        yield this.conflict(
            Subject(),
            f"Every node could work at functional level {min(levels)}; the cluster is still at {level}.",
            cluster_evidence(facts, "ClusterFunctionalLevel", level),
            Fix("Raise it; there is no way back.", "Update-ClusterFunctionalLevel"),
        )


@check(
    "cluster-quorum",
    Severity.BLOCKS,
    Family.CLUSTER,
    "The node's going down after the drain would lose the quorum, or leave no vote to spare",
    "Get-ClusterQuorum; Get-ClusterNode NodeWeight and DynamicWeight, reflected module",
    reads=(
        "nodes.State",
        "nodes.NodeWeight",
        "nodes.DynamicWeight",
        "quorum.QuorumResource",
        "quorum.QuorumType",
    ),
)
def quorum_margin(facts: Facts, this: Check) -> Iterator[Finding]:
    quorum, witness = facts.cluster.quorum, facts.cluster.settings.witness_weight
    voting = [host for host in facts.hosts() if host.state is not NodeState.DOWN]
    if quorum is None or quorum.kind is None or (quorum.witness and witness is None):
        yield this.unknown(Subject(), "The quorum (Get-ClusterQuorum, WitnessDynamicWeight) was not read.")
        return
    if quorum.kind is QuorumKind.DISK_ONLY:
        return
    yield from untold(this, (host for host in voting if None in (host.node_weight, host.dynamic_weight)), "The vote")
    extra = (witness or 0) if quorum.witness else 0
    total = extra + sum(host.dynamic_weight or 0 for host in voting)
    for host in voting:
        if facts.node in (None, host.name) and None not in (host.node_weight, host.dynamic_weight):
            after = total - (host.dynamic_weight or 0)
            spare = int(quorum.witness) + sum(other.node_weight or 0 for other in voting if other is not host)
            yield from _margin(facts, this, host, (total, after, spare))


def _margin(facts: Facts, this: Check, host: Host, votes: tuple[int, int, int]) -> Iterator[Finding]:
    """``votes``: now, without the host, and as many as could be there without it."""
    total, after, spare = votes
    evidence = cluster_evidence(facts, "votes now", total) + host_evidence(host, "DynamicWeight", host.dynamic_weight)
    fix = Fix("Add a witness, or bring another node back first.", "Get-ClusterQuorum")
    if 2 * after <= total:
        yield this.conflict(
            Subject(host=host.name),
            f"When {host.name} goes down after its drain, {after} of {total} votes are left: the cluster stops.",
            evidence,
            fix,
        )
    elif spare <= 2:
        yield this.conflict(
            Subject(host=host.name),
            f"When {host.name} goes down after its drain, no further vote may be lost.",
            evidence,
            fix,
            Severity.RISKS,
        )


JOB_ENDED = frozenset((7, 8, 9, 10))
"""JobState completed, terminated, killed, exception."""
UNHEALTHY = {1: "degraded", 2: "unhealthy"}
"""HealthStatus; 0 is healthy, 5 unknown."""


@check(
    "cluster-storage-unhealthy",
    Severity.BLOCKS,
    Family.CLUSTER,
    "Storage Spaces Direct repairs itself, or a virtual disk is degraded",
    "MSFT_StorageJob JobState, MSFT_VirtualDisk HealthStatus; windowsserverdocs, taking a server offline",
    reads=("cluster.S2DEnabled",),
)
def storage_unhealthy(facts: Facts, this: Check) -> Iterator[Finding]:
    cluster = facts.cluster
    if cluster.settings.s2d_enabled is None:
        yield this.unknown(Subject(), "Whether Storage Spaces Direct is on (Get-Cluster S2DEnabled) was not read.")
    if not cluster.settings.s2d_enabled:
        return
    if cluster.storage_jobs is None or cluster.virtual_disks is None:
        yield this.unknown(Subject(), "The storage jobs or the health of the virtual disks were not read.")
    running = [job for job in cluster.storage_jobs or () if job.state not in JOB_ENDED]
    if running:
        yield this.conflict(
            Subject(),
            f"{listed(job.name or 'a job' for job in running)} of the storage is on: emptying and restarting a node "
            "now takes away the copies that it works from.",
            cluster_evidence(facts, "JobState", ", ".join(f"{job.name} {job.percent or 0} %" for job in running)),
            Fix("Wait until it is done.", "Get-StorageJob"),
        )
    for disk in cluster.virtual_disks or ():
        if disk.health in UNHEALTHY:
            yield this.conflict(
                Subject(),
                f"The virtual disk {disk.name} is {UNHEALTHY[disk.health]}: a node's disks may be in maintenance.",
                cluster_evidence(facts, "HealthStatus", f"{disk.name} {disk.health}"),
                Fix("Wait until it is healthy, or mend it.", f"Get-VirtualDisk -FriendlyName {quoted(disk.name)}"),
            )
        elif disk.health != 0:
            yield this.unknown(Subject(), f"The health of the virtual disk {disk.name} is not known.")
