"""Reads that follow moves while they run, and that watch what they do to others. Asked every few seconds: small."""

from __future__ import annotations

from collections.abc import Iterable

from console.model.identity import RoleName
from console.windows.commands import Call, ParameterType

from .entry import Entry, Fill, Privilege, cim

CIMV2 = "root/cimv2"
MSCLUSTER = "root/MSCLUSTER"
VIRTUALIZATION = "root/virtualization/v2"

_LITERAL = r"Name='([^'\\]|\\.)*'"
_FILTER = Fill("Filter", ParameterType.STRING, "Filter", pattern=f"{_LITERAL}( OR {_LITERAL})*")

RESOURCES_IN_FLIGHT = cim(
    "resources-in-flight",
    "Reads how far the moves of some VMs are, by their resources.",
    MSCLUSTER,
    "MSCluster_Resource",
    (
        "Name",
        "OwnerGroup",
        "OwnerNode",
        "State",
        "StatusInformation",
        "LastOperationStatusCode",
        "ResourceSpecificData1",
    ),
    function="Get-DrainboardResourceInFlight",
    privilege=Privilege.CLUSTER_READ,
    filter=_FILTER,
    deadline_s=15.0,
)
"""By WMI: -Filter compares names exactly, where -Name would read the brackets in a name as a pattern."""

GROUPS_IN_FLIGHT = cim(
    "groups-in-flight",
    "Reads where some roles are and whether they wait in a queue.",
    MSCLUSTER,
    "MSCluster_ResourceGroup",
    ("Name", "OwnerNode", "State", "StatusInformation"),
    function="Get-DrainboardGroupInFlight",
    privilege=Privilege.CLUSTER_READ,
    filter=_FILTER,
    deadline_s=15.0,
)

MIGRATION_JOBS = cim(
    "migration-jobs",
    "Reads the migration jobs that the host runs or ended in the last five minutes.",
    VIRTUALIZATION,
    "Msvm_MigrationJob",
    (
        "InstanceID",
        "VirtualSystemName",
        "DestinationHost",
        "PercentComplete",
        "JobState",
        "JobType",
        "ErrorCode",
        "ErrorDescription",
        "ErrorSummaryDescription",
        "Cancellable",
        "StartTime",
    ),
    function="Get-DrainboardMigrationJob",
    privilege=Privilege.HYPER_V,
    deadline_s=15.0,
)

MIGRATION_COUNTERS = cim(
    "migration-counters",
    "Reads pass, dirty pages and rates of the live migrations on the host.",
    CIMV2,
    "Win32_PerfFormattedData_LmPerfProvider_HyperVVMLiveMigration",
    (
        "Name",
        "TransferPassNumber",
        "TransferpassDirtyPageCount",
        "TransferPassIsblackout",
        "TransferpassCPUCap",
        "TCPTransportBytesSentPersec",
        "SMBTransportBytesSent",
        "SMBTransportBytesSentPersec",
        "CompressorCompressedBytesSent",
        "MemoryWalkerUncompressedBytesSent",
    ),
    function="Get-DrainboardMigrationCounter",
    deadline_s=15.0,
)

VOLUME_LATENCIES = cim(
    "volume-latencies",
    "Reads the counters behind the latencies of the shared volumes, as the host sees them.",
    CIMV2,
    "Win32_PerfRawData_CsvFsPerfProvider_ClusterCSVFileSystem",
    (
        "Name",
        "ReadLatency",
        "ReadLatency_Base",
        "WriteLatency",
        "WriteLatency_Base",
        "RedirectedReads",
        "RedirectedWrites",
        "VolumePauseCountTotal",
        "VolumeState",
        "Frequency_PerfTime",
    ),
    function="Get-DrainboardVolumeLatency",
    deadline_s=15.0,
)
"""Raw, because formatted latencies are whole seconds. Between two reads: ticks / Frequency_PerfTime / operations, where
ticks is the growth of ReadLatency and operations that of ReadLatency_Base (an average timer of performance data)."""

HEARTBEATS = cim(
    "heartbeats",
    "Reads the cluster heartbeats that the host misses.",
    CIMV2,
    "Win32_PerfFormattedData_NetFtPerfProvider_ClusterNetFtHeartbeats",
    ("Name", "Missingheartbeats", "Missingheartbeatslimit"),
    function="Get-DrainboardHeartbeat",
    deadline_s=15.0,
)

SMB_STALLS = cim(
    "smb-stalls",
    "Reads where the host's SMB traffic waits for credits.",
    CIMV2,
    "Win32_PerfFormattedData_Counters_SMBClientShares",
    ("Name", "CreditStallsPersec", "DataBytesPersec"),
    function="Get-DrainboardSmbStall",
    deadline_s=15.0,
)

ENTRIES: tuple[Entry, ...] = (
    RESOURCES_IN_FLIGHT,
    GROUPS_IN_FLIGHT,
    MIGRATION_JOBS,
    MIGRATION_COUNTERS,
    VOLUME_LATENCIES,
    HEARTBEATS,
    SMB_STALLS,
)


def wql_text(value: str) -> str:
    """A string literal of WQL: in single quotes, with quotes and backslashes escaped by a backslash."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def wql_any(name: str, values: Iterable[str]) -> str:
    """``Name='a' OR Name='b'``.

    Raises:
        ValueError: there is no value; an empty filter would ask for everything.
    """
    terms = [f"{name}={wql_text(value)}" for value in values]
    if not terms:
        raise ValueError(f"no value of {name} to ask for")
    return " OR ".join(terms)


def resources_in_flight(names: Iterable[str]) -> Call:
    """By the names of the VMs' resources (:attr:`VirtualMachine.resource_name`)."""
    return RESOURCES_IN_FLIGHT.bind(Filter=wql_any("Name", names))


def groups_in_flight(roles: Iterable[RoleName]) -> Call:
    return GROUPS_IN_FLIGHT.bind(Filter=wql_any("Name", roles))
