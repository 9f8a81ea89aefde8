"""Runs as a console has them: started as processes of their own, seen and spoken to through the journal."""

from __future__ import annotations

import getpass
import secrets
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.clock import Clock, SystemClock
from console.drain.events import Event, RunOpened
from console.drain.opening import consent_entries, open_event
from console.drain.requests import OperatorRequest
from console.drain.state import Purpose, RunState, WhenStuck
from console.exits import UsageProblem
from console.journal.live import RunFollower, load_run
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble
from console.model.cluster import Cluster
from console.model.failures import CommandFailed
from console.model.identity import HostName, RunId
from console.operations import Consents
from console.planner.values import Plan
from console.processes import is_alive
from console.runner.process import start_runner
from console.site import Site

LIFE_S = 5.0
"""Real seconds between two looks whether a run's runner lives."""
MOST_REVIVALS = 3
"""New runners that one console gives one run."""
SILENT_AFTER_S = 20.0
"""Real seconds without a sign of life after which a runner counts as gone."""


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
        self._read_only = read_only
        self._journal: Journal | None = None
        self._closed: dict[RunId, RunState] = {}
        self._children: dict[RunId, subprocess.Popen[bytes]] = {}
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
        if self._read_only:
            raise PermissionError("this console is read-only")
        self._refuse_second(plan.node)
        run = _new_id(self._clock, plan.node)
        event = opened(
            self._site, plan, cluster, consents, run, self._clock.now(), operator(), purpose, manner or Manner()
        )
        journal = self._writable()
        journal.append(event.run, event)
        self._children[event.run] = start_runner(self._site, event.run)
        return self._handle(event.run)

    def attach(self, run: RunId, *, revive: bool = True) -> JournalRun:
        """Join a run. One that is open and has lost its runner gets a new one, unless this console only looks.

        Raises:
            KeyError: the journal holds no such run.
        """
        state = self.state(run)
        if revive and not self._read_only and state.outcome is None and not self.is_carried_out(run):
            self._children[run] = start_runner(self._site, run)
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
            raise CommandFailed(
                self.state(run).node,
                f"The runner of {run} ended {MOST_REVIVALS} times. What moves goes on by itself, nothing new starts.",
                f"{log} says why. Then join it again (drainboard attach {run}), or close the run by force (F).",
            )
        self._children[run] = start_runner(self._site, run)

    def all(self) -> tuple[RunState, ...]:
        """Every run, newest first."""
        try:
            journal = self._readable()
        except JournalUnusable:
            if self._site.paths.journal.exists():
                raise
            return ()
        return tuple(self._state(journal, run) for run in journal.runs())

    def state(self, run: RunId) -> RunState:
        """A run as of its newest event.

        Raises:
            KeyError: the journal holds no such run.
        """
        return self._state(self._readable(), run)

    def events(self, run: RunId) -> tuple[Event, ...]:
        """Everything that happened in a run so far.

        Raises:
            KeyError: the journal holds no such run.
        """
        recorded = self._readable().events(run)
        if not recorded:
            raise KeyError(run)
        return tuple(item.event for item in recorded)

    def open_runs(self) -> tuple[RunState, ...]:
        """Runs that have not been closed, newest first."""
        return tuple(state for state in self.all() if state.outcome is None)

    def is_carried_out(self, run: RunId) -> bool:
        """Whether a runner shows signs of life. One that was started here may not have got so far yet."""
        child = self._children.get(run)
        if child is not None and child.poll() is None:
            return True
        beat = self._readable().runner(run)
        if beat is None or (child is not None and child.pid == beat.pid):
            return False
        if beat.host == socket.gethostname() and not is_alive(beat.pid):
            return False
        return abs((SystemClock().now() - beat.beat_at).total_seconds()) < SILENT_AFTER_S

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _refuse_second(self, node: HostName) -> None:
        for state in self.open_runs():
            if state.node == node:
                raise CommandFailed(
                    node,
                    f"Run {state.run} of {state.operator or 'somebody'} holds {node}.",
                    f"Join it (drainboard attach {state.run}), or close it there.",
                )

    def _state(self, journal: Journal, run: RunId) -> RunState:
        """A closed run does not change any more, and is folded once."""
        if run not in self._closed:
            state = load_run(journal, run)
            if state.outcome is None:
                return state
            self._closed[run] = state
        return self._closed[run]

    def _handle(self, run: RunId) -> JournalRun:
        journal = self._readable() if self._read_only else self._writable()
        keep_alive = None if self._read_only else self.keep_alive
        return JournalRun(journal, run, read_only=self._read_only, keep_alive=keep_alive)

    def _readable(self) -> Journal:
        if self._journal is None:
            self._journal = Journal.open(self._site.paths.journal, read_only=self._read_only)
            if not self._read_only:
                kept = timedelta(days=self._site.configuration.journal.retention_days)
                self._journal.prune(self._clock.now() - kept)
        return self._journal

    def _writable(self) -> Journal:
        return self._readable()


class JournalRun:
    """See :class:`console.operations.RunHandle`."""

    def __init__(
        self,
        journal: Journal,
        run: RunId,
        *,
        read_only: bool,
        keep_alive: Callable[[RunId], None] | None = None,
    ) -> None:
        self._keep_alive = keep_alive
        self._real = SystemClock()
        self._kept_at_s = self._real.elapsed_s()
        self._journal = journal
        self._follower = RunFollower(journal, run)
        self._read_only = read_only

    @property
    def run(self) -> RunId:
        return self._follower.run

    def state(self) -> RunState:
        """See :meth:`console.operations.RunHandle.state`; a run that has lost its runner gets another one.

        Raises:
            CommandFailed: its runners end again and again.
        """
        self.news()
        if self._keep_alive is not None and self._follower.state.outcome is None:
            self._tend(self._keep_alive)
        return self._follower.state

    def _tend(self, keep_alive: Callable[[RunId], None]) -> None:
        now_s = self._real.elapsed_s()
        if now_s - self._kept_at_s >= LIFE_S:
            self._kept_at_s = now_s
            keep_alive(self.run)

    def news(self) -> tuple[Event, ...]:
        """The events since the last look. A journal that is locked for a moment has none."""
        try:
            return self._follower.poll()
        except JournalUnusable as trouble:
            if trouble.trouble is not Trouble.LOCKED:
                raise
            return ()

    def request(self, request: OperatorRequest) -> None:
        if self._read_only:
            raise PermissionError("this console is read-only")
        self._journal.request(self.run, request, operator())


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


def choose_run(runs: Sequence[RunState], typed: str | None) -> RunId:
    """The run of that name (a beginning is enough), else the newest open one, else the newest.

    Raises:
        UsageProblem: none, or several begin so.
    """
    if not typed:
        if not runs:
            raise UsageProblem("There has been no run yet.")
        return next((state.run for state in runs if state.outcome is None), runs[0].run)
    found = [state.run for state in runs if state.run == typed] or [
        state.run for state in runs if state.run.casefold().startswith(typed.casefold())
    ]
    if len(found) != 1:
        names = ", ".join(found[:5]) or ", ".join(state.run for state in runs[:5]) or "none yet"
        what = f"{len(found)} runs begin with {typed!r}" if found else f"There is no run {typed!r}"
        raise UsageProblem(f"{what}: {names}.")
    return found[0]


def operator() -> str:
    """Who sits here, for the journal: account and machine."""
    account = "?"
    with suppress(OSError, KeyError, ImportError):
        account = getpass.getuser()
    return f"{account}@{socket.gethostname()}"


def _new_id(clock: Clock, node: HostName) -> RunId:
    """Sorts by time, names the node, and two consoles never make the same."""
    return RunId(f"{clock.now():%Y%m%d-%H%M%S}-{node}-{secrets.token_hex(2)}")
