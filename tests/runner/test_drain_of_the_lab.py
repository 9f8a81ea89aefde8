"""The whole road but the sockets: plan, journal, runner, catalogue, the lab's cmdlets, the world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.drain.ending import exit_code
from console.drain.fold import fold
from console.drain.requests import SetSlots, StopRun
from console.drain.state import MoveState, Outcome
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.model.failures import TimedOut
from console.model.identity import HostName
from console.windows.commands import Effect
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import NODE, Drain


@pytest.fixture
async def drain(tmp_path: Path) -> AsyncIterator[Drain]:
    async with InProcessLab("quiet") as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            yield Drain(lab, LabDoor(lab), journal, tmp_path)


async def test_a_node_is_emptied_and_verified(drain: Drain) -> None:
    plan = await drain.open()
    assert len(plan.moves) == 10
    state = await drain.finish()
    assert state.outcome is Outcome.DRAINED, [(m.vm.name, m.state, m.reason) for m in state.moves.values()]
    assert exit_code(state) == 0
    assert state.verified_empty
    assert state.drain_flag is True
    assert {move.state for move in state.moves.values()} == {MoveState.DONE}
    world = drain.lab.cluster.world
    assert not world.groups_on("HV01")
    assert not world.limits.violations
    assert all(vm.running for vm in world.vms.values())


async def test_the_journal_tells_the_whole_run(drain: Drain) -> None:
    await drain.open()
    state = await drain.finish()
    recorded = list(runs_of(drain.journal).events(drain.run))
    assert fold(recorded) == state == runs_of(drain.journal).load(drain.run)
    assert all(move.blackout_s is not None for move in state.moves.values() if move.live)


async def test_every_change_was_asked_for_once(drain: Drain) -> None:
    plan = await drain.open()
    await drain.finish()
    moves = [call.arguments[0].value for call in drain.door.changes if call.entry.startswith("move-vm-")]
    assert sorted(map(str, moves)) == sorted(move.vm.id for move in plan.moves)
    assert all(call.effect is Effect.CHANGES for call in drain.door.changes)


async def test_a_start_whose_answer_was_lost_is_followed_and_never_sent_again(drain: Drain) -> None:
    await drain.open()
    sent: list[str] = []
    change = drain.door.change

    async def lossy(host: HostName, call: object) -> object:
        answer = await change(host, call)  # type: ignore[arg-type]
        if getattr(call, "entry", "") == "move-vm-live" and not sent:
            sent.append("lost")
            raise TimedOut(host, "No answer in time.")
        return answer

    drain.door.change = lossy  # type: ignore[method-assign, assignment]
    state = await drain.finish()
    assert state.outcome is Outcome.DRAINED
    assert sum(move.attempts for move in state.moves.values()) == 10


async def test_a_silent_control_node_is_left_for_another(drain: Drain) -> None:
    await drain.open()
    drain.door.silent.add(HostName("HV02"))
    state = await drain.finish()
    on_others = {move.destination for move in state.moves.values() if move.state is MoveState.DONE}
    assert on_others <= {HostName("HV03"), HostName("HV04"), HostName("HV02")}
    assert state.outcome in (Outcome.DRAINED, Outcome.CONTACT_LOST, Outcome.FAILED)
    assert any(move.state is MoveState.DONE for move in state.moves.values())


async def test_stop_finishes_what_is_in_flight_and_starts_nothing_more(drain: Drain) -> None:
    await drain.open()
    runs_of(drain.journal).ask(drain.run, StopRun(), "tester")
    state = await drain.finish()
    assert state.outcome is Outcome.STOPPED
    assert exit_code(state) == 4
    assert {move.state for move in state.moves.values()} <= {MoveState.DONE, MoveState.SKIPPED}


async def test_no_slots_start_nothing_until_there_are_some(drain: Drain) -> None:
    await drain.open()
    runs_of(drain.journal).ask(drain.run, SetSlots(0), "tester")
    runner = drain.runner()

    async def half() -> None:
        await drain.lab.clock.sleep_until(drain.lab.clock.elapsed_s() + 600)
        assert not any(move.attempts for move in runner.state.moves.values())
        runs_of(drain.journal).ask(drain.run, SetSlots(2), "tester")

    import asyncio

    state, _ = await run_until_done(drain.lab, asyncio.gather(runner.go(), half()))
    assert state.outcome is Outcome.DRAINED


async def test_a_second_runner_takes_over_a_run_in_the_middle(drain: Drain) -> None:
    import asyncio

    await drain.open()
    first = asyncio.ensure_future(drain.runner().go())

    async def a_while() -> None:
        await drain.lab.clock.sleep_until(drain.lab.clock.elapsed_s() + 40)

    await run_until_done(drain.lab, a_while())
    first.cancel()
    await asyncio.wait([first])
    middle = runs_of(drain.journal).load(drain.run)
    assert middle.outcome is None
    assert any(move.state is MoveState.MOVING for move in middle.moves.values())
    state = await drain.finish()
    assert state.outcome is Outcome.DRAINED
    assert sum(move.attempts for move in state.moves.values()) == 10
    assert not drain.lab.cluster.world.limits.violations
    assert not drain.lab.cluster.world.groups_on(NODE)
