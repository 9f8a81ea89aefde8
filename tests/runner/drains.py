"""A drain of the lab in virtual time, by everything that a real one has but the wire."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from console.checks.catalogue import Facts, run_checks
from console.clock import SystemClock
from console.configuration.models import ClusterOptions, Configuration
from console.drain.lease import LeaseTerms
from console.drain.opening import consent_entries, open_event
from console.drain.rules import Rules
from console.drain.state import RunState, WhenStuck
from console.forecast.forecaster import PriorForecaster
from console.inventory.detailing import read_details
from console.inventory.reading import read_cluster
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.paths import standard_paths
from console.planner.values import Plan, PlanOptions
from console.planning import make_plan
from console.runner.actors import Actors
from console.runner.carrying import Executor
from console.runner.changing import Hands
from console.runner.control import Circle
from console.runner.leasing import Leases
from console.runner.looking import Lookout
from console.runner.loop import Runner
from console.runner.replanning import FreshPlanner
from console.runner.sensing import Sensors
from console.site import Site
from tests.labdoor import LabDoor, run_until_done

NODE = HostName("HV01")
RUN = RunId("run-1")
RULES = Rules(lease=LeaseTerms("tester", "here"))


@dataclass
class Drain:
    """One run of one lab."""

    lab: InProcessLab
    door: LabDoor
    journal: Journal
    folder: Path
    rules: Rules = RULES
    run: RunId = RUN
    settings: tuple[tuple[str, int], ...] = ()
    node: HostName = NODE
    when_stuck: WhenStuck = WhenStuck.ASK
    pause_node: bool = True

    @property
    def hosts(self) -> tuple[HostName, ...]:
        return tuple(HostName(name) for name in self.lab.engines)

    @property
    def site(self) -> Site:
        options = ClusterOptions.model_validate({"nodes": list(self.hosts)})
        return Site("lab", options, Configuration(), standard_paths(self.folder / "config.toml"))

    async def read(self) -> Cluster:
        cluster = await run_until_done(self.lab, read_cluster(self.door, self.hosts, self.lab.clock))
        return await run_until_done(self.lab, read_details(self.door, cluster, self.node))

    def plan(self, cluster: Cluster, options: PlanOptions | None = None) -> Plan:
        findings = run_checks(Facts(cluster, self.node))
        return make_plan(cluster, self.node, options or PlanOptions(), PriorForecaster(), findings)

    async def open(self, options: PlanOptions | None = None) -> Plan:
        """Plan and write down the run."""
        cluster = await self.read()
        plan = self.plan(cluster, options)
        at = self.lab.clock.now()
        consents = consent_entries(interrupt=["all"], settings=self.settings, by="tester", at=at)
        event = open_event(
            plan,
            cluster,
            run=self.run,
            at=at,
            operator="tester",
            consents=consents,
            when_stuck=self.when_stuck,
            pause_node=self.pause_node,
        )
        runs_of(self.journal).append(self.run, [event])
        return plan

    def runner(self) -> Runner:
        """Take the run; a runner before it counts as gone."""
        before = self.journal.runner(self.run)
        if before is not None:
            self.journal.leave_run(self.run, before.token)
        token = self.journal.take_run(self.run, "here", os.getpid(), SystemClock().now())
        circle = Circle(self.door, self.hosts, self.node)
        clock = self.lab.clock
        hands = Hands(self.door, circle, self.node)
        leases = Leases(self.door, circle, hands, clock, self.run)
        executor = Executor(
            Lookout(self.door, circle, clock, self.node),
            hands,
            Sensors(self.door, clock),
            leases,
            self.planner(),
            Actors(self.door, circle, leases, clock),
            clock,
        )
        complaints: list[str] = []
        return Runner(self.journal, self.run, token, executor, clock, self.rules, complaints.append)

    def planner(self) -> FreshPlanner:
        return FreshPlanner(self.door, self.lab.clock, self.site, PriorForecaster())

    async def finish(self) -> RunState:
        return await run_until_done(self.lab, self.runner().go())

    def patient(self, **changes: float) -> Drain:
        return replace(self, rules=replace(self.rules, **changes))  # type: ignore[arg-type]
