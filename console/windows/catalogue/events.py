"""Reads of the event logs, by number: messages are localised, numbers and parameters are not."""

from __future__ import annotations

from collections.abc import Sequence

from console.windows.commands import Call, Effect, ParameterType

from .entry import Entry, Fill, Privilege, Rows, Source, Stage, text, texts

VMMS_ADMIN = "Microsoft-Windows-Hyper-V-VMMS-Admin"
VMMS_OPERATIONAL = "Microsoft-Windows-Hyper-V-VMMS-Operational"
HIGH_AVAILABILITY = "Microsoft-Windows-Hyper-V-High-Availability-Admin"
CLUSTERING = "Microsoft-Windows-FailoverClustering/Operational"
SYSTEM = "System"

MIGRATION_EVENT_IDS = (1106, 20413, 20415, 20417, 20418, 21024, 21111, 21125, 21126, 21131, 21145, 21159, 21501, 21502)
ARRIVAL_EVENT_IDS = (20415, 20417, 20418)
DEPARTURE_EVENT_IDS = (1641,)
CLUSTER_EVENT_IDS = (1069, 1135, 1137, 1155, 1177, 1641, 1650, 1677, 1808, 5120, 5121, 5122, 5142)

_FILTER = r"\*\[System\[\(EventID=\d+( or EventID=\d+)*\)( and TimeCreated\[timediff\(@SystemTime\) <= \d+\])?\]\]"


def _events(id: str, says: str, logs: tuple[str, ...], function: str) -> Entry:
    return Entry(
        id=id,
        says=says,
        effect=Effect.READS,
        pipeline=(
            Stage(
                "Get-WinEvent",
                (
                    texts("LogName", *logs),
                    Fill("FilterXPath", ParameterType.STRING, "FilterXPath", pattern=_FILTER),
                    Fill("MaxEvents", ParameterType.INT64, "MaxEvents", within=(1, 100_000)),
                ),
            ),
            Stage("ForEach-Object", (text("MemberName", "ToXml"),)),
        ),
        rows=Rows("System.String", ("Value",)),
        privilege=Privilege.EVENT_LOG,
        source=Source.DOCUMENTED,
        constrained_function=function,
    )


MIGRATION_EVENTS = _events(
    "migration-events",
    "Reads what the host wrote about its migrations.",
    (VMMS_ADMIN, VMMS_OPERATIONAL, HIGH_AVAILABILITY),
    "Get-DrainboardMigrationEvent",
)
"""Each event comes as its XML, a bare string and so a row of one property, Value: what it carries is in UserData, which
no property of the record shows."""

CLUSTER_EVENTS = _events(
    "cluster-events",
    "Reads what the host wrote about the cluster.",
    (CLUSTERING, SYSTEM),
    "Get-DrainboardClusterEvent",
)

ENTRIES: tuple[Entry, ...] = (MIGRATION_EVENTS, CLUSTER_EVENTS)


def event_filter(ids: Sequence[int], within_s: float) -> str:
    """An XPath of the event log: any of the numbers, not older than ``within_s`` on the host's own clock."""
    return f"*[System[({_numbers(ids)}) and TimeCreated[timediff(@SystemTime) <= {int(within_s * 1000)}]]]"


def _any_of(ids: Sequence[int]) -> str:
    return f"*[System[({_numbers(ids)})]]"


def _numbers(ids: Sequence[int]) -> str:
    return " or ".join(f"EventID={int(id)}" for id in ids)


def migration_events(within_s: float, most: int = 200) -> Call:
    """Newest first. Nothing found is a non-terminating error whose identifier begins NoMatchingEventsFound."""
    return MIGRATION_EVENTS.bind(FilterXPath=event_filter(MIGRATION_EVENT_IDS, within_s), MaxEvents=most)


def arrivals(most: int) -> Call:
    """Moves that are over, newest first, however long ago: as far as the host's log goes back."""
    return MIGRATION_EVENTS.bind(FilterXPath=_any_of(ARRIVAL_EVENT_IDS), MaxEvents=most)


def departures(most: int) -> Call:
    """Roles that set out, newest first, as :func:`arrivals`."""
    return CLUSTER_EVENTS.bind(FilterXPath=_any_of(DEPARTURE_EVENT_IDS), MaxEvents=most)


def cluster_events(within_s: float, most: int = 200) -> Call:
    """Newest first, as :func:`migration_events`."""
    return CLUSTER_EVENTS.bind(FilterXPath=event_filter(CLUSTER_EVENT_IDS, within_s), MaxEvents=most)
