"""Opens the console on the fake and drives it by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from console.app import DrainboardApp
from console.clock import ManualClock
from tests.screens.fakes import FakeOperations

PLAIN_TERMINAL = {"TZ": "UTC", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
"""The environment in which every picture is the same."""

Console = tuple[DrainboardApp, Pilot[int]]


@asynccontextmanager
async def console(
    operations: FakeOperations, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[Console]:
    """A console that has read its cluster; confirmations answer at once unless ``settle_s`` is given."""
    app = DrainboardApp(operations, **{"settle_s": 0.0, "least_wait_s": 0.0, "pace": ManualClock(), **options})
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.store.findings is not None or operations.read_error is not None)
        yield app, pilot


async def until(pilot: Pilot[int], condition: Callable[[], bool], turns: int = 200) -> None:
    """Let the loop turn until the condition holds."""
    for _ in range(turns):
        if condition():
            return
        await pilot.pause(0.005)
    assert condition(), "it never came true"


async def pass_time(pilot: Pilot[int], operations: FakeOperations, seconds: int) -> None:
    """Move the clock second by second."""
    for _ in range(seconds):
        operations.clock.advance(1)
        await pilot.pause()


def text_of(app: DrainboardApp) -> str:
    """Everything that is on the screen, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips(app.size)
    assert len(lines) == height or width
    return "\n".join(strip.text for strip in lines)
