"""Every code fires on its cause, is clean without it, and says unknown where its fact was not read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from console.checks.catalogue import CHECKS, Facts, run_checks
from console.checks.registry import Ruling, SitePolicy
from console.checks.values import Severity
from console.model.cluster import (
    Cluster,
    Contact,
    DrainStatus,
    GroupFlags,
    GroupState,
    Heartbeat,
    Host,
    MigrationAuthentication,
    MigrationTransport,
    NetworkInterface,
    NodeState,
    SharedVolume,
    VirtualMachine,
    VmState,
    VolumeState,
)
from console.model.details import (
    Checkpoint,
    CompatibilityMode,
    CompatibilityVector,
    Disk,
    GpuPartition,
    OpticalDrive,
    ProcessorSettings,
    SecuritySettings,
    VirtualAdapter,
    VmDetails,
)
from console.model.identity import HostName
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
    vectors = {"compatibility_vectors": (CompatibilityVector(1, 2, 0b1111), CompatibilityVector(2, 0, 4))}
    hosts = (host(make_host("HV01", **vectors)), *(make_host(name, **vectors) for name in HOSTS[1:]))
    vms = (vm(make_vm("app", "HV01", possible_owners=owners, details=HEALTHY)),)
    settings = make_settings(auto_balancer_mode=0, maximum_parallel_migrations=2)
    interfaces = tuple(
        NetworkInterface(HostName(name), network.name, "25 GbE Adapter pNIC1", True)
        for name in HOSTS
        for network in base.networks
    )
    return whole(replace(base, hosts=hosts, vms=vms, settings=settings, interfaces=interfaces))


def codes(cluster: Cluster) -> set[str]:
    return {conflict.code for conflict in run_checks(Facts(cluster)).conflicts}


def unknown(cluster: Cluster) -> set[str]:
    return {finding.code for finding in run_checks(Facts(cluster)).unknown}


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


@dataclass(frozen=True)
class Case:
    code: str
    fires: Cluster
    unread: Cluster | None = None


RDMA = (make_adapter(rdma_enabled=True, rdma_operational=True),)
FAST = (make_adapter(link_bytes_per_s=12_500_000_000.0),)

CASES = [
    Case(
        "auth-credssp-credential-guard",
        with_host(migration_authentication=MigrationAuthentication.CREDSSP, credential_guard=True),
        with_host(migration_authentication=None),
    ),
    Case(
        "auth-credssp-before-upgrade",
        with_host(migration_authentication=MigrationAuthentication.CREDSSP, credential_guard=False, build=20348),
    ),
    Case("auth-mixed", with_host(migration_authentication=MigrationAuthentication.CREDSSP)),
    Case("host-migration-disabled", with_host(migration_enabled=False), with_host(migration_enabled=None)),
    Case("host-not-available", with_host(state=NodeState.PAUSED), with_host(state=NodeState.UNKNOWN)),
    Case("host-unreachable", with_host(contact=Contact.SILENT)),
    Case(
        "host-version-older",
        every_host(supported_vm_versions=("8.0", "10.0")),
        with_host(supported_vm_versions=None),
    ),
    Case("vm-checkpoint-merging", with_vm(operational_status=(2, 32772))),
    Case("vm-backing-up", with_vm(operational_status=(2, 32776))),
    Case("vm-storage-migrating", with_vm(operational_status=(2, 32778))),
    Case("vm-already-migrating", with_vm(role_flags=GroupFlags.QUEUED)),
    Case("vm-not-clustered", with_vm(clustered=False)),
    Case("vm-locked", with_vm(role_flags=GroupFlags.LOCKED)),
    Case("vm-quick-migrates", with_vm(default_move_type=1)),
    Case("vm-paused", with_vm(state=VmState.PAUSED)),
    Case("vm-not-running", with_vm(state=VmState.OFF)),
    Case("vm-critical", with_vm(state=VmState.CRITICAL)),
    Case("vm-guest-unhealthy", with_vm(heartbeat=Heartbeat.LOST_COMMUNICATION)),
    Case("role-not-healthy", with_vm(role_state=GroupState.FAILED)),
    Case("role-auto-failback", with_vm(auto_failback=True)),
    Case("vm-too-big", with_vm(processors=512)),
    Case("place-possible-owners", with_vm(possible_owners=frozenset({"HV01", "HV02"})), with_vm(possible_owners=None)),
    Case("place-no-memory", every_host(memory_free_bytes=1), every_host(memory_free_bytes=None)),
    Case("transport-mixed", with_host(migration_transport=MigrationTransport.SMB)),
    Case("transport-tcpip", every_host(migration_transport=MigrationTransport.TCPIP)),
    Case(
        "transport-smb-without-rdma",
        every_host(migration_transport=MigrationTransport.SMB),
        every_host(migration_transport=MigrationTransport.SMB, adapters=None),
    ),
    Case("transport-rdma-unused", every_host(adapters=RDMA)),
    Case(
        "limit-default-on-fast",
        with_settings(maximum_parallel_migrations=1),
        with_settings(maximum_parallel_migrations=None),
    ),
    Case(
        "limit-above-rule",
        with_settings(maximum_parallel_migrations=8),
        with_settings(maximum_parallel_migrations=None),
    ),
    Case("limit-host-ignored", with_host(maximum_virtual_machine_migrations=7)),
    Case(
        "smb-cap-ineffective",
        every_host(migration_transport=MigrationTransport.SMB, smb_bandwidth_feature=False),
        every_host(migration_transport=MigrationTransport.SMB, smb_bandwidth_feature=None),
    ),
    Case("cluster-drain-running", with_host(drain_status=DrainStatus.IN_PROGRESS)),
    Case("cluster-csv-redirected", cluster_of(whole=redirected)),
    Case("cluster-balancer", with_settings(auto_balancer_mode=2), with_settings(auto_balancer_mode=None)),
    Case("cluster-mixed-level", with_host(build=20348)),
    Case("cpu-vendor", with_host(processor_manufacturer="AuthenticAMD"), with_host(processor_manufacturer=None)),
    Case(
        "cpu-features",
        every_host(compatibility_vectors=(CompatibilityVector(1, 2, 0b0011), CompatibilityVector(2, 0, 4))),
        with_details(vectors=None),
    ),
    Case(
        "cpu-compat-off-mixed",
        cluster_of(whole=mixed_hardware),
        cluster_of(whole=lambda cluster: mixed_hardware(replace(cluster, vms=with_details(processor=None).vms))),
    ),
    Case("cpu-static-on-2025", with_processor(True, STATIC), with_details(processor=None)),
    Case("cpu-dynamic-old-version", with_processor(True, DYNAMIC, version="9.0"), with_details(processor=None)),
    Case("cpu-dynamic-old-node", with_processor(True, DYNAMIC, old_node=True)),
    Case("cpu-compat-on-homogeneous", with_processor(True, STATIC), with_details(processor=None)),
    Case("vm-dda", with_details(assigned_devices=("PCIROOT(0)#PCI(0300)",)), with_details(assigned_devices=None)),
    Case(
        "vm-gpu-p",
        with_details(gpu_partitions=(GpuPartition("gpu", False),)),
        with_details(gpu_partitions=(GpuPartition("gpu", None),)),
    ),
    Case("vm-fibre-channel", with_details(fibre_channel_sans=("SAN-A",)), with_details(fibre_channel_sans=None)),
    Case(
        "vm-switch-missing",
        with_details(adapters=(VirtualAdapter("Network Adapter", "Lab [old]", True),)),
        with_details(adapters=None),
    ),
    Case("vm-local-storage", with_details(disks=(Disk("D:\\vm.vhdx", False, 1),)), with_details(disks=None)),
    Case("vm-local-media", with_details(optical_drives=ISO_HERE), with_details(optical_drives=None)),
    Case("vm-checkpoints", with_details(checkpoints=(Checkpoint("old", LONG_AGO, 0),)), with_details(checkpoints=None)),
    Case(
        "vm-persistent-memory",
        with_details(disks=(Disk("C:\\ClusterStorage\\CSV1\\pmem.vhdpmem", False, 2),)),
        with_details(disks=None),
    ),
    Case("vm-vtpm-guardian", with_details(security=SecuritySettings(True, False)), with_details(security=None)),
    Case("vm-nested", with_details(processor=ProcessorSettings(False, STATIC, True)), with_details(processor=None)),
    Case("vm-replica", with_details(replication_health=3)),
    Case(
        "network-none-eligible",
        cluster_of(whole=excluded_everywhere),
        cluster_of(whole=lambda cluster: replace(cluster, interfaces=None)),
    ),
    Case("network-wrong", cluster_of(whole=slow_network_first)),
    Case("network-slow-selection", cluster_of(whole=dead_network_on_old_host)),
    Case("network-mtu", with_adapter(mtu_bytes=1514)),
    Case("network-vmq", with_adapter(vmq_enabled=False)),
    Case("network-driver", with_adapter(driver_provider="Microsoft")),
    Case("network-rdma-not-operational", with_adapter(rdma_enabled=True, rdma_operational=False)),
    Case("network-speed-differs", with_host(adapters=FAST)),
    Case("place-breaks-n1", cluster_of(whole=full_house), every_host(memory_free_bytes=None)),
    Case("place-affinity", cluster_of(whole=together)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_fires_on_its_cause_and_carries_evidence_and_a_fix(case: Case) -> None:
    found = [conflict for conflict in run_checks(Facts(case.fires)).conflicts if conflict.code == case.code]
    assert found
    for conflict in found:
        assert conflict.message.endswith((".", ")"))
        assert conflict.evidence
        assert conflict.fix.text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_is_clean_without_the_cause(case: Case) -> None:
    healthy = cluster_of()
    assert case.code not in codes(healthy)
    assert case.code not in unknown(healthy)


@pytest.mark.parametrize("case", [case for case in CASES if case.unread], ids=lambda case: case.code)
def test_is_unknown_where_the_fact_was_not_read(case: Case) -> None:
    assert case.unread is not None
    assert case.code in unknown(case.unread)
    assert case.code not in codes(case.unread)


def test_every_registered_code_has_a_case() -> None:
    assert set(CHECKS) == {case.code for case in CASES}


def test_a_site_can_silence_and_raise_a_code_and_says_why() -> None:
    noisy = with_vm(state=VmState.PAUSED)
    silent = SitePolicy({"vm-paused": (Ruling.SILENCE, "test machines")})
    assert "vm-paused" not in {conflict.code for conflict in run_checks(Facts(noisy), silent).conflicts}
    raised = SitePolicy({"vm-paused": (Ruling.BLOCKS, "policy 7")})
    conflict = next(one for one in run_checks(Facts(noisy), raised).conflicts if one.code == "vm-paused")
    assert conflict.severity is Severity.BLOCKS
    assert "policy 7" in conflict.message


def test_looking_at_one_node_leaves_the_vms_of_others_out() -> None:
    cluster = with_vm(state=VmState.PAUSED)
    findings = run_checks(Facts(cluster, HostName("HV02")))
    assert "vm-paused" not in {conflict.code for conflict in findings.conflicts}
