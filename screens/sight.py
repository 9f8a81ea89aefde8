"""The two halves of what a console can do: seeing, which every console has, and the hand, which a read-only one lacks.

Read-only is not a flag that is asked before each act: the app of a read-only console never constructs a
:class:`Hand`, and :class:`Sight` has no way to ask for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from console.checks.values import Findings
from console.clock import Clock
from console.consents import Consents
from console.diagnose.symptoms import DoctorReport
from console.drain.requests import OperatorRequest
from console.drain.roll_requests import RollRequest
from console.drain.roll_state import RollState
from console.drain.state import LogLine, Purpose, RunState
from console.drain.tape import Tape
from console.inventory.progress import Told
from console.journal.ledger import RunListing
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.operations import Operations, RunHandle
from console.planner.roll import RollOptions, RollPlan
from console.planner.values import Plan, PlanOptions
from console.reporting.formats import Format
from console.store import Store
from screens.paint import Look

if TYPE_CHECKING:
    from console.guard import Lines
    from console.rolling.defaults import RollDefaults
    from console.rolling.needs import Need
    from console.rolling.wishes import RollWishes

STALE_AFTER_S = 45.0
"""Four missed readings while nothing runs; more where one reading takes longer."""


class RunSight:
    """A run to look at."""

    def __init__(self, handle: RunHandle) -> None:
        self.run = handle.run
        self.state = handle.state


class Sight:
    """Everything that only reads."""

    def __init__(self, operations: Operations) -> None:
        self.cluster_name: str = operations.cluster_name
        self.read_only: bool = operations.read_only
        self.clock: Clock = operations.clock
        self._reading = operations

    async def read_cluster(self, told: Told | None = None) -> Cluster:
        return await self._reading.read_cluster(told)

    async def refresh(self, cluster: Cluster) -> Cluster:
        return await self._reading.refresh(cluster)

    async def read_details(self, cluster: Cluster, node: HostName | None) -> Cluster:
        return await self._reading.read_details(cluster, node)

    async def examine(self) -> DoctorReport:
        return await self._reading.examine()

    def plan(self, cluster: Cluster, node: HostName, options: PlanOptions) -> Plan:
        return self._reading.plan(cluster, node, options)

    def check(self, cluster: Cluster, node: HostName | None = None) -> Findings:
        return self._reading.check(cluster, node)

    def commands_of(self, plan: Plan) -> tuple[str, ...]:
        return self._reading.commands_of(plan)

    def runs(self) -> RunListing:
        return self._reading.runs()

    def attach(self, run: RunId) -> RunSight:
        return RunSight(self._reading.attach(run))

    def plan_roll(
        self, cluster: Cluster, nodes: Sequence[HostName] = (), options: RollOptions | None = None
    ) -> RollPlan:
        return self._reading.plan_roll(cluster, nodes, options)

    def roll_needs(self, cluster: Cluster, plan: RollPlan) -> tuple[Need, ...]:
        return self._reading.roll_needs(cluster, plan)

    @property
    def roll_defaults(self) -> RollDefaults:
        return self._reading.rolling.defaults

    def newest_roll(self, cluster: str) -> RollState | None:
        return self._reading.rolling.newest(cluster)

    def log_of_roll(self, roll: RollState) -> tuple[LogLine, ...]:
        return self._reading.rolling.log_of(roll.roll)

    def drains_of_roll(self, roll: RollState) -> Mapping[RunId, RunState]:
        return self._reading.rolling.drains_of(roll)

    def plan_return(self, cluster: Cluster, drained: RunState, slots: int | None) -> Plan:
        return self._reading.plan_return(cluster, drained, slots)

    def tape_of(self, run: RunId) -> Tape:
        """A run to play again, folded once to its end.

        Raises:
            ValueError: its lines are damaged.
        """
        try:
            tape = Tape(self._reading.events_of(run))
            tape.at(tape.ended_at)
        except KeyError as error:
            raise ValueError(f"run {run} can not be told again: its lines are damaged ({error})") from None
        return tape

    def write_findings(self, cluster: Cluster, findings: Findings, form: Format) -> Path:
        """Write what was found: a file here, nothing on the cluster."""
        return self._reading.write_findings(cluster, findings, form)

    @property
    def report_folder(self) -> Path:
        return self._reading.report_folder

    def write_report(self, run: RunId, form: Format) -> Path:
        """Write a report: a file here, nothing on the cluster."""
        return self._reading.write_report(run, form)


class Hand:
    """Everything that changes the world: starting a drain, and asking a run for something."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._handles: dict[RunId, RunHandle] = {}

    async def start(self, plan: Plan, consents: Consents, purpose: Purpose = Purpose.DRAIN) -> RunId:
        """Start the run; its id.

        Raises:
            PermissionError, Failure: as :meth:`console.operations.Operations.start_drain`.
        """
        if purpose is Purpose.DRAIN:
            handle = await self._operations.start_drain(plan, consents)
        else:
            handle = await self._operations.start_run(plan, consents, purpose)
        self._handles[handle.run] = handle
        return handle.run

    def start_roll(self, plan: RollPlan, cluster: Cluster, wishes: RollWishes) -> RunId:
        """Begin a rolling run; see :meth:`console.operations.Rolling.start`."""
        return self._operations.rolling.start(plan, cluster, wishes)

    def ask_roll(self, roll: RunId, request: RollRequest) -> None:
        """Ask a rolling run for something."""
        self._operations.rolling.ask(roll, request)

    def ask(self, run: RunId, request: OperatorRequest) -> None:
        """Ask the run's runner."""
        if run not in self._handles:
            self._handles[run] = self._operations.attach(run)
        self._handles[run].request(request)


class Services:
    """What every screen is given: values to show, a look to show them in, and, unless read-only, the hand."""

    def __init__(
        self,
        sight: Sight,
        hand: Hand | None,
        store: Store,
        look: Look,
        window_ends_at: datetime | None,
        settle_s: float,
        guard: Lines | None = None,
    ) -> None:
        self.sight = sight
        self.hand = hand
        self.store = store
        self.look = look
        self.settle_s = settle_s
        """How long a confirmation ignores keys after it opened, in real seconds."""
        self.opened_at = sight.clock.now()
        self._guard = guard
        self.stale_after_s = STALE_AFTER_S
        """Older data is greyed out."""
        self.keys: dict[str, tuple[str, ...]] = {}
        """Every action's keys after remapping."""
        self._window_ends_at = window_ends_at

    @property
    def guard(self) -> Lines:
        """What the guard's readings are measured against."""
        if self._guard is None:
            from console.guard import Lines

            self._guard = Lines()
        return self._guard

    @property
    def now(self) -> datetime:
        return self.sight.clock.now()

    @property
    def cluster_name(self) -> str:
        return self.sight.cluster_name

    @property
    def window_ends_at(self) -> datetime | None:
        run, roll = self.store.run, self.store.open_roll
        if roll is not None and roll.window_ends_at is not None:
            return roll.window_ends_at
        return run.window_ends_at if run is not None and run.window_ends_at else self._window_ends_at

    @property
    def live_run(self) -> RunState | None:
        """The run that is on, whatever is shown."""
        return self.store.run if self.store.run_is_on else None

    @property
    def why_roll_holds(self) -> str:
        """Why no run is begun by hand: a rolling run takes nodes out and back. Empty when none goes on by itself."""
        roll = self.open_roll
        if roll is None or roll.failed or roll.waits_for_approval is not None:
            return ""
        return "A rolling run is on, which takes nodes out and back itself; m shows it."

    def look_at_roll(self) -> None:
        """Take the newest state of the cluster's rolling run into the store.

        Raises:
            JournalUnusable, OSError: the journal can not be read now.
        """
        if self.store.cluster is not None:
            roll = self.sight.newest_roll(self.store.cluster.name)
            self.store.put_roll(roll, {} if roll is None or roll.closed else self.sight.drains_of_roll(roll))

    @property
    def open_roll(self) -> RollState | None:
        """The rolling run that goes on, or waits for somebody."""
        return self.store.open_roll

    @property
    def mode(self) -> str:
        """The badge: ``read-only``, ``live`` while a run is on, else ``plan``."""
        if self.hand is None:
            return "read-only"
        return "live" if self.store.run_is_on else "plan"

    @property
    def stale(self) -> bool:
        """Whether the cluster's data is too old to be trusted at a glance."""
        age = self.store.age_s(self.now)
        return age is not None and age > self.stale_after_s
