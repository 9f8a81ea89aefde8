"""Real processes, killed in the middle: the run is finished all the same, and nobody is moved twice."""

from __future__ import annotations

from pathlib import Path

from tests.bench.real_kills import one


def test_a_drain_whose_runner_and_console_are_killed_is_finished_by_the_next_one(tmp_path: Path) -> None:
    case = one(1, "quiet", tmp_path)
    assert case.runner_deaths == case.console_deaths == 1
    assert not case.problems
