"""One host's rows into facts. Each function lays what its rows tell over the host as known so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.model.cluster import Host, MigrationAuthentication, MigrationTransport, NetworkAdapter
from console.model.details import CompatibilityVector
from console.model.units import KIB, bits_to_bytes_per_s
from console.windows.commands import Row

from .values import Problems, Reader

CREDENTIAL_GUARD = 1
"""Among Win32_DeviceGuard.SecurityServicesRunning."""

_CONNECTED, _DISCONNECTED = 1, 2
"""MSFT_NetAdapter.MediaConnectState; 0 is unknown."""

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
    )


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
    running = None if read is None else read.numbers("SecurityServicesRunning")
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
    names = [Reader(row, problems).text("Name") for row in rows]
    return replace(host, switches=tuple(name for name in names if name is not None))


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
    host: Host, rows: Sequence[Row], rdma: Sequence[Row] | None, vmq: Sequence[Row] | None, problems: Problems
) -> Host:
    """Get-NetAdapter with Get-NetAdapterRdma and Get-NetAdapterVmq, joined by the adapter's name.

    An adapter without a row there can not do RDMA or VMQ; where the whole read failed (None) nothing is known.
    """
    rdma_rows, vmq_rows = _by_name(rdma, problems), _by_name(vmq, problems)
    found = [_adapter(Reader(row, problems), rdma_rows, vmq_rows) for row in rows]
    return replace(host, adapters=tuple(adapter for adapter in found if adapter is not None))


def _adapter(
    read: Reader, rdma: Mapping[str, Reader] | None, vmq: Mapping[str, Reader] | None
) -> NetworkAdapter | None:
    name = read.text("Name")
    if name is None:
        return None
    speed = read.size("Speed", nullable=True)
    media = read.number("MediaConnectState")
    return NetworkAdapter(
        name=name,
        description=read.text("InterfaceDescription", nullable=True) or "",
        link_bytes_per_s=None if speed is None or speed >= _SPEED_UNKNOWN else bits_to_bytes_per_s(speed),
        up={_CONNECTED: True, _DISCONNECTED: False}.get(-1 if media is None else media),
        mtu_bytes=read.size("MtuSize", nullable=True),
        rdma_enabled=_setting(rdma, name, "Enabled"),
        rdma_operational=_setting(rdma, name, "OperationalState"),
        vmq_enabled=_setting(vmq, name, "Enabled"),
        driver_version=read.text("DriverVersionString", nullable=True),
        driver_date=read.text("DriverDate", nullable=True),
        driver_provider=read.text("DriverProvider", nullable=True),
    )


def _by_name(rows: Sequence[Row] | None, problems: Problems) -> dict[str, Reader] | None:
    if rows is None:
        return None
    readers = [Reader(row, problems) for row in rows]
    return {name: read for read in readers if (name := read.text("Name")) is not None}


def _setting(rows: Mapping[str, Reader] | None, adapter: str, property: str) -> bool | None:
    if rows is None:
        return None
    read = rows.get(adapter)
    return False if read is None else read.truth(property, nullable=True)


def _only(rows: Sequence[Row], problems: Problems) -> Reader | None:
    if rows:
        return Reader(rows[0], problems)
    problems.add("the answer", "is empty")
    return None


def _squeezed(text: str | None) -> str | None:
    """Processor names are padded with runs of blanks."""
    return None if text is None else " ".join(text.split())
