"""A drain of the storm: the console's guard has to hold, and does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from console.drain.events import GuardBreached
from console.drain.state import MoveState
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import Drain


async def test_the_guard_holds_when_moves_starve_the_volumes(tmp_path: Path) -> None:
    async with InProcessLab("storm") as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            drain = Drain(lab, LabDoor(lab), journal, tmp_path)
            await drain.open()
            runner = drain.runner()
            going = asyncio.ensure_future(runner.go())
            await run_until_done(lab, lab.clock.sleep_until(lab.clock.elapsed_s() + 180))
            going.cancel()
            await asyncio.wait([going])
            told = list(runs_of(journal).events(drain.run))
        breaches = [event for event in told if isinstance(event, GuardBreached)]
        assert any("CSV latency" in line for event in breaches for line in event.lines)
        assert not lab.cluster.world.limits.violations
        assert any(move.state is MoveState.DONE for move in runner.state.moves.values())
