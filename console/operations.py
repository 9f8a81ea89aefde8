"""What a console can do, on screen or headless: the seam between composition and everything that shows something.

Screens and commands hold an :class:`Operations`; they never see a session, a process or a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from console.checks.values import Findings
from console.clock import Clock
from console.consents import Consents
from console.diagnose.symptoms import DoctorReport
from console.drain.events import Event
from console.drain.requests import OperatorRequest
from console.drain.roll_requests import RollRequest
from console.drain.roll_state import RollState
from console.drain.state import LogLine, Purpose, RunState
from console.inventory.progress import Told
from console.journal.ledger import RunListing
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.planner.roll import RollOptions, RollPlan
from console.planner.values import Plan, PlanOptions
from console.reporting.formats import Format

if TYPE_CHECKING:
    from console.rolling.defaults import RollDefaults
    from console.rolling.needs import Need
    from console.rolling.wishes import RollWishes


class RunHandle(Protocol):
    """A run as seen from a console: it lives in a process of its own, the journal is the way to it."""

    @property
    def run(self) -> RunId: ...

    def state(self) -> RunState:
        """The run as of the newest event; cheap to call twice a second."""

    def request(self, request: OperatorRequest) -> None:
        """Ask the runner for something; it answers by events.

        Raises:
            PermissionError: this console is read-only.
        """


class Rolling(Protocol):
    """The rolling runs of one cluster; each lives in a process of its own."""

    def newest(self, cluster: str) -> RollState | None:
        """The newest one as of its newest event; cheap to call twice a second."""

    def log_of(self, roll: RunId) -> tuple[LogLine, ...]:
        """What happened in it, oldest first, as of the last look."""

    def drains_of(self, roll: RollState) -> Mapping[RunId, RunState]:
        """The runs of the nodes that are out now."""

    @property
    def defaults(self) -> RollDefaults:
        """What the configuration lets a roll begin with."""

    def start(self, plan: RollPlan, cluster: Cluster, wishes: RollWishes) -> RunId:
        """Begin with the first wave.

        Raises:
            PermissionError: this console is read-only.
            CommandEnded: one is open on this cluster.
            JournalUnusable: it can not be written down, so it does not start.
        """

    def ask(self, roll: RunId, request: RollRequest) -> None:
        """Ask for something; the roll answers by events.

        Raises:
            PermissionError: this console is read-only.
        """


class Operations(Protocol):
    """One cluster, one console."""

    @property
    def cluster_name(self) -> str: ...

    @property
    def read_only(self) -> bool: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def theme(self) -> str | None:
        """The theme that the configuration gives this cluster."""

    async def read_cluster(self, told: Told | None = None) -> Cluster:
        """Read everything once, telling how far it is. Hosts that do not answer are in it as silent; raises Failure
        only when no host answers at all."""

    async def refresh(self, cluster: Cluster) -> Cluster:
        """A light re-read (states, counts, progress) laid over an earlier full one."""

    async def read_details(self, cluster: Cluster, node: HostName | None) -> Cluster:
        """The cluster with the finer facts of one node's VMs (None: of all), which decide more of its conflicts.
        Raises no Failure: what could not be read stays unknown."""

    async def examine(self) -> DoctorReport:
        """Whether this console gets through to every node, and what it may do there; changes nothing and raises no
        Failure."""

    def plan(self, cluster: Cluster, node: HostName, options: PlanOptions) -> Plan:
        """Plan one node's drain; changes nothing, asks nobody."""

    def check(self, cluster: Cluster, node: HostName | None = None) -> Findings:
        """Every conflict that the facts at hand show."""

    def commands_of(self, plan: Plan) -> tuple[str, ...]:
        """The exact PowerShell lines that the plan would send, for reading."""

    async def start_drain(self, plan: Plan, consents: Consents) -> RunHandle:
        """Start the runner's own process for this plan.

        Raises:
            PermissionError: this console is read-only.
            Failure: the node could not be claimed.
        """

    def plan_return(self, cluster: Cluster, drained: RunState, slots: int | None = None) -> Plan:
        """How the VMs that a drain moved away come back to its node; changes nothing."""

    async def start_run(self, plan: Plan, consents: Consents, purpose: Purpose) -> RunHandle:
        """As :meth:`start_drain`, also for a planned return."""

    def runs(self) -> RunListing:
        """Every run in the journal, newest first; those whose lines are damaged apart."""

    def attach(self, run: RunId) -> RunHandle:
        """Join a run that is on or over."""

    def events_of(self, run: RunId) -> tuple[Event, ...]:
        """Everything that happened in a run, from its opening on.

        Raises:
            KeyError: the journal holds no such run.
        """

    @property
    def report_folder(self) -> Path:
        """Where reports are written; made when the first one is."""

    def write_report(self, run: RunId, form: Format) -> Path:
        """Write the run's report, over an earlier one of the same run and format; returns the file.

        Raises:
            OSError: the file can not be written.
            ValueError: the run's lines are damaged.
        """

    def write_findings(self, cluster: Cluster, findings: Findings, form: Format) -> Path:
        """Write what was found in the cluster, over an earlier file of the same cluster and format; returns the file.

        Raises:
            OSError: the file can not be written.
            ValueError: findings have no such format.
        """

    @property
    def rolling(self) -> Rolling: ...

    def plan_roll(
        self, cluster: Cluster, nodes: Sequence[HostName] = (), options: RollOptions | None = None
    ) -> RollPlan:
        """These nodes, or all; without ``options`` as the configuration has it. Changes nothing."""

    def roll_needs(self, cluster: Cluster, plan: RollPlan) -> tuple[Need, ...]:
        """What of a rolling plan somebody has to agree to before it begins."""

    async def close(self) -> None:
        """End the sessions; runs go on."""
