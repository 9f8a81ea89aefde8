"""What PowerShell refuses, the lab refuses in the same words, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from console.lab.engine import Command, PsError, PsObject, TerminatingError, Typed
from console.lab.serve import InProcessLab
from console.lab.world.facts import AccessRule
from tests.lab.cmdlets.driving import run

GET_CIM = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"


async def refused(lab: InProcessLab, *pipeline: Command) -> PsError:
    with pytest.raises(TerminatingError) as caught:
        await run(lab, *pipeline)
    return caught.value.error


async def complained(lab: InProcessLab, *pipeline: Command) -> PsError:
    """The one non-terminating error, and no output."""
    found = await run(lab, *pipeline)
    assert not found.outputs
    (error,) = found.errors
    return error


async def test_an_unknown_command(quiet: InProcessLab) -> None:
    error = await refused(quiet, Command("Get-Vmm"))
    assert (error.identifier, error.category) == ("CommandNotFoundException", 13)
    assert error.exception == "System.Management.Automation.CommandNotFoundException"
    assert error.message.startswith("The term 'Get-Vmm' is not recognized")


@pytest.mark.parametrize(
    "cmdlet", ["Get-CimInstance", "Get-NetAdapter", "Get-WinEvent", "Get-WindowsFeature", "Get-VM"]
)
async def test_an_unknown_parameter(quiet: InProcessLab, cmdlet: str) -> None:
    error = await refused(quiet, Command(cmdlet, {"Nodee": "HV01"}))
    assert error.identifier.startswith(f"NamedParameterNotFound,{_class_of(cmdlet)}")
    assert error.message == "A parameter cannot be found that matches parameter name 'Nodee'."
    assert error.exception == "System.Management.Automation.ParameterBindingException"


def _class_of(cmdlet: str) -> str:
    return {"Get-CimInstance": GET_CIM, "Get-VM": "Microsoft.HyperV.PowerShell.Commands.GetVM"}.get(cmdlet, "")


REFUSED: list[tuple[str, Mapping[str, object], str]] = [
    ("Move-ClusterVirtualMachineRole", {"Name": "x", "MigrationType": "Warm"}, "CannotConvertArgumentNoMessage"),
    ("Resume-ClusterNode", {"Name": "HV01", "Failback": "Sometimes"}, "CannotConvertArgumentNoMessage"),
    ("Get-VM", {"Id": "no guid"}, "CannotConvertArgumentNoMessage"),
    ("Get-WinEvent", {"LogName": "System", "MaxEvents": "many"}, "CannotConvertArgumentNoMessage"),
    ("Get-CimInstance", {}, "MissingMandatoryParameter"),
    ("Get-CimInstance", {"ClassName": "Win32_Processor", "Query": "SELECT * FROM x"}, "AmbiguousParameterSet"),
    ("Get-NetAdapter", {"In": "x"}, "AmbiguousParameter"),
    ("Move-ClusterGroup", {"Node": "HV02"}, "MissingMandatoryParameter"),
]


@pytest.mark.parametrize(("cmdlet", "parameters", "identifier"), REFUSED)
async def test_what_can_not_be_bound(
    quiet: InProcessLab, cmdlet: str, parameters: Mapping[str, object], identifier: str
) -> None:
    error = await refused(quiet, Command(cmdlet, parameters))
    assert error.identifier.split(",")[0] == identifier
    assert not quiet.cluster.world.moves


async def test_a_wrong_enumerator_lists_the_right_ones(quiet: InProcessLab) -> None:
    error = await refused(quiet, Command("Resume-ClusterNode", {"Name": "HV01", "Failback": "Sometimes"}))
    assert "Specify one of the following enumerator names and try again: NoFailback, Immediate, Policy" in error.message


async def test_a_script_that_is_not_known_is_not_run(quiet: InProcessLab) -> None:
    error = await refused(quiet, Command("(Get-Cluster).Name = 'x'; Stop-Cluster", is_script=True))
    assert error.identifier == "ScriptsNotAllowed"


async def test_a_setting_that_is_not_there(quiet: InProcessLab) -> None:
    script = "param([uint32]$Value) (Get-Cluster).MaximumParallelMigration = $Value"
    error = await refused(quiet, Command(script, {"Value": Typed("U32", 4)}, is_script=True))
    assert error.identifier == "PropertyNotFound"
    assert quiet.cluster.world.settings["MaximumParallelMigrations"] == 2


@pytest.mark.parametrize(
    ("parameters", "identifier", "message"),
    [
        ({"ClassName": "Win32_Nothing"}, "HRESULT 0x80041010", "Invalid class "),
        ({"Namespace": "root/nowhere", "ClassName": "Win32_Nothing"}, "HRESULT 0x8004100e", "Invalid namespace "),
        ({"ClassName": "Win32_Processor", "Filter": "Name like"}, "HRESULT 0x80041017", "Invalid query "),
        ({"ClassName": "Win32_Processor", "Filter": "Nmae='x'"}, "HRESULT 0x80041017", "Invalid query "),
        ({"ClassName": "Win32_Processor", "Property": ["Nmae"]}, "HRESULT 0x80041017", "Invalid query "),
        ({"Query": "DELETE FROM Win32_Processor"}, "HRESULT 0x80041017", "Invalid query "),
        ({"ClassName": "Win32_Processor", "ComputerName": "HV02"}, "HRESULT 0x80070005", "Access is denied."),
    ],
)
async def test_wmi_says_what_is_wrong(
    quiet: InProcessLab, parameters: Mapping[str, object], identifier: str, message: str
) -> None:
    error = await complained(quiet, Command("Get-CimInstance", parameters))
    assert (error.identifier, error.message) == (f"{identifier},{GET_CIM}", message)
    assert error.exception == "Microsoft.Management.Infrastructure.CimException"


async def test_things_that_are_not_there(quiet: InProcessLab) -> None:
    adapter = await complained(quiet, Command("Get-NetAdapterRdma", {"Name": "Nowhere"}))
    assert adapter.identifier == "CmdletizationQuery_NotFound_Name,Get-NetAdapterRdma"
    log = await complained(quiet, Command("Get-WinEvent", {"LogName": "Nowhere"}))
    assert log.identifier == "NoMatchingLogsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"
    events = await complained(quiet, Command("Get-WinEvent", {"LogName": "System"}))
    assert events.identifier == "NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"
    group = await complained(quiet, Command("Get-ClusterGroup", {"Name": "Nowhere"}))
    assert group.native_code == 5013
    vm = await complained(quiet, Command("Get-VM", {"Name": "Nowhere"}))
    assert vm.message == 'Hyper-V was unable to find a virtual machine with name "Nowhere".'


async def test_a_directory_out_of_reach_says_so(quiet: InProcessLab) -> None:
    quiet.cluster.world.facts.directory_answers = False
    error = await complained(quiet, Command("Get-ADComputer", {"LDAPFilter": "(name=HV01)"}))
    assert error.message.startswith("Unable to contact the server.")
    assert error.identifier.startswith("ActiveDirectoryServer:0,")


async def test_an_account_without_rights_on_the_cluster(quiet: InProcessLab) -> None:
    facts = quiet.cluster.world.facts
    facts.access = (AccessRule("BUILTIN\\Administrators", "Read"),)
    assert len((await run(quiet, Command("Get-ClusterNode"))).outputs) == 4
    error = await refused(quiet, Command("Suspend-ClusterNode", {"Name": "HV01"}))
    assert (error.native_code, error.category) == (5, 18)
    script = "param([uint32]$Value) (Get-Cluster).AutoBalancerMode = $Value"
    assert (await refused(quiet, Command(script, {"Value": Typed("U32", 0)}, is_script=True))).native_code == 5
    facts.access = ()
    assert (await refused(quiet, Command("Get-ClusterNode"))).native_code == 5
    asked = {"Namespace": "root/MSCluster", "ClassName": "MSCluster_Node"}
    assert (await complained(quiet, Command("Get-CimInstance", asked))).identifier == f"HRESULT 0x80041003,{GET_CIM}"
    assert len((await run(quiet, Command("Get-VM"))).outputs) == 10


async def test_a_module_that_is_not_there(quiet: InProcessLab) -> None:
    quiet.cluster.world.facts.missing_modules = {"HV01": ("Hyper-V",)}
    assert (await refused(quiet, Command("Get-VM"))).identifier == "CommandNotFoundException"
    modules = Command("Get-Module", {"ListAvailable": True, "Name": ["Hyper-V", "FailoverClusters"]})
    names = [value.properties["Name"] for value in (await run(quiet, modules)).outputs if isinstance(value, PsObject)]
    assert names == ["FailoverClusters"]
    assert len((await run(quiet, Command("Get-VM"), host="HV02")).outputs) == 10
