"""The constrained endpoint's files: parsed by a real grammar, every word attested, nothing more than the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from console.drain import lease, settings
from console.jea.files import Groups, export
from console.jea.functions import function
from console.model.identity import HostName, RoleName, VmId
from console.windows.catalogue import ENTRIES, changes, cluster, events, leases, progress, vms
from console.windows.commands import Call, Effect
from console.windows.constrained import offered
from console.windows.modules import MODULE_OF
from console.windows.powershell import quoted

SURFACE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data/powershell/surface.json").read_text("utf-8"))
CMDLETS = {**SURFACE["cmdlets"], **SURFACE["endpoint_cmdlets"]}
MODULES = {cmdlet: module for module, cmdlets in SURFACE["modules"].items() for cmdlet in cmdlets}
PARSER = Parser(Language(tree_sitter_powershell.language()))
FILES = export()
MODULE = FILES["Drainboard/Drainboard.psm1"]
DATA = [name for name in FILES if name.endswith((".psd1", ".psrc", ".pssc"))]
FENCED = re.findall(r"^ *```powershell\n(.*?)^ *```", FILES["INSTALL.md"], re.DOTALL | re.MULTILINE)
VM = VmId("0a1b2c3d-0000-4000-8000-000000000001")


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _text(node: Node | None) -> str:
    return ((node.text if node else None) or b"").decode()


def _parsed(text: str) -> Node:
    root = PARSER.parse(text.encode()).root_node
    assert not root.has_error, text
    return root


def _commands(root: Node) -> Iterator[tuple[str, dict[str, str]]]:
    """Each command with its parameters and what follows each."""
    for node in _walk(root):
        if node.type != "command":
            continue
        parameters: dict[str, str] = {}
        for holder in node.children:
            for one in holder.children if holder.type == "command_elements" else ():
                if one.type == "command_parameter":
                    parameters[_text(one).removeprefix("-").rstrip(":")] = ""
                elif one.type != "command_argument_sep" and parameters:
                    parameters[list(parameters)[-1]] += _text(one)
        yield _text(node.child_by_field_name("command_name")), parameters


@pytest.mark.parametrize("entry", [*offered(Effect.READS), *offered(Effect.CHANGES)], ids=lambda entry: entry.id)
def test_a_function_parses_and_every_command_in_it_is_written_with_its_own_module(entry: Any) -> None:
    found = list(_commands(_parsed(function(entry))))
    assert found
    for name, parameters in found:
        module, _, cmdlet = name.rpartition("\\")
        assert MODULES[cmdlet] == module, name
        for given, value in parameters.items():
            accepted = CMDLETS[cmdlet].get(given)
            assert accepted is not None or given == "Confirm", f"{cmdlet} -{given}"
            if isinstance(accepted, list) and value.startswith("'"):
                assert value.strip("'") in accepted


def test_the_module_says_nothing_that_the_catalogue_does_not() -> None:
    said = {name.rpartition("\\")[2] for name, _ in _commands(_parsed(MODULE))}
    assert said <= set(MODULE_OF)
    assert not re.search(r"(?i)invoke-expression|invoke-command|iex|\[scriptblock\]|forcedrain|ignorelocked", MODULE)
    functions = re.findall(r"^function (\S+) \{$", MODULE, re.MULTILINE)
    expected = {entry.constrained_function for entry in ENTRIES.values()} - {"Get-Command"}
    assert len(functions) == len(set(functions))
    assert set(functions) == expected


def test_modules_of_the_catalogue_are_attested() -> None:
    assert {cmdlet: MODULES[cmdlet] for cmdlet in MODULE_OF} == dict(MODULE_OF)


@pytest.mark.parametrize("name", DATA)
def test_a_data_file_parses_and_its_keys_are_attested(name: str) -> None:
    root = _parsed(FILES[name])
    table = next(node for node in _walk(root) if node.type == "hash_literal_expression")
    body = next(child for child in table.children if child.type == "hash_literal_body")
    keys = [_text(entry.children[0]).strip() for entry in body.children if entry.type == "hash_entry"]
    known = {key.casefold() for key in SURFACE["data_file_keys"][name.rpartition(".")[2]]}
    assert keys
    assert {key.casefold() for key in keys} <= known
    assert "VisibleCmdlets" not in keys, "functions only: a cmdlet would bring whole objects, and its every parameter"


def _visible(role: str) -> set[str]:
    text = FILES[f"Drainboard/RoleCapabilities/{role}.psrc"]
    return set(re.findall(r"'([A-Z][a-z]+-\w+)'", text))


def test_who_watches_is_offered_nothing_that_changes() -> None:
    functions = {entry.constrained_function: entry for entry in ENTRIES.values()}
    watch, operate = _visible("DrainboardWatch"), _visible("DrainboardOperate")
    assert {functions[name].effect for name in watch} == {Effect.READS}
    assert {functions[name].effect for name in operate} == {Effect.CHANGES}
    assert watch | operate | {"Get-Command"} == set(functions)
    bodies = dict(re.findall(r"^function (\S+) \{(.*?)^\}", MODULE, re.DOTALL | re.MULTILINE))
    for name in watch:
        verbs = {command.rpartition("\\")[2].split("-")[0] for command, _ in _commands(_parsed(bodies[name]))}
        assert verbs <= {"Get", "Select", "Where", "ForEach", "Invoke"}, name
    assert "DrainboardOperate" not in FILES["Drainboard.Watch.pssc"]


@pytest.mark.parametrize("block", FENCED)
def test_the_install_sheet_parses_and_all_its_words_are_attested(block: str) -> None:
    found = list(_commands(_parsed(block)))
    assert found
    for name, parameters in found:
        assert set(parameters) <= set(CMDLETS[name]), name


def test_the_install_sheet_has_its_steps() -> None:
    assert len(FENCED) == 4


BOUND = [
    cluster.groups_of_node(HostName("HV01")),
    cluster.delegation([HostName("HV01"), HostName("ü(*)")]),
    progress.resources_in_flight(["Virtual Machine it's [a] \\ 'trap' OR Name='x", "b" * 200] * 300),
    progress.groups_in_flight([RoleName("b\nc")]),
    events.migration_events(3600.5),
    events.cluster_events(7 * 86400.0),
    events.arrivals(2000),
    events.departures(2000),
    leases.lease_properties(lease.lease_name(HostName("HV01"), 12)),
    vms.vm_compatibility_check("AAAA+/8="),
    changes.drain_node(HostName("HV01"), HostName("HV-02")),
    changes.move_group(RoleName("Files (west) & co, 'old'"), HostName("HV02")),
    changes.move_shared_volume("Cluster Disk 1", HostName("HV02")),
    changes.set_balancer(2),
    changes.create_lease(RoleName(f"{lease.PREFIX}settings")),
    changes.set_lease_property(RoleName(f"{lease.PREFIX}settings"), settings.SMB_FACTOR, ""),
    changes.set_lease_property(lease.lease_name(HostName("HV01"), 1), lease.OWNER, "CORP\\änne 'x'"),
    changes.remove_lease(lease.lease_name(HostName("HV01"), 1), VM),
]


def _takes(call: Call) -> bool:
    """Whether the function's own checks let the arguments in."""
    fills = {fill.argument: fill for fill in ENTRIES[call.entry].fills}
    return all(_fits(fills[argument.name], argument.value) for argument in call.arguments)


def _fits(fill: Any, value: Any) -> bool:
    if fill.pattern and not re.fullmatch(fill.pattern, str(value)):
        return False
    if fill.allowed and value not in fill.allowed:
        return False
    if value == "" and not fill.may_be_empty:
        return False
    return fill.within is None or fill.within[0] <= value <= fill.within[1]


@pytest.mark.parametrize("call", BOUND, ids=lambda call: call.entry)
def test_what_the_console_sends_passes_the_functions_checks(call: Call) -> None:
    assert _takes(call)


@pytest.mark.parametrize(
    "call",
    [
        changes.pause_node(HostName("*")),
        changes.pause_node(HostName("HV01\n")),
        changes.move_group(RoleName("Files*"), HostName("HV02")),
        changes.move_group(RoleName("Files"), HostName("HV0?")),
        changes.remove_lease(RoleName("Available Storage"), VM),
        changes.remove_lease(RoleName(f"{lease.PREFIX}*"), VM),
        changes.create_lease(RoleName("Files")),
        changes.set_lease_property(RoleName("Files"), lease.OWNER, "x"),
        changes.set_lease_property(lease.lease_name(HostName("HV01"), 1), "VmId", "x"),
        changes.set_balancer(3),
        events.MIGRATION_EVENTS.bind(FilterXPath="*", MaxEvents=10),
        progress.RESOURCES_IN_FLIGHT.bind(Filter="Name LIKE '%'"),
        cluster.DELEGATION.bind(LDAPFilter="(objectClass=*)"),
        vms.vm_compatibility_check("$(Get-VM)"),
    ],
    ids=lambda call: call.entry,
)
def test_what_the_console_never_sends_does_not_pass(call: Call) -> None:
    assert not _takes(call)


def test_every_open_text_is_checked() -> None:
    for entry in (*offered(Effect.READS), *offered(Effect.CHANGES)):
        for fill in entry.fills:
            if fill.type.value == "String":
                assert fill.pattern or fill.allowed, f"{entry.id} {fill.argument}"


def test_written_properties_are_those_of_leases_and_of_changeable_settings() -> None:
    written = {lease.OWNER, lease.HOST, lease.RUN, lease.EXPIRES, *settings.CHANGEABLE}
    assert set(leases.LEASE_PROPERTIES_WRITTEN) == written


@pytest.mark.parametrize("text", ["it's", "‘x’ ‚y‛", "$(Stop-VM) `n", "a\\b"])
def test_a_literal_stays_one_quoted(text: str) -> None:
    root = _parsed(f"Get-VM -Name {quoted(text)}")
    ((_, parameters),) = _commands(root)
    assert parameters == {"Name": quoted(text)}


def test_groups_are_written_into_the_session_configurations_and_nowhere_else() -> None:
    texts = export(Groups("CORP\\It's", "CORP\\Ops"))
    assert "'CORP\\It''s' = @{" in texts["Drainboard.Watch.pssc"]
    assert "'CORP\\Ops' = @{" in texts["Drainboard.Operate.pssc"]
    for name in ("Drainboard.Watch.pssc", "Drainboard.Operate.pssc"):
        _parsed(texts[name])
    assert {name for name in texts if texts[name] != FILES[name]} == {
        "Drainboard.Watch.pssc",
        "Drainboard.Operate.pssc",
        "INSTALL.md",
    }
