"""Who else is at work on the lab's cluster: the balancer, another console, another run, the storage itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from console.drain.ending import exit_code
from console.drain.settings import AUTO_BALANCER, PARALLEL_MIGRATIONS
from console.drain.state import MoveState, Outcome, RunState
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.lab.world.facts_storage import virtual_disks
from console.lab.world.faults import WorldFaults
from console.lab.world.state import NodeState
from console.model.identity import HostName, RunId
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import NODE, Drain

SMALL = Path(__file__).parents[1] / "rolling" / "small.toml"
OTHER_NODE, OTHER_RUN = HostName("HV02"), RunId("run-2")
LEASE_S = 90.0
"""As long as the tests' leases last."""


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[tuple[Journal, Journal]]:
    """Of two consoles."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(Journal.open(tmp_path / "journal.sqlite")),
            stack.enter_context(Journal.open(tmp_path / "other.sqlite")),
        )


@pytest.fixture
async def lab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[InProcessLab]:
    """Three hosts with five VMs each, and what a test adds to the cluster's settings."""
    scenario = tmp_path / "small.toml"
    text = SMALL.read_text("utf-8").replace("per_host = 3", "per_host = 5")
    for name, value in getattr(request, "param", {}).items():
        text = text.replace(f"{name} = 0\n", "") + f"{name} = {value}\n"
    scenario.write_text(text, "utf-8")
    async with InProcessLab(str(scenario)) as started:
        yield started


@pytest.fixture
def drain(lab: InProcessLab, journals: tuple[Journal, Journal], tmp_path: Path) -> Drain:
    return Drain(lab, LabDoor(lab), journals[0], tmp_path)


def beside(drain: Drain, journal: Journal, node: HostName) -> Drain:
    """What another console does, with a journal of its own."""
    return replace(drain, door=LabDoor(drain.lab), journal=journal, run=OTHER_RUN, node=node)


async def reached(drain: Drain, state: MoveState) -> RunState:
    """Wait until a move of the run is in that state."""
    while True:
        run = runs_of(drain.journal).load(drain.run)
        if any(move.state is state for move in run.moves.values()):
            return run
        await drain.lab.clock.sleep_until(drain.lab.clock.elapsed_s() + 0.5)


def balance(drain: Drain, run: RunState) -> str:
    """The balancer takes a VM that waits."""
    waiting = [move for move in run.moves.values() if move.state is MoveState.PLANNED]
    WorldFaults(drain.lab.cluster).throw({"kind": "balance", "vm": waiting[-1].vm.id})
    return waiting[-1].vm.id


@pytest.mark.parametrize("lab", [{AUTO_BALANCER: 2}], indirect=True)
async def test_the_balancer_rests_while_a_run_with_consent_goes_on_and_works_again_afterwards(drain: Drain) -> None:
    settings = drain.lab.cluster.world.settings
    drain.settings = ((AUTO_BALANCER, 0),)
    await drain.open()

    async def its_round() -> int:
        balance(drain, await reached(drain, MoveState.MOVING))
        return settings[AUTO_BALANCER]

    state, meanwhile = await run_until_done(drain.lab, asyncio.gather(drain.runner().go(), its_round()))
    assert state.outcome is Outcome.DRAINED
    assert not any(move.foreign for move in state.moves.values())
    assert (meanwhile, settings[AUTO_BALANCER]) == (0, 2)
    assert all(move.by == "user" for move in drain.lab.cluster.world.moves if move.vm is not None)
    (change,) = state.settings_changed
    assert (change.name, change.before, change.restored) == (AUTO_BALANCER, "2", True)


@pytest.mark.parametrize("lab", [{AUTO_BALANCER: 2}], indirect=True)
async def test_without_consent_what_the_balancer_takes_is_adopted_and_it_is_named(drain: Drain) -> None:
    await drain.open()

    async def its_round() -> str:
        return balance(drain, await reached(drain, MoveState.MOVING))

    state, vm = await run_until_done(drain.lab, asyncio.gather(drain.runner().go(), its_round()))
    assert state.outcome is Outcome.DRAINED
    taken = next(move for id, move in state.moves.items() if id == vm)
    assert (taken.state, taken.foreign) == (MoveState.DONE, True)
    assert "the cluster's balancer (event 1808 on HV01" in taken.reason
    assert not state.settings_changed
    assert drain.lab.cluster.world.settings[AUTO_BALANCER] == 2


async def test_a_second_console_is_refused_the_node_and_told_who_has_it(
    drain: Drain, journals: tuple[Journal, Journal]
) -> None:
    second = beside(drain, journals[1], NODE)
    await drain.open()
    await second.open()

    async def later() -> RunState:
        await reached(drain, MoveState.MOVING)
        return await second.runner().go()

    first, refused = await run_until_done(drain.lab, asyncio.gather(drain.runner().go(), later()))
    assert first.outcome is Outcome.DRAINED
    assert (exit_code(refused), refused.outcome) == (6, Outcome.BLOCKED)
    assert refused.held_by == "tester on here"
    assert any("HV01 is held by tester on here" in line.text for line in refused.log)
    assert not any(call.entry.startswith("move-") for call in second.door.changes)


async def test_of_two_runs_at_once_the_second_leaves_the_setting_names_the_first_and_both_drain(
    drain: Drain, journals: tuple[Journal, Journal]
) -> None:
    settings = drain.lab.cluster.world.settings
    drain.settings = ((PARALLEL_MIGRATIONS, 3),)
    second = replace(beside(drain, journals[1], OTHER_NODE), settings=((PARALLEL_MIGRATIONS, 4),))
    await drain.open()
    await second.open()

    async def later() -> RunState:
        await reached(drain, MoveState.MOVING)
        return await second.runner().go()

    first, other = await run_until_done(drain.lab, asyncio.gather(drain.runner().go(), later()))
    assert (first.outcome, other.outcome) == (Outcome.DRAINED, Outcome.DRAINED)
    assert {vm.host for vm in drain.lab.cluster.world.vms.values()} == {"HV03"}
    assert not drain.lab.cluster.world.limits.violations
    assert [(change.before, change.restored) for change in first.settings_changed] == [("2", True)]
    assert any("run run-1 has changed it to 3 and still goes on" in line.text for line in other.log)
    assert settings[PARALLEL_MIGRATIONS] == 2


async def test_a_run_after_one_that_died_puts_back_what_was_before_both(
    drain: Drain, journals: tuple[Journal, Journal]
) -> None:
    settings = drain.lab.cluster.world.settings
    drain.settings = ((PARALLEL_MIGRATIONS, 3),)
    second = replace(beside(drain, journals[1], OTHER_NODE), settings=((PARALLEL_MIGRATIONS, 4),))
    await drain.open()
    await second.open()
    dying = asyncio.ensure_future(drain.runner().go())

    async def later() -> RunState:
        await reached(drain, MoveState.MOVING)
        dying.cancel()
        assert settings[PARALLEL_MIGRATIONS] == 3
        await drain.lab.clock.sleep_until(drain.lab.clock.elapsed_s() + LEASE_S + 10)
        return await second.runner().go()

    other = await run_until_done(drain.lab, later())
    assert [(change.before, change.restored) for change in other.settings_changed] == [("2", True)]
    assert settings[PARALLEL_MIGRATIONS] == 2
    resumed = await run_until_done(drain.lab, drain.runner().go())
    assert resumed.outcome is not None
    assert settings[PARALLEL_MIGRATIONS] == 2


@pytest.mark.parametrize("lab", [{"S2DEnabled": 1}], indirect=True)
async def test_what_the_pause_takes_from_the_storage_is_told_and_blocks_nothing(drain: Drain) -> None:
    await drain.open()
    state = await drain.finish()
    assert state.outcome is Outcome.DRAINED
    assert state.degraded_disks
    assert any("miss a copy" in line.text for line in state.log)
    assert {disk.health for disk in virtual_disks(drain.lab.cluster.world)} == {"Warning"}


@pytest.mark.parametrize("lab", [{"S2DEnabled": 1}], indirect=True)
async def test_a_node_that_is_not_to_be_paused_keeps_its_disks_and_is_emptied_all_the_same(drain: Drain) -> None:
    drain.pause_node = False
    await drain.open()
    state = await drain.finish()
    assert state.outcome is Outcome.DRAINED
    assert not state.degraded_disks
    assert drain.lab.cluster.world.hosts[NODE].state is NodeState.UP
    assert {disk.health for disk in virtual_disks(drain.lab.cluster.world)} == {"Healthy"}
    assert not any(call.entry in ("pause-node", "drain-node") for call in drain.door.changes)
