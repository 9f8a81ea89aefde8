"""A roll of the lab in virtual time: its loop, its executor and its drains, without sockets and processes."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from console.checks.catalogue import Facts, run_checks
from console.clock import SystemClock
from console.consents import Consents
from console.drain.events import Event
from console.drain.opening import consent_entries, open_event
from console.drain.roll_events import RollEvent
from console.drain.roll_state import RollState, Stage
from console.drain.state import Purpose, RunState
from console.forecast.forecaster import PriorForecaster
from console.journal.ledger import Follower, rolls_of, runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.planner.roll import RollOptions, RollPlan
from console.planner.values import Plan
from console.planning import make_roll
from console.rolling.book import opening_of
from console.rolling.executor import RollExecutor
from console.rolling.hooks import HookResult
from console.rolling.loop import RollRunner
from console.rolling.planning import RollPlanner
from console.rolling.wishes import RollWishes
from console.runner.changing import Hands
from console.runner.control import Circle
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import Drain

ROLL = RunId("roll-1")


@dataclass
class Desk:
    """One roll of one lab; the drains are tasks that outlive the roll's own loop."""

    lab: InProcessLab
    door: LabDoor
    journal: Journal
    folder: Path
    hook_status: Callable[[str], int | None] = lambda node: 0
    hooks: list[tuple[str, str]] = field(default_factory=list)
    """Node and cluster, as each hook was told."""
    ailing: Callable[[float], str] | None = None
    """The cluster's health at a second of the lab, where the lab's own is not asked."""
    started: list[RunId] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _tasks: list[asyncio.Task[RunState]] = field(default_factory=list)
    _followers: dict[RunId, Follower[RunState, Event]] = field(default_factory=dict)

    # a roll

    async def open(
        self, wishes: RollWishes | None = None, window_s: float | None = None, **options: object
    ) -> RollPlan:
        """Plan it and write it down; its window ends ``window_s`` from now."""
        drain = self._drain(RunId("none"), self.hosts[0])
        cluster = await drain.read()
        findings = run_checks(Facts(cluster, None))
        asked = RollOptions(**options)  # type: ignore[arg-type]
        plan = make_roll(cluster, self.hosts, asked, PriorForecaster(), findings)
        now = self.lab.clock.now()
        ends_at = None if window_s is None else now + timedelta(seconds=window_s)
        event = opening_of(plan, cluster.name, wishes or RollWishes(), ROLL, now, "tester", ends_at)
        rolls_of(self.journal).append(ROLL, [event])
        return plan

    def runner(self) -> RollRunner:
        token = self.journal.take_run(ROLL, "here", os.getpid(), SystemClock().now())
        return RollRunner(
            self.journal, ROLL, token, self.executor(), self.lab.clock, self.complaints.append, least_wait_s=0.0
        )

    def executor(self) -> RollExecutor:
        drain = self._drain(RunId("none"), self.hosts[0])
        planner = RollPlanner(self.door, self.lab.clock, drain.site, PriorForecaster())

        def hands(node: HostName) -> Hands:
            return Hands(self.door, Circle(self.door, self.hosts, node), node)

        async def health(nodes: Sequence[HostName]) -> str:
            assert self.ailing is not None
            return self.ailing(self.lab.clock.elapsed_s())

        asked = None if self.ailing is None else health
        return RollExecutor(
            self.door, hands, self.hosts, planner, self, self.lab.clock, hook=self._hook, health=asked
        )  # fmt: skip

    async def go(self, until: Callable[[RollState], bool] | None = None) -> RollState:
        """Carry it on until it ends or stands, or is killed at ``until``."""
        work = self._killed_at(until) if until is not None else self.runner().go()
        return await run_until_done(self.lab, work, most_s=48 * 3600)

    async def _killed_at(self, until: Callable[[RollState], bool]) -> RollState:
        runner = self.runner()
        task = asyncio.create_task(runner.go())
        for _ in itertools.count():
            if task.done() or until(runner.state):
                break
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return rolls_of(self.journal).load(ROLL)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # what became of it

    @property
    def hosts(self) -> tuple[HostName, ...]:
        return tuple(HostName(name) for name in self.lab.engines)

    @property
    def state(self) -> RollState:
        return rolls_of(self.journal).load(ROLL)

    @property
    def events(self) -> tuple[RollEvent, ...]:
        return rolls_of(self.journal).events(ROLL)

    def stages(self) -> Mapping[str, Stage]:
        return {node.name: node.stage for node in self.state.nodes.values()}

    def moves(self) -> int:
        """Live migrations that Windows was asked for."""
        return sum(call.entry.startswith("move-vm-") for call in self.door.changes)

    # the drains

    def look(self, run: RunId) -> RunState | None:
        follower = self._followers.setdefault(run, Follower(runs_of(self.journal), run))
        follower.poll()
        return follower.state if follower.seq else None

    def start(self, run: RunId, plan: Plan, cluster: Cluster, consents: Consents, purpose: Purpose) -> None:
        at = self.lab.clock.now()
        given = consent_entries(
            interrupt=consents.interrupt, leave_behind=consents.leave_behind, settings=consents.settings, by="t", at=at
        )
        self.started.append(run)
        runs_of(self.journal).append(run, [open_event(plan, cluster, run=run, at=at, consents=given, purpose=purpose)])
        self._tasks.append(asyncio.create_task(self._drain(run, plan.node).runner().go()))

    def _drain(self, run: RunId, node: HostName) -> Drain:
        return Drain(self.lab, self.door, self.journal, self.folder, run=run, node=node)

    async def _hook(self, program: Sequence[str], variables: Mapping[str, str], timeout_s: float) -> HookResult:
        self.hooks.append((variables["DRAINBOARD_NODE"], variables["DRAINBOARD_CLUSTER"]))
        status = self.hook_status(variables["DRAINBOARD_NODE"])
        return HookResult(status, "patched")
