"""The vocabulary as a whole: what may be in it, and that binding gives exactly what was asked."""

from __future__ import annotations

import pytest

from console.model.identity import HostName, RoleName, VmId
from console.windows.catalogue import ENTRIES, Entry, ScriptStage, changes, cluster, events, progress
from console.windows.commands import Cmdlet, Effect, Parameter, ParameterType, Script

VM = VmId("0a1b2c3d-0000-4000-8000-000000000001")
EVERY = pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.id)


def _verbs(entry: Entry) -> set[str]:
    return {stage.name.split("-")[0] for stage in entry.pipeline if not isinstance(stage, ScriptStage)}


@EVERY
def test_reading_entries_only_read(entry: Entry) -> None:
    if entry.effect is Effect.READS:
        assert _verbs(entry) <= {"Get", "Select", "Where", "ForEach"}


@EVERY
def test_changing_entries_say_so(entry: Entry) -> None:
    if _verbs(entry) & {"Suspend", "Resume", "Move", "Add", "Set", "Remove"}:
        assert entry.effect is Effect.CHANGES


def test_nothing_stops_workloads_by_force() -> None:
    words = repr(tuple(ENTRIES.values()))
    assert "ForceDrain" not in words
    assert "IgnoreLocked" not in words


@EVERY
def test_scripts_are_constant_and_declare_their_parameters(entry: Entry) -> None:
    for stage in entry.pipeline:
        if isinstance(stage, ScriptStage):
            assert stage.text.startswith("param(")
            assert len(entry.pipeline) == 1


def test_every_function_of_the_constrained_endpoint_is_its_own() -> None:
    functions = [entry.constrained_function for entry in ENTRIES.values()]
    assert len(set(functions)) == len(functions)


def test_a_live_move_names_the_vm_by_its_guid_and_returns_at_once() -> None:
    call = changes.move_vm_live(VmId(VM.upper()), HostName("HV02"))
    assert call.effect is Effect.CHANGES
    stage = call.pipeline[0]
    assert isinstance(stage, Cmdlet)
    assert stage.parameters == (
        Parameter("VMId", VM, ParameterType.GUID),
        Parameter("Node", "HV02", ParameterType.STRING),
        Parameter("MigrationType", "Live", ParameterType.STRING),
        Parameter("Wait", 0, ParameterType.INT32),
    )
    assert call.arguments == (
        Parameter("VMId", VM, ParameterType.GUID),
        Parameter("Destination", "HV02", ParameterType.STRING),
    )


def test_a_pause_never_drains_and_never_asks() -> None:
    names = {
        parameter.name: parameter.value for parameter in changes.pause_node(HostName("HV02")).pipeline[0].parameters
    }
    assert names == {"Name": "HV02", "Confirm": False}


def test_an_optional_argument_is_left_out() -> None:
    with_target = changes.drain_node(HostName("HV02"), HostName("HV03"))
    without = changes.drain_node(HostName("HV02"))
    assert "TargetNode" in {parameter.name for parameter in with_target.pipeline[0].parameters}
    assert "TargetNode" not in {parameter.name for parameter in without.pipeline[0].parameters}


def test_a_setting_travels_as_a_parameter_not_as_text() -> None:
    script = changes.set_smb_bandwidth(5000).pipeline[0]
    assert isinstance(script, Script)
    assert "5000" not in script.text
    assert script.parameters == (Parameter("Value", 5000, ParameterType.UINT32),)


@pytest.mark.parametrize("value", [-1, 2**32, True])
def test_a_value_out_of_range_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="set-balancer"):
        changes.set_balancer(value)


@pytest.mark.parametrize("id", ["", "web01", "*", "0a1b2c3d-0000-4000-8000-00000000000g"])
def test_a_vm_is_its_guid(id: str) -> None:
    with pytest.raises(ValueError, match="Guid"):
        changes.cancel_move(VmId(id))


def test_unknown_and_missing_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="takes no Nod"):
        cluster.GROUPS_OF_NODE.bind(Nod="HV01")
    with pytest.raises(ValueError, match="needs Node"):
        cluster.GROUPS_OF_NODE.bind()


def test_hostile_names_stay_one_literal_of_the_filter() -> None:
    call = progress.groups_in_flight([RoleName("it's [a] \\ 'trap' OR Name='x"), RoleName("b")])
    value = call.pipeline[0].parameters[-1].value
    assert value == "Name='it\\'s [a] \\\\ \\'trap\\' OR Name=\\'x' OR Name='b'"


def test_an_empty_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="no value"):
        progress.resources_in_flight([])


def test_events_are_asked_by_number_and_age() -> None:
    assert events.event_filter((20415, 21502), 3600) == (
        "*[System[(EventID=20415 or EventID=21502) and TimeCreated[timediff(@SystemTime) <= 3600000]]]"
    )
