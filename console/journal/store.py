"""The journal: one SQLite file, append-only events of every run, and the operators' requests on their way.

WAL and ``synchronous=FULL``: what :meth:`Journal.append_to` returned from survives a crash of the machine. Any
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

from console.model.identity import RunId
from console.private import private_file, private_folder

from . import schema
from .trouble import JournalUnusable, Trouble, classify

SYNCHRONOUS = "FULL"
"""What was written waits for the disk, so that it survives a crash of the machine."""
Table: TypeAlias = Literal["events", "rolls"]
_KEYS: dict[Table, str] = {"events": "run", "rolls": "roll"}
"""Both keep numbered lines; what the first column is called."""


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
        opened = path.stat()
        self._file = (opened.st_dev, opened.st_ino)

    @classmethod
    def open(cls, path: Path, read_only: bool = False, *, busy_s: float = 5.0) -> Journal:
        """Open the file, or make it; ``busy_s`` is how long another's lock is waited for (real seconds).

        Raises:
            JournalUnusable: locked, full, damaged, newer, or not to be opened.
        """
        if path.is_dir():
            raise JournalUnusable(path, Trouble.UNREADABLE, "it is a folder")
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

    def append_to(
        self,
        table: Table,
        run: RunId,
        lines: Sequence[tuple[str, str]],
        *,
        token: str | None = None,
        answering: Sequence[int] = (),
    ) -> int:
        """Write lines (time and text) in one transaction, all or none; returns the last one's number.

        Args:
            token: write only as long as this process holds the run (see :meth:`take_run`).
            answering: requests that wait no longer, once this is on the disk.
        """
        with self._writing() as connection:
            if token is not None and self._holder(connection, run) != token:
                raise JournalUnusable(self.path, Trouble.TAKEN)
            last = self._last(connection, table, run)
            connection.executemany(
                f"INSERT INTO {table} ({_KEYS[table]}, seq, at, body) VALUES (?, ?, ?, ?)",
                [(run, last + place, at, body) for place, (at, body) in enumerate(lines, 1)],
            )
            connection.executemany(
                "UPDATE requests SET taken = 1 WHERE run = ? AND id = ?", [(run, number) for number in answering]
            )
        return last + len(lines)

    def lines_of(self, table: Table, run: RunId, after: int = 0) -> list[tuple[int, str]]:
        """Number and text of a run's lines after number ``after``."""
        with _translated(self.path):
            return self._connection.execute(
                f"SELECT seq, body FROM {table} WHERE {_KEYS[table]} = ? AND seq > ? ORDER BY seq", (run, after)
            ).fetchall()

    def names_in(self, table: Table) -> tuple[RunId, ...]:
        """Every run of a table, newest first."""
        edges = sorted(self._edges(table, "at", "ASC"), key=lambda edge: (edge[1], edge[0]), reverse=True)
        return tuple(RunId(name) for name, _ in edges)

    def last_lines(self, table: Table) -> list[tuple[RunId, str, str]]:
        """Of every run its name, and the time and text of its newest line."""
        times, bodies = self._edges(table, "at", "DESC"), dict(self._edges(table, "body", "DESC"))
        return [(RunId(name), at, bodies[name]) for name, at in times if name in bodies]

    def _edges(self, table: Table, column: str, order: Literal["ASC", "DESC"]) -> list[tuple[str, str]]:
        """One column of each run's first or last line. Name after name by the index: the lines are many."""
        key = _KEYS[table]
        with _translated(self.path):
            return self._connection.execute(
                f"WITH RECURSIVE names(name) AS ("
                f" SELECT min({key}) FROM {table}"
                f" UNION ALL SELECT (SELECT min({key}) FROM {table} WHERE {key} > name) FROM names WHERE name NOTNULL) "
                f"SELECT name, (SELECT {column} FROM {table} WHERE {key} = name ORDER BY seq {order} LIMIT 1) "
                f"FROM names WHERE name NOTNULL"
            ).fetchall()

    def delete(self, table: Table, runs: Sequence[RunId]) -> int:
        """Forget runs with everything that was asked of them; returns how many events went."""
        with self._writing() as connection:
            names = [(run,) for run in runs]
            gone = connection.executemany(f"DELETE FROM {table} WHERE {_KEYS[table]} = ?", names).rowcount
            for other in ("requests", "runners"):
                connection.executemany(f"DELETE FROM {other} WHERE run = ?", names)
        return gone

    # requests

    def put_request(self, run: RunId, body: str, by: str) -> None:
        """Leave a request with the run; it waits until its answer is written (see :meth:`append_to`).

        Raises:
            PermissionError: the journal was opened to read only.
        """
        if self.read_only:
            raise PermissionError("this console is read-only")
        with self._writing() as connection:
            connection.execute("INSERT INTO requests (run, operator, body) VALUES (?, ?, ?)", (run, by, body))

    def requests_of(self, run: RunId, after: int = 0) -> list[tuple[int, str, str]]:
        """Number, operator and text of the requests that wait, oldest first, from the one after ``after`` on."""
        with _translated(self.path):
            return self._connection.execute(
                "SELECT id, operator, body FROM requests WHERE run = ? AND taken = 0 AND id > ? ORDER BY id",
                (run, after),
            ).fetchall()

    # runners

    def take_run(self, run: RunId, host: str, pid: int, at: datetime, *, stale_s: float = 20.0) -> str:
        """Become the run's one writer; returns the token that :meth:`append_to` and :meth:`beat` want.

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
        if self._is_gone():
            raise JournalUnusable(self.path, Trouble.GONE)
        with _translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _is_gone(self) -> bool:
        """SQLite goes on writing to a file that was deleted, where nobody would ever read it."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return True
        except OSError:
            return False  # SQLite says what is wrong
        return (found.st_dev, found.st_ino) != self._file

    @staticmethod
    def _last(connection: sqlite3.Connection, table: Table, run: RunId) -> int:
        row = connection.execute(f"SELECT coalesce(max(seq), 0) FROM {table} WHERE {_KEYS[table]} = ?", (run,))
        last: int = row.fetchone()[0]
        return last

    @staticmethod
    def _holder(connection: sqlite3.Connection, run: RunId) -> str | None:
        row = connection.execute("SELECT token FROM runners WHERE run = ?", (run,)).fetchone()
        return row[0] if row else None


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
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    schema.migrate(path, connection)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise classify(path, error) from error
