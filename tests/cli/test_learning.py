"""Evidence from the journal's events and from event logs, and having it forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.drain import events as ev
from console.drain import move_events as mv
from console.drain.events import Event
from console.drain.state import Move, MoveState
from console.forecast.forecaster import PriorForecaster
from console.forecast.history import FinishedMove
from console.journal.store import Journal
from console.learning import (
    Forgotten,
    LearningForecaster,
    forgotten_file,
    moves_of_event_logs,
    moves_of_journal,
    moves_of_run,
    read_forgotten,
    write_forgotten,
)
from console.model.cluster import VirtualMachine
from console.model.identity import RunId, VmId
from console.model.units import GIB
from console.paths import Paths
from console.planner.values import Engine
from console.windows.decode.events import EventRecord
from tests.builders import READ_AT, host_name, make_cluster, make_vm

HERE, THERE = host_name(1), host_name(2)
VMS = tuple(make_vm(f"vm{number}", HERE, 8) for number in range(3))
CLUSTER = make_cluster(3, vms=VMS)


def at(seconds: float) -> datetime:
    return READ_AT + timedelta(seconds=seconds)


def opened(name: str = "CL1") -> ev.RunOpened:
    moves = tuple(Move(vm.ref, HERE, THERE, MoveState.PLANNED, 8 * GIB, 30, 50, 1) for vm in VMS)
    return ev.RunOpened(at(0), RunId("run-1"), name, HERE, Engine.PLANNED, moves, 2, 2)


def moved(vm: VirtualMachine, start: float, end: float) -> list[Event]:
    return [
        mv.MoveChecked(at(start), vm.id, THERE),
        mv.MoveIntended(at(start), vm.id, THERE, live=True, quick=False, vm_state=2),
        mv.MoveStarted(at(start), vm.id),
        mv.MoveProgressed(at(start + 10), vm.id, pass_number=2, dirty_pages=1000, bytes_sent=9 * GIB),
        mv.MoveProgressed(at(start + 12), vm.id, pass_number=3, dirty_pages=200),
        mv.BlackoutMeasured(at(end), vm.id, 0.7),
        mv.MoveArrived(at(end), vm.id, THERE),
        mv.MoveVerified(at(end), vm.id, THERE, 2, None),
    ]


def test_a_finished_move_tells_all_that_was_seen_of_it() -> None:
    found = moves_of_run([opened(), *moved(VMS[0], 5, 35)])
    assert len(found) == 1
    move = found[0]
    assert (move.vm, move.run, move.source, move.destination) == (VMS[0].id, "run-1", HERE, THERE)
    assert (move.duration_s, move.blackout_s, move.bytes_sent, move.sharing) == (30, 0.7, 9 * GIB, 1)
    assert [(each.duration_s, each.dirtied_bytes) for each in move.passes] == [(10, 4096000), (2, 819200)]


def test_moves_side_by_side_share() -> None:
    events = sorted([*moved(VMS[0], 5, 35), *moved(VMS[1], 6, 36)], key=lambda event: event.at)
    assert [move.sharing for move in moves_of_run([opened(), *events])] == [2, 2]


def test_failed_and_unfinished_moves_teach_nothing() -> None:
    unfinished = moved(VMS[0], 5, 35)[:4]
    failed = [*moved(VMS[1], 5, 35)[:4], mv.MoveFailed(at(20), VMS[1].id, "no", None)]
    assert moves_of_run([opened(), *unfinished, *failed]) == []


def test_only_runs_of_this_cluster_count(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        for number, cluster in enumerate(("CL1", "CL2")):
            journal.append_all(RunId(f"run-{number}"), [opened(cluster), *moved(VMS[0], 5, 35)])
        assert len(moves_of_journal(journal, "CL1")) == 1
        assert len(moves_of_journal(journal, None)) == 2


def test_the_console_s_forecaster_reads_the_journal_and_minds_what_is_forgotten(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "journal.sqlite", tmp_path, tmp_path)
    prior = PriorForecaster().forecast(CLUSTER, VMS[0], THERE)
    forecaster = LearningForecaster(paths)
    assert forecaster.forecast(CLUSTER, VMS[0], THERE) == prior
    with Journal.open(paths.journal) as journal:
        for number in range(3):
            run = RunId(f"run-{number}")
            journal.append_all(run, [replace(opened(CLUSTER.name), run=run), *moved(VMS[0], 5, 305)])
    found = forecaster.forecast(replace(CLUSTER), VMS[0], THERE)
    assert found.duration_p50_s > 3 * prior.duration_p50_s
    assert found.basis == "3 earlier moves of this VM"
    write_forgotten(forgotten_file(tmp_path), Forgotten().with_everything(at(1000)))
    assert forecaster.forecast(replace(CLUSTER), VMS[0], THERE) == prior


def test_a_journal_that_can_not_be_read_leaves_the_priors(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "journal.sqlite", tmp_path, tmp_path)
    paths.journal.write_bytes(b"no database at all, only text" * 100)
    prior = PriorForecaster().forecast(CLUSTER, VMS[0], THERE)
    assert LearningForecaster(paths).forecast(CLUSTER, VMS[0], THERE) == prior


def record(id: int, host: str, seconds: float, *values: str) -> EventRecord:
    return EventRecord(id, "p", "c", host, at(seconds), tuple((f"Parameter{n}", text) for n, text in enumerate(values)))


def test_event_logs_give_blackouts_and_where_the_start_is_told_durations() -> None:
    vm = VMS[0]
    logs = [
        record(20415, f"{THERE}.example.test", 100, vm.name, vm.id.upper(), "0.5"),
        record(1641, f"{HERE}.example.test", 70, str(vm.ref.role), HERE, THERE),
        record(20417, THERE, 900, vm.name, vm.id.upper(), "61.0"),
        record(20415, THERE, 950, "gone", "11111111-2222-3333-4444-555555555555", "0.3"),
    ]
    found = moves_of_event_logs(logs, CLUSTER)
    assert [(move.duration_s, move.blackout_s, move.source, move.destination) for move in found] == [
        (30, 0.5, HERE, THERE)
    ]


def move_at(seconds: float, vm: VirtualMachine = VMS[0]) -> FinishedMove:
    return FinishedMove(vm.id, vm.name, "r", HERE, THERE, 8 * GIB, at(seconds), 30)


def test_what_is_forgotten_stays_forgotten_and_later_moves_count(tmp_path: Path) -> None:
    path = forgotten_file(tmp_path / "state")
    assert read_forgotten(path) == Forgotten()
    write_forgotten(path, Forgotten().with_vm(VMS[0].id, at(50)))
    found = read_forgotten(path)
    kept = [found.keeps(move) for move in (move_at(10), move_at(60), move_at(10, VMS[1]))]
    assert kept == [False, True, True]
    write_forgotten(path, found.with_everything(at(100)))
    assert not read_forgotten(path).keeps(move_at(60, VMS[1]))


@pytest.mark.parametrize("text", ["", "[]", '{"vms": 3}', '{"vms": {"x": "yesterday"}}'])
def test_a_damaged_list_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "forgotten.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"."):
        read_forgotten(path)


def test_ids_are_compared_as_they_are() -> None:
    assert Forgotten(None, {VmId("a"): at(1)}).keeps(move_at(0))
