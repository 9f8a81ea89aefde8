"""Single values out of rows, tolerant: what is missing, null, of another type or never seen becomes None, and a
sentence in :class:`Problems` says so. Nothing here raises."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from enum import IntEnum, IntFlag
from typing import TypeVar

from console.model.identity import VmId
from console.windows.commands import EnumValue, ObjectText, Row, Value

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
F = TypeVar("F", bound=IntFlag)

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d+)?)S)?)?"
)
_CIM_MOMENT = re.compile(r"(\d{14})\.(\d{6})([+-]\d{3})")
_ALL_ONES = 2**32 - 1


class Problems:
    """Collects what could not be read, one sentence a property however many rows lack it."""

    def __init__(self, where: str) -> None:
        self.where = where
        """What was asked of whom: "HV03, vms"."""
        self._seen: Counter[tuple[str, str]] = Counter()

    def add(self, property: str, what: str) -> None:
        self._seen[property, what] += 1

    def sentences(self) -> tuple[str, ...]:
        return tuple(
            f"{self.where}: {property} {what}" + (f" ({count} rows)." if count > 1 else ".")
            for (property, what), count in self._seen.items()
        )

    @property
    def properties(self) -> frozenset[str]:
        """The properties that something was wrong with."""
        return frozenset(property for property, _ in self._seen)

    def __bool__(self) -> bool:
        return bool(self._seen)


class Reader:
    """Reads one row's properties."""

    __slots__ = ("_problems", "_row")

    def __init__(self, row: Row, problems: Problems) -> None:
        self._row = row
        self._problems = problems

    def value(self, name: str, nullable: bool = False) -> Value:
        """The raw value; None and a problem when it is missing or, unless ``nullable``, null."""
        if name not in self._row:
            self._problems.add(name, "is missing")
            return None
        value = self._row[name]
        if value is None and not nullable:
            self._problems.add(name, "is empty")
        return value

    def text(self, name: str, nullable: bool = False) -> str | None:
        value = self.value(name, nullable)
        return value if value is None or isinstance(value, str) else self._odd(name, "is no text")

    def name(self, name: str, nullable: bool = False) -> str | None:
        """A text, or the text of a nested object (OwnerNode, ResourceType, ClusterObject)."""
        value = self.value(name, nullable)
        if isinstance(value, ObjectText):
            value = value.text or _inner_name(value)
        if isinstance(value, str):
            return value or None
        return None if value is None else self._odd(name, "names nothing")

    def integer(self, name: str, nullable: bool = False) -> int | None:
        """A whole number; a text of digits counts (Win32_OperatingSystem.BuildNumber is one), a truth does not."""
        value = self.value(name, nullable)
        if value is None:
            return None
        if isinstance(value, EnumValue):
            return value.number
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            return int(value)
        return self._odd(name, "is no number")

    def size(self, name: str, nullable: bool = False, unit: int = 1) -> int | None:
        """A number that can not be negative, times ``unit``."""
        value = self.integer(name, nullable)
        if value is None or value >= 0:
            return None if value is None else value * unit
        return self._odd(name, "is negative")

    def real(self, name: str, nullable: bool = False) -> float | None:
        """A finite number."""
        value = self.value(name, nullable)
        if isinstance(value, float) and not math.isfinite(value):
            return self._odd(name, "is no finite number")
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        return None if value is None else self._odd(name, "is no number")

    def truth(self, name: str, nullable: bool = False) -> bool | None:
        """A Boolean, or 0 and 1, as the cluster's UInt32 switches and WMI write them."""
        value = self.value(name, nullable)
        if isinstance(value, EnumValue):
            value = value.number
        if isinstance(value, bool):
            return value
        if isinstance(value, int) and value in (0, 1):
            return value == 1
        return None if value is None else self._odd(name, "is neither yes nor no")

    def number(self, name: str, nullable: bool = False, signed: bool = True) -> int | None:
        """An enumeration's number. WMI writes -1 as 4294967295: ``signed`` reads it back."""
        value = self.integer(name, nullable)
        return -1 if signed and value == _ALL_ONES else value

    def enum(self, name: str, kind: type[E], nullable: bool = False) -> E | None:
        number = self.number(name, nullable)
        if number is None:
            return None
        try:
            return kind(number)
        except ValueError:
            return self._odd(name, f"has the value {number}, which this version does not know")

    def flags(self, name: str, kind: type[F], nullable: bool = False) -> F | None:
        """The bits that are known; others are dropped (Windows sets bits that its own enumeration does not name)."""
        number = self.integer(name, nullable)
        if number is None:
            return None
        known = 0
        for member in kind:
            known |= member.value
        return kind(number & known)

    def guid(self, name: str, nullable: bool = False) -> str | None:
        """Lower case, hyphens, no braces."""
        value = self.value(name, nullable)
        if value is None:
            return None
        found = guid_of(value) if isinstance(value, str) else None
        return found if found is not None else self._odd(name, "is no GUID")

    def vm_id(self, name: str, nullable: bool = False) -> VmId | None:
        found = self.guid(name, nullable)
        return None if found is None else VmId(found)

    def duration_s(self, name: str, nullable: bool = False) -> float | None:
        value = self.value(name, nullable)
        if value is None:
            return None
        seconds = duration_s(value) if isinstance(value, str) else None
        return seconds if seconds is not None else self._odd(name, "is no duration")

    def moment(self, name: str, nullable: bool = False) -> datetime | None:
        value = self.value(name, nullable)
        if value is None:
            return None
        found = moment(value) if isinstance(value, str) else None
        return found if found is not None else self._odd(name, "is no date")

    def names(self, name: str, nullable: bool = True) -> tuple[str, ...] | None:
        """A collection of texts or objects; a single one counts as a collection of one, null as an empty one."""
        value = self.value(name, nullable)
        if value is None:
            return () if nullable and name in self._row else None
        items = value if isinstance(value, list) else [value]
        texts = [item.text if isinstance(item, ObjectText) else item for item in items]
        found = tuple(text for text in texts if isinstance(text, str) and text)
        if len(found) < len(texts) and not all(isinstance(text, str) for text in texts):
            return self._odd(name, "is no list of texts")
        return found

    def numbers(self, name: str, nullable: bool = True) -> tuple[int, ...] | None:
        """A collection of numbers or enumeration values."""
        value = self.value(name, nullable)
        if value is None:
            return () if nullable and name in self._row else None
        items = value if isinstance(value, list) else [value]
        plain = [item.number if isinstance(item, EnumValue) else item for item in items]
        found = tuple(item for item in plain if isinstance(item, int) and not isinstance(item, bool))
        return found if len(found) == len(plain) else self._odd(name, "is no list of numbers")

    def _odd(self, name: str, what: str) -> T | None:
        """Note the problem; the value is unknown."""
        self._problems.add(name, what)
        return None


def _inner_name(value: ObjectText) -> str:
    inner = value.properties.get("Name")
    return inner if isinstance(inner, str) else ""


def guid_of(text: str) -> str | None:
    """The text as a GUID in normal form, with or without braces; None when it is none."""
    bare = text.strip().strip("{}").lower()
    return bare if _GUID.fullmatch(bare) else None


def guid_within(text: str) -> str | None:
    """The first GUID inside a longer identifier ("Microsoft:<GUID>\\…")."""
    found = _GUID.search(text.lower())
    return found.group() if found else None


def duration_s(text: str) -> float | None:
    """Seconds of an ISO 8601 duration as CLIXML writes a TimeSpan ("P1DT2H3M4.5S"); None when it is none."""
    found = _DURATION.fullmatch(text)
    if found is None or text.rstrip("T") in ("P", "-P"):
        return None
    days, hours, minutes, seconds = (float(found[part] or 0) for part in ("days", "hours", "minutes", "seconds"))
    total = days * 86400 + hours * 3600 + minutes * 60 + seconds
    return -total if found["sign"] else total


def moment(text: str) -> datetime | None:
    """A date as CLIXML or WMI writes it, aware, UTC; one without a zone is taken as UTC. None when it is none."""
    cim = _CIM_MOMENT.fullmatch(text)
    try:
        if cim is not None:
            digits, fraction, minutes = cim.groups()
            local = datetime.strptime(f"{digits}.{fraction}", "%Y%m%d%H%M%S.%f")
            return (local - timedelta(minutes=int(minutes))).replace(tzinfo=UTC)
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
