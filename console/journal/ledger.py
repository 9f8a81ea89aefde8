"""Runs and rolling runs as the journal keeps them: by the same rules, each in a table of its own.

A :class:`Kind` says what is kept and how its events add up, a :class:`Ledger` is all of one kind in one journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeAlias, TypeVar, get_args

from console.drain import fold, roll_state
from console.drain.events import Event, RunClosed
from console.drain.requests import OperatorRequest
from console.drain.roll_events import RollClosed, RollEvent
from console.drain.roll_requests import RollRequest
from console.drain.roll_state import RollState
from console.drain.state import RunState
from console.model.identity import RunId

from .codec import Undecodable, decode, encode
from .store import Journal, Table
from .trouble import JournalUnusable, Trouble


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...


S = TypeVar("S")
E = TypeVar("E", bound=Dated)
R = TypeVar("R")


@dataclass(frozen=True)
class Kind(Generic[S, E, R]):
    """What is kept: states that events add up to, and that requests are made to."""

    table: Table
    word: str
    """What one is called in a sentence."""
    events: Mapping[str, type[E]]
    """By the names of their classes, as the journal's text has them."""
    requests: Mapping[str, type[R]]
    advance: Callable[[S | None, E], S]
    """The state after one more event, or after the first; ValueError and KeyError where it can not follow."""
    closing: type[E]
    """The event after which nothing more happens."""
    is_over: Callable[[S], bool]


RUNS: Kind[RunState, Event, OperatorRequest] = Kind(
    "events",
    "run",
    {kind.__name__: kind for kind in get_args(Event)},
    {kind.__name__: kind for kind in get_args(OperatorRequest)},
    fold.advance,
    RunClosed,
    lambda state: state.outcome is not None,
)
ROLLS: Kind[RollState, RollEvent, RollRequest] = Kind(
    "rolls",
    "roll",
    {kind.__name__: kind for kind in get_args(RollEvent)},
    {kind.__name__: kind for kind in get_args(RollRequest)},
    roll_state.advance_roll,
    RollClosed,
    lambda state: state.closed,
)


@dataclass(frozen=True, slots=True)
class Asked(Generic[R]):
    """An operator's request, who made it, and its number: later ones have higher numbers."""

    number: int
    request: R | None
    """None: this version can not read it."""
    by: str


@dataclass(frozen=True, slots=True)
class Damaged(Generic[E]):
    """One whose lines are not what was written; nobody can tell how far it is."""

    word: str
    """What it is called: a run, a roll."""
    name: RunId
    why: str
    """A sentence."""
    advice: str
    opening: E | None
    """Its first event, where that can still be read."""
    closed: bool
    """Whether its last line says that it is over; else it may be open."""

    def __str__(self) -> str:
        may = "" if self.closed else " It may still be open."
        return f"{self.word.capitalize()} {self.name} can not be told.{may} {self.why} {self.advice}"


@dataclass(frozen=True, slots=True)
class Listing(Generic[S, E]):
    """What a journal holds of one kind, each newest first."""

    known: tuple[S, ...] = ()
    damaged: tuple[Damaged[E], ...] = ()

    @property
    def perhaps_open(self) -> tuple[Damaged[E], ...]:
        """Damaged ones that nobody can tell to be over."""
        return tuple(each for each in self.damaged if not each.closed)


RunListing: TypeAlias = Listing[RunState, Event]
RollListing: TypeAlias = Listing[RollState, RollEvent]


@dataclass(frozen=True, slots=True)
class Ledger(Generic[S, E, R]):
    """All runs, or all rolling runs, of a journal. Every method raises :class:`JournalUnusable`."""

    journal: Journal
    kind: Kind[S, E, R]

    def names(self) -> tuple[RunId, ...]:
        """Newest first."""
        return self.journal.names_in(self.kind.table)

    def append(
        self, name: RunId, events: Sequence[E], *, token: str | None = None, answering: Sequence[int] = ()
    ) -> int:
        """Write events in one transaction, all or none; returns the last one's number once it is on the disk.

        Args:
            token: write only as long as this process holds the run (see :meth:`Journal.take_run`).
            answering: numbers of the requests that the events answer. They stop waiting in the same transaction, so
                that a process that dies has either answered a request or leaves it to the next one.
        """
        lines = [(event.at.isoformat(), encode(event)) for event in events]
        return self.journal.append_to(self.kind.table, name, lines, token=token, answering=answering)

    def read(self, name: RunId, after: int = 0) -> Iterator[E]:
        """The events after number ``after``, in order, as far as nothing is missing or damaged."""
        for place, (seq, body) in enumerate(self.journal.lines_of(self.kind.table, name, after), after + 1):
            if seq != place:
                raise self.damage(f"event {place} of {self.kind.word} {name} is missing")
            try:
                yield decode(body, self.kind.events)
            except Undecodable as error:
                raise self.damage(f"event {place} of {self.kind.word} {name}: {error}") from error

    def opening(self, name: RunId) -> E | None:
        """The first event; None where it is missing or damaged."""
        try:
            return next(self.read(name), None)
        except JournalUnusable as trouble:
            if trouble.trouble is not Trouble.CORRUPT:
                raise
            return None

    def events(self, name: RunId, after: int = 0) -> tuple[E, ...]:
        return tuple(self.read(name, after))

    def load(self, name: RunId) -> S:
        """The state as of the newest event.

        Raises:
            KeyError: the journal holds none of that name.
        """
        follower = Follower(self, name)
        follower.poll()
        return follower.state

    def listing(self, load: Callable[[RunId], S] | None = None) -> Listing[S, E]:
        """All of them: one that is damaged takes nothing from the others.

        Args:
            load: instead of :meth:`load`, for who has folded some of them already.
        """
        known: list[S] = []
        damaged: list[Damaged[E]] = []
        for name in self.names():
            try:
                known.append((load or self.load)(name))
            except JournalUnusable as trouble:
                if trouble.trouble is not Trouble.CORRUPT:
                    raise
                damaged.append(self._examined(name, trouble))
        return Listing(tuple(known), tuple(damaged))

    def _examined(self, name: RunId, trouble: JournalUnusable) -> Damaged[E]:
        last = self.journal.lines_of(self.kind.table, name)[-1]
        closed = isinstance(self._readable(last[1]), self.kind.closing)
        return Damaged(self.kind.word, name, trouble.what, trouble.advice, self.opening(name), closed)

    def _readable(self, body: str) -> E | None:
        try:
            return decode(body, self.kind.events)
        except Undecodable:
            return None

    def forget(self, before: datetime) -> int:
        """Forget what is closed and whose last event is older than ``before``; returns how many events went.

        What is open is kept however old it is: it may know of moves and settings that nobody else does. So is what
        can not be told to be closed.
        """
        old = [
            name
            for name, at, body in self.journal.last_lines(self.kind.table)
            if datetime.fromisoformat(at) < before and isinstance(self._readable(body), self.kind.closing)
        ]
        return self.journal.delete(self.kind.table, old) if old else 0

    def damage(self, words: str) -> JournalUnusable:
        return JournalUnusable(self.journal.path, Trouble.CORRUPT, words)

    # requests

    def ask(self, name: RunId, request: R, by: str = "") -> None:
        """Ask whoever carries it out for something; it answers by events.

        Raises:
            PermissionError: the journal was opened to read only.
        """
        self.journal.put_request(name, encode(request), by)

    def asked(self, name: RunId, after: int = 0) -> tuple[Asked[R], ...]:
        """What was asked, with a number above ``after``, and is not answered yet; oldest first."""
        waiting = self.journal.requests_of(name, after)
        return tuple(Asked(number, self._request(body), by) for number, by, body in waiting)

    def _request(self, body: str) -> R | None:
        try:
            return decode(body, self.kind.requests)
        except Undecodable:
            return None


def named(names: Iterable[RunId], typed: str) -> list[RunId]:
    """The one of that name, else all that begin so; upper and lower case are the same."""
    every = list(names)
    found = [name for name in every if name == typed]
    return found or [name for name in every if name.casefold().startswith(typed.casefold())]


def runs_of(journal: Journal) -> Ledger[RunState, Event, OperatorRequest]:
    return Ledger(journal, RUNS)


def rolls_of(journal: Journal) -> Ledger[RollState, RollEvent, RollRequest]:
    return Ledger(journal, ROLLS)


class Follower(Generic[S, E]):
    """Folds events as they come; :meth:`poll` reads only what is new."""

    def __init__(self, ledger: Ledger[S, E, R], name: RunId) -> None:
        self.name = name
        self._ledger = ledger
        self._seq = 0
        self._state: S | None = None

    @property
    def seq(self) -> int:
        """The number of the newest event folded; 0 before the first."""
        return self._seq

    @property
    def state(self) -> S:
        """As of the newest event folded.

        Raises:
            KeyError: the journal holds none of that name (yet).
        """
        if self._state is None:
            raise KeyError(self.name)
        return self._state

    def poll(self) -> tuple[E, ...]:
        """Fold what is new and return it.

        Raises:
            JournalUnusable: lines are missing, or one can not follow the others. What was folded before stays.
        """
        new: list[E] = []
        for event in self._ledger.read(self.name, self._seq):
            try:
                self._state = self._ledger.kind.advance(self._state, event)
            except (KeyError, ValueError) as error:
                word = self._ledger.kind.word
                words = f"event {self._seq + 1} of {word} {self.name} does not follow from those before it"
                raise self._ledger.damage(words) from error
            self._seq += 1
            new.append(event)
        return tuple(new)

    def news(self) -> tuple[E, ...]:
        """As :meth:`poll`; a journal that is locked for a moment has none."""
        try:
            return self.poll()
        except JournalUnusable as trouble:
            if trouble.trouble is not Trouble.LOCKED:
                raise
            return ()

    def now(self) -> S:
        """The state with all news."""
        self.news()
        return self.state
