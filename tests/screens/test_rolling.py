"""The rolling run on screen: what it tells, what may be pressed when, and that only a typed name begins anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console.app import DrainboardApp
from console.drain import roll_events as re
from console.drain.roll_requests import ApproveWave, LeaveNode, StopRolling, TryNodeAgain
from console.drain.state import Outcome
from console.model.identity import RunId
from console.rolling.wishes import RollWishes
from screens.choice import ChoiceScreen
from screens.rolling import RollingScreen
from screens.typed import TypedScreen
from tests.screens.driving import console, text_of, until
from tests.screens.fakes import FakeOperations, run_of
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


def badge_of(app: DrainboardApp) -> str:
    return text_of(app).split("PRODUCTION-01")[0].strip()


async def test_the_badge_says_what_the_roll_does_on_every_screen() -> None:
    operations = FakeOperations()
    nodes = opened(operations, approve=True)
    at = operations.clock.now()
    rolling = operations.rolling
    rolling.happen(re.HealthSeen(at, True), re.WaveBegan(at, 0), re.NodeDrainIntended(at, nodes[0], RunId("r")))  # type: ignore[arg-type]
    async with console(operations, (80, 24)) as (app, pilot):
        await until(pilot, lambda: app.store.roll is not None)
        await pilot.press("v")
        assert badge_of(app) == f"ROLLING {nodes[0]} 0/{len(nodes)}"
        rolling.happen(re.NodeDrainEnded(at, nodes[0], Outcome.DRAINED, 3), re.NodeResumed(at, nodes[0]))  # type: ignore[arg-type]
        await pilot.press("m")
        assert badge_of(app) == f"ROLL WAITS 1/{len(nodes)}"
        rolling.happen(re.RollStopRequested(at, "ann"), re.RollClosed(at, 1, len(nodes) - 1, True))
        await pilot.press("f5", "f2")
        assert badge_of(app) == "PLAN"


async def test_a_console_that_only_looks_keeps_its_badge_and_tells_the_roll() -> None:
    operations = FakeOperations(read_only=True)
    nodes = opened(operations, approve=True)
    operations.rolling.drained(nodes[0], operations.clock.now(), 5.0)  # type: ignore[arg-type]
    async with console(operations) as (app, pilot):
        await until(pilot, lambda: app.store.roll is not None)
        app.screen.look_again()  # type: ignore[attr-defined]
        assert badge_of(app) == f"READ-ONLY  ROLL WAITS 1/{len(nodes)}"


async def test_what_can_not_be_in_time_is_said_and_after_the_window_nothing_is_approved() -> None:
    operations = FakeOperations()
    nodes = opened(operations, approve=True)
    rolling = operations.rolling
    assert rolling.state is not None
    ends_at = operations.clock.now() + timedelta(minutes=6)
    rolling.state = replace(rolling.state, window_ends_at=ends_at)
    rolling.drained(nodes[0], operations.clock.now(), 5.0)  # type: ignore[arg-type]
    async with console(operations, (80, 24)) as (app, pilot):
        await pilot.press("m")
        assert "OVERRUNS the window by" in text_of(app)
        operations.clock.advance(600)
        await pilot.press("f5", "A")
        assert isinstance(app.screen, RollingScreen), "it is not even asked"
        assert "S stops the roll; a later one goes on." in text_of(app)


async def test_a_node_that_is_out_says_what_moves_and_when_it_will_be_empty() -> None:
    operations = FakeOperations()
    nodes = opened(operations)
    run = run_of(operations, nodes[0])
    at = operations.clock.now()
    rolling = operations.rolling
    rolling.happen(re.HealthSeen(at, True), re.WaveBegan(at, 0), re.NodeDrainIntended(at, nodes[0], run.run))  # type: ignore[arg-type]
    operations.clock.advance(20)
    rolling.drains[run.run] = run.state()
    async with console(operations, (80, 24)) as (app, pilot):
        await pilot.press("m")
        assert f"{nodes[0]} draining: 2 moving, " in text_of(app)
        assert "empty about 02:" in text_of(app)


async def test_while_a_roll_takes_nodes_out_and_back_nobody_begins_a_run_by_hand() -> None:
    operations = FakeOperations()
    nodes = opened(operations)
    at = operations.clock.now()
    operations.rolling.happen(
        re.HealthSeen(at, True), re.WaveBegan(at, 0), re.NodeDrainIntended(at, nodes[0], RunId("r"))
    )  # type: ignore[arg-type]
    async with console(operations) as (app, pilot):
        await until(pilot, lambda: app.store.roll is not None)
        await pilot.press("d")
        await until(pilot, lambda: getattr(app.screen, "plan", None) is not None)
        await pilot.press("D")
        said = [notice.message for notice in app._notifications]
        assert any("takes nodes out and back itself" in message for message in said)
        assert operations.changes == []
