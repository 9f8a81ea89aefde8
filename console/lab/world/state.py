"""The things of the simulated cluster, mutable; only the simulation changes them.

States carry Windows' own names; their numbers are looked up in the carried surface when a row is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from uuid import UUID

from console.lab.world.law import DirtyLaw
from console.model.units import UNSET


class NodeState(StrEnum):
    """ClusterNodeState."""

    UP = "Up"
    DOWN = "Down"
    PAUSED = "Paused"


class DrainStatus(StrEnum):
    """ClusterNodeDrainStatus."""

    NOT_INITIATED = "NotInitiated"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"


class VmState(StrEnum):
    """VMState, as far as the world uses it."""

    RUNNING = "Running"
    OFF = "Off"
    SAVED = "Saved"
    PAUSED = "Paused"
    SAVING = "Saving"
    STARTING = "Starting"
    RUNNING_CRITICAL = "RunningCritical"
    """Its storage is gone."""


class GroupState(StrEnum):
    """ClusterGroupState."""

    ONLINE = "Online"
    OFFLINE = "Offline"
    FAILED = "Failed"
    PARTIAL_ONLINE = "PartialOnline"
    PENDING = "Pending"


class Transport(StrEnum):
    """VMMigrationPerformance."""

    TCPIP = "TCPIP"
    COMPRESSION = "Compression"
    SMB = "SMB"


@dataclass(slots=True)
class Adapter:
    """A physical network adapter."""

    name: str
    description: str
    network: str
    """Name of the cluster network it serves."""
    bits_per_s: int
    rdma: bool = False
    rdma_operational: bool = False
    vmq: bool = True
    jumbo_bytes: int = 9014
    driver_version: str = "24.10.26603.0"
    driver_date: str = "2025-03-11"
    driver_provider: str = "Mellanox Technologies Ltd."
    up: bool = True
    address: str = ""


@dataclass(slots=True)
class Gpu:
    """A partitionable GPU of a host."""

    name: str
    partitions: int
    free: int


@dataclass(slots=True)
class Host:
    """A cluster node that runs Hyper-V."""

    name: str
    node_id: int
    memory_bytes: int
    reserve_bytes: int
    """What the parent partition keeps for itself."""
    logical_processors: int
    adapters: list[Adapter]
    build: int = 26100
    site: str = ""
    state: NodeState = NodeState.UP
    drain_status: DrainStatus = DrainStatus.NOT_INITIATED
    drain_target: int = UNSET
    drain_error: int = 0
    failback_status: DrainStatus = DrainStatus.NOT_INITIATED
    flags: int = 0
    """StatusInformation bits besides the drain's: 1 isolated, 2 quarantined, 32 avoid placement."""
    winrm: bool = True
    processor_manufacturer: str = "GenuineIntel"
    processor_name: str = "Intel(R) Xeon(R) Gold 6430"
    processor_features: int = 0xFFFF_FFFF
    migration_enabled: bool = True
    migration_transport: Transport = Transport.COMPRESSION
    migration_authentication: str = "Kerberos"
    maximum_migrations: int = 2
    maximum_storage_migrations: int = 2
    credential_guard: bool = True
    smb_bandwidth_feature: bool = False
    smb_encryption: bool = False
    switches: list[str] = field(default_factory=lambda: ["ConvergedSwitch"])
    sans: list[str] = field(default_factory=list)
    gpus: list[Gpu] = field(default_factory=list)
    vm_versions: tuple[str, ...] = ("8.0", "8.1", "8.2", "8.3", "9.0", "9.1", "9.2", "9.3", "10.0", "11.0", "12.0")
    system_drive: str = "C:"
    registry_name: str = ""
    delegation: bool = True
    """Constrained delegation to every other node stands in the directory."""
    delegated_services: list[str] = field(default_factory=list)
    """Services that were added to the account later, one by one."""
    started_s: float = -30 * 86400.0
    missed_heartbeats: int = 0
    incoming_bytes: dict[str, int] = field(default_factory=dict)
    """Memory held for moves on their way here, by VM id."""

    @property
    def old(self) -> bool:
        """Before Windows Server 2025: 20 s for each failed network candidate, no routed paths."""
        return self.build < 26100


@dataclass(slots=True)
class VirtualDisk:
    path: str
    size_bytes: int
    controller_type: str = "SCSI"
    disk_number: int | None = None


@dataclass(slots=True)
class Checkpoint:
    name: str
    id: UUID
    kind: str
    created_s: float
    automatic: bool = False


@dataclass(slots=True)
class VirtualMachine:
    """A guest, where it is and how it behaves."""

    id: UUID
    name: str
    host: str
    memory_bytes: int
    processors: int
    law: DirtyLaw
    workload: str
    compression_ratio: float
    state: VmState = VmState.RUNNING
    version: str = "12.0"
    generation: int = 2
    dynamic_memory: bool = False
    clustered: bool = True
    started_s: float = -9 * 86400.0
    arrived_s: float | None = None
    """When it last came here by a move; its heartbeat needs some seconds afterwards."""
    heartbeat: str = "OkApplicationsHealthy"
    cpu_base_percent: int = 5
    compatibility_enabled: bool = False
    compatibility_mode: str = "MinimumFeatureSet"
    required_features: int = 0
    nested: bool = False
    switch: str = "ConvergedSwitch"
    disks: list[VirtualDisk] = field(default_factory=list)
    dvd_path: str = ""
    dvd_kind: str = "None"
    checkpoints: list[Checkpoint] = field(default_factory=list)
    secondary_status: str | None = None
    """VMOperationalStatus besides a migration's own, such as MergingDisks or BackingUpVirtualMachine."""
    gpu_partition: str = ""
    gpu_outgoing: bool = True
    assigned_device: str = ""
    san: str = ""
    tpm: bool = False
    shielded: bool = False
    replication: str = "Disabled"
    replication_health: str = "NotApplicable"
    configuration_path: str = ""
    smart_paging_path: str = ""

    @property
    def running(self) -> bool:
        return self.state in (VmState.RUNNING, VmState.PAUSED)

    @property
    def held_bytes(self) -> int:
        """Host memory that it takes where it is."""
        return self.memory_bytes if self.state in (VmState.RUNNING, VmState.PAUSED, VmState.SAVING) else 0


@dataclass(slots=True)
class Group:
    """A role: a VM's, a core group, a file server, an empty one."""

    id: UUID
    name: str
    kind: str
    """GroupType's name."""
    owner: str
    state: GroupState = GroupState.ONLINE
    vm: UUID | None = None
    core: bool = False
    priority: int = 2000
    queued: bool = False
    locked: bool = False
    description: str = ""
    anti_affinity: tuple[str, ...] = ()
    auto_failback: int = 0
    preferred_owners: tuple[str, ...] = ()
    parameters: dict[str, object] = field(default_factory=dict)
    extra_flags: int = 0


@dataclass(slots=True)
class Resource:
    """A cluster resource inside a group."""

    id: UUID
    name: str
    kind: str
    """Resource type's name, "Virtual Machine" …"""
    group: UUID
    core: bool = False
    possible_owners: tuple[str, ...] = ()
    parameters: dict[str, object] = field(default_factory=dict)
    last_operation_status: int = 0
    state: str = "Online"


@dataclass(slots=True)
class Network:
    """A cluster network."""

    name: str
    id: UUID
    address: str
    prefix: int
    role: str = "ClusterAndClient"
    metric: int = 30240
    state: str = "Up"
    routed: bool = False
    """Its members are in different subnets."""


@dataclass(slots=True)
class Volume:
    """A cluster shared volume."""

    name: str
    id: UUID
    coordinator: str
    path: str
    size_bytes: int
    free_bytes: int
    state_by_node: dict[str, str] = field(default_factory=dict)
    """ClusterSharedVolumeState where it is not Direct."""
    latency_s: float = 0.0008


@dataclass(slots=True)
class AffinityRule:
    name: str
    kind: int
    enabled: bool
    groups: tuple[str, ...]


def new_id(random: Random) -> UUID:
    """A version-4 GUID out of the world's own dice."""
    return UUID(int=random.getrandbits(128), version=4)
