"""The doctor names what is in the way, host by host, and never calls well what it could not see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from console.clock import ManualClock
from console.commands.doctor import doctor_document
from console.diagnose.doctor import Aspect, DoctorReport, NodeAddress, Reach, SiteFacts, Verdict, examine
from console.model.failures import Busy, EndpointMissing, Failure, Forbidden, Refused, SignInRefused, TimedOut
from console.model.identity import HostName
from console.reaching import Sockets
from console.windows.commands import EnumValue
from tests.inventory.fakes import FakeReader, two_nodes
from tests.windows import fine_rows, rows

HV01, HV02 = HostName("HV01"), HostName("HV02")
NOW = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
REACHED = Reach(("10.0.0.1",), connect_s=0.01, certificate_expires=NOW + timedelta(days=300))
SITE = SiteFacts(
    "prod",
    tuple(NodeAddress(name, f"{name}.corp.example", 5986, True) for name in (HV01, HV02)),
    "CORP\\operator",
    "kerberos",
    "Microsoft.PowerShell",
)
FULL = [
    {
        "IdentityReference": "CORP\\operator",
        "AccessControlType": EnumValue(0, "Allow"),
        "ClusterRights": EnumValue(2, "Full"),
    }
]


@dataclass
class FakeProber:
    reaches: Mapping[str, Reach] = field(default_factory=dict)

    async def reach(self, node: NodeAddress) -> Reach:
        return self.reaches.get(node.host, REACHED)


def healthy() -> FakeReader:
    reader = two_nodes()
    for host in reader.hosts.values():
        host["cluster-access"] = FULL
    return reader


async def report_of(reader: FakeReader, prober: FakeProber | None = None, site: SiteFacts = SITE) -> DoctorReport:
    return await examine(reader, site, prober or FakeProber(), ManualClock(NOW))


def verdicts(report: DoctorReport, host: HostName) -> dict[Aspect, Verdict]:
    return {symptom.aspect: symptom.verdict for symptom in report.of(host)}


async def test_a_healthy_site_is_well() -> None:
    report = await report_of(healthy())
    assert report.hosts == (HV01, HV02)
    for host in report.hosts:
        found = verdicts(report, host)
        assert set(found) == set(Aspect)
        assert set(found.values()) == {Verdict.WELL}
    assert report.reaches_somebody
    assert report.worst is Verdict.WELL


@pytest.mark.parametrize(
    ("failure", "aspect"),
    [
        (Refused(HV01, "The certificate was not accepted."), Aspect.TLS),
        (SignInRefused(HV01, "The sign-in was refused."), Aspect.SIGN_IN),
        (Forbidden(HV01, "Access is denied."), Aspect.ENDPOINT),
        (EndpointMissing(HV01, "No such endpoint."), Aspect.ENDPOINT),
        (TimedOut(HV01, "No answer in time."), Aspect.TIMEOUTS),
        (Busy(HV01, "Too many shells."), Aspect.QUOTAS),
    ],
)
async def test_each_failure_is_named_where_it_lies(failure: Failure, aspect: Aspect) -> None:
    reader = healthy()
    reader.hosts["HV01"] = dict.fromkeys(reader.hosts["HV01"], failure)
    found = verdicts(await report_of(reader), HV01)
    assert found[aspect] is Verdict.PROBLEM
    inside = (Aspect.MODULES, Aspect.READ, Aspect.MOVE, Aspect.DELEGATION, Aspect.CLOCK)
    assert Verdict.WELL not in {found[one] for one in inside}
    assert found[Aspect.ENDPOINT] is not Verdict.WELL


async def test_a_refused_password_is_never_tried_on_the_next_node() -> None:
    reader = healthy()
    reader.hosts["HV01"]["modules"] = SignInRefused(HV01, "The sign-in was refused.")
    report = await report_of(reader)
    assert {host for host, _ in reader.asked} == {"HV01"}
    assert verdicts(report, HV02)[Aspect.SIGN_IN] is Verdict.UNKNOWN
    assert not report.reaches_somebody


@pytest.mark.parametrize(
    ("reach", "aspect"),
    [
        (Reach(name_error="no such name."), Aspect.NAME),
        (Reach(("10.0.0.1",), port_error="refused."), Aspect.PORT),
        (replace(REACHED, tls_error="self-signed certificate."), Aspect.TLS),
    ],
)
async def test_the_way_is_named_where_it_breaks(reach: Reach, aspect: Aspect) -> None:
    reader = healthy()
    del reader.hosts["HV02"]
    report = await report_of(reader, FakeProber({"HV02": reach}))
    found = verdicts(report, HV02)
    assert found[aspect] is Verdict.PROBLEM
    assert [one for one in found.values() if one is Verdict.PROBLEM] == [Verdict.PROBLEM]
    assert next(one for one in report.of(HV02) if one.aspect is aspect).advice


async def test_a_certificate_that_ends_soon_is_a_warning() -> None:
    report = await report_of(healthy(), FakeProber({"HV01": replace(REACHED, certificate_expires=NOW)}))
    assert verdicts(report, HV01)[Aspect.TLS] is Verdict.WARNING


async def test_missing_modules_and_commands_are_named() -> None:
    reader = healthy()
    reader.hosts["HV02"] |= {"modules": fine_rows.MODULES[:1], "abilities": []}
    found = verdicts(await report_of(reader), HV02)
    assert found[Aspect.MODULES] is Verdict.PROBLEM
    assert found[Aspect.MOVE] is Verdict.PROBLEM


async def test_what_is_refused_names_the_right_it_takes() -> None:
    reader = healthy()
    reader.hosts["HV02"]["vm-host"] = Forbidden(HV02, "Access is denied.")
    symptom = next(one for one in (await report_of(reader)).of(HV02) if one.aspect is Aspect.READ)
    assert symptom.verdict is Verdict.PROBLEM
    assert "Hyper-V Administrators" in symptom.advice


@pytest.mark.parametrize(("rights", "verdict"), [(2, Verdict.WELL), (1, Verdict.PROBLEM), (None, Verdict.UNKNOWN)])
async def test_the_right_to_move_is_never_guessed(rights: int | None, verdict: Verdict) -> None:
    reader = healthy()
    for host in reader.hosts.values():
        rule = {**FULL[0], "ClusterRights": EnumValue(rights or 0, "?")}
        host["cluster-access"] = [] if rights is None else [rule]
    assert verdicts(await report_of(reader), HV01)[Aspect.MOVE] is verdict


async def test_delegation_that_can_not_be_read_is_unknown_and_missing_entries_are_a_problem() -> None:
    reader = healthy()
    for host in reader.hosts.values():
        host.pop("delegation")
    assert verdicts(await report_of(reader), HV01)[Aspect.DELEGATION] is Verdict.UNKNOWN
    for host in reader.hosts.values():
        host["delegation"] = [{**row, "msDS-AllowedToDelegateTo": []} for row in fine_rows.DELEGATION]
    assert verdicts(await report_of(reader), HV01)[Aspect.DELEGATION] is Verdict.PROBLEM


@pytest.mark.parametrize(("minutes", "verdict"), [(0, Verdict.WELL), (2, Verdict.WARNING), (-7, Verdict.PROBLEM)])
async def test_clock_skew(minutes: int, verdict: Verdict) -> None:
    reader = healthy()
    moment = (NOW + timedelta(minutes=minutes)).isoformat()
    reader.hosts["HV02"]["operating-system"] = [{**rows.OPERATING_SYSTEM[0], "LocalDateTime": moment}]
    assert verdicts(await report_of(reader), HV02)[Aspect.CLOCK] is verdict


async def test_a_node_that_the_configuration_does_not_name_is_looked_at_too() -> None:
    report = await report_of(healthy(), site=replace(SITE, nodes=SITE.nodes[:1]))
    assert verdicts(report, HV02)[Aspect.MOVE] is Verdict.WELL
    reader = healthy()
    del reader.hosts["HV02"]
    lost = await report_of(reader, site=replace(SITE, nodes=SITE.nodes[:1]))
    assert verdicts(lost, HV02) == {Aspect.PORT: Verdict.PROBLEM}


async def test_the_document_has_every_host_and_aspect() -> None:
    document = doctor_document(await report_of(healthy()))
    assert document["worst"] == "well"
    assert [host["host"] for host in document["hosts"]] == ["HV01", "HV02"]  # type: ignore[attr-defined]


async def test_sockets_tell_a_closed_port_from_one_that_is_no_tls() -> None:
    async def shut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(shut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sockets = Sockets(ManualClock(NOW))
    open_http = await sockets.reach(NodeAddress(HV01, "127.0.0.1", port, False))
    no_tls = await sockets.reach(NodeAddress(HV01, "127.0.0.1", port, True))
    server.close()
    await server.wait_closed()
    closed = await sockets.reach(NodeAddress(HV01, "127.0.0.1", port, False))
    assert (open_http.port_error, open_http.tls_error) == ("", "")
    assert no_tls.tls_error.startswith("TLS could not be set up")
    assert closed.port_error
