"""The drains of a roll: runs of the same journal, each in a process of its own that outlives the roll's."""

from __future__ import annotations

from console.clock import Clock
from console.consents import Consents
from console.drain.state import Purpose, RunState, WhenStuck
from console.model.cluster import Cluster
from console.model.identity import RunId
from console.planner.values import Plan
from console.runs import JournalRun, Manner, Runs, opened
from console.site import Site


class JournalDrains:
    """See :class:`console.rolling.executor.Drains`."""

    def __init__(self, site: Site, clock: Clock, operator: str) -> None:
        self._site = site
        self._clock = clock
        self._operator = operator
        self._runs = Runs(site, clock, read_only=False)
        self._handles: dict[RunId, JournalRun] = {}

    def look(self, run: RunId) -> RunState | None:
        if run not in self._handles:
            try:
                self._handles[run] = self._runs.attach(run)
            except KeyError:
                return None
        state = self._handles[run].state()
        if state.outcome is None and not self._runs.is_carried_out(run):
            self._handles[run] = self._runs.attach(run)
        return state

    def start(self, run: RunId, plan: Plan, cluster: Cluster, consents: Consents, purpose: Purpose) -> None:
        """A crash between the two steps leaves a run that the next look gives a runner."""
        self._runs.refuse_second(plan.node)
        manner = Manner(when_stuck=self._site.when_stuck or WhenStuck.CANCEL)  # nobody is there to be asked
        now = self._clock.now()
        event = opened(self._site, plan, cluster, consents, run, now, self._operator, purpose, manner)
        self._handles[run] = self._runs.begin(event)

    def close(self) -> None:
        self._runs.close()
