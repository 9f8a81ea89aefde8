"""The doctor tells a plain endpoint from a constrained one, and a watching one from an operating one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.clock import ManualClock
from console.diagnose.doctor import Aspect, NodeAddress, Reach, SiteFacts, Symptom, Verdict, Visit, examine
from console.diagnose.endpoint import WANTED, endpoint_symptom
from console.model.failures import CommandMissing, TimedOut
from console.model.identity import HostName
from console.windows.commands import Effect
from console.windows.constrained import functions
from tests.diagnose.test_doctor import NOW, FakeProber, healthy

HV01 = HostName("HV01")
NODE = NodeAddress(HV01, "hv01.corp.example", 5986, True)
SITE = SiteFacts("prod", (NODE,), "CORP\\operator", "kerberos", "Drainboard.Operate")
READS, CHANGES = functions(Effect.READS), functions(Effect.CHANGES)


def told(*offered: str, endpoint: str = "Drainboard.Operate") -> Symptom:
    return endpoint_symptom(replace(SITE, endpoint=endpoint), Visit(NODE, Reach(), offered=offered))


def test_the_plain_endpoint() -> None:
    found = told(endpoint="Microsoft.PowerShell")
    assert found.verdict is Verdict.WELL
    assert "plain" in found.message


def test_to_watch_and_to_drain() -> None:
    found = told(*READS, *CHANGES)
    assert found.verdict is Verdict.WELL
    count = len(READS) + len(CHANGES)
    assert found.message == f"Drainboard.Operate answers: constrained, to watch and to drain ({count} functions)."


def test_to_watch_only() -> None:
    found = told(*(name.upper() for name in READS))
    assert found.verdict is Verdict.WELL
    assert f"to watch only ({len(READS)} functions)" in found.message


@pytest.mark.parametrize("lacking", [READS[3], CHANGES[3]])
def test_an_endpoint_of_an_older_console_is_named_with_what_it_lacks(lacking: str) -> None:
    found = told(*(name for name in (*READS, *CHANGES) if name != lacking))
    assert found.verdict is Verdict.PROBLEM
    assert lacking in found.message
    assert "drainboard jea export" in found.advice


def test_somebody_elses_endpoint_lacks_everything() -> None:
    assert f"lacks {', '.join(READS[:3])} and {len(READS) - 3} more" in told().message


def test_an_endpoint_that_restricts_nothing_is_found_out() -> None:
    found = told(*WANTED)
    assert found.verdict is Verdict.WARNING
    assert "not constrained" in found.message


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [(CommandMissing(HV01, "none of them"), Verdict.PROBLEM), (TimedOut(HV01, "late"), Verdict.UNKNOWN)],
)
async def test_what_was_not_answered_is_not_called_well(failure: CommandMissing, verdict: Verdict) -> None:
    reader = healthy()
    for host in reader.hosts.values():
        host["abilities"] = failure
    report = await examine(reader, SITE, FakeProber(), ManualClock(NOW))
    (found,) = (one for one in report.of(HV01) if one.aspect is Aspect.ENDPOINT)
    assert found.verdict is verdict
