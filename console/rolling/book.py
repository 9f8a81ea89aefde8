"""Rolling runs as a console has them: opened, seen and spoken to through the journal; each in a process of its own."""

from __future__ import annotations

import secrets
import socket
import subprocess
from datetime import datetime

from console.clock import Clock, SystemClock
from console.drain.opening import consent_entries
from console.drain.roll_events import RollEvent, RollOpened
from console.drain.roll_requests import RollRequest
from console.drain.roll_state import RollState
from console.drain.rolling import waits_for_somebody
from console.exits import UsageProblem
from console.journal.rolls import RollFollower, append_roll, ask_roll, load_roll, rolls
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble
from console.model.identity import RunId
from console.planner.roll import RollPlan
from console.processes import is_alive
from console.runs import SILENT_AFTER_S, operator
from console.site import Site

from .foreseen import forecasts_of
from .process import start_roll
from .wishes import RollWishes

SETTLE_S = 15.0
"""Real seconds that a process has from its start to its first sign of life."""


class RollBook:
    """The rolls of one site. The journal is opened when it is first needed."""

    def __init__(self, site: Site, clock: Clock, *, read_only: bool) -> None:
        self._site = site
        self._clock = clock
        self._read_only = read_only
        self._journal: Journal | None = None
        self._clusters: dict[RunId, str] = {}
        self._looks: dict[RunId, JournalRoll] = {}
        self._children: dict[RunId, tuple[subprocess.Popen[bytes], datetime]] = {}

    def all(self) -> tuple[RollState, ...]:
        """Every roll, newest first."""
        try:
            journal = self._opened()
        except JournalUnusable:
            if self._site.paths.journal.exists():
                raise
            return ()
        return tuple(load_roll(journal, roll) for roll in rolls(journal))

    def newest_of(self, cluster: str) -> RunId | None:
        """The cluster's newest roll. Which cluster a roll is about is read once."""
        try:
            journal = self._opened()
        except JournalUnusable:
            if self._site.paths.journal.exists():
                raise
            return None
        for roll in rolls(journal):
            if roll not in self._clusters:
                self._clusters[roll] = load_roll(journal, roll).cluster
            if self._clusters[roll] == cluster:
                return roll
        return None

    def watch(self, roll: RunId) -> JournalRoll:
        """A roll to look at."""
        return self._handle(roll)

    def open(self, cluster: str) -> RollState | None:
        """The cluster's roll that is not closed; there is one at the most."""
        return next((state for state in self.all() if state.cluster == cluster and not state.closed), None)

    def start(self, plan: RollPlan, cluster: str, wishes: RollWishes) -> JournalRoll:
        """Write down the roll and start its process.

        Raises:
            PermissionError: read-only.
            UsageProblem: a roll of the cluster is open.
            JournalUnusable: it can not be written down, so it does not start.
        """
        if self._read_only:
            raise PermissionError("this console is read-only")
        if (other := self.open(cluster)) is not None:
            raise UsageProblem(f"Roll {other.roll} of {other.operator or 'somebody'} is open on {cluster}.")
        now = self._clock.now()
        opening = self._site.opening(now)
        ends_at = None if opening is None else opening.ends_at
        event = opening_of(plan, cluster, wishes, RunId(self._new_id()), now, operator(), ends_at)
        append_roll(self._opened(), event.roll, [event])
        self._start(event.roll)
        return self._handle(event.roll)

    def attach(self, roll: RunId) -> JournalRoll:
        """Join a roll. One that could go on and has lost its process gets a new one, unless this console only looks.

        Raises:
            KeyError: the journal holds no such roll.
        """
        self.keep_on(roll)
        return self._handle(roll)

    def keep_on(self, roll: RunId) -> bool:
        """Give a roll that could go on a process, when it has none; whether that was needed.

        Raises:
            KeyError: the journal holds no such roll.
        """
        state = self._looks.setdefault(roll, self._handle(roll)).state()
        if self._read_only or state.closed or self.is_carried_on(roll):
            return False
        if waits_for_somebody(state) and not self._opened().is_asked(roll):
            return False
        self._start(roll)
        return True

    def is_carried_on(self, roll: RunId) -> bool:
        """Whether a process shows signs of life. One that was started here may not have got so far yet."""
        beat = self._opened().runner(roll)
        if beat is None:
            child, started_at = self._children.get(roll, (None, None))
            if child is None or started_at is None or child.poll() is not None:
                return False
            return (SystemClock().now() - started_at).total_seconds() < SETTLE_S
        if beat.host == socket.gethostname() and not is_alive(beat.pid):
            return False
        return abs((SystemClock().now() - beat.beat_at).total_seconds()) < SILENT_AFTER_S

    def request(self, handle: JournalRoll, request: RollRequest) -> None:
        """Ask, and see to it that somebody hears: a second process finds the roll held, and ends.

        Raises:
            PermissionError: this console is read-only.
        """
        if self._read_only:
            raise PermissionError("this console is read-only")
        journal = self._opened()
        ask_roll(journal, handle.roll, request, operator())
        if journal.runner(handle.roll) is None or not self.is_carried_on(handle.roll):
            self._start(handle.roll)

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _start(self, roll: RunId) -> None:
        self._children[roll] = (start_roll(self._site, roll), SystemClock().now())

    def _handle(self, roll: RunId) -> JournalRoll:
        return JournalRoll(self._opened(), roll)

    def _opened(self) -> Journal:
        if self._journal is None:
            self._journal = Journal.open(self._site.paths.journal, read_only=self._read_only)
        return self._journal

    def _new_id(self) -> str:
        return f"{self._clock.now():%Y%m%d-%H%M%S}-roll-{secrets.token_hex(2)}"


class JournalRoll:
    """A roll as seen from a console."""

    def __init__(self, journal: Journal, roll: RunId) -> None:
        self.roll = roll
        self._follower = RollFollower(journal, roll)

    def state(self) -> RollState:
        self.news()
        return self._follower.state

    def news(self) -> tuple[RollEvent, ...]:
        """The events since the last look. A journal that is locked for a moment has none."""
        try:
            return self._follower.poll()
        except JournalUnusable as trouble:
            if trouble.trouble is not Trouble.LOCKED:
                raise
            return ()


def opening_of(
    plan: RollPlan,
    cluster: str,
    wishes: RollWishes,
    roll: RunId,
    at: datetime,
    by: str,
    ends_at: datetime | None = None,
) -> RollOpened:
    """From a rolling plan to the roll's first event; ``ends_at`` is the end of the maintenance window, now or next."""
    consents = wishes.consents
    return RollOpened(
        at=at,
        roll=roll,
        cluster=cluster,
        waves=plan.order,
        failback=plan.options.failback,
        approve=wishes.approve,
        hook=wishes.hook,
        hook_timeout_s=wishes.hook_timeout_s,
        operator=by,
        consents=consent_entries(
            interrupt=consents.interrupt,
            leave_behind=consents.leave_behind,
            settings=consents.settings,
            by=by,
            at=at,
        ),
        slots=plan.options.plan.slots,
        excluded=tuple(sorted(wishes.excluded)),
        avoided=tuple(sorted(plan.options.plan.avoided)),
        forecast=tuple(forecasts_of(plan)),
        continues=wishes.continues,
        window_ends_at=ends_at,
    )
