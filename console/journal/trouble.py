"""What can be wrong with the journal's file, in a word, a sentence and an advice."""

from __future__ import annotations

import sqlite3
from enum import Enum
from pathlib import Path


class Trouble(Enum):
    LOCKED = "locked"
    FULL = "full"
    CORRUPT = "corrupt"
    NEWER = "newer"
    """Written by a newer version of this program."""
    UNREADABLE = "unreadable"
    GONE = "gone"
    """Another file, or none, lies where the one was that was opened."""
    TAKEN = "taken"
    """Another runner writes this run."""


_WORDS = {
    Trouble.LOCKED: ("is locked by another program", "Find who holds it; nothing new starts until it is free."),
    Trouble.FULL: ("can not grow: the disk is full", "Free some space; nothing new starts until it can be written."),
    Trouble.CORRUPT: ("is damaged or not a journal", "Move it away and start with a new one; keep the old for a look."),
    Trouble.NEWER: ("was written by a newer version", "Use that version, or another journal file."),
    Trouble.UNREADABLE: ("can not be opened or written", "Check the path and its rights."),
    Trouble.GONE: (
        "was deleted or replaced while it was in use",
        "Look for it where it was moved. What moves goes on by itself; nothing new starts.",
    ),
    Trouble.TAKEN: ("is written by another runner for this run", "Attach to that one instead of starting a second."),
}


class JournalUnusable(Exception):
    """The journal can not be read or written now.

    Attributes:
        path: the file.
        trouble: what kind of trouble.
        detail: SQLite's or the system's own words.
    """

    def __init__(self, path: Path, trouble: Trouble, detail: str = "") -> None:
        self.path = path
        self.trouble = trouble
        self.detail = detail
        super().__init__(str(self))

    @property
    def what(self) -> str:
        words = f"The journal {self.path} {_WORDS[self.trouble][0]}"
        return f"{words} ({self.detail})." if self.detail else f"{words}."

    @property
    def advice(self) -> str:
        return _WORDS[self.trouble][1]

    def __str__(self) -> str:
        return f"{self.what} {self.advice}"


_BY_CODE = {
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR: Trouble.FULL,
    sqlite3.SQLITE_CORRUPT: Trouble.CORRUPT,
    sqlite3.SQLITE_NOTADB: Trouble.CORRUPT,
}


def classify(path: Path, error: sqlite3.Error) -> JournalUnusable:
    """Turn SQLite's error into ours; the primary result code is the low byte of the extended one."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    trouble = Trouble.UNREADABLE if code is None else _BY_CODE.get(code & 0xFF, Trouble.UNREADABLE)
    return JournalUnusable(path, trouble, str(error))
