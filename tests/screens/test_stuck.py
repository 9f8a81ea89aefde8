"""What the watchdog offers for a stuck move, in its order; nobody is saved by a single key."""

from __future__ import annotations

from console.drain import requests
from console.drain.state import MoveState, Pace
from tests.screens.driving import console, pass_time, text_of
from tests.screens.fakes import FakeOperations, cluster_of, run_of


async def test_a_stuck_move_is_offered_what_can_be_done_and_forced_only_by_its_hosts_name() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (120, 40)) as opened:
        app, pilot = opened
        app._open_run(handle.run)
        await pass_time(pilot, operations, 2)
        move = next(m for m in handle.state().moves.values() if m.state is MoveState.MOVING)
        why = "no progress for 30 min at 42 %. What can be done, in order: 1. look"
        handle.force(move.vm.id, pace=Pace.STUCK, reason=why)
        app._watcher.look_at_run()
        await pilot.pause()
        await pilot.press("g", "X")
        await pilot.pause()
        text = text_of(app)
        offers = [text.index(words) for words in ("First look who owns it", "Wait", "Cancel the move", "Force it back")]
        assert offers == sorted(offers)
        await pilot.press("j", "j", "enter")
        await pilot.pause()
        assert "SAVED and restored" in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
        assert handle.requests == [], "the cursor starts on Cancel"
        await pilot.press("X", "j", "j", "enter")
        await pilot.pause()
        await pilot.press(*move.source, "enter", "enter")
        await pilot.pause()
        assert handle.requests == [requests.ForceBack(move.vm.id)]
