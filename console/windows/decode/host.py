"""One host's rows into facts. Each function lays what its rows tell over the host as known so far."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from console.model.cluster import Host, MigrationAuthentication, MigrationTransport, NetworkAdapter
from console.model.details import CompatibilityVector
from console.model.facts import PartitionableGpu
from console.model.units import KIB, bits_to_bytes_per_s
from console.windows.commands import Row

from .events import FINISHED_IDS, records
from .values import Problems, Reader

T = TypeVar("T")

CREDENTIAL_GUARD = 1
"""Among Win32_DeviceGuard.SecurityServicesRunning."""

_CONNECTED, _DISCONNECTED = 1, 2
"""MSFT_NetAdapter.MediaConnectState; 0 is unknown."""

_GPU_MODEL = re.compile(r"VEN_[0-9A-F]{4}&DEV_[0-9A-F]{4}")

_SPEED_UNKNOWN = 2**63
"""A speed at or above this stands for "not known" (NDIS writes all ones)."""


def with_vm_host(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-VMHost."""
    read = _only(rows, problems)
    if read is None:
        return host
    return replace(
        host,
        logical_processors=read.size("LogicalProcessorCount"),
        migration_enabled=read.truth("VirtualMachineMigrationEnabled"),
        migration_transport=read.enum("VirtualMachineMigrationPerformanceOption", MigrationTransport),
        migration_authentication=read.enum("VirtualMachineMigrationAuthenticationType", MigrationAuthentication),
        maximum_virtual_machine_migrations=read.size("MaximumVirtualMachineMigrations"),
    )


def with_operating_system(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Win32_OperatingSystem; its sizes are KiB."""
    read = _only(rows, problems)
    if read is None:
        return host
    return replace(
        host,
        build=read.size("BuildNumber"),
        memory_bytes=read.size("TotalVisibleMemorySize", unit=KIB),
        memory_free_bytes=read.size("FreePhysicalMemory", unit=KIB),
        started_at=read.moment("LastBootUpTime"),
        local_time=read.moment("LocalDateTime"),
        system_drive=read.text("SystemDrive"),
    )


def with_computer_system(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Win32_ComputerSystem."""
    read = _only(rows, problems)
    return host if read is None else replace(host, part_of_domain=read.truth("PartOfDomain"))


def with_computer_name(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """StdRegProv.GetStringValue: 0 and the value."""
    read = _only(rows, problems)
    found = None if read is None or read.integer("ReturnValue") != 0 else read.text("sValue")
    if found is None:
        problems.add("sValue", "was not told")
    return replace(host, registry_name=found)


def with_modules(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-Module -ListAvailable; a module that is there in two versions has two rows."""
    names = [Reader(row, problems).text("Name") for row in rows]
    return replace(host, modules=_known(tuple(dict.fromkeys(names))))


def with_abilities(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-Command of the commands that a drain sends."""
    names = [Reader(row, problems).text("Name") for row in rows]
    return replace(host, abilities=_known(tuple(dict.fromkeys(names))))


def with_smb_server(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-SmbServerConfiguration."""
    read = _only(rows, problems)
    return host if read is None else replace(host, smb_encrypts=read.truth("EncryptData"))


def with_traffic_classes(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-NetQosTrafficClass; where nothing is reserved the default class has all 100 per cent."""
    shares = [Reader(row, problems).size("BandwidthPercentage") for row in rows]
    known = [share for share in shares if share is not None]
    reserves = any(0 < share < 100 for share in known)
    return replace(host, reserves_bandwidth=True if reserves else False if len(known) == len(shares) else None)


def with_virtual_sans(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-VMSan."""
    return replace(host, virtual_sans=_known(tuple(Reader(row, problems).text("Name") for row in rows)))


def with_gpus(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-VMHostPartitionableGpu."""
    return replace(host, gpus=_known(tuple(_gpu(Reader(row, problems)) for row in rows)))


def _gpu(read: Reader) -> PartitionableGpu | None:
    name = read.text("Name")
    if name is None:
        return None
    return PartitionableGpu(name, gpu_model(name), read.size("PartitionCount"), read.size("AvailableVRAM"))


def gpu_model(path: str) -> str:
    """Vendor and device out of a device's path, in capitals; empty when it has none."""
    found = _GPU_MODEL.search(path.upper())
    return "" if found is None else found.group()


def with_arrivals(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """The last live migration that ended well here, by the host's event log."""
    ended = [event.at for event in records(rows, problems) if event.id in FINISHED_IDS and event.at is not None]
    return replace(host, arrived_at=max(ended, default=None))


def with_memory_counters(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Win32_PerfFormattedData_PerfOS_Memory."""
    read = _only(rows, problems)
    return host if read is None else replace(host, memory_free_bytes=read.size("AvailableBytes"))


def with_processors(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Win32_Processor, one row a socket."""
    read = _only(rows, problems)
    if read is None:
        return host
    return replace(
        host,
        processor_manufacturer=read.text("Manufacturer"),
        processor_name=_squeezed(read.text("Name")),
    )


def with_processor_load(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor, its instance _Total."""
    read = _only(rows, problems)
    percent = None if read is None else read.size("PercentTotalRunTime")
    return replace(host, cpu_fraction=None if percent is None else min(percent, 100) / 100)


def with_device_guard(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Win32_DeviceGuard."""
    read = _only(rows, problems)
    running = None if read is None else read.numbers("SecurityServicesRunning", nullable=False)
    return replace(host, credential_guard=None if running is None else CREDENTIAL_GUARD in running)


def with_smb_bandwidth_feature(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-WindowsFeature -Name FS-SMBBW."""
    read = _only(rows, problems)
    return host if read is None else replace(host, smb_bandwidth_feature=read.truth("Installed"))


def with_supported_versions(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-VMHostSupportedVersion."""
    found = [Reader(row, problems).text("Version") for row in rows]
    versions = tuple(version for version in found if version)
    return replace(host, supported_vm_versions=versions or None)


def with_switches(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """Get-VMSwitch."""
    names = _known(tuple(Reader(row, problems).text("Name") for row in rows))
    beneath = [Reader(row, problems).names("NetAdapterInterfaceDescriptions") for row in rows]
    external = [adapters for adapters in beneath if adapters]
    uplinks = external[0] if len(external) == 1 and None not in beneath else None
    return replace(host, switches=names, uplinks=uplinks)


def with_vectors(host: Host, rows: Sequence[Row], problems: Problems) -> Host:
    """GetSystemCompatibilityVectors of the host itself; no row at all is unknown, not "fits everywhere"."""
    return replace(host, compatibility_vectors=vectors(rows, problems) or None)


def vectors(rows: Sequence[Row], problems: Problems) -> tuple[CompatibilityVector, ...]:
    """Msvm_CompatibilityVector."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        id, operation, value = read.size("VectorId"), read.size("CompareOperation"), read.size("CompatibilityInfo")
        if id is not None and operation is not None and value is not None:
            found.append(CompatibilityVector(id, operation, value))
    return tuple(found)


def with_adapters(
    host: Host,
    rows: Sequence[Row],
    rdma: Sequence[Row] | None,
    vmq: Sequence[Row] | None,
    problems: Problems,
    *,
    of_rdma: Problems | None = None,
    of_vmq: Problems | None = None,
) -> Host:
    """Get-NetAdapter with Get-NetAdapterRdma and Get-NetAdapterVmq, joined by the adapter's name.

    An adapter without a row there can not do RDMA or VMQ; where the whole read failed (None) nothing is known.
    What is wrong with those rows is noted apart where ``of_rdma`` and ``of_vmq`` are given.
    """
    rdma_rows, vmq_rows = _by_name(rdma, _or(of_rdma, problems)), _by_name(vmq, _or(of_vmq, problems))
    found = [_adapter(Reader(row, problems), rdma_rows, vmq_rows) for row in rows]
    return replace(host, adapters=tuple(adapter for adapter in found if adapter is not None))


def _adapter(
    read: Reader, rdma: Mapping[str, Reader] | None, vmq: Mapping[str, Reader] | None
) -> NetworkAdapter | None:
    name = read.text("Name")
    if name is None:
        return None
    media = read.number("MediaConnectState")
    speed = read.size("Speed", nullable=media != _CONNECTED)
    return NetworkAdapter(
        name=name,
        description=read.text("InterfaceDescription") or "",
        link_bytes_per_s=None if speed is None or speed >= _SPEED_UNKNOWN else bits_to_bytes_per_s(speed),
        up={_CONNECTED: True, _DISCONNECTED: False}.get(-1 if media is None else media),
        mtu_bytes=read.size("MtuSize", nullable=True),
        rdma_enabled=_setting(rdma, name, "Enabled"),
        rdma_operational=_setting(rdma, name, "OperationalState"),
        vmq_enabled=_setting(vmq, name, "Enabled"),
        driver_version=read.text("DriverVersionString"),
        driver_date=read.text("DriverDate", nullable=True),
        driver_provider=read.text("DriverProvider"),
    )


def _by_name(rows: Sequence[Row] | None, problems: Problems) -> dict[str, Reader] | None:
    if rows is None:
        return None
    readers = [Reader(row, problems) for row in rows]
    return {name: read for read in readers if (name := read.text("Name")) is not None}


def _or(own: Problems | None, shared: Problems) -> Problems:
    return shared if own is None else own


def _setting(rows: Mapping[str, Reader] | None, adapter: str, property: str) -> bool | None:
    if rows is None:
        return None
    read = rows.get(adapter)
    return False if read is None else read.truth(property)


def _known(items: tuple[T | None, ...]) -> tuple[T, ...] | None:
    """All of them, or None when one could not be read."""
    found = tuple(item for item in items if item is not None)
    return found if len(found) == len(items) else None


def _only(rows: Sequence[Row], problems: Problems) -> Reader | None:
    if rows:
        return Reader(rows[0], problems)
    problems.add("the answer", "is empty")
    return None


def _squeezed(text: str | None) -> str | None:
    """Processor names are padded with runs of blanks."""
    return None if text is None else " ".join(text.split())
