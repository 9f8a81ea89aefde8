"""The scenario in which the guard has to hold, two moves hang and one fails: it ends, and nothing was made worse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from console.drain import events as ev
from console.drain import move_events as mv
from console.drain.ending import exit_code
from console.drain.events import Event
from console.drain.state import MoveState, Outcome, RunState, WhenStuck
from console.guard import Lines, crossed
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from tests.labdoor import LabDoor
from tests.runner.drains import RULES, Drain

LINES = Lines()
SETTINGS = (("MaximumParallelMigrations", 5), ("AutoBalancerMode", 0))


async def drain(folder: Path) -> tuple[RunState, list[Event], InProcessLab, dict[str, int]]:
    async with InProcessLab("storm") as lab:
        before = dict(lab.cluster.world.settings)
        with Journal.open(folder / "journal.sqlite") as journal:
            run = Drain(lab, LabDoor(lab), journal, folder, RULES, settings=SETTINGS, when_stuck=WhenStuck.CANCEL)
            run = run.patient(slow_after_s=60.0, stuck_after_s=180.0, poll_s=6.0)
            await run.open()
            state = await run.finish()
            return state, list(runs_of(journal).events(run.run)), lab, before


async def test_a_storm_is_drained_and_nothing_starts_between_a_breach_and_the_calm_after_it(tmp_path: Path) -> None:
    state, events, lab, before = await drain(tmp_path)
    assert (state.outcome, exit_code(state)) == (Outcome.DRAINED, 0)
    assert {move.state for move in state.moves.values()} == {MoveState.DONE}
    world = lab.cluster.world
    assert not world.groups_on("HV01")
    assert all(vm.running for vm in world.vms.values())
    assert not world.limits.violations
    assert {name: world.settings[name] for name, _ in SETTINGS} == {name: before[name] for name, _ in SETTINGS}
    assert all(setting.restored for setting in state.settings_changed)

    holds = holds_of(events)
    assert holds
    for breached, calmed, flying in holds:
        assert not [e for e in events if isinstance(e, mv.MoveIntended) and breached <= e.at < calmed]
        assert above_until(events, breached, calmed) <= ends_of(events, flying, breached, calmed)

    stuck = {event.vm for event in events if isinstance(event, mv.MoveStuck)}
    names = {state.moves[vm].vm.name for vm in stuck}
    assert names == {"sql-stuck-01", "web-stuck-02"}
    assert all(state.moves[vm].attempts == 2 for vm in stuck), "cancelled, and tried once more"
    assert sum(move.attempts for move in state.moves.values()) == len(state.moves) + 3, "the one that fails, too"


def holds_of(events: Sequence[Event]) -> list[tuple[datetime, datetime, set[str]]]:
    """(breach, calm after it, VMs in flight at the breach)."""
    found: list[tuple[datetime, datetime, set[str]]] = []
    flying: set[str] = set()
    began: tuple[datetime, set[str]] | None = None
    for event in events:
        if isinstance(event, mv.MoveIntended):
            flying.add(event.vm)
        elif isinstance(event, mv.MoveArrived | mv.MoveFailed):
            flying.discard(event.vm)
        elif isinstance(event, ev.GuardBreached) and began is None:
            began = event.at, set(flying)
        elif isinstance(event, ev.GuardCalmed) and began is not None:
            found.append((began[0], event.at, began[1]))
            began = None
    return found


def above_until(events: Sequence[Event], breached: datetime, calmed: datetime) -> datetime:
    """The last reading above the line within a hold."""
    readings = [event for event in events if isinstance(event, ev.GuardRead) and breached <= event.at <= calmed]
    return max(reading.at for reading in readings if crossed(LINES, reading.values))


def ends_of(events: Sequence[Event], flying: set[str], breached: datetime, calmed: datetime) -> datetime:
    """When the last of the moves that were in flight at the breach was over, or the calm when one still goes on."""
    over = [e for e in events if isinstance(e, mv.MoveArrived | mv.MoveFailed) and e.vm in flying and e.at >= breached]
    last = {event.vm: event.at for event in reversed(over)}
    return max(last.values()) if set(last) == flying else calmed
