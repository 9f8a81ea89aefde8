"""A key that comes twice before its first stroke was answered closes one screen, not two."""

from __future__ import annotations

from textual import events
from textual.command import CommandList

from screens.help import HelpScreen
from screens.leaving import Palette
from tests.screens.driving import console
from tests.screens.fakes import FakeOperations, cluster_of, run_of


def twice(app: object, key: str) -> None:
    for _ in range(2):
        app.post_message(events.Key(key, None))  # type: ignore[attr-defined]


async def test_enter_twice_on_a_question_answers_it_once() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    handle = run_of(operations)
    async with console(operations, run=handle.run) as (app, pilot):
        await pilot.press("ctrl+q")
        await pilot.pause()
        depth = len(app.screen_stack)
        twice(app, "enter")
        await pilot.pause()
        assert app.is_running
        assert len(app.screen_stack) == depth - 1


async def test_enter_twice_in_the_palette_runs_one_command() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    async with console(operations) as (app, pilot):
        await pilot.press("ctrl+p")
        await pilot.press(*"theme", "down")
        twice(app, "enter")
        twice(app, "enter")
        await pilot.pause()
        assert app.is_running
        assert not any(isinstance(screen, Palette) for screen in app.screen_stack)


async def test_a_screen_that_is_left_before_its_panes_are_there_ends_nothing() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    async with console(operations) as (app, pilot):
        with app.batch_update():
            for key in ("d", "escape", "d", "escape", "d", "f2") * 4:
                app.post_message(events.Key(key, key if len(key) == 1 else None))
            await pilot.pause(0)
        await pilot.pause()
        assert app.is_running


async def test_a_page_down_in_a_palette_that_has_no_room_yet_ends_nothing() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    async with console(operations) as (app, pilot):
        with app.batch_update():
            for key in ("ctrl+p", "down", "pagedown", "pageup"):
                app.post_message(events.Key(key, None))
                await pilot.pause()
        assert app.is_running


async def test_a_palette_that_another_screen_came_over_is_left_when_it_is_on_top_again() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    async with console(operations) as (app, pilot):
        await pilot.press("ctrl+p")
        palette = app.screen
        assert isinstance(palette, Palette)
        app.push_screen(HelpScreen(app.services, "board"))
        await pilot.pause()
        palette.dismiss()
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen), "what is on top stays"
        await pilot.press("escape", "escape")
        assert palette not in app.screen_stack


async def test_a_palette_whose_list_is_gone_searches_nothing() -> None:
    operations = FakeOperations(cluster_of(4, 4))
    async with console(operations) as (app, pilot):
        await pilot.press("ctrl+p")
        await app.screen.query_one(CommandList).remove()
        await pilot.press("t")
        await pilot.pause()
        assert app.is_running
