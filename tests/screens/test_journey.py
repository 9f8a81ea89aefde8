"""The way through the night: board, plan, typed confirmation, run, drained."""

from __future__ import annotations

from textual.pilot import Pilot

from console.app import DrainboardApp
from console.drain import requests
from console.drain.requests import OperatorRequest
from console.drain.state import MoveState, Outcome
from console.model.identity import VmId
from screens.board import BoardScreen
from screens.confirm import ConfirmScreen
from screens.drained import DrainedScreen
from screens.plan import PlanScreen
from screens.run import RunScreen
from tests.screens.driving import console, pass_time, text_of, until
from tests.screens.fakes import FakeOperations, cluster_of


async def test_a_node_is_planned_confirmed_by_name_run_and_shown_as_drained() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    async with console(operations) as (app, pilot):
        assert isinstance(app.screen, BoardScreen)
        await pilot.press("d")
        plan_screen = app.screen
        assert isinstance(plan_screen, PlanScreen)
        await until(pilot, lambda: plan_screen.plan is not None)
        assert operations.changes == []
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is plan_screen)
        assert operations.changes == []

        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*"hv01", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert operations.changes == [("start_drain", "HV01")]
        assert "LIVE" in text_of(app)

        for _ in range(400):
            if isinstance(app.screen, DrainedScreen):
                break
            await pass_time(pilot, operations, 1)
        assert isinstance(app.screen, DrainedScreen)
        assert "empty: verified" in text_of(app)
    assert app.return_value is None


async def test_the_run_s_keys_ask_for_what_they_say() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    async with console(operations) as (app, pilot):
        await _start(operations, app, pilot)
        await pass_time(pilot, operations, 3)
        await pilot.press("P", "P", "plus", "minus")
        handle = next(iter(operations.handles.values()))
        assert handle.requests == [
            requests.PauseStarts(),
            requests.ContinueStarts(),
            requests.SetSlots(3),
            requests.SetSlots(2),
        ]
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await pilot.press("G", "H")
        held = VmId(screen.moves.cursor_key)
        assert handle.requests[-1] == requests.HoldMove(held)
        assert handle.state().moves[held].state is MoveState.HELD
        await pilot.press("S", "j", "enter")
        await pilot.pause()
        last: OperatorRequest = handle.requests[-1]
        assert last == requests.StopRun()


async def test_leaving_a_run_asks_and_detaching_ends_with_its_code() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    async with console(operations) as (app, pilot):
        await _start(operations, app, pilot)
        await pass_time(pilot, operations, 2)
        await pilot.press("ctrl+q", "enter")
        await pilot.pause()
        assert app.is_running
        await pilot.press("ctrl+q", "G", "enter")
        await pilot.pause()
    handle = next(iter(operations.handles.values()))
    assert handle.requests == [requests.DetachRun()]
    assert handle.state().outcome is Outcome.DETACHED
    assert app.return_value == 5


async def _start(operations: FakeOperations, app: DrainboardApp, pilot: Pilot[int]) -> None:
    await pilot.press("d")
    screen = app.screen
    assert isinstance(screen, PlanScreen)
    await until(pilot, lambda: screen.plan is not None)
    await pilot.press("D", *"HV01", "enter")
    await until(pilot, lambda: isinstance(app.screen, RunScreen))
