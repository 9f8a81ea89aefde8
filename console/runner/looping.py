"""What carrying on a run and a rolling run have in common: signals in, events to the journal, only then commands.

The journal's token makes a loop the only one that writes. Operators' requests come through the journal, too; one
stops waiting together with the events that answer it, so that a loop that dies loses none and answers none twice.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from console.clock import Clock, SystemClock
from console.journal.ledger import Asked, Dated, Ledger
from console.journal.trouble import JournalUnusable, Trouble
from console.model.identity import RunId

REQUESTS_S = 0.2
"""Real seconds between two looks for an operator's request."""
BEAT_S = 5.0
"""Real seconds between two signs of life."""
RETRY_S = 1.0
"""Real seconds before a journal that could not be written is tried again."""
FAREWELL_S = 60.0
"""Real seconds that changes on their way are waited for at the end."""

_FINAL = frozenset({Trouble.TAKEN, Trouble.CORRUPT, Trouble.NEWER, Trouble.GONE})
"""Waiting does not help."""

State = TypeVar("State")
Happened = TypeVar("Happened", bound=Dated)
Request = TypeVar("Request")
Signal = TypeVar("Signal")
Command = TypeVar("Command")
State_co = TypeVar("State_co", covariant=True)
Happened_co = TypeVar("Happened_co", covariant=True)
Command_co = TypeVar("Command_co", covariant=True)


class Following(Protocol[State_co, Happened_co, Command_co]):
    """What a core's step makes of a signal."""

    @property
    def state(self) -> State_co: ...

    @property
    def events(self) -> Sequence[Happened_co]: ...

    @property
    def commands(self) -> Sequence[Command_co]: ...


@dataclass(frozen=True, slots=True)
class Nap:
    """How a wait for a moment went, in seconds of the loop's clock unless said otherwise."""

    late_s: float
    jumped_s: float
    """By how much wall time left elapsed time meanwhile: somebody set the clock."""
    speed: float
    """Seconds of the clock in one real second."""


class Loop(ABC, Generic[State, Happened, Request, Signal, Command]):
    """Carries one thing of the journal on; what the thing is, its subclasses say.

    Args:
        token: of :meth:`console.journal.store.Journal.take_run`.
        complain: told, once each time, why nothing goes on at the moment.
        least_wait_s: real seconds that a wait lasts at the least.
    """

    def __init__(
        self,
        ledger: Ledger[State, Happened, Request],
        name: RunId,
        token: str,
        clock: Clock,
        complain: Callable[[str], None],
        least_wait_s: float = 0.0,
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._token = token
        self._clock = clock
        self._complain = complain
        self._least_wait_s = least_wait_s
        self._real = SystemClock()
        self._state = ledger.load(name)
        self._signals: asyncio.Queue[Signal | Asked[Request] | JournalUnusable] = asyncio.Queue()
        self._heard = 0
        """The number of the newest request in the queue, or answered."""
        self._outstanding: dict[Command, asyncio.Task[None]] = {}
        self._timer: asyncio.Task[None] | None = None
        self._services: list[asyncio.Task[None]] = []

    # what is carried on

    @property
    @abstractmethod
    def is_over(self) -> bool:
        """Nothing will ever happen any more."""

    @property
    def waits(self) -> bool:
        """Nothing happens before somebody asks for it: no process has to wait for that."""
        return False

    @abstractmethod
    async def recover(self) -> Sequence[Happened]:
        """What a loop that takes over has to write first; nothing for one that begins."""

    @abstractmethod
    def step(self, signal: Signal) -> Following[State, Happened, Command]: ...

    @abstractmethod
    def advance(self, event: Happened) -> State: ...

    @abstractmethod
    def signal_of(self, request: Request, by: str) -> Signal: ...

    @abstractmethod
    def refusal(self, why: str) -> Happened:
        """The answer to a request that this version can not read."""

    @abstractmethod
    def moment_of(self, command: Command) -> datetime | None:
        """When the command wants to be woken; None for one that somebody has to perform."""

    @abstractmethod
    def awake(self, command: Command | None, nap: Nap) -> Iterable[Signal]:
        """What the core is told after a wait; without a command and at once, when the loop begins."""

    @abstractmethod
    def is_repeatable(self, command: Command) -> bool:
        """Whether the core may ask again: one on its way is not sent twice, and at the end nobody waits for it."""

    @abstractmethod
    async def perform(self, command: Command) -> Signal | None: ...

    # the loop

    @property
    def state(self) -> State:
        return self._state

    async def go(self) -> State:
        """Carry it on until it is over, or waits.

        Raises:
            JournalUnusable: another process took over, or the journal is lost; nothing was started after that.
        """
        try:
            if not self.is_over:
                await self._begin()
            while not self.is_over:
                await self._turn(await self._signals.get())
                if self.waits and self._signals.empty() and not self._outstanding:
                    break
        finally:
            await self._farewell()
        return self._state

    async def _begin(self) -> None:
        self._serve(self._beat, BEAT_S)  # a look at what moves may take long
        events = await self.recover()
        if events:
            await self._keep(events)
        for event in events:
            self._state = self.advance(event)
        with suppress(JournalUnusable):  # the service tries again
            self._hear()
        self._serve(self._hear, REQUESTS_S)
        for signal in self.awake(None, Nap(0.0, 0.0, 1.0)):
            self._signals.put_nowait(signal)

    async def _turn(self, signal: Signal | Asked[Request] | JournalUnusable) -> None:
        if isinstance(signal, JournalUnusable):
            raise signal
        answering: tuple[int, ...] = ()
        if isinstance(signal, Asked):
            answering = (signal.number,)
            if signal.request is None:
                await self._refuse(signal)
                return
            signal = self.signal_of(signal.request, signal.by)
        following = self.step(signal)
        if following.events or answering:
            await self._keep(following.events, answering)
        self._state = following.state
        for command in following.commands:
            moment = self.moment_of(command)
            if moment is None:
                self._send(command)
            else:
                self._wake_at(moment, command)

    async def _refuse(self, asked: Asked[Request]) -> None:
        event = self.refusal(f"this version can not read what {asked.by or 'somebody'} asked")
        await self._keep([event], [asked.number])
        self._state = self.advance(event)

    async def _keep(self, events: Sequence[Happened], answering: Sequence[int] = ()) -> None:
        """On the disk before anything follows from them; a full or locked journal only makes everything wait."""
        complained = False
        while True:
            try:
                self._ledger.append(self._name, events, token=self._token, answering=answering)
                return
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    raise
                if not complained:
                    self._complain(str(trouble))
                    complained = True
            await asyncio.sleep(RETRY_S)

    def _send(self, command: Command) -> None:
        if self.is_repeatable(command) and command in self._outstanding:
            return
        task = asyncio.create_task(self._carry_out(command))
        self._outstanding[command] = task
        task.add_done_callback(lambda done: self._forget(command, done))

    async def _carry_out(self, command: Command) -> None:
        signal = await self.perform(command)
        if self._outstanding.get(command) is asyncio.current_task():
            del self._outstanding[command]  # before the answer is heard: it may ask the very same again
        if signal is not None:
            self._signals.put_nowait(signal)

    def _forget(self, command: Command, task: asyncio.Task[None]) -> None:
        if self._outstanding.get(command) is task:
            del self._outstanding[command]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._complain(f"{type(command).__name__} ended with {error!r}")

    def _wake_at(self, moment: datetime, command: Command) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.create_task(self._wake(moment, command))

    async def _wake(self, moment: datetime, command: Command) -> None:
        delay_s = max(0.0, (moment - self._clock.now()).total_seconds())
        due_s = self._clock.elapsed_s() + delay_s
        real_s, wall = self._real.elapsed_s(), self._clock.now()
        if self._least_wait_s > 0:
            await asyncio.sleep(self._least_wait_s)
        await self._clock.sleep_until(due_s)
        late_s = self._clock.elapsed_s() - due_s
        waited_s = delay_s + max(0.0, late_s)
        jumped_s = (self._clock.now() - wall).total_seconds() - waited_s
        speed = waited_s / max(self._real.elapsed_s() - real_s, 0.001)
        for signal in self.awake(command, Nap(late_s, jumped_s, speed)):
            self._signals.put_nowait(signal)

    def _serve(self, work: Callable[[], None], every_s: float) -> None:
        self._services.append(asyncio.create_task(self._again_and_again(work, every_s)))

    async def _again_and_again(self, work: Callable[[], None], every_s: float) -> None:
        """A service beside the turns. A locked journal is tried again, one that is lost ends the loop."""
        while True:
            try:
                work()
            except JournalUnusable as trouble:
                if trouble.trouble in _FINAL:
                    self._signals.put_nowait(trouble)
                    return
            await asyncio.sleep(every_s)

    def _hear(self) -> None:
        """What operators ask. It goes on waiting in the journal until its answer is there."""
        for asked in self._ledger.asked(self._name, self._heard):
            self._signals.put_nowait(asked)
            self._heard = asked.number

    def _beat(self) -> None:
        self._ledger.journal.beat(self._name, self._token, self._real.now())

    async def _farewell(self) -> None:
        """Changes on their way get their answer; looks do not matter any more."""
        for task in [*self._services, *([self._timer] if self._timer else [])]:
            task.cancel()
        for command, task in tuple(self._outstanding.items()):
            if self.is_repeatable(command):
                task.cancel()
        changes = [task for command, task in self._outstanding.items() if not self.is_repeatable(command)]
        if changes:
            await asyncio.wait(changes, timeout=FAREWELL_S)
        with suppress(JournalUnusable):
            self._ledger.journal.leave_run(self._name, self._token)
