"""The details of the VMs of one host: each read gives one fact for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from console.model.details import (
    Checkpoint,
    CompatibilityMode,
    Disk,
    GpuPartition,
    MigrationFailure,
    OpticalDrive,
    ProcessorSettings,
    SecuritySettings,
    VirtualAdapter,
    VmDetails,
)
from console.model.identity import VmId
from console.windows.commands import Row

from .events import FAILED_IDS, records
from .host import gpu_model, vectors
from .values import Problems, Reader, guid_within

T = TypeVar("T")

AllDetails = Mapping[VmId, VmDetails]
"""Of every VM that was seen on the host; a read that brought no row for a VM tells that it has none of the kind."""

_MODES = {"minimumfeatureset": CompatibilityMode(0), "commonclusterfeatureset": CompatibilityMode(1)}


def with_settings(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VM: paths and replication."""
    found = dict(known)
    for row in rows:
        read = Reader(row, problems)
        id = read.vm_id("Id")
        if id in found:
            found[id] = replace(
                found[id],
                configuration_path=read.text("ConfigurationLocation"),
                smart_paging_path=read.text("SmartPagingFilePath", nullable=True),
                replication_state=read.number("ReplicationState"),
                replication_health=read.number("ReplicationHealth"),
            )
    return found


def vms_named(rows: Sequence[Row], property: str) -> frozenset[VmId]:
    """The VMs that an answer speaks of; its rows have been decoded, and what is wrong with them noted, before."""
    unheard = Problems("")
    found = (Reader(row, unheard).vm_id(property) for row in rows)
    return frozenset(id for id in found if id is not None)


def with_processors(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMProcessor. The mode is written as a name or as a number; modules before 2022 do not have it."""
    one = {id: items[-1] for id, items in _grouped(rows, problems, _processor).items()}
    return {id: replace(details, processor=one.get(id)) for id, details in known.items()}


def _processor(read: Reader) -> ProcessorSettings:
    return ProcessorSettings(
        compatibility_enabled=read.truth("CompatibilityForMigrationEnabled"),
        compatibility_mode=_mode(read),
        exposes_virtualization=read.truth("ExposeVirtualizationExtensions"),
    )


def _mode(read: Reader) -> CompatibilityMode | None:
    value = read.value("CompatibilityForMigrationMode", nullable=True)
    if isinstance(value, str) and value.lower() in _MODES:
        return _MODES[value.lower()]
    return None if value is None else read.enum("CompatibilityForMigrationMode", CompatibilityMode)


def with_disks(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMHardDiskDrive; a disk with a DiskNumber is passed through."""
    found = _grouped(rows, problems, _disk)
    return {id: replace(details, disks=found.get(id, ())) for id, details in known.items()}


def _disk(read: Reader) -> Disk:
    return Disk(
        path=read.text("Path", nullable=True) or "",
        pass_through=read.number("DiskNumber", nullable=True) is not None,
        controller_type=read.number("ControllerType"),
    )


def with_optical_drives(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMDvdDrive; a drive whose medium can not be read makes the VM's drives unknown."""
    found = _grouped(rows, problems, _optical_drive)
    return {id: replace(details, optical_drives=_all(found.get(id, ()))) for id, details in known.items()}


def _optical_drive(read: Reader) -> OpticalDrive | None:
    media = read.number("DvdMediaType")
    return None if media is None else OpticalDrive(read.text("Path", nullable=True) or "", media)


def with_adapters(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMNetworkAdapter; one whose connection can not be read makes the VM's adapters unknown."""
    found = _grouped(rows, problems, _adapter)
    return {id: replace(details, adapters=_all(found.get(id, ()))) for id, details in known.items()}


def _adapter(read: Reader) -> VirtualAdapter | None:
    connected = read.truth("Connected")
    switch = read.text("SwitchName", nullable=connected is not True)
    if connected is None or (connected and switch is None):
        return None
    return VirtualAdapter(read.text("Name") or "", switch or "", connected)


def with_checkpoints(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMSnapshot."""
    found = _grouped(
        rows,
        problems,
        lambda read: Checkpoint(read.text("Name") or "", read.moment("CreationTime"), read.number("SnapshotType")),
    )
    return {id: replace(details, checkpoints=found.get(id, ())) for id, details in known.items()}


def with_gpu_partitions(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMGpuPartitionAdapter."""
    found = _grouped(
        rows,
        problems,
        _gpu_partition,
    )
    return {id: replace(details, gpu_partitions=found.get(id, ())) for id, details in known.items()}


def _gpu_partition(read: Reader) -> GpuPartition:
    path = read.text("InstancePath", nullable=True) or ""
    return GpuPartition(path, read.truth("SupportsOutgoingLiveMigration"), gpu_model(path))


def with_assigned_devices(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMAssignableDevice."""
    found = _grouped(rows, problems, lambda read: read.text("LocationPath", nullable=True) or "")
    return {id: replace(details, assigned_devices=found.get(id, ())) for id, details in known.items()}


def with_fibre_channel(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Get-VMFibreChannelHba."""
    found = _grouped(rows, problems, lambda read: read.text("SanName", nullable=True) or "")
    return {id: replace(details, fibre_channel_sans=found.get(id, ())) for id, details in known.items()}


def with_security(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """Msvm_SecuritySettingData; its InstanceID begins "Microsoft:<the VM's GUID>"."""
    found = dict(known)
    for row in rows:
        read = Reader(row, problems)
        guid = guid_within(read.text("InstanceID") or "")
        id = None if guid is None else VmId(guid)
        if id in found and found[id].security is None:
            security = SecuritySettings(read.truth("TpmEnabled"), read.truth("ShieldingRequested"))
            found[id] = replace(found[id], security=security)
    return found


def with_vectors(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """GetSystemCompatibilityVectors of each VM; a VM without rows (one that is off has none) stays unknown."""
    by_vm: dict[VmId, list[Row]] = {}
    for row in rows:
        if (id := Reader(row, problems).vm_id("VMId")) is not None:
            by_vm.setdefault(id, []).append(row)
    return {
        id: replace(details, vectors=vectors(by_vm[id], problems) if id in by_vm else None)
        for id, details in known.items()
    }


def with_failures(known: AllDetails, rows: Sequence[Row], problems: Problems) -> AllDetails:
    """The migrations that failed, by the host's event log; a VM without such an event had none."""
    found: dict[VmId, list[MigrationFailure]] = {}
    for event in records(rows, problems):
        if event.id in FAILED_IDS and event.vm is not None:
            found.setdefault(event.vm, []).append(MigrationFailure(event.id, event.failure_code, event.at))
    return {id: replace(details, failures=tuple(found.get(id, ()))) for id, details in known.items()}


def _grouped(rows: Sequence[Row], problems: Problems, decode: Callable[[Reader], T]) -> dict[VmId, tuple[T, ...]]:
    found: dict[VmId, list[T]] = {}
    for row in rows:
        read = Reader(row, problems)
        id = read.vm_id("VMId")
        if id is not None:
            found.setdefault(id, []).append(decode(read))
    return {id: tuple(items) for id, items in found.items()}


def _all(items: tuple[T | None, ...]) -> tuple[T, ...] | None:
    known = tuple(item for item in items if item is not None)
    return known if len(known) == len(items) else None
