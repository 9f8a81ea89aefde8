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
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.learning import (
    Forgotten,
    LearningForecaster,
    all_moves,
    forgotten_file,
    moves_of_journal,
    moves_of_run,
    read_forgotten,
    write_forgotten,
)
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import RunId, VmId
from console.model.past import FinishedMove, Origin, Past
from console.model.units import GIB
from console.paths import Paths
from console.planner.values import Engine
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
            runs_of(journal).append(RunId(f"run-{number}"), [opened(cluster), *moved(VMS[0], 5, 35)])
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
            runs_of(journal).append(run, [replace(opened(CLUSTER.name), run=run), *moved(VMS[0], 5, 305)])
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


def logged(vm: VirtualMachine, end: float, took: float = 300.0) -> FinishedMove:
    return FinishedMove(
        vm.id, vm.name, "", HERE, THERE, 8 * GIB, at(end), took, 0.5, origin=Origin.EVENT_LOG, told_by=THERE
    )


def with_logs(*moves: FinishedMove) -> Cluster:
    return replace(CLUSTER, past=Past(READ_AT, moves))


def test_what_the_hosts_logs_tell_counts_where_the_journal_knows_nothing() -> None:
    cluster = with_logs(logged(VMS[0], 36), logged(VMS[1], 36))
    of_journal = moves_of_run([opened(), *moved(VMS[0], 5, 35)])
    assert [(move.vm, move.origin) for move in all_moves(cluster, of_journal)] == [
        (VMS[0].id, Origin.JOURNAL), (VMS[1].id, Origin.EVENT_LOG)
    ]  # fmt: skip


def test_a_forecast_rests_on_the_logs_until_they_are_forgotten(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "journal.sqlite", tmp_path, tmp_path)
    forecaster = LearningForecaster(paths)
    cluster = with_logs(*(logged(VMS[0], 1000 * number) for number in range(3)))
    found = forecaster.forecast(cluster, VMS[0], THERE)
    assert found.basis == "3 earlier moves of this VM, told by event logs"
    assert found.duration_p50_s == pytest.approx(300, rel=0.2)
    past = forecaster.with_evidence(cluster).past
    assert past is not None
    assert past.moves == cluster.past.moves if cluster.past else ()
    write_forgotten(forgotten_file(tmp_path), Forgotten().with_everything(at(5000)))
    assert forecaster.forecast(replace(cluster), VMS[0], THERE) == PriorForecaster().forecast(CLUSTER, VMS[0], THERE)


def test_logs_count_where_the_journal_can_not_be_read(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "journal.sqlite", tmp_path, tmp_path)
    paths.journal.write_bytes(b"no database at all, only text" * 100)
    found = LearningForecaster(paths).forecast(with_logs(logged(VMS[0], 36)), VMS[0], THERE)
    assert "event logs" in found.basis


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
