"""Moments of rolling runs, for pictures and snapshots."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from console.drain import roll_events as re
from console.model.identity import HostName
from console.rolling.defaults import RollDefaults
from console.rolling.wishes import RollWishes
from screens.roll_start import RollStartScreen
from tests.screens.driving import Console, until
from tests.screens.fakes import FakeOperations, run_of
from tests.screens.rolled import roll_plan_of

Roll = Callable[[FakeOperations], None]


def _opened_roll(operations: FakeOperations, wishes: RollWishes) -> list[HostName]:
    rolls = operations.rolling
    rolls.open(roll_plan_of(operations.cluster), wishes)
    assert rolls.state is not None
    return list(rolls.state.nodes)


def under_way(operations: FakeOperations) -> None:
    nodes = _opened_roll(operations, RollWishes(hook=("/usr/local/bin/patch-node",)))
    rolls, at = operations.rolling, operations.clock.now()
    for node in nodes[:3]:
        at = rolls.drained(node, at, 11.0, hook=0)
    operations.clock.advance((at - operations.clock.now()).total_seconds())
    run = run_of(operations, nodes[3])
    rolls.happen(
        re.HealthSeen(at, True), re.WaveBegan(at, 3), re.NodeDrainIntended(at, nodes[3], run.run)
    )  # fmt: skip
    operations.clock.advance(60)
    rolls.drains[run.run] = run.state()


def late(operations: FakeOperations) -> None:
    """The window ends before the roll can."""
    under_way(operations)
    rolls = operations.rolling
    assert rolls.state is not None
    ends_at = operations.clock.now() + timedelta(minutes=40)
    rolls.state = replace(rolls.state, window_ends_at=ends_at, window_at_risk=True)


def waits(operations: FakeOperations) -> None:
    nodes = _opened_roll(operations, RollWishes(approve=True))
    at = operations.rolling.drained(nodes[0], operations.clock.now(), 9.0)
    operations.clock.advance((at - operations.clock.now()).total_seconds() + 30)


def failed_hook(operations: FakeOperations) -> None:
    nodes = _opened_roll(operations, RollWishes(hook=("/usr/local/bin/patch-node",)))
    at = operations.rolling.drained(nodes[0], operations.clock.now(), 9.0, hook=0)
    at = operations.rolling.drained(nodes[1], at, 12.0, hook=3)
    operations.clock.advance((at - operations.clock.now()).total_seconds() + 30)


def rolling(roll: Roll, *keys: str) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        roll(operations)
        await opened[1].press("m", *keys)
        await opened[1].pause()

    return drive


async def rolling_plan(operations: FakeOperations, opened: Console) -> None:
    app, pilot = opened
    await pilot.press("m")
    await until(pilot, lambda: getattr(app.screen, "plan", None) is not None)
    await pilot.pause()


def roll_start(*keys: str) -> Callable[[FakeOperations, Console], Awaitable[None]]:
    async def drive(operations: FakeOperations, opened: Console) -> None:
        app, pilot = opened
        operations.rolling.defaults = RollDefaults(hook="/usr/bin/env patch-node --reboot", service_s=600.0)
        await pilot.press("m", "A")
        await until(pilot, lambda: isinstance(app.screen, RollStartScreen) and app.screen.needs is not None)
        await pilot.press(*keys)
        screen = next(s for s in app.screen_stack if isinstance(s, RollStartScreen))
        await until(pilot, lambda: not screen.planning)
        await pilot.pause()

    return drive


AGREE_ALL = ("2", "space")
