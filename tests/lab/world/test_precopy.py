"""The world's pre-copy against real moves, which it never saw: see :mod:`tests.lab.world.rig`."""

from __future__ import annotations

import pytest

from tests.lab.world.rig import Measured, Simulated, measured_moves, score, simulate


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Measured, Simulated]]:
    return [(move, simulate(move)) for move in measured_moves()]


def test_durations_are_those_of_real_moves(pairs: list[tuple[Measured, Simulated]]) -> None:
    found = score(pairs)
    assert found.moves == 146
    assert found.median <= 0.08
    assert abs(found.bias) <= 0.03


def test_moves_that_ended_by_the_stop_rule_are_closer_still(pairs: list[tuple[Measured, Simulated]]) -> None:
    assert score(pair for pair in pairs if not pair[0].forced).median <= 0.04


def test_what_does_not_converge_there_does_not_converge_here(pairs: list[tuple[Measured, Simulated]]) -> None:
    by_rule = [pair for pair in pairs if not pair[0].forced]
    assert any(not move.completed for move, _ in by_rule)
    assert score(by_rule).judged_alike == 1.0
