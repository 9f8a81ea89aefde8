"""A snapshot carries the earlier moves that a live forecast rests on, so that an offline plan is the live one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.checks.catalogue import Facts, run_checks
from console.commands.planned import plan_offline
from console.documents import plan_document
from console.drain import events as ev
from console.drain import move_events as mv
from console.drain.events import Event
from console.drain.state import Move, MoveState
from console.forecast.forecaster import PriorForecaster
from console.inventory import read_cluster, read_details
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.learning import Forgotten, LearningForecaster, forgotten_file, write_forgotten
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.paths import Paths
from console.planner.values import Engine, Plan, PlanOptions
from console.planning import make_plan
from console.snapshot import SnapshotUnreadable, parse_snapshot, snapshot_of
from tests.labdoor import LabDoor

HERE, THERE = HostName("HV01"), HostName("HV02")


async def read() -> Cluster:
    async with InProcessLab("quiet") as lab:
        door = LabDoor(lab)
        return await read_details(door, await read_cluster(door, [HERE], lab.clock), HERE)


def a_run(cluster: Cluster) -> list[Event]:
    """Two moves of a drain by this console, an hour ago, at a pace that no prior would guess."""
    vms, began = cluster.vms_on(HERE)[:2], cluster.read_at - timedelta(hours=1)
    moves = tuple(Move(vm.ref, HERE, THERE, MoveState.PLANNED, vm.memory_bytes, 30, 50, 1) for vm in vms)
    events: list[Event] = [ev.RunOpened(began, RunId("run-acme"), cluster.name, HERE, Engine.PLANNED, moves, 2, 2)]
    for number, vm in enumerate(vms):
        start, end = began + timedelta(minutes=10 * number), began + timedelta(minutes=10 * number + 5)
        events += [
            mv.MoveChecked(start, vm.id, THERE),
            mv.MoveIntended(start, vm.id, THERE, live=True, quick=False, vm_state=2),
            mv.MoveStarted(start, vm.id),
            mv.MoveProgressed(start + timedelta(minutes=4), vm.id, pass_number=2, dirty_pages=90_000, bytes_sent=9**9),
            mv.BlackoutMeasured(end, vm.id, 0.7),
            mv.MoveArrived(end, vm.id, THERE),
            mv.MoveVerified(end, vm.id, THERE, 2, None),
        ]
    return events


def live_plan(cluster: Cluster, forecaster: LearningForecaster | PriorForecaster) -> Plan:
    return make_plan(cluster, HERE, PlanOptions(), forecaster, run_checks(Facts(cluster, HERE)))


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return asyncio.run(read())


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path) -> tuple[Cluster, LearningForecaster]:
    paths = Paths(tmp_path / "config.toml", tmp_path / "journal.sqlite", tmp_path, tmp_path)
    with Journal.open(paths.journal) as journal:
        runs_of(journal).append(RunId("run-acme"), a_run(cluster))
    return cluster, LearningForecaster(paths)


def figures(plan: Plan) -> list[Any]:
    """A plan without the names in it."""
    return [
        (move.start_s, move.end_s, move.memory_bytes, replace(move.forecast, basis=""), move.forecast.basis)
        for move in plan.moves
    ] + [plan.makespan_s, plan.makespan_p90_s, plan.lower_bound_s]


def test_live_and_offline_plans_are_one_with_moves_in_journal_and_logs(
    site: tuple[Cluster, LearningForecaster],
) -> None:
    cluster, forecaster = site
    live = live_plan(cluster, forecaster)
    assert figures(live) != figures(live_plan(cluster, PriorForecaster())), "the evidence has to matter"
    assert any("moves of this VM, 6 told by event logs" in move.forecast.basis for move in live.moves)
    text = json.dumps(snapshot_of(forecaster.with_evidence(cluster)))
    offline, _ = plan_offline(parse_snapshot(text, "x"), HERE, PlanOptions())
    assert plan_document(offline) == plan_document(live)


def test_a_redacted_snapshot_forecasts_alike_and_tells_no_names(
    site: tuple[Cluster, LearningForecaster],
) -> None:
    cluster, forecaster = site
    text = json.dumps(snapshot_of(forecaster.with_evidence(cluster), redact=True))
    names = [*(vm.name for vm in cluster.vms), *(vm.id for vm in cluster.vms), "run-acme", HERE, THERE]
    assert not [name for name in names if name in text]
    instance = parse_snapshot(text, "x")
    offline, _ = plan_offline(instance, instance.cluster.hosts[0].name, PlanOptions())
    assert figures(offline) == figures(live_plan(cluster, forecaster))


def test_what_is_forgotten_is_not_in_the_file(site: tuple[Cluster, LearningForecaster], tmp_path: Path) -> None:
    cluster, forecaster = site
    whole = forecaster.with_evidence(cluster).past
    assert whole is not None
    vm = cluster.vms_on(HERE)[0].id
    write_forgotten(forgotten_file(tmp_path), Forgotten().with_vm(vm, cluster.read_at))
    some = forecaster.with_evidence(cluster).past
    assert some is not None
    assert {move.vm for move in whole.moves} - {move.vm for move in some.moves} == {vm}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sharing": 0}, r"past\.moves\.0\.sharing: must be above 0"),
        ({"duration_s": -3}, r"past\.moves\.0\.duration_s: must not be negative"),
        ({"finished_at": "once"}, r"past\.moves\.0\.finished_at: must be a time"),
        ({"origin": "rumour"}, r"past\.moves\.0\.origin: must be one of journal, event log"),
        ({"passes": [{"duration_s": 1}]}, r"passes\.0\.dirtied_bytes: is missing"),
    ],
)
def test_evidence_that_does_not_fit_is_named_by_its_place(
    site: tuple[Cluster, LearningForecaster], change: dict[str, Any], words: str
) -> None:
    cluster, forecaster = site
    document = snapshot_of(forecaster.with_evidence(cluster))
    document["past"]["moves"][0] |= change
    with pytest.raises(SnapshotUnreadable, match=words):
        parse_snapshot(json.dumps(document), "x")


def test_moves_of_hosts_and_vms_that_are_gone_and_absurd_figures_do_no_harm(
    site: tuple[Cluster, LearningForecaster],
) -> None:
    cluster, forecaster = site
    document = snapshot_of(forecaster.with_evidence(cluster))
    changes: tuple[dict[str, Any], ...] = (
        {"source": "GONE"}, {"vm": "gone"}, {"duration_s": 0}, {"duration_s": 1e18}, {"blackout_s": 1e18},
        {"memory_bytes": 0}, {"bytes_sent": 1e18}, {"sharing": 10**9}, {"duration_s": 1e-200},
    )  # fmt: skip
    for move, change in zip(document["past"]["moves"], changes, strict=False):
        move.update(change)
    offline, _ = plan_offline(parse_snapshot(json.dumps(document), "x"), HERE, PlanOptions())
    assert all(0 < move.forecast.duration_p50_s < 1e9 for move in offline.moves)
