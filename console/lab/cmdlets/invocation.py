"""One cmdlet's call, and the table of cmdlets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from console.lab.engine import PsError, PsObject, PsValue, SessionContext, Sink
from console.lab.surface import CmdletFacts
from console.lab.world.state import Host
from console.lab.world.world import World

if TYPE_CHECKING:
    from console.lab.constrained.installed import SessionConfiguration
    from console.lab.world.cluster import LabCluster

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a cmdlet runs."""

    cluster: LabCluster
    host: Host
    """The node whose session this is."""
    sessions: Mapping[str, SessionConfiguration] = field(default_factory=dict)
    """The constrained session configurations that are registered there, by lower-case name."""

    @property
    def world(self) -> World:
        return self.cluster.world


@dataclass(frozen=True)
class Invocation:
    """One stage of a pipeline, bound."""

    scope: Scope
    context: SessionContext
    facts: CmdletFacts
    arguments: Mapping[str, object]
    input: tuple[PsValue, ...]
    has_input: bool
    sink: Sink

    @property
    def world(self) -> World:
        return self.scope.world

    @property
    def cmdlet(self) -> str:
        return self.facts.name

    def text(self, name: str) -> str | None:
        value = self.arguments.get(name)
        return None if value is None else str(value)

    def texts(self, name: str) -> list[str] | None:
        value = self.arguments.get(name)
        if value is None:
            return None
        return [str(item) for item in value] if isinstance(value, list) else [str(value)]

    def flag(self, name: str) -> bool:
        return bool(self.arguments.get(name, False))

    def instances(self, kind: type[T]) -> list[T]:
        """The world's things that came through the pipeline or as -InputObject."""
        values: list[object] = list(self.input)
        given = self.arguments.get("InputObject")
        values += given if isinstance(given, list) else [given]
        return [value.instance for value in values if isinstance(value, PsObject) and isinstance(value.instance, kind)]

    def error(self, error: PsError) -> None:
        self.sink.error(error)


Handler: TypeAlias = Callable[[Invocation], "Iterable[PsValue] | Awaitable[Iterable[PsValue]]"]

HANDLERS: dict[str, Handler] = {}
"""Every cmdlet that the lab answers, by lower-case name."""

CHANGING: set[str] = set()
"""Lower-case names of those that change the world."""


def answers(*names: str, changes: bool = False) -> Callable[[Handler], Handler]:
    """Register a function as the answer to cmdlets."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name.lower()] = handler
            if changes:
                CHANGING.add(name.lower())
        return handler

    return register


def matches(pattern: str, text: str) -> bool:
    """PowerShell's wildcards, in any letter case."""
    lowered = pattern.casefold()
    if not any(sign in lowered for sign in "*?["):
        return lowered == text.casefold()
    return fnmatchcase(text.casefold(), lowered)


def is_wild(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")
