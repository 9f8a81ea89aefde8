"""The rolling run on screen: what it tells, what may be pressed when, and that only a typed name begins anything."""

from __future__ import annotations

from console.drain import roll_events as re
from console.drain.roll_requests import ApproveWave, LeaveNode, StopRolling, TryNodeAgain
from console.rolling.wishes import RollWishes
from screens.choice import ChoiceScreen
from screens.rolling import RollingScreen
from screens.typed import TypedScreen
from tests.screens.driving import console, text_of, until
from tests.screens.fakes import FakeOperations
from tests.screens.rolled import roll_plan_of


def opened(operations: FakeOperations, **wishes: object) -> list[str]:
    operations.rolling.open(roll_plan_of(operations.cluster), RollWishes(**wishes))  # type: ignore[arg-type]
    assert operations.rolling.state is not None
    return list(operations.rolling.state.nodes)


async def test_the_next_wave_begins_only_after_its_node_was_typed() -> None:
    operations = FakeOperations()
    nodes = opened(operations, approve=True)
    operations.rolling.drained(nodes[0], operations.clock.now(), 5.0)  # type: ignore[arg-type]
    async with console(operations) as (app, pilot):
        await pilot.press("m")
        assert "Wave 2 waits for approval." in text_of(app)
        await pilot.press("A")
        assert isinstance(app.screen, TypedScreen)
        await pilot.press("enter")
        assert operations.changes == []
        await pilot.press("A", *nodes[1], "enter")
        await until(pilot, lambda: bool(operations.changes))
        assert operations.changes == [ApproveWave(1)]


async def test_a_failed_node_is_tried_again_or_left_and_tells_why() -> None:
    operations = FakeOperations()
    nodes = opened(operations, hook=("patch",))
    operations.rolling.drained(nodes[0], operations.clock.now(), 5.0, hook=3)  # type: ignore[arg-type]
    async with console(operations, (80, 24)) as (app, pilot):
        await pilot.press("m")
        assert "the hook ended with status 3" in text_of(app)
        await pilot.press("L")
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("escape")
        assert operations.changes == []
        await pilot.press("T")
        assert operations.changes == [TryNodeAgain(nodes[0])]  # type: ignore[arg-type]
        operations.rolling.happen(re.NodeFailed(operations.clock.now(), nodes[0], "again"))  # type: ignore[arg-type]
        await pilot.press("f5", "L", "down", "enter")
        await until(pilot, lambda: len(operations.changes) == 2)
        assert operations.changes[1] == LeaveNode(nodes[0])  # type: ignore[arg-type]


async def test_a_stop_is_asked_about_and_what_waits_for_health_says_so() -> None:
    operations = FakeOperations()
    opened(operations)
    operations.rolling.happen(re.HealthSeen(operations.clock.now(), False, "Repair of the storage is on"))
    async with console(operations) as (app, pilot):
        await pilot.press("m")
        assert "Repair of the storage is on" in text_of(app)
        await pilot.press("S", "down", "enter")
        await until(pilot, lambda: bool(operations.changes))
        assert operations.changes == [StopRolling()]


async def test_without_a_roll_its_plan_is_shown() -> None:
    operations = FakeOperations()
    async with console(operations) as (app, pilot):
        await pilot.press("m")
        screen = app.screen
        assert isinstance(screen, RollingScreen)
        await until(pilot, lambda: screen.plan is not None)
        assert "would make" in text_of(app)


async def test_a_console_that_only_looks_can_ask_for_nothing() -> None:
    operations = FakeOperations(read_only=True)
    nodes = opened(operations, approve=True)
    operations.rolling.drained(nodes[0], operations.clock.now(), 5.0)  # type: ignore[arg-type]
    async with console(operations) as (app, pilot):
        await pilot.press("m", "A", "S", "T", "L")
        assert isinstance(app.screen, RollingScreen)
        assert operations.changes == []


async def test_a_console_that_opens_says_that_a_roll_is_open() -> None:
    operations = FakeOperations()
    nodes = opened(operations, approve=True)
    operations.rolling.drained(nodes[0], operations.clock.now(), 5.0)  # type: ignore[arg-type]
    async with console(operations) as (app, _):
        said = [notice.message for notice in app._notifications]
        assert said == ["A rolling run is open: wave 2 waits for approval. m shows it."]
