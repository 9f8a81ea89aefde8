"""Reads about one host, each answered by that host itself."""

from __future__ import annotations

from console.windows.commands import Effect

from .entry import Entry, Privilege, Rows, ScriptStage, Source, Stage, cim, reads, switch, text, texts

CIMV2 = "root/cimv2"
DEVICE_GUARD_NAMESPACE = "root/Microsoft/Windows/DeviceGuard"
VIRTUALIZATION = "root/virtualization/v2"

VM_HOST = reads(
    "vm-host",
    "Reads how the host does live migration.",
    Stage("Get-VMHost"),
    type_name="VMHost",
    properties=(
        "Name",
        "FullyQualifiedDomainName",
        "LogicalProcessorCount",
        "MemoryCapacity",
        "VirtualMachineMigrationEnabled",
        "VirtualMachineMigrationAuthenticationType",
        "VirtualMachineMigrationPerformanceOption",
        "MaximumVirtualMachineMigrations",
        "MaximumStorageMigrations",
        "UseAnyNetworkForMigration",
    ),
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardVMHost",
)

SUPPORTED_VERSIONS = reads(
    "supported-versions",
    "Reads the VM configuration versions that the host can run.",
    Stage("Get-VMHostSupportedVersion"),
    type_name="VMHostSupportedVersion",
    properties=("Name", "Version", "IsDefault"),
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardSupportedVersion",
)

ADAPTERS = reads(
    "adapters",
    "Reads the host's physical network adapters.",
    Stage("Get-NetAdapter", (switch("Physical"),)),
    type_name="root/standardcimv2:MSFT_NetAdapter",
    properties=(
        "Name",
        "InterfaceDescription",
        "Speed",
        "MediaConnectState",
        "MtuSize",
        "DriverVersionString",
        "DriverDate",
        "DriverProvider",
    ),
    privilege=Privilege.HOST_READ,
    source=Source.WMI,
    function="Get-DrainboardAdapter",
)

ADAPTERS_RDMA = reads(
    "adapters-rdma",
    "Reads which adapters have RDMA and whether it works.",
    Stage("Get-NetAdapterRdma"),
    type_name="root/standardcimv2:MSFT_NetAdapterRdmaSettingData",
    properties=("Name", "InterfaceDescription", "Enabled", "OperationalState", "PFC", "ETS"),
    privilege=Privilege.HOST_READ,
    source=Source.WMI,
    function="Get-DrainboardAdapterRdma",
)

ADAPTERS_VMQ = reads(
    "adapters-vmq",
    "Reads which adapters have virtual machine queues switched on.",
    Stage("Get-NetAdapterVmq"),
    type_name="root/standardcimv2:MSFT_NetAdapterVmqSettingData",
    properties=("Name", "InterfaceDescription", "Enabled"),
    privilege=Privilege.HOST_READ,
    source=Source.WMI,
    function="Get-DrainboardAdapterVmq",
)

SWITCHES = reads(
    "switches",
    "Reads the host's virtual switches.",
    Stage("Get-VMSwitch"),
    type_name="VMSwitch",
    properties=("Name", "Id", "SwitchType", "EmbeddedTeamingEnabled", "NetAdapterInterfaceDescriptions"),
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardSwitch",
)

VIRTUAL_SANS = reads(
    "virtual-sans",
    "Reads the host's virtual Fibre Channel SANs.",
    Stage("Get-VMSan"),
    type_name="VMSan",
    properties=("Name",),
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardVirtualSan",
)

PARTITIONABLE_GPUS = reads(
    "partitionable-gpus",
    "Reads the host's GPUs that can be partitioned.",
    Stage("Get-VMHostPartitionableGpu"),
    type_name="VMPartitionableGpu",
    properties=("Name", "PartitionCount", "ValidPartitionCounts", "AvailableVRAM", "TotalVRAM"),
    privilege=Privilege.HYPER_V,
    source=Source.REFLECTED,
    function="Get-DrainboardPartitionableGpu",
)

OPERATING_SYSTEM = cim(
    "operating-system",
    "Reads the host's build, memory, clock and start.",
    CIMV2,
    "Win32_OperatingSystem",
    (
        "CSName",
        "Caption",
        "BuildNumber",
        "TotalVisibleMemorySize",
        "FreePhysicalMemory",
        "LastBootUpTime",
        "LocalDateTime",
        "SystemDrive",
    ),
    function="Get-DrainboardOperatingSystem",
    deadline_s=20.0,
)

COMPUTER_SYSTEM = cim(
    "computer-system",
    "Reads whether the host is in a domain.",
    CIMV2,
    "Win32_ComputerSystem",
    ("Name", "Domain", "PartOfDomain"),
    function="Get-DrainboardComputerSystem",
)

PROCESSORS = cim(
    "processors",
    "Reads the host's processors, one row a socket.",
    CIMV2,
    "Win32_Processor",
    ("Manufacturer", "Name", "NumberOfCores", "NumberOfLogicalProcessors", "Description"),
    function="Get-DrainboardProcessor",
)

DEVICE_GUARD = cim(
    "device-guard",
    "Reads whether Credential Guard runs.",
    DEVICE_GUARD_NAMESPACE,
    "Win32_DeviceGuard",
    ("SecurityServicesRunning", "VirtualizationBasedSecurityStatus"),
    function="Get-DrainboardDeviceGuard",
)

PROCESSOR_LOAD = cim(
    "processor-load",
    "Reads how busy the host's logical processors are.",
    CIMV2,
    "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor",
    ("Name", "PercentTotalRunTime"),
    function="Get-DrainboardProcessorLoad",
    filter=text("Filter", "Name='_Total'"),
)

MEMORY_COUNTERS = cim(
    "memory-counters",
    "Reads how much of the host's memory is free now.",
    CIMV2,
    "Win32_PerfFormattedData_PerfOS_Memory",
    ("AvailableBytes",),
    function="Get-DrainboardMemoryCounter",
)

SMB_BANDWIDTH_FEATURE = reads(
    "smb-bandwidth-feature",
    "Reads whether the feature behind the SMB bandwidth limit is installed.",
    Stage("Get-WindowsFeature", (text("Name", "FS-SMBBW"),)),
    type_name="WindowsFeature",
    properties=("Name", "Installed", "InstallState"),
    privilege=Privilege.HOST_READ,
    source=Source.DOCUMENTED,
    function="Get-DrainboardSmbBandwidthFeature",
    deadline_s=60.0,
)

HOST_VECTORS = Entry(
    id="host-vectors",
    says="Reads what processor features the host offers, as opaque vectors to compare.",
    effect=Effect.READS,
    pipeline=(
        ScriptStage(
            "param() "
            "$service = Get-CimInstance -Namespace root/virtualization/v2 "
            "-ClassName Msvm_VirtualSystemMigrationService; "
            "Get-CimInstance -Namespace root/virtualization/v2 -ClassName Msvm_ComputerSystem "
            "-Filter \"Name='$($env:COMPUTERNAME)'\" | ForEach-Object { $system = $_; "
            "(Invoke-CimMethod -InputObject $service -MethodName GetSystemCompatibilityVectors "
            "-Arguments @{ ComputerSystem = [ref]$system }).CompatibilityVectors | "
            "Select-Object -Property 'VectorId', 'CompareOperation', 'CompatibilityInfo' }"
        ),
    ),
    rows=Rows("root/virtualization/v2:Msvm_CompatibilityVector", ("VectorId", "CompareOperation", "CompatibilityInfo")),
    privilege=Privilege.HYPER_V,
    source=Source.WMI,
    constrained_function="Get-DrainboardHostVector",
)

SMB_SERVER = reads(
    "smb-server",
    "Reads whether the host encrypts SMB.",
    Stage("Get-SmbServerConfiguration"),
    type_name="root/microsoft/windows/smb:MSFT_SmbServerConfiguration",
    properties=("EncryptData", "RejectUnencryptedAccess"),
    privilege=Privilege.HOST_READ,
    source=Source.WMI,
    function="Get-DrainboardSmbServer",
)

TRAFFIC_CLASSES = reads(
    "traffic-classes",
    "Reads which shares of its links the host reserves for a class of traffic.",
    Stage("Get-NetQosTrafficClass"),
    type_name="root/standardcimv2:MSFT_NetQosTrafficClassSettingData",
    properties=("Name", "Priority", "BandwidthPercentage"),
    privilege=Privilege.HOST_READ,
    source=Source.WMI,
    function="Get-DrainboardTrafficClass",
)

COMPUTER_NAME = Entry(
    id="computer-name",
    says="Reads the host's name as its registry spells it.",
    effect=Effect.READS,
    pipeline=(
        ScriptStage(
            "param() "
            "Invoke-CimMethod -Namespace root/cimv2 -ClassName StdRegProv -MethodName GetStringValue "
            "-Arguments @{ sSubKeyName = 'SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName'; "
            "sValueName = 'ComputerName' } | Select-Object -Property 'ReturnValue', 'sValue'"
        ),
    ),
    rows=Rows("root/cimv2:StdRegProv", ("ReturnValue", "sValue")),
    privilege=Privilege.HOST_READ,
    source=Source.DOCUMENTED,
    constrained_function="Get-DrainboardComputerName",
)
"""hDefKey is left at its default, HKEY_LOCAL_MACHINE (StdRegProv, GetStringValue)."""

MODULES = reads(
    "modules",
    "Reads which PowerShell modules are there.",
    Stage("Get-Module", (switch("ListAvailable"), texts("Name", "FailoverClusters", "Hyper-V", "NetworkATC"))),
    type_name="PSModuleInfo",
    properties=("Name", "Version"),
    privilege=Privilege.SESSION,
    source=Source.DOCUMENTED,
    function="Get-DrainboardModule",
)

ENTRIES: tuple[Entry, ...] = (
    VM_HOST,
    SUPPORTED_VERSIONS,
    ADAPTERS,
    ADAPTERS_RDMA,
    ADAPTERS_VMQ,
    SWITCHES,
    VIRTUAL_SANS,
    PARTITIONABLE_GPUS,
    OPERATING_SYSTEM,
    COMPUTER_SYSTEM,
    PROCESSORS,
    DEVICE_GUARD,
    PROCESSOR_LOAD,
    MEMORY_COUNTERS,
    SMB_BANDWIDTH_FEATURE,
    HOST_VECTORS,
    SMB_SERVER,
    TRAFFIC_CLASSES,
    COMPUTER_NAME,
    MODULES,
)
