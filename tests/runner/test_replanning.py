"""A plan in the middle of a run is a plan of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.drain.state import MoveState, RunState
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.model.facts import StorageJob, VirtualDisk
from console.model.identity import VmId
from console.runner.replanning import explained_by_pause
from tests.builders import make_cluster
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import Drain


@pytest.fixture
async def drain(tmp_path: Path) -> AsyncIterator[Drain]:
    async with InProcessLab("quiet") as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            yield Drain(lab, LabDoor(lab), journal, tmp_path)


async def _half_way(drain: Drain) -> RunState:
    await drain.open()
    going = asyncio.ensure_future(drain.runner().go())
    await run_until_done(drain.lab, drain.lab.clock.sleep_until(drain.lab.clock.elapsed_s() + 25))
    going.cancel()
    await asyncio.wait([going])
    return runs_of(drain.journal).load(drain.run)


def _in(state: RunState, *which: MoveState) -> set[VmId]:
    return {vm for vm, move in state.moves.items() if move.state in which}


async def test_what_is_over_stays_over_what_is_under_way_goes_on_and_the_rest_keeps_its_places(drain: Drain) -> None:
    state = await _half_way(drain)
    plan = await run_until_done(drain.lab, drain.planner()(state, None, None))
    flying = _in(state, MoveState.MOVING)
    waiting = _in(state, MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING)
    assert _in(state, MoveState.DONE)
    assert flying
    assert waiting
    assert {move.vm.id for move in plan.in_flight} == flying
    assert {move.vm.id for move in plan.moves} == waiting
    assert all(move.destination == state.moves[move.vm.id].destination for move in plan.moves)


async def test_a_vm_that_is_to_go_elsewhere_loses_its_place_and_nobody_else_does(drain: Drain) -> None:
    state = await _half_way(drain)
    vm = next(vm for vm, move in state.moves.items() if move.state in (MoveState.PLANNED, MoveState.QUEUED))
    before = state.moves[vm].destination
    wanted = next(host for host in drain.hosts if host not in (before, drain.node))
    plan = await run_until_done(drain.lab, drain.planner()(state, vm, wanted))
    changed = {move.vm.id for move in plan.moves if move.destination != state.moves[move.vm.id].destination}
    assert changed == {vm}
    assert next(move for move in plan.moves if move.vm.id == vm).destination == wanted


def test_what_the_runs_own_pause_explains_does_not_block_its_plans() -> None:
    cluster = replace(
        make_cluster(2),
        storage_jobs=(StorageJob("Repair", 5), StorageJob("Rebalance", 4)),
        virtual_disks=(VirtualDisk("a", 1), VirtualDisk("b", 2)),
    )
    seen = explained_by_pause(cluster)
    assert [disk.health for disk in seen.virtual_disks or ()] == [0, 2], "an unhealthy one still blocks"
    assert [job.name for job in seen.storage_jobs or ()] == ["Rebalance"], "a repair that runs still does"
    unread = replace(cluster, storage_jobs=None, virtual_disks=None)
    assert explained_by_pause(unread) == unread
