"""Endpoints in no-language mode, and who may open which."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from console.lab.endpoint.traits import OPERATE, PLAIN, WATCH
from tests.lab.endpoint.support import READER, USER, Lab, invoke


def in_session(name: str, command: str, **parameters: object) -> Callable[[WSMan], PowerShell]:
    """Work that runs one command on the named configuration."""

    def work(wsman: WSMan) -> PowerShell:
        with RunspacePool(wsman, configuration_name=name) as pool:
            return invoke(pool, command, **parameters)

    return work


@pytest.mark.parametrize(
    ("name", "constrained", "operator"), [(PLAIN, False, True), (WATCH, True, False), (OPERATE, True, True)]
)
async def test_the_engine_hears_which_endpoint_asks(lab: Lab, name: str, constrained: bool, operator: bool) -> None:
    await lab.client(in_session(name, "Get-VM"))
    context = lab.engine.asked[0][0]
    assert (context.user, context.configuration_name) == (USER, name)
    assert (context.constrained, context.operator) == (constrained, operator)


@pytest.mark.parametrize("name", [WATCH, OPERATE, OPERATE.upper()])
async def test_script_text_is_refused_without_asking_the_engine(lab: Lab, name: str) -> None:
    def work(wsman: WSMan) -> PowerShell:
        with RunspacePool(wsman, configuration_name=name) as pool:
            shell = PowerShell(pool)
            shell.add_script("(Get-Cluster).MaximumParallelMigrations = 4").invoke()
            shell.close()
            return shell

    shell = await lab.client(work)
    assert shell.state == PSInvocationState.FAILED
    (error,) = shell.streams.error
    assert error.fq_error == "ScriptsNotAllowed"
    assert str(error) == (
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode."
    )
    assert lab.engine.asked == []


async def test_a_command_that_is_not_visible_is_not_found(lab: Lab) -> None:
    shell = await lab.client(in_session(WATCH, "Test-Echo"))
    assert shell.state == PSInvocationState.FAILED
    (error,) = shell.streams.error
    assert error.fq_error == "CommandNotFoundException"
    assert (error.category, error.target_name) == (13, "Test-Echo")
    assert error.exception is not None
    assert error.exception.types[0] == "System.Management.Automation.CommandNotFoundException"
    assert lab.engine.asked == []


async def test_names_are_compared_without_case(lab: Lab) -> None:
    shell = await lab.client(in_session(OPERATE, "TEST-ECHO", A=1))
    assert shell.output == [{"A": 1}, []]


async def test_a_later_command_of_the_pipeline_is_checked_too(lab: Lab) -> None:
    def work(wsman: WSMan) -> PowerShell:
        with RunspacePool(wsman, configuration_name=WATCH) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Get-VM").add_cmdlet("ConvertTo-Json").invoke()
            shell.close()
            return shell

    shell = await lab.client(work)
    assert [error.target_name for error in shell.streams.error] == ["ConvertTo-Json"]


@pytest.mark.parametrize(
    ("parameters", "identifier"),
    [
        ({"Property": ["Name", "State"]}, "ParameterArgumentValidationError,Select-Object"),
        ({"First": 1}, "NamedParameterNotFound,Select-Object"),
        ({"ExpandProperty": "Name"}, "NamedParameterNotFound,Select-Object"),
    ],
)
async def test_select_object_is_the_restricted_one(lab: Lab, parameters: dict[str, object], identifier: str) -> None:
    shell = await lab.client(in_session(WATCH, "Select-Object", **parameters))
    assert [error.fq_error for error in shell.streams.error] == [identifier]


async def test_a_restricted_select_of_allowed_names_reaches_the_engine(lab: Lab) -> None:
    await lab.client(in_session(WATCH, "Select-Object", Property=["name", "Count"]))
    assert [command.name for command in lab.engine.asked[0][1]] == ["Select-Object"]


async def test_scripts_run_on_the_plain_endpoint(lab: Lab) -> None:
    def work(wsman: WSMan) -> PowerShell:
        with RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_script("param($value) $value").add_parameter("value", 4).invoke()
            shell.close()
            return shell

    await lab.client(work)
    (command,) = lab.engine.asked[0][1]
    assert command.is_script
    assert command.name == "param($value) $value"


@pytest.mark.parametrize("name", ["Drainboard.Nothing", "Microsoft.Exchange", ""])
async def test_an_unknown_configuration_is_an_invalid_resource(lab: Lab, name: str) -> None:
    with pytest.raises(WSManFaultError) as caught:
        await lab.client(in_session(name, "Get-VM"))
    assert caught.value.code == 0x8033803B
    assert "was not found in the WS-Management catalog" in str(caught.value.reason)


@pytest.mark.parametrize("name", [PLAIN, OPERATE])
async def test_a_reader_may_open_the_watching_endpoint_only(lab: Lab, name: str) -> None:
    with pytest.raises(WSManFaultError) as caught:
        await lab.client(in_session(name, "Get-VM"), username=READER)
    assert caught.value.code == 5
    shell = await lab.client(in_session(WATCH, "Get-VM"), username=READER)
    assert len(shell.output) == 1
