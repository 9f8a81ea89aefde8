"""A fast writer of CLIXML (MS-PSRP 2.2.5), for what engines put out.

Strings are joined, not built as a tree: that is an order of magnitude cheaper, and an inventory is all strings.
Live objects carry their values in ``<Props>``, the output of Select-Object in ``<MS>``; type names repeat as
``<TNRef>`` within one message; control characters, surrogates and a literal ``_x`` travel as ``_xHHHH_``.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import isinf, isnan
from typing import Any
from uuid import UUID

from console.lab.engine import PsEnum, PsObject, PsStringCollection, PsValue, Typed

MAX_DEPTH = 2
"""An object below an object's property travels as its text (remoting serialises one level deep)."""

_CACHE_SIZE = 4096
_NEEDS_CARE = re.compile("[\x00-\x1f\x7f-\x9f&<>\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]|_[xX]")
_NEEDS_CODE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]|_(?=[xX])")
_FLOAT_TAGS = frozenset({"Sg", "Db"})
_TYPED_TAGS = frozenset(
    {"By", "SB", "U16", "I16", "U32", "I32", "U64", "I64", "Sg", "Db", "D", "Version", "C", "URI", "SBK", "XD"}
)
_ENUM_BASES = ("System.Enum", "System.ValueType", "System.Object")
_ARRAY = ("System.Object[]", "System.Array", "System.Object")
_HASHTABLE = ("System.Collections.Hashtable", "System.Object")


def _code(match: re.Match[str]) -> str:
    units = match.group(0).encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"_x{units[start : start + 4]}_" for start in range(0, len(units), 4))


def text(value: str) -> str:
    """A string as the text of an element: coded, then escaped."""
    if not _NEEDS_CARE.search(value):
        return value
    coded = _NEEDS_CODE.sub(_code, value)
    return coded.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _NameAttributes(dict[str, str]):
    """`` N="…"`` by property name; bounded, because names may come from a client."""

    def __missing__(self, name: str) -> str:
        if len(self) >= _CACHE_SIZE:
            self.clear()
        escaped = text(name).replace('"', "&quot;")
        attribute = f' N="{escaped}"'
        self[name] = attribute
        return attribute


class _TypeLists(dict[tuple[str, ...], str]):
    """``<T>…</T>`` lists by type names."""

    def __missing__(self, names: tuple[str, ...]) -> str:
        if len(self) >= _CACHE_SIZE:
            self.clear()
        listed = "".join(f"<T>{text(name)}</T>" for name in names)
        self[names] = listed
        return listed


_NAMES = _NameAttributes()
_TYPES = _TypeLists()


def integer_tag(value: int) -> str:
    """I32 where the number fits, else I64, else U64.

    Raises:
        ValueError: it fits none.
    """
    if -0x80000000 <= value <= 0x7FFFFFFF:
        return "I32"
    if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        return "I64"
    if 0 < value <= 0xFFFFFFFFFFFFFFFF:
        return "U64"
    raise ValueError(f"{value} fits no integer of .NET")


def real(value: float) -> str:
    """A floating point number as XmlConvert writes it."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "INF" if value > 0 else "-INF"
    return repr(value).upper()


def moment(value: datetime) -> str:
    """A DateTime with its seven fractional digits; an aware one with its zone."""
    stamp = value.isoformat(timespec="microseconds")
    zone = stamp[26:]
    return f"{stamp[:26]}0{'Z' if zone == '+00:00' else zone}"


def duration(value: timedelta) -> str:
    """A TimeSpan as XML writes durations: ``P1DT2H3M4.5S``."""
    microseconds = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    sign = "-" if microseconds < 0 else ""
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    clock = f"{hours}H" if hours else ""
    clock += f"{minutes}M" if minutes else ""
    if fraction:
        clock += f"{seconds}.{f'{fraction:06d}'.rstrip('0')}S"
    elif seconds:
        clock += f"{seconds}S"
    if not days and not clock:
        return "PT0S"
    return f"{sign}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


class Writer:
    """Writes one message; RefIds and type references count within it."""

    __slots__ = ("_next_reference", "_types")

    def __init__(self) -> None:
        self._next_reference = 0
        self._types: dict[tuple[str, ...], int] = {}

    def write(self, value: PsValue) -> str:
        """The CLIXML of one value.

        Raises:
            ValueError: a number that .NET can not hold, or an unknown tag.
            TypeError: not a value of the lab's.
        """
        return self._value("", value, 0)

    def open(self, name: str = "") -> str:
        """The start tag of the next object, named ``name`` within its parent."""
        reference = self._next_reference
        self._next_reference = reference + 1
        return f'<Obj{_NAMES[name] if name else ""} RefId="{reference}">'

    def type_names(self, names: tuple[str, ...]) -> str:
        """``<TN>`` the first time, ``<TNRef>`` after."""
        if not names:
            return ""
        known = self._types.get(names)
        if known is not None:
            return f'<TNRef RefId="{known}" />'
        number = len(self._types)
        self._types[names] = number
        return f'<TN RefId="{number}">{_TYPES[names]}</TN>'

    def properties(self, properties: Mapping[str, PsValue], depth: int = 0) -> str:
        """The named values of an object, in their order."""
        parts: list[str] = []
        add = parts.append
        for name, value in properties.items():
            kind = type(value)
            attribute = _NAMES[name]
            if kind is str:
                add(f"<S{attribute}>{text(value)}</S>")  # type: ignore[arg-type]
            elif value is None:
                add(f"<Nil{attribute} />")
            elif kind is bool:
                add(f"<B{attribute}>{'true' if value else 'false'}</B>")
            elif kind is PsEnum:
                add(self._enumeration(attribute, value))  # type: ignore[arg-type]
            else:
                add(self._value(attribute, value, depth + 1))
        return "".join(parts)

    def _value(self, attribute: str, value: Any, depth: int) -> str:
        writer = _WRITERS.get(type(value))
        if writer is None:
            writer = next((known for kind, known in _WRITERS.items() if isinstance(value, kind)), None)
        if writer is None:
            raise TypeError(f"{type(value).__name__} does not travel")
        written: str = writer(self, attribute, value, depth)
        return written

    def _enumeration(self, attribute: str, value: PsEnum) -> str:
        reference = self._next_reference
        self._next_reference = reference + 1
        types = self.type_names((value.type_name, *_ENUM_BASES))
        return (
            f'<Obj{attribute} RefId="{reference}">{types}<ToString>{text(value.name)}</ToString>'
            f"<{value.width}>{value.number}</{value.width}></Obj>"
        )

    def _object(self, attribute: str, value: PsObject, depth: int) -> str:
        if depth >= MAX_DEPTH:
            shown = value.to_string if value.to_string is not None else next(iter(value.type_names), "")
            return f"<S{attribute}>{text(shown)}</S>"
        reference = self._next_reference
        self._next_reference = reference + 1
        types = self.type_names(value.type_names)
        shown = "" if value.to_string is None else f"<ToString>{text(value.to_string)}</ToString>"
        kind = "MS" if value.notes else "Props"
        inside = self.properties(value.properties, depth)
        body = f"<{kind}>{inside}</{kind}>" if inside else ""
        return f'<Obj{attribute} RefId="{reference}">{types}{shown}{body}</Obj>'

    def _container(self, attribute: str, types: tuple[str, ...], tag: str, items: Iterable[Any], depth: int) -> str:
        start = f"{self._start(attribute)}{self.type_names(types)}<{tag}>"
        inside = "".join([self._value("", item, depth) for item in items])
        return f"{start}{inside}</{tag}></Obj>"

    def _dictionary(self, attribute: str, value: Mapping[str, Any], depth: int) -> str:
        start = f"{self._start(attribute)}{self.type_names(_HASHTABLE)}<DCT>"
        entries = [
            f'<En><S N="Key">{text(key)}</S>{self._value(_NAMES["Value"], item, depth)}</En>'
            for key, item in value.items()
        ]
        return f"{start}{''.join(entries)}</DCT></Obj>"

    def _start(self, attribute: str) -> str:
        reference = self._next_reference
        self._next_reference = reference + 1
        return f'<Obj{attribute} RefId="{reference}">'


def _integer(writer: Writer, attribute: str, value: int, depth: int) -> str:
    tag = integer_tag(value)
    return f"<{tag}{attribute}>{value:d}</{tag}>"


def _typed(writer: Writer, attribute: str, value: Typed, depth: int) -> str:
    tag = value.tag
    if tag not in _TYPED_TAGS:
        raise ValueError(f"{tag} is no tag of a primitive")
    number = value.value
    if isinstance(number, str):
        shown = text(number)
    elif tag in _FLOAT_TAGS:
        shown = real(float(number))
    else:
        shown = str(number)
    return f"<{tag}{attribute}>{shown}</{tag}>"


_WRITERS: dict[type, Any] = {
    str: lambda writer, attribute, value, depth: f"<S{attribute}>{text(value)}</S>",
    type(None): lambda writer, attribute, value, depth: f"<Nil{attribute} />",
    bool: lambda writer, attribute, value, depth: f"<B{attribute}>{'true' if value else 'false'}</B>",
    int: _integer,
    float: lambda writer, attribute, value, depth: f"<Db{attribute}>{real(value)}</Db>",
    Typed: _typed,
    PsEnum: lambda writer, attribute, value, depth: writer._enumeration(attribute, value),
    UUID: lambda writer, attribute, value, depth: f"<G{attribute}>{value}</G>",
    datetime: lambda writer, attribute, value, depth: f"<DT{attribute}>{moment(value)}</DT>",
    timedelta: lambda writer, attribute, value, depth: f"<TS{attribute}>{duration(value)}</TS>",
    bytes: lambda writer, attribute, value, depth: f"<BA{attribute}>{b64encode(value).decode()}</BA>",
    PsObject: lambda writer, attribute, value, depth: writer._object(attribute, value, depth),
    list: lambda writer, attribute, value, depth: writer._container(attribute, _ARRAY, "LST", value, depth),
    tuple: lambda writer, attribute, value, depth: writer._container(attribute, _ARRAY, "LST", value, depth),
    PsStringCollection: lambda writer, attribute, value, depth: writer._container(
        attribute, (value.type_name, "System.Object"), "IE", value.items, depth
    ),
    dict: lambda writer, attribute, value, depth: writer._dictionary(attribute, value, depth),
}
"""By exact type; a subclass falls back to its base, and bool stands before int for that reason."""


def write(value: PsValue) -> str:
    """The CLIXML of one output object.

    Raises:
        ValueError: a number that .NET can not hold, or an unknown tag.
        TypeError: not a value of the lab's.
    """
    return Writer().write(value)
