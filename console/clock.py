"""Time as an argument: the one place that asks the machine what time it is.

Everything that waits or stamps takes a :class:`Clock`. The system clock is real time, the scaled clock runs a
lab faster than life, the manual clock stands still until a test moves it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time, elapsed time that also counts suspension, and waiting."""

    def now(self) -> datetime:
        """The wall time, aware, UTC."""

    def elapsed_s(self) -> float:
        """Seconds since some fixed moment; never runs backwards, goes on while the machine sleeps."""

    async def sleep_until(self, elapsed_s: float) -> None:
        """Return once :meth:`elapsed_s` has reached the given value."""


def _boot_seconds() -> float:
    """Seconds that go on through suspend where the platform offers them (Linux), else the monotonic clock."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        return _boot_seconds()

    async def sleep_until(self, elapsed_s: float) -> None:
        await asyncio.sleep(max(0.0, elapsed_s - self.elapsed_s()))


class ScaledClock:
    """A world that runs ``speed`` times as fast as life.

    Two processes that are given the same ``origin`` (Unix seconds of real time) and ``epoch`` (wall time of the
    world at that moment) agree about the world's time.
    """

    def __init__(self, speed: float, *, origin: float, epoch: datetime) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, got {speed}")
        self.speed = speed
        self.origin = origin
        self.epoch = epoch

    def now(self) -> datetime:
        return self.epoch + timedelta(seconds=self.elapsed_s())

    def elapsed_s(self) -> float:
        return (time.time() - self.origin) * self.speed

    async def sleep_until(self, elapsed_s: float) -> None:
        await asyncio.sleep(max(0.0, (elapsed_s - self.elapsed_s()) / self.speed))


class ManualClock:
    """Time that stands still until :meth:`advance` moves it; sleepers wake in order of their moments."""

    def __init__(self, epoch: datetime = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)) -> None:
        self._epoch = epoch
        self._elapsed_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._epoch + timedelta(seconds=self._elapsed_s)

    def elapsed_s(self) -> float:
        return self._elapsed_s

    async def sleep_until(self, elapsed_s: float) -> None:
        if elapsed_s <= self._elapsed_s:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (elapsed_s, next(self._order), future))
        await future

    def next_wake_s(self) -> float | None:
        """The earliest moment that anybody waits for, or None when nobody does."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Move time forward and wake everyone whose moment has come."""
        if seconds < 0:
            raise ValueError(f"time can not run backwards ({seconds} s)")
        self._elapsed_s += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed_s:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)


async def sleep_for(clock: Clock, seconds: float) -> None:
    """Wait for ``seconds`` of the clock's time."""
    await clock.sleep_until(clock.elapsed_s() + seconds)
