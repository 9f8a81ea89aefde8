"""The history goes on past damaged runs and says of each what is wrong."""

from __future__ import annotations

from console.drain.events import RunOpened
from console.drain.state import Outcome
from console.journal.ledger import Damaged
from console.model.identity import HostName, RunId
from console.planner.values import Engine
from screens.history import HistoryScreen
from screens.replay import ReplayScreen
from tests.screens.driving import console, text_of, until
from tests.screens.fakes import FakeOperations, cluster_of, run_of

WHY = "The journal /var/j.sqlite is damaged or not a journal (event 4 of run cut is missing)."


def _half_readable() -> FakeOperations:
    operations = FakeOperations(cluster_of(4, 6))
    run_of(operations).end(Outcome.DRAINED, verified_empty=True)
    opening = RunOpened(
        operations.clock.now(), RunId("cut"), "c", HostName("HV02"), Engine.PLANNED, (), 2, 2, operator="ann"
    )
    operations.damaged = (
        Damaged("run", RunId("cut"), WHY, "Move it away.", opening, closed=False),
        Damaged("run", RunId("lost"), WHY, "Move it away.", None, closed=True),
    )
    return operations


async def test_damaged_runs_are_rows_among_the_others_and_tell_what_is_wrong() -> None:
    operations = _half_readable()
    async with console(operations, (120, 40)) as (app, pilot):
        await pilot.press("a")
        await until(pilot, lambda: bool(getattr(app.screen, "runs", None) and app.screen.runs.rows))  # type: ignore[attr-defined]
        screen = app.screen
        assert isinstance(screen, HistoryScreen)
        assert [row.outcome for row in screen.runs.rows] == ["drained", "damaged", "damaged"]
        assert [row.node for row in screen.runs.rows] == ["HV01", "HV02", ""]
        assert "3 runs, 1 drained, 2 damaged" in text_of(app)
        assert "event 4" not in text_of(app)

        await pilot.press("down")
        text = text_of(app)
        assert "Run cut can not be told. It may still be open." in text
        assert "event 4 of run cut is missing" in " ".join(text.split())
        await pilot.press("e")
        await pilot.press("p")
        await pilot.pause()
        assert app.screen is screen, "there is nothing to play or to export"
        await pilot.press("enter")
        await pilot.pause()
        assert any("event 4 of run cut" in problem.text for problem in app.store.problems)

        await pilot.press("up", "enter")
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen))
