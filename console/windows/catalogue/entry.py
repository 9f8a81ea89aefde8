"""What the catalogue is made of: an :class:`Entry` describes one thing to say to Windows, ``bind`` says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from console.windows.commands import Call, Cmdlet, Effect, Parameter, ParameterType, Script

Argument: TypeAlias = "str | int | bool | tuple[str, ...] | None"

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
NODE_NAME = r"[\w.-]{1,63}"
OBJECT_NAME = r"[^*?\[\]\x00-\x1f]{1,260}"
"""A cluster object's name; with any of ``*?[]`` in it the cluster's cmdlets take it for a pattern of many."""

_GUID = re.compile(GUID)
_RANGES = {
    ParameterType.INT32: (-(2**31), 2**31 - 1),
    ParameterType.UINT32: (0, 2**32 - 1),
    ParameterType.INT64: (-(2**63), 2**63 - 1),
}


class Privilege(Enum):
    """What the signed-in account needs, in the words of an administrator."""

    CLUSTER_READ = "read access to the cluster"
    CLUSTER_FULL = "full control of the cluster"
    HYPER_V = "membership of Hyper-V Administrators on the host"
    HOST_READ = "read access to WMI on the host"
    EVENT_LOG = "membership of Event Log Readers on the host"
    SESSION = "a session"
    DIRECTORY = "a session that may ask the domain's directory"


class Source(Enum):
    """Where the names of an entry are attested."""

    REFLECTED = "reflected from the Windows module"
    WMI = "generated from live WMI (Windows Server 2019 and 23H2)"
    DOCUMENTED = "Microsoft's reference documentation"


@dataclass(frozen=True, slots=True)
class Rows:
    """What comes back: a type and the properties that every row carries.

    ``type_name`` is the class without its namespace for .NET objects ("ClusterNode"), ``namespace:class`` in lower
    case namespace for WMI ("root/mscluster:MSCluster_AffinityRule").
    """

    type_name: str
    properties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """A cmdlet's parameter that is given its value when the entry is bound."""

    name: str
    type: ParameterType
    argument: str
    """The entry's own name for it, also the constrained function's parameter."""
    optional: bool = False
    pattern: str = ""
    """What the constrained function takes, a regular expression of the whole text; empty leaves it to the type."""
    allowed: tuple[str, ...] = ()
    """The only texts that the constrained function takes."""
    within: tuple[int, int] | None = None
    """The only numbers that the constrained function takes, both ends included."""
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One cmdlet of a pipeline, with fixed and open parameters."""

    name: str
    parameters: tuple[Parameter | Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptStage:
    """A constant script with a ``param()`` block; only its parameters are open."""

    text: str
    parameters: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the vocabulary."""

    id: str
    says: str
    """What it does, one sentence for people."""
    effect: Effect
    pipeline: tuple[Stage | ScriptStage, ...]
    rows: Rows | None
    """None: the answer carries nothing that is read."""
    privilege: Privilege
    source: Source
    constrained_function: str
    deadline_s: float = 30.0

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Every open parameter, in the order of the pipeline."""
        return tuple(
            parameter for stage in self.pipeline for parameter in stage.parameters if isinstance(parameter, Fill)
        )

    def bind(self, **arguments: Argument) -> Call:
        """The call with its open parameters given.

        Raises:
            ValueError: an argument is unknown, missing or not of its type.
        """
        known = {fill.argument for fill in self.fills}
        if unknown := sorted(set(arguments) - known):
            raise ValueError(f"{self.id} takes no {', '.join(unknown)}")
        return Call(
            entry=self.id,
            effect=self.effect,
            pipeline=tuple(_bound(self.id, stage, arguments) for stage in self.pipeline),
            deadline_s=self.deadline_s,
            constrained_function=self.constrained_function,
            arguments=_arguments(self.id, self.fills, arguments),
        )


def _bound(entry: str, stage: Stage | ScriptStage, arguments: dict[str, Argument]) -> Cmdlet | Script:
    parameters = tuple(
        bound
        for parameter in stage.parameters
        if (bound := _parameter(entry, parameter, parameter.name, arguments)) is not None
    )
    return Script(stage.text, parameters) if isinstance(stage, ScriptStage) else Cmdlet(stage.name, parameters)


def _arguments(entry: str, fills: tuple[Fill, ...], arguments: dict[str, Argument]) -> tuple[Parameter, ...]:
    by_name = {fill.argument: fill for fill in fills}
    bound = (_parameter(entry, fill, fill.argument, arguments) for fill in by_name.values())
    return tuple(parameter for parameter in bound if parameter is not None)


def _parameter(entry: str, given: Parameter | Fill, name: str, arguments: dict[str, Argument]) -> Parameter | None:
    if isinstance(given, Parameter):
        return given
    value = arguments.get(given.argument)
    if value is None:
        if given.optional:
            return None
        raise ValueError(f"{entry} needs {given.argument}")
    return Parameter(name, _checked(entry, given, value), given.type)


def _checked(entry: str, fill: Fill, value: str | int | bool | tuple[str, ...]) -> str | int | bool | tuple[str, ...]:
    if fill.type is ParameterType.GUID and isinstance(value, str) and _GUID.fullmatch(value):
        return value.lower()
    if _fits(fill.type, value):
        return value
    raise ValueError(f"{entry}: {value!r} is not a {fill.type.value} for {fill.argument}")


def _fits(kind: ParameterType, value: str | int | bool | tuple[str, ...]) -> bool:
    if kind in (ParameterType.BOOLEAN, ParameterType.SWITCH):
        return isinstance(value, bool)
    if kind is ParameterType.STRING:
        return isinstance(value, str)
    if kind is ParameterType.STRINGS:
        return isinstance(value, tuple) and bool(value) and all(isinstance(item, str) for item in value)
    if kind is ParameterType.GUID or not isinstance(value, int) or isinstance(value, bool):
        return False
    low, high = _RANGES[kind]
    return low <= value <= high


def text(name: str, value: str) -> Parameter:
    """A fixed string parameter."""
    return Parameter(name, value, ParameterType.STRING)


def texts(name: str, *values: str) -> Parameter:
    """A fixed array of strings."""
    return Parameter(name, values, ParameterType.STRINGS)


def switch(name: str, on: bool = True) -> Parameter:
    """A fixed switch; ``Confirm`` is the one that is set to off."""
    return Parameter(name, on, ParameterType.SWITCH)


def number(name: str, value: int, kind: ParameterType = ParameterType.INT32) -> Parameter:
    """A fixed number."""
    return Parameter(name, value, kind)


def select(*properties: str) -> Stage:
    """Select-Object -Property: flat rows, and only what is read."""
    return Stage("Select-Object", (texts("Property", *properties),))


def reads(
    id: str,
    says: str,
    *stages: Stage,
    type_name: str,
    properties: tuple[str, ...],
    privilege: Privilege,
    source: Source,
    function: str,
    deadline_s: float = 30.0,
) -> Entry:
    """An entry that only reads, projected on ``properties``."""
    return Entry(
        id=id,
        says=says,
        effect=Effect.READS,
        pipeline=(*stages, select(*properties)),
        rows=Rows(type_name, properties),
        privilege=privilege,
        source=source,
        constrained_function=function,
        deadline_s=deadline_s,
    )


def cim(
    id: str,
    says: str,
    namespace: str,
    class_name: str,
    properties: tuple[str, ...],
    *,
    function: str,
    privilege: Privilege = Privilege.HOST_READ,
    filter: Parameter | Fill | None = None,
    deadline_s: float = 30.0,
) -> Entry:
    """An entry that reads instances of a WMI class, projected on ``properties``.

    ``-Property`` is not given: providers of calculated classes disagree about what they then leave out.
    """
    parameters: tuple[Parameter | Fill, ...] = (text("Namespace", namespace), text("ClassName", class_name))
    if filter is not None:
        parameters = (*parameters, filter)
    return reads(
        id,
        says,
        Stage("Get-CimInstance", parameters),
        type_name=f"{namespace.lower()}:{class_name}",
        properties=properties,
        privilege=privilege,
        source=Source.WMI,
        function=function,
        deadline_s=deadline_s,
    )
