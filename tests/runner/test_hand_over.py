"""A run that hands its rest to the cluster's own drain, by everything but the sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.drain import move_events as mv
from console.drain.lease_events import EngineChanged
from console.drain.requests import HandOver
from console.drain.state import MoveState, Outcome
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.planner.sorting import aimed
from console.planner.values import Engine, PlanOptions
from tests.labdoor import LabDoor
from tests.runner.drains import Drain


@pytest.fixture
async def drain(tmp_path: Path) -> AsyncIterator[Drain]:
    async with InProcessLab("quiet") as lab:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            yield Drain(lab, LabDoor(lab), journal, tmp_path)


async def test_the_cluster_drains_the_rest_and_the_run_verifies_and_closes(drain: Drain) -> None:
    await drain.open()
    change = drain.door.change
    started: list[str] = []

    async def asks_after_the_first(host: object, call: object) -> object:
        answer = await change(host, call)  # type: ignore[arg-type]
        started.append(getattr(call, "entry", ""))
        if started.count("move-vm-live") == 1 and started[-1] == "move-vm-live":
            runs_of(drain.journal).ask(drain.run, HandOver(), "ann")
        return answer

    drain.door.change = asks_after_the_first  # type: ignore[method-assign, assignment]
    state = await drain.finish()
    assert state.outcome is Outcome.DRAINED, [(m.vm.name, m.state, m.reason) for m in state.moves.values()]
    assert (state.engine, state.handed_over) == (Engine.NATIVE, True)
    assert {move.state for move in state.moves.values()} == {MoveState.DONE}
    events = list(runs_of(drain.journal).events(drain.run))
    handed = next(place for place, event in enumerate(events) if isinstance(event, EngineChanged))
    assert not [event for event in events[handed:] if isinstance(event, mv.MoveIntended)], "no single start after it"
    assert events[handed].by == "ann"  # type: ignore[union-attr]
    world = drain.lab.cluster.world
    assert not world.groups_on("HV01")
    assert all(vm.running for vm in world.vms.values())
    assert not world.limits.violations


async def test_a_native_drain_sends_everything_where_it_was_aimed(drain: Drain) -> None:
    cluster = await drain.read()
    roomiest = max(
        (host for host in cluster.hosts if host.name != "HV01"), key=lambda host: host.memory_free_bytes or 0
    )
    plan = await drain.open(aimed(PlanOptions(), cluster, roomiest.name))
    assert {move.destination for move in plan.moves} == {roomiest.name}
    assert "-TargetNode" in plan.notes[-1]
    state = await drain.finish()
    assert state.outcome is Outcome.DRAINED, [(m.vm.name, m.state, m.reason) for m in state.moves.values()]
    assert {move.destination for move in state.moves.values()} == {roomiest.name}
    moved = [move for move in drain.lab.cluster.world.moves if move.vm is not None]
    assert {(move.by, move.destination) for move in moved} == {("drain", roomiest.name)}
    took_s = max(move.ended_s or 0.0 for move in moved) - min(move.requested_s for move in moved)
    assert took_s == pytest.approx(plan.makespan_s, rel=0.15)
