"""The clocks: manual time wakes sleepers in order, scaled time agrees between two that share an origin."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from console.clock import ManualClock, ScaledClock, sleep_for


async def test_manual_clock_wakes_sleepers_in_the_order_of_their_moments() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await sleep_for(clock, seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleeper("late", 10)), asyncio.create_task(sleeper("early", 5))]
    await asyncio.sleep(0)
    assert clock.next_wake_s() == 5
    clock.advance(7)
    await asyncio.sleep(0)
    assert woken == ["early"]
    clock.advance(3)
    await asyncio.gather(*tasks)
    assert woken == ["early", "late"]


def test_manual_clock_refuses_to_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-1)


def test_two_scaled_clocks_with_one_origin_agree() -> None:
    origin, epoch = time.time(), datetime(2026, 1, 1, tzinfo=UTC)
    first, second = (ScaledClock(60, origin=origin, epoch=epoch) for _ in range(2))
    assert abs(first.elapsed_s() - second.elapsed_s()) < 60
