"""The same seed gives the same bytes, however often anybody asks in between."""

from __future__ import annotations

import json

import pytest

from console.lab.engine import Command
from console.lab.serve import InProcessLab
from console.lab.world.truth import world_document


async def _history(seed: int, step_s: float, scenario: str = "quiet") -> str:
    async with InProcessLab(scenario, seed=seed) as lab:
        await lab.run("HV02", [Command("Suspend-ClusterNode", {"Name": "HV01", "Drain": True})])
        while lab.clock.elapsed_s() < 240:
            await lab.advance(step_s)
            await lab.run("HV03", [Command("Get-ClusterResource"), Command("Get-ClusterParameter")])
        document = world_document(lab.cluster)
        for asked in ("commands", "reading_commands", "changing_commands"):
            document.pop(asked)
        return json.dumps(document, sort_keys=True)


@pytest.mark.parametrize("step_s", [2.0, 7.5, 60.0])
async def test_polling_changes_nothing(step_s: float) -> None:
    assert await _history(1, step_s) == await _history(1, 240.0)


async def test_polling_changes_nothing_in_a_storm() -> None:
    assert await _history(1, 7.5, "storm") == await _history(1, 240.0, "storm")


async def test_another_seed_is_another_world() -> None:
    assert await _history(1, 240.0) != await _history(2, 240.0)
