"""A line that a person types runs as its cmdlets; anything with an expression in it is left alone."""

from __future__ import annotations

import pytest

from console.lab.cmdlets.typed_lines import commands
from console.lab.engine import Command, PsObject, SessionContext
from console.lab.serve import USER, InProcessLab


def test_words_lists_strings_and_switches() -> None:
    found = commands("Get-VM -Name 'a ''b''','c' | Select-Object Name,State, MemoryAssigned | Select-Object -First 2")
    assert found == [
        Command("Get-VM", {"Name": ["a 'b'", "c"]}),
        Command("Select-Object", {}, (["Name", "State", "MemoryAssigned"],)),
        Command("Select-Object", {"First": 2}),
    ]
    assert commands("Suspend-ClusterNode -Drain HV01 -Confirm:$false") == [
        Command("Suspend-ClusterNode", {"Drain": True, "Confirm": False}, ("HV01",))
    ]


@pytest.mark.parametrize(
    "text",
    ["", "1 + 1", "$x = 3", "(Get-VM).Name", "Get-VM | ForEach-Object { $_ }", 'Get-VM "$(Stop-VM)"', "Get-VM; Get-VM",
     "Get-VM |", "whoami"],
)  # fmt: skip
def test_what_is_more_than_a_pipeline_is_not_taken_apart(text: str) -> None:
    assert commands(text) is None


async def test_the_plain_endpoint_answers_a_typed_line() -> None:
    async with InProcessLab("quiet") as lab:
        line = "Get-VM | Select-Object Name,State,MemoryAssigned"
        outputs, errors = await lab.run("HV01", [Command(line, is_script=True)])
        assert not errors
        assert len(outputs) == 10
        assert isinstance(outputs[0], PsObject)
        assert list(outputs[0].properties) == ["Name", "State", "MemoryAssigned"]
        _, errors = await lab.run("HV01", [Command("Get-Nonsense", is_script=True)])
        assert "CommandNotFoundException" in errors[-1].identifier


async def test_the_constrained_endpoint_takes_no_script_text() -> None:
    async with InProcessLab("quiet") as lab:
        who = SessionContext(USER, "Drainboard.Operate", constrained=True)
        outputs, errors = await lab.run("HV01", [Command("Get-VM", is_script=True)], who)
        assert not outputs
        assert errors
