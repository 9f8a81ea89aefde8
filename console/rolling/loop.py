"""The roll's loop: signals in, events to the journal, then the commands. It ends when only a person can go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from console.clock import Clock, SystemClock
from console.drain import rolling as ro
from console.drain.roll_events import RollEvent
from console.drain.roll_requests import signal_of
from console.drain.roll_state import RollState, apply_roll
from console.journal.rolls import append_roll, load_roll, roll_events, take_roll_requests
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble
from console.model.identity import RunId

BEAT_S = 5.0
"""Real seconds between two signs of life."""
LEAST_WAIT_S = 0.25
"""Real seconds between two looks at everything, however fast a lab's clock runs."""
REQUESTS_S = 0.2
RETRY_S = 1.0
"""Real seconds before a journal that could not be written is tried again."""

_FINAL = frozenset({Trouble.TAKEN, Trouble.CORRUPT, Trouble.NEWER})


class Performer(Protocol):
    """What carries out the commands; see :class:`console.rolling.executor.RollExecutor`."""

    async def perform(self, command: ro.RollCommand, state: RollState) -> ro.RollSignal | None: ...


class RollRunner:
    """Carries a roll on until it is closed or waits for somebody. The journal's token makes it the only one.

    Args:
        complain: told, once each time, why nothing goes on at the moment.
        least_wait_s: real seconds between two ticks; a test on a manual clock gives 0.
    """

    def __init__(
        self,
        journal: Journal,
        roll: RunId,
        token: str,
        performer: Performer,
        clock: Clock,
        complain: Callable[[str], None],
        *,
        least_wait_s: float = LEAST_WAIT_S,
    ) -> None:
        self._journal = journal
        self._roll = roll
        self._token = token
        self._performer = performer
        self._clock = clock
        self._complain = complain
        self._least_wait_s = least_wait_s
        self._real = SystemClock()
        self._state = load_roll(journal, roll)
        self._signals: asyncio.Queue[ro.RollSignal | JournalUnusable] = asyncio.Queue()
        self._outstanding: dict[ro.RollCommand, asyncio.Task[None]] = {}
        self._timer: asyncio.Task[None] | None = None
        self._services: list[asyncio.Task[None]] = []

    @property
    def state(self) -> RollState:
        return self._state

    async def go(self) -> RollState:
        """Carry the roll on.

        Raises:
            JournalUnusable: another console took over, or the journal is lost; nothing was started after that.
        """
        try:
            await self._take_over()
            self._services = [
                asyncio.create_task(self._listen(), name="requests"),
                asyncio.create_task(self._beat(), name="beat"),
            ]
            self._hear()
            self._signals.put_nowait(ro.RollTicked(self._clock.now()))
            while not self._state.closed:
                await self._turn(await self._signals.get())
                if self._signals.empty() and not self._outstanding and ro.waits_for_somebody(self._state):
                    break
        finally:
            await self._farewell()
        return self._state

    async def _take_over(self) -> None:
        """A roll that was carried out before: everything is looked at again, and a hook's end is not guessed."""
        if self._state.closed or len(roll_events(self._journal, self._roll)) == 1:
            return
        events = ro.recover_roll(self._state, self._clock.now())
        await self._keep(events)
        for event in events:
            self._state = apply_roll(self._state, event)

    async def _turn(self, signal: ro.RollSignal | JournalUnusable) -> None:
        if isinstance(signal, JournalUnusable):
            raise signal
        following = ro.step_roll(self._state, signal)
        if following.events:
            await self._keep(following.events)
        self._state = following.state
        for command in following.commands:
            if isinstance(command, ro.LookAgain):
                self._wake_at(command.at)
            elif command not in self._outstanding:
                self._send(command)

    async def _keep(self, events: Sequence[RollEvent]) -> None:
        """On the disk before anything follows from them; a full or locked journal only makes everything wait."""
        complained = False
        while True:
            try:
                append_roll(self._journal, self._roll, events, token=self._token)
                return
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    raise
                if not complained:
                    self._complain(str(trouble))
                    complained = True
            await asyncio.sleep(RETRY_S)

    def _send(self, command: ro.RollCommand) -> None:
        task = asyncio.create_task(self._perform(command))
        self._outstanding[command] = task
        task.add_done_callback(lambda done: self._forget(command, done))

    async def _perform(self, command: ro.RollCommand) -> None:
        signal = await self._performer.perform(command, self._state)
        if self._outstanding.get(command) is asyncio.current_task():
            del self._outstanding[command]  # before the answer is heard, which may be the last
        if signal is not None:
            self._signals.put_nowait(signal)

    def _forget(self, command: ro.RollCommand, task: asyncio.Task[None]) -> None:
        if self._outstanding.get(command) is task:
            del self._outstanding[command]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._complain(f"{type(command).__name__} ended with {error!r}")

    def _wake_at(self, moment: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.create_task(self._wake(moment))

    async def _wake(self, moment: datetime) -> None:
        delay_s = max(0.0, (moment - self._clock.now()).total_seconds())
        due_s = self._clock.elapsed_s() + delay_s
        if self._least_wait_s > 0:
            await asyncio.sleep(self._least_wait_s)
        await self._clock.sleep_until(due_s)
        self._signals.put_nowait(ro.RollTicked(self._clock.now()))

    async def _listen(self) -> None:
        """What operators ask travels through the journal."""
        while True:
            try:
                self._hear()
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    self._signals.put_nowait(trouble)
                    return
            await asyncio.sleep(REQUESTS_S)

    def _hear(self) -> None:
        for request, by in take_roll_requests(self._journal, self._roll):
            self._signals.put_nowait(signal_of(request, self._clock.now(), by))

    async def _beat(self) -> None:
        while True:
            try:
                self._journal.beat(self._roll, self._token, self._real.now())
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    self._signals.put_nowait(trouble)
                    return
            await asyncio.sleep(BEAT_S)

    async def _farewell(self) -> None:
        for task in [*self._services, *([self._timer] if self._timer else []), *self._outstanding.values()]:
            task.cancel()
        with suppress(JournalUnusable):
            self._journal.leave_run(self._roll, self._token)
