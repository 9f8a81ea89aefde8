"""One turn of the core: a signal comes in, events and commands go out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.model.identity import HostName, VmId

from .commands import Command, Replan
from .events import Event
from .fold import apply
from .rules import Rules
from .signals import CheckRead
from .state import Move, Purpose, RunState


@dataclass(frozen=True, slots=True)
class Step:
    """The state after a signal, the events that led there, and what is to be done next.

    The events have to be on the disk before any of the commands is carried out.
    """

    state: RunState
    events: tuple[Event, ...] = ()
    commands: tuple[Command, ...] = ()


@dataclass(slots=True)
class Turn:
    """Collects what one signal brings about. State changes through :meth:`record` alone."""

    state: RunState
    at: datetime
    rules: Rules
    events: list[Event] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    checked: dict[VmId, CheckRead] = field(default_factory=dict)
    """Checks that came with this very signal."""

    def record(self, event: Event) -> None:
        self.state = apply(self.state, event)
        self.events.append(event)

    def ask(self, command: Command) -> None:
        if command not in self.commands:
            self.commands.append(command)

    def replan(self, vm: VmId, wanted: HostName | None = None, *, at_once: bool = True) -> None:
        """Another destination for one VM; a return has only the one that it was made for."""
        if self.state.purpose is Purpose.DRAIN:
            self.ask(Replan(vm, wanted, at_once))

    def move(self, vm: VmId) -> Move | None:
        return self.state.moves.get(vm)

    def seconds_since(self, moment: datetime | None) -> float:
        """Seconds from ``moment`` to now; 0 when there is none."""
        return (self.at - moment).total_seconds() if moment else 0.0

    def step(self) -> Step:
        return Step(self.state, tuple(self.events), tuple(self.commands))
