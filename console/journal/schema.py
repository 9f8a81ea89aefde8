"""The journal's tables and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .trouble import JournalUnusable, Trouble

APPLICATION_ID = 0x44524E42
"""Marks the file as a journal of this program ("DRNB")."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE events (
        run TEXT NOT NULL,
        seq INTEGER NOT NULL,
        at TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (run, seq)
    ) WITHOUT ROWID;
    CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL,
        operator TEXT NOT NULL,
        body TEXT NOT NULL,
        taken INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX requests_waiting ON requests (run, taken, id);
    CREATE TABLE runners (
        run TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        beat_at TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE rolls (
        roll TEXT NOT NULL,
        seq INTEGER NOT NULL,
        at TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (roll, seq)
    ) WITHOUT ROWID;
    """,
)
"""Script ``n`` takes a file of version ``n`` to ``n + 1``."""

VERSION = len(MIGRATIONS)


def check(path: Path, connection: sqlite3.Connection) -> int:
    """The file's version; 0 for an empty one.

    Raises:
        JournalUnusable: something else's database, or a newer version's journal.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and (version or tables):
        raise JournalUnusable(path, Trouble.CORRUPT, "another program's database")
    if version > VERSION:
        raise JournalUnusable(path, Trouble.NEWER, f"version {version}, this one reads up to {VERSION}")
    return version


def migrate(path: Path, connection: sqlite3.Connection) -> None:
    """Bring the file to this version, each step in a transaction of its own."""
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = check(path, connection)
            if version < VERSION:
                for statement in filter(str.strip, MIGRATIONS[version].split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        if version >= VERSION:
            return
