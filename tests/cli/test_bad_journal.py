"""A journal that can not be read: whoever asks is told in a sentence what is wrong and what to do; nothing is sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from console.cli import run
from console.journal.ledger import runs_of
from console.journal.store import Journal
from tests.journal.conftest import RUN, short_run

SECRET = "not used: no connection is opened before the journal was read"


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _overwritten(file: Path) -> None:
    file.write_bytes(b"\x07" * 200 + file.read_bytes()[200:])


def _newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")


def _edited(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("DELETE FROM events WHERE seq = 4")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_truncated, "Move it away"),
        (_overwritten, "Move it away"),
        (_newer, "newer version"),
        (_edited, "event 4 of run run-1 is missing"),
    ],
)
def test_attach_says_what_is_wrong_with_the_journal(
    spoil: Callable[[Path], None],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "journal.sqlite"
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, short_run())
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(file)
    config = tmp_path / "config.toml"
    config.write_text('[clusters.prod]\nnodes = ["HV01"]\nusername = "a"\n[journal]\npath = "journal.sqlite"\n')
    monkeypatch.setenv("DRAINBOARD_PASSWORD", SECRET)
    before = file.read_bytes()
    assert run(["attach", "--follow", "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    if spoil is not _edited:
        assert file.read_bytes() == before, "it is left as it is"
