"""The whole way: asyncio, owner threads, pypsrp, TCP, TLS, sign-in, WS-Management, PSRP, CLIXML, and back."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from console.clock import ManualClock
from console.lab.endpoint.faults import Fault, FaultBoard
from console.lab.endpoint.server import LabServer
from console.lab.endpoint.traits import WATCH, Traits
from console.model.failures import (
    Busy,
    CommandFailed,
    CommandMissing,
    EndpointMissing,
    Failure,
    ProtocolBroken,
    Refused,
    SessionGone,
    SignInRefused,
    TimedOut,
    Unreachable,
)
from console.model.identity import HostName
from console.windows.commands import Effect, EnumValue, Parameter, ParameterType
from console.wire.connection import Authentication, Credentials, WireOptions
from tests.lab.settling import settles
from tests.wire.lab import CHANGE, FAST, GET_VM, HOSTILE, N1, PASSWORD, USER, WAIT, Engine, Lab, call, count

StartLab = Callable[..., Awaitable[Lab]]


@pytest.fixture
async def start_lab(tmp_path: Path) -> AsyncIterator[StartLab]:
    labs: list[Lab] = []

    async def start(*hosts: str, traits: Traits | None = None, clock: Any = None) -> Lab:
        engines = {name: Engine() for name in hosts or ("N1",)}
        time, faults = clock or ManualClock(), FaultBoard()
        server = LabServer(
            engines, users={USER: PASSWORD}, clock=time, directory=tmp_path, traits=traits or Traits(), faults=faults
        )
        listeners = {listener.host: listener for listener in await server.start()}
        labs.append(Lab(server, listeners, engines, time, faults))
        return labs[-1]

    yield start
    for lab in labs:
        await lab.stop()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("wire ")] == []


@pytest.fixture
async def lab(start_lab: StartLab) -> Lab:
    return await start_lab()


VM = {"Name": HOSTILE, "State": EnumValue(2, "Running"), "MemoryAssigned": 2**33}


@pytest.mark.parametrize(
    ("https", "authentication"),
    [
        (True, Authentication.NEGOTIATE),
        (True, Authentication.NTLM),
        (True, Authentication.BASIC),
        (False, Authentication.NEGOTIATE),
        (False, Authentication.NTLM),
    ],
)
async def test_reads_by_every_way_in(lab: Lab, https: bool, authentication: Authentication) -> None:
    reader = lab.reader(replace(FAST, authentication=authentication), https=https)
    for _ in range(3):
        assert (await reader.read(N1, GET_VM)).rows == (VM,)
    assert lab.server.open_shells("N1") == 1


async def test_sign_in_by_certificate(lab: Lab) -> None:
    files = lab.server.client_certificate(USER)
    credentials = Credentials(certificate_file=files.certificate, certificate_key_file=files.key)
    reader = lab.reader(replace(FAST, authentication=Authentication.CERTIFICATE), credentials=credentials)
    assert (await reader.read(N1, GET_VM)).rows == (VM,)


async def test_parameters_arrive_as_what_they_are(lab: Lab) -> None:
    echo = call(
        "Test-Echo",
        Parameter("Bytes", 2**40, ParameterType.INT64),
        Parameter("Number", 7, ParameterType.INT32),
        Parameter("Target", 2**32 - 1, ParameterType.UINT32),
        Parameter("Names", ("a", "b"), ParameterType.STRINGS),
        Parameter("Force", True, ParameterType.SWITCH),
        Parameter("Id", "0a1b2c3d-0000-4000-8000-00000000000a", ParameterType.GUID),
    )
    (row,) = (await lab.reader().read(N1, echo)).rows
    assert row == {"Bytes": "I64", "Number": "I32", "Target": "U32", "Names": "list", "Force": "bool", "Id": "UUID"}


async def test_errors_and_warnings_on_the_side(lab: Lab) -> None:
    answer = await lab.reader().read(N1, call("Test-Errors"))
    assert answer.rows == ({"Value": "after"},)
    assert answer.warnings == ("careful <now>",)
    (error,) = answer.errors
    assert (error.message, error.code, error.category, error.target) == (f"no VM {HOSTILE}", 5016, 13, "x")


async def test_terminating_errors(lab: Lab) -> None:
    reader = lab.reader()
    with pytest.raises(CommandFailed, match="it fails") as caught:
        await reader.read(N1, call("Test-Terminating"))
    assert caught.value.code == 0x80071398
    with pytest.raises(CommandMissing, match="Get-Nothing"):
        await reader.read(N1, call("Get-Nothing"))
    assert (await reader.read(N1, GET_VM)).rows == (VM,)


@pytest.mark.parametrize("https", [True, False])
async def test_deadline_stops_the_command_and_keeps_the_session(lab: Lab, https: bool) -> None:
    reader = lab.reader(https=https)
    await reader.read(N1, GET_VM)
    started = perf_counter()
    with pytest.raises(TimedOut):
        await reader.read(N1, WAIT)
    assert WAIT.deadline_s <= perf_counter() - started < WAIT.deadline_s + 1.0
    assert (await reader.read(N1, GET_VM)).rows == (VM,)
    assert lab.engine.stopped == 1
    assert lab.server.open_shells("N1") == 1


@pytest.mark.parametrize("https", [True, False])
async def test_cancelled_wait_stops_the_command(lab: Lab, https: bool) -> None:
    reader = lab.reader(https=https)
    task = asyncio.create_task(reader.read(N1, replace(WAIT, deadline_s=30.0)))
    await lab.engine.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await reader.read(N1, GET_VM)).rows == (VM,)
    assert lab.engine.stopped == 1


@pytest.mark.parametrize("https", [True, False])
async def test_wrong_password_is_tried_exactly_once(lab: Lab, https: bool) -> None:
    reader = lab.reader(https=https, credentials=Credentials(USER, "wrong"))
    for _ in range(4):
        with pytest.raises(SignInRefused):
            await reader.read(N1, GET_VM)
    assert lab.server.statistics.total().sign_in_attempts == 1
    reader.renew(Credentials(USER, PASSWORD))
    assert (await reader.read(N1, GET_VM)).rows == (VM,)


async def test_wrong_password_is_not_carried_through_the_cluster(start_lab: StartLab) -> None:
    hosts = [f"N{number}" for number in range(1, 9)]
    lab = await start_lab(*hosts)
    reader = lab.reader(credentials=Credentials(USER, "wrong"))
    outcomes = await asyncio.gather(*(reader.read(HostName(host), GET_VM) for host in hosts), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {SignInRefused}
    assert lab.server.statistics.by_user(USER).sign_in_failures <= 2


@pytest.mark.parametrize("https", [True, False])
async def test_change_that_loses_its_connection_is_heard_on_a_new_one_and_never_resent(lab: Lab, https: bool) -> None:
    writer = lab.writer(https=https)
    await writer.change(N1, CHANGE)
    lab.faults.throw(Fault.CUT_RECEIVE, strikes=1)
    assert (await writer.change(N1, CHANGE)).rows == ({"Value": "changed"},)
    assert lab.engine.told("Test-Change") == 2


async def test_change_that_never_hears_again_says_that_nobody_knows(lab: Lab) -> None:
    writer = lab.writer()
    await writer.change(N1, CHANGE)
    waiting = call("Test-Change", Parameter("Wait", True, ParameterType.SWITCH), effect=Effect.CHANGES, deadline_s=1.5)
    lab.engine.started.clear()
    task = asyncio.create_task(writer.change(N1, waiting))
    await lab.engine.started.wait()
    lab.faults.throw(Fault.REFUSE)
    with pytest.raises(TimedOut, match="Nobody knows"):
        await task
    assert lab.engine.told("Test-Change") == 2


async def test_change_to_a_node_that_is_away_was_not_sent(lab: Lab) -> None:
    lab.faults.throw(Fault.REFUSE)
    with pytest.raises(Unreachable, match="was not sent") as caught:
        await lab.writer().change(N1, CHANGE)
    assert not isinstance(caught.value, TimedOut)


@pytest.mark.parametrize("https", [True, False])
async def test_read_survives_a_cut(lab: Lab, https: bool) -> None:
    reader = lab.reader(https=https)
    await reader.read(N1, GET_VM)
    lab.faults.throw(Fault.CUT_RECEIVE, strikes=1, amount=0.5)
    assert len((await reader.read(N1, call("Get-VM", count(50)))).rows) == 50
    assert lab.server.open_shells("N1") == 1


@pytest.mark.parametrize("https", [True, False])
async def test_black_hole_is_a_time_out_at_the_deadline(lab: Lab, https: bool) -> None:
    reader = lab.reader(https=https)
    await reader.read(N1, GET_VM)
    await quiet(lab)
    lab.faults.throw(Fault.BLACK_HOLE)
    started = perf_counter()
    with pytest.raises(TimedOut):
        await reader.read(N1, replace(GET_VM, deadline_s=1.0))
    assert 0.9 <= perf_counter() - started < 2.5
    lab.faults.lift_all()
    assert (await reader.read(N1, GET_VM)).rows == (VM,)


async def test_black_hole_at_the_door(lab: Lab) -> None:
    lab.faults.throw(Fault.BLACK_HOLE)
    with pytest.raises(Unreachable):
        await lab.reader(replace(FAST, open_timeout_s=0.5)).read(N1, GET_VM)


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.HTML, Fault.BROKEN_XML])
async def test_nonsense_is_called_so_and_forgotten(lab: Lab, fault: Fault) -> None:
    reader = lab.reader()
    await reader.read(N1, GET_VM)
    lab.faults.throw(fault)
    with pytest.raises((ProtocolBroken, SessionGone, Unreachable)):
        await reader.read(N1, replace(GET_VM, deadline_s=2.0))
    lab.faults.lift_all()
    assert (await reader.read(N1, GET_VM)).rows == (VM,)


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.BROKEN_XML])
async def test_nonsense_at_the_door(lab: Lab, fault: Fault) -> None:
    lab.faults.throw(fault)
    with pytest.raises(ProtocolBroken):
        await lab.reader().read(N1, GET_VM)


@pytest.mark.parametrize("https", [True, False])
async def test_idle_close_is_survived(start_lab: StartLab, https: bool) -> None:
    lab = await start_lab(traits=Traits(idle_close_s=120.0))
    reader, writer = lab.reader(https=https), lab.writer(https=https)
    for _ in range(3):
        assert (await reader.read(N1, GET_VM)).rows == (VM,)
        assert (await writer.change(N1, CHANGE)).rows == ({"Value": "changed"},)
        await quiet(lab)
        lab.clock.advance(121.0)
        await settles(lambda: lab.server.open_connections("N1") == 0)
    assert lab.server.open_shells("N1") == 2
    assert lab.engine.told("Test-Change") == 3


async def quiet(lab: Lab) -> None:
    """Wait until every finished pipeline was freed, so that the connections are idle."""
    await settles(lambda: lab.server.open_pipelines("N1") == 0)


async def test_session_that_is_gone_is_opened_again(lab: Lab) -> None:
    reader, writer = lab.reader(), lab.writer()
    await reader.read(N1, GET_VM)
    await writer.change(N1, CHANGE)
    lab.faults.throw(Fault.SHELL_GONE)
    assert (await reader.read(N1, GET_VM)).rows == (VM,)
    assert (await writer.change(N1, CHANGE)).rows == ({"Value": "changed"},)
    assert lab.engine.told("Test-Change") == 2


async def test_quota_is_waited_for(lab: Lab) -> None:
    lab.faults.throw(Fault.QUOTA, strikes=2)
    clock = ManualClock()
    reader = lab.reader(clock=clock)
    task = asyncio.create_task(reader.read(N1, GET_VM))
    while not task.done():
        wake_s = clock.next_wake_s()
        await asyncio.sleep(0) if wake_s is None else clock.advance(wake_s - clock.elapsed_s())
    assert (await task).rows == (VM,)
    assert clock.elapsed_s() == 1.5
    lab.faults.throw(Fault.QUOTA)
    with pytest.raises(Busy, match="was not sent"):
        await lab.writer().change(N1, CHANGE)


async def test_restarting_service_is_busy(lab: Lab) -> None:
    lab.faults.throw(Fault.UNAVAILABLE)
    with pytest.raises(Busy):
        await lab.writer().change(N1, CHANGE)


async def test_every_pipeline_is_freed(start_lab: StartLab) -> None:
    lab = await start_lab(traits=Traits(commands_per_shell=3))
    reader = lab.reader()
    for _ in range(8):
        await reader.read(N1, GET_VM)
    with pytest.raises(CommandFailed):
        await reader.read(N1, call("Test-Terminating"))
    await reader.read(N1, GET_VM)
    assert lab.server.open_shells("N1") == 1


@pytest.mark.parametrize("one_by_one", [True, False])
async def test_large_answers(start_lab: StartLab, one_by_one: bool) -> None:
    lab = await start_lab(traits=Traits(one_message_per_receive=one_by_one))
    vms = 60 if one_by_one else 1500
    rows = (await lab.reader(https=False).read(N1, call("Get-VM", count(vms)))).rows
    assert [row["MemoryAssigned"] for row in rows] == [2**33 + index for index in range(vms)]


async def test_constrained_endpoint(lab: Lab) -> None:
    reader = lab.reader(replace(FAST, configuration_name=WATCH))
    assert (await reader.read(N1, call("Get-VM", count(2), function="Get-DrainboardVm"))).rows[0] == VM
    assert lab.engine.told("Get-VM") == 0
    assert lab.engine.contexts[-1].constrained
    with pytest.raises(CommandMissing):
        await reader.read(N1, GET_VM)
    with pytest.raises(CommandMissing):
        await reader.read(N1, replace(GET_VM, constrained_function="Get-Other"))


async def test_endpoint_that_is_not_there(lab: Lab) -> None:
    with pytest.raises(EndpointMissing, match="Other"):
        await lab.reader(replace(FAST, configuration_name="Other")).read(N1, GET_VM)


async def test_unknown_authority_is_not_trusted(lab: Lab) -> None:
    somebody_else = ssl.get_default_verify_paths().cafile
    options = FAST if somebody_else is None else replace(FAST, ca_file=Path(somebody_else))
    with pytest.raises(Refused, match="certificate"):
        await lab.reader(options).read(N1, GET_VM)
    assert lab.server.statistics.total().sign_in_attempts == 0


async def test_missing_authority_file(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="file"):
        await lab.reader(replace(FAST, ca_file=tmp_path / "nothing.pem")).read(N1, GET_VM)


async def test_https_to_a_port_that_speaks_http(lab: Lab) -> None:
    target = replace(lab.targets(https=False)[0], host=HostName("N2"), https=True)
    reader = lab.reader()
    reader.add(target)
    with pytest.raises((Refused, Unreachable)):
        await reader.read(target.host, GET_VM)


async def test_kerberos_without_its_library(lab: Lab) -> None:
    with pytest.raises(Failure) as caught:
        await lab.reader(replace(FAST, authentication=Authentication.KERBEROS)).read(N1, GET_VM)
    assert caught.value.advice


async def test_environment_does_not_decide_whom_we_ask_or_trust(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere.pem")
    assert (await lab.reader().read(N1, GET_VM)).rows == (VM,)
    assert (await lab.reader(https=False).read(N1, GET_VM)).rows == (VM,)


async def test_many_hosts_at_once(start_lab: StartLab) -> None:
    hosts = [f"N{number}" for number in range(1, 17)]
    lab = await start_lab(*hosts)
    reader, writer = lab.reader(WireOptions()), lab.writer(WireOptions())
    wanted = call("Get-VM", count(20))
    for _ in range(2):
        answers = await asyncio.gather(
            *(reader.read(HostName(host), wanted) for host in hosts),
            *(writer.change(HostName(host), CHANGE) for host in hosts),
        )
        assert [len(answer.rows) for answer in answers] == [20] * 16 + [1] * 16


async def test_closing_leaves_nothing_behind(lab: Lab) -> None:
    reader, writer = lab.reader(), lab.writer(https=False)
    await reader.read(N1, GET_VM)
    await writer.change(N1, CHANGE)
    await reader.close()
    await writer.close()
    assert lab.server.open_shells("N1") == 0
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("wire ")] == []
    with pytest.raises(SessionGone):
        await reader.read(N1, GET_VM)
