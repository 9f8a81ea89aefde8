"""The lab's page names every key, fault, code and scenario that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.lab.endpoint.faults import Fault
from console.lab.world import outcome_log, spec
from console.lab.world.faults import world_fault_fields

PAGE = (Path(__file__).parents[3] / "docs" / "lab.md").read_text("utf-8")


@pytest.mark.parametrize(
    "table",
    [spec.Scenario, spec.NamedHostSpec, spec.VmSpec, spec.NetworkSpec, spec.VmsSpec, spec.PhysicsSpec],
)
def test_every_key_is_named(table: type[spec.Scenario]) -> None:
    assert [key for key in table.model_fields if key not in PAGE] == []


def test_every_fault_and_its_fields_are_named() -> None:
    lines = PAGE.splitlines()
    for kind, fields in world_fault_fields().items():
        (line,) = [line for line in lines if line.startswith("| `") and f"`{kind}`" in line.split("|")[1]]
        assert [field for field in fields if f"`{field}`" not in line] == []
    assert [fault.value for fault in Fault if f"`{fault.value}`" not in PAGE] == []


def test_every_code_and_scenario_is_named() -> None:
    assert [hex(code) for code in outcome_log.MESSAGES if f"0x{code:08X}" not in PAGE] == []
    plain = [name for name in spec.scenario_names() if "/" not in name]
    assert [name for name in plain if f"`{name}`" not in PAGE] == []


def test_the_example_is_a_scenario() -> None:
    example = PAGE.split("```toml\n")[1].split("```")[0]
    assert spec.parse_scenario(example).title == "Three hosts, one of them slower"
