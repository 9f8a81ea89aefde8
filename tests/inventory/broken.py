"""Two nodes on which nearly everything is wrong that can be wrong at once."""

from __future__ import annotations

from collections.abc import Mapping

from console.windows.commands import EnumValue, Row, Value
from tests.inventory.fakes import VM_SQL, FakeReader, Said, two_nodes
from tests.windows import fine_rows, rows
from tests.windows.rows import named

WEB = rows.VM_A
NO_MAPPING = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Hyper-V-VMMS'/><EventID>21024</EventID>"
    "<TimeCreated SystemTime='2025-12-31T02:00:00Z'/><Channel>Microsoft-Windows-Hyper-V-VMMS-Admin</Channel>"
    "<Computer>HV01</Computer></System><UserData><VmlEventLog>"
    f"<VmId>{WEB.upper()}</VmId><ErrorCode>%%2147943732</ErrorCode></VmlEventLog></UserData></Event>"
)


def _changed(given: list[Row], **changes: object) -> list[Row]:
    return [_row(given[0], changes), *given[1:]]


def _row(row: Mapping[str, Value], changes: Mapping[str, object]) -> Row:
    return {**row, **changes}  # type: ignore[dict-item]


def _cluster_wide() -> dict[str, Said]:
    return {
        "cluster": _changed(
            rows.CLUSTER, ClusterEnforcedAntiAffinity=1, MaximumParallelMigrations=8, WitnessDynamicWeight=1
        ),
        "groups": [
            rows.group("web01", "HV01", Priority=1000, AutoFailbackType=1, LockedFromMoving=1, StatusInformation=5),
            rows.group("sql01", "HV01", State=EnumValue(2, "Failed")),
            rows.group("Cluster Group", "HV01", 1),
        ],
        "vm-resources": [
            rows.resource("Virtual Machine web01", "HV01", "web01"),
            rows.resource("Virtual Machine sql01", "HV01", "sql01"),
        ],
        "nodes": [
            {**rows.node("HV01", 1), "DrainStatus": EnumValue(1, "InProgress"), "FaultDomain": ["Site:East"]},
            {**rows.node("HV02", 2, 2), "FaultDomain": ["Site:West"]},
        ],
        "networks": [
            {**rows.NETWORKS[0], "Role": EnumValue(3, "ClusterAndClient")},
            {**rows.NETWORKS[1], "State": EnumValue(3, "Up")},
        ],
        "network-interfaces": [
            *rows.INTERFACES,
            {**rows.INTERFACES[0], "Node": "HV02", "State": EnumValue(1, "Failed")},
        ],
        "shared-volume-states": _changed(rows.VOLUME_STATES, StateInfo=EnumValue(4, "BlockRedirected")),
        "affinity-rules": [
            {"Name": "Apart", "RuleType": 4, "Enabled": 1, "Groups": ["web01", "sql01"]},
            {"Name": "Near", "RuleType": 2, "Enabled": 1, "Groups": ["web01", "sql01"]},
        ],
        "storage-jobs": _changed(fine_rows.STORAGE_JOBS, JobState=4),
        "delegation": [{**row, "TrustedToAuthForDelegation": False} for row in fine_rows.DELEGATION],
        "resources-of-node": [rows.resource("Virtual Machine web01", "HV01", "web01")],
        "possible-owners": [{"ClusterObject": named("Virtual Machine web01"), "OwnerNodes": [named("HV01")]}],
        "preferred-owners": [{"ClusterObject": "web01", "OwnerNodes": ["HV01"]}],
    }


def _details() -> dict[str, Said]:
    return {
        "vm-settings": [
            *_changed(rows.VM_SETTINGS, ReplicationHealth=EnumValue(3, "Critical"), SmartPagingFilePath="D:"),
            *({**rows.VM_SETTINGS[0], "Id": id} for id in (VM_SQL, rows.VM_B)),
        ],
        "vm-processors": [
            *_changed(rows.VM_PROCESSORS, ExposeVirtualizationExtensions=True),
            *({**rows.VM_PROCESSORS[0], "VMId": id} for id in (VM_SQL, rows.VM_B)),
        ],
        "vm-disks": [*rows.VM_DISKS, {**rows.VM_DISKS[0], "ControllerType": EnumValue(2, "PMEM")}],
        "vm-optical-drives": rows.VM_DRIVES,
        "vm-adapters": _changed(rows.VM_ADAPTERS, SwitchName="Elsewhere"),
        "vm-checkpoints": _changed(rows.VM_CHECKPOINTS, CreationTime="2025-06-24T20:00:00+01:00"),
        "vm-gpu-partitions": _changed(rows.VM_GPUS, SupportsOutgoingLiveMigration=False),
        "vm-assigned-devices": rows.VM_DEVICES,
        "vm-fibre-channel": rows.VM_FIBRE,
        "vm-security-settings": rows.VM_SECURITY,
        "vm-vectors": _changed(rows.VM_VECTORS, CompatibilityInfo=1023),
        "migration-events": [{"Value": NO_MAPPING}],
    }


def broken_reader() -> FakeReader:
    reader = two_nodes()
    busy = [EnumValue(2, "Ok"), EnumValue(32772, "MergingDisks"), EnumValue(32776, "Backup"), EnumValue(32778, "Phase")]
    web = {
        **rows.vm(rows.VM_A, "web01"), "OperationalStatus": busy, "Heartbeat": EnumValue(4, "Lost"), "Version": "13.0",
        "ProcessorCount": 512,
    }  # fmt: skip
    paused = {**rows.vm(VM_SQL, "sql01", 9), "MemoryAssigned": 2**40}
    for host in reader.hosts.values():
        host.update(_cluster_wide())
    reader.hosts["HV01"] |= {"vms": [web, paused, rows.vm(rows.VM_B, "stray", 3, clustered=False)]} | _details()
    reader.hosts["HV02"] |= {
        "vms": [],
        **{entry: [] for entry in _details()},
        "operating-system": _changed(
            rows.OPERATING_SYSTEM,
            BuildNumber="20348",
            SystemDrive="D:",
            FreePhysicalMemory=1,
        ),
        "vm-host": _changed(
            rows.VM_HOST,
            VirtualMachineMigrationAuthenticationType=EnumValue(0, "CredSSP"),
            VirtualMachineMigrationPerformanceOption=EnumValue(0, "TCPIP"),
            VirtualMachineMigrationEnabled=False,
            MaximumVirtualMachineMigrations=9,
        ),
        "processors": _changed(rows.PROCESSORS, Manufacturer="AuthenticAMD", Name="EPYC"),
        "computer-name": _changed(fine_rows.COMPUTER_NAME, sValue="hv02"),
        "modules": fine_rows.MODULES[:1],
        "smb-bandwidth-feature": _changed(rows.FEATURE, Installed=False),
        "computer-system": _changed(fine_rows.COMPUTER_SYSTEM, PartOfDomain=False),
    }
    reader.hosts["HV01"] |= {
        "computer-name": _changed(fine_rows.COMPUTER_NAME, sValue="hv01"),
        "smb-bandwidth-feature": _changed(rows.FEATURE, Installed=False),
        "adapters": _changed(rows.ADAPTERS, DriverProvider="Microsoft", Speed=1000000000),
        "adapters-rdma": _changed(rows.RDMA, OperationalState=False),
        "traffic-classes": [],
    }
    return reader
