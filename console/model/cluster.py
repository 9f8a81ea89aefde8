"""The cluster as it was read: one immutable snapshot. ``None`` always means *unknown*, never zero and never absent.

Integers of the enumerations are the wire's (reflected from the Windows modules); names follow PEP 8.
Sizes are bytes, durations seconds, rates bytes per second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from .details import CompatibilityVector, VmDetails
from .facts import AccessRule, Delegation, PartitionableGpu, Quorum, StorageJob, VirtualDisk
from .identity import HostName, RoleName, VmId, VmRef
from .past import Past
from .states import (
    Contact,
    DrainStatus,
    GroupFlags,
    GroupState,
    Heartbeat,
    MigrationAuthentication,
    MigrationTransport,
    NetworkRole,
    NodeFlags,
    NodeState,
    VmState,
    VolumeState,
)

__all__ = [
    "AffinityRule",
    "Cluster",
    "ClusterNetwork",
    "ClusterSettings",
    "Contact",
    "DrainStatus",
    "GroupFlags",
    "GroupState",
    "Heartbeat",
    "Host",
    "MigrationAuthentication",
    "MigrationProgress",
    "MigrationTransport",
    "NetworkAdapter",
    "NetworkInterface",
    "NetworkRole",
    "NodeFlags",
    "NodeState",
    "Role",
    "SharedVolume",
    "VirtualMachine",
    "VmState",
    "VolumeState",
]


@dataclass(frozen=True, slots=True)
class NetworkAdapter:
    """A physical adapter of a host (Get-NetAdapter, Get-NetAdapterRdma, Get-NetAdapterVmq)."""

    name: str
    description: str
    link_bytes_per_s: float | None
    up: bool | None
    mtu_bytes: int | None = None
    rdma_enabled: bool | None = None
    rdma_operational: bool | None = None
    vmq_enabled: bool | None = None
    driver_version: str | None = None
    driver_date: str | None = None
    driver_provider: str | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A cluster node that runs Hyper-V."""

    name: HostName
    contact: Contact
    read_at: datetime | None
    """When its own session last answered."""
    node_id: int | None = None
    state: NodeState = NodeState.UNKNOWN
    drain_status: DrainStatus | None = None
    flags: NodeFlags = NodeFlags.NORMAL
    build: int | None = None
    fault_domain: str | None = None
    memory_bytes: int | None = None
    memory_free_bytes: int | None = None
    logical_processors: int | None = None
    processor_manufacturer: str | None = None
    processor_name: str | None = None
    cpu_fraction: float | None = None
    """Total run time of the logical processors, 0 to 1."""
    migration_enabled: bool | None = None
    migration_transport: MigrationTransport | None = None
    migration_authentication: MigrationAuthentication | None = None
    maximum_virtual_machine_migrations: int | None = None
    credential_guard: bool | None = None
    smb_bandwidth_feature: bool | None = None
    """FS-SMBBW is installed."""
    supported_vm_versions: tuple[str, ...] | None = None
    compatibility_vectors: tuple[CompatibilityVector, ...] | None = None
    """What GetSystemCompatibilityVectors answers for the host itself; read on demand."""
    adapters: tuple[NetworkAdapter, ...] | None = None
    switches: tuple[str, ...] | None = None
    uplinks: tuple[str, ...] | None = None
    """Descriptions of the adapters under its only external switch; None where it has several, or none was read."""
    started_at: datetime | None = None
    migrations_in_flight: int | None = None
    node_weight: int | None = None
    """Its vote in the quorum as configured, 0 or 1."""
    dynamic_weight: int | None = None
    """The vote that it has now."""
    highest_level: int | None = None
    """The highest cluster functional level that it can work at (upper half of NodeHighestVersion)."""
    system_drive: str | None = None
    local_time: datetime | None = None
    """Its own clock at :attr:`read_at`."""
    registry_name: str | None = None
    """Its name as its registry spells it: SMB migrations want capitals."""
    part_of_domain: bool | None = None
    modules: tuple[str, ...] | None = None
    """Those of the PowerShell modules asked for that are there."""
    abilities: tuple[str, ...] | None = None
    """Those of the commands that a drain sends which this session may run."""
    smb_encrypts: bool | None = None
    reserves_bandwidth: bool | None = None
    """A class of traffic has a share of the links that migration can not take."""
    virtual_sans: tuple[str, ...] | None = None
    gpus: tuple[PartitionableGpu, ...] | None = None
    delegation: Delegation | None = None
    arrived_at: datetime | None = None
    """When a live migration last ended well here, as its event log tells."""
    problems: tuple[str, ...] = ()
    """Sentences about what could not be read or is wrong, for the Problems pane."""
    unread: tuple[str, ...] = ()
    """What it did not tell: entries of the catalogue, or one property of an entry ("vms.Heartbeat")."""
    denied: tuple[str, ...] = ()
    """Entries that it refused to this account."""

    @property
    def accepts_vms(self) -> bool:
        """Up and not avoiding placement: roles may be moved here."""
        return self.state is NodeState.UP and not self.flags & (
            NodeFlags.ISOLATED | NodeFlags.QUARANTINED | NodeFlags.AVOID_PLACEMENT
        )


@dataclass(frozen=True, slots=True)
class MigrationProgress:
    """What the cluster and the source host tell of a running live migration."""

    percent: float | None = None
    """0 to 100, low half of ResourceSpecificData1 or Msvm_MigrationJob.PercentComplete."""
    destination: HostName | None = None
    pass_number: int | None = None
    dirty_pages: int | None = None
    rate_bytes_per_s: float | None = None
    bytes_sent: int | None = None
    blackout: bool | None = None
    cpu_cap: int | None = None
    queued: bool = False


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A VM on the host where it was seen."""

    ref: VmRef
    host: HostName
    state: VmState
    state_number: int
    """The wire's integer, also for states this version does not name."""
    clustered: bool
    read_at: datetime | None = None
    operational_status: tuple[int, ...] = ()
    memory_assigned_bytes: int | None = None
    """0 unless running."""
    memory_startup_bytes: int | None = None
    memory_demand_bytes: int | None = None
    dynamic_memory: bool | None = None
    processors: int | None = None
    cpu_percent: int | None = None
    version: str | None = None
    generation: int | None = None
    uptime_s: float | None = None
    heartbeat: Heartbeat | None = None
    status: str = ""
    """Windows' own words, localised: for display only."""
    role_state: GroupState | None = None
    role_flags: GroupFlags = GroupFlags.NONE
    priority: int | None = None
    """0 no auto start, 1000 low, 2000 medium, 3000 high."""
    default_move_type: int | None = None
    """1 always quick; 4294967295 follows the cluster's rule."""
    possible_owners: frozenset[HostName] | None = None
    preferred_owners: tuple[HostName, ...] | None = None
    anti_affinity: tuple[str, ...] = ()
    auto_failback: bool | None = None
    resource_name: str | None = None
    """The cluster resource of type Virtual Machine, where progress is read."""
    migration: MigrationProgress | None = None
    details: VmDetails | None = None
    """Read on demand; None until then."""

    @property
    def id(self) -> VmId:
        return self.ref.id

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def memory_bytes(self) -> int:
        """What a move has to find room for: assigned while running, else the start-up size, else 0."""
        return self.memory_assigned_bytes or self.memory_startup_bytes or 0

    @property
    def running(self) -> bool:
        return self.state in (VmState.RUNNING, VmState.PAUSED)


@dataclass(frozen=True, slots=True)
class Role:
    """A cluster group that is not a VM's: file server, core group, available storage and the like."""

    name: RoleName
    group_type: int
    owner: HostName | None
    state: GroupState
    core: bool
    flags: GroupFlags = GroupFlags.NONE


@dataclass(frozen=True, slots=True)
class ClusterNetwork:
    name: str
    id: str
    role: NetworkRole | None
    up: bool | None
    metric: int | None
    subnet: str | None
    migration_excluded: bool | None = None
    migration_order: int | None = None
    """Rank in MigrationNetworkOrder, 0 first; None when not listed."""


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """Where a host joins a cluster network (Get-ClusterNetworkInterface)."""

    host: HostName
    network: str
    """The cluster network's name."""
    adapter: str
    """The adapter's interface description."""
    up: bool | None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class SharedVolume:
    name: str
    coordinator: HostName | None
    states: tuple[tuple[HostName, VolumeState], ...] = ()
    """The volume's state as each node sees it."""
    redirected_for: tuple[tuple[HostName, int], ...] = ()
    """FileSystemRedirectedIOReason of the nodes that told one: 1 an operator's wish, 2 a filter, 32 ReFS …"""
    size_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Cluster-wide properties (Get-Cluster and the Virtual Machine resource type), raw as Windows stores them."""

    maximum_parallel_migrations: int | None = None
    set_smb_bandwidth_limit: int | None = None
    smb_bandwidth_limit_factor: int | None = None
    """Hundredths of a percent: 2500 is 25 %."""
    auto_balancer_mode: int | None = None
    auto_balancer_level: int | None = None
    functional_level: int | None = None
    enforced_anti_affinity: bool | None = None
    s2d_enabled: bool | None = None
    move_type_threshold: int | None = None
    """Roles of lower priority are quick-migrated by the cluster's own drain."""
    domain: str | None = None
    """Of the nodes; empty in a workgroup."""
    dynamic_quorum: bool | None = None
    """The cluster takes votes away from nodes that leave, and hands them on."""
    witness_weight: int | None = None
    """The vote that the witness has now, 0 or 1."""
    has_migration_controls: bool | None = None
    """Whether the cluster knows MaximumParallelMigrations and the SMB cap at all (update of September 2022)."""


@dataclass(frozen=True, slots=True)
class AffinityRule:
    """MSCluster_AffinityRule. Kind: 1 same fault domain, 2 same node, 3 different fault domain, 4 different node."""

    name: str
    kind: int
    enabled: bool
    groups: tuple[RoleName, ...]


@dataclass(frozen=True)
class Cluster:
    """Everything that was read, at one moment; each host carries its own age."""

    name: str
    read_at: datetime
    hosts: tuple[Host, ...]
    vms: tuple[VirtualMachine, ...]
    roles: tuple[Role, ...] = ()
    networks: tuple[ClusterNetwork, ...] = ()
    interfaces: tuple[NetworkInterface, ...] | None = None
    volumes: tuple[SharedVolume, ...] = ()
    affinity_rules: tuple[AffinityRule, ...] | None = None
    settings: ClusterSettings = field(default_factory=ClusterSettings)
    quorum: Quorum | None = None
    access: tuple[AccessRule, ...] | None = None
    storage_jobs: tuple[StorageJob, ...] | None = None
    virtual_disks: tuple[VirtualDisk, ...] | None = None
    network_intents: int | None = None
    """Rows of Network ATC's status, one an intent and node; 0 where it is not in use."""
    past: Past | None = None
    """Earlier moves; None where nobody asked."""
    problems: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """As :attr:`Host.unread`, of what one node tells for all."""
    denied: tuple[str, ...] = ()

    @cached_property
    def host_by_name(self) -> dict[HostName, Host]:
        return {host.name: host for host in self.hosts}

    @cached_property
    def vm_by_id(self) -> dict[VmId, VirtualMachine]:
        return {vm.id: vm for vm in self.vms}

    @cached_property
    def vms_by_host(self) -> dict[HostName, tuple[VirtualMachine, ...]]:
        grouped: dict[HostName, list[VirtualMachine]] = {host.name: [] for host in self.hosts}
        for vm in self.vms:
            grouped.setdefault(vm.host, []).append(vm)
        return {name: tuple(vms) for name, vms in grouped.items()}

    def vms_on(self, host: HostName) -> tuple[VirtualMachine, ...]:
        return self.vms_by_host.get(host, ())

    def roles_on(self, host: HostName) -> Iterator[Role]:
        return (role for role in self.roles if role.owner == host)
