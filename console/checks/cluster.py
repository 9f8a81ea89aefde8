"""Conflicts of the cluster as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from console.model.cluster import DrainStatus, Host, NodeFlags, NodeState, SharedVolume, VolumeState
from console.model.facts import QuorumKind, StorageJob
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
        elif host.drain_status is DrainStatus.FAILED and host.state is NodeState.PAUSED:
            left = sum(vm.clustered for vm in facts.cluster.vms_on(host.name))
            yield this.conflict(
                Subject(host=host.name),
                f"The cluster's last drain of {host.name} failed and left it paused with {left} clustered VMs.",
                host_evidence(host, "DrainStatus", "Failed"),
                Fix(
                    "Drain it here, or resume it when nobody works on it.",
                    f"Resume-ClusterNode -Name {quoted(host.name)} -Failback NoFailback",
                ),
                Severity.ADVICE,
            )
    yield from _leases(facts, this)
    for role in facts.cluster.roles:
        if role.group_type == CLUSTER_AWARE_UPDATING:
            yield this.conflict(
                Subject(),
                f"Cluster-Aware Updating is set up here ({role.name}): a run of it drains nodes. Whether one is due in "
                "the window can not be read from here.",
                cluster_evidence(facts, "Get-ClusterGroup GroupType", f"{role.name} {role.group_type}"),
                Fix("Look at its schedule before the window.", "Get-CauClusterRole"),
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
            f"Another run of this console holds {held.name}, or has left its lease behind: until that run is over or "
            "its lease has run out, none may start there.",
            cluster_evidence(facts, "Get-ClusterGroup", role.name),
            Fix("Let that run finish, or join it (drainboard attach).", f"Get-ClusterGroup -Name {quoted(role.name)}"),
            Severity.RISKS,
        )


@check(
    "cluster-csv-redirected",
    Severity.RISKS,
    Family.CLUSTER,
    "A Cluster Shared Volume is in redirected mode, paused or unavailable on a node",
    "Get-ClusterSharedVolumeState StateInfo and FileSystemRedirectedIOReason, reflected module",
    reads=(
        "shared-volumes.Name",
        "shared-volume-states.Name",
        "shared-volume-states.Node",
        "shared-volume-states.StateInfo",
        "shared-volume-states.FileSystemRedirectedIOReason",
    ),
)
def csv_redirected(facts: Facts, this: Check) -> Iterator[Finding]:
    for volume in facts.cluster.volumes:
        reasons = dict(volume.redirected_for)
        for host, state in volume.states:
            if told := _trouble(state, reasons.get(host, 0)):
                word, consequence, mend = told
                yield this.conflict(
                    Subject(host=host),
                    f"{volume.name} is {word} on {host}: {consequence}.",
                    (Evidence("StateInfo", word, host, facts.cluster.read_at),),
                    Fix(mend, _look_at(volume)),
                )


_OVER_THE_NETWORK = "its I/O goes over the network that migrations need"
_BY_FILE_SYSTEM = {
    1: ("an operator asked for it", "End it (Failover Cluster Manager: Turn Off Redirected Access)."),
    2: ("an incompatible file system filter", "Look which filter driver is loaded there (antivirus, backup)."),
    4: ("an incompatible volume filter", "Look which filter driver is loaded there (antivirus, backup)."),
    16: ("BitLocker is being set up", "Wait until it is done."),
}
"""Bits of FileSystemRedirectedIOReason that are out of order. ReFS (32) and tiering (8) always redirect."""


def _trouble(state: VolumeState, reason: int) -> tuple[str, str, str] | None:
    """What is wrong with a volume as one node sees it, what that means, and what mends it."""
    if state is VolumeState.BLOCK_REDIRECTED:
        return "block redirected", _OVER_THE_NETWORK, "Mend that node's path to the storage first."
    if state is VolumeState.UNAVAILABLE:
        return "unavailable", "no VM on it can run there", "Mend that node's path to the storage first."
    if state is VolumeState.PAUSED:
        return "paused", "I/O waits there", "Wait; if it stays so, look at the storage and the cluster's log."
    for bit, (why, mend) in _BY_FILE_SYSTEM.items():
        if state is VolumeState.FILE_SYSTEM_REDIRECTED and reason & bit:
            return f"redirected ({why})", _OVER_THE_NETWORK, mend
    return None


def _look_at(volume: SharedVolume) -> str:
    return f"Get-ClusterSharedVolumeState -Name {quoted(volume.name)}"


@check(
    "cluster-balancer",
    Severity.RISKS,
    Family.CLUSTER,
    "Automatic balancing is on: it moves VMs under the plan; only advice where no node comes near its threshold",
    "AutoBalancerMode 2: on join and every 30 minutes; AutoBalancerLevel; windowsserverdocs, VM load balancing",
    reads=("cluster.AutoBalancerMode", "cluster.AutoBalancerLevel"),
)
def balancer(facts: Facts, this: Check) -> Iterator[Finding]:
    mode = facts.cluster.settings.auto_balancer_mode
    if mode is None:
        yield this.unknown(Subject(), "AutoBalancerMode (Get-Cluster) was not read.")
    elif mode == 2:
        threshold = THRESHOLDS.get(facts.cluster.settings.auto_balancer_level or 1, min(THRESHOLDS.values()))
        likely = comes_near(facts, threshold)
        yield this.conflict(
            Subject(),
            "The cluster balances VMs by itself every 30 minutes: nodes above "
            f"{threshold:.0%} of memory or processor lose VMs to others, "
            + ("also while a drain runs." if likely else "which none comes to, not even with one node empty."),
            (Evidence("AutoBalancerMode", str(mode), None, facts.cluster.read_at),),
            Fix(
                "Switch it off for the window, and back to 2 afterwards (drain --allow-setting AutoBalancerMode=0 does "
                "both)."
                if likely
                else "Nothing to do; to be sure, switch it off for the window, and back to 2 afterwards.",
                "(Get-Cluster).AutoBalancerMode = 0",
            ),
            None if likely else Severity.ADVICE,
        )


THRESHOLDS = {1: 0.8, 2: 0.7, 3: 0.6}
"""AutoBalancerLevel → the load above which a node loses VMs (windowsserverdocs, VM load balancing)."""


def comes_near(facts: Facts, threshold: float) -> bool:
    """Whether a node is above the threshold, or would be on average without one of them; unread counts as above."""
    hosts = [host for host in facts.hosts() if host.state is not NodeState.DOWN]
    sizes = [(host.memory_bytes, host.memory_free_bytes) for host in hosts]
    loads = [(size, size - free) for size, free in sizes if size is not None and free is not None]
    if len(loads) < len(hosts) or len(hosts) < 2:
        return True
    room, used = sum(size for size, _ in loads) - max(size for size, _ in loads), sum(used for _, used in loads)
    busiest = max(used / size for size, used in loads if size)
    processors = max((host.cpu_fraction or 0.0 for host in hosts), default=0.0)
    return max(busiest, processors, used / max(room, 1)) > threshold


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
            Fix(
                "Finish the upgrade of every node; only then raise the functional level. There is no way back from it.",
                "Update-ClusterFunctionalLevel",
            ),
        )
        return
    levels = [host.highest_level for host in facts.hosts() if host.highest_level is not None]
    level = facts.cluster.settings.functional_level
    if level is not None and levels and level < min(levels):
        yield this.conflict(
            Subject(),
            f"Every node could work at functional level {min(levels)}; the cluster is still at {level}.",
            cluster_evidence(facts, "ClusterFunctionalLevel", level),
            Fix(
                "Raise it when no node has to go back to the older Windows: there is no way back.",
                "Update-ClusterFunctionalLevel",
            ),
        )


@check(
    "cluster-quorum",
    Severity.BLOCKS,
    Family.CLUSTER,
    "The node's going down after the drain would lose the quorum, or leave no vote to spare; with dynamic quorum a "
    "clean shutdown keeps it",
    "Get-ClusterQuorum; Get-ClusterNode NodeWeight and DynamicWeight, reflected module; windowsserverdocs, "
    "understanding quorum",
    reads=(
        "nodes.State",
        "nodes.NodeWeight",
        "nodes.DynamicWeight",
        "quorum.QuorumResource",
        "quorum.QuorumType",
        "cluster.DynamicQuorum",
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
    """``votes``: now, without the host, and as many as could be there without it.

    With dynamic quorum a node that shuts down cleanly hands its vote on, and one that drops dead does not. Two nodes
    with a witness can not have more to spare: there it is only advice.
    """
    total, after, spare = votes
    evidence = cluster_evidence(facts, "votes now", total) + host_evidence(host, "DynamicWeight", host.dynamic_weight)
    fix = Fix("Add a witness, or bring another node back first.", "Get-ClusterQuorum")
    dynamic = bool(facts.cluster.settings.dynamic_quorum)
    if 2 * after <= total:
        down = "drops dead" if dynamic else "goes down"
        handed = " A clean shutdown hands its vote on first (dynamic quorum)." if dynamic else ""
        yield this.conflict(
            Subject(host=host.name),
            f"When {host.name} {down} after its drain, {after} of {total} votes are left: the cluster stops.{handed}",
            evidence,
            fix,
            Severity.RISKS if dynamic else None,
        )
    elif spare <= 2:
        quorum = facts.cluster.quorum
        two = len(facts.hosts()) == 2 and quorum is not None and quorum.witness
        yield this.conflict(
            Subject(host=host.name),
            f"When {host.name} goes down after its drain, "
            f"{'the other node is the last one' if two else 'no further vote may be lost'}.",
            evidence,
            Fix("Nothing to do; keep the window short.") if two else fix,
            Severity.ADVICE if two else Severity.RISKS,
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
            f"Storage jobs are running ({_told_once(running)}): restarting a node now takes away copies that they work "
            "from, and volumes may go offline.",
            cluster_evidence(facts, "JobState", ", ".join(f"{job.name} {job.percent or 0} %" for job in running)),
            Fix("Wait until none is left.", "Get-StorageJob"),
        )
    for disk in cluster.virtual_disks or ():
        if disk.health in UNHEALTHY:
            yield this.conflict(
                Subject(),
                f"The virtual disk {disk.name} is {UNHEALTHY[disk.health]}: without another node it may go offline. "
                "Disks of a node may be in maintenance, or have failed.",
                cluster_evidence(facts, "HealthStatus", f"{disk.name} {disk.health}"),
                Fix("Wait until it is healthy, or mend it.", f"Get-VirtualDisk -FriendlyName {quoted(disk.name)}"),
            )
        elif disk.health != 0:
            yield this.unknown(Subject(), f"The health of the virtual disk {disk.name} is not known.")


def _told_once(jobs: list[StorageJob]) -> str:
    """ "3 × Repair, Optimize": many jobs have one name."""
    counts = Counter(job.name or "without a name" for job in jobs)
    return listed(name if number == 1 else f"{number} × {name}" for name, number in counts.items())
