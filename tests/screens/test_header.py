"""The first line of every screen: what goes on, what stands still, when it ends."""

from __future__ import annotations

from console.drain.state import MoveState
from tests.screens.driving import console, pass_time, text_of
from tests.screens.fakes import FakeOperations, run_of


async def test_what_stands_still_is_told_on_every_screen() -> None:
    operations = FakeOperations()
    handle = run_of(operations)
    async with console(operations, (80, 24), window_ends_at=operations.window_ends_at) as (app, pilot):
        app._open_run(handle.run)
        await pass_time(pilot, operations, 2)
        assert "need a look" not in text_of(app)
        first, second = list(handle.state().moves)[-2:]
        handle.force(first, state=MoveState.FAILED, reason="why")
        handle.force(second, state=MoveState.BLOCKED, reason="why")
        await pilot.press("v")
        await pass_time(pilot, operations, 2)
        app.screen.look_again()  # type: ignore[attr-defined]
        top = text_of(app).splitlines()[0]
        assert "2 need a look · finish 02:" in top
        assert "PRODUCTION-01" in top
