"""An operator's key is followed once, whenever the runner dies, and one that nobody understands is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.drain.events import RequestRefused, SlotsChanged, StopRequested
from console.drain.requests import ContinueStarts, SetSlots, StopRun
from console.drain.state import Outcome
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from tests.labdoor import LabDoor

from .drains import Drain
from .dying import dies_answering


@pytest.fixture
async def drain(tmp_path: Path) -> AsyncIterator[Drain]:
    async with InProcessLab("quiet") as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            drain = Drain(lab, LabDoor(lab), journal, tmp_path)
            await drain.open()
            yield drain


@pytest.mark.parametrize("written", [False, True])
async def test_a_key_is_followed_once_though_the_runner_dies_between_hearing_and_writing(
    drain: Drain, written: bool
) -> None:
    runs = runs_of(drain.journal)
    runs.ask(drain.run, SetSlots(1), "ann")
    runs.ask(drain.run, StopRun(), "ann")
    for _ in range(2):
        with dies_answering(drain.journal, written=written):
            await drain.finish()
    assert len(runs.asked(drain.run)) == (0 if written else 2)
    state = await drain.finish()
    assert state.outcome is Outcome.STOPPED
    events = runs.events(drain.run)
    assert [type(event) for event in events if isinstance(event, SlotsChanged | StopRequested)] == [
        SlotsChanged,
        StopRequested,
    ]
    assert runs.asked(drain.run) == ()


async def test_a_key_that_changes_nothing_waits_no_longer_either(drain: Drain) -> None:
    runs = runs_of(drain.journal)
    runs.ask(drain.run, ContinueStarts(), "ann")
    runs.ask(drain.run, StopRun(), "ann")
    await drain.finish()
    assert runs.asked(drain.run) == ()


async def test_what_this_version_can_not_read_is_refused_and_stops_nobody(drain: Drain) -> None:
    drain.journal.put_request(drain.run, '{"type": "Levitate"}', "ann")
    runs_of(drain.journal).ask(drain.run, StopRun(), "ann")
    state = await drain.finish()
    assert state.outcome is Outcome.STOPPED
    refused = [event for event in runs_of(drain.journal).events(drain.run) if isinstance(event, RequestRefused)]
    assert ["ann" in event.reason for event in refused] == [True]
