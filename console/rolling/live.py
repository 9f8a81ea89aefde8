"""Rolling runs for a screen: the newest one with its drains, the plan of a further one, and the word to go on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from console.clock import Clock, SystemClock
from console.drain.roll_outlook import RollLog
from console.drain.roll_requests import RollRequest
from console.drain.roll_state import RollState, Stage
from console.drain.state import LogLine, RunState
from console.model.cluster import Cluster
from console.model.identity import RunId
from console.planner.roll import RollPlan
from console.runs import JournalRun, Runs
from console.site import Site

from .book import RollBook, RollHandle
from .defaults import RollDefaults
from .wishes import RollWishes

ALIVE_S = 5.0
"""Real seconds between two looks whether the roll's process lives."""


class LiveRolling:
    """See :class:`console.operations.Rolling`."""

    def __init__(self, site: Site, clock: Clock, runs: Runs, *, read_only: bool) -> None:
        self._site = site
        self._book = RollBook(site, clock, read_only=read_only)
        self._runs = runs
        self._rolls: dict[RunId, RollHandle] = {}
        self._logs: dict[RunId, RollLog] = {}
        self._drains: dict[RunId, JournalRun] = {}
        self._real = SystemClock()
        self._looked_s = 0.0

    def newest(self, cluster: str) -> RollState | None:
        """One that is open and could go on gets a process, where it has lost its own."""
        name = self._book.newest_of(cluster)
        if name is None:
            return None
        handle = self._rolls.setdefault(name, self._book.watch(name))
        self._logs.setdefault(name, RollLog()).take(handle.news())
        state = handle.state
        if not state.closed and self._real.elapsed_s() - self._looked_s >= ALIVE_S:
            self._looked_s = self._real.elapsed_s()
            self._book.keep_on(name)
        return state

    def log_of(self, roll: RunId) -> tuple[LogLine, ...]:
        return tuple(self._logs[roll].lines) if roll in self._logs else ()

    def drains_of(self, roll: RollState) -> Mapping[RunId, RunState]:
        found: dict[RunId, RunState] = {}
        for node in roll.nodes.values():
            run = {Stage.DRAINING: node.drain, Stage.RETURNING: node.back}.get(node.stage)
            if run is None:
                continue
            with suppress(KeyError):  # intended, and not written down yet
                if run not in self._drains:
                    self._drains[run] = self._runs.attach(run, revive=False)
                found[run] = self._drains[run].state()
        return found

    @property
    def defaults(self) -> RollDefaults:
        return self._site.roll_defaults

    def start(self, plan: RollPlan, cluster: Cluster, wishes: RollWishes) -> RunId:
        return self._book.start(plan, cluster.name, wishes).name

    def ask(self, roll: RunId, request: RollRequest) -> None:
        self._book.request(roll, request)

    def close(self) -> None:
        self._book.close()
