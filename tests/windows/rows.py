"""One answer of a healthy cluster for every entry that is decoded, as the wire hands it over."""

from __future__ import annotations

from console.windows.commands import EnumValue, ObjectText, Row

VM_A = "0a1b2c3d-0000-4000-8000-00000000000a"
VM_B = "0a1b2c3d-0000-4000-8000-00000000000b"
NET_LM = "11111111-0000-4000-8000-000000000001"
NET_MGMT = "11111111-0000-4000-8000-000000000002"


def named(text: str) -> ObjectText:
    return ObjectText(text, {})


CLUSTER: list[Row] = [
    {
        "Name": "PROD",
        "Domain": "corp.example",
        "MaximumParallelMigrations": 1,
        "SetSMBBandwidthLimit": 1,
        "SMBBandwidthLimitFactor": 2500,
        "AutoBalancerMode": 2,
        "AutoBalancerLevel": 1,
        "ClusterFunctionalLevel": 12,
        "ClusterEnforcedAntiAffinity": 0,
        "S2DEnabled": 1,
        "AdministrativeAccessPoint": EnumValue(1, "ActiveDirectoryAndDns"),
        "DynamicQuorum": 1,
        "WitnessDynamicWeight": 0,
    }
]


def node(name: str, id: int, state: int = 0) -> Row:
    return {
        "Name": name,
        "Id": str(id),
        "State": EnumValue(state, {0: "Up", 1: "Down", 2: "Paused"}.get(state, "?")),
        "DrainStatus": EnumValue(0, "NotInitiated"),
        "DrainErrorCode": 0,
        "StatusInformation": EnumValue(0, "Normal"),
        "BuildNumber": 26100,
        "NodeHighestVersion": 786432,
        "NodeWeight": 1,
        "DynamicWeight": 1,
        "FaultDomain": ["Site:Zurich", "Rack:R1"],
    }


def group(name: str, owner: str, type: int = 111, **more: object) -> Row:
    row: dict[str, object] = {
        "Name": name,
        "Id": "22222222-0000-4000-8000-000000000001",
        "GroupType": EnumValue(type, "VirtualMachine" if type == 111 else "Cluster"),
        "State": EnumValue(0, "Online"),
        "StatusInformation": EnumValue(0, "0"),
        "OwnerNode": named(owner),
        "IsCoreGroup": type in (1, 2),
        "Priority": 2000,
        "AutoFailbackType": 0,
        "LockedFromMoving": 0,
        "AntiAffinityClassNames": ["web"],
    }
    row.update(more)
    return row  # type: ignore[return-value]


def resource(name: str, owner: str, role: str, data: int = 0) -> Row:
    return {
        "Name": name,
        "Id": "33333333-0000-4000-8000-000000000001",
        "ResourceType": named("Virtual Machine"),
        "OwnerGroup": named(role),
        "OwnerNode": named(owner),
        "State": EnumValue(2, "Online"),
        "StatusInformation": EnumValue(0, "0"),
        "LastOperationStatusCode": 0,
        "ResourceSpecificData1": data,
    }


def vm_parameter(resource: str, name: str, value: str | int) -> Row:
    return {"ClusterObject": named(resource), "Name": name, "Value": value}


def vm(id: str, name: str, state: int = 2, *, clustered: bool = True) -> Row:
    return {
        "Id": id,
        "Name": name,
        "State": EnumValue(state, "Running" if state == 2 else "Off"),
        "OperationalStatus": [EnumValue(2, "Ok")],
        "IsClustered": clustered,
        "Version": "12.0",
        "Generation": 2,
        "ProcessorCount": 4,
        "CPUUsage": 7,
        "MemoryAssigned": 8589934592 if state == 2 else 0,
        "MemoryStartup": 8589934592,
        "MemoryDemand": 4294967296,
        "DynamicMemoryEnabled": False,
        "Uptime": "P1DT2H3M4.5S",
        "Heartbeat": EnumValue(6, "OkApplicationsHealthy"),
        "Status": "Operating normally",
    }


NETWORK_RULES: list[Row] = [
    {"Name": "MigrationExcludeNetworks", "Value": NET_MGMT},
    {"Name": "MigrationNetworkOrder", "Value": f"{NET_LM.upper()};{NET_MGMT}"},
    {"Name": "MoveTypeThreshold", "Value": 2000},
]

NETWORKS: list[Row] = [
    {
        "Name": "Live Migration",
        "Id": NET_LM,
        "Role": EnumValue(1, "Cluster"),
        "State": EnumValue(3, "Up"),
        "Metric": 19840,
        "Address": "10.0.20.0",
        "AddressMask": "255.255.255.0",
    },
    {
        "Name": "Management",
        "Id": NET_MGMT,
        "Role": EnumValue(3, "ClusterAndClient"),
        "State": EnumValue(1, "Down"),
        "Metric": 70240,
        "Address": "10.0.1.0",
        "AddressMask": "255.255.255.0",
    },
]

INTERFACES: list[Row] = [
    {
        "Name": "HV01 - LM",
        "Node": "HV01",
        "Network": named("Live Migration"),
        "Adapter": "Mellanox ConnectX-6",
        "Address": "10.0.20.1",
        "State": EnumValue(3, "Up"),
    }
]

VOLUMES: list[Row] = [
    {
        "Name": "Cluster Virtual Disk (Volume1)",
        "Id": "44444444-0000-4000-8000-000000000001",
        "OwnerNode": named("HV01"),
        "State": EnumValue(2, "Online"),
    }
]

VOLUME_STATES: list[Row] = [
    {
        "Name": "Cluster Virtual Disk (Volume1)",
        "Node": "HV01",
        "StateInfo": EnumValue(2, "Direct"),
        "VolumeFriendlyName": "Volume1",
        "FileSystemRedirectedIOReason": EnumValue(0, "NotFileSystemRedirected"),
        "BlockRedirectedIOReason": EnumValue(0, "NotBlockRedirected"),
    }
]

AFFINITY: list[Row] = [{"Name": "Apart", "RuleType": 4, "Enabled": 1, "Groups": ["dc1", "dc2"]}]

OWNERS: list[Row] = [{"ClusterObject": named("Virtual Machine web01"), "OwnerNodes": [named("HV01"), named("HV02")]}]

VM_HOST: list[Row] = [
    {
        "Name": "HV01",
        "FullyQualifiedDomainName": "corp.example",
        "LogicalProcessorCount": 64,
        "MemoryCapacity": 549755813888,
        "VirtualMachineMigrationEnabled": True,
        "VirtualMachineMigrationAuthenticationType": EnumValue(1, "Kerberos"),
        "VirtualMachineMigrationPerformanceOption": EnumValue(2, "SMB"),
        "MaximumVirtualMachineMigrations": 2,
        "MaximumStorageMigrations": 2,
        "UseAnyNetworkForMigration": False,
    }
]

VERSIONS: list[Row] = [
    {"Name": "Microsoft Windows Server 2022", "Version": "10.0", "IsDefault": False},
    {"Name": "Microsoft Windows Server 2025", "Version": "12.0", "IsDefault": True},
]

ADAPTERS: list[Row] = [
    {
        "Name": "pNIC1",
        "InterfaceDescription": "Mellanox ConnectX-6",
        "Speed": 25000000000,
        "MediaConnectState": 1,
        "MtuSize": 9014,
        "DriverVersionString": "24.10.26603.0",
        "DriverDate": "2025-03-01",
        "DriverProvider": "Mellanox Technologies Ltd.",
    },
    {
        "Name": "pNIC2",
        "InterfaceDescription": "Intel I350",
        "Speed": 18446744073709551615,
        "MediaConnectState": 2,
        "MtuSize": 1500,
        "DriverVersionString": "13.0.1.0",
        "DriverDate": "2019-01-01",
        "DriverProvider": "Microsoft",
    },
]

RDMA: list[Row] = [
    {
        "Name": "pNIC1",
        "InterfaceDescription": "Mellanox ConnectX-6",
        "Enabled": True,
        "OperationalState": True,
        "PFC": 1,
        "ETS": 1,
    }
]

VMQ: list[Row] = [{"Name": "pNIC1", "InterfaceDescription": "Mellanox ConnectX-6", "Enabled": False}]

SWITCHES: list[Row] = [
    {
        "Name": "Compute",
        "Id": "55555555-0000-4000-8000-000000000001",
        "SwitchType": EnumValue(2, "External"),
        "EmbeddedTeamingEnabled": True,
        "NetAdapterInterfaceDescriptions": ["Mellanox ConnectX-6"],
    }
]

OPERATING_SYSTEM: list[Row] = [
    {
        "CSName": "HV01",
        "Caption": "Microsoft Windows Server 2025 Datacenter",
        "BuildNumber": "26100",
        "TotalVisibleMemorySize": 536870912,
        "FreePhysicalMemory": 104857600,
        "LastBootUpTime": "2025-12-01T00:00:00Z",
        "LocalDateTime": "2026-01-01T02:00:00Z",
        "SystemDrive": "C:",
    }
]

PROCESSORS: list[Row] = [
    {
        "Manufacturer": "GenuineIntel",
        "Name": "Intel(R) Xeon(R)   Gold 6430 ",
        "NumberOfCores": 32,
        "NumberOfLogicalProcessors": 32,
        "Description": "Intel64 Family 6 Model 143 Stepping 8",
    }
]

DEVICE_GUARD: list[Row] = [{"SecurityServicesRunning": [1, 2], "VirtualizationBasedSecurityStatus": 2}]
LOAD: list[Row] = [{"Name": "_Total", "PercentTotalRunTime": 25}]
MEMORY: list[Row] = [{"AvailableBytes": 1024}]
FEATURE: list[Row] = [{"Name": "FS-SMBBW", "Installed": True, "InstallState": EnumValue(1, "Installed")}]
VECTORS: list[Row] = [{"VectorId": 1, "CompareOperation": 2, "CompatibilityInfo": 255}]

VM_SETTINGS: list[Row] = [
    {
        "Id": VM_A,
        "ConfigurationLocation": "C:\\ClusterStorage\\Volume1\\web01",
        "SmartPagingFilePath": "C:\\ClusterStorage\\Volume1\\web01",
        "ReplicationState": EnumValue(0, "Disabled"),
        "ReplicationHealth": EnumValue(0, "NotApplicable"),
        "ReplicationMode": EnumValue(0, "None"),
    }
]
VM_PROCESSORS: list[Row] = [
    {
        "VMId": VM_A,
        "CompatibilityForMigrationEnabled": True,
        "CompatibilityForMigrationMode": "CommonClusterFeatureSet",
        "ExposeVirtualizationExtensions": False,
    }
]
VM_DISKS: list[Row] = [
    {
        "VMId": VM_A,
        "Path": "C:\\ClusterStorage\\Volume1\\web01.vhdx",
        "DiskNumber": None,
        "ControllerType": EnumValue(1, "SCSI"),
    },
    {"VMId": VM_A, "Path": "Disk 3", "DiskNumber": 3, "ControllerType": EnumValue(1, "SCSI")},
]
VM_DRIVES: list[Row] = [{"VMId": VM_A, "Path": "D:\\setup.iso", "DvdMediaType": EnumValue(1, "ISO")}]
VM_ADAPTERS: list[Row] = [{"VMId": VM_A, "Name": "Network Adapter", "SwitchName": "Compute", "Connected": True}]
VM_CHECKPOINTS: list[Row] = [
    {
        "VMId": VM_A,
        "Name": "before patch",
        "CreationTime": "2025-12-24T20:00:00+01:00",
        "SnapshotType": EnumValue(0, "Standard"),
    }
]
VM_GPUS: list[Row] = [{"VMId": VM_A, "InstancePath": "PCIP\\VEN", "SupportsOutgoingLiveMigration": True}]
VM_DEVICES: list[Row] = [{"VMId": VM_A, "LocationPath": "PCIROOT(0)", "InstanceID": "PCI\\VEN"}]
VM_FIBRE: list[Row] = [{"VMId": VM_A, "SanName": "SAN-A"}]
VM_SECURITY: list[Row] = [
    {"InstanceID": f"Microsoft:{VM_A.upper()}\\abc", "TpmEnabled": True, "ShieldingRequested": False}
]
VM_VECTORS: list[Row] = [{"VMId": VM_A, "VectorId": 1, "CompareOperation": 2, "CompatibilityInfo": 15}]

COUNTERS: list[Row] = [
    {
        "Name": "web01:VM Live Migration",
        "TransferPassNumber": 2,
        "TransferpassDirtyPageCount": 4096,
        "TransferPassIsblackout": 0,
        "TransferpassCPUCap": 0,
        "TCPTransportBytesSentPersec": 0,
        "SMBTransportBytesSent": 123456789,
        "SMBTransportBytesSentPersec": 1000000,
        "CompressorCompressedBytesSent": 0,
        "MemoryWalkerUncompressedBytesSent": 123000000,
    }
]
JOBS: list[Row] = [
    {
        "InstanceID": "Microsoft:Job1",
        "VirtualSystemName": VM_A.upper(),
        "DestinationHost": "HV02",
        "PercentComplete": 42,
        "JobState": 4,
        "JobType": 305,
        "ErrorCode": 0,
        "ErrorDescription": "",
        "ErrorSummaryDescription": "",
        "Cancellable": True,
        "StartTime": "2026-01-01T02:00:00Z",
    }
]
VOLUME_LATENCIES: list[Row] = [
    {
        "Name": "Volume1",
        "ReadLatency": 10_000_000,
        "ReadLatency_Base": 1000,
        "WriteLatency": 0,
        "WriteLatency_Base": 0,
        "RedirectedReads": 1,
        "RedirectedWrites": 2,
        "VolumePauseCountTotal": 0,
        "VolumeState": 1,
        "Frequency_PerfTime": 10_000_000,
    }
]
HEARTBEATS: list[Row] = [{"Name": "HV01-HV02", "Missingheartbeats": 1, "Missingheartbeatslimit": 20}]
STALLS: list[Row] = [{"Name": "\\\\csv\\share", "CreditStallsPersec": 3, "DataBytesPersec": 1000}]
GROUPS_IN_FLIGHT: list[Row] = [{"Name": "web01", "OwnerNode": "HV01", "State": 4, "StatusInformation": 4}]

LONG_BLACKOUT = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Hyper-V-VMMS' Guid='{6066F867-7CA1-4418-85FD-36E3F9C0600C}'/>"
    "<EventID>20417</EventID><TimeCreated SystemTime='2026-01-01T02:00:00.5Z'/>"
    "<Channel>Microsoft-Windows-Hyper-V-VMMS-Admin</Channel><Computer>HV02.corp.example</Computer></System>"
    "<UserData><VmlEventLog xmlns='http://www.microsoft.com/Windows/Virtualization/Events'>"
    f"<Parameter0>web01</Parameter0><Parameter1>{VM_A.upper()}</Parameter1><Parameter2>63.1</Parameter2>"
    "</VmlEventLog></UserData></Event>"
)
EVENTS: list[Row] = [{"Value": LONG_BLACKOUT}]
