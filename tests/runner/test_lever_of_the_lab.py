"""The share of the links that SMB may take, turned down and up again by the guard while the lab is drained."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from console.clock import sleep_for
from console.drain import events as ev
from console.drain.settings import SMB_FACTOR
from console.drain.state import Outcome
from console.guard import Lines
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.lab.world.faults import WorldFaults
from tests.labdoor import LabDoor
from tests.runner.drains import RULES, Drain

BEFORE = 1000


async def test_a_slow_volume_turns_it_down_and_calm_turns_it_up(tmp_path: Path) -> None:
    async with InProcessLab("broken/capped") as lab:
        world = lab.cluster.world
        world.settings[SMB_FACTOR] = BEFORE
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            rules = replace(RULES, guard=Lines(calm_s=10.0))
            run = Drain(lab, LabDoor(lab), journal, tmp_path, rules, settings=((SMB_FACTOR, 4000),))
            await run.open()
            weather = asyncio.ensure_future(_slow_for_a_while(lab))
            state = await run.finish()
            await weather
            events = list(runs_of(journal).events(run.run))
    assert state.outcome is Outcome.DRAINED
    intents = [event for event in events if isinstance(event, ev.SettingIntended)]
    assert [(event.before, event.after, event.by_guard) for event in intents[:3]] == [
        (str(BEFORE), "4000", False),
        (str(BEFORE), "2000", True),
        (str(BEFORE), "2750", True),
    ]
    changed = [event for event in events if isinstance(event, ev.SettingChanged)]
    assert len(changed) == len(intents), "each intent has its outcome"
    (change,) = state.settings_changed
    assert (change.restored, change.lowered) == (True, 1)
    assert world.settings[SMB_FACTOR] == BEFORE
    assert any("Guard turns" in line.text for line in state.log)


async def _slow_for_a_while(lab: InProcessLab) -> None:
    await sleep_for(lab.clock, 25.0)
    WorldFaults(lab.cluster).throw({"kind": "csv-latency", "seconds": 0.2})
    await sleep_for(lab.clock, 8.0)
    WorldFaults(lab.cluster).throw({"kind": "csv-latency", "seconds": 0.001})
