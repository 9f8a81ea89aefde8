"""What a call looks like on the wire, as pypsrp writes it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.complex_objects import CommandParameter
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from console.lab.endpoint.guard import RESTRICTED_SELECT
from console.windows.catalogue import session
from console.windows.commands import Call, Cmdlet, Effect, Parameter, ParameterType, Script
from console.wire.decoder import decode
from console.wire.encoding import NotOffered, add_stages, encoded, stages
from console.wire.pool import RowSerializer

VM = "0a1b2c3d-0000-4000-8000-00000000000a"


def sent(parameter: Parameter) -> ET.Element:
    """The element that carries the value."""
    element = RowSerializer().serialize(CommandParameter(name=parameter.name, value=encoded(parameter)))
    assert element is not None
    value = element.find("MS/*[@N='V']")
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("value", "kind", "tag", "text"),
    [
        (8589934592, ParameterType.INT64, "I64", "8589934592"),
        (4294967295, ParameterType.UINT32, "U32", "4294967295"),
        (0, ParameterType.INT32, "I32", "0"),
        (True, ParameterType.SWITCH, "B", "true"),
        (False, ParameterType.SWITCH, "B", "false"),
        (True, ParameterType.BOOLEAN, "B", "true"),
        (VM, ParameterType.GUID, "G", VM),
        ("N1", ParameterType.STRING, "S", "N1"),
        ("a_x0041_\r\n\U0001f600", ParameterType.STRING, "S", "a_x005F_x0041__x000D__x000A__xD83D__xDE00_"),
    ],
)
def test_types_are_exact(value: str | int | bool, kind: ParameterType, tag: str, text: str) -> None:
    element = sent(Parameter("P", value, kind))
    assert (element.tag, element.text) == (tag, text)


def test_strings_travel_as_an_array_of_strings() -> None:
    element = sent(Parameter("Property", ("Name", "Id"), ParameterType.STRINGS))
    assert [item.text for item in element.iter("T")] == ["System.String[]", "System.Array", "System.Object"]
    assert [(item.tag, item.text) for item in element.find("LST") or ()] == [("S", "Name"), ("S", "Id")]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (2**31, ParameterType.INT32),
        (-1, ParameterType.UINT32),
        (2**63, ParameterType.INT64),
        (True, ParameterType.INT32),
        ("1", ParameterType.INT32),
        (1, ParameterType.SWITCH),
        ("no guid", ParameterType.GUID),
        ("half \ud83d", ParameterType.STRING),
        (("a", "\udc00"), ParameterType.STRINGS),
        ("a", ParameterType.STRINGS),
    ],
)
def test_values_that_are_not_of_their_type_are_refused(value: str | int, kind: ParameterType) -> None:
    with pytest.raises(ValueError, match=r"-P .* is not a"):
        encoded(Parameter("P", value, kind))


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff")))
def test_text_comes_back_as_it_was(text: str) -> None:
    element = RowSerializer().serialize(encoded(Parameter("P", text, ParameterType.STRING)))
    assert element is not None
    assert decode(ET.tostring(element, encoding="unicode")) == {"Value": text}


def test_pipeline_becomes_commands_and_a_script_keeps_to_itself() -> None:
    pool = RunspacePool(WSMan("localhost", username="a", password="b"))
    pool.protocol_version = "2.3"
    powershell = PowerShell(pool)
    add_stages(
        powershell,
        (
            Cmdlet("Get-VM", (Parameter("Id", VM, ParameterType.GUID),)),
            Script("param($Count) $Count", (Parameter("Count", 4, ParameterType.INT32),)),
        ),
    )
    cmdlet, script = powershell.commands
    assert (cmdlet.cmd, cmdlet.is_script) == ("Get-VM", False)
    assert (script.cmd, script.is_script, script.use_local_scope) == ("param($Count) $Count", True, True)
    assert [argument.name for argument in (*cmdlet.args, *script.args)] == ["Id", "Count"]


def test_a_command_that_every_session_has_keeps_its_projection() -> None:
    call = session.abilities(("Get-DrainboardVM",))
    assert stages(call, constrained=True) == call.pipeline
    (names,) = (parameter.value for parameter in call.pipeline[1].parameters)
    assert set(names) <= set(RESTRICTED_SELECT)


def test_constrained_endpoint_gets_the_function_with_the_arguments() -> None:
    argument = Parameter("Vm", VM, ParameterType.GUID)
    pipeline = (
        Cmdlet("Get-VM", (Parameter("Id", VM, ParameterType.GUID),)),
        Cmdlet("Select-Object", (Parameter("Property", ("Name",), ParameterType.STRINGS),)),
    )
    call = Call("vm", Effect.READS, pipeline, constrained_function="Get-DrainboardVm", arguments=(argument,))
    assert stages(call, constrained=False) == pipeline
    assert stages(call, constrained=True) == (Cmdlet("Get-DrainboardVm", (argument,)),)
    with pytest.raises(NotOffered):
        stages(replace(call, constrained_function=None), constrained=True)
