"""The console's operations on a real cluster: the one place where every room meets.

Windows is reached through the doors, runs through the journal and their own processes; both are opened when they are
first needed, so that a plan costs no journal and a history no connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from console.checks.catalogue import Facts, run_checks
from console.checks.values import Findings
from console.clock import Clock
from console.consents import Consents
from console.diagnose.doctor import DoctorReport
from console.diagnose.outlook import outlook_of
from console.directory import open_directory
from console.doors import open_reader, seeds_of
from console.drain.events import Event
from console.drain.state import Purpose, RunState
from console.examining import examine_site
from console.inventory.detailing import read_details
from console.inventory.directory import with_delegations
from console.inventory.progress import Told
from console.inventory.reading import read_cluster
from console.inventory.refreshing import refresh
from console.journal.ledger import RunListing
from console.learning import LearningForecaster
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.planner.roll import RollChoice, RollOptions, RollPlan
from console.planner.values import Plan, PlanOptions
from console.planner.whatif import WhatIf
from console.planning import (
    make_joint_plan,
    make_plan,
    make_return,
    make_roll,
    make_roll_choices,
    only,
    what_would_help,
)
from console.reporting.files import write_report
from console.reporting.findings import write_findings
from console.reporting.formats import Format
from console.rolling.defaults import options_of
from console.rolling.live import LiveRolling
from console.rolling.needs import Need, needs_of_roll
from console.runs import JournalRun, Manner, Runs
from console.site import Site
from console.spoken import lines_of


class LiveOperations:
    """See :class:`console.operations.Operations`."""

    def __init__(self, site: Site, *, read_only: bool) -> None:
        self.site = site
        self._read_only = read_only or site.options.read_only
        self._clock = site.clock()
        self._reader = open_reader(site)
        self._directory = open_directory(site)
        self._forecaster = LearningForecaster(site.paths)
        self._runs = Runs(site, self._clock, read_only=self._read_only)
        self._rolling = LiveRolling(site, self._clock, self._runs, read_only=self._read_only)
        self._latest: Cluster | None = None
        self._found: tuple[Cluster, HostName | None, Findings] | None = None

    @property
    def cluster_name(self) -> str:
        return self._latest.name if self._latest is not None else self.site.name

    @property
    def read_only(self) -> bool:
        return self._read_only

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def theme(self) -> str | None:
        return self.site.theme

    async def read_cluster(self, told: Told | None = None) -> Cluster:
        seeds = seeds_of(self.site.options)
        self._latest = await read_cluster(self._reader, seeds, self._clock, previous=self._latest, told=told)
        return self._latest

    async def refresh(self, cluster: Cluster) -> Cluster:
        self._latest = await refresh(self._reader, cluster, self._clock)
        return self._latest

    def with_evidence(self, cluster: Cluster) -> Cluster:
        """The cluster with the earlier moves that forecasts on it rest on, for a snapshot."""
        return self._forecaster.with_evidence(cluster)

    async def read_details(self, cluster: Cluster, node: HostName | None) -> Cluster:
        """The cluster with the finer facts of one node's VMs (None: of all), which decide more of its conflicts."""
        detailed = await read_details(self._reader, cluster, node)
        self._latest = await with_delegations(self._directory, detailed)
        return self._latest

    async def examine(self) -> DoctorReport:
        return await examine_site(self.site, self._reader, self._directory)

    def plan(self, cluster: Cluster, node: HostName, options: PlanOptions) -> Plan:
        findings = self.check(cluster, node)
        return make_plan(cluster, node, self.site.options_of(options), self._forecaster, findings)

    def plan_together(self, cluster: Cluster, nodes: Sequence[HostName], options: PlanOptions) -> Plan:
        """One plan for nodes that are emptied at the same time: none takes the VMs of another."""
        findings = self.check(cluster, only(nodes))
        return make_joint_plan(cluster, nodes, self.site.options_of(options), self._forecaster, findings)

    def what_helps(self, cluster: Cluster, plan: Plan) -> tuple[WhatIf, ...]:
        """Changes that would shorten the plan, the most helpful first."""
        return what_would_help(cluster, plan, self._forecaster, self.check(cluster, only(plan.nodes)))

    def roll(
        self, cluster: Cluster, nodes: Sequence[HostName], options: RollOptions
    ) -> tuple[RollPlan, tuple[RollChoice, ...]]:
        """The rolling plan, and what other waves would cost."""
        asked = options.with_plan(self.site.options_of(options.plan))
        findings = self.check(cluster)
        return (
            make_roll(cluster, nodes, asked, self._forecaster, findings),
            make_roll_choices(cluster, nodes, asked, self._forecaster, findings),
        )

    def check(self, cluster: Cluster, node: HostName | None = None) -> Findings:
        if self._found is not None and self._found[0] is cluster and self._found[1] == node:
            return self._found[2]  # an operator pulls levers over one and the same snapshot
        outlook = outlook_of(cluster, node, self._forecaster)
        account = self.site.options.username or ""
        findings = run_checks(Facts(cluster, node, outlook, account), self.site.check_policy)
        self._found = (cluster, node, findings)
        return findings

    def commands_of(self, plan: Plan) -> tuple[str, ...]:
        return lines_of(plan)

    async def start_drain(self, plan: Plan, consents: Consents) -> JournalRun:
        return await self.start_run(plan, consents, Purpose.DRAIN)

    async def start_run(
        self, plan: Plan, consents: Consents, purpose: Purpose, manner: Manner | None = None
    ) -> JournalRun:
        """As :meth:`start_drain`, also for a planned return, and in another manner."""
        cluster = self._latest if self._latest is not None else await self.read_cluster()
        return self._runs.start(plan, cluster, consents, purpose, manner)

    def plan_return(self, cluster: Cluster, drained: RunState, slots: int | None = None) -> Plan:
        """How the VMs that a drain moved away come back to its node; changes nothing."""
        return make_return(drained, cluster, self._forecaster, self.check(cluster), slots)

    def runs(self) -> RunListing:
        return self._runs.listing()

    def attach(self, run: RunId) -> JournalRun:
        return self._runs.attach(run)

    def events_of(self, run: RunId) -> tuple[Event, ...]:
        return self._runs.events(run)

    @property
    def report_folder(self) -> Path:
        return self.site.paths.reports

    def write_report(self, run: RunId, form: Format) -> Path:
        return write_report(self.report_folder, run, self._runs.events(run), form)

    def write_findings(self, cluster: Cluster, findings: Findings, form: Format) -> Path:
        return write_findings(self.report_folder, cluster, findings, form)

    @property
    def rolling(self) -> LiveRolling:
        return self._rolling

    def plan_roll(
        self, cluster: Cluster, nodes: Sequence[HostName] = (), options: RollOptions | None = None
    ) -> RollPlan:
        """These nodes, or all; without ``options`` as the configuration has it."""
        wanted = options or options_of(self.site.roll_defaults)
        asked = wanted.with_plan(self.site.options_of(wanted.plan))
        chosen = nodes or tuple(host.name for host in cluster.hosts)
        return make_roll(cluster, chosen, asked, self._forecaster, self.check(cluster))

    def roll_needs(self, cluster: Cluster, plan: RollPlan) -> tuple[Need, ...]:
        """What of a rolling plan somebody has to agree to before it begins."""
        return needs_of_roll(plan, lambda node, options: self.plan(cluster, node, options))

    @property
    def run_book(self) -> Runs:
        """The runs themselves, for a command that follows one."""
        return self._runs

    async def close(self) -> None:
        await self._reader.close()
        self._runs.close()
        self._rolling.close()


@asynccontextmanager
async def open_operations(site: Site, *, read_only: bool) -> AsyncIterator[LiveOperations]:
    """Operations that are closed at the end; runs go on."""
    operations = LiveOperations(site, read_only=read_only)
    try:
        yield operations
    finally:
        await operations.close()
