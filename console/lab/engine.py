"""The seam inside the lab: the endpoint parses commands and writes objects, an engine answers them.

The endpoint (``console.lab.endpoint``) knows HTTP, WS-Management, PSRP and CLIXML and nothing of clusters; the
cmdlets (``console.lab.cmdlets``) know clusters and nothing of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PsEnum:
    """A .NET enumeration value; travels as an object with ToString and a number."""

    type_name: str
    number: int
    name: str
    width: str = "I32"
    """CLIXML tag of the number: I32, U32, U64, By …"""


@dataclass(frozen=True, slots=True)
class Typed:
    """A number whose CLIXML tag must not be guessed: U16, I32, U32, I64, U64, Sg, Db, By, Version …"""

    tag: str
    value: int | float | str


@dataclass(frozen=True)
class PsObject:
    """A .NET object on the wire.

    Live objects carry their values as adapted properties (``<Props>``), the output of Select-Object carries them
    as note properties (``<MS>``) under the type names ``Selected.<original>``, PSCustomObject, Object.
    """

    type_names: tuple[str, ...]
    properties: Mapping[str, PsValue]
    to_string: str | None = None
    notes: bool = False
    """True for Select-Object's output."""
    instance: object | None = None
    """The world's own thing behind it, for the next cmdlet of the pipeline; never serialised."""


@dataclass(frozen=True, slots=True)
class PsStringCollection:
    """A bare IEnumerable of strings (``<IE>``), such as AntiAffinityClassNames."""

    items: tuple[str, ...]
    type_name: str = "System.Collections.Specialized.StringCollection"


PsValue: TypeAlias = (
    "bool | int | float | str | bytes | UUID | datetime | timedelta | PsEnum | Typed | PsObject | PsStringCollection"
    " | list[PsValue] | dict[str, PsValue] | None"
)
"""``int`` is written as I32 when it fits and I64 otherwise; use Typed where the property's type is known."""


@dataclass(frozen=True, slots=True)
class Command:
    """One stage of the pipeline as the client sent it."""

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    """By the name the client used; switches are True, nil is None, numbers arrive as :class:`Typed`."""
    positional: tuple[object, ...] = ()
    is_script: bool = False


@dataclass(frozen=True, slots=True)
class PsError:
    """An error record."""

    message: str
    identifier: str
    """FullyQualifiedErrorId."""
    category: int
    """ErrorCategory's number: 13 ObjectNotFound, 5 InvalidArgument, 7 InvalidOperation, 18 PermissionDenied …"""
    exception: str
    """The .NET type of the exception."""
    reason: str = ""
    activity: str = ""
    target: str = ""
    target_type: str = ""
    hresult: int | None = None
    native_code: int | None = None
    """Inner Win32 code, written as the inner exception's NativeErrorCode."""


class TerminatingError(Exception):
    """Ends the pipeline in state Failed with this record."""

    def __init__(self, error: PsError) -> None:
        super().__init__(error.message)
        self.error = error


class Sink(Protocol):
    """Where an engine puts what a pipeline emits; each call may be flushed to the client at once."""

    def output(self, value: PsValue) -> None: ...

    def error(self, error: PsError) -> None: ...

    def warning(self, text: str) -> None: ...

    def progress(self, activity: str, status: str, percent: int) -> None: ...


@dataclass(frozen=True, slots=True)
class SessionContext:
    """Who asks, and on which kind of endpoint."""

    user: str
    configuration_name: str
    """"Microsoft.PowerShell", or a constrained endpoint's name."""
    constrained: bool
    operator: bool = True
    """On a constrained endpoint: whether the operate role's functions are visible."""


class HostEngine(Protocol):
    """Answers pipelines as one simulated host would. A stop is an ``asyncio.CancelledError`` inside ``run``."""

    async def run(self, context: SessionContext, pipeline: Sequence[Command], sink: Sink) -> None:
        """Run one pipeline to its end.

        Raises:
            TerminatingError: the pipeline failed.
        """

    def visible_commands(self, context: SessionContext) -> frozenset[str]:
        """Names of the commands that this session may run (upper/lower case as PowerShell writes them)."""
