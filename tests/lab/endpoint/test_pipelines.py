"""What pipelines give: output, records, ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.lab.endpoint.support import Lab, invoke


def in_pool(command: str, **parameters: object) -> Callable[[WSMan], PowerShell]:
    """Work that runs one command in a pool of its own."""

    def work(wsman: WSMan) -> PowerShell:
        with RunspacePool(wsman) as pool:
            return invoke(pool, command, **parameters)

    return work


async def test_errors_leave_the_pipeline_going(lab: Lab) -> None:
    shell = await lab.client(in_pool("Test-Errors"))
    assert shell.output == ["before", "after"]
    assert shell.state == PSInvocationState.COMPLETED
    assert [str(each) for each in shell.streams.warning] == ["careful <now>"]
    (error,) = shell.streams.error
    assert str(error) == "no VM called \u202ebad\x1b[31m"
    assert error.fq_error == "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVM"
    assert (error.category, error.target_name, error.target_type) == (13, "bad", "String")
    assert error.message == "ObjectNotFound: (bad:String) [Get-VM], VirtualizationException"
    exception = error.exception
    assert exception is not None
    assert exception.types[0] == "Microsoft.HyperV.PowerShell.VirtualizationException"
    assert exception.adapted_properties["HResult"] == 0x80071398 - 2**32
    assert exception.adapted_properties["InnerException"].adapted_properties["NativeErrorCode"] == 5016


async def test_a_terminating_error_ends_in_failed_after_its_output(lab: Lab) -> None:
    shell = await lab.client(in_pool("Test-Terminating"))
    assert shell.state == PSInvocationState.FAILED
    assert shell.had_errors
    assert shell.output == ["before"]
    assert [error.fq_error for error in shell.streams.error] == ["Failed,Test"]


async def test_an_unknown_command_is_the_engines_to_refuse(lab: Lab) -> None:
    shell = await lab.client(in_pool("Get-Nothing"))
    assert [str(error) for error in shell.streams.error] == ["engine knows no Get-Nothing"]


async def test_an_engine_that_breaks_is_heard_of(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    shell = await lab.client(in_pool("Test-Broken"))
    assert shell.state == PSInvocationState.FAILED
    assert "RuntimeError: engine bug" in str(shell.streams.error[0])
    assert "An engine failed" in caplog.text


async def test_progress_arrives_in_order_after_the_noise_of_first_use(lab: Lab) -> None:
    shell = await lab.client(in_pool("Test-Progress"))
    said = [(record.activity, record.percent_complete) for record in shell.streams.progress]
    assert said == [("Preparing modules for first use.", -1), ("Moving", 0), ("Moving", 50), ("Moving", 100)]


async def test_a_prompt_is_an_error_and_no_wait(lab: Lab) -> None:
    shell = await lab.client(in_pool("Read-Host", Prompt="sure?"))
    assert shell.state == PSInvocationState.FAILED
    assert shell.streams.error[0].fq_error == "HostFunctionNotImplemented,Read-Host"


async def test_stop_cancels_the_engine_and_the_command_can_still_be_closed(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman) as pool:
            with PowerShell(pool) as shell:
                shell.add_cmdlet("Test-Wait").begin_invoke()
                shell.poll_invoke()
                shell.stop()
            assert invoke(pool, "Get-VM").output

    await lab.client(work)
    assert lab.engine.stopped == 1


async def test_a_stopped_pipeline_says_so(lab: Lab) -> None:
    def work(wsman: WSMan) -> PowerShell:
        with RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Test-Wait").begin_invoke()
            shell.poll_invoke()
            pool.shell.signal("powershell/signal/crtl_c", shell.id)
            shell.end_invoke()
            shell.close()
            return shell

    shell = await lab.client(work)
    assert shell.state == PSInvocationState.STOPPED
    assert shell.streams.error[0].fq_error == "PipelineStopped"


@pytest.mark.parametrize(("runspaces", "running"), [(1, 1), (5, 5)])
async def test_pipelines_of_one_pool_run_at_once_as_far_as_it_is_wide(lab: Lab, runspaces: int, running: int) -> None:
    def work(wsman: WSMan) -> list[list[object]]:
        with RunspacePool(wsman, max_runspaces=runspaces) as pool:
            shells = [PowerShell(pool) for _ in range(5)]
            for shell in shells:
                shell.add_cmdlet("Test-Wait").begin_invoke()
            assert pool.get_available_runspaces() == 0
            assert len(lab.engine.asked) == running
            loop.call_soon_threadsafe(lab.engine.release.set)
            return [shell.end_invoke() for shell in shells]

    loop = asyncio.get_running_loop()
    assert await lab.client(work) == [["waiting", "released"]] * 5


async def test_a_long_pipeline_outlives_operation_timeouts(lab: Lab) -> None:
    def work(wsman: WSMan) -> list[object]:
        with RunspacePool(wsman) as pool, PowerShell(pool) as shell:
            shell.add_cmdlet("Test-Wait").begin_invoke()
            shell.poll_invoke(timeout=1)
            with pytest.raises(WSManFaultError) as caught:
                pool.shell.receive("stdout", command_id=shell.id, timeout=1)
            assert caught.value.code == 2150858793
            loop.call_soon_threadsafe(lab.engine.release.set)
            return shell.end_invoke()

    loop = asyncio.get_running_loop()
    assert await lab.client(work) == ["waiting", "released"]


@pytest.mark.parametrize(("auth", "ssl"), [("basic", True), ("ntlm", False)])
async def test_three_megabytes_come_through_whole(lab: Lab, auth: str, ssl: bool) -> None:
    text = "".join(chr(0x21 + index % 90) for index in range(100_000))
    shell = await lab.client(in_pool("Get-VM", Count=30, Text=text), auth, ssl=ssl)
    assert [each.adapted_properties["Notes"] for each in shell.output] == [text] * 30


async def test_a_pool_can_be_changed_and_reset(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman) as pool:
            pool.max_runspaces = 4
            assert pool.get_available_runspaces() == 4
            pool.min_runspaces = 2
            pool.reset_runspace_state()
            assert pool.is_alive()

    await lab.client(work)


async def test_two_statements_run_one_after_the_other(lab: Lab) -> None:
    def work(wsman: WSMan) -> list[object]:
        with RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Test-Echo").add_argument("first").add_statement()
            shell.add_cmdlet("Test-Echo").add_argument("second")
            return shell.invoke()

    assert await lab.client(work) == [{}, ["first"], {}, ["second"]]


async def test_input_reaches_the_first_command(lab: Lab) -> None:
    def work(wsman: WSMan) -> list[object]:
        with RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Test-Echo")
            return shell.invoke(input=(each for each in ["a", "b"]))

    assert await lab.client(work) == [{"InputObject": ["a", "b"]}, []]


async def test_a_secure_string_is_read_after_the_key_exchange(lab: Lab) -> None:
    from pypsrp.complex_objects import ObjectMeta

    def work(wsman: WSMan) -> list[object]:
        with RunspacePool(wsman) as pool:
            pool.exchange_keys()
            secret = pool.serialize("hidden", ObjectMeta("SS"))
            return invoke(pool, "Test-Echo", Secret=secret).output

    assert await lab.client(work) == [{"Secret": "hidden"}, []]


async def test_a_number_outside_its_type_is_refused(lab: Lab) -> None:
    def work(wsman: WSMan) -> None:
        with RunspacePool(wsman) as pool:
            with pytest.raises(WSManFaultError) as caught:
                invoke(pool, "Get-VM", Count=2**33)
            assert "too large" in caught.value.reason
            assert invoke(pool, "Get-VM").output

    await lab.client(work)
    assert len(lab.engine.asked) == 1


async def test_a_round_trip_is_quick(lab: Lab) -> None:
    """Client and lab together, in processor time: the wall's depends on what else runs."""

    def work(wsman: WSMan) -> float:
        with RunspacePool(wsman) as pool:
            invoke(pool, "Get-VM")
            start = time.process_time()
            for _ in range(10):
                invoke(pool, "Get-VM")
            return (time.process_time() - start) / 10

    assert await lab.client(work) < 0.1
