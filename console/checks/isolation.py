"""Conflicts of what else uses, or reaches, the network that carries migration."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import Cluster, ClusterNetwork, Host, MigrationTransport, NetworkRole

from .networks import carrier, eligible_networks, excluding, uncarried
from .reads import CARRIERS, NETWORKS
from .registry import Check, Facts, Family, Finding, check, cluster_evidence, host_evidence, listed, quoted, untold
from .transport import rdma_works
from .values import Fix, Severity, Subject

BUILD_2022 = 20348
"""Win32_OperatingSystem.BuildNumber of Windows Server 2022."""


def encrypted(host: Host) -> bool | None:
    """Whether what leaves the host by live migration is encrypted: only over SMB, and only when SMB is told to."""
    if host.migration_transport is None:
        return None
    return host.smb_encrypts if host.migration_transport is MigrationTransport.SMB else False


@check(
    "network-not-isolated",
    Severity.RISKS,
    Family.NETWORK,
    "Clients reach a network that may carry migration, and what goes over it is not encrypted; only advice where "
    "another network comes first",
    "Live Migration Internals and Tuning, live migration security in 2025; ClusterNetwork Role ClusterAndClient",
    reads=(*NETWORKS, "vm-host.VirtualMachineMigrationPerformanceOption"),
)
def not_isolated(facts: Facts, this: Check) -> Iterator[Finding]:
    eligible = [network for network in eligible_networks(facts.cluster) if network.up is not False]
    reachable = [one for one in eligible if one.role in (NetworkRole.CLIENT, NetworkRole.CLUSTER_AND_CLIENT)]
    if not reachable:
        return
    hosts = facts.hosts()
    yield from untold(this, (host for host in hosts if encrypted(host) is None), "Transport or SMB encryption")
    plain = [host for host in hosts if encrypted(host) is False]
    for network in reachable if plain else ():
        yield this.conflict(
            Subject(),
            f"{network.name} is open to clients and may carry migration"
            f"{'' if network is eligible[0] else f' when {eligible[0].name} fails'}: "
            f"{listed(host.name for host in plain)} would send the VMs' memory over it unencrypted.",
            cluster_evidence(facts, "Role of the network", f"{network.name} {network.role}"),
            excluding(facts, [network], "Keep migration off it where another network is left, or encrypt it (SMB)."),
            None if network is eligible[0] else Severity.ADVICE,
        )


@check(
    "network-encryption-old-rdma",
    Severity.RISKS,
    Family.NETWORK,
    "SMB encryption on a node older than Windows Server 2022: RDMA's fast path is off",
    "Live Migration Internals and Tuning, encryption vs RDMA, then and now; Get-SmbServerConfiguration EncryptData",
    reads=("operating-system.BuildNumber", "vm-host.VirtualMachineMigrationPerformanceOption"),
)
def encryption_on_old_rdma(facts: Facts, this: Check) -> Iterator[Finding]:
    old = [
        host
        for host in facts.hosts()
        if host.build is not None
        and host.build < BUILD_2022
        and host.migration_transport is MigrationTransport.SMB
        and rdma_works(host) is not False
    ]
    yield from untold(this, (host for host in old if host.smb_encrypts is None), "SMB encryption")
    for host in old:
        if host.smb_encrypts:
            yield this.conflict(
                Subject(host=host.name),
                f"{host.name} (build {host.build}) encrypts all SMB, which takes RDMA's fast path away before Windows "
                "Server 2022.",
                host_evidence(host, "EncryptData", True),
                Fix(
                    "Upgrade the node. Or turn encryption off, which holds for every SMB share and all storage "
                    "traffic of this node: only on an isolated network, and if the site's rules allow it.",
                    f"Set-SmbServerConfiguration -CimSession {quoted(host.name)} -EncryptData $false",
                ),
            )


def _storage_network(cluster: Cluster) -> ClusterNetwork | None:
    """Where cluster and CSV traffic goes: the cluster network that is up and has the lowest metric."""
    candidates = [
        network
        for network in cluster.networks
        if network.up is not False
        and network.role in (NetworkRole.CLUSTER, NetworkRole.CLUSTER_AND_CLIENT)
        and network.metric is not None
    ]
    return min(candidates, key=lambda network: network.metric or 0, default=None)


def _capped(facts: Facts, host: Host) -> bool | None:
    """Whether the cluster's SMB cap holds this host's migrations back."""
    if not facts.cluster.settings.set_smb_bandwidth_limit or host.migration_transport is not MigrationTransport.SMB:
        return False
    return host.smb_bandwidth_feature


@check(
    "network-shared-with-csv",
    Severity.RISKS,
    Family.NETWORK,
    "Migration shares an adapter with cluster and CSV traffic, and nothing is reserved for that",
    "Live Migration Internals and Tuning, live migration starves CSV traffic",
    reads=("networks.Metric", *NETWORKS, *CARRIERS, "cluster.SetSMBBandwidthLimit"),
)
def shared_with_csv(facts: Facts, this: Check) -> Iterator[Finding]:
    storage = _storage_network(facts.cluster)
    first = next((network for network in eligible_networks(facts.cluster) if network.up is not False), None)
    if storage is None or first is None or facts.cluster.network_intents:
        return
    yield from uncarried(facts, this)
    for host in facts.hosts():
        ours, theirs = carrier(facts.cluster, host, first), carrier(facts.cluster, host, storage)
        capped = _capped(facts, host)
        if ours is None or theirs is None or ours.name != theirs.name or capped or host.reserves_bandwidth:
            continue
        if capped is None or host.reserves_bandwidth is None:
            yield from untold(this, [host], "What is reserved for cluster traffic (Get-NetQosTrafficClass)")
            continue
        names = dict.fromkeys((first.name, storage.name))
        yield this.conflict(
            Subject(host=host.name),
            f"On {host.name} migration and CSV traffic share the adapter {ours.name} (network {' and '.join(names)}) "
            "and nothing is reserved for the latter: a drain can starve heartbeats and storage.",
            host_evidence(host, "Get-NetQosTrafficClass", "no share reserved"),
            Fix(
                "Reserve a share for cluster and storage traffic (Network ATC, DCB), cap SMB, or migrate over another "
                "adapter. For tonight: fewer moves at once; the guard holds starts when storage suffers.",
                f"Get-NetQosTrafficClass -CimSession {quoted(host.name)}",
            ),
        )
