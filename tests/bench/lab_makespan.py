"""How long drains of the lab were forecast to take, and how long they took. Run ``python tests/bench/lab_makespan.py``.

Plans the first host with anything to move of each scenario from a reading and carries the drain out with the product's
own runner, in virtual time; forecast and lab share no code. Names of scenarios as arguments choose some of them;
``--seed=N`` draws other VMs; ``--no-guard`` drains without a guard, and forecasts none.
Moves that fail are left out of the comparison on both sides. Where nothing can be moved, or nothing that was started
arrives, no forecast is scored: the line says why.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import fmean, median

sys.path.insert(0, str(Path(__file__).parents[2]))

from console.checks.catalogue import Facts, run_checks
from console.drain.events import Event
from console.drain.fold import apply, fold
from console.drain.outlook import finish_forecast
from console.drain.rules import Rules
from console.drain.state import Move, MoveState, RunState
from console.forecast.values import MigrationType
from console.guard import Lines
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab, scenarios
from console.learning import LearningForecaster
from console.model.cluster import Cluster, DrainStatus
from console.planner.values import Plan, PlanOptions
from console.planning import make_plan
from console.runner.replanning import FreshPlanner
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import RULES, Drain

LEARN_FROM = 3
"""Finished moves after which the rest is forecast anew."""

LEFT_OUT = {"storm": {"sql-stuck-01", "web-stuck-02", "file-flaky-04"}}
"""VMs whose moves the scenario breaks: none of them says how good a forecast is."""
ARRIVED = (MoveState.DONE, MoveState.INTERRUPTED)
PATIENCE, PATIENCE_S = 3.0, 300.0
WAIT_S, WAITS = 1800.0, 8
"""Between two looks for a host that can be drained, and how many of them."""
ACCOUNT = "LAB\\admin"
"""With which the lab is read and changed: what it may do is among what blocks a plan."""
CLOSE = 0.10
"""The target."""


class NothingDue(Exception):
    """There is no forecast to score; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """One drain beside its forecast."""

    scenario: str
    planned: int
    moved: int
    forecast_s: float
    forecast_p90_s: float
    took_s: float
    move_errors: tuple[float, ...]
    """Actual over forecast duration of each live migration, less one; only those have evidence."""
    inside: int
    """Of these, those that ended within their p90."""
    after_three: float | None
    """Error of the finish that was forecast after the third arrival, as a share of the whole."""
    ended: str

    @property
    def error(self) -> float:
        return self.forecast_s / self.took_s - 1 if self.took_s > 0 else 0.0

    @property
    def covered(self) -> float:
        return self.inside / max(1, len(self.move_errors))


@dataclass
class Informed(Drain):
    """A drain that forecasts as the product does: from its journal, empty yet, and from the hosts' logs."""

    def forecaster(self) -> LearningForecaster:
        return LearningForecaster(self.site.paths)

    def plan(self, cluster: Cluster, options: PlanOptions | None = None) -> Plan:
        findings = run_checks(Facts(cluster, self.node, account=ACCOUNT))
        foreseen = replace(options or PlanOptions(), guard=self.rules.guard)
        return make_plan(cluster, self.node, foreseen, self.forecaster(), findings)

    def planner(self) -> FreshPlanner:
        return FreshPlanner(self.door, self.lab.clock, self.site, self.forecaster())


async def drained(scenario: str, folder: Path, rules: Rules = RULES, seed: int = 1) -> Outcome:
    """Plan and carry out the drain of the first host that has something to move."""
    async with InProcessLab(scenario, seed=seed) as lab:
        with Journal.open(folder / "journal.sqlite") as journal:
            drain = await _with_moves(Informed(lab, LabDoor(lab), journal, folder, rules))
            broken = LEFT_OUT.get(scenario, set())
            cluster = await drain.read()
            left_out = frozenset(vm.id for vm in cluster.vms if vm.name in broken)
            plan = await drain.open(PlanOptions(excluded=left_out))
            await _until_at_rest(drain, plan)
            state = fold(list(runs_of(journal).events(drain.run)))
            failed = frozenset(vm for vm, move in state.moves.items() if move.state is MoveState.FAILED)
            if failed:  # a forecast says how long moves take, not which of them fail
                plan = drain.plan(cluster, PlanOptions(excluded=left_out | failed))
            return judged(scenario, plan, list(runs_of(journal).events(drain.run)), rules.guard)


async def _until_at_rest(drain: Drain, plan: Plan) -> None:
    """To the run's end, or until one that waits for its operator has long had nothing more to do."""
    most_s = drain.lab.clock.elapsed_s() + PATIENCE * plan.makespan_p90_s + PATIENCE_S
    with suppress(TimeoutError):
        await run_until_done(drain.lab, drain.runner().go(), most_s=most_s)


async def _with_moves(first: Drain) -> Drain:
    """Storage that is being repaired blocks every move for a while; what somebody else empties is left to them."""
    why = ""
    for _ in range(WAITS):
        for node in first.hosts:
            drain = replace(first, node=node)
            cluster = await drain.read()
            taken = cluster.host_by_name[node].drain_status is DrainStatus.IN_PROGRESS
            plan = drain.plan(cluster)
            if not taken and plan.moves:
                return drain
            why = why or next((each.reason for each in plan.infeasible), "")
        await first.lab.advance(WAIT_S)
    raise NothingDue(f"nothing can be moved, and the plan says so: {why}")


def judged(scenario: str, plan: Plan, events: list[Event], lines: Lines | None) -> Outcome:
    """What the run's own journal says of the forecast."""
    state = fold(events)
    moved = [move for move in state.moves.values() if move.state in ARRIVED and move.duration_s]
    if not moved:
        reasons = Counter(_standing(move) for move in state.moves.values())
        told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        raise NothingDue(f"of {len(plan.moves)} planned moves none arrived: {told}")
    begun, ended = _span(moved)
    by_vm = {move.vm.id: move.forecast for move in plan.moves if move.forecast.migration_type is MigrationType.LIVE}
    known = [(move.duration_s or 0.0, by_vm[move.vm.id]) for move in moved if move.vm.id in by_vm]
    took_s = (ended - begun).total_seconds()
    return Outcome(
        scenario,
        len(plan.moves),
        len(moved),
        plan.makespan_s,
        plan.makespan_p90_s,
        took_s,
        tuple(forecast.duration_p50_s / took - 1 for took, forecast in known),
        sum(took <= forecast.duration_p90_s for took, forecast in known),
        _after_three(events, ended, took_s, lines),
        state.outcome.value if state.outcome is not None else "open",
    )


def _standing(move: Move) -> str:
    return "queued by the cluster behind moves of others" if move.queued_by_cluster else move.reason or move.state.value


def _span(moves: list[Move]) -> tuple[datetime, datetime]:
    starts = [move.started_at for move in moves if move.started_at is not None]
    ends = [move.finished_at for move in moves if move.finished_at is not None]
    return min(starts), max(ends)


def _after_three(events: list[Event], ended: datetime, took_s: float, lines: Lines | None) -> float | None:
    state: RunState | None = None
    for place, event in enumerate(events):
        state = fold(events[:1]) if state is None else apply(state, event)
        arrived = sum(move.state is MoveState.DONE and move.live for move in state.moves.values())
        if place and arrived >= LEARN_FROM:
            finish, _ = finish_forecast(state, event.at, lines)
            return (finish - ended).total_seconds() / took_s if finish < ended or arrived < len(state.moves) else None
    return None


def line(each: Outcome) -> str:
    after = "      –" if each.after_three is None else f"{each.after_three:+7.1%}"
    errors = each.move_errors or (0.0,)
    return (
        f"{each.scenario:22} {each.moved:4}/{each.planned:<4} {each.forecast_s:8.0f} {each.forecast_p90_s:8.0f}"
        f" {each.took_s:8.0f} {each.error:+7.1%} {after} {fmean(map(abs, errors)):6.1%} {median(errors):+7.1%}"
        f" {each.covered:5.0%}  {each.ended}"
    )


def main(names: list[str]) -> None:
    rules = replace(RULES, guard=None) if "--no-guard" in names else RULES
    seed = next((int(name.partition("=")[2]) for name in names if name.startswith("--seed=")), 1)
    chosen = [name for name in names if not name.startswith("-")] or [
        each.name for each in scenarios() if each.name != "huge"
    ]
    print(
        f"{'scenario':22} {'moves':>9} {'forecast':>8} {'p90':>8} {'took':>8} {'error':>7} {'after 3':>7} {'MAPE':>6}"
        f" {'median':>7} {'in p90':>5}  ended"
    )
    done: list[Outcome] = []
    for name in chosen:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = asyncio.run(drained(name, Path(folder), rules, seed))
            except NothingDue as nothing:
                print(f"{name:22} {nothing}", flush=True)
                continue
        done.append(found)
        print(f"{line(found)}  {time.monotonic() - began:.1f} s", flush=True)
    print(summary(done))


def summary(done: Sequence[Outcome]) -> str:
    close = sum(abs(each.error) <= CLOSE for each in done)
    later = [each.after_three for each in done if each.after_three is not None]
    close_later = sum(abs(each) <= CLOSE for each in later)
    moves, inside = sum(len(each.move_errors) for each in done), sum(each.inside for each in done)
    share = inside / max(1, moves)
    return (
        f"within {CLOSE:.0%}: {close} of {len(done)} drains, {close_later} of {len(later)}"
        f" after three arrivals; {inside} of {moves} live migrations ended within their p90 ({share:.1%})"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
