"""Every cmdlet, parameter, value and property of the catalogue is one that Windows has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from console.windows.catalogue import ENTRIES, Entry, ScriptStage
from console.windows.commands import Parameter

SURFACE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data/powershell/surface.json").read_text("utf-8"))
EVERY = pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.id)


@EVERY
def test_cmdlets_and_parameters_are_attested(entry: Entry) -> None:
    for stage in entry.pipeline:
        if isinstance(stage, ScriptStage):
            assert set(re.findall(r"\b[A-Z][a-z]+-[A-Z]\w+", stage.text)) <= set(SURFACE["cmdlets"])
            continue
        known = SURFACE["cmdlets"][stage.name]
        for parameter in stage.parameters:
            assert parameter.name in known, f"{stage.name} -{parameter.name}"
            accepted = known[parameter.name]
            if isinstance(parameter, Parameter) and isinstance(accepted, list):
                assert parameter.value in accepted


@EVERY
def test_properties_are_attested(entry: Entry) -> None:
    if entry.rows is None:
        return
    kind = entry.rows.type_name
    known = {*SURFACE["classes"].get(kind, ()), *SURFACE["documented"].get(kind, ())}
    assert set(entry.rows.properties) <= known


@pytest.mark.parametrize(
    "stage", [stage for entry in ENTRIES.values() for stage in entry.pipeline if isinstance(stage, ScriptStage)]
)
def test_scripts_are_valid_powershell(stage: ScriptStage) -> None:
    root = Parser(Language(tree_sitter_powershell.language())).parse(stage.text.encode()).root_node
    assert not root.has_error, stage.text
