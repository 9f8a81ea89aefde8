"""What makes each code fire, and what makes it unknown."""

from __future__ import annotations

from dataclasses import replace

from console.model.cluster import (
    Contact,
    DrainStatus,
    GroupFlags,
    GroupState,
    Heartbeat,
    MigrationAuthentication,
    MigrationTransport,
    NodeState,
    VmState,
)
from console.model.details import (
    Checkpoint,
    CompatibilityVector,
    Disk,
    GpuPartition,
    ProcessorSettings,
    SecuritySettings,
    VirtualAdapter,
)
from tests.builders import make_adapter
from tests.checks.case import Case
from tests.checks.more_cases import MORE
from tests.checks.worlds import (
    DYNAMIC,
    ISO_HERE,
    LONG_AGO,
    STATIC,
    busy_and_balanced,
    cluster_of,
    dead_network_on_old_host,
    every_host,
    excluded_everywhere,
    full_house,
    mixed_hardware,
    redirected,
    slow_network_first,
    smb_capped,
    together,
    with_adapter,
    with_details,
    with_host,
    with_processor,
    with_settings,
    with_vm,
)

RDMA = (make_adapter(rdma_enabled=True, rdma_operational=True),)
FAST = (make_adapter(link_bytes_per_s=12_500_000_000.0),)

FIRST = [
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
        smb_capped(smb_bandwidth_feature=False),
        smb_capped(smb_bandwidth_feature=None),
    ),
    Case("cluster-drain-running", with_host(drain_status=DrainStatus.IN_PROGRESS)),
    Case("cluster-csv-redirected", cluster_of(whole=redirected)),
    Case("cluster-balancer", busy_and_balanced(), with_settings(auto_balancer_mode=None)),
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
    Case("network-mtu", with_adapter(mtu_bytes=1500)),
    Case("network-vmq", with_adapter(vmq_enabled=False)),
    Case("network-driver", with_adapter(driver_provider="Microsoft")),
    Case("network-rdma-not-operational", with_adapter(rdma_enabled=True, rdma_operational=False)),
    Case("network-speed-differs", with_host(adapters=FAST)),
    Case("place-breaks-n1", cluster_of(whole=full_house), every_host(memory_free_bytes=None)),
    Case("place-affinity", cluster_of(whole=together)),
]

CASES = [*FIRST, *MORE]
