"""Read-only is the absence of the hand: no key, whatever is pressed, reaches anything that changes."""

from __future__ import annotations

import random

from textual import events

from console.actions import ACTIONS, Effect
from screens.board import BoardScreen
from screens.help import help_lines
from tests.screens.driving import console, pass_time, text_of
from tests.screens.fakes import FakeOperations, cluster_of, run_of

PRESSES = 2000
BATCH = 20
_OTHERS = ("tab", "shift+tab", "left", "right", "up", "down", "9", "0", "x", "y", "q", "ctrl+w", "delete")


async def test_two_thousand_random_keys_change_nothing() -> None:
    """All keys of the registry, those that quit aside, and some that nobody bound; a run is on."""
    choice = random.Random(20260101)
    operations = FakeOperations(cluster_of(4, 4), read_only=True)
    handle = run_of(operations)
    keys = [key for action in ACTIONS if action.id != "app.quit" for key in action.keys] + list(_OTHERS)
    changing = [key for action in ACTIONS if action.effect is not Effect.NONE for key in action.keys]
    async with console(operations, (80, 24), run=handle.run) as (app, pilot):
        app.exit = lambda *answer, **more: None  # type: ignore[method-assign]  # the palette knows the way out, too
        for _ in range(PRESSES // BATCH):
            for key in (*choice.choices(keys, k=BATCH - 4), *choice.choices(changing, k=4)):
                app.post_message(events.Key(key, key if len(key) == 1 else None))
            operations.clock.advance(1)
            await pilot.pause()
        assert app.is_running
        assert app.services.hand is None
        assert app.services.mode == "read-only"
    assert operations.changes == []
    assert handle.requests == []


async def test_a_read_only_console_says_so_and_offers_nothing_that_changes() -> None:
    operations = FakeOperations(cluster_of(4, 4), read_only=True)
    handle = run_of(operations)
    async with console(operations, (120, 40), run=handle.run) as (app, pilot):
        await pass_time(pilot, operations, 2)
        text = text_of(app)
        assert "READ-ONLY" in text
        assert "stop" not in text.splitlines()[-1]
        help_text = "\n".join(part for line in help_lines("run", app.services, 120) for part, _ in line)
        assert "run.pause" not in help_text
        assert "This console is read-only" in help_text
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert app.return_value == 0


async def test_the_same_keys_ask_where_the_hand_is_there() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    handle = run_of(operations)
    async with console(operations, (80, 24), run=handle.run) as (app, pilot):
        await pilot.press("P")
        assert len(handle.requests) == 1
        await pilot.press("f2")
        await pilot.pause()
        assert isinstance(app.screen, BoardScreen)
        assert "LIVE" in text_of(app)
