"""What a console can do, on screen or headless: the seam between composition and everything that shows something.

Screens and commands hold an :class:`Operations`; they never see a session, a process or a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from console.checks.values import Findings
from console.clock import Clock
from console.drain.requests import OperatorRequest
from console.drain.state import RunState
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.planner.values import Plan, PlanOptions


@dataclass(frozen=True, slots=True)
class Consents:
    """What the operator agreed to before a run; ids and names as typed or shown."""

    interrupt: frozenset[str] = frozenset()
    """VM ids; ``{"all"}`` for every one the plan lists."""
    leave_behind: frozenset[str] = frozenset()
    settings: tuple[tuple[str, int], ...] = ()
    """(name, value) of the cluster settings that the run may change and must restore."""


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

    async def read_cluster(self) -> Cluster:
        """Read everything once. Hosts that do not answer are in it as silent; raises Failure only when no host
        answers at all."""

    async def refresh(self, cluster: Cluster) -> Cluster:
        """A light re-read (states, counts, progress) laid over an earlier full one."""

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

    def runs(self) -> tuple[RunState, ...]:
        """Every run in the journal, newest first."""

    def attach(self, run: RunId) -> RunHandle:
        """Join a run that is on or over."""

    async def close(self) -> None:
        """End the sessions; runs go on."""
