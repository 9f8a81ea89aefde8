"""What finished moves make of the forecast of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from console.drain.outlook import finish_forecast, pace_of_run
from console.drain.state import GuardReading, MoveState, RunState
from console.guard import Lines

from .desk import desk
from .moments import moment


def run_of(moves: Sequence[tuple[float, float]]) -> RunState:
    """A run whose finished moves took the second figure where the first was forecast."""
    state = desk(max(len(moves), 1)).state
    done = {
        vm: replace(
            move,
            state=MoveState.DONE,
            forecast_p50_s=forecast_s,
            started_at=moment(0.0),
            finished_at=moment(0.0) + timedelta(seconds=took_s),
        )
        for (vm, move), (forecast_s, took_s) in zip(state.moves.items(), moves, strict=False)
    }
    return replace(state, moves={**state.moves, **done})


def test_two_arrivals_tell_nothing_yet() -> None:
    assert pace_of_run(run_of([(10.0, 20.0)] * 2)) == 1.0


def test_the_more_arrived_the_more_they_are_believed() -> None:
    paces = [pace_of_run(run_of([(10.0, 20.0)] * count)) for count in (3, 6, 20)]
    assert paces == sorted(paces)
    assert 1.4 < paces[0] < 1.6
    assert paces[-1] == pytest.approx(2.0, rel=0.1)


def test_one_that_hung_changes_nothing() -> None:
    assert pace_of_run(run_of([(100.0, 100.0), (100.0, 100.0), (100.0, 5000.0)])) == 1.0


def test_a_large_move_says_more_than_two_small_ones() -> None:
    assert pace_of_run(run_of([(1000.0, 1000.0), (5.0, 10.0), (5.0, 10.0)])) == 1.0


def compressing(fraction: float) -> RunState:
    """A run of six moves that wait, each asking for so much of the source's processors."""
    state = desk(6, slots=2).state
    moves = {vm: replace(move, forecast_p50_s=30.0, takes_fraction=fraction) for vm, move in state.moves.items()}
    return replace(state, moves=moves, busy_fraction=0.1)


def test_what_the_guard_will_hold_is_in_the_finish_that_is_told() -> None:
    at, lines = moment(0.0), Lines()
    light, heavy = compressing(0.2), compressing(0.6)
    plain, _ = finish_forecast(heavy, at)
    assert finish_forecast(light, at, lines)[0] == plain == at + timedelta(seconds=90.0)
    assert finish_forecast(heavy, at, lines)[0] > plain + timedelta(seconds=lines.calm_s)
    without = replace(lines, host_cpu_fraction=None)
    assert finish_forecast(heavy, at, without)[0] == plain


def test_a_guard_that_holds_now_is_waited_for() -> None:
    at, lines = moment(5.0), Lines()
    state = replace(compressing(0.2), guard=GuardReading(at, {}, ("over",), True, at), guard_slots=1)
    assert finish_forecast(state, at, lines)[0] > at + timedelta(seconds=lines.calm_s + 90.0)
