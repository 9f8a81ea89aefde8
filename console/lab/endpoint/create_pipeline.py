"""Reading CREATE_PIPELINE and PIPELINE_INPUT: what the client wants run (MS-PSRP 2.2.2.10, 2.2.3.11 to 2.2.3.13).

Values are read as strictly as .NET reads them: a number outside its type is refused, because a client that sends
``<I32>8589934592</I32>`` has a bug that Windows would show too.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from console.lab.engine import Command, PsEnum, PsObject, Typed

RANGES = {
    "By": (0, 2**8 - 1),
    "SB": (-(2**7), 2**7 - 1),
    "U16": (0, 2**16 - 1),
    "I16": (-(2**15), 2**15 - 1),
    "U32": (0, 2**32 - 1),
    "I32": (-(2**31), 2**31 - 1),
    "U64": (0, 2**64 - 1),
    "I64": (-(2**63), 2**63 - 1),
}
"""The integers of .NET by CLIXML tag, both ends included."""

_CODED_RUN = re.compile("(?:_x[0-9A-Fa-f]{4}_)+")
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?")
_FRACTION = re.compile(r"\.(\d{6})\d+")
_CONTAINERS = frozenset({"LST", "IE", "STK", "QUE"})
_MEMBERS = frozenset({"MS", "Props"})
_ENUM_TYPE = "System.Enum"

Decrypt = Callable[[str], str]


class UnreadableValue(Exception):
    """A value that .NET would not read either; the message says which."""


@dataclass(frozen=True, slots=True)
class PipelineRequest:
    """What one CREATE_PIPELINE asks for."""

    statements: tuple[tuple[Command, ...], ...]
    """One pipeline of commands a statement, in order."""
    no_input: bool
    """False when the client will send input, and its end."""


def uncode(value: str) -> str:
    """Undo ``_xHHHH_``; two halves of a surrogate pair become their character."""
    if "_x" not in value:
        return value

    def units(match: re.Match[str]) -> str:
        raw = bytes.fromhex(match.group(0).replace("_x", "").replace("_", ""))
        return raw.decode("utf-16-be", "surrogatepass")

    return _CODED_RUN.sub(units, value)


class _Reader:
    """Reads the values of one message; knows its type lists and its earlier objects."""

    def __init__(self, root: ElementTree.Element, decrypt: Decrypt) -> None:
        self._decrypt = decrypt
        self._types = {listed.attrib["RefId"]: tuple(name.text or "" for name in listed) for listed in root.iter("TN")}
        self._objects: dict[str, object] = {}

    def value(self, element: ElementTree.Element) -> object:
        """One value as the engine takes it: numbers as Typed, the rest as Python's own."""
        tag = element.tag
        content = element.text or ""
        if tag in RANGES:
            return Typed(tag, self._integer(tag, content))
        if tag == "Obj":
            return self._object(element)
        if tag == "Ref":
            return self._objects[element.attrib["RefId"]]
        if tag in _PRIMITIVES:
            return _PRIMITIVES[tag](content)
        if tag == "SS":
            return self._decrypt(content)
        raise UnreadableValue(f"Unknown element <{tag}>.")

    def members(self, element: ElementTree.Element) -> dict[str, ElementTree.Element]:
        """The named parts of an object, by name, still unread."""
        found: dict[str, ElementTree.Element] = {}
        for group in element:
            if group.tag in _MEMBERS:
                found |= {uncode(member.attrib["N"]): member for member in group}
        return found

    def items(self, element: ElementTree.Element | None) -> list[ElementTree.Element]:
        """The parts of a list, still unread."""
        if element is None:
            return []
        return [item for group in element if group.tag in _CONTAINERS for item in group]

    @staticmethod
    def _integer(tag: str, content: str) -> int:
        number = int(content)
        low, high = RANGES[tag]
        if not low <= number <= high:
            raise UnreadableValue(f"Value was either too large or too small for {tag}: {number}.")
        return number

    def _type_names(self, element: ElementTree.Element) -> tuple[str, ...]:
        for tag in ("TN", "TNRef"):
            named = element.find(tag)
            if named is not None:
                return self._types[named.attrib["RefId"]]
        return ()

    def _object(self, element: ElementTree.Element) -> object:
        types = self._type_names(element)
        value = self._object_value(element, types)
        reference = element.attrib.get("RefId")
        if reference is not None:
            self._objects[reference] = value
        return value

    def _object_value(self, element: ElementTree.Element, types: tuple[str, ...]) -> object:
        shown: str | None = None
        values: dict[str, object] = {}
        notes = False
        for part in element:
            tag = part.tag
            if tag in _CONTAINERS:
                return [self.value(item) for item in part]
            if tag == "DCT":
                return self._dictionary(part)
            if tag == "ToString":
                shown = uncode(part.text or "")
            elif tag in _MEMBERS:
                notes = notes or tag == "MS"
                values |= {uncode(member.attrib["N"]): self.value(member) for member in part}
            elif tag not in {"TN", "TNRef"}:
                return self._primitive(part, types, element)
        return PsObject(types, values, shown, notes=notes)  # type: ignore[arg-type]

    def _primitive(self, part: ElementTree.Element, types: tuple[str, ...], whole: ElementTree.Element) -> object:
        value = self.value(part)
        if _ENUM_TYPE in types and isinstance(value, Typed):
            name = whole.find("ToString")
            shown = "" if name is None else uncode(name.text or "")
            return PsEnum(types[0], int(value.value), shown, value.tag)
        return value

    def _dictionary(self, element: ElementTree.Element) -> dict[str, object]:
        entries: dict[str, object] = {}
        for entry in element:
            named = {part.attrib.get("N"): part for part in entry}
            key = self.value(named["Key"])
            entries[str(key.value) if isinstance(key, Typed) else str(key)] = self.value(named["Value"])
        return entries


def _moment(content: str) -> datetime:
    return datetime.fromisoformat(_FRACTION.sub(r".\1", content))


def _duration(content: str) -> timedelta:
    match = _DURATION.fullmatch(content)
    if match is None:
        raise UnreadableValue(f"{content!r} is no duration.")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    span = timedelta(
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "").ljust(6, "0")[:6]),
    )
    return -span if sign else span


def _truth(content: str) -> bool:
    if content not in {"true", "false"}:
        raise UnreadableValue(f"{content!r} is no Boolean.")
    return content == "true"


_PRIMITIVES: dict[str, Callable[[str], object]] = {
    "S": uncode,
    "Nil": lambda content: None,
    "B": _truth,
    "Sg": lambda content: Typed("Sg", float(content)),
    "Db": lambda content: Typed("Db", float(content)),
    "D": lambda content: Typed("D", content),
    "Version": lambda content: Typed("Version", content),
    "C": lambda content: chr(int(content)),
    "G": UUID,
    "DT": _moment,
    "TS": _duration,
    "BA": b64decode,
    "URI": uncode,
    "XD": uncode,
    "SBK": uncode,
}


def read_pipeline(clixml: bytes, decrypt: Decrypt) -> PipelineRequest:
    """Read one CREATE_PIPELINE message.

    Raises:
        UnreadableValue: not such a message, or a value that .NET would refuse.
    """
    try:
        root = ElementTree.fromstring(clixml)
        return _read_pipeline(root, _Reader(root, decrypt))
    except (ElementTree.ParseError, KeyError, ValueError, OverflowError) as failure:
        raise UnreadableValue(f"The pipeline can not be read: {failure}.") from failure


def read_value(clixml: bytes, decrypt: Decrypt) -> object:
    """Read one value, such as a pipeline's input.

    Raises:
        UnreadableValue: a value that .NET would refuse.
    """
    try:
        root = ElementTree.fromstring(clixml)
        return _Reader(root, decrypt).value(root)
    except (ElementTree.ParseError, KeyError, ValueError, OverflowError) as failure:
        raise UnreadableValue(f"The input can not be read: {failure}.") from failure


def _read_pipeline(root: ElementTree.Element, reader: _Reader) -> PipelineRequest:
    message = reader.members(root)
    pipeline = reader.members(message["PowerShell"])
    first = pipeline["Cmds"]
    extra = reader.items(pipeline.get("ExtraCmds"))
    statements = [reader.members(statement)["Cmds"] for statement in extra] or [first]
    return PipelineRequest(
        tuple(tuple(_command(command, reader) for command in reader.items(statement)) for statement in statements),
        no_input=reader.value(message["NoInput"]) is True,
    )


def _command(element: ElementTree.Element, reader: _Reader) -> Command:
    parts = reader.members(element)
    named: dict[str, object] = {}
    positional: list[object] = []
    for argument in reader.items(parts.get("Args")):
        pair = reader.members(argument)
        name = reader.value(pair["N"]) if "N" in pair else None
        value = reader.value(pair["V"])
        if name is None:
            positional.append(value)
        else:
            named[str(name)] = value
    return Command(
        name=str(reader.value(parts["Cmd"])),
        parameters=named,
        positional=tuple(positional),
        is_script=reader.value(parts["IsScript"]) is True,
    )
