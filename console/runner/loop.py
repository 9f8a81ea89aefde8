"""A run's loop: it ends when the run is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from console.clock import Clock
from console.drain import commands as cmd
from console.drain import signals as sg
from console.drain.events import Event, RequestRefused
from console.drain.fold import apply
from console.drain.recovery import recover
from console.drain.requests import OperatorRequest
from console.drain.rules import Rules
from console.drain.state import MoveState, Phase, RunState
from console.drain.step import step
from console.drain.turn import Step
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.model.identity import RunId

from .carrying import Task
from .looping import Loop, Nap

LATE_S = 15.0
"""Real seconds: a wake-up that comes so late was slept through."""
CLOCK_SET_S = 5.0
"""Seconds by which wall time may leave elapsed time before somebody must have set the clock."""

REPEATABLE = (cmd.ReadCommand, cmd.ReadLease)
"""Asking these again harms nobody."""


class Performer(Protocol):
    """What carries out the core's commands; see :class:`console.runner.carrying.Executor`."""

    async def perform(self, command: Task, state: RunState) -> sg.Signal | None: ...


class Runner(Loop[RunState, Event, OperatorRequest, sg.Signal, cmd.Command]):
    """Runs one run to its end."""

    def __init__(
        self,
        journal: Journal,
        run: RunId,
        token: str,
        performer: Performer,
        clock: Clock,
        rules: Rules,
        complain: Callable[[str], None],
    ) -> None:
        super().__init__(runs_of(journal), run, token, clock, complain)
        self._performer = performer
        self._rules = rules
        self._due: cmd.ReadProgress | None = None

    @property
    def is_over(self) -> bool:
        return self._state.phase is Phase.ENDED

    async def recover(self) -> Sequence[Event]:
        """A run that began before is told from facts first."""
        if self._state.phase is Phase.CLAIMING and self._state.now == self._state.created_at:
            return ()
        flying = tuple(
            vm
            for vm, move in self._state.moves.items()
            if move.state is MoveState.MOVING or (move.state is MoveState.UNKNOWN and not move.settled)
        )
        sights = None
        if flying:
            signal = await self._performer.perform(cmd.ReadProgress(flying), self._state)
            sights = signal.sights if isinstance(signal, sg.ProgressRead) else None
        return recover(self._state, sights, self._clock.now())

    def step(self, signal: sg.Signal) -> Step:
        return step(self._state, signal, self._rules)

    def advance(self, event: Event) -> RunState:
        return apply(self._state, event)

    def signal_of(self, request: OperatorRequest, by: str) -> sg.Signal:
        return sg.Requested(self._clock.now(), request, by)

    def refusal(self, why: str) -> Event:
        return RequestRefused(self._clock.now(), "a request", why)

    def moment_of(self, command: cmd.Command) -> datetime | None:
        return command.at if isinstance(command, cmd.WaitUntil) else None

    def awake(self, command: cmd.Command | None, nap: Nap) -> Iterable[sg.Signal]:
        """A machine that slept, or a wall clock that was set: nothing starts on what was known before."""
        now = self._clock.now()
        if nap.late_s / max(nap.speed, 1.0) >= LATE_S:
            yield sg.TimeSkipped(now, nap.late_s)
        elif abs(nap.jumped_s) >= CLOCK_SET_S:
            yield sg.TimeSkipped(now, nap.jumped_s)
        yield sg.Ticked(now, command.poll_at if isinstance(command, cmd.WaitUntil) else None)

    def is_repeatable(self, command: cmd.Command) -> bool:
        return isinstance(command, REPEATABLE)

    async def perform(self, command: cmd.Command) -> sg.Signal | None:
        assert not isinstance(command, cmd.WaitUntil), "the loop waits by itself"
        return await self._performer.perform(command, self._state)

    def _send(self, command: cmd.Command) -> None:
        if isinstance(command, cmd.ReadProgress) and command.checks and command in self._outstanding:
            self._due = command
        super()._send(command)

    async def _carry_out(self, command: cmd.Command) -> None:
        await super()._carry_out(command)
        if self._due == command:
            asyncio.get_running_loop().call_soon(self._look_again, command)

    def _look_again(self, look: cmd.ReadProgress) -> None:
        """A look at an arrival that came due while the last one was on its way, which did not see it yet."""
        if self._due == look and all(self._state.moves[vm].state is MoveState.MOVING for vm in look.vms):
            self._send(look)
        self._due = None
