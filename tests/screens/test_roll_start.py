"""The beginning of a rolling run on screen: what is chosen, agreed to and typed reaches the journal as it was."""

from __future__ import annotations

import sys

from textual.widgets import Input

from console.rolling.defaults import RollDefaults
from screens.entry import EntryScreen
from screens.roll_start import RollStartScreen
from screens.rolling import RollingScreen
from screens.typed import TypedScreen
from tests.screens.driving import Console, console, text_of, until
from tests.screens.fakes import FakeOperations


async def started(opened: Console, *keys: str) -> RollStartScreen:
    """The screen, once it knows what has to be agreed to."""
    app, pilot = opened
    await pilot.press("m", *keys, "A")
    await until(pilot, lambda: isinstance(app.screen, RollStartScreen) and app.screen.needs is not None)
    screen = app.screen
    assert isinstance(screen, RollStartScreen)
    return screen


async def ready(opened: Console, screen: RollStartScreen) -> None:
    await until(opened[1], lambda: not screen.planning)


async def entered(opened: Console, text: str) -> None:
    """Open the option under the cursor and type another text."""
    app, pilot = opened
    await pilot.press("enter")
    assert isinstance(app.screen, EntryScreen)
    app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await pilot.pause()


async def test_nothing_begins_before_every_vm_was_agreed_to_and_the_name_was_typed() -> None:
    operations = FakeOperations()
    async with console(operations) as opened:
        app, pilot = opened
        screen = await started(opened)
        assert screen.needs
        await pilot.press("A")
        assert app.screen is screen, "consents are missing"
        await pilot.press("2", "space")
        await ready(opened, screen)
        await pilot.press("A")
        assert isinstance(app.screen, TypedScreen)
        await pilot.press("enter")
        assert operations.changes == []
        assert screen.plan is not None
        await pilot.press("A", *screen.plan.waves[0].nodes[0], "enter")
        await until(pilot, lambda: bool(operations.changes))
        assert operations.changes == [("start_roll", "")]
        assert isinstance(app.screen, RollingScreen)


async def test_what_was_chosen_is_what_the_journal_gets() -> None:
    operations = FakeOperations()
    async with console(operations) as opened:
        app, pilot = opened
        screen = await started(opened)
        await entered(opened, f"{sys.executable} -c pass")
        await pilot.press("j")
        await entered(opened, "12,5")
        await pilot.press("j", "j", "enter", "j", "enter")  # failback, and no approvals
        await pilot.press("j", "j")
        await entered(opened, "3")
        await pilot.press("j")
        await entered(opened, "maximumparallelmigrations=4 AutoBalancerMode=0")
        await pilot.press("2", "space")
        await ready(opened, screen)
        assert "AutoBalancerMode=0" in text_of(app)
        await pilot.press("A")
        assert screen.plan is not None
        await pilot.press(*screen.plan.waves[0].nodes[0], "enter")
        await until(pilot, lambda: bool(operations.changes))
    wishes, state = operations.rolling.wishes, operations.rolling.state
    assert wishes is not None
    assert state is not None
    assert (wishes.hook, wishes.hook_timeout_s) == ((sys.executable, "-c", "pass"), 750.0)
    assert (state.failback, state.approve, state.slots) == (True, False, 3)
    assert wishes.consents.settings == (("MaximumParallelMigrations", 4), ("AutoBalancerMode", 0))
    assert {str(need.vm.id) for need in screen.needs or ()} == wishes.consents.interrupt | wishes.consents.leave_behind
    assert {consent.kind for consent in state.consents} == {"interrupt", "leave-behind", "setting"}


async def test_the_configuration_is_what_it_begins_with_and_a_bad_hook_is_told_before_anything() -> None:
    operations = FakeOperations()
    operations.rolling.defaults = RollDefaults(
        hook="no-such-program --x", hook_timeout_s=600.0, failback=True, approve=False
    )
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        screen = await started(opened)
        text = text_of(app)
        assert "no-such-program --x" in text
        assert "10 min" in text
        assert "failback" in text
        assert "begins by itself" in text
        await pilot.press("2", "space")
        await ready(opened, screen)
        await pilot.press("A")
        assert app.screen is screen
        assert "no program" in screen.refusal_of_start


async def test_what_can_not_be_is_said_where_it_was_typed() -> None:
    operations = FakeOperations()
    async with console(operations) as opened:
        app, pilot = opened
        screen = await started(opened)
        for downs, wrong, words in (
            (0, "no-such-program", "there is no program"),
            (1, "soon", "no number of minutes"),
            (4, "99", "from 1 to"),
            (2, "AutoBalancerMode=off", "whole number"),
        ):
            await pilot.press(*["j"] * downs)
            await entered(opened, wrong)
            assert words in text_of(app)
            await pilot.press("escape")
        assert screen.choices.wave == 1


async def test_marked_nodes_are_the_ones_that_are_rolled_over() -> None:
    operations = FakeOperations()
    async with console(operations) as opened:
        app, pilot = opened
        await pilot.press("m")
        rolling = app.screen
        assert isinstance(rolling, RollingScreen)
        await until(pilot, lambda: rolling.plan is not None)
        second = rolling.nodes.rows[1].node.name
        screen = await started(opened, "j", "space")
        assert screen.plan is not None
        assert screen.plan.order == ((second,),)
