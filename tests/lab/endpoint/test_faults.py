"""Faults as a client meets them, and output that survives cut connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from console.lab.endpoint.faults import Fault, FaultBoard
from console.lab.endpoint.outbox import Outbox
from console.lab.endpoint.traits import Traits
from tests.lab.endpoint.proxy import CuttingProxy
from tests.lab.endpoint.support import HOST, Lab, StartLab, invoke, soon
from tests.lab.settling import settles


def ask(wsman: WSMan) -> int:
    with RunspacePool(wsman) as pool:
        return len(invoke(pool, "Get-VM", Count=2).output)


async def test_refused_connections_come_back_on_the_same_ports(lab: Lab) -> None:
    lab.faults.throw(Fault.REFUSE, HOST)
    for auth, ssl in (("basic", True), ("ntlm", False)):
        with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
            await lab.client(ask, auth, ssl=ssl)
    lab.faults.lift(Fault.REFUSE, HOST)
    for auth, ssl in (("basic", True), ("ntlm", False)):
        assert await lab.client(ask, auth, ssl=ssl) == 2


async def test_refusing_cuts_what_is_open(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Test-Wait").begin_invoke()
        shell.poll_invoke()
        soon(loop, lambda: lab.faults.throw(Fault.REFUSE))
        with pytest.raises(requests.exceptions.ConnectionError):
            shell.end_invoke()

    loop = asyncio.get_running_loop()
    await lab.client(work)
    await settles(lambda: lab.server.open_connections(HOST) == 0)


@pytest.mark.parametrize(("auth", "ssl"), [("basic", True), ("ntlm", False)])
async def test_a_black_hole_takes_and_never_gives(lab: Lab, auth: str, ssl: bool) -> None:
    lab.faults.throw(Fault.BLACK_HOLE)
    with pytest.raises(requests.exceptions.ReadTimeout):
        await lab.client(ask, auth, ssl=ssl, read_timeout=0.2)
    lab.faults.lift(Fault.BLACK_HOLE)
    assert await lab.client(ask, auth, ssl=ssl) == 2


async def test_a_black_hole_swallows_an_answer_under_way(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        lab.faults.throw(Fault.BLACK_HOLE)
        with pytest.raises(requests.exceptions.ReadTimeout):
            invoke(pool, "Get-VM")

    await lab.client(work, read_timeout=0.2)


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.HTML, Fault.BROKEN_XML])
async def test_nonsense_is_no_answer(lab: Lab, fault: Fault) -> None:
    lab.faults.throw(fault, HOST)
    with pytest.raises((SyntaxError, WinRMError, requests.exceptions.ConnectionError)):
        await lab.client(ask)
    lab.faults.lift(fault)
    assert await lab.client(ask) == 2


async def test_unavailable_is_http_503(lab: Lab) -> None:
    lab.faults.throw(Fault.UNAVAILABLE, HOST, strikes=1)
    with pytest.raises(WinRMTransportError) as caught:
        await lab.client(ask)
    assert caught.value.code == 503
    assert await lab.client(ask) == 2


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize(("auth", "ssl"), [("basic", True), ("ntlm", True)])
async def test_a_receive_that_was_cut_is_delivered_again(lab: Lab, auth: str, ssl: bool, share: float) -> None:
    def work(wsman: WSMan) -> list[str]:
        with RunspacePool(wsman) as pool, PowerShell(pool) as shell:
            shell.add_cmdlet("Get-VM").add_parameter("Count", 50).begin_invoke()
            lab.faults.throw(Fault.CUT_RECEIVE, HOST, amount=share, strikes=1)
            with pytest.raises(requests.exceptions.RequestException):
                shell.end_invoke()
            shell.end_invoke()
            return [each.adapted_properties["Name"] for each in shell.output]

    assert await lab.client(work, auth, ssl=ssl) == [f"vm{index}" for index in range(50)]


@pytest.mark.parametrize("cut_after", [1, 1000, 200_000, 600_000])
async def test_output_survives_a_proxy_that_cuts(lab: Lab, cut_after: int) -> None:
    text = "x" * 20_000

    def work(wsman: WSMan) -> list[str]:
        with RunspacePool(wsman) as pool, PowerShell(pool) as shell:
            shell.add_cmdlet("Get-VM").add_parameters({"Count": 50, "Text": text}).begin_invoke()
            proxy.cut_after = cut_after
            failures = 0
            while True:
                try:
                    shell.end_invoke()
                    break
                except requests.exceptions.RequestException:
                    failures += 1
            assert failures == proxy.cuts == 1
            return [each.adapted_properties["Name"] for each in shell.output]

    assert lab.listener.https_port is not None
    async with CuttingProxy(lab.listener.https_port) as proxy:
        got = await lab.client(work, port=proxy.port)
    assert got == [f"vm{index}" for index in range(50)]


async def test_a_receive_whose_client_went_away_takes_nothing(lab: Lab) -> None:
    def work(wsman: WSMan) -> list[object]:
        with RunspacePool(wsman) as pool, PowerShell(pool) as shell:
            shell.add_cmdlet("Test-Wait").begin_invoke()
            shell.poll_invoke()
            soon(loop, proxy.cut_all)
            with pytest.raises(requests.exceptions.ConnectionError):
                shell.poll_invoke()
            loop.call_soon_threadsafe(lab.engine.release.set)
            return shell.end_invoke()

    loop = asyncio.get_running_loop()
    assert lab.listener.https_port is not None
    async with CuttingProxy(lab.listener.https_port) as proxy:
        assert await lab.client(work, port=proxy.port) == ["waiting", "released"]


async def test_a_receive_that_is_repeated_after_a_timeout_gets_the_same_output(lab: Lab) -> None:
    """The proxy swallows the answer and stays open: only the repeated MessageID tells."""

    def work(wsman: WSMan) -> list[str]:
        with RunspacePool(wsman) as pool, PowerShell(pool) as shell:
            shell.add_cmdlet("Get-VM").add_parameter("Count", 5).begin_invoke()
            proxy.swallow = True
            soon(loop, lambda: setattr(proxy, "swallow", False))
            shell.end_invoke()
            return [each.adapted_properties["Name"] for each in shell.output]

    loop = asyncio.get_running_loop()
    assert lab.listener.https_port is not None
    async with CuttingProxy(lab.listener.https_port) as proxy:
        got = await lab.client(work, port=proxy.port, read_timeout=0.3, reconnection_backoff=0.01)
        assert proxy.connections == 2
    assert got == [f"vm{index}" for index in range(5)]


async def test_an_idle_connection_is_closed_and_nothing_comes_twice(start_lab: StartLab) -> None:
    lab = await start_lab(Traits(idle_close_s=120))

    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman) as pool, PowerShell(pool) as shell:
            shell.add_cmdlet("Test-Wait").begin_invoke()
            shell.poll_invoke()
            idle(120)
            loop.call_soon_threadsafe(lab.engine.release.set)
            assert shell.end_invoke() == ["waiting", "released"]
            idle(60)
            assert pool.is_alive()

    def idle(seconds: float) -> None:
        asyncio.run_coroutine_threadsafe(_advance(lab, seconds), loop).result(20)

    loop = asyncio.get_running_loop()
    await lab.client(work)


async def test_an_idle_session_shows_as_disconnected(lab: Lab) -> None:
    lab.faults.throw(Fault.IDLE_CLOSE, HOST, amount=10)

    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        asyncio.run_coroutine_threadsafe(_advance(lab, 10), loop).result(20)
        with lab.wsman() as fresh:
            RunspacePool.get_runspace_pools(fresh)  # opens a connection to ask on
            pool.connection = pool.shell.wsman = fresh
            assert pool.shell._get_shell()["State"] == "Disconnected"
            assert not pool.is_alive()

    loop = asyncio.get_running_loop()
    await lab.client(work)


async def test_encryption_does_not_survive_an_idle_close(lab: Lab) -> None:
    """As measured: 400 for ever after, until the client signs in anew."""
    lab.faults.throw(Fault.IDLE_CLOSE, HOST, amount=10)

    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        asyncio.run_coroutine_threadsafe(_advance(lab, 10), loop).result(20)
        for _ in range(2):
            with pytest.raises(WinRMTransportError) as caught:
                invoke(pool, "Get-VM")
            assert caught.value.code == 400
        wsman.transport.session.close()  # type: ignore[union-attr]
        wsman.transport.session = wsman.transport.encryption = None
        assert invoke(pool, "Get-VM").output

    loop = asyncio.get_running_loop()
    await lab.client(work, "ntlm", ssl=False)


async def _advance(lab: Lab, seconds: float) -> None:
    before = lab.server.open_connections(HOST)
    lab.clock.advance(seconds)
    for _ in range(20):
        await asyncio.sleep(0)
    if seconds >= 10 and seconds != 60:
        await settles(lambda: lab.server.open_connections(HOST) < before)


async def test_a_refused_sign_in_is_one_attempt(lab: Lab) -> None:
    lab.faults.throw(Fault.SIGN_IN_REFUSED, HOST)
    with pytest.raises(AuthenticationError):
        await lab.client(ask, "negotiate")
    assert lab.server.statistics.by_host(HOST).sign_in_attempts == 1


def test_a_fault_strikes_as_often_as_it_was_thrown_to() -> None:
    board = FaultBoard()
    board.throw(Fault.HTML, "A", amount=3, strikes=2)
    assert board.strike(Fault.HTML, "B") is None
    assert [board.strike(Fault.HTML, "A") for _ in range(3)] == [3, 3, None]
    with pytest.raises(ValueError, match="at least once"):
        board.throw(Fault.HTML, strikes=0)


def test_a_fault_of_one_host_stands_beside_one_of_all() -> None:
    board = FaultBoard()
    changes: list[tuple[Fault, str, bool]] = []
    board.subscribe(lambda fault, host, thrown: changes.append((fault, host, thrown)))
    board.throw(Fault.SLOW_OPEN, amount=5)
    board.throw(Fault.SLOW_OPEN, "A", amount=9)
    assert (board.amount(Fault.SLOW_OPEN, "A"), board.amount(Fault.SLOW_OPEN, "B")) == (9, 5)
    board.lift(Fault.SLOW_OPEN, "A")
    assert board.amount(Fault.SLOW_OPEN, "A") == 5
    assert board.active("A") == {Fault.SLOW_OPEN}
    board.lift_all()
    assert board.active("A") == frozenset()
    assert changes[-1] == (Fault.SLOW_OPEN, "", False)


class _Carrier:
    """A connection, as far as an outbox knows one."""

    def __init__(self) -> None:
        self.ended = False

    def listen(self, listener: Callable[[], None]) -> None: ...

    def forget(self, listener: Callable[[], None]) -> None: ...


def test_what_went_out_comes_again_only_if_its_connection_died() -> None:
    first, second = _Carrier(), _Carrier()
    box = Outbox()
    box.put([b"a" * 30, b"b" * 30, b"c" * 30])
    box.begin(first, "1")
    assert box.take(60, first, "1") == [b"a" * 30, b"b" * 30]
    box.begin(second, "2")
    assert box.take(30, second, "2") == [b"c" * 30]
    second.ended = True
    box.begin(first, "3")
    assert box.take(30, first, "3") == [b"c" * 30]
    box.arrived(first)
    first.ended = True
    box.begin(second, "4")
    assert box.take(30, second, "4") == []
