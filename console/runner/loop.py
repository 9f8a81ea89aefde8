"""The run's loop: signals in, events to the journal, and only then the commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from console.clock import Clock, SystemClock
from console.drain import commands as cmd
from console.drain import signals as sg
from console.drain.events import Event
from console.drain.fold import apply
from console.drain.recovery import recover
from console.drain.rules import Rules
from console.drain.state import MoveState, Phase, RunState
from console.drain.step import step
from console.journal.live import load_run
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble
from console.model.identity import RunId

from .carrying import Task

REQUESTS_S = 0.2
"""Real seconds between two looks for an operator's request."""
BEAT_S = 5.0
"""Real seconds between two signs of life."""
RETRY_S = 1.0
"""Real seconds before a journal that could not be written is tried again."""
FAREWELL_S = 60.0
"""Real seconds that changes on their way are waited for at the end."""

_FINAL = frozenset({Trouble.TAKEN, Trouble.CORRUPT, Trouble.NEWER})
"""Waiting does not help."""


LATE_S = 15.0
"""Real seconds: a wake-up that comes so late was slept through."""
CLOCK_SET_S = 5.0
"""Seconds by which wall time may leave elapsed time before somebody must have set the clock."""

REPEATABLE = (cmd.ReadCommand, cmd.ReadLease)
"""Asking these again harms nobody."""


class Performer(Protocol):
    """What carries out the core's commands; see :class:`console.runner.carrying.Executor`."""

    async def perform(self, command: Task, state: RunState) -> sg.Signal | None: ...


class Runner:
    """Runs one run to its end. The journal's token makes it the only one that writes.

    Args:
        complain: told, once each time, why nothing goes on at the moment.
    """

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
        self._journal = journal
        self._run = run
        self._token = token
        self._performer = performer
        self._clock = clock
        self._rules = rules
        self._complain = complain
        self._real = SystemClock()
        self._state = load_run(journal, run)
        self._signals: asyncio.Queue[sg.Signal | JournalUnusable] = asyncio.Queue()
        self._outstanding: dict[cmd.Command, asyncio.Task[None]] = {}
        self._due: cmd.ReadProgress | None = None
        self._timer: asyncio.Task[None] | None = None
        self._services: list[asyncio.Task[None]] = []

    @property
    def state(self) -> RunState:
        return self._state

    async def go(self) -> RunState:
        """Run until the run is closed.

        Raises:
            JournalUnusable: another runner took over, or the journal is lost; nothing was started after that.
        """
        try:
            if self._state.phase is not Phase.ENDED:
                await self._take_over()
                self._services = [
                    asyncio.create_task(self._listen(), name="requests"),
                    asyncio.create_task(self._beat(), name="beat"),
                ]
                self._signals.put_nowait(sg.Ticked(self._clock.now()))
            while self._state.phase is not Phase.ENDED:
                await self._turn(await self._signals.get())
        finally:
            await self._farewell()
        return self._state

    async def _take_over(self) -> None:
        """A run that began before is told from facts first."""
        if self._state.phase is Phase.CLAIMING and self._state.now == self._state.created_at:
            return
        flying = tuple(
            vm
            for vm, move in self._state.moves.items()
            if move.state is MoveState.MOVING or (move.state is MoveState.UNKNOWN and not move.settled)
        )
        sights = None
        if flying:
            signal = await self._performer.perform(cmd.ReadProgress(flying), self._state)
            sights = signal.sights if isinstance(signal, sg.ProgressRead) else None
        events = recover(self._state, sights, self._clock.now())
        await self._keep(events)
        for event in events:
            self._state = apply(self._state, event)

    async def _turn(self, signal: sg.Signal | JournalUnusable) -> None:
        if isinstance(signal, JournalUnusable):
            raise signal
        following = step(self._state, signal, self._rules)
        if following.events:
            await self._keep(following.events)
        self._state = following.state
        for command in following.commands:
            if isinstance(command, cmd.WaitUntil):
                self._wake_at(command)
            else:
                self._send(command)

    async def _keep(self, events: Sequence[Event]) -> None:
        """On the disk before anything follows from them; a full or locked journal only makes everything wait."""
        complained = False
        while True:
            try:
                self._journal.append_all(self._run, events, token=self._token)
                return
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    raise
                if not complained:
                    self._complain(str(trouble))
                    complained = True
            await asyncio.sleep(RETRY_S)

    def _send(self, command: Task) -> None:
        """A read that is on its way already is not asked a second time; the core asks for each change only once."""
        if isinstance(command, REPEATABLE) and command in self._outstanding:
            if isinstance(command, cmd.ReadProgress) and command.checks:
                self._due = command
            return
        task = asyncio.create_task(self._perform(command))
        self._outstanding[command] = task
        task.add_done_callback(lambda done: self._forget(command, done))

    async def _perform(self, command: Task) -> None:
        signal = await self._performer.perform(command, self._state)
        if self._outstanding.get(command) is asyncio.current_task():
            del self._outstanding[command]  # before the answer is heard: it may ask the very same again
        if signal is not None:
            self._signals.put_nowait(signal)
        if self._due == command:
            asyncio.get_running_loop().call_soon(self._look_again, command)

    def _look_again(self, look: cmd.ReadProgress) -> None:
        """A look at an arrival that came due while the last one was on its way, which did not see it yet."""
        if self._due == look and all(self._state.moves[vm].state is MoveState.MOVING for vm in look.vms):
            self._send(look)
        self._due = None

    def _forget(self, command: cmd.Command, task: asyncio.Task[None]) -> None:
        if self._outstanding.get(command) is task:
            del self._outstanding[command]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._complain(f"{type(command).__name__} ended with {error!r}")

    def _wake_at(self, wish: cmd.WaitUntil) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.create_task(self._wake(wish))

    async def _wake(self, wish: cmd.WaitUntil) -> None:
        delay_s = max(0.0, (wish.at - self._clock.now()).total_seconds())
        due_s = self._clock.elapsed_s() + delay_s
        real_s = self._real.elapsed_s()
        wall = self._clock.now()
        await self._clock.sleep_until(due_s)
        self._notice_missed_time(due_s, real_s, wall, delay_s)
        self._signals.put_nowait(sg.Ticked(self._clock.now(), wish.poll_at))

    def _notice_missed_time(self, due_s: float, real_s: float, wall: datetime, delay_s: float) -> None:
        """A machine that slept, or a wall clock that was set: nothing starts on what was known before."""
        late_s = self._clock.elapsed_s() - due_s
        waited_s = delay_s + max(0.0, late_s)
        jumped_s = (self._clock.now() - wall).total_seconds() - waited_s
        speed = waited_s / max(self._real.elapsed_s() - real_s, 0.001)
        if late_s / max(speed, 1.0) >= LATE_S:
            self._signals.put_nowait(sg.TimeSkipped(self._clock.now(), late_s))
        elif abs(jumped_s) >= CLOCK_SET_S:
            self._signals.put_nowait(sg.TimeSkipped(self._clock.now(), jumped_s))

    async def _listen(self) -> None:
        """What operators ask travels through the journal."""
        while True:
            try:
                for asked in self._journal.take_requests(self._run):
                    self._signals.put_nowait(sg.Requested(self._clock.now(), asked.request, asked.by))
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    self._signals.put_nowait(trouble)
                    return
            await asyncio.sleep(REQUESTS_S)

    async def _beat(self) -> None:
        while True:
            try:
                self._journal.beat(self._run, self._token, self._real.now())
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    self._signals.put_nowait(trouble)
                    return
            await asyncio.sleep(BEAT_S)

    async def _farewell(self) -> None:
        """Changes on their way get their answer; reads do not matter any more."""
        for task in [*self._services, *([self._timer] if self._timer else [])]:
            task.cancel()
        for command, task in tuple(self._outstanding.items()):
            if isinstance(command, REPEATABLE):
                task.cancel()
        if self._outstanding:
            await asyncio.wait(list(self._outstanding.values()), timeout=FAREWELL_S)
        with suppress(JournalUnusable):
            self._journal.leave_run(self._run, self._token)
