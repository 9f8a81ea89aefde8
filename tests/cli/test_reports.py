"""What the commands print for people."""

from __future__ import annotations

import pytest

from console.checks.values import Conflict, Findings, Fix, Severity, Subject
from console.commands.reports import report_findings
from console.model.identity import HostName


def off_on(host: str) -> Conflict:
    return Conflict(
        "host-migration-disabled",
        Severity.BLOCKS,
        Subject(host=HostName(host)),
        f"Live migration is switched off on {host}.",
        (),
        Fix("Switch it on.", f"Enable-VMMigration -ComputerName '{host}'"),
        "",
    )


def told(capsys: pytest.CaptureFixture[str], *hosts: str) -> str:
    report_findings(Findings(tuple(off_on(host) for host in hosts)))
    return capsys.readouterr().out


def test_two_of_a_code_are_told_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "HV01", "HV02")
    assert out.count("Fix:") == 2
    assert "switched off on HV02" in out


def test_many_of_a_code_are_told_together_and_none_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    hosts = [f"HV{number:02}" for number in range(1, 13)]
    out = told(capsys, *hosts)
    assert "12 times" in out
    assert out.count("Fix:") == 1
    assert all(host in out for host in hosts)
    assert "and 9 commands like these" in out
    assert "12 blocks" in out
