"""Get-WinEvent: the host's event logs, and each event as its XML.

Hyper-V's providers put what they carry into ``UserData/VmlEventLog``; the cluster's into ``EventData``, whose names are
not attested and therefore left out.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from console.lab.cmdlets import errors, xpath
from console.lab.cmdlets.flow import METHODS
from console.lab.cmdlets.invocation import Invocation, Scope, answers, is_wild, matches
from console.lab.cmdlets.objects import Shape
from console.lab.engine import PsObject, PsValue
from console.lab.world import log
from console.lab.world.log import LogEvent

LOGS = (log.VMMS_ADMIN, log.VMMS_OPERATIONAL, log.HIGH_AVAILABILITY, log.CLUSTERING, log.SYSTEM)
_HYPER_V = frozenset((log.VMMS_ADMIN, log.VMMS_OPERATIONAL, log.HIGH_AVAILABILITY))
_EVENTS = "http://schemas.microsoft.com/win/2004/08/events/event"
_VML = "http://www.microsoft.com/Windows/Virtualization/Events"
_PROVIDER_IDS = {"Microsoft-Windows-Hyper-V-VMMS": "{6066F867-7CA1-4418-85FD-36E3F9C0600C}"}
_NAMED = frozenset((1106, 20413, 20415, 20417, 20418, 21024))
"""Events whose first two values are named VmName and VmId."""
_LEVELS = {log.ERROR: "Error", log.WARNING: "Warning", log.INFORMATION: "Information"}


def _moment(scope: Scope, event: LogEvent) -> str:
    return scope.world.wall(event.at_s).isoformat(timespec="microseconds").replace("+00:00", "0Z")


def _computer(scope: Scope, event: LogEvent) -> str:
    scenario = scope.world.scenario
    return event.host if scenario.workgroup else f"{event.host}.{scenario.domain}"


def tree(scope: Scope, event: LogEvent) -> ET.Element:
    """An event as elements without namespaces, as queries see it."""
    root = ET.Element("Event")
    system = ET.SubElement(root, "System")
    provider = ET.SubElement(system, "Provider", Name=event.provider)
    if event.provider in _PROVIDER_IDS:
        provider.set("Guid", _PROVIDER_IDS[event.provider])
    for name, value in (("EventID", event.id), ("Version", 0), ("Level", event.level), ("Task", 0), ("Opcode", 0)):
        ET.SubElement(system, name).text = str(value)
    ET.SubElement(system, "Keywords").text = "0x8000000000000000"
    ET.SubElement(system, "TimeCreated", SystemTime=_moment(scope, event))
    ET.SubElement(system, "EventRecordID").text = str(event.record)
    ET.SubElement(system, "Correlation")
    ET.SubElement(system, "Execution", ProcessID="3312", ThreadID="5120")
    ET.SubElement(system, "Channel").text = event.channel
    ET.SubElement(system, "Computer").text = _computer(scope, event)
    ET.SubElement(system, "Security", UserID="S-1-5-18")
    _put_values(root, event)
    return root


def _put_values(root: ET.Element, event: LogEvent) -> None:
    if event.channel not in _HYPER_V:
        data = ET.SubElement(root, "EventData")
        for value in event.values:
            ET.SubElement(data, "Data").text = _printable(value)
        return
    holder = ET.SubElement(ET.SubElement(root, "UserData"), "VmlEventLog")
    for index, value in enumerate(event.values):
        named = event.id in _NAMED and index < 2
        name = ("VmName", "VmId")[index] if named else f"Parameter{index}"
        ET.SubElement(holder, name).text = _printable(value)


def _printable(text: str) -> str:
    """The event log drops what XML can not hold."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\r\n")


def xml(scope: Scope, event: LogEvent) -> str:
    """What EventLogRecord.ToXml gives."""
    root = tree(scope, event)
    root.set("xmlns", _EVENTS)
    for holder in root.iter("VmlEventLog"):
        holder.set("xmlns", _VML)
    return ET.tostring(root, encoding="unicode")


RECORD: Shape[LogEvent] = Shape(
    "EventLogRecord",
    {
        "Message": lambda _, e: e.message,
        "Id": lambda _, e: e.id,
        "Level": lambda _, e: e.level,
        "LevelDisplayName": lambda _, e: _LEVELS.get(e.level, "Information"),
        "RecordId": lambda _, e: e.record,
        "ProviderName": lambda _, e: e.provider,
        "LogName": lambda _, e: e.channel,
        "MachineName": _computer,
        "TimeCreated": lambda s, e: s.world.wall(e.at_s),
        "Properties": lambda _, e: list(e.values),
    },
    text=lambda event: "System.Diagnostics.Eventing.Reader.EventLogRecord",
)


def _to_xml(call: Invocation, record: PsObject) -> PsValue:
    assert isinstance(record.instance, LogEvent)
    return xml(call.scope, record.instance)


METHODS["toxml"] = _to_xml


@answers("Get-WinEvent")
def get_win_event(call: Invocation) -> Iterable[PsValue]:
    channels = _channels(call)
    if not channels:
        return []
    chosen = [event for event in call.world.log.of(call.scope.host.name) if event.channel in channels]
    try:
        chosen = _filtered(call, chosen)
    except xpath.XPathError:
        call.error(errors.not_found(call.cmdlet, "The specified query is invalid", "System.Exception", ""))
        return []
    if not call.flag("Oldest"):
        chosen.reverse()
    most = call.arguments.get("MaxEvents")
    if isinstance(most, int):
        chosen = chosen[:most]
    if not chosen:
        message = "No events were found that match the specified selection criteria."
        call.error(errors.not_found(call.cmdlet, message, "NoMatchingEventsFound", ""))
    return [RECORD.make(call.scope, event) for event in chosen]


def _hashtables(call: Invocation) -> list[Mapping[str, Any]]:
    given = call.arguments.get("FilterHashtable")
    items = given if isinstance(given, list) else [given]
    return [{str(key).lower(): value for key, value in each.items()} for each in items if isinstance(each, Mapping)]


def _channels(call: Invocation) -> set[str]:
    patterns = list(call.texts("LogName") or [])
    for table in _hashtables(call):
        named = table.get("logname", [])
        patterns += [str(name) for name in (named if isinstance(named, list) else [named])]
    found: set[str] = set()
    for pattern in patterns or ["*"]:
        some = {channel for channel in LOGS if matches(pattern, channel)}
        if not some and not is_wild(pattern):
            message = f'There is not an event log on the localhost computer that matches "{pattern}".'
            call.error(errors.not_found(call.cmdlet, message, "NoMatchingLogsFound", pattern))
        found |= some
    return found


def _filtered(call: Invocation, events: list[LogEvent]) -> list[LogEvent]:
    for table in _hashtables(call):
        events = [event for event in events if _in_table(call.scope, event, table)]
    text = call.text("FilterXPath")
    if text is None or text.strip() == "*":
        return events
    holds, now = xpath.parse(text), call.scope.cluster.now()
    return [event for event in events if holds(tree(call.scope, event), now)]


def _in_table(scope: Scope, event: LogEvent, table: Mapping[str, Any]) -> bool:
    for key, got in (("id", event.id), ("level", event.level), ("providername", event.provider)):
        wanted = table.get(key)
        names = [str(getattr(one, "value", one)) for one in (wanted if isinstance(wanted, list) else [wanted])]
        if wanted is not None and str(got) not in names:
            return False
    since, until = table.get("starttime"), table.get("endtime")
    at = scope.world.wall(event.at_s)
    return not (isinstance(since, datetime) and at < _aware(since, at)) and not (
        isinstance(until, datetime) and at > _aware(until, at)
    )


def _aware(moment: datetime, like: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=like.tzinfo)
