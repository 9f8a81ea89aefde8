"""Every fix parses as PowerShell, and says nothing that Windows does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from console.checks.catalogue import Facts, run_checks
from console.windows.powershell import quoted
from tests.checks.cases import CASES

SURFACE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data/powershell/surface.json").read_text("utf-8"))
COMMON = {"Confirm"}
PARSER = Parser(Language(tree_sitter_powershell.language()))


def _fixes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for case in CASES:
        facts = Facts(case.fires, outlook=case.outlook(case.fires), account="CORP\\an operator")
        for conflict in run_checks(facts).conflicts:
            if conflict.fix.powershell:
                found.setdefault(conflict.code, set()).add(conflict.fix.powershell)
    return found


FIXES = [(code, line) for code, lines in sorted(_fixes().items()) for line in sorted(lines)]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _commands(root: Node) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each command with its parameters and what follows each."""
    for node in _walk(root):
        if node.type != "command":
            continue
        name = node.child_by_field_name("command_name")
        assert name is not None
        elements = [
            one
            for holder in node.children
            if holder.type == "command_elements"
            for one in holder.children
            if one.type != "command_argument_sep"
        ]
        parameters: list[tuple[str, str]] = []
        for one in elements:
            if one.type == "command_parameter":
                parameters.append((_text(one).removeprefix("-").rstrip(":"), ""))
            elif parameters:
                parameters[-1] = (parameters[-1][0], _text(one))
        yield _text(name), parameters


@pytest.mark.parametrize(("code", "line"), FIXES)
def test_a_fix_parses_and_all_its_words_are_attested(code: str, line: str) -> None:
    root = PARSER.parse(line.encode()).root_node
    assert not root.has_error, line
    commands = list(_commands(root))
    assert commands
    for name, parameters in commands:
        if name in SURFACE["programs"]:
            assert {f"-{given}" for given, _ in parameters} <= set(SURFACE["programs"][name])
            continue
        known = SURFACE["cmdlets"][name]
        for given, value in parameters:
            assert given in known or given in COMMON, f"{name} -{given}"
            accepted = known.get(given)
            if isinstance(accepted, list) and value:
                assert value.strip("'") in accepted, f"{name} -{given} {value}"
        _private_properties(name, dict(parameters))


def _private_properties(name: str, parameters: dict[str, str]) -> None:
    if name in ("Get-ClusterParameter", "Set-ClusterParameter"):
        assert parameters["Name"] in SURFACE["private_properties"]
    if name == "Install-WindowsFeature":
        assert {one.strip("'") for one in parameters["Name"].split(",")} <= set(SURFACE["features"])


@pytest.mark.parametrize("line", sorted({line for _, line in FIXES if ")." in line}))
def test_an_assignment_sets_a_property_that_is_there(line: str) -> None:
    holder, _, rest = line.partition(").")
    assert rest.partition(" = ")[0] in SURFACE["settable"][holder.strip("(").split()[0]]


def test_names_stay_inside_their_quotes() -> None:
    for case in CASES:
        for conflict in run_checks(Facts(case.fires, outlook=case.outlook(case.fires))).conflicts:
            assert "\n" not in conflict.fix.powershell


@pytest.mark.parametrize("mark", ["'", "\u2018", "\u2019", "\u201a", "\u201b"])
def test_no_name_ends_the_quotes_that_it_stands_in(mark: str) -> None:
    root = PARSER.parse(f"Get-VM -Name {quoted(f'x{mark}; Stop-Computer #')}".encode()).root_node
    assert not root.has_error
    ((name, parameters),) = _commands(root)
    assert (name, parameters) == ("Get-VM", [("Name", f"'x{mark * 2}; Stop-Computer #'")])


def test_most_codes_have_a_command() -> None:
    assert len({code for code, _ in FIXES}) > 60
