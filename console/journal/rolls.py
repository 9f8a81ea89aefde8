"""The rolling runs in the journal: their own table, the same rules as for a run's events."""

from __future__ import annotations

from collections.abc import Sequence

from console.drain.roll_events import RollEvent
from console.drain.roll_state import RollState, fold_roll
from console.model.identity import RunId

from .codec import Undecodable, decode_roll_event, encode_roll_event
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
