"""Event XML into values. Only numbers, positions and element names are read: messages are localised.

Hyper-V events keep their values in ``UserData/VmlEventLog``, named or as ``Parameter0`` …; other providers in
``EventData``. Which is which, and what each number means: :mod:`console.windows.event_ids`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.identity import VmId
from console.windows.commands import Row

from .values import Problems, Reader, guid_of, moment

BLACKOUT_IDS = frozenset((20415, 20417))
FINISHED_IDS = BLACKOUT_IDS | {20418}
FAILED_IDS = frozenset((1106, 20413, 21024, 21111, 21125, 21126, 21131, 21501, 21502))

_CODE = re.compile(r"(?:0x)?([0-9a-fA-F]{8})(?![0-9a-fA-F])")
_PREFIXED = re.compile(r"0x([0-9a-fA-F]{1,8})(?![0-9a-fA-F])")
_PERCENTED = re.compile(r"%%(\d{1,10})")


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event, as far as it can be understood."""

    id: int
    provider: str
    channel: str
    computer: str
    at: datetime | None
    values: tuple[tuple[str, str], ...]
    """(element name, text) in order."""

    @property
    def vm(self) -> VmId | None:
        """The VM's GUID: VmId where it is named, else the first value that is one."""
        named = [guid_of(text) for name, text in self.values if name.lower() in ("vmid", "vmguid")]
        found = next((guid for guid in named if guid), None) or next(
            (guid for _, text in self.values if (guid := guid_of(text))), None
        )
        return None if found is None else VmId(found)

    @property
    def blackout_s(self) -> float | None:
        """Seconds without the guest: the third value of 20415 and 20417, "0.5"."""
        if self.id not in BLACKOUT_IDS or len(self.values) < 3:
            return None
        text = self.values[2][1].replace(",", ".")
        return float(text) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text) else None

    @property
    def failure_code(self) -> int | None:
        """The HRESULT that a failed migration ended with, unsigned."""
        if self.id not in FAILED_IDS:
            return None
        texts = [text for _, text in self.values]
        return _first_code(texts)


def _first_code(texts: Sequence[str]) -> int | None:
    for text in texts:
        if found := _PERCENTED.search(text):
            return int(found[1]) & 0xFFFFFFFF
        bare = _CODE.fullmatch(text.strip())
        if bare:
            return int(bare[1], 16)
    for text in texts:
        codes = [int(found, 16) for found in _PREFIXED.findall(text)]
        failures = [code for code in codes if code]
        if failures:
            return failures[0]
    return None


def records(rows: Sequence[Row], problems: Problems) -> tuple[EventRecord, ...]:
    """The events of an answer, newest first as asked; what is no event is left out and named."""
    found = []
    for row in rows:
        text = Reader(row, problems).text("Value")
        if text is not None:
            record = _record(text)
            if record is None:
                problems.add("Value", "is no event")
            else:
                found.append(record)
    return tuple(found)


def _record(text: str) -> EventRecord | None:
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        return None
    parts = {_local(child.tag): child for child in root}
    system = parts.get("System")
    if system is None:
        return None
    said = {_local(child.tag): child for child in system}
    id = _inner(said.get("EventID"))
    if not (id.isascii() and id.isdigit() and len(id) <= 9):
        return None
    created = said.get("TimeCreated")
    provider = said.get("Provider")
    return EventRecord(
        id=int(id),
        provider="" if provider is None else provider.get("Name", ""),
        channel=_inner(said.get("Channel")),
        computer=_inner(said.get("Computer")),
        at=None if created is None else moment(created.get("SystemTime", "")),
        values=_values(parts),
    )


def _values(parts: dict[str, ET.Element]) -> tuple[tuple[str, str], ...]:
    data = parts.get("EventData")
    if data is not None:
        return tuple((item.get("Name", ""), item.text or "") for item in data)
    user = parts.get("UserData")
    holder = None if user is None else next(iter(user), None)
    return () if holder is None else tuple((_local(item.tag), item.text or "") for item in holder)


def _inner(element: ET.Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
