"""What is forecast of a drain, against the drain: planner and lab share no code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.lab_makespan import drained
from tests.runner.drains import RULES

WITHOUT_GUARD = replace(RULES, guard=None)
"""What it will hold back is in no forecast."""


@pytest.mark.parametrize("scenario", ["quiet", "workgroup", "mixed-cpu", "broken/networks", "broken/capped"])
async def test_a_drain_takes_as_long_as_was_forecast(scenario: str, tmp_path: Path) -> None:
    found = await drained(scenario, tmp_path, rules=WITHOUT_GUARD)
    assert found.moved == found.planned
    assert found.error == pytest.approx(0.0, abs=0.10)
    assert found.covered >= 0.86
    assert found.after_three is not None
    assert found.after_three == pytest.approx(0.0, abs=0.10)
