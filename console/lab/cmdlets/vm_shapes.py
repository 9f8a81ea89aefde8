"""How VMs, their parts and their hosts look as objects of the Hyper-V module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from console.lab.cmdlets.invocation import Scope
from console.lab.cmdlets.objects import Shape
from console.lab.engine import Typed
from console.lab.world import facts_host, telemetry
from console.lab.world.state import Checkpoint, Gpu, Host, VirtualDisk, VirtualMachine, new_id


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a VM: its processor, a disk, a checkpoint …"""

    vm: VirtualMachine
    thing: object = None


@dataclass(frozen=True, slots=True)
class Switch:
    host: Host
    name: str


@dataclass(frozen=True, slots=True)
class SupportedVersion:
    version: str
    default: bool


@dataclass(frozen=True, slots=True)
class San:
    name: str


def fqdn(scope: Scope, host: Host) -> str:
    scenario = scope.world.scenario
    return host.name if scenario.workgroup else f"{host.name}.{scenario.domain}"


def _migrating(scope: Scope, vm: VirtualMachine) -> bool:
    group = scope.world.group_of_vm.get(vm.id)
    move = scope.world.pending.get(group) if group is not None else None
    return move is not None and move.holds_slot


def _operational(scope: Scope, vm: VirtualMachine) -> list[str]:
    if _migrating(scope, vm):
        return ["InService", "MigratingVirtualMachine"]
    if vm.secondary_status:
        return ["InService", vm.secondary_status]
    return ["Ok"]


def _second(scope: Scope, vm: VirtualMachine) -> str | None:
    statuses = _operational(scope, vm)
    return statuses[1] if len(statuses) > 1 else None


_WORDS = {
    "MigratingVirtualMachine": "Migrating",
    "MergingDisks": "Merging disks",
    "BackingUpVirtualMachine": "Backing up",
    "CreatingSnapshot": "Creating checkpoint",
    "StorageMigrationPhaseOne": "Moving storage",
}


def _status(scope: Scope, vm: VirtualMachine) -> str:
    second = _second(scope, vm)
    return "Operating normally" if second is None else _WORDS.get(second, second)


def _uptime(scope: Scope, vm: VirtualMachine) -> timedelta:
    return timedelta(seconds=max(0.0, scope.world.now_s - vm.started_s) if vm.running else 0.0)


VM: Shape[VirtualMachine] = Shape(
    "VirtualMachine",
    {
        "Id": lambda _, v: v.id,
        "Name": lambda _, v: v.name,
        "State": lambda _, v: v.state.value,
        "Status": _status,
        "OperationalStatus": _operational,
        "PrimaryOperationalStatus": lambda s, v: _operational(s, v)[0],
        "SecondaryOperationalStatus": _second,
        "StatusDescriptions": lambda s, v: [_status(s, v)],
        "PrimaryStatusDescription": _status,
        "Version": lambda _, v: v.version,
        "Generation": lambda _, v: v.generation,
        "IsClustered": lambda _, v: v.clustered,
        "ProcessorCount": lambda _, v: v.processors,
        "CPUUsage": lambda s, v: telemetry.vm_cpu_percent(s.world, v),
        "MemoryAssigned": lambda _, v: v.memory_bytes if v.running else 0,
        "MemoryDemand": lambda s, v: telemetry.vm_demand_bytes(s.world, v),
        "MemoryStartup": lambda _, v: v.memory_bytes,
        "MemoryMinimum": lambda _, v: v.memory_bytes // 2 if v.dynamic_memory else v.memory_bytes,
        "MemoryMaximum": lambda _, v: v.memory_bytes,
        "DynamicMemoryEnabled": lambda _, v: v.dynamic_memory,
        "Uptime": _uptime,
        "Heartbeat": lambda s, v: telemetry.vm_heartbeat(s.world, v),
        "AutomaticStartAction": lambda _, v: "StartIfRunning",
        "AutomaticStopAction": lambda _, v: "Save",
        "CheckpointType": lambda _, v: "Production",
        "ParentSnapshotName": lambda _, v: v.checkpoints[-1].name if v.checkpoints else None,
        "ParentSnapshotId": lambda _, v: v.checkpoints[-1].id if v.checkpoints else None,
        "ReplicationState": lambda _, v: v.replication,
        "ReplicationHealth": lambda _, v: v.replication_health,
        "ReplicationMode": lambda _, v: "None" if v.replication == "Disabled" else "Primary",
        "ConfigurationLocation": lambda _, v: v.configuration_path,
        "SmartPagingFilePath": lambda _, v: v.smart_paging_path,
        "SnapshotFileLocation": lambda _, v: v.configuration_path,
        "Path": lambda _, v: v.configuration_path,
        "CreationTime": lambda s, v: s.world.wall(-300 * 86400.0),
        "ComputerName": lambda _, v: v.host,
    },
    text=lambda vm: f"VirtualMachine (Name = '{vm.name}') [Id = '{vm.id}']",
)

_OF_VM = {"VMId": lambda _, p: p.vm.id, "VMName": lambda _, p: p.vm.name, "ComputerName": lambda _, p: p.vm.host}


def _disk(part: Part) -> VirtualDisk:
    assert isinstance(part.thing, VirtualDisk)
    return part.thing


def _checkpoint(part: Part) -> Checkpoint:
    assert isinstance(part.thing, Checkpoint)
    return part.thing


PROCESSOR: Shape[Part] = Shape(
    "VMProcessor",
    {
        **_OF_VM,
        "Name": lambda _, p: "Processor",
        "Count": lambda _, p: p.vm.processors,
        "CompatibilityForMigrationEnabled": lambda _, p: p.vm.compatibility_enabled,
        "CompatibilityForMigrationMode": lambda _, p: p.vm.compatibility_mode,
        "ExposeVirtualizationExtensions": lambda _, p: p.vm.nested,
        "Maximum": lambda _, p: 100,
        "RelativeWeight": lambda _, p: 100,
    },
    text=lambda part: "Processor",
)

DISK: Shape[Part] = Shape(
    "HardDiskDrive",
    {
        **_OF_VM,
        "Name": lambda _, p: "Hard Drive",
        "Path": lambda _, p: _disk(p).path,
        "DiskNumber": lambda _, p: _disk(p).disk_number,
        "ControllerType": lambda _, p: _disk(p).controller_type,
        "ControllerLocation": lambda _, p: p.vm.disks.index(_disk(p)),
    },
    text=lambda part: "Hard Drive",
)

DVD: Shape[Part] = Shape(
    "DvdDrive",
    {
        **_OF_VM,
        "Name": lambda _, p: "DVD Drive",
        "Path": lambda _, p: p.vm.dvd_path or None,
        "DvdMediaType": lambda _, p: p.vm.dvd_kind,
        "ControllerType": lambda _, p: "SCSI",
        "ControllerLocation": lambda _, p: len(p.vm.disks),
    },
    text=lambda part: "DVD Drive",
)

ADAPTER: Shape[Part] = Shape(
    "VMNetworkAdapter",
    {
        **_OF_VM,
        "Name": lambda _, p: "Network Adapter",
        "SwitchName": lambda _, p: p.vm.switch or None,
        "Connected": lambda _, p: bool(p.vm.switch),
        "IsSynthetic": lambda _, p: True,
        "ClusterMonitored": lambda _, p: True,
        "MacAddress": lambda _, p: f"00155D{p.vm.id.int & 0xFFFFFF:06X}",
    },
    text=lambda part: "Network Adapter",
)

CHECKPOINT: Shape[Part] = Shape(
    "VMSnapshot",
    {
        "VMId": lambda _, p: p.vm.id,
        "VMName": lambda _, p: p.vm.name,
        "ComputerName": lambda _, p: p.vm.host,
        "Id": lambda _, p: _checkpoint(p).id,
        "Name": lambda _, p: _checkpoint(p).name,
        "SnapshotType": lambda _, p: _checkpoint(p).kind,
        "IsAutomaticCheckpoint": lambda _, p: _checkpoint(p).automatic,
        "CreationTime": lambda s, p: s.world.wall(_checkpoint(p).created_s),
        "State": lambda _, p: "Off",
        "Path": lambda _, p: p.vm.configuration_path,
    },
    text=lambda part: _checkpoint(part).name,
)

GPU_PARTITION: Shape[Part] = Shape(
    "VMGpuPartitionAdapter",
    {
        **_OF_VM,
        "Name": lambda _, p: "GPU Partition Settings",
        "InstancePath": lambda s, p: facts_host.gpu_path(s.world, s.world.hosts[p.vm.host], p.vm.gpu_partition),
        "SupportsOutgoingLiveMigration": lambda _, p: p.vm.gpu_outgoing,
    },
    text=lambda part: "GPU Partition Settings",
)
"""InstancePath and SupportsOutgoingLiveMigration are documented for Windows Server 2025; the module is older."""

ASSIGNED_DEVICE: Shape[Part] = Shape(
    "VMAssignedDevice",
    {
        **_OF_VM,
        "Name": lambda _, p: "PCI Express Port",
        "InstanceID": lambda _, p: p.vm.assigned_device,
        "LocationPath": lambda _, p: "PCIROOT(36)#PCI(0000)#PCI(0000)",
    },
    text=lambda part: "PCI Express Port",
)

FIBRE_CHANNEL: Shape[Part] = Shape(
    "VMFibreChannelHba",
    {
        **_OF_VM,
        "Name": lambda _, p: "Fibre Channel Adapter",
        "SanName": lambda _, p: p.vm.san,
        "WorldWidePortNameSetA": lambda _, p: f"C003FF{p.vm.id.int & 0xFFFFFFFF:08X}00",
        "WorldWidePortNameSetB": lambda _, p: f"C003FF{p.vm.id.int & 0xFFFFFFFF:08X}02",
    },
    text=lambda part: "Fibre Channel Adapter",
)

SECURITY: Shape[Part] = Shape(
    "VMSecurity",
    {
        "ComputerName": lambda _, p: p.vm.host,
        "TpmEnabled": lambda _, p: p.vm.tpm,
        "Shielded": lambda _, p: p.vm.shielded,
    },
    text=lambda part: "Microsoft.HyperV.PowerShell.VMSecurity",
)

HOST: Shape[Host] = Shape(
    "VMHost",
    {
        "Name": lambda _, h: h.name,
        "ComputerName": lambda _, h: h.name,
        "FullyQualifiedDomainName": lambda s, h: "" if s.world.scenario.workgroup else s.world.scenario.domain,
        "LogicalProcessorCount": lambda _, h: h.logical_processors,
        "MemoryCapacity": lambda _, h: h.memory_bytes,
        "VirtualMachineMigrationEnabled": lambda _, h: h.migration_enabled,
        "VirtualMachineMigrationAuthenticationType": lambda _, h: h.migration_authentication,
        "VirtualMachineMigrationPerformanceOption": lambda _, h: h.migration_transport.value,
        "MaximumVirtualMachineMigrations": lambda s, h: h.maximum_migrations,
        "MaximumStorageMigrations": lambda _, h: h.maximum_storage_migrations,
        "UseAnyNetworkForMigration": lambda _, h: True,
        "NumaSpanningEnabled": lambda _, h: True,
        "SupportedVmVersions": lambda _, h: list(h.vm_versions),
        "VirtualHardDiskPath": lambda _, h: "C:\\ClusterStorage\\Volume1",
        "VirtualMachinePath": lambda _, h: "C:\\ClusterStorage\\Volume1",
        "IovSupport": lambda _, h: True,
    },
    text=lambda host: host.name,
)

SUPPORTED_VERSION: Shape[SupportedVersion] = Shape(
    "VMHostSupportedVersion",
    {
        "Name": lambda _, v: f"Microsoft Windows Server, version {v.version}",
        "Version": lambda _, v: Typed("Version", v.version),
        "IsDefault": lambda _, v: v.default,
    },
    text=lambda version: version.version,
)

SWITCH: Shape[Switch] = Shape(
    "VMSwitch",
    {
        "Name": lambda _, s: s.name,
        "Id": lambda s, w: new_id(s.world.dice("switch", w.host.name, w.name)),
        "SwitchType": lambda _, s: "External",
        "AllowManagementOS": lambda _, s: True,
        "EmbeddedTeamingEnabled": lambda _, s: True,
        "NetAdapterInterfaceDescriptions": lambda _, s: [a.description for a in s.host.adapters[:1]],
        "ComputerName": lambda _, s: s.host.name,
    },
    text=lambda switch: switch.name,
)

SAN: Shape[San] = Shape("VMSan", {"Name": lambda _, s: s.name}, text=lambda san: san.name)

GPU: Shape[Gpu] = Shape(
    "VMPartitionableGpu",
    {
        "Name": lambda s, g: facts_host.gpu_path(s.world, s.host, g.name),
        "PartitionCount": lambda _, g: g.partitions,
        "ValidPartitionCounts": lambda _, g: [Typed("U16", n) for n in (1, 2, 4, 8, 16) if n <= max(g.partitions, 1)],
        "TotalVRAM": lambda _, g: 24 * 1024**3,
        "AvailableVRAM": lambda _, g: 24 * 1024**3 * g.free // max(g.partitions, 1),
    },
    text=lambda gpu: gpu.name,
)
