"""Journals with a run that went through everything, and with hostile names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.drain import events as ev
from console.drain.state import Consent
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.model.identity import RunId

from ..drain.campaign import Campaign
from ..drain.drawn import draw_drain
from ..drain.making import make_world, opened_for
from ..drain.moments import EPOCH, moment

HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> [x](http://evil) \x1b[31m\u202e|"


def eventful_run() -> list[ev.Event]:
    """Settings, consents, a breach of the guard, a failure, a VM with a hostile name."""
    world = make_world(11, 8, 4)
    world.faults.move_fails = 0.3
    world.faults.busy_csv = ((10.0, 30.0),)
    consents = (
        Consent("setting", "MaximumParallelMigrations=4", "ann", EPOCH),
        Consent("interrupt", "all", "bob", EPOCH),
    )
    first = opened_for(world, consents=consents, run="20260101-0200-HV01")
    moves = list(first.moves)
    moves[0] = replace(moves[0], vm=replace(moves[0].vm, name=HOSTILE))
    campaign = Campaign(world, [replace(first, moves=tuple(moves))], draw_drain(1).campaign.rules)
    campaign.run()
    assert not campaign.problems
    return campaign.journal


@pytest.fixture(scope="session")
def events() -> list[ev.Event]:
    return eventful_run()


@pytest.fixture
def journal(tmp_path: Path, events: list[ev.Event]) -> Path:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path) as opened:
        runs_of(opened).append(RunId("20260101-0200-HV01"), events)
        other = replace(events[0], run=RunId("20260102-0200-HV02"), cluster="east", at=moment(86_400))  # type: ignore[call-arg]
        runs_of(opened).append(RunId("20260102-0200-HV02"), [other])
    return path
