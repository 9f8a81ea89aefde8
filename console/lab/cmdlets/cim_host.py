"""What WMI tells about one host: system, processors, memory, guard, adapters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console.lab import surface
from console.lab.cmdlets.cim import provides
from console.lab.cmdlets.invocation import Scope
from console.lab.cmdlets.objects import CimShape
from console.lab.world import facts_host, telemetry
from console.lab.world.facts_host import SOCKETS
from console.lab.world.state import Adapter, Host
from console.model.units import KIB

CIMV2, STANDARD_CIMV2 = "root/cimv2", "root/standardcimv2"


def _this_host(scope: Scope) -> Iterable[Host]:
    return [scope.host]


def _free_kib(scope: Scope, host: Host) -> int:
    return facts_host.available_bytes(scope.world, host) // KIB


OPERATING_SYSTEM: CimShape[Host] = CimShape(
    CIMV2,
    "Win32_OperatingSystem",
    {
        "CSName": lambda _, h: h.name,
        "CreationClassName": lambda _, h: "Win32_OperatingSystem",
        "CSCreationClassName": lambda _, h: "Win32_ComputerSystem",
        "Caption": lambda _, h: facts_host.caption(h),
        "Name": lambda _, h: f"{facts_host.caption(h)}|C:\\Windows|\\Device\\Harddisk0\\Partition4",
        "Version": lambda _, h: f"10.0.{h.build}",
        "BuildNumber": lambda _, h: str(h.build),
        "BuildType": lambda _, h: "Multiprocessor Free",
        "Manufacturer": lambda _, h: "Microsoft Corporation",
        "OSArchitecture": lambda _, h: "64-bit",
        "ProductType": lambda _, h: 3,
        "Status": lambda _, h: "OK",
        "Primary": lambda _, h: True,
        "TotalVisibleMemorySize": lambda _, h: h.memory_bytes // KIB,
        "TotalVirtualMemorySize": lambda _, h: h.memory_bytes // KIB,
        "FreePhysicalMemory": _free_kib,
        "FreeVirtualMemory": _free_kib,
        "LastBootUpTime": lambda s, h: s.world.wall(h.started_s),
        "LocalDateTime": lambda s, _: s.world.wall(s.world.now_s),
        "CurrentTimeZone": lambda _, h: 0,
        "SystemDrive": lambda _, h: h.system_drive,
        "SystemDirectory": lambda _, h: f"{h.system_drive}\\Windows\\system32",
        "WindowsDirectory": lambda _, h: f"{h.system_drive}\\Windows",
    },
)
provides(OPERATING_SYSTEM)(_this_host)

COMPUTER_SYSTEM: CimShape[Host] = CimShape(
    CIMV2,
    "Win32_ComputerSystem",
    {
        "Name": lambda _, h: h.name,
        "DNSHostName": lambda _, h: h.name,
        "Caption": lambda _, h: h.name,
        "CreationClassName": lambda _, h: "Win32_ComputerSystem",
        "Domain": lambda s, _: "WORKGROUP" if s.world.scenario.workgroup else s.world.scenario.domain,
        "Workgroup": lambda s, _: "WORKGROUP" if s.world.scenario.workgroup else None,
        "PartOfDomain": lambda s, _: not s.world.scenario.workgroup,
        "DomainRole": lambda s, _: 2 if s.world.scenario.workgroup else 3,
        "HypervisorPresent": lambda _, h: True,
        "Manufacturer": lambda _, h: facts_host.MANUFACTURER,
        "Model": lambda _, h: facts_host.MODEL,
        "NumberOfProcessors": lambda _, h: SOCKETS,
        "NumberOfLogicalProcessors": lambda _, h: h.logical_processors,
        "TotalPhysicalMemory": lambda _, h: h.memory_bytes,
        "Status": lambda _, h: "OK",
    },
)
provides(COMPUTER_SYSTEM)(_this_host)


@dataclass(frozen=True, slots=True)
class Socket:
    host: Host
    number: int


PROCESSOR: CimShape[Socket] = CimShape(
    CIMV2,
    "Win32_Processor",
    {
        "DeviceID": lambda _, s: f"CPU{s.number}",
        "SocketDesignation": lambda _, s: f"CPU{s.number + 1}",
        "SystemName": lambda _, s: s.host.name,
        "Manufacturer": lambda _, s: s.host.processor_manufacturer,
        "Name": lambda _, s: s.host.processor_name,
        "Caption": lambda _, s: facts_host.processor_description(s.host),
        "Description": lambda _, s: facts_host.processor_description(s.host),
        "NumberOfCores": lambda _, s: max(s.host.logical_processors // 2 // SOCKETS, 1),
        "NumberOfLogicalProcessors": lambda _, s: max(s.host.logical_processors // SOCKETS, 1),
        "LoadPercentage": lambda s, p: round(telemetry.host_cpu_percent(s.world, p.host)),
        "AddressWidth": lambda _, s: 64,
        "Status": lambda _, s: "OK",
    },
)


@provides(PROCESSOR)
def _sockets(scope: Scope) -> Iterable[Socket]:
    return [Socket(scope.host, number) for number in range(SOCKETS)]


def _services_running(_: Scope, host: Host) -> list[int]:
    names = ["CredentialGuard", "MemoryIntegrity"] if host.credential_guard else ["None"]
    return [surface.value("Win32_DeviceGuard", "SecurityServicesRunning", name) for name in names]


def _security_status(_: Scope, host: Host) -> int:
    name = "Running" if host.credential_guard else "NotEnabled"
    return surface.value("Win32_DeviceGuard", "VirtualizationBasedSecurityStatus", name)


DEVICE_GUARD: CimShape[Host] = CimShape(
    "root/microsoft/windows/deviceguard",
    "Win32_DeviceGuard",
    {
        "InstanceIdentifier": lambda _, h: "4ff40742-2649-41b8-bdd1-e80fad1cce80",
        "Version": lambda _, h: "1.0",
        "SecurityServicesConfigured": _services_running,
        "SecurityServicesRunning": _services_running,
        "VirtualizationBasedSecurityStatus": _security_status,
    },
)
provides(DEVICE_GUARD)(_this_host)

MEMORY: CimShape[Host] = CimShape(
    CIMV2,
    "Win32_PerfFormattedData_PerfOS_Memory",
    {
        "AvailableBytes": lambda s, h: facts_host.available_bytes(s.world, h),
        "AvailableKBytes": lambda s, h: facts_host.available_bytes(s.world, h) // KIB,
        "AvailableMBytes": lambda s, h: facts_host.available_bytes(s.world, h) // KIB**2,
        "CommittedBytes": lambda s, h: h.memory_bytes - facts_host.available_bytes(s.world, h),
        "CommitLimit": lambda _, h: h.memory_bytes,
    },
)
provides(MEMORY)(_this_host)


@dataclass(frozen=True, slots=True)
class LogicalProcessor:
    """One of the hypervisor's logical processors, or all of them together."""

    host: Host
    name: str


def _busy(scope: Scope, processor: LogicalProcessor) -> int:
    return round(telemetry.host_cpu_percent(scope.world, processor.host))


LOGICAL_PROCESSOR: CimShape[LogicalProcessor] = CimShape(
    CIMV2,
    "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor",
    {
        "Name": lambda _, p: p.name,
        "PercentTotalRunTime": _busy,
        "PercentGuestRunTime": lambda s, p: round(_busy(s, p) * 0.9),
        "PercentHypervisorRunTime": lambda s, p: _busy(s, p) - round(_busy(s, p) * 0.9),
        "PercentIdleTime": lambda s, p: 100 - _busy(s, p),
    },
)


@provides(LOGICAL_PROCESSOR)
def _logical_processors(scope: Scope) -> Iterable[LogicalProcessor]:
    host = scope.host
    names = ["_Total", *(f"Hv LP {number}" for number in range(host.logical_processors))]
    return [LogicalProcessor(host, name) for name in names]


@dataclass(frozen=True, slots=True)
class Port:
    """An adapter in its place."""

    host: Host
    adapter: Adapter
    index: int


def ports(scope: Scope) -> list[Port]:
    return [Port(scope.host, adapter, index) for index, adapter in enumerate(scope.host.adapters, start=4)]


def _media(_: Scope, port: Port) -> int:
    return surface.value("MSFT_NetAdapter", "MediaConnectState", "Connected" if port.adapter.up else "Disconnected")


def _operational(_: Scope, port: Port) -> int:
    return surface.value("MSFT_NetAdapter", "InterfaceOperationalStatus", "Up" if port.adapter.up else "Down")


def _link_speed(_: Scope, port: Port) -> str:
    speed = port.adapter.bits_per_s / 1e9
    return f"{speed:g} Gbps" if port.adapter.up else "0 bps"


NET_ADAPTER: CimShape[Port] = CimShape(
    STANDARD_CIMV2,
    "MSFT_NetAdapter",
    {
        "Name": lambda _, p: p.adapter.name,
        "ElementName": lambda _, p: p.adapter.name,
        "InterfaceDescription": lambda _, p: p.adapter.description,
        "DriverDescription": lambda _, p: p.adapter.description,
        "InterfaceIndex": lambda _, p: p.index,
        "InterfaceGuid": lambda s, p: facts_host.adapter_guid(s.world, p.host, p.adapter),
        "DeviceID": lambda s, p: facts_host.adapter_guid(s.world, p.host, p.adapter),
        "InterfaceName": lambda _, p: f"ethernet_{32768 + p.index}",
        "InterfaceType": lambda _, p: 6,
        "SystemName": lambda _, p: p.host.name,
        "Speed": lambda _, p: p.adapter.bits_per_s if p.adapter.up else 0,
        "TransmitLinkSpeed": lambda _, p: p.adapter.bits_per_s if p.adapter.up else 0,
        "ReceiveLinkSpeed": lambda _, p: p.adapter.bits_per_s if p.adapter.up else 0,
        "FullDuplex": lambda _, p: True,
        "MediaConnectState": _media,
        "InterfaceOperationalStatus": _operational,
        "InterfaceAdminStatus": lambda _, p: surface.value("MSFT_NetAdapter", "InterfaceAdminStatus", "Up"),
        "MtuSize": lambda _, p: facts_host.mtu_bytes(p.adapter),
        "ActiveMaximumTransmissionUnit": lambda _, p: facts_host.mtu_bytes(p.adapter),
        "DriverVersionString": lambda _, p: p.adapter.driver_version,
        "DriverDate": lambda _, p: p.adapter.driver_date,
        "DriverProvider": lambda _, p: p.adapter.driver_provider,
        "PermanentAddress": lambda s, p: facts_host.mac_address(s.world, p.host, p.adapter),
        "NetworkAddresses": lambda s, p: [facts_host.mac_address(s.world, p.host, p.adapter)],
        "HardwareInterface": lambda _, p: True,
        "ConnectorPresent": lambda _, p: True,
        "Virtual": lambda _, p: False,
        "Hidden": lambda _, p: False,
        "LinkSpeed": _link_speed,
        "MacAddress": lambda s, p: facts_host.mac_address(s.world, p.host, p.adapter),
        "ifIndex": lambda _, p: p.index,
    },
    extra={"LinkSpeed": "string", "MacAddress": "string", "ifIndex": "uint32"},
)
"""The three extra ones are added to the instances by PowerShell's NetAdapter module."""
provides(NET_ADAPTER)(ports)

RDMA: CimShape[Port] = CimShape(
    STANDARD_CIMV2,
    "MSFT_NetAdapterRdmaSettingData",
    {
        "Name": lambda _, p: p.adapter.name,
        "ElementName": lambda _, p: p.adapter.name,
        "InterfaceDescription": lambda _, p: p.adapter.description,
        "InstanceID": lambda s, p: facts_host.adapter_guid(s.world, p.host, p.adapter),
        "SystemName": lambda _, p: p.host.name,
        "Enabled": lambda _, p: p.adapter.rdma,
        "OperationalState": lambda _, p: p.adapter.rdma and p.adapter.rdma_operational and p.adapter.up,
        "PFC": lambda _, p: facts_host.flow_control(p.adapter),
        "ETS": lambda _, p: facts_host.flow_control(p.adapter),
    },
)


@provides(RDMA)
def _rdma_ports(scope: Scope) -> Iterable[Port]:
    return [port for port in ports(scope) if port.adapter.rdma]


VMQ: CimShape[Port] = CimShape(
    STANDARD_CIMV2,
    "MSFT_NetAdapterVmqSettingData",
    {
        "Name": lambda _, p: p.adapter.name,
        "ElementName": lambda _, p: p.adapter.name,
        "InterfaceDescription": lambda _, p: p.adapter.description,
        "InstanceID": lambda s, p: facts_host.adapter_guid(s.world, p.host, p.adapter),
        "SystemName": lambda _, p: p.host.name,
        "Enabled": lambda _, p: p.adapter.vmq,
    },
)
provides(VMQ)(ports)
