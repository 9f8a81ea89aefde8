"""Whole rolls of the lab in virtual time: everything that a real one has but sockets and processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.drain import roll_events as re
from console.drain.roll_requests import ApproveWave, LeaveNode, StopRolling, TryNodeAgain
from console.drain.roll_state import RollState, Stage
from console.journal.ledger import rolls_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.lab.serve import InProcessLab
from console.lab.world.faults import WorldFaults
from console.rolling.wishes import RollWishes
from tests.labdoor import LabDoor
from tests.runner.dying import dies_answering

from .desk import ROLL, Desk

ALL_DONE = [Stage.DONE] * 3
SMALL = str(Path(__file__).with_name("small.toml"))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with InProcessLab(SMALL) as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            desk = Desk(lab, LabDoor(lab), journal, tmp_path, ailing=lambda now_s: "")
            yield desk
            await desk.close()


async def test_every_node_is_emptied_once_with_no_more_moves_than_planned(desk: Desk) -> None:
    plan = await desk.open()
    state = await desk.go()
    assert list(desk.stages().values()) == ALL_DONE
    assert state.closed
    assert len(desk.started) == 3
    assert desk.moves() == state.moved == state.planned_moves == sum(len(wave.moves) for wave in plan.waves)
    world = desk.lab.cluster.world
    assert not world.limits.violations
    assert all(vm.running for vm in world.vms.values())
    assert not desk.complaints


@pytest.mark.parametrize("stage", [Stage.DRAINING, Stage.RESUMING])
async def test_a_roll_that_was_killed_goes_on_where_it_was(desk: Desk, stage: Stage) -> None:
    plan = await desk.open()

    def half_way(state: RollState) -> bool:
        done = sum(node.stage is Stage.DONE for node in state.nodes.values())
        return done == 1 and any(node.stage is stage for node in state.nodes.values())

    killed = await desk.go(until=half_way)
    assert not killed.closed
    state = await desk.go()
    assert list(desk.stages().values()) == ALL_DONE
    assert len(desk.started) == 3, "no node was drained a second time"
    assert state.moved == desk.moves() == sum(len(wave.moves) for wave in plan.waves)
    assert any(isinstance(event, re.RollRecovered) for event in desk.events)


@pytest.mark.parametrize("written", [False, True])
async def test_a_word_is_followed_once_though_the_process_dies_between_hearing_and_writing(
    desk: Desk, written: bool
) -> None:
    rolls = rolls_of(desk.journal)
    await desk.open()
    rolls.ask(ROLL, StopRolling(), "ann")
    with dies_answering(desk.journal, written=written):
        await desk.go()
    assert len(rolls.asked(ROLL)) == (0 if written else 1)
    state = await desk.go()
    assert state.closed
    assert not desk.started, "it was stopped before the first wave"
    assert sum(isinstance(event, re.RollStopRequested) for event in desk.events) == 1


async def test_a_word_that_this_version_can_not_read_is_refused(desk: Desk) -> None:
    await desk.open()
    desk.journal.put_request(ROLL, '{"type": "Levitate"}', "ann")
    rolls_of(desk.journal).ask(ROLL, StopRolling(), "ann")
    state = await desk.go()
    assert state.closed
    assert [event.reason for event in desk.events if isinstance(event, re.RollRefused)] == [
        "this version can not read what ann asked"
    ]


async def test_two_consoles_never_carry_on_the_same_roll(desk: Desk) -> None:
    await desk.open()
    desk.runner()
    with pytest.raises(JournalUnusable):
        desk.runner()


async def test_the_hook_runs_once_for_each_empty_node_and_a_failure_holds_the_roll(desk: Desk) -> None:
    answers = iter([0, 3, 0, 0])
    desk.hook_status = lambda node: next(answers)
    await desk.open(RollWishes(hook=("patch",)))
    state = await desk.go()
    assert not state.closed, "it stands, and needs no process for that"
    assert [node for node, _ in desk.hooks] == list(state.nodes)[:2]
    assert {cluster for _, cluster in desk.hooks} == {state.cluster}
    failed = state.failed[0]
    assert "status 3" in failed.reason
    assert desk.lab.cluster.world.groups_on(failed.name) == []
    rolls_of(desk.journal).ask(ROLL, TryNodeAgain(failed.name), "tester")
    state = await desk.go()
    assert state.closed
    assert [node for node, _ in desk.hooks] == [list(state.nodes)[place] for place in (0, 1, 1, 2)]
    assert len(desk.started) == 3, "the node was empty already"


async def test_a_hook_whose_end_nobody_saw_is_not_run_again(desk: Desk) -> None:
    await desk.open(RollWishes(hook=("patch",)))
    await desk.go(until=lambda state: any(node.stage is Stage.SERVICING for node in state.nodes.values()))
    before = len(desk.hooks)
    state = await desk.go()
    assert "lost while the hook ran" in state.failed[0].reason
    assert len(desk.hooks) == before
    rolls_of(desk.journal).ask(ROLL, LeaveNode(state.failed[0].name), "tester")
    state = await desk.go()
    assert [stage for stage in desk.stages().values()].count(Stage.SKIPPED) == 1


async def test_a_cluster_that_is_not_well_is_waited_for(desk: Desk) -> None:
    desk.ailing = lambda now_s: "Repair of the storage is on" if len(desk.started) == 1 and now_s < 1800 else ""
    await desk.open()
    state = await desk.go()
    assert state.closed
    waited = [event for event in desk.events if isinstance(event, re.HealthSeen) and not event.well]
    assert [event.reason for event in waited] == ["Repair of the storage is on"]
    began = [event.at for event in desk.events if isinstance(event, re.WaveBegan)]
    assert (began[1] - waited[0].at).total_seconds() > 1500


async def test_each_wave_but_the_first_waits_for_its_approval(desk: Desk) -> None:
    await desk.open(RollWishes(approve=True))
    state = await desk.go()
    assert state.waits_for_approval == 1
    rolls_of(desk.journal).ask(ROLL, ApproveWave(2), "tester")
    state = await desk.go()
    assert state.waits_for_approval == 1, "a press that was meant for another wave approves nothing"
    rolls_of(desk.journal).ask(ROLL, ApproveWave(1), "tester")
    state = await desk.go()
    assert list(desk.stages().values()).count(Stage.DONE) == 2
    rolls_of(desk.journal).ask(ROLL, StopRolling(), "tester")
    state = await desk.go()
    assert state.closed
    assert len(state.left) == 1


async def test_with_failback_every_vm_is_where_it_was(desk: Desk) -> None:
    world = desk.lab.cluster.world
    before = {vm.id: vm.host for vm in world.vms.values()}
    plan = await desk.open(failback=True)
    state = await desk.go()
    assert list(desk.stages().values()) == ALL_DONE, [node.reason for node in state.nodes.values()]
    assert {vm.id: vm.host for vm in world.vms.values()} == before
    assert desk.moves() == state.moved == sum(len(wave.moves) for wave in plan.waves)


async def test_a_node_that_restarts_is_waited_for_before_it_is_resumed(desk: Desk) -> None:
    faults, clock = WorldFaults(desk.lab.cluster), desk.lab.clock
    away: list[asyncio.Task[None]] = []

    async def back(node: str) -> None:
        await clock.sleep_until(clock.elapsed_s() + 600)
        faults.throw({"kind": "host-up", "host": node})

    def restart(node: str) -> int:
        if not away:
            faults.throw({"kind": "host-down", "host": node})
            away.append(asyncio.create_task(back(node)))
        return 0

    desk.hook_status = restart
    await desk.open(RollWishes(hook=("patch",)))
    state = await desk.go()
    assert list(desk.stages().values()) == ALL_DONE
    first = next(iter(state.nodes))
    ended = next(event.at for event in desk.events if isinstance(event, re.HookEnded))
    resumed = next(event.at for event in desk.events if isinstance(event, re.NodeResumed) and event.node == first)
    assert 590 < (resumed - ended).total_seconds() < 700


async def test_a_wave_empties_two_nodes_at_once_and_neither_takes_the_others_vms(tmp_path: Path) -> None:
    async with InProcessLab(_with_five_hosts(tmp_path)) as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            desk = Desk(lab, LabDoor(lab), journal, tmp_path, ailing=lambda now_s: "")
            plan = await desk.open(wave=2)
            assert [len(wave.nodes) for wave in plan.waves] == [2, 2, 1]
            state = await desk.go()
            await desk.close()
    assert state.closed
    assert not state.left
    assert desk.moves() == state.moved == sum(len(wave.moves) for wave in plan.waves)
    assert not lab.cluster.world.limits.violations


def _with_five_hosts(folder: Path) -> str:
    wider = folder / "wider.toml"
    wider.write_text(Path(SMALL).read_text().replace("host_count = 3", "host_count = 5"))
    return str(wider)


async def test_after_the_window_what_is_out_comes_back_and_the_rest_is_left(desk: Desk) -> None:
    plan = await desk.open(RollWishes(hook=("patch",)), window_s=1.0)
    first = plan.order[0][0]
    state = await desk.go(until=lambda state: state.began >= 0)
    state = await desk.go()
    assert (state.closed, state.window_closed) == (True, True)
    assert state.nodes[first].stage is Stage.DONE
    assert not desk.hooks, "nothing is started after the window"
    assert set(state.left) == set(state.nodes), "the hook was not run: it is done another time"
    assert any(isinstance(event, re.NodeForecastRevised) for event in desk.events)
    world = desk.lab.cluster.world
    assert all(vm.running for vm in world.vms.values())
    assert {host.state.name for host in world.hosts.values()} == {"UP"}
