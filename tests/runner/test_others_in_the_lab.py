"""Somebody else moves VMs of the lab while a run empties their node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.drain.state import MoveState, Outcome
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.model.identity import HostName
from console.windows.catalogue import changes
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import NODE, Drain


@pytest.fixture
async def drain(tmp_path: Path) -> AsyncIterator[Drain]:
    async with InProcessLab("quiet") as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            yield Drain(lab, LabDoor(lab), journal, tmp_path)


async def _after(drain: Drain, seconds: float) -> None:
    await drain.lab.clock.sleep_until(drain.lab.clock.elapsed_s() + seconds)


async def test_a_vm_that_something_else_moved_is_adopted_verified_and_its_mover_looked_for(drain: Drain) -> None:
    await drain.open()

    async def meddle() -> str:
        await _after(drain, 20)
        waiting = [m for m in runs_of(drain.journal).load(drain.run).moves.values() if m.state is MoveState.PLANNED]
        vm = waiting[-1].vm.id
        await drain.door.change(HostName("HV02"), changes.move_vm_live(vm, HostName("HV02")))
        return vm

    state, vm = await run_until_done(drain.lab, asyncio.gather(drain.runner().go(), meddle()))
    assert state.outcome is Outcome.DRAINED
    move = next(move for id, move in state.moves.items() if id == vm)
    assert (move.state, move.destination, move.foreign) == (MoveState.DONE, "HV02", True)
    assert "left no trace" in move.reason
    assert "balancer" in move.reason


async def test_another_drain_of_the_node_is_followed_to_its_end(drain: Drain) -> None:
    await drain.open()

    async def begin() -> None:
        await _after(drain, 14)
        await drain.door.change(HostName("HV02"), changes.drain_node(NODE))

    state, _ = await run_until_done(drain.lab, asyncio.gather(drain.runner().go(), begin()))
    assert state.outcome is Outcome.DRAINED, [(m.vm.name, m.state, m.reason) for m in state.moves.values()]
    taken = [move.reason for move in state.moves.values() if move.foreign]
    assert taken
    assert all("another drain of HV01" in reason for reason in taken)
    assert not drain.lab.cluster.world.groups_on(NODE)
    drains = [call for call in drain.door.changes if call.entry == "drain-node"]
    assert len(drains) == 2, "theirs, and the flag on the empty node"
