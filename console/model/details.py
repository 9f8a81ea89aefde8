"""The finer facts of a VM that only checks ask for. ``None`` is unknown; an empty tuple is known to be none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from .identity import HostName


class CompatibilityMode(IntEnum):
    """CompatibilityForMigrationMode (WMI LimitProcessorFeaturesMode)."""

    MINIMUM_FEATURE_SET = 0
    COMMON_CLUSTER_FEATURE_SET = 1


@dataclass(frozen=True, slots=True)
class ProcessorSettings:
    """Get-VMProcessor."""

    compatibility_enabled: bool | None
    compatibility_mode: CompatibilityMode | None
    exposes_virtualization: bool | None


@dataclass(frozen=True, slots=True)
class CompatibilityVector:
    """Msvm_CompatibilityVector: the VM's value is the left operand, the host's the right."""

    vector_id: int
    operation: int
    value: int


@dataclass(frozen=True, slots=True)
class HostVerdict:
    """CheckSystemCompatibilityInfo: what a host says about taking the VM, asked where the vectors refuse it."""

    host: HostName
    compatible: bool
    reasons: tuple[str, ...]
    """In Windows' own words."""
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Disk:
    """Get-VMHardDiskDrive."""

    path: str
    pass_through: bool
    controller_type: int | None = None
    """0 IDE, 1 SCSI, 2 PMEM."""


@dataclass(frozen=True, slots=True)
class OpticalDrive:
    """Get-VMDvdDrive. Media: 0 none, 1 ISO, 2 pass-through."""

    path: str
    media: int


@dataclass(frozen=True, slots=True)
class VirtualAdapter:
    """Get-VMNetworkAdapter."""

    name: str
    switch_name: str
    connected: bool


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Get-VMSnapshot."""

    name: str
    created_at: datetime | None
    kind: int | None
    """SnapshotType: 0 standard, 1 recovery …"""


@dataclass(frozen=True, slots=True)
class GpuPartition:
    """Get-VMGpuPartitionAdapter."""

    instance_path: str
    supports_outgoing_live_migration: bool | None
    model: str = ""
    """Vendor and device of the GPU, as :attr:`PartitionableGpu.model`."""


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """Get-VMSecurity."""

    tpm_enabled: bool | None
    shielded: bool | None


@dataclass(frozen=True, slots=True)
class MigrationFailure:
    """A failed migration of the VM, as the host's event log tells it."""

    event: int
    code: int | None
    """The HRESULT, unsigned."""
    at: datetime | None


@dataclass(frozen=True, slots=True)
class VmDetails:
    """Every fact is None until it was read."""

    processor: ProcessorSettings | None = None
    vectors: tuple[CompatibilityVector, ...] | None = None
    verdicts: tuple[HostVerdict, ...] = ()
    """Of some hosts that the vectors refuse, in words; none where nobody was asked."""
    disks: tuple[Disk, ...] | None = None
    optical_drives: tuple[OpticalDrive, ...] | None = None
    adapters: tuple[VirtualAdapter, ...] | None = None
    checkpoints: tuple[Checkpoint, ...] | None = None
    gpu_partitions: tuple[GpuPartition, ...] | None = None
    assigned_devices: tuple[str, ...] | None = None
    fibre_channel_sans: tuple[str, ...] | None = None
    security: SecuritySettings | None = None
    configuration_path: str | None = None
    smart_paging_path: str | None = None
    replication_state: int | None = None
    replication_health: int | None = None
    failures: tuple[MigrationFailure, ...] | None = None
    """Of the last weeks, newest first."""
    missing: tuple[tuple[str, str], ...] = ()
    """(fact, why it could not be read): "disks" → "HV02: Get-VMHardDiskDrive is not there"."""
