"""A small healthy cluster, and ways to break one thing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from console.checks.catalogue import Facts, run_checks
from console.checks.hosts import SERVICES
from console.model.cluster import (
    Cluster,
    Host,
    MigrationTransport,
    NetworkInterface,
    SharedVolume,
    VirtualMachine,
    VolumeState,
)
from console.model.details import (
    CompatibilityMode,
    CompatibilityVector,
    Disk,
    OpticalDrive,
    ProcessorSettings,
    SecuritySettings,
    VirtualAdapter,
    VmDetails,
)
from console.model.facts import Delegation, DelegationEntry, Quorum, QuorumKind
from console.model.identity import HostName
from console.model.outlook import MoveOutlook, Outlook
from tests.builders import READ_AT, make_adapter, make_cluster, make_host, make_settings, make_vm

HOSTS = ("HV01", "HV02", "HV03")

VECTORS = (CompatibilityVector(1, 2, 0b0111), CompatibilityVector(2, 0, 4))

HEALTHY = VmDetails(
    processor=ProcessorSettings(False, CompatibilityMode.MINIMUM_FEATURE_SET, False),
    vectors=VECTORS,
    disks=(Disk("C:\\ClusterStorage\\CSV1\\app\\app.vhdx", False, 1),),
    optical_drives=(OpticalDrive("", 0),),
    adapters=(VirtualAdapter("Network Adapter", "Compute", True),),
    checkpoints=(),
    gpu_partitions=(),
    assigned_devices=(),
    fibre_channel_sans=(),
    security=SecuritySettings(False, False),
    replication_state=4,
    replication_health=1,
    failures=(),
)

DOMAIN = "corp.example"


def delegation_of(name: str) -> Delegation:
    """Everything that a host may have to delegate to the other hosts."""
    return Delegation(
        tuple(
            DelegationEntry(service, other, qualified)
            for service in SERVICES
            for other in HOSTS
            for qualified in (False, True)
            if other != name
        ),
        True,
    )


def healthy_host(name: str) -> Host:
    """A host of which also the finer facts are known and well."""
    return make_host(
        name,
        compatibility_vectors=(CompatibilityVector(1, 2, 0b1111), CompatibilityVector(2, 0, 4)),
        node_weight=1,
        dynamic_weight=1,
        system_drive="C:",
        registry_name=name,
        part_of_domain=True,
        modules=("FailoverClusters", "Hyper-V"),
        abilities=("Move-ClusterVirtualMachineRole", "Suspend-ClusterNode"),
        smb_encrypts=False,
        reserves_bandwidth=True,
        virtual_sans=(),
        gpus=(),
        delegation=delegation_of(name),
    )


def cluster_of(
    *,
    host: Callable[[Host], Host] = lambda host: host,
    vm: Callable[[VirtualMachine], VirtualMachine] = lambda vm: vm,
    whole: Callable[[Cluster], Cluster] = lambda cluster: cluster,
) -> Cluster:
    """Three healthy hosts and one VM on HV01, with HV01 or the VM changed."""
    owners = frozenset(HostName(name) for name in HOSTS)
    base = make_cluster(hosts=3, vms_per_host=0)
    hosts = (host(healthy_host("HV01")), *(healthy_host(name) for name in HOSTS[1:]))
    vms = (vm(make_vm("app", "HV01", possible_owners=owners, details=HEALTHY)),)
    settings = make_settings(
        auto_balancer_mode=0,
        maximum_parallel_migrations=2,
        set_smb_bandwidth_limit=0,
        domain=DOMAIN,
        witness_weight=1,
        has_migration_controls=True,
    )
    interfaces = tuple(
        NetworkInterface(HostName(name), network.name, "25 GbE Adapter pNIC1", True)
        for name in HOSTS
        for network in base.networks
    )
    built = replace(base, hosts=hosts, vms=vms, settings=settings, interfaces=interfaces)
    return whole(replace(built, quorum=Quorum(QuorumKind.MAJORITY, True), network_intents=0, access=()))


def outlook_of(cluster: Cluster, **changes: object) -> Outlook:
    """A minute for every VM, with changes to all of them."""
    move = replace(MoveOutlook(60.0, 0.5, True, True, "prior for its size"), **changes)  # type: ignore[arg-type]
    return Outlook({vm.id: move for vm in cluster.vms})


def codes(cluster: Cluster) -> set[str]:
    return {conflict.code for conflict in run_checks(Facts(cluster, outlook=outlook_of(cluster))).conflicts}


def unknown(cluster: Cluster) -> set[str]:
    return {finding.code for finding in run_checks(Facts(cluster, outlook=outlook_of(cluster))).unknown}


def with_host(**changes: object) -> Cluster:
    return cluster_of(host=lambda host: replace(host, **changes))  # type: ignore[arg-type]


def with_vm(**changes: object) -> Cluster:
    return cluster_of(vm=lambda vm: replace(vm, **changes))  # type: ignore[arg-type]


def with_settings(**changes: object) -> Cluster:
    return cluster_of(whole=lambda cluster: replace(cluster, settings=replace(cluster.settings, **changes)))  # type: ignore[arg-type]


def every_host(**changes: object) -> Cluster:
    def changed(cluster: Cluster) -> Cluster:
        return replace(cluster, hosts=tuple(replace(host, **changes) for host in cluster.hosts))  # type: ignore[arg-type]

    return cluster_of(whole=changed)


def busy_and_balanced() -> Cluster:
    """Nodes that are fuller than the cluster likes, and that it would level while a drain runs."""
    full = every_host(memory_free_bytes=1 << 30)
    return replace(full, settings=replace(full.settings, auto_balancer_mode=2))


def smb_capped(**changes: object) -> Cluster:
    """Every host migrates by SMB, under the cluster's cap."""
    smb = every_host(migration_transport=MigrationTransport.SMB, **changes)
    return replace(smb, settings=replace(smb.settings, set_smb_bandwidth_limit=1))


def redirected(cluster: Cluster) -> Cluster:
    volume = SharedVolume("CSV1", HostName("HV01"), ((HostName("HV02"), VolumeState.BLOCK_REDIRECTED),))
    return replace(cluster, volumes=(volume,))


def with_details(**changes: object) -> Cluster:
    return with_vm(details=replace(HEALTHY, **changes))  # type: ignore[arg-type]


def with_processor(enabled: bool, mode: CompatibilityMode, *, old_node: bool = False, version: str = "12.0") -> Cluster:
    settings = ProcessorSettings(enabled, mode, False)

    def changed(cluster: Cluster) -> Cluster:
        first = replace(cluster.hosts[0], build=20348 if old_node else 26100)
        vm = replace(cluster.vms[0], version=version, details=replace(HEALTHY, processor=settings))
        return replace(cluster, hosts=(first, *cluster.hosts[1:]), vms=(vm,))

    return cluster_of(whole=changed)


def mixed_hardware(cluster: Cluster) -> Cluster:
    return replace(cluster, hosts=(replace(cluster.hosts[0], processor_name="an older one"), *cluster.hosts[1:]))


def with_adapter(**changes: object) -> Cluster:
    return with_host(adapters=(make_adapter(**changes), make_adapter("pNIC2")))  # type: ignore[arg-type]


def excluded_everywhere(cluster: Cluster) -> Cluster:
    return replace(cluster, networks=tuple(replace(network, migration_excluded=True) for network in cluster.networks))


def slow_network_first(cluster: Cluster) -> Cluster:
    slow = replace(cluster.networks[0], migration_excluded=False, migration_order=0)
    fast = replace(cluster.networks[1], migration_order=1)
    interfaces = tuple(
        replace(one, adapter="25 GbE Adapter slow") if one.network == slow.name else one
        for one in cluster.interfaces or ()
    )
    adapters = (make_adapter("slow", link_bytes_per_s=125e6), make_adapter("pNIC1"))
    hosts = tuple(replace(host, adapters=adapters) for host in cluster.hosts)
    return replace(cluster, networks=(slow, fast), hosts=hosts, interfaces=interfaces)


def dead_network_on_old_host(cluster: Cluster) -> Cluster:
    networks = tuple(replace(network, up=False, migration_excluded=False) for network in cluster.networks)
    return replace(cluster, networks=networks, hosts=(replace(cluster.hosts[0], build=20348), *cluster.hosts[1:]))


def full_house(cluster: Cluster) -> Cluster:
    owners = frozenset(HostName(name) for name in HOSTS)
    vms = tuple(make_vm(f"big {name}", name, 400, possible_owners=owners, details=HEALTHY) for name in HOSTS)
    return replace(cluster, vms=vms, hosts=tuple(replace(host, memory_free_bytes=10) for host in cluster.hosts))


def together(cluster: Cluster) -> Cluster:
    owners = frozenset(HostName(name) for name in HOSTS)
    vms = tuple(make_vm(name, "HV01", possible_owners=owners, anti_affinity=("dc",), details=HEALTHY) for name in "ab")
    return replace(cluster, vms=vms)


STATIC, DYNAMIC = CompatibilityMode.MINIMUM_FEATURE_SET, CompatibilityMode.COMMON_CLUSTER_FEATURE_SET
ISO_HERE = (OpticalDrive("D:\\setup.iso", 1),)
LONG_AGO = READ_AT - timedelta(days=40)


def damaged(cluster: Cluster, reads: tuple[str, ...]) -> Cluster:
    """The cluster as it is when some properties did not come, neither from HV01 nor from the cluster."""
    hosts = (replace(cluster.hosts[0], unread=reads), *cluster.hosts[1:])
    return replace(cluster, hosts=hosts, unread=reads)
