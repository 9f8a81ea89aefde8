"""Additive increase, multiplicative decrease; a breach holds new starts at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import move_events as mv
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.rules import Rules
from console.guard import FREE_MEMORY, Lines, crossed

from .desk import Desk, desk
from .moments import moment

RULES = Rules(guard=Lines(calm_s=20.0, raise_after_s=60.0))
CALM = {"csv latency s": 0.004}
OVER = {"csv latency s": 0.2}


def guarded(slots: int = 4) -> Desk:
    return desk(12, RULES, slots=slots).claim()


def test_a_breach_holds_starts_at_once_and_halves() -> None:
    table = guarded().start(0)
    table.send(sg.GuardMeasured, OVER)
    assert table.state.guard is not None
    assert table.state.guard.holding
    assert table.state.guard_slots == 2
    assert "CSV latency 200 ms is over 50 ms" in table.told(ev.GuardBreached)[0].lines[0]
    assert not table.check(1).asked(cmd.StartMove), "its check was on the way when the line was crossed"
    assert not table.asked(cmd.CheckMove)
    assert not table.asked(cmd.CancelMove)


def test_calm_lets_starts_go_on_and_later_raises_one_by_one() -> None:
    table = guarded()
    table.send(sg.GuardMeasured, OVER, at_s=10.0)
    table.send(sg.GuardMeasured, CALM, at_s=29.0)
    assert table.state.guard is not None
    assert table.state.guard.holding
    table.send(sg.GuardMeasured, CALM, at_s=31.0)
    assert not table.state.guard.holding
    assert table.told(ev.GuardCalmed)
    assert len(table.asked(cmd.CheckMove)) == 2
    table.send(sg.GuardMeasured, CALM, at_s=92.0)
    assert table.state.guard_slots == 3
    table.send(sg.GuardMeasured, CALM, at_s=120.0)
    assert table.state.guard_slots == 3
    table.send(sg.GuardMeasured, CALM, at_s=153.0)
    assert table.state.guard_slots == 4
    table.send(sg.GuardMeasured, CALM, at_s=400.0)
    assert table.state.guard_slots == 4, "the operator's ceiling"


def test_a_breach_that_goes_on_restarts_the_wait_and_does_not_halve_again() -> None:
    table = guarded()
    for second in (10.0, 20.0, 30.0):
        table.send(sg.GuardMeasured, OVER, at_s=second)
    assert table.state.guard_slots == 2
    table.send(sg.GuardMeasured, CALM, at_s=45.0)
    assert table.state.guard is not None
    assert table.state.guard.holding
    table.send(sg.GuardMeasured, CALM, at_s=51.0)
    table.send(sg.GuardMeasured, OVER, at_s=60.0)
    assert table.state.guard_slots == 1
    table.send(sg.GuardMeasured, CALM, at_s=81.0)
    table.send(sg.GuardMeasured, OVER, at_s=90.0)
    assert table.state.guard_slots == 1, "never less than one"


def test_while_it_holds_the_next_reading_comes_soon_although_nothing_moves() -> None:
    table = guarded()
    table.send(sg.GuardMeasured, OVER, at_s=10.0)
    table.tick(20.0)
    assert [wait.at for wait in table.asked(cmd.WaitUntil)] == [moment(20.0 + RULES.poll_s)]


def test_readings_that_are_missing_cross_nothing_and_end_no_hold() -> None:
    table = guarded()
    table.send(sg.GuardMeasured, OVER, at_s=10.0)
    table.send(sg.GuardMeasured, {}, at_s=100.0)
    assert table.state.guard is not None
    assert table.state.guard.holding


def test_free_memory_is_crossed_from_above() -> None:
    assert crossed(Lines(), {FREE_MEMORY: 0.01})[0].startswith(
        "free memory of the fullest destination 1 % is under 3 %"
    )
    assert not crossed(Lines(), {FREE_MEMORY: 0.2})


@pytest.mark.parametrize("name", [name for name, _ in Lines().above()])
def test_a_line_that_is_left_out_is_never_crossed(name: str) -> None:
    none = Lines(None, None, None, None, None, None)
    assert not crossed(none, {name: 1e12})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.5, 40.0), st.booleans(), st.integers(0, 8)), max_size=40))
def test_whatever_is_read_and_pressed_the_limits_hold(steps: list[tuple[float, bool, int]]) -> None:
    table = guarded(8)
    for seconds, over, slots in steps:
        table.send(sg.GuardMeasured, OVER if over else CALM, at_s=table.now_s + seconds)
        assert 1 <= (table.state.guard_slots or 1) <= max(table.state.slots, table.state.guard_slots or 1)
        held = table.state.guard is not None and table.state.guard.holding
        assert not (held and table.told(mv.MoveChecked))
        assert table.state.occupied_slots <= max(table.state.allowed_slots, 0) or not table.told(mv.MoveChecked)
        table.ask(rq.SetSlots(slots))
