"""Reads about the VMs of one host, answered by the host that runs them.

``VMS`` is what the inventory asks of every host; the others are details, asked for the VMs of one host at a time.
"""

from __future__ import annotations

from console.model.identity import VmId
from console.windows.commands import Call, Effect, ParameterType

from .entry import Entry, Fill, Privilege, Rows, ScriptStage, Source, Stage, cim, reads

_VM = (
    "Id",
    "Name",
    "State",
    "OperationalStatus",
    "IsClustered",
    "Version",
    "Generation",
    "ProcessorCount",
    "CPUUsage",
    "MemoryAssigned",
    "MemoryStartup",
    "MemoryDemand",
    "DynamicMemoryEnabled",
    "Uptime",
    "Heartbeat",
    "Status",
)


def _details(
    id: str, says: str, cmdlet: str, type_name: str, properties: tuple[str, ...], function: str, source: Source
) -> Entry:
    """One cmdlet asked for every VM of the host at once: ``Get-VM | …``."""
    return reads(
        id,
        says,
        Stage("Get-VM"),
        Stage(cmdlet),
        type_name=type_name,
        properties=properties,
        privilege=Privilege.HYPER_V,
        source=source,
        function=function,
        deadline_s=60.0,
    )


VMS = reads(
    "vms",
    "Reads the VMs on the host.",
    Stage("Get-VM"),
    type_name="VirtualMachine",
    properties=_VM,
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardVM",
    deadline_s=60.0,
)

VM = reads(
    "vm",
    "Reads one VM on the host.",
    Stage("Get-VM", (Fill("Id", ParameterType.GUID, "VMId"),)),
    type_name="VirtualMachine",
    properties=_VM,
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardVMById",
)

VM_SETTINGS = reads(
    "vm-settings",
    "Reads where the VMs' files are and how their replication does.",
    Stage("Get-VM"),
    type_name="VirtualMachine",
    properties=(
        "Id",
        "ConfigurationLocation",
        "SmartPagingFilePath",
        "ReplicationState",
        "ReplicationHealth",
        "ReplicationMode",
    ),
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardVMSetting",
    deadline_s=60.0,
)

VM_PROCESSORS = _details(
    "vm-processors",
    "Reads the VMs' processor compatibility.",
    "Get-VMProcessor",
    "VMProcessor",
    (
        "VMId",
        "CompatibilityForMigrationEnabled",
        "CompatibilityForMigrationMode",
        "ExposeVirtualizationExtensions",
    ),
    "Get-DrainboardVMProcessor",
    Source.REFLECTED,
)

VM_DISKS = _details(
    "vm-disks",
    "Reads the VMs' disks.",
    "Get-VMHardDiskDrive",
    "HardDiskDrive",
    ("VMId", "Path", "DiskNumber", "ControllerType"),
    "Get-DrainboardVMDisk",
    Source.REFLECTED,
)

VM_OPTICAL_DRIVES = _details(
    "vm-optical-drives",
    "Reads what is in the VMs' DVD drives.",
    "Get-VMDvdDrive",
    "DvdDrive",
    ("VMId", "Path", "DvdMediaType"),
    "Get-DrainboardVMOpticalDrive",
    Source.REFLECTED,
)

VM_ADAPTERS = _details(
    "vm-adapters",
    "Reads which switches the VMs are connected to.",
    "Get-VMNetworkAdapter",
    "VMNetworkAdapter",
    ("VMId", "Name", "SwitchName", "Connected"),
    "Get-DrainboardVMAdapter",
    Source.REFLECTED,
)

VM_CHECKPOINTS = _details(
    "vm-checkpoints",
    "Reads the VMs' checkpoints.",
    "Get-VMSnapshot",
    "VMSnapshot",
    ("VMId", "Name", "CreationTime", "SnapshotType"),
    "Get-DrainboardVMCheckpoint",
    Source.REFLECTED,
)

VM_GPU_PARTITIONS = _details(
    "vm-gpu-partitions",
    "Reads the VMs' GPU partitions.",
    "Get-VMGpuPartitionAdapter",
    "VMGpuPartitionAdapter",
    ("VMId", "InstancePath", "SupportsOutgoingLiveMigration"),
    "Get-DrainboardVMGpuPartition",
    Source.DOCUMENTED,
)

VM_ASSIGNED_DEVICES = _details(
    "vm-assigned-devices",
    "Reads the devices that are assigned to the VMs.",
    "Get-VMAssignableDevice",
    "VMAssignedDevice",
    ("VMId", "LocationPath", "InstanceID"),
    "Get-DrainboardVMAssignedDevice",
    Source.REFLECTED,
)

VM_FIBRE_CHANNEL = _details(
    "vm-fibre-channel",
    "Reads the VMs' virtual Fibre Channel adapters.",
    "Get-VMFibreChannelHba",
    "VMFibreChannelHba",
    ("VMId", "SanName"),
    "Get-DrainboardVMFibreChannel",
    Source.REFLECTED,
)

VM_SECURITY_SETTINGS = cim(
    "vm-security-settings",
    "Reads the virtual TPM and shielding of every VM of the host.",
    "root/virtualization/v2",
    "Msvm_SecuritySettingData",
    ("InstanceID", "TpmEnabled", "ShieldingRequested"),
    function="Get-DrainboardVMSecuritySetting",
    privilege=Privilege.HYPER_V,
)
"""Get-VMSecurity would need a call for each VM: its rows do not say whose they are. InstanceID holds the VM's GUID."""

VM_VECTORS = Entry(
    id="vm-vectors",
    says="Reads which processor features the host's VMs need, as opaque vectors to compare.",
    effect=Effect.READS,
    pipeline=(
        ScriptStage(
            "param() "
            "$service = Get-CimInstance -Namespace root/virtualization/v2 "
            "-ClassName Msvm_VirtualSystemMigrationService; "
            "Get-CimInstance -Namespace root/virtualization/v2 -ClassName Msvm_ComputerSystem "
            "-Filter \"Name!='$($env:COMPUTERNAME)'\" | ForEach-Object { $system = $_; "
            "(Invoke-CimMethod -InputObject $service -MethodName GetSystemCompatibilityVectors "
            "-Arguments @{ ComputerSystem = [ref]$system }).CompatibilityVectors | "
            "Select-Object -Property @{ Name = 'VMId'; Expression = { $system.Name } }, "
            "'VectorId', 'CompareOperation', 'CompatibilityInfo' }"
        ),
    ),
    rows=Rows(
        "root/virtualization/v2:Msvm_CompatibilityVector",
        ("VMId", "VectorId", "CompareOperation", "CompatibilityInfo"),
    ),
    privilege=Privilege.HYPER_V,
    source=Source.WMI,
    constrained_function="Get-DrainboardVMVector",
    deadline_s=60.0,
)
"""``VMId`` is the script's own column: Msvm_ComputerSystem.Name, the VM's GUID."""

VM_COMPATIBILITY = Entry(
    id="vm-compatibility",
    says="Reads what one VM needs of a host, as an opaque text for another host to judge.",
    effect=Effect.READS,
    pipeline=(
        ScriptStage(
            "param([string]$VMId) "
            "$service = Get-CimInstance -Namespace root/virtualization/v2 "
            "-ClassName Msvm_VirtualSystemMigrationService; "
            "Get-CimInstance -Namespace root/virtualization/v2 -ClassName Msvm_ComputerSystem "
            "-Filter \"Name='$VMId'\" | ForEach-Object { $system = $_; "
            "Invoke-CimMethod -InputObject $service -MethodName GetSystemCompatibilityInfo "
            "-Arguments @{ ComputerSystem = [ref]$system } | "
            "Select-Object -Property 'ReturnValue', @{ Name = 'CompatibilityInfo'; "
            "Expression = { [Convert]::ToBase64String($_.CompatibilityInfo) } } }",
            (Fill("VMId", ParameterType.GUID, "VMId"),),
        ),
    ),
    rows=Rows("root/virtualization/v2:Msvm_VirtualSystemMigrationService", ("ReturnValue", "CompatibilityInfo")),
    privilege=Privilege.HYPER_V,
    source=Source.DOCUMENTED,
    constrained_function="Get-DrainboardVMCompatibility",
)
"""The bytes travel as base64: a row holds texts and numbers, and nobody but Windows reads them."""

VM_COMPATIBILITY_CHECK = Entry(
    id="vm-compatibility-check",
    says="Asks a host whether it could take a VM that was described so, and why not.",
    effect=Effect.READS,
    pipeline=(
        ScriptStage(
            "param([string]$CompatibilityInfo) "
            "$service = Get-CimInstance -Namespace root/virtualization/v2 "
            "-ClassName Msvm_VirtualSystemMigrationService; "
            "Invoke-CimMethod -InputObject $service -MethodName CheckSystemCompatibilityInfo "
            "-Arguments @{ CompatibilityInfo = [Convert]::FromBase64String($CompatibilityInfo) } | "
            "Select-Object -Property 'ReturnValue', 'Reasons'",
            (Fill("CompatibilityInfo", ParameterType.STRING, "CompatibilityInfo", pattern=r"[A-Za-z0-9+/]+={0,2}"),),
        ),
    ),
    rows=Rows("root/virtualization/v2:Msvm_VirtualSystemMigrationService", ("ReturnValue", "Reasons")),
    privilege=Privilege.HYPER_V,
    source=Source.DOCUMENTED,
    constrained_function="Test-DrainboardVMCompatibility",
)
"""Nothing is tried: the method was made to ask without a migration (Win32 documentation)."""

ENTRIES: tuple[Entry, ...] = (
    VMS,
    VM,
    VM_SETTINGS,
    VM_PROCESSORS,
    VM_DISKS,
    VM_OPTICAL_DRIVES,
    VM_ADAPTERS,
    VM_CHECKPOINTS,
    VM_GPU_PARTITIONS,
    VM_ASSIGNED_DEVICES,
    VM_FIBRE_CHANNEL,
    VM_SECURITY_SETTINGS,
    VM_VECTORS,
    VM_COMPATIBILITY,
    VM_COMPATIBILITY_CHECK,
)


def vm_compatibility(id: VmId) -> Call:
    return VM_COMPATIBILITY.bind(VMId=id)


def vm_compatibility_check(info: str) -> Call:
    return VM_COMPATIBILITY_CHECK.bind(CompatibilityInfo=info)


def vm(id: VmId) -> Call:
    return VM.bind(VMId=id)
