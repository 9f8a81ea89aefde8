"""The roll's loop: it ends when only a person can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from console.clock import Clock
from console.drain import rolling as ro
from console.drain.roll_events import RollEvent, RollRefused
from console.drain.roll_requests import RollRequest, signal_of
from console.drain.roll_state import RollState, apply_roll
from console.journal.ledger import rolls_of
from console.journal.store import Journal
from console.model.identity import RunId
from console.runner.looping import Loop, Nap

LEAST_WAIT_S = 0.25
"""Real seconds between two looks at everything, however fast a lab's clock runs."""


class Performer(Protocol):
    """What carries out the commands; see :class:`console.rolling.executor.RollExecutor`."""

    async def perform(self, command: ro.RollCommand, state: RollState) -> ro.RollSignal | None: ...


class RollRunner(Loop[RollState, RollEvent, RollRequest, ro.RollSignal, ro.RollCommand]):
    """Carries a roll on until it is closed or waits for somebody."""

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
        super().__init__(rolls_of(journal), roll, token, clock, complain, least_wait_s)
        self._performer = performer
        self._begun = len(self._ledger.events(roll)) > 1

    @property
    def is_over(self) -> bool:
        return self._state.closed

    @property
    def waits(self) -> bool:
        return ro.waits_for_somebody(self._state)

    async def recover(self) -> Sequence[RollEvent]:
        """A roll that was carried out before: everything is looked at again, and a hook's end is not guessed."""
        return ro.recover_roll(self._state, self._clock.now()) if self._begun else ()

    def step(self, signal: ro.RollSignal) -> ro.RollStep:
        return ro.step_roll(self._state, signal)

    def advance(self, event: RollEvent) -> RollState:
        return apply_roll(self._state, event)

    def signal_of(self, request: RollRequest, by: str) -> ro.RollSignal:
        return signal_of(request, self._clock.now(), by)

    def refusal(self, why: str) -> RollEvent:
        return RollRefused(self._clock.now(), "a request", why)

    def moment_of(self, command: ro.RollCommand) -> datetime | None:
        return command.at if isinstance(command, ro.LookAgain) else None

    def awake(self, command: ro.RollCommand | None, nap: Nap) -> Iterable[ro.RollSignal]:
        yield ro.RollTicked(self._clock.now())

    def is_repeatable(self, command: ro.RollCommand) -> bool:
        """The core asks for everything that is on its way at each tick."""
        return True

    async def perform(self, command: ro.RollCommand) -> ro.RollSignal | None:
        return await self._performer.perform(command, self._state)
