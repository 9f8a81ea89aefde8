"""The life of shells: quotas, slow opening, leaving and coming back, being lost."""

from __future__ import annotations

import asyncio

import pytest
from pypsrp.complex_objects import RunspacePoolState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from console.lab.endpoint.faults import Fault
from console.lab.endpoint.traits import Traits
from tests.lab.endpoint.support import HOST, PASSWORD, READER, USER, Lab, StartLab, invoke, soon

GONE = 0x8033805B
TIMED_OUT = 0x80338029


async def test_a_closed_pool_is_gone(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        assert pool.is_alive()
        shell = PowerShell(pool)
        shell.add_cmdlet("Test-Wait").begin_invoke()
        shell.poll_invoke()
        pool.close()
        with pytest.raises(WSManFaultError) as caught:
            shell.poll_invoke()
        assert caught.value.code == GONE
        assert not pool.is_alive()

    await lab.client(work)
    assert lab.engine.stopped == 1
    assert lab.server.open_shells(HOST) == 0


async def test_a_user_has_so_many_shells(start_lab: StartLab) -> None:
    lab = await start_lab(Traits(shells_per_user=2))

    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman), RunspacePool(wsman):
            with pytest.raises(WSManFaultError) as caught:
                RunspacePool(wsman).open()
            assert caught.value.code == 0x803381A5
        with RunspacePool(wsman) as pool:
            assert invoke(pool, "Get-VM").output

    await lab.client(work)


async def test_one_users_shells_do_not_count_for_another(start_lab: StartLab) -> None:
    lab = await start_lab(Traits(shells_per_user=1))

    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman), lab.wsman(username=READER) as other:
            RunspacePool(other, configuration_name="Drainboard.Watch").open()

    await lab.client(work)


async def test_another_users_shell_can_not_be_found(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman) as pool, lab.wsman(username=READER) as other:
            stolen = RunspacePool(other)
            stolen.shell._selector_set = pool.shell._selector_set
            assert not stolen.is_alive()

    await lab.client(work)


async def test_commands_that_nobody_closes_use_up_their_quota(start_lab: StartLab) -> None:
    lab = await start_lab(Traits(commands_per_shell=3))

    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman) as pool:
            shells = [PowerShell(pool).add_cmdlet("Get-VM") for _ in range(4)]
            for shell in shells[:3]:
                shell.invoke()
            with pytest.raises(WSManFaultError) as caught:
                shells[3].invoke()
            assert caught.value.code == 0x803381E9
            shells[0].close()
            assert invoke(pool, "Get-VM").output

    await lab.client(work)


async def test_a_slow_open_outlasts_the_clients_patience(start_lab: StartLab) -> None:
    lab = await start_lab(Traits(slow_open_s=40))

    def impatient(wsman: WSMan) -> None:
        with pytest.raises(WSManFaultError) as caught:
            RunspacePool(wsman).open()
        assert caught.value.code == TIMED_OUT

    await lab.client(impatient, operation_timeout=1)

    def patient(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        soon(loop, lambda: lab.clock.advance(40))
        pool.open()
        pool.close()

    loop = asyncio.get_running_loop()
    await lab.client(patient)


async def test_one_slow_open_can_be_thrown(lab: Lab) -> None:
    lab.faults.throw(Fault.SLOW_OPEN, HOST, strikes=1)

    def work(wsman: WSMan) -> None:
        with pytest.raises(WSManFaultError):
            RunspacePool(wsman).open()
        with RunspacePool(wsman) as pool:
            assert pool.is_alive()

    await lab.client(work, operation_timeout=1)


async def test_a_shell_expires_when_nobody_uses_it(start_lab: StartLab) -> None:
    lab = await start_lab(Traits(shell_idle_timeout_s=600))

    def work(wsman: WSMan) -> RunspacePool:
        pool = RunspacePool(wsman)
        pool.open()
        invoke(pool, "Get-VM")
        return pool

    pool = await lab.client(work)
    lab.clock.advance(601)

    def again(wsman: WSMan) -> None:
        pool.connection = pool.shell.wsman = wsman
        RunspacePool(wsman).open()
        assert not pool.is_alive()

    await lab.client(again)
    assert lab.server.open_shells(HOST) == 1


async def test_a_lost_shell_is_an_invalid_selector(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Test-Wait").begin_invoke()
        shell.poll_invoke()
        soon(loop, lambda: lab.faults.throw(Fault.SHELL_GONE))
        for _ in range(2):  # once while waiting, once afterwards
            with pytest.raises(WSManFaultError) as caught:
                shell.poll_invoke()
            assert caught.value.code == GONE

    loop = asyncio.get_running_loop()
    await lab.client(work)
    assert Fault.SHELL_GONE not in lab.faults.active(HOST)


async def test_quota_can_be_thrown(lab: Lab) -> None:
    lab.faults.throw(Fault.QUOTA, strikes=1)

    def work(wsman: WSMan) -> None:
        with pytest.raises(WSManFaultError) as caught:
            RunspacePool(wsman).open()
        assert caught.value.code == 0x803381A5
        RunspacePool(wsman).open()

    await lab.client(work)


async def test_a_pool_can_be_left_and_taken_up_again(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        pool = RunspacePool(wsman)
        pool.open()
        pool.disconnect()
        assert not RunspacePool.is_alive(pool)
        pool.state = RunspacePoolState.DISCONNECTED  # is_alive takes a disconnected pool for a closed one
        pool.connect()
        assert invoke(pool, "Get-VM").output
        assert pool.is_alive()
        pool.close()

    await lab.client(work)


async def test_another_client_can_find_and_attach_to_a_pool(lab: Lab) -> None:
    def leave(wsman: WSMan) -> str:
        pool = RunspacePool(wsman)
        pool.open()
        shell = PowerShell(pool)
        shell.add_cmdlet("Test-Wait").begin_invoke()
        pool.disconnect()
        return pool.id

    def attach(wsman: WSMan) -> list[object]:
        (pool,) = RunspacePool.get_runspace_pools(wsman)
        assert pool.id == left
        pool.connect()
        assert pool.protocol_version == "2.3"
        (shell,) = pool.create_disconnected_power_shells()
        shell.connect_async()  # type: ignore[no-untyped-call]
        loop.call_soon_threadsafe(lab.engine.release.set)
        output: list[object] = shell.end_invoke()
        assert invoke(pool, "Get-VM").output
        pool.close()
        return output

    loop = asyncio.get_running_loop()
    left = await lab.client(leave)
    assert await lab.client(attach) == ["waiting", "released"]


async def test_nothing_to_enumerate(lab: Lab) -> None:
    assert await lab.client(RunspacePool.get_runspace_pools) == []


async def test_the_servers_configuration_can_be_asked(lab: Lab) -> None:
    def work(wsman: WSMan) -> int:
        wsman.update_max_payload_size()
        return wsman.max_envelope_size

    assert await lab.client(work) == 512_000


async def test_users_are_told_apart_in_the_statistics(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman, configuration_name="Drainboard.Watch") as pool:
            invoke(pool, "Get-VM")

    await lab.client(work)
    await lab.client(work, username=READER, password=PASSWORD)
    statistics = lab.server.statistics
    assert statistics.of(HOST, USER) == statistics.of(HOST, READER)
    assert statistics.by_host(HOST).pipelines == statistics.total().pipelines == 2
    assert statistics.by_user(USER).requests == 6
