"""A run told again is at each moment what it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.drain import events as ev
from console.drain.fold import fold
from console.drain.tape import Tape
from tests.drain.campaign import Campaign
from tests.drain.drawn import draw_drain
from tests.drain.making import make_world, opened_for
from tests.drain.moments import EPOCH


def _run() -> list[ev.Event]:
    world = make_world(7, 6, 4)
    campaign = Campaign(world, [opened_for(world, run="run-7")], draw_drain(1).campaign.rules)
    campaign.run()
    return campaign.journal


def test_each_moment_is_the_fold_of_what_had_happened_forwards_and_backwards() -> None:
    events = _run()
    tape = Tape(events)
    assert tape.at(tape.ended_at) == fold(events)
    for share in (0.9, 0.2, 0.5, 0.0):
        moment = tape.began_at + timedelta(seconds=share * tape.length_s)
        assert tape.at(moment) == fold([event for event in events if event.at <= moment])
    assert tape.at(tape.began_at - timedelta(hours=1)) == fold(events[:1])


def test_a_clock_that_was_set_back_hides_nothing() -> None:
    first, *rest = _run()
    events = [first, ev.NodeClaimed(first.at + timedelta(hours=1)), *rest[1:]]
    tape = Tape(events)
    assert tape.at(tape.ended_at) == fold(events)


def test_what_does_not_open_a_run_is_no_tape() -> None:
    for events in ([], [ev.NodeClaimed(EPOCH)]):
        with pytest.raises(ValueError, match="does not open"):
            Tape(events)
