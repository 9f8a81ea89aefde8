"""From CLIXML to rows: one walk over an ElementTree, many times as fast as the decoder that pypsrp brings
(``python tests/bench/decode.py``).

What a host writes and what a row carries ([MS-PSRP] 2.2.5, and recordings of Windows Server):

* a live object keeps its values in ``<Props>``, the output of Select-Object in ``<MS>``: both become one mapping, in
  which the note property wins;
* an enumeration is an object with ``<ToString>`` and a bare number: :class:`EnumValue`;
* ``LST``, ``IE``, ``STK`` and ``QUE`` become lists, ``DCT`` a dict with text keys;
* any other nested object becomes :class:`ObjectText`: its text and the properties that came along;
* dates, durations, versions, decimals and GUIDs stay text; a secure string is never read.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections.abc import Callable, Mapping

from console.windows.commands import EnumValue, ObjectText, Row, Value

BARE = "Value"
"""The name under which a row carries an object that has no properties of its own: a string, a number, a list."""

_ESCAPES = re.compile(r"(?:_x[0-9a-fA-F]{4}_)+")
_LISTS = frozenset(("LST", "IE", "STK", "QUE"))


class MalformedOutput(ValueError):
    """What came back is not CLIXML."""


def decode(document: str) -> Row:
    """One output object as a row.

    An object without properties is a row with the single name :data:`BARE`.

    Raises:
        MalformedOutput: it is no CLIXML.
    """
    try:
        root = ET.fromstring(document)
        return _Walk().row(root)
    except (ET.ParseError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise MalformedOutput(f"an output object could not be read ({error})") from error


def unescape(text: str) -> str:
    """Undo the ``_xHHHH_`` escapes: UTF-16 units, pairs of which make one character; a lone half becomes U+FFFD."""
    return _ESCAPES.sub(_characters, text)


def _characters(match: re.Match[str]) -> str:
    run = match.group()
    units = bytes.fromhex("".join(run[start + 2 : start + 6] for start in range(0, len(run), 7)))
    return units.decode("utf-16-be", "replace")


def _text(text: str | None) -> str:
    if text is None:
        return ""
    return unescape(text) if "_x" in text else text


def _plain(text: str | None) -> str:
    return text or ""


def _integer(text: str | None) -> int:
    return int(text)  # type: ignore[arg-type] # an empty number is a TypeError, which decode() reports


def _real(text: str | None) -> float:
    return float(text)  # type: ignore[arg-type]


def _truth(text: str | None) -> bool:
    return text == "true" or _plain(text).lower() == "true"


def _character(text: str | None) -> str:
    return chr(_integer(text))


def _bytes(text: str | None) -> bytes:
    return b64decode(_plain(text))


def _nothing(text: str | None) -> None:
    return None


_PRIMITIVES: Mapping[str, Callable[[str | None], Value]] = {
    "S": _text,
    "I32": _integer,
    "B": _truth,
    "Nil": _nothing,
    "I64": _integer,
    "U32": _integer,
    "U64": _integer,
    "DT": _plain,
    "TS": _plain,
    "G": _plain,
    "U16": _integer,
    "I16": _integer,
    "By": _integer,
    "SB": _integer,
    "Db": _real,
    "Sg": _real,
    "D": _plain,
    "Version": _plain,
    "C": _character,
    "BA": _bytes,
    "URI": _text,
    "XD": _text,
    "SBK": _text,
    "SS": _nothing,
}


class _Walk:
    """The state of one document: objects and type lists that later elements may refer to."""

    __slots__ = ("_objects", "_types")

    def __init__(self) -> None:
        self._objects: dict[str, Value] = {}
        self._types: dict[str, ET.Element] = {}

    def row(self, element: ET.Element) -> Row:
        if element.tag != "Obj":
            return {BARE: self._value(element)}
        value = self._object(element)
        if isinstance(value, ObjectText):
            return value.properties
        if isinstance(value, dict):
            return value
        notes = element.find("MS")
        row: dict[str, Value] = {} if notes is None else self._properties(notes, {})
        row[BARE] = value
        return row

    def _value(self, element: ET.Element) -> Value:
        read = _PRIMITIVES.get(element.tag)
        if read is not None:
            return read(element.text)
        if element.tag == "Obj":
            return self._object(element)
        if element.tag == "Ref":
            # None for an object that is still being read: only a cycle can ask for it.
            return self._objects.get(element.attrib["RefId"])
        raise ValueError(f"unknown element {element.tag[:40]!r}")

    def _properties(self, parent: ET.Element, found: dict[str, Value]) -> dict[str, Value]:
        primitives = _PRIMITIVES
        for element in parent:
            name = element.attrib["N"]
            if "_x" in name:
                name = unescape(name)
            read = primitives.get(element.tag)
            found[name] = self._value(element) if read is None else read(element.text)
        return found

    def _object(self, element: ET.Element) -> Value:
        parts: dict[str, ET.Element] = {part.tag: part for part in element}
        types = self._types_of(parts)
        value = self._content(parts, types)
        reference = element.get("RefId")
        if reference is not None:
            self._objects[reference] = value
        return value

    def _types_of(self, parts: dict[str, ET.Element]) -> ET.Element | None:
        """The element that lists the type names, remembered for the objects that only refer to it."""
        types = parts.pop("TN", None)
        if types is not None:
            self._types[types.get("RefId", "")] = types
            return types
        reference = parts.pop("TNRef", None)
        return None if reference is None else self._types[reference.attrib["RefId"]]

    def _content(self, parts: dict[str, ET.Element], types: ET.Element | None) -> Value:
        text = parts.pop("ToString", None)
        adapted = parts.pop("Props", None)
        notes = parts.pop("MS", None)
        for tag, part in parts.items():
            if tag in _LISTS:
                return [self._value(item) for item in part]
            if tag == "DCT":
                return self._dictionary(part)
            value = self._value(part)
            if text is not None and isinstance(value, int) and types is not None and _is_enum(types):
                return EnumValue(value, _text(text.text))
            return value
        properties: dict[str, Value] = {}
        if adapted is not None:
            self._properties(adapted, properties)
        if notes is not None:
            self._properties(notes, properties)
        return ObjectText("" if text is None else _text(text.text), properties)

    def _dictionary(self, element: ET.Element) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for entry in element:
            sides = {side.get("N"): side for side in entry}
            key = self._value(sides["Key"])
            found[key if isinstance(key, str) else _key(key)] = self._value(sides["Value"])
        return found


def _key(key: Value) -> str:
    if isinstance(key, EnumValue):
        return key.name
    return key.text if isinstance(key, ObjectText) else str(key)


def _is_enum(types: ET.Element) -> bool:
    return any(name.text == "System.Enum" for name in types)
