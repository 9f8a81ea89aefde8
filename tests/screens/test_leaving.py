"""Handing over and leaving: what does not start is named, and nothing is asked before the node's name was typed."""

from __future__ import annotations

from dataclasses import replace

from console.actions import BY_ID
from console.drain import requests
from console.drain.handing_over import saved_by_drain
from console.drain.state import MoveState, Purpose
from console.planner.values import Engine
from screens.hand_over import hand_over_lines
from screens.quit import quit_lines
from screens.run import RunScreen
from screens.typed import TypedScreen
from tests.screens.driving import Console, console, pass_time, text_of, until
from tests.screens.fakes import FakeOperations, FakeRun, cluster_of, run_of


async def _opened(opened: Console, operations: FakeOperations, handle: FakeRun) -> RunScreen:
    opened[0]._open_run(handle.run)
    await pass_time(opened[1], operations, 2)
    screen = opened[0].screen
    assert isinstance(screen, RunScreen)
    return screen


async def test_the_rest_is_handed_over_once_the_name_was_typed() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        screen = await _opened(opened, operations, handle)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, TypedScreen))
        await pilot.pause()
        assert "Suspend-ClusterNode HV01 -Drain is sent once" in text_of(app)
        assert "This plan starts nothing more" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert handle.requests == []
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, TypedScreen))
        await pilot.press(*"hv01", "enter")
        await until(pilot, lambda: app.screen is screen)
        await pilot.pause()
        assert handle.requests == [requests.HandOver(anyway=False)]
        await pass_time(pilot, operations, 1)
        assert "own drain works already" in screen.refusal(BY_ID["run.hand-over"])
        assert "decides what starts" in screen.refusal(BY_ID["run.more"])
        assert "the cluster's own drain empties HV01" in text_of(app)


async def test_what_the_cluster_moves_against_this_run_is_named_and_agreed_to() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        await _opened(opened, operations, handle)
        held = next(m for m in handle.state().moves.values() if m.state is MoveState.PLANNED)
        handle.force(held.vm.id, state=MoveState.HELD)
        await pass_time(pilot, operations, 1)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, TypedScreen))
        await pilot.pause()
        assert held.vm.name in text_of(app)
        assert "MOVED TOO" in text_of(app)
        await pilot.press(*"HV01", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.pause()
        assert handle.requests == [requests.HandOver(anyway=True)]


def test_low_priorities_are_named_as_the_cluster_saves_them() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    run = run_of(operations).state()
    waiting = [move for move in run.moves.values() if move.live]
    low = replace(operations.cluster.vm_by_id[waiting[0].vm.id], priority=1000)
    others = tuple(low if vm.id == low.id else replace(vm, priority=2000) for vm in operations.cluster.vms)
    settings = replace(operations.cluster.settings, move_type_threshold=1001)
    cluster = replace(operations.cluster, vms=others, settings=settings)
    assert [vm.id for vm in saved_by_drain(cluster, waiting)] == [low.id]


async def test_leaving_says_what_does_not_start_and_can_hand_over() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        await _opened(opened, operations, handle)
        waiting = next(m.vm.name for m in handle.state().moves.values() if m.state is MoveState.PLANNED)
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert "Without a runner these do NOT start" in text_of(app)
        assert waiting in text_of(app)
        await pilot.press("j", "j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, TypedScreen))
        await pilot.press(*"HV01", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.pause()
        assert [type(request) for request in handle.requests] == [requests.HandOver]
        assert app.is_running


def test_after_a_handover_nothing_is_said_not_to_start() -> None:
    run = replace(run_of(FakeOperations(cluster_of(4, 6))).state(), engine=Engine.NATIVE)
    words = " ".join(text for line in quit_lines(run) for text, _ in line)
    assert "with or without a runner" in words
    assert "NOT start" not in words


async def test_a_return_can_not_be_handed_over() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    handle.begin_as(Purpose.RETURN)
    async with console(operations, (80, 24)) as opened:
        screen = await _opened(opened, operations, handle)
        assert "empties a node, and this run fills one" in screen.refusal(BY_ID["run.hand-over"])
        await opened[1].press("N")
        await opened[1].pause()
        assert opened[0].screen is screen
        assert "returning VMs to HV01" in text_of(opened[0])


def test_the_dialog_tells_it_in_every_shape() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    run = run_of(operations).state()

    class Without:
        store = type("Store", (), {"cluster": None})()

    for short in (True, False):
        assert hand_over_lines(run, Without(), short=short)  # type: ignore[arg-type]
