"""The lab reads the files of an endpoint itself, and keeps PowerShell's rules about what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.lab.constrained import datafile, module
from console.lab.constrained.datafile import UnreadableFile
from console.lab.constrained.installed import load
from console.lab.engine import Command, PsError, SessionContext, TerminatingError, Typed
from console.lab.serve import USER, InProcessLab


def test_a_data_file() -> None:
    text = """# a comment
    @{ A = 'it''s' # another
       B = 'x', 'y'; C = $true
       'D\\e' = @{ F = @('p'
           'q'), 'r'; G = 3 } <# and
       one more #> H = @() }"""
    assert datafile.read(text) == {
        "A": "it's",
        "B": ["x", "y"],
        "C": True,
        "D\\e": {"F": [["p", "q"], "r"], "G": 3},
        "H": [],
    }


@pytest.mark.parametrize(
    "text", ["", "@{", "@{ A }", "@{ A = }", "@{ A = $(Get-VM) }", "@{} @{}", "'x'", '@{ A = "$x" }']
)
def test_what_is_no_data_file_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFile):
        datafile.read(text)


def _function(body: str, parameters: str = "") -> module.Function:
    text = f"function Get-It {{\n[CmdletBinding()]\nparam({parameters})\n{body}\n}}\n"
    return module.read(text)["get-it"]


def _refusal(parameters: str, **given: object) -> PsError:
    function = _function("Hyper-V\\Get-VM", parameters)
    with pytest.raises(TerminatingError) as caught:
        function.commands(Command("Get-It", given))
    return caught.value.error


@pytest.mark.parametrize(
    ("parameters", "given", "identifier"),
    [
        ("[Parameter(Mandatory = $true)] [string]$Name", {}, "MissingMandatoryParameter"),
        ("[string]$Name", {"Nam": "x"}, "NamedParameterNotFound"),
        (
            "[Parameter(Mandatory = $true)] [string]$Name",
            {"Name": ""},
            "ParameterArgumentValidationErrorEmptyStringNotAllowed",
        ),
        ("[ValidatePattern('\\A[a-z]+\\z')] [string]$Name", {"Name": "x\n"}, "ParameterArgumentValidationError"),
        ("[ValidateSet('a', 'b')] [string]$Name", {"Name": "c"}, "ParameterArgumentValidationError"),
        ("[ValidateRange(0, 2)] [uint32]$Name", {"Name": Typed("U32", 3)}, "ParameterArgumentValidationError"),
        ("[uint32]$Name", {"Name": Typed("I32", -1)}, "ParameterArgumentTransformationError"),
        ("[guid]$Name", {"Name": "*"}, "ParameterArgumentTransformationError"),
    ],
)
def test_a_parameter_is_refused_in_powershells_words(
    parameters: str, given: dict[str, object], identifier: str
) -> None:
    assert _refusal(parameters, **given).identifier == f"{identifier},Get-It"


def test_an_optional_parameter_is_given_only_when_it_was() -> None:
    body = """try {
        $optional = @{}
        if ($PSBoundParameters.ContainsKey('To')) { $optional['TargetNode'] = $To }
        FailoverClusters\\Suspend-ClusterNode -Name $Node -Drain -Confirm:$false @optional
    } catch {
        throw
    }"""
    function = _function(body, "[string]$Node, [string]$To")
    assert function.guarded
    (without,) = function.commands(Command("Get-It", {"Node": "HV01"}))
    (given,) = function.commands(Command("Get-It", {"Node": "HV01", "to": "HV02"}))
    assert without.parameters == {"Name": "HV01", "Drain": True, "Confirm": False}
    assert given.parameters == {**without.parameters, "TargetNode": "HV02"}


def test_a_script_has_to_name_the_right_module() -> None:
    assert (
        _function("(FailoverClusters\\Get-Cluster).AutoBalancerMode = $Value", "[uint32]$Value")
        .commands(Command("Get-It", {"Value": Typed("U32", 1)}))[0]
        .name
        == "param([uint32]$Value) (Get-Cluster).AutoBalancerMode = $Value"
    )
    for line in ("(Get-Cluster).AutoBalancerMode = $Value", "(Hyper-V\\Get-Cluster).AutoBalancerMode = $Value"):
        with pytest.raises(TerminatingError, match="not recognized"):
            _function(line, "[uint32]$Value").commands(Command("Get-It", {"Value": Typed("U32", 1)}))


def _installed(folder: Path, body: str) -> Path:
    module_folder = folder / "M"
    (module_folder / "RoleCapabilities").mkdir(parents=True)
    (module_folder / "M.psd1").write_text("@{ RootModule = 'M.psm1'; FunctionsToExport = 'Get-It' }")
    (module_folder / "M.psm1").write_text(f"function Get-It {{\nparam()\n{body}\n}}\nfunction Get-Other {{ param() }}")
    (module_folder / "RoleCapabilities/R.psrc").write_text(
        "@{ ModulesToImport = 'M'; VisibleFunctions = 'Get-It', 'Get-Other' }"
    )
    (folder / "E.pssc").write_text(
        "@{ SessionType = 'RestrictedRemoteServer'; RoleDefinitions = @{ 'A\\B' = @{ RoleCapabilities = 'R' } } }"
    )
    return folder


async def _answer(folder: Path) -> tuple[int, list[str]]:
    """How many rows, and which errors."""
    context = SessionContext(USER, "E", constrained=True)
    async with InProcessLab("quiet", sessions=folder) as lab:
        outputs, found = await lab.run("HV01", [Command("Get-It")], context)
        visible = lab.engines["HV01"].visible_commands(context)
    assert "Get-It" in visible
    assert "Get-Other" not in visible, "the manifest does not export it"
    return len(outputs), [error.identifier.partition(",")[0] for error in found]


async def test_inside_a_function_the_sessions_own_select_object_wins(tmp_path: Path) -> None:
    rows, errors = await _answer(_installed(tmp_path, "Hyper-V\\Get-VM | Select-Object -Property 'Name', 'State'"))
    assert (rows, errors) == (0, ["ParameterArgumentValidationError"])


async def test_a_qualified_one_is_the_real_one(tmp_path: Path) -> None:
    line = "Hyper-V\\Get-VM | Microsoft.PowerShell.Utility\\Select-Object -Property 'Name', 'State'"
    rows, errors = await _answer(_installed(tmp_path, line))
    assert (rows, errors) == (10, [])


async def test_a_command_that_is_not_in_the_module_is_not_found(tmp_path: Path) -> None:
    rows, errors = await _answer(_installed(tmp_path, "FailoverClusters\\Get-VM"))
    assert (rows, errors) == (0, ["CommandNotFoundException"])


def test_an_unrestricted_configuration_is_not_taken_for_a_constrained_one(tmp_path: Path) -> None:
    folder = _installed(tmp_path, "Hyper-V\\Get-VM")
    (folder / "E.pssc").write_text("@{ SessionType = 'Default' }")
    with pytest.raises(UnreadableFile, match="not restricted"):
        load(folder)
