"""Rolling runs as a console has them: opened, seen and spoken to through the journal; each in a process of its own."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from console.clock import Clock
from console.drain.opening import consent_entries
from console.drain.roll_events import RollEvent, RollOpened
from console.drain.roll_requests import RollRequest
from console.drain.roll_state import RollState
from console.drain.rolling import waits_for_somebody
from console.exits import UsageProblem
from console.journal.ledger import ROLLS, Follower, RollListing
from console.model.identity import RunId
from console.planner.roll import RollPlan
from console.site import Site
from console.site_ledger import SiteLedger, operator

from .foreseen import forecasts_of
from .process import start_roll
from .wishes import RollWishes

RollHandle: TypeAlias = Follower[RollState, RollEvent]
"""A roll as seen from a console."""


class RollBook:
    """The rolls of one site. The journal is opened when it is first needed."""

    def __init__(self, site: Site, clock: Clock, *, read_only: bool) -> None:
        self._site = site
        self._clock = clock
        self._kept = SiteLedger(site, clock, ROLLS, start_roll, read_only=read_only)
        self._clusters: dict[RunId, str] = {}
        self._looks: dict[RunId, RollHandle] = {}

    def listing(self) -> RollListing:
        """Every roll, newest first; the damaged ones apart."""
        return self._kept.listing()

    def newest_of(self, cluster: str) -> RunId | None:
        """The cluster's newest roll. Which cluster a roll is about is read once."""
        for roll in self._kept.names():
            if roll not in self._clusters:
                opening = self._kept.opening(roll)
                self._clusters[roll] = opening.cluster if isinstance(opening, RollOpened) else ""
            if self._clusters[roll] == cluster:
                return roll
        return None

    def watch(self, roll: RunId) -> RollHandle:
        """A roll to look at."""
        return self._kept.follow(roll)

    def open(self, cluster: str) -> RollState | None:
        """The cluster's roll that is not closed; there is one at the most.

        Raises:
            UsageProblem: one whose lines are damaged may be open.
        """
        listing = self.listing()
        for damaged in listing.perhaps_open:
            if not isinstance(damaged.opening, RollOpened) or damaged.opening.cluster == cluster:
                raise UsageProblem(str(damaged))
        return next((state for state in listing.known if state.cluster == cluster and not state.closed), None)

    def start(self, plan: RollPlan, cluster: str, wishes: RollWishes) -> RollHandle:
        """Write down the roll and start its process.

        Raises:
            PermissionError: read-only.
            UsageProblem: a roll of the cluster is open.
            JournalUnusable: it can not be written down, so it does not start.
        """
        self._kept.require_hand()
        if (other := self.open(cluster)) is not None:
            raise UsageProblem(f"Roll {other.roll} of {other.operator or 'somebody'} is open on {cluster}.")
        now = self._clock.now()
        opening = self._site.opening(now)
        ends_at = None if opening is None else opening.ends_at
        event = opening_of(plan, cluster, wishes, self._kept.new_name("roll"), now, operator(), ends_at)
        self._kept.begin(event.roll, event)
        return self.watch(event.roll)

    def attach(self, roll: RunId) -> RollHandle:
        """Join a roll. One that could go on and has lost its process gets a new one, unless this console only looks.

        Raises:
            KeyError: the journal holds no such roll.
        """
        self.keep_on(roll)
        return self.watch(roll)

    def keep_on(self, roll: RunId) -> bool:
        """Give a roll that could go on a process, when it has none; whether that was needed.

        Raises:
            KeyError: the journal holds no such roll.
        """
        state = self._looks.setdefault(roll, self.watch(roll)).now()
        if self._kept.read_only or state.closed or self._kept.is_carried_on(roll):
            return False
        if waits_for_somebody(state) and not self._kept.ledger.asked(roll):
            return False
        self._kept.carry_on(roll)
        return True

    def request(self, roll: RunId, request: RollRequest) -> None:
        """Ask, and see to it that somebody hears: a second process finds the roll held, and ends.

        Raises:
            PermissionError: this console is read-only.
        """
        self._kept.ask(roll, request)
        if self._kept.ledger.journal.runner(roll) is None or not self._kept.is_carried_on(roll):
            self._kept.carry_on(roll)

    def close(self) -> None:
        self._kept.close()


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
