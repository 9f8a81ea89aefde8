"""Values of the model to plain JSON data and back, by their types; and the JSON schema of it.

Enumerations are written as Windows names them, flags as lists of names, sets sorted, times as ISO 8601. Whatever does
not fit becomes a sentence that names its place in the file; all of them are told at once.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum, IntFlag
from functools import cache
from typing import Any

from console.documents import windows_name

REQUIRED: Any = object()
_TOO_LARGE = 2.0**63
"""No size, rate or number that Windows gives reaches this."""
_NEVER_NEGATIVE = ("_bytes", "_bytes_per_s", "_s", "_fraction", "_percent", "percent", "processors")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object in the file."""

    kind: Any
    """Its type."""
    default: Any = REQUIRED
    doc: str = ""
    above_zero: bool = False


Shape = Mapping[str, Field]
"""The fields of an object, by name."""


@dataclass(frozen=True)
class ListOf:
    """A list of objects of one shape."""

    shape: Shape


@cache
def shape_of(owner: type) -> dict[str, Field]:
    """The fields of a dataclass as the file has them."""
    hints = typing.get_type_hints(owner)
    return {
        each.name: Field(hints[each.name], _default(each), above_zero=bool(each.metadata.get("above_zero")))
        for each in dataclasses.fields(owner)
        if each.init
    }


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return REQUIRED if field.default is dataclasses.MISSING else field.default


def plain(value: Any) -> Any:
    """A value as JSON data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value) if each.init}
    if isinstance(value, IntFlag):
        return [windows_name(flag) for flag in type(value) if flag and flag in value]
    if isinstance(value, Enum):
        return windows_name(value) if isinstance(value, IntEnum) else value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type taken apart."""

    kind: Any
    optional: bool
    origin: Any
    inner: tuple[Any, ...]


@cache
def _taken_apart(kind: Any) -> _Kind:
    kind = getattr(kind, "__supertype__", kind)
    inner = typing.get_args(kind)
    optional = typing.get_origin(kind) in (typing.Union, types.UnionType)
    if optional:
        (kind,) = (each for each in inner if each is not type(None))
        kind = getattr(kind, "__supertype__", kind)
    return _Kind(kind, optional, typing.get_origin(kind), typing.get_args(kind))


class Reader:
    """Reads JSON data by types; collects what does not fit in :attr:`problems`."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unknown: list[str] = []
        """Places of fields that the schema does not have."""

    def complain(self, place: str, what: str) -> None:
        self.problems.append(f"{place}: {what}.")

    def object(self, data: Any, shape: Shape, place: str) -> dict[str, Any]:
        """Every field of the shape, given or by default; a field that does not fit is None."""
        if not isinstance(data, dict):
            self.complain(place, "must be an object")
            return dict.fromkeys(shape)
        self.unknown += [_join(place, name) for name in data if name not in shape]
        found: dict[str, Any] = {}
        for name, field in shape.items():
            here = _join(place, name)
            if name in data:
                found[name] = self.value(data[name], field.kind, here, above_zero=field.above_zero)
            elif field.default is REQUIRED:
                self.complain(here, "is missing")
                found[name] = None
            else:
                found[name] = field.default
        return found

    def value(self, data: Any, kind: Any, place: str, *, above_zero: bool = False) -> Any:
        if isinstance(kind, ListOf):
            return self._objects(data, kind.shape, place)
        if isinstance(kind, dict):
            return self.object(data, kind, place)
        known = _taken_apart(kind)
        if data is None and known.optional:
            return None
        if known.origin in (tuple, frozenset):
            return self._many(data, known.origin, known.inner, place)
        if known.origin is not None:
            return self._mapping(data, known.inner[1], place)
        return self._single(data, known.kind, place, above_zero)

    def _objects(self, data: Any, shape: Shape, place: str) -> list[dict[str, Any]]:
        if not isinstance(data, list):
            self.complain(place, f"must be a list, not {_shown(data)}")
            return []
        return [self.object(item, shape, f"{place}.{number}") for number, item in enumerate(data)]

    def _many(self, data: Any, origin: Any, inner: Sequence[Any], place: str) -> Any:
        if not isinstance(data, list):
            self.complain(place, f"must be a list, not {_shown(data)}")
            return origin()
        if origin is tuple and inner[-1] is not ...:
            if len(data) != len(inner):
                self.complain(place, f"must be a list of {len(inner)}")
                return ()
            kinds = inner
        else:
            kinds = [inner[0]] * len(data)
        pairs = enumerate(zip(data, kinds, strict=True))
        return origin(self.value(item, kind, f"{place}.{number}") for number, (item, kind) in pairs)

    def _mapping(self, data: Any, kind: Any, place: str) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.complain(place, f"must be an object, not {_shown(data)}")
            return {}
        return {name: self.value(item, kind, _join(place, name)) for name, item in data.items()}

    def _single(self, data: Any, kind: Any, place: str, above_zero: bool) -> Any:
        if kind is not str and dataclasses.is_dataclass(kind):
            values = self.object(data, shape_of(typing.cast(type, kind)), place)
            return typing.cast(Any, kind)(**values)
        if kind is datetime:
            return self._time(data, place)
        if kind is not str and issubclass(kind, Enum):
            return self._member(data, typing.cast(type[Enum], kind), place)
        if kind is int or kind is float:
            return self._number(data, kind, place, above_zero)
        if not isinstance(data, kind):
            self.complain(place, f"must be {_KINDS[kind]}, not {_shown(data)}")
            return None
        return data

    def _number(self, data: Any, kind: type, place: str, above_zero: bool) -> Any:
        fits = isinstance(data, (int, float)) and not isinstance(data, bool)
        if not fits or (kind is int and data != data // 1):
            self.complain(place, f"must be {_KINDS[kind]}, not {_shown(data)}")
            return None
        if isinstance(data, float) and not math.isfinite(data):
            self.complain(place, f"must be a finite number, not {_shown(data)}")
            return None
        if abs(data) >= _TOO_LARGE:
            self.complain(place, f"is out of range: {_shown(data)}")
            return None
        if above_zero and data <= 0:
            self.complain(place, f"must be above 0, not {_shown(data)}")
        elif data < 0 and place.rpartition(".")[2].endswith(_NEVER_NEGATIVE):
            self.complain(place, f"must not be negative, not {_shown(data)}")
        return kind(data)

    def _time(self, data: Any, place: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(data)
        except (TypeError, ValueError):
            self.complain(place, f"must be a time in ISO 8601 with its offset, not {_shown(data)}")
            return None
        if moment.tzinfo is None:
            self.complain(place, f"needs an offset, such as {data}+00:00")
        return moment

    def _member(self, data: Any, kind: type[Enum], place: str) -> Any:
        names = _names(kind)
        if issubclass(kind, IntFlag):
            flags = kind(0)
            for name in data if isinstance(data, list) else [data]:
                flags |= self._named(name, names, place) or kind(0)
            return flags
        return self._named(data, names, place)

    def _named(self, data: Any, names: Mapping[str, Any], place: str) -> Any:
        member = names.get(data.casefold()) if isinstance(data, str) else None
        if member is None:
            self.complain(place, f"must be one of {', '.join(map(_written, names.values()))}, not {_shown(data)}")
        return member


_KINDS: Mapping[type, str] = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


@cache
def _names(kind: type[Enum]) -> dict[str, Any]:
    return {_written(member).casefold(): member for member in kind}


def _written(member: Enum) -> str:
    return (windows_name(member) or "") if isinstance(member, int) else str(member.value)


def _shown(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def schema_of_shape(shape: Shape) -> dict[str, Any]:
    """The JSON schema of an object."""
    return {
        "type": "object",
        "required": [name for name, field in shape.items() if field.default is REQUIRED],
        "properties": {name: _schema_of_field(name, field) for name, field in shape.items()},
    }


def _schema_of_field(name: str, field: Field) -> dict[str, Any]:
    schema = schema_of(field.kind)
    numeric = schema if schema.get("type") in ("number", "integer") else schema.get("anyOf", [{}])[0]
    if numeric.get("type") in ("number", "integer"):
        if field.above_zero:
            numeric["exclusiveMinimum"] = 0
        elif name.endswith(_NEVER_NEGATIVE):
            numeric["minimum"] = 0
    return {**schema, "description": field.doc} if field.doc else schema


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type."""
    if isinstance(kind, ListOf):
        return {"type": "array", "items": schema_of_shape(kind.shape)}
    if isinstance(kind, dict):
        return schema_of_shape(kind)
    kind = getattr(kind, "__supertype__", kind)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        (kept,) = (each for each in inner if each is not type(None))
        return {"anyOf": [schema_of(kept), {"type": "null"}]}
    if origin in (tuple, frozenset):
        return _schema_of_many(origin, inner)
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(inner[1])}
    if dataclasses.is_dataclass(kind):
        return schema_of_shape(shape_of(typing.cast(type, kind)))
    return _schema_of_single(kind)


def _schema_of_many(origin: Any, inner: tuple[Any, ...]) -> dict[str, Any]:
    if origin is tuple and inner[-1] is not ...:
        return {"type": "array", "prefixItems": [schema_of(each) for each in inner], "minItems": len(inner)}
    return {"type": "array", "items": schema_of(inner[0]), **({"uniqueItems": True} if origin is frozenset else {})}


def _schema_of_single(kind: type) -> dict[str, Any]:
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    if issubclass(kind, IntFlag):
        return {"type": "array", "items": {"enum": [_written(member) for member in kind if member]}}
    if issubclass(kind, Enum):
        return {"enum": [_written(member) for member in kind]}
    return {"type": {str: "string", bool: "boolean", int: "integer", float: "number"}[kind]}
