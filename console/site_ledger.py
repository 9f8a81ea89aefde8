"""What a site's journal holds of one kind, as a console has it: read there, carried on by processes of their own."""

from __future__ import annotations

import getpass
import secrets
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic

from console.clock import Clock, SystemClock
from console.journal.ledger import E, Follower, Kind, Ledger, Listing, R, S, rolls_of, runs_of
from console.journal.store import Beat, Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import RunId
from console.processes import is_alive
from console.site import Site

SILENT_AFTER_S = 20.0
"""Real seconds without a sign of life after which a process counts as gone."""
SETTLE_S = 60.0
"""Real seconds that a process has from its start to its first sign of life."""

Start = Callable[[Site, RunId], "subprocess.Popen[bytes]"]


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    started_at: datetime

    @property
    def runs(self) -> bool:
        return self.process.poll() is None


class SiteLedger(Generic[S, E, R]):
    """All runs, or all rolling runs, of one site. The journal is opened when it is first needed.

    Args:
        start: starts the process that carries one on.
    """

    def __init__(self, site: Site, clock: Clock, kind: Kind[S, E, R], start: Start, *, read_only: bool) -> None:
        self.read_only = read_only
        self._site = site
        self._clock = clock
        self._kind = kind
        self._start = start
        self._ledger: Ledger[S, E, R] | None = None
        self._closed: dict[RunId, S] = {}
        self._children: dict[RunId, _Child] = {}

    # reading

    @property
    def ledger(self) -> Ledger[S, E, R]:
        if self._ledger is None:
            journal = Journal.open(self._site.paths.journal, read_only=self.read_only)
            self._ledger = Ledger(journal, self._kind)
            if not self.read_only:
                kept = timedelta(days=self._site.configuration.journal.retention_days)
                for each in (runs_of(journal), rolls_of(journal)):
                    each.forget(self._clock.now() - kept)
        return self._ledger

    def listing(self) -> Listing[S, E]:
        """All of them; none where there is no journal yet."""
        ledger = self._existing()
        return Listing() if ledger is None else ledger.listing(self.state)

    def names(self) -> tuple[RunId, ...]:
        """Newest first; none where there is no journal yet."""
        ledger = self._existing()
        return () if ledger is None else ledger.names()

    def state(self, name: RunId) -> S:
        """As of its newest event. A closed one does not change any more, and is folded once.

        Raises:
            KeyError: the journal holds none of that name.
        """
        if name not in self._closed:
            state = self.ledger.load(name)
            if not self._kind.is_over(state):
                return state
            self._closed[name] = state
        return self._closed[name]

    def opening(self, name: RunId) -> E | None:
        """Its first event; None where that is damaged."""
        return self.ledger.opening(name)

    def follow(self, name: RunId) -> Follower[S, E]:
        return Follower(self.ledger, name)

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.journal.close()
            self._ledger = None

    # carrying on

    def require_hand(self) -> None:
        """Before anything is started or asked.

        Raises:
            PermissionError: this console only looks.
        """
        if self.read_only:
            raise PermissionError("this console is read-only")

    def begin(self, name: RunId, opening: E) -> None:
        """Write it down and start its process.

        Raises:
            JournalUnusable: it can not be written down, so it does not start.
        """
        self.ledger.append(name, [opening])
        self.carry_on(name)

    def carry_on(self, name: RunId) -> None:
        """Start a process for it; where another has it already, that one goes on and this one ends."""
        self._children[name] = _Child(self._start(self._site, name), SystemClock().now())

    def is_carried_on(self, name: RunId) -> bool:
        """Whether a process shows signs of life. One that was started here may not have got so far yet."""
        beat, child = self.ledger.journal.runner(name), self._children.get(name)
        if beat is None:
            return child is not None and child.runs and _age_s(child.started_at) < SETTLE_S
        if child is not None and child.process.pid == beat.pid:
            return child.runs
        return not _is_known_to_be_dead(beat) and _age_s(beat.beat_at) < SILENT_AFTER_S

    def ask(self, name: RunId, request: R) -> None:
        """Leave a request with it.

        Raises:
            PermissionError: this console only looks.
        """
        self.require_hand()
        self.ledger.ask(name, request, operator())

    def new_name(self, word: str) -> RunId:
        """Sorts by time, holds the word, and two consoles never make the same."""
        return RunId(f"{self._clock.now():%Y%m%d-%H%M%S}-{word}-{secrets.token_hex(2)}")

    def _existing(self) -> Ledger[S, E, R] | None:
        """None where there is no journal yet, and this console can make none."""
        try:
            return self.ledger
        except JournalUnusable:
            if self._site.paths.journal.exists():
                raise
            return None


def _age_s(moment: datetime) -> float:
    return abs((SystemClock().now() - moment).total_seconds())


def _is_known_to_be_dead(beat: Beat) -> bool:
    """Of another machine's processes nothing is known but their signs of life."""
    return beat.host == socket.gethostname() and not is_alive(beat.pid)


def operator() -> str:
    """Who sits here, for the journal: account and machine."""
    account = "?"
    with suppress(OSError, KeyError, ImportError):
        account = getpass.getuser()
    return f"{account}@{socket.gethostname()}"
