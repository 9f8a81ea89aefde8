"""Make the objects that cmdlets emit: real type names, real property names, values in their real types.

A :class:`Shape` lists, for one class, where each property comes from; every other property of the class, as reflected,
is there too with its type's default. Values are computed when they are asked for, so that a ``Select-Object`` of three
properties costs three.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from console.lab import surface
from console.lab.engine import PsEnum, PsObject, PsStringCollection, PsValue, Typed

if TYPE_CHECKING:
    from console.lab.cmdlets.invocation import Scope

T = TypeVar("T")
Getter = Callable[["Scope", Any], object]
Column = Callable[["Scope", Any], PsValue]

_FLAGS = {
    "ClusterApplicationStatusInformation", "ClusterNodeStatusInformation", "ClusterResourceStatusInformation",
    "ClusterSharedVolumeFileSystemRedirectedIOReasons", "ClusterSharedVolumeBlockRedirectedIOReason",
    "ClusterResourceAndResourceTypeCharacteristics",
}  # fmt: skip
_WIDTHS = {"ClusterApplicationStatusInformation": "U64", "GroupType": "U32"}
_TAGS = {"Byte": "By", "UInt16": "U16", "UInt32": "U32", "UInt64": "U64", "Int64": "I64", "Version": "Version"}
_NAMESPACES = {
    "FailoverClusters": "Microsoft.FailoverClusters.PowerShell",
    "Hyper-V": "Microsoft.HyperV.PowerShell",
    "ServerManager": "Microsoft.Windows.ServerManager.Commands",
    "Microsoft.PowerShell.Diagnostics": "System.Diagnostics.Eventing.Reader",
    "ActiveDirectory": "Microsoft.ActiveDirectory.Management",
    "NetworkATC": "Microsoft.NetworkATC",
}
_CIM_TAGS = {"uint8": "By", "uint16": "U16", "uint32": "U32", "uint64": "U64", "sint64": "I64", "int64": "I64",
             "int8": "SB", "sint8": "SB", "int16": "I16", "sint16": "I16", "real32": "Sg", "real64": "Db"}  # fmt: skip


@cache
def enum_value(type_name: str, module: str, value: str | int) -> PsEnum:
    """An enumeration's value by name or number; flags are joined by commas, unnamed bits show as the number.

    A name that the data do not know has no number: it travels as -1.
    """
    numbers = surface.enumeration(type_name) or {}
    if isinstance(value, str) and value not in numbers:
        return PsEnum(_full_name(type_name, module), -1, value, _WIDTHS.get(type_name, "I32"))
    number = numbers[value] if isinstance(value, str) else value
    full = _full_name(type_name, module)
    return PsEnum(full, number, _enum_name(type_name, numbers, number), _WIDTHS.get(type_name, "I32"))


surface.forgetful.append(enum_value.cache_clear)


def _full_name(type_name: str, module: str) -> str:
    return f"{_NAMESPACES.get(module, module)}.{type_name}"


def _enum_name(type_name: str, numbers: Mapping[str, int], number: int) -> str:
    for name, each in numbers.items():
        if each == number:
            return name
    if type_name not in _FLAGS:
        return str(number)
    named = [(name, each) for name, each in numbers.items() if each > 0 and number & each == each]
    if sum(each for _, each in named) != number or not named:
        return str(number)
    return ", ".join(name for name, _ in named)


_AS_IT_IS = frozenset((PsObject, PsEnum, Typed, PsStringCollection))


def coerce(type_name: str, value: object, module: str) -> PsValue:
    """A Python value as the .NET type of its property."""
    if value is None or type(value) in _AS_IT_IS:
        return value  # type: ignore[return-value] # by its exact type
    if type_name.startswith("Nullable<"):
        return coerce(type_name[9:-1], value, module)
    if isinstance(value, list | tuple):
        element = type_name.removesuffix("[]") if type_name.endswith("[]") else _element(type_name)
        return [coerce(element, item, module) for item in value]
    if type_name in _TAGS and isinstance(value, int | float | str):
        return Typed(_TAGS[type_name], value)
    if surface.enumeration(type_name) is not None and isinstance(value, str | int):
        return enum_value(type_name, module, value)
    assert isinstance(value, bool | int | float | str | bytes | UUID | datetime | timedelta | dict)
    return value


def _element(type_name: str) -> str:
    return type_name[type_name.index("<") + 1 : -1] if "<" in type_name else type_name


def default_of(type_name: str, module: str) -> PsValue:
    """What a property holds when the world says nothing about it."""
    if type_name in ("UInt16", "UInt32", "UInt64", "Int64", "Byte"):
        return Typed(_TAGS[type_name], 0)
    if type_name == "Int32":
        return 0
    if type_name == "Boolean":
        return False
    if type_name == "String":
        return ""
    if type_name.endswith("[]"):
        return []
    numbers = surface.enumeration(type_name)
    if numbers:
        zero = 0 in numbers.values() or type_name in _FLAGS
        return enum_value(type_name, module, 0 if zero else min(numbers.values()))
    return None


def _tagged(tag: str, getter: Getter) -> Column:
    def column(scope: Scope, thing: object) -> PsValue:
        value = getter(scope, thing)
        if value is None or isinstance(value, Typed):
            return value
        assert isinstance(value, int | float | str)
        return Typed(tag, value)

    return column


def _enumerated(kind: str, value: object, module: str) -> PsValue:
    if value is None or isinstance(value, PsEnum):
        return value
    assert isinstance(value, str | int)
    return enum_value(kind, module, value)


class _Lazy(Mapping[str, PsValue]):
    """Properties computed on demand."""

    __slots__ = ("_scope", "_shape", "_thing", "_types")

    def __init__(self, shape: _Table[Any], scope: Scope, thing: object) -> None:
        self._shape, self._scope, self._thing = shape, scope, thing
        self._types = shape.types

    def __getitem__(self, name: str) -> PsValue:
        return self._shape.value(name, self._scope, self._thing)

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def __contains__(self, name: object) -> bool:
        return name in self._types


class _Table(ABC, Generic[T]):
    """Where each property of one class comes from. The data say which properties there are, at the time of asking."""

    def __init__(self, getters: Mapping[str, Getter], extra: Mapping[str, str] | None) -> None:
        self._getters = getters
        self._extra = dict(extra or {})
        self._types: dict[str, str] | None = None
        self._columns: dict[str, Column] = {}
        surface.forgetful.append(self._forget)
        unknown = set(getters) - set(self.types)
        if unknown:
            raise KeyError(f"{self!r} has no {', '.join(sorted(unknown))}")

    @property
    def types(self) -> dict[str, str]:
        """Every property's type, by name."""
        if self._types is None:
            self._types = {**self._attested(), **self._extra}
        return self._types

    @abstractmethod
    def _attested(self) -> Mapping[str, str]: ...

    @abstractmethod
    def _column(self, kind: str, getter: Getter | None) -> Column: ...

    def value(self, name: str, scope: Scope, thing: T) -> PsValue:
        """One property of one thing.

        Raises:
            KeyError: the class has no such property.
        """
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._column(self.types[name], self._getters.get(name))
        return column(scope, thing)

    def _forget(self) -> None:
        self._types = None
        self._columns.clear()


class Shape(_Table[T]):
    """How things of one kind of the world look as objects of one reflected class."""

    def __init__(
        self,
        class_name: str,
        getters: Mapping[str, Getter],
        *,
        text: Callable[[T], str],
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.class_name = class_name
        self.module = surface.module_of(class_name)
        self.type_names = (f"{_NAMESPACES[self.module]}.{class_name}", "System.Object")
        self._text = text
        super().__init__(getters, extra)

    def __repr__(self) -> str:
        return self.class_name

    def _attested(self) -> Mapping[str, str]:
        return surface.property_types(self.class_name)

    def _column(self, kind: str, getter: Getter | None) -> Column:
        """How the values of a type are made, decided once."""
        kind, module = kind.split(" ")[0], self.module
        if getter is None:
            default = default_of(kind, module)
            return lambda scope, thing: default
        if kind in _TAGS:
            return _tagged(_TAGS[kind], getter)
        if surface.enumeration(kind) is not None:
            return lambda scope, thing: _enumerated(kind, getter(scope, thing), module)
        return lambda scope, thing: coerce(kind, getter(scope, thing), module)

    def make(self, scope: Scope, thing: T) -> PsObject:
        return PsObject(self.type_names, _Lazy(self, scope, thing), self._text(thing), instance=thing)


def reference(module: str, class_name: str, text: str) -> PsObject:
    """A nested object as depth 1 leaves it: its type and its ToString."""
    return PsObject((f"{_NAMESPACES[module]}.{class_name}", "System.Object"), {}, text)


CIM_INSTANCE = "Microsoft.Management.Infrastructure.CimInstance"


@cache
def _spelt(namespace: str) -> str:
    """A namespace as the cmdlets that are built on it write it in their output types."""
    for facts in surface.cmdlets().values():
        for output in facts.outputs:
            found = output.partition("#")[2].replace("\\", "/").rpartition("/")[0]
            if found.lower() == namespace.lower():
                return found
    return namespace


class CimShape(_Table[T]):
    """How things look as instances of one WMI class."""

    def __init__(
        self,
        namespace: str,
        class_name: str,
        getters: Mapping[str, Getter],
        *,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.namespace, self.class_name = namespace, class_name
        self.type_names = (f"{CIM_INSTANCE}#{_spelt(namespace)}/{class_name}", CIM_INSTANCE, "System.Object")
        super().__init__(getters, extra)

    def __repr__(self) -> str:
        return f"{self.namespace}:{self.class_name}"

    def _attested(self) -> Mapping[str, str]:
        facts = surface.cim_class(self.namespace, self.class_name)
        if facts is None:
            raise KeyError(repr(self))
        return facts.properties

    def _column(self, kind: str, getter: Getter | None) -> Column:
        if getter is None:
            return lambda scope, thing: None
        return lambda scope, thing: _cim_value(kind, getter(scope, thing))

    def make(self, scope: Scope, thing: T) -> PsObject:
        return PsObject(self.type_names, _Lazy(self, scope, thing), self.class_name, instance=thing)


def _cim_value(kind: str, value: object) -> PsValue:
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return [_cim_value(kind.removeprefix("[]"), item) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        tag = _CIM_TAGS.get(kind, "" if kind in ("int32", "sint32") else "U16")
        return Typed(tag, _unsigned(tag, value)) if tag else value
    assert isinstance(value, str | datetime | timedelta | PsObject)
    return value


def _unsigned(tag: str, value: int | float) -> int | float:
    """WMI has no negative number in an unsigned property: -1 is all ones."""
    bits = {"By": 8, "U16": 16, "U32": 32, "U64": 64}.get(tag)
    return value if bits is None else int(value) % 2**bits
