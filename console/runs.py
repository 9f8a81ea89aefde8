"""Runs as a console has them: started as processes of their own, seen and spoken to through the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.clock import Clock, SystemClock
from console.consents import Consents
from console.drain.events import Event, RunOpened
from console.drain.opening import consent_entries, open_event
from console.drain.requests import OperatorRequest
from console.drain.state import Purpose, RunState, WhenStuck
from console.exits import UsageProblem
from console.journal.ledger import RUNS, Damaged, RunListing, named
from console.model.cluster import Cluster
from console.model.failures import CommandFailed
from console.model.identity import HostName, RunId
from console.planner.values import Plan
from console.runner.process import start_runner
from console.runner.starting import last_words
from console.site import Site
from console.site_ledger import SiteLedger, operator

LIFE_S = 5.0
"""Real seconds between two looks whether a run's runner lives."""
MOST_REVIVALS = 3
"""New runners that one console gives one run."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run goes about it, besides its plan and its consents."""

    pause_node: bool = True
    """False: the node stays open to roles, for example because pausing would cost its storage a copy."""
    when_stuck: WhenStuck | None = None
    """None: what the site says about it, else an operator is asked."""


class Runs:
    """The runs of one site. The journal is opened when it is first needed."""

    def __init__(self, site: Site, clock: Clock, *, read_only: bool) -> None:
        self._site = site
        self._clock = clock
        self._kept = SiteLedger(site, clock, RUNS, start_runner, read_only=read_only)
        self._revivals: Counter[RunId] = Counter()

    def start(
        self,
        plan: Plan,
        cluster: Cluster,
        consents: Consents,
        purpose: Purpose = Purpose.DRAIN,
        manner: Manner | None = None,
    ) -> JournalRun:
        """Write down the run and start its runner.

        Raises:
            PermissionError: read-only.
            CommandFailed: another run of this journal holds the node.
            JournalUnusable: the run can not be written down, so it does not start.
        """
        self._kept.require_hand()
        self.refuse_second(plan.node)
        run = self._kept.new_name(plan.node)
        event = opened(
            self._site, plan, cluster, consents, run, self._clock.now(), operator(), purpose, manner or Manner()
        )
        return self.begin(event)

    def begin(self, opening: RunOpened) -> JournalRun:
        """Write a run down and start its runner. A crash between the two leaves one that :meth:`attach` finds.

        Raises:
            JournalUnusable: it can not be written down, so it does not start.
        """
        self._kept.begin(opening.run, opening)
        return self._handle(opening.run)

    def attach(self, run: RunId, *, revive: bool = True) -> JournalRun:
        """Join a run. One that is open and has lost its runner gets a new one, unless this console only looks.

        Raises:
            KeyError: the journal holds no such run.
        """
        state = self.state(run)
        if revive and not self._kept.read_only and state.outcome is None and not self.is_carried_out(run):
            self._kept.carry_on(run)
        return self._handle(run)

    def keep_alive(self, run: RunId) -> None:
        """Give an open run that has lost its runner another one.

        Raises:
            CommandFailed: that has been done so often that the next one would not live either.
        """
        if self.is_carried_out(run):
            return
        self._revivals[run] += 1
        if self._revivals[run] > MOST_REVIVALS:
            log = self._site.paths.state / "runner.log"
            said = self.last_words(run)
            raise CommandFailed(
                self.state(run).node,
                f"The runner of {run} ended {MOST_REVIVALS} times{said}. What moves goes on by itself, and nothing new"
                " starts.",
                f"{log} says why. Then join it again (drainboard attach {run}), or close the run by force (F).",
            )
        self._kept.carry_on(run)

    def last_words(self, run: RunId) -> str:
        """What its runners said last, to go on a sentence with."""
        said = last_words(self._site, run).rstrip(".")
        return f" ({said})" if said else ""

    def listing(self) -> RunListing:
        """Every run, newest first; the damaged ones apart."""
        return self._kept.listing()

    def state(self, run: RunId) -> RunState:
        """A run as of its newest event.

        Raises:
            KeyError: the journal holds no such run.
        """
        return self._kept.state(run)

    def events(self, run: RunId) -> tuple[Event, ...]:
        """Everything that happened in a run so far.

        Raises:
            KeyError: the journal holds no such run.
        """
        recorded = self._kept.ledger.events(run)
        if not recorded:
            raise KeyError(run)
        return recorded

    def is_carried_out(self, run: RunId) -> bool:
        """Whether a runner shows signs of life."""
        return self._kept.is_carried_on(run)

    def refuse_second(self, node: HostName) -> None:
        """Before a run on that node.

        Raises:
            CommandFailed: a run that is open, or may be, holds the node.
        """
        listing = self.listing()
        for state in listing.known:
            if state.outcome is None and state.node == node:
                raise CommandFailed(
                    node,
                    f"Run {state.run} of {state.operator or 'somebody'} holds {node}.",
                    f"Join it (drainboard attach {state.run}), or close it there.",
                )
        for damaged in listing.perhaps_open:
            if not isinstance(damaged.opening, RunOpened) or damaged.opening.node == node:
                raise CommandFailed(node, f"Run {damaged.name} may hold {node}. {damaged.why}", damaged.advice)

    def close(self) -> None:
        self._kept.close()

    def _handle(self, run: RunId) -> JournalRun:
        keep_alive = None if self._kept.read_only else self.keep_alive
        return JournalRun(self._kept, run, keep_alive)


class JournalRun:
    """See :class:`console.operations.RunHandle`."""

    def __init__(
        self,
        kept: SiteLedger[RunState, Event, OperatorRequest],
        run: RunId,
        keep_alive: Callable[[RunId], None] | None = None,
    ) -> None:
        self.run = run
        self._kept = kept
        self._follower = kept.follow(run)
        self._keep_alive = keep_alive
        self._real = SystemClock()
        self._kept_at_s = self._real.elapsed_s()

    def state(self) -> RunState:
        """See :meth:`console.operations.RunHandle.state`; a run that has lost its runner gets another one.

        Raises:
            CommandFailed: its runners end again and again.
        """
        state = self._follower.now()
        if self._keep_alive is not None and state.outcome is None:
            self._tend(self._keep_alive)
        return state

    def _tend(self, keep_alive: Callable[[RunId], None]) -> None:
        now_s = self._real.elapsed_s()
        if now_s - self._kept_at_s >= LIFE_S:
            self._kept_at_s = now_s
            keep_alive(self.run)

    def news(self) -> tuple[Event, ...]:
        """The events since the last look. A journal that is locked for a moment has none."""
        return self._follower.news()

    def request(self, request: OperatorRequest) -> None:
        self._kept.ask(self.run, request)


def opened(
    site: Site,
    plan: Plan,
    cluster: Cluster,
    consents: Consents,
    run: RunId,
    at: datetime,
    by: str,
    purpose: Purpose,
    manner: Manner,
) -> RunOpened:
    """The event that a run begins with, under the site's limits, window and wishes."""
    limits = site.options_of(plan.options).limits
    opening = site.opening(at)
    return open_event(
        replace(plan, options=replace(plan.options, limits=limits)),
        cluster,
        run=run,
        at=at,
        operator=by,
        purpose=purpose,
        pause_node=manner.pause_node,
        when_stuck=manner.when_stuck or site.when_stuck or WhenStuck.ASK,
        consents=consent_entries(
            interrupt=consents.interrupt,
            leave_behind=consents.leave_behind,
            settings=consents.settings,
            by=by,
            at=at,
        ),
        window_ends_at=opening.ends_at if opening is not None and opening.starts_at <= at else None,
    )


def choose_run(runs: RunListing, typed: str | None) -> RunId:
    """The run of that name (a beginning is enough), else the newest open one, else the newest.

    Raises:
        UsageProblem: none, or several begin so; or it is damaged, and with no name one that may be open is.
    """
    if not typed:
        return _newest(runs)
    found = named([*(state.run for state in runs.known), *(each.name for each in runs.damaged)], typed)
    if len(found) != 1:
        names = ", ".join(found[:5]) or ", ".join(state.run for state in runs.known[:5]) or "none yet"
        what = f"{len(found)} runs begin with {typed!r}" if found else f"There is no run {typed!r}"
        raise UsageProblem(f"{what}: {names}.")
    _require_whole([each for each in runs.damaged if each.name == found[0]])
    return found[0]


def _newest(runs: RunListing) -> RunId:
    """What nobody can tell to be over is never passed over: it may still move VMs."""
    _require_whole(runs.perhaps_open)
    if not runs.known:
        _require_whole(runs.damaged)
        raise UsageProblem("There has been no run yet.")
    return next((state.run for state in runs.known if state.outcome is None), runs.known[0].run)


def _require_whole(damaged: Sequence[Damaged[Event]]) -> None:
    for each in damaged:
        raise UsageProblem(str(each))
