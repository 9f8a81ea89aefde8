"""What is forecast of a drain, against the drain: planner and lab share no code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.lab_makespan import drained
from tests.runner.drains import RULES

WITHOUT_GUARD = replace(RULES, guard=None)


WITHIN = 0.10
FEWEST_INSIDE = 0.6
"""Of a p90 that holds, a dozen moves leave fewer inside once in two hundred times; the bench counts many."""


@pytest.mark.parametrize("scenario", ["quiet", "workgroup", "mixed-cpu", "broken/capped", "broken/networks"])
async def test_a_drain_takes_as_long_as_was_forecast(scenario: str, tmp_path: Path) -> None:
    found = await drained(scenario, tmp_path, rules=WITHOUT_GUARD)
    assert found.moved == found.planned
    assert found.error == pytest.approx(0.0, abs=WITHIN)
    assert found.covered >= FEWEST_INSIDE
    assert found.after_three is not None
    assert found.after_three == pytest.approx(0.0, abs=WITHIN)


async def test_what_the_guard_holds_is_forecast_too(tmp_path: Path) -> None:
    """In this lab even one move that compresses takes its host over the guard's line."""
    found = await drained("workgroup", tmp_path)
    assert found.moved == found.planned
    assert found.error == pytest.approx(0.0, abs=0.10)
    assert found.after_three == pytest.approx(0.0, abs=0.15)
