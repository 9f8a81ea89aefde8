"""Owner threads, the two doors and waiting, against a remote end that does what the test says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from requests.exceptions import ReadTimeout

from console.clock import ManualClock
from console.model.failures import Busy, Failure, SessionGone, SignInRefused, TimedOut, Unreachable
from console.model.identity import HostName
from console.ports import Reader, Writer
from console.windows.commands import Cmdlet, Parameter, ParameterType
from console.wire.connection import (
    Authentication,
    Credentials,
    Encryption,
    Target,
    WireOptions,
    WireReader,
    WireWriter,
    connect_reader,
    connect_writer,
)
from tests.wire.fakes import CHANGE, N1, READ, ROWS, World, waiting_for

SOMEBODY = Credentials("LAB\\admin", "secret")


def target(name: str = "N1") -> Target:
    return Target(HostName(name), "127.0.0.1", 5986)


def reader_of(world: World, *names: str, clock: ManualClock | None = None) -> WireReader:
    targets = [target(name) for name in names or ("N1",)]
    return connect_reader(targets, SOMEBODY, WireOptions(), clock or ManualClock(), factory=world.factory)


def writer_of(world: World) -> WireWriter:
    return connect_writer([target()], SOMEBODY, WireOptions(), factory=world.factory)


@pytest.fixture(autouse=True)
async def no_thread_is_left() -> AsyncIterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("wire ")] == []


def busy() -> WSManFaultError:
    return WSManFaultError(0x803381A6, None, "too many", None, None, None)


async def test_reads_come_back_in_order_from_one_thread() -> None:
    world = World()
    threads: set[str] = set()
    world.on_poll = lambda: threads.add(threading.current_thread().name)
    reader: Reader = reader_of(world)
    answers = await asyncio.gather(*(reader.read(N1, READ) for _ in range(10)))
    assert answers == [ROWS.answer] * 10
    assert threads == {"wire N1"}
    assert world.count("open") == 1
    await reader_close(reader)
    assert world.log[-1] == "end"


async def reader_close(reader: Reader) -> None:
    assert isinstance(reader, WireReader)
    await reader.close()


async def test_a_reader_does_not_send_changes_nor_a_writer_questions() -> None:
    world = World()
    reader, writer = reader_of(world), writer_of(world)
    with pytest.raises(ValueError, match="changes something"):
        await reader.read(N1, CHANGE)
    with pytest.raises(ValueError, match="only reads"):
        await writer.change(N1, READ)
    assert world.log == []
    port: Writer = writer
    assert await port.change(N1, CHANGE) == ROWS.answer
    await writer.close()
    await reader.close()


async def test_wrong_parameters_are_refused_before_anything_is_opened() -> None:
    world = World()
    call = replace(READ, pipeline=(Cmdlet("Get-VM", (Parameter("Id", "no guid", ParameterType.GUID),)),))
    with pytest.raises(ValueError, match="Guid"):
        await reader_of(world).read(N1, call)
    assert world.log == []


async def test_unknown_node() -> None:
    with pytest.raises(Unreachable, match="No address"):
        await reader_of(World()).read(HostName("N9"), READ)


async def test_busy_node_is_asked_again_more_and_more_slowly() -> None:
    world = World(begins=[busy(), busy(), busy()])
    clock = ManualClock()
    reader = reader_of(world, clock=clock)
    waits = []
    task = asyncio.create_task(reader.read(N1, READ))
    while not task.done():
        wake_s = clock.next_wake_s()
        if wake_s is None:
            await asyncio.sleep(0)
            continue
        waits.append(wake_s - clock.elapsed_s())
        clock.advance(wake_s - clock.elapsed_s())
    assert await task == ROWS.answer
    assert waits == [0.5, 1.0, 2.0]
    await reader.close()


async def test_busy_for_ever_is_said_after_the_deadline() -> None:
    world = World(begins=[busy()] * 99)
    clock = ManualClock()
    reader = reader_of(world, clock=clock)
    task = asyncio.create_task(reader.read(N1, READ))
    while not task.done():
        wake_s = clock.next_wake_s()
        await asyncio.sleep(0) if wake_s is None else clock.advance(wake_s - clock.elapsed_s())
    with pytest.raises(Busy):
        await task
    assert 15 < clock.elapsed_s() <= READ.deadline_s
    await reader.close()


async def test_busy_change_is_not_repeated() -> None:
    world = World(begins=[busy()])
    writer = writer_of(world)
    with pytest.raises(Busy, match="was not sent"):
        await writer.change(N1, CHANGE)
    assert world.count("begin Suspend-ClusterNode") == 1
    await writer.close()


async def test_cancelled_wait_leaves_the_session_as_it_was() -> None:
    world = World(polls=[None] * 5)
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go_on.wait(5)

    world.on_poll = hold
    reader = reader_of(world)
    with waiting_for(go_on):
        task = asyncio.create_task(reader.read(N1, READ))
        await asyncio.to_thread(entered.wait, 5)
        never_started = asyncio.create_task(reader.read(N1, READ))
        await asyncio.sleep(0)
        for doomed in (task, never_started):
            doomed.cancel()
        await asyncio.gather(task, never_started, return_exceptions=True)
    world.on_poll = None
    assert await reader.read(N1, READ) == ROWS.answer
    assert world.count("open") == 1
    assert world.count("begin Get-ClusterNode") == 2
    await reader.close()
    assert world.count("close") == 2


async def test_those_who_wait_behind_a_dead_node_hear_at_once() -> None:
    world = World(opens=[ReadTimeout()])
    reader = reader_of(world)
    failures = await asyncio.gather(*(reader.read(N1, READ) for _ in range(8)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {TimedOut}
    assert len({id(failure) for failure in failures}) == 8
    assert world.count("open") == 1
    assert await reader.read(N1, READ) == ROWS.answer
    await reader.close()


async def test_wrong_password_is_tried_once_and_again_with_new_credentials() -> None:
    world = World(opens=[AuthenticationError("no")])
    reader = reader_of(world)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            await reader.read(N1, READ)
    assert world.count("open") == 1
    reader.renew(Credentials("LAB\\admin", "other"))
    assert await reader.read(N1, READ) == ROWS.answer
    await reader.close()


async def test_what_is_asked_with_new_credentials_does_not_fail_with_the_old_ones() -> None:
    world = World(opens=[AuthenticationError("no")])
    reader = reader_of(world)
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go_on.wait(10)

    world.on_open = hold
    first = asyncio.create_task(reader.read(N1, READ))
    await asyncio.to_thread(entered.wait, 10)
    second = asyncio.create_task(reader.read(N1, READ))
    await asyncio.sleep(0)
    reader.renew(Credentials("LAB\\admin", "other"))
    third = asyncio.create_task(reader.read(N1, READ))
    await asyncio.sleep(0)
    go_on.set()
    for refused in (first, second):
        with pytest.raises(SignInRefused):
            await refused
    assert await third == ROWS.answer
    await reader.close()


async def test_reader_and_writer_share_their_sign_in() -> None:
    world = World(opens=[AuthenticationError("no")] * 9)
    reader = reader_of(world, "N1", "N2", "N3")
    writer = connect_writer([target()], SOMEBODY, WireOptions(), gate=reader.gate, factory=world.factory)
    reads = await asyncio.gather(*(reader.read(HostName(f"N{n}"), READ) for n in (1, 2, 3)), return_exceptions=True)
    assert {type(failure) for failure in reads} == {SignInRefused}
    with pytest.raises(SignInRefused, match="was not sent"):
        await writer.change(N1, CHANGE)
    assert world.count("open") == 2
    await reader.close()
    await writer.close()


async def test_closing_fails_what_waits_and_refuses_what_comes() -> None:
    world = World(polls=[None] * 1000)
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go_on.wait(0.01)

    world.on_poll = hold
    reader = reader_of(world)
    with waiting_for(go_on):
        running = asyncio.create_task(reader.read(N1, READ))
        await asyncio.to_thread(entered.wait, 5)
        waiting = asyncio.create_task(reader.read(N1, READ))
        await asyncio.sleep(0)
        await reader.close()
    outcomes = await asyncio.gather(running, waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [SessionGone, SessionGone]
    with pytest.raises(SessionGone, match="closing"):
        await reader.read(N1, READ)
    await reader.close()


async def test_unexpected_exception_reaches_the_one_who_asked() -> None:
    world = World()
    world.on_poll = lambda: (_ for _ in ()).throw(MemoryError("odd"))
    reader = reader_of(world)
    with pytest.raises((Failure, MemoryError)):
        await reader.read(N1, READ)
    world.on_poll = None
    assert await reader.read(N1, READ) == ROWS.answer
    await reader.close()


@pytest.mark.parametrize(
    ("https", "credentials", "options"),
    [
        (False, SOMEBODY, WireOptions(authentication=Authentication.BASIC)),
        (True, SOMEBODY, WireOptions(authentication=Authentication.BASIC, encryption=Encryption.ALWAYS)),
        (True, Credentials(), WireOptions(authentication=Authentication.BASIC)),
        (True, SOMEBODY, WireOptions(authentication=Authentication.CERTIFICATE)),
        (
            False,
            Credentials(certificate_file=Path("a"), certificate_key_file=Path("b")),
            WireOptions(authentication=Authentication.CERTIFICATE),
        ),
    ],
)
def test_impossible_sign_ins_are_refused_at_once(https: bool, credentials: Credentials, options: WireOptions) -> None:
    with pytest.raises(ValueError, match="sign-in"):
        connect_reader([Target(N1, "n1", 5985, https)], credentials, options, ManualClock())


def test_secrets_are_not_shown() -> None:
    shown = repr(Credentials("me", "s3cret", certificate_key_password="0ther"))
    assert "s3cret" not in shown
    assert "0ther" not in shown


def test_importing_the_wire_does_not_import_pypsrp() -> None:
    code = (
        "import console.wire.connection, sys; print([m for m in ('pypsrp', 'requests', 'spnego') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
