"""A world that lives: bound to a clock, pushed on in the background, asked by sessions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from console.clock import Clock
from console.lab.world.build import build_world
from console.lab.world.mover import Mover
from console.lab.world.past import past_logs
from console.lab.world.service import ClusterService
from console.lab.world.spec import Scenario


@dataclass
class Received:
    """Commands received, by (host, user): those that only read and those that change."""

    reading: Counter[tuple[str, str]] = field(default_factory=Counter)
    changing: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_cmdlet: Counter[str] = field(default_factory=Counter)


class LabCluster:
    """One simulated cluster on a clock.

    Whoever asks calls :meth:`advance` first; the background task only serves those who wait.
    """

    def __init__(self, scenario: Scenario, seed: int, clock: Clock) -> None:
        self.clock = clock
        self._zero_s = clock.elapsed_s()
        self.world = build_world(scenario, seed, clock.now())
        self.world.log.past = partial(past_logs, scenario, seed)
        self.mover = Mover(self.world)
        self.service = ClusterService(self.world, self.mover)
        for name in scenario.draining:
            self.service.suspend(name, drain=True)
        self.received = Received()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def advance(self) -> float:
        """Bring the world to the clock's moment and return that moment, in seconds of the world."""
        moment = self.clock.elapsed_s() - self._zero_s
        if self.world.advance_to(moment):
            self.touch()
        return self.world.now_s

    def touch(self) -> None:
        """Wake those who wait: something changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self.world.epoch + timedelta(seconds=self.world.now_s)

    async def until(self, condition: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Wait until ``condition`` holds; False when ``timeout_s`` of the world went by first."""
        deadline = None if timeout_s is None else self.advance() + timeout_s
        while not condition():
            if deadline is not None and self.advance() >= deadline:
                return False
            waiter: asyncio.Future[bool] = asyncio.ensure_future(self._changing())
            sleepers: list[asyncio.Future[bool]] = [waiter]
            if deadline is not None:
                sleepers.append(asyncio.ensure_future(self._sleep_to(deadline)))
            try:
                await asyncio.wait(sleepers, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for sleeper in sleepers:
                    sleeper.cancel()
        return True

    async def _changing(self) -> bool:
        await self._changed.wait()
        return True

    async def _sleep_to(self, moment_s: float) -> bool:
        await self.clock.sleep_until(moment_s + self._zero_s)
        return True

    def start(self) -> None:
        """Push the world on in the background."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """End the background task."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self.advance()
            upcoming = self.world.next_event_s()
            waits: list[asyncio.Future[bool]] = [asyncio.ensure_future(self._changing())]
            if upcoming is not None:
                waits.append(asyncio.ensure_future(self._sleep_to(upcoming)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
