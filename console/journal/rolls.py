"""The rolling runs in the journal: their own table, the same rules as for a run's events."""

from __future__ import annotations

from collections.abc import Sequence

from console.drain.roll_events import RollEvent, RollOpened
from console.drain.roll_requests import RollRequest
from console.drain.roll_state import RollState, apply_roll, fold_roll, open_roll
from console.model.identity import RunId

from .codec import (
    Undecodable,
    decode_roll_event,
    decode_roll_request,
    encode_roll_event,
    encode_roll_request,
)
from .store import Journal
from .trouble import JournalUnusable, Trouble


def append_roll(journal: Journal, roll: RunId, events: Sequence[RollEvent], *, token: str | None = None) -> int:
    """Write events in one transaction, all or none, once they are on the disk; returns the last one's number.

    With ``token``, only as long as this runner holds the roll (:meth:`Journal.take_run` with the roll's id).

    Raises:
        JournalUnusable: the file can not be written now, or another runner holds the roll.
    """
    bodies = [(event.at.isoformat(), encode_roll_event(event)) for event in events]
    return journal.append_to("rolls", roll, bodies, token=token)


def roll_events(journal: Journal, roll: RunId, after: int = 0) -> tuple[RollEvent, ...]:
    """The roll's events after number ``after``, in order.

    Raises:
        JournalUnusable: lines are damaged or missing.
    """
    events = []
    for place, (seq, body) in enumerate(journal.lines_of("rolls", roll, after), after + 1):
        if seq != place:
            raise JournalUnusable(journal.path, Trouble.CORRUPT, f"event {place} of roll {roll} is missing")
        try:
            events.append(decode_roll_event(body))
        except Undecodable as error:
            raise JournalUnusable(journal.path, Trouble.CORRUPT, str(error)) from error
    return tuple(events)


def load_roll(journal: Journal, roll: RunId) -> RollState:
    """The rolling run as of its newest event.

    Raises:
        KeyError: the journal holds no such roll.
        JournalUnusable: its lines are damaged.
    """
    events = roll_events(journal, roll)
    if not events:
        raise KeyError(roll)
    try:
        return fold_roll(events)
    except (KeyError, ValueError) as error:
        words = f"roll {roll}: its events do not follow from one another"
        raise JournalUnusable(journal.path, Trouble.CORRUPT, words) from error


def rolls(journal: Journal) -> tuple[RunId, ...]:
    """Every rolling run, newest first."""
    return journal.names_in("rolls")


class RollFollower:
    """Folds a roll's events as they come; :meth:`poll` reads only what is new."""

    def __init__(self, journal: Journal, roll: RunId) -> None:
        self.roll = roll
        self._journal = journal
        self._seq = 0
        self._state: RollState | None = None

    @property
    def state(self) -> RollState:
        """The roll as of the newest event folded.

        Raises:
            KeyError: the journal holds no such roll (yet).
        """
        if self._state is None:
            raise KeyError(self.roll)
        return self._state

    def poll(self) -> tuple[RollEvent, ...]:
        """Fold what is new and return it.

        Raises:
            JournalUnusable: lines are missing, or one can not follow the others.
        """
        new = roll_events(self._journal, self.roll, self._seq)
        for event in new:
            try:
                self._state = self._next(event)
            except (KeyError, ValueError) as error:
                words = f"event {self._seq + 1} of roll {self.roll} does not follow from those before it"
                raise JournalUnusable(self._journal.path, Trouble.CORRUPT, words) from error
            self._seq += 1
        return new

    def _next(self, event: RollEvent) -> RollState:
        if self._state is not None:
            return apply_roll(self._state, event)
        if not isinstance(event, RollOpened):
            raise ValueError("the first one does not open it")
        return open_roll(event)


def ask_roll(journal: Journal, roll: RunId, request: RollRequest, by: str = "") -> None:
    """Ask whoever carries the roll out for something; it answers by events.

    Raises:
        PermissionError: the journal was opened to read only.
    """
    journal.put_request(roll, encode_roll_request(request), by)


def take_roll_requests(journal: Journal, roll: RunId) -> tuple[tuple[RollRequest, str], ...]:
    """What was asked since the last time and by whom, oldest first; each is handed out once.

    Raises:
        JournalUnusable: one of them can not be read.
    """
    try:
        return tuple((decode_roll_request(body), by) for by, body in journal.take_asked(roll))
    except Undecodable as error:
        raise JournalUnusable(journal.path, Trouble.CORRUPT, str(error)) from error
