"""What Windows' own modules look like: parameters, property types and enumeration numbers, from the carried data.

The data (``data/surface.json``) are facts about Windows only; see ``data/README.md`` for where they come from. The lab
answers by them and by nothing else, so that it cannot share a mistake with the client.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """One parameter of a cmdlet."""

    name: str
    type: str
    aliases: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    required: bool = False
    required_sets: tuple[str, ...] = ()
    """Where it is mandatory, if not in every set that it belongs to."""
    position: int | None = None
    sets: tuple[str, ...] = ()
    """Parameter sets it belongs to; empty means all of them."""
    by_value: bool = False
    by_property_name: bool = False

    @property
    def is_switch(self) -> bool:
        return self.type == "SwitchParameter"


@dataclass(frozen=True, slots=True)
class CmdletFacts:
    """One cmdlet: its module, the .NET types it emits and its parameters by name."""

    name: str
    module: str
    outputs: tuple[str, ...]
    parameters: Mapping[str, ParameterFacts]


@dataclass(frozen=True, slots=True)
class CimClassFacts:
    """One WMI class: property types as WMI names them (``uint32``, ``[]string`` …), methods by name."""

    namespace: str
    name: str
    properties: Mapping[str, str]
    methods: tuple[str, ...] = field(default=())


def carried() -> dict[str, Any]:
    """A fresh copy of the data."""
    text = resources.files("console.lab").joinpath("data", "surface.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


_current: list[dict[str, Any]] = []

forgetful: list[Callable[[], None]] = []
"""What remembers something of the data, and forgets it when they are replaced."""


def _data() -> dict[str, Any]:
    if not _current:
        _current.append(carried())
    return _current[-1]


@contextmanager
def replaced(data: dict[str, Any]) -> Iterator[None]:
    """Answer by other data for a while: a test that changes a name or a number wants to see who notices."""
    _data()
    _current.append(data)
    _forget()
    try:
        yield
    finally:
        _current.pop()
        _forget()


def _forget() -> None:
    for forget in (cmdlets.cache_clear, _cim_index.cache_clear, *forgetful):
        forget()


def _parameter(name: str, raw: Mapping[str, Any]) -> ParameterFacts:
    pipeline = raw.get("pipeline", "")
    position = raw.get("position")
    return ParameterFacts(
        name=name,
        type=raw["type"],
        aliases=tuple(raw.get("aliases", ())),
        accepted=tuple(raw.get("accepted", ())),
        required=bool(raw.get("required", False)),
        required_sets=tuple(raw.get("required_sets", ())),
        position=int(position) if position is not None and str(position).isdigit() else None,
        sets=tuple(raw.get("sets", ())),
        by_value="ByValue" in pipeline,
        by_property_name="ByPropertyName" in pipeline,
    )


@cache
def cmdlets() -> Mapping[str, CmdletFacts]:
    """Every cmdlet in the carried data, by lower-case name."""
    return {
        name.lower(): CmdletFacts(
            name=name,
            module=raw["module"],
            outputs=tuple(raw["outputs"]),
            parameters={key: _parameter(key, value) for key, value in raw["parameters"].items()},
        )
        for name, raw in _data()["cmdlets"].items()
    }


def cmdlet(name: str) -> CmdletFacts | None:
    """The cmdlet of that name in any letter case, or None."""
    return cmdlets().get(name.lower())


def property_types(class_name: str) -> Mapping[str, str]:
    """Property name → .NET type of a reflected class such as ``ClusterNode``.

    Raises:
        KeyError: the carried data do not hold the class.
    """
    types: Mapping[str, str] = _data()["classes"][class_name]["properties"]
    return types


def module_of(class_name: str) -> str:
    """The module a reflected class belongs to, ``Hyper-V`` or ``FailoverClusters``."""
    module: str = _data()["classes"][class_name]["module"]
    return module


def enumeration(name: str) -> Mapping[str, int] | None:
    """Name → number of a reflected enumeration, or None when there is no such one."""
    found: Mapping[str, int] | None = _data()["enums"].get(name)
    return found


def value(class_name: str, property: str, name: str) -> int:
    """The number of a documented value of a WMI property, such as Msvm_MigrationJob's JobState "Running".

    Raises:
        KeyError: the carried data do not hold it.
    """
    number: int = _data()["values"][class_name][property][name]
    return number


@cache
def _cim_index() -> Mapping[tuple[str, str], CimClassFacts]:
    return {
        (namespace.lower(), name.lower()): CimClassFacts(
            namespace, name, raw["properties"], tuple(raw.get("methods", ()))
        )
        for namespace, classes in _data()["wmi"].items()
        for name, raw in classes.items()
    }


def cim_class(namespace: str, name: str) -> CimClassFacts | None:
    """A WMI class by namespace (either slash, any case) and name, or None."""
    return _cim_index().get((namespace.replace("\\", "/").lower(), name.lower()))


def cim_namespaces() -> frozenset[str]:
    """Every namespace that the carried data know, lower case with forward slashes."""
    return frozenset(namespace for namespace, _ in _cim_index())
