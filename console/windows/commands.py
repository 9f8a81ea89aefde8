"""The shape of everything that can be said to Windows.

A :class:`Call` is a structured pipeline (cmdlets with typed parameters) bound from one entry of the catalogue.
Nothing else can reach the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Effect(Enum):
    """Whether a command can change the world."""

    READS = "reads"
    CHANGES = "changes"


class ParameterType(Enum):
    """The .NET type a parameter is encoded as on the wire."""

    STRING = "String"
    STRINGS = "String[]"
    INT32 = "Int32"
    UINT32 = "UInt32"
    INT64 = "Int64"
    BOOLEAN = "Boolean"
    SWITCH = "SwitchParameter"
    GUID = "Guid"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    value: str | int | bool | tuple[str, ...]
    type: ParameterType


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """One stage of a structured pipeline."""

    name: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A constant script with a ``param()`` block, only where a structured command cannot say it."""

    text: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A bound command, ready to send: one pipeline, one round trip."""

    entry: str
    effect: Effect
    pipeline: tuple[Cmdlet | Script, ...]
    deadline_s: float = 30.0
    constrained_function: str | None = None
    """The function that says the same on the constrained endpoint."""
    arguments: tuple[Parameter, ...] = ()
    """What that function is given: the values that were bound, under the entry's own names."""


@dataclass(frozen=True, slots=True)
class EnumValue:
    """An enumeration as it travels: compare the number, show the name."""

    number: int
    name: str


Value: TypeAlias = "bool | int | float | str | bytes | EnumValue | list[Value] | dict[str, Value] | ObjectText | None"
"""What a decoded property can be. Dates, durations, versions and GUIDs stay text, as they travel; the row
decoders of this room know which is which."""

Row: TypeAlias = Mapping[str, Value]
"""One object's properties, by the name Windows gives them."""


@dataclass(frozen=True, slots=True)
class ObjectText:
    """A nested object that the wire flattened: its ToString text and whatever properties came along."""

    text: str
    properties: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class RemoteError:
    """An error record of PowerShell, terminating or not."""

    message: str
    identifier: str
    """FullyQualifiedErrorId."""
    category: int
    exception: str
    """The .NET type of the exception."""
    code: int | None = None
    """HRESULT or Win32 code found in the record, unsigned."""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one call."""

    rows: tuple[Row, ...]
    """A bare value of the pipeline (a string, a number) is a row of one property, ``Value``."""
    errors: tuple[RemoteError, ...] = ()
    """Non-terminating errors; a terminating one is raised as CommandFailed or a sibling."""
    warnings: tuple[str, ...] = ()
