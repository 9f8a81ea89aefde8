"""The journal: one SQLite file, append-only events of every run, and the operators' requests on their way.

WAL and ``synchronous=FULL``: what :meth:`Journal.append` returned from survives a crash of the machine. Any
number of consoles may read while one runner writes.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias
from urllib.parse import quote

from console.drain.events import Event, RunClosed
from console.drain.requests import OperatorRequest
from console.drain.roll_events import RollClosed
from console.model.identity import RunId
from console.private import private_file, private_folder

from . import schema
from .codec import Undecodable, decode_event, decode_request, decode_roll_event, encode_event, encode_request
from .trouble import JournalUnusable, Trouble, classify

Table: TypeAlias = Literal["events", "rolls"]
_KEYS: dict[Table, str] = {"events": "run", "rolls": "roll"}
"""Both keep numbered lines; what the first column is called."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in its run, from 1."""

    seq: int
    event: Event


@dataclass(frozen=True, slots=True)
class Asked:
    """An operator's request and who made it."""

    request: OperatorRequest
    by: str


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of a run's runner; ``beat_at`` is real time, whatever clock the run lives by."""

    token: str
    host: str
    pid: int
    beat_at: datetime


class Journal:
    """One connection to the file; not for use from several threads at once.

    Every method raises :class:`JournalUnusable` when the file can not be read or written now.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connection

    @classmethod
    def open(cls, path: Path, read_only: bool = False, *, busy_s: float = 5.0) -> Journal:
        """Open the file, or make it; ``busy_s`` is how long another's lock is waited for (real seconds).

        Raises:
            JournalUnusable: locked, full, damaged, newer, or not to be opened.
        """
        with _translated(path):
            if not read_only:
                _make_private(path)
            mode = "ro" if read_only else "rwc"
            uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
            connection = sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)
            try:
                _prepare(path, connection, read_only)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, read_only=read_only)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # events

    def append(self, run: RunId, event: Event) -> int:
        """Write one event and return its number, once it is on the disk."""
        return self.append_all(run, (event,))

    def append_all(self, run: RunId, events: Sequence[Event], *, token: str | None = None) -> int:
        """Write several events in one transaction, all or none; returns the last one's number.

        With ``token``, only as long as this runner holds the run (see :meth:`take_run`).
        """
        bodies = [(event.at.isoformat(), encode_event(event)) for event in events]
        return self.append_to("events", run, bodies, token=token)

    def append_to(self, table: Table, run: RunId, bodies: Sequence[tuple[str, str]], *, token: str | None) -> int:
        """Write lines (time and text) in one transaction; the tables have the same columns but for the first's name."""
        with self._writing() as connection:
            if token is not None and self._holder(connection, run) != token:
                raise JournalUnusable(self.path, Trouble.TAKEN)
            last = self._last(connection, table, run)
            connection.executemany(
                f"INSERT INTO {table} ({_KEYS[table]}, seq, at, body) VALUES (?, ?, ?, ?)",
                [(run, last + place, at, body) for place, (at, body) in enumerate(bodies, 1)],
            )
        return last + len(bodies)

    def events(self, run: RunId, after: int = 0) -> tuple[Recorded, ...]:
        """The run's events after number ``after``, in order."""
        return tuple(Recorded(seq, self._event(body)) for seq, body in self.lines_of("events", run, after))

    def lines_of(self, table: Table, run: RunId, after: int) -> list[tuple[int, str]]:
        """Number and text of a run's lines after number ``after``."""
        with _translated(self.path):
            return self._connection.execute(
                f"SELECT seq, body FROM {table} WHERE {_KEYS[table]} = ? AND seq > ? ORDER BY seq", (run, after)
            ).fetchall()

    def runs(self) -> tuple[RunId, ...]:
        """Every run, newest first."""
        return self.names_in("events")

    def names_in(self, table: Table) -> tuple[RunId, ...]:
        """Every run of a table, newest first."""
        key = _KEYS[table]
        with _translated(self.path):
            rows = self._connection.execute(f"SELECT {key} FROM {table} WHERE seq = 1 ORDER BY at DESC, {key} DESC")
            return tuple(RunId(row[0]) for row in rows.fetchall())

    def prune(self, before: datetime) -> int:
        """Forget every closed run and roll whose last event is older than ``before``; returns how many events went.

        An open run is kept however old it is: it may know of moves and settings that nobody else does.
        """
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT run, at, body FROM events AS e WHERE seq = (SELECT max(seq) FROM events WHERE run = e.run)"
            ).fetchall()
            old = [
                run
                for run, at, body in rows
                if datetime.fromisoformat(at) < before and isinstance(self._event(body), RunClosed)
            ]
            gone = sum(connection.execute("DELETE FROM events WHERE run = ?", (run,)).rowcount for run in old)
            old_rolls = self._old_rolls(connection, before)
            gone += sum(connection.execute("DELETE FROM rolls WHERE roll = ?", (roll,)).rowcount for roll in old_rolls)
            for table in ("requests", "runners"):
                connection.executemany(f"DELETE FROM {table} WHERE run = ?", [(run,) for run in (*old, *old_rolls)])
        return gone

    def _old_rolls(self, connection: sqlite3.Connection, before: datetime) -> list[str]:
        rows = connection.execute(
            "SELECT roll, at, body FROM rolls AS e WHERE seq = (SELECT max(seq) FROM rolls WHERE roll = e.roll)"
        ).fetchall()
        old = [(roll, body) for roll, at, body in rows if datetime.fromisoformat(at) < before]
        try:
            return [roll for roll, body in old if isinstance(decode_roll_event(body), RollClosed)]
        except Undecodable as error:
            raise JournalUnusable(self.path, Trouble.CORRUPT, str(error)) from error

    # requests

    def request(self, run: RunId, request: OperatorRequest, by: str = "") -> None:
        """Ask the run's runner for something; it answers by events.

        Raises:
            PermissionError: the journal was opened to read only.
        """
        self.put_request(run, encode_request(request), by)

    def put_request(self, run: RunId, body: str, by: str) -> None:
        """As :meth:`request`, of a run of any table, by its text.

        Raises:
            PermissionError: the journal was opened to read only.
        """
        if self.read_only:
            raise PermissionError("this console is read-only")
        with self._writing() as connection:
            connection.execute("INSERT INTO requests (run, operator, body) VALUES (?, ?, ?)", (run, by, body))

    def take_requests(self, run: RunId) -> tuple[Asked, ...]:
        """What was asked since the last time, oldest first; each is handed out once."""
        return tuple(self._asked(by, body) for by, body in self.take_asked(run))

    def take_asked(self, run: RunId) -> list[tuple[str, str]]:
        """As :meth:`take_requests`: operator and text."""
        if not self.is_asked(run):
            return []
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT id, operator, body FROM requests WHERE run = ? AND taken = 0 ORDER BY id", (run,)
            ).fetchall()
            connection.executemany("UPDATE requests SET taken = 1 WHERE id = ?", [(row[0],) for row in rows])
        return [(by, body) for _, by, body in rows]

    def is_asked(self, run: RunId) -> bool:
        """Whether a request waits to be taken."""
        with _translated(self.path):
            waiting = self._connection.execute("SELECT 1 FROM requests WHERE run = ? AND taken = 0 LIMIT 1", (run,))
            return waiting.fetchone() is not None

    # runners

    def take_run(self, run: RunId, host: str, pid: int, at: datetime, *, stale_s: float = 20.0) -> str:
        """Become the run's one writer; returns the token that :meth:`append_all` and :meth:`beat` want.

        Raises:
            JournalUnusable: another runner showed signs of life within the last ``stale_s`` seconds.
        """
        token = uuid.uuid4().hex
        with self._writing() as connection:
            row = connection.execute("SELECT beat_at FROM runners WHERE run = ?", (run,)).fetchone()
            if row and abs((at - datetime.fromisoformat(row[0])).total_seconds()) < stale_s:
                raise JournalUnusable(self.path, Trouble.TAKEN)
            connection.execute(
                "INSERT OR REPLACE INTO runners (run, token, host, pid, beat_at) VALUES (?, ?, ?, ?, ?)",
                (run, token, host, pid, at.isoformat()),
            )
        return token

    def beat(self, run: RunId, token: str, at: datetime) -> None:
        """Show a sign of life."""
        with self._writing() as connection:
            changed = connection.execute(
                "UPDATE runners SET beat_at = ? WHERE run = ? AND token = ?", (at.isoformat(), run, token)
            ).rowcount
        if not changed:
            raise JournalUnusable(self.path, Trouble.TAKEN)

    def leave_run(self, run: RunId, token: str) -> None:
        """The runner ends in order; nobody has to wait for its silence."""
        with self._writing() as connection:
            connection.execute("DELETE FROM runners WHERE run = ? AND token = ?", (run, token))

    def runner(self, run: RunId) -> Beat | None:
        """The last sign of life of the run's runner; None when none holds it."""
        with _translated(self.path):
            row = self._connection.execute(
                "SELECT token, host, pid, beat_at FROM runners WHERE run = ?", (run,)
            ).fetchone()
        return Beat(row[0], row[1], row[2], datetime.fromisoformat(row[3])) if row else None

    # inside

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self.read_only:
            raise PermissionError("this journal was opened to read only")
        with _translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @staticmethod
    def _last(connection: sqlite3.Connection, table: Table, run: RunId) -> int:
        row = connection.execute(f"SELECT coalesce(max(seq), 0) FROM {table} WHERE {_KEYS[table]} = ?", (run,))
        last: int = row.fetchone()[0]
        return last

    @staticmethod
    def _holder(connection: sqlite3.Connection, run: RunId) -> str | None:
        row = connection.execute("SELECT token FROM runners WHERE run = ?", (run,)).fetchone()
        return row[0] if row else None

    def _event(self, body: str) -> Event:
        try:
            return decode_event(body)
        except Undecodable as error:
            raise JournalUnusable(self.path, Trouble.CORRUPT, str(error)) from error

    def _asked(self, by: str, body: str) -> Asked:
        try:
            return Asked(decode_request(body), by)
        except Undecodable as error:
            raise JournalUnusable(self.path, Trouble.CORRUPT, str(error)) from error


def _make_private(path: Path) -> None:
    try:
        private_folder(path.parent)
        private_file(path)
    except OSError as error:
        raise JournalUnusable(path, Trouble.UNREADABLE, error.strerror or str(error)) from error


def _prepare(path: Path, connection: sqlite3.Connection, read_only: bool) -> None:
    version = schema.check(path, connection)
    if read_only:
        if version < schema.VERSION:
            raise JournalUnusable(path, Trouble.UNREADABLE, "an older version's file, opened to read only")
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    schema.migrate(path, connection)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise classify(path, error) from error
