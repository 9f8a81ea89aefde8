"""What is forecast of a drain, against the drain: planner and lab share no code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.lab_makespan import drained
from tests.runner.drains import RULES

WITHOUT_GUARD = replace(RULES, guard=None)


@pytest.mark.parametrize(
    ("scenario", "within"),
    [
        ("quiet", 0.10),
        ("workgroup", 0.10),
        ("mixed-cpu", 0.10),
        ("broken/capped", 0.10),
        ("broken/networks", 0.15),  # lines of 0.1 to 25 Gbit/s, of which earlier moves teach one share of the rate
    ],
)
async def test_a_drain_takes_as_long_as_was_forecast(scenario: str, within: float, tmp_path: Path) -> None:
    found = await drained(scenario, tmp_path, rules=WITHOUT_GUARD)
    assert found.moved == found.planned
    assert found.error == pytest.approx(0.0, abs=within)
    assert found.covered >= 0.86
    assert found.after_three is not None
    assert found.after_three == pytest.approx(0.0, abs=within)


async def test_what_the_guard_holds_is_forecast_too(tmp_path: Path) -> None:
    """In this lab even one move that compresses takes its host over the guard's line."""
    found = await drained("workgroup", tmp_path)
    assert found.moved == found.planned
    assert found.error == pytest.approx(0.0, abs=0.10)
    assert found.after_three == pytest.approx(0.0, abs=0.15)
