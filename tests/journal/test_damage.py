"""A journal that was cut, overwritten or edited: a sentence and a safe state, never a traceback."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest

from console.drain.events import Noted
from console.drain.fold import fold
from console.journal import schema, store
from console.journal.ledger import Follower, runs_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble, classify
from console.model.identity import RunId

from .conftest import RUN, at, opened, short_run


def filled(file: Path) -> Path:
    """A journal of several pages, all of them in the file itself."""
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, [*short_run(), *(Noted(at(30 + n), f"line {n} " + "x" * 200) for n in range(400))])
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_a_truncated_file_says_so_when_it_is_read(file: Path, share: float) -> None:
    size = filled(file).stat().st_size
    with file.open("r+b") as stream:
        stream.truncate(int(size * share))
    with pytest.raises(JournalUnusable) as caught:
        runs_of(Journal.open(file, read_only=True)).load(RUN)
    assert caught.value.trouble is Trouble.CORRUPT
    assert "Move it away" in str(caught.value)


@pytest.mark.parametrize("seed", range(12))
def test_a_file_with_overwritten_pages_never_ends_in_a_traceback(file: Path, seed: int) -> None:
    dice = random.Random(seed)
    body = bytearray(filled(file).read_bytes())
    for _ in range(6):
        place = dice.randrange(0, len(body) - 64)
        body[place : place + 64] = dice.randbytes(64)
    file.write_bytes(bytes(body))
    with contextlib.suppress(JournalUnusable), Journal.open(file, read_only=True) as journal:
        for run in runs_of(journal).names():
            runs_of(journal).load(run)


def test_a_missing_line_is_named(file: Path) -> None:
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, short_run())
        journal._connection.execute("DELETE FROM events WHERE seq = 6")
        with pytest.raises(JournalUnusable) as caught:
            runs_of(journal).load(RUN)
    assert "event 6 of run run-1 is missing" in str(caught.value)


def test_lines_before_the_damage_stay_readable(file: Path) -> None:
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, short_run())
        journal._connection.execute("DELETE FROM events WHERE seq = 9")
        follower = Follower(runs_of(journal), RUN)
        with pytest.raises(JournalUnusable):
            follower.poll()
        assert follower.seq == 8
        assert follower.state == fold(short_run()[:8])


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM events WHERE seq = 1", "event 1 of run run-1 is missing"),
        ("UPDATE events SET body = (SELECT body FROM events WHERE seq = 2) WHERE seq = 1", "does not follow"),
        ("UPDATE events SET body = replace(body, '000000000001', '000000000009') WHERE seq = 5", "does not follow"),
        ("UPDATE events SET body = (SELECT body FROM events WHERE seq = 1) WHERE seq = 3", "does not follow"),
        ("UPDATE events SET body = '{}' WHERE seq = 4", "damaged"),
        ("UPDATE events SET body = x'00ff' WHERE seq = 4", "damaged"),
    ],
)
def test_lines_that_were_edited_by_hand_are_refused(file: Path, sql: str, words: str) -> None:
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, short_run())
        journal._connection.execute(sql)
        with pytest.raises(JournalUnusable) as caught:
            runs_of(journal).load(RUN)
    assert caught.value.trouble is Trouble.CORRUPT
    assert words in str(caught.value)


def test_a_read_only_file_can_be_read_and_says_why_it_can_not_be_written(file: Path) -> None:
    filled(file)
    with Journal.open(file) as journal:
        journal._connection.execute("PRAGMA query_only = 1")
        with pytest.raises(JournalUnusable) as caught:
            runs_of(journal).append(RUN, [Noted(at(99), "more")])
        assert caught.value.trouble is Trouble.UNREADABLE
        assert runs_of(journal).load(RUN).run == RUN


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_deleted_under_a_run_takes_no_more(file: Path, replaced: bool) -> None:
    filled(file)
    with Journal.open(file) as journal:
        token = journal.take_run(RUN, "console", 1, at(99))
        for one in file.parent.glob(f"{file.name}*"):
            one.rename(one.with_name(f"moved-{one.name}"))
        if replaced:
            Journal.open(file).close()
        with pytest.raises(JournalUnusable, match="deleted or replaced while it was in use") as caught:
            journal.beat(RUN, token, at(100))
        assert caught.value.trouble is Trouble.GONE
        with pytest.raises(JournalUnusable, match="deleted or replaced"):
            journal.put_request(RUN, "stop", "me")


def test_a_folder_in_its_place_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(JournalUnusable, match="it is a folder"):
        Journal.open(tmp_path, read_only=True)


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_BUSY, Trouble.LOCKED),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Trouble.LOCKED),
        (sqlite3.SQLITE_FULL, Trouble.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, Trouble.FULL),
        (sqlite3.SQLITE_READONLY, Trouble.UNREADABLE),
        (sqlite3.SQLITE_CANTOPEN, Trouble.UNREADABLE),
        (sqlite3.SQLITE_CORRUPT, Trouble.CORRUPT),
        (sqlite3.SQLITE_NOTADB, Trouble.CORRUPT),
        (None, Trouble.UNREADABLE),
    ],
)
def test_every_error_of_the_database_has_a_sentence_and_an_advice(code: int | None, trouble: Trouble) -> None:
    error = sqlite3.OperationalError("words of the database")
    if code is not None:
        error.sqlite_errorcode = code  # type: ignore[misc]
    told = classify(Path("journal.sqlite3"), error)
    assert told.trouble is trouble
    assert "journal.sqlite3" in told.what
    assert told.advice


# versions


NEXT = "ALTER TABLE events ADD COLUMN node TEXT;"


def test_an_older_file_becomes_a_newer_one_and_keeps_its_events(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(file)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(JournalUnusable) as caught:
        Journal.open(file, read_only=True)
    assert "older version" in str(caught.value), "who only looks migrates nothing"
    with Journal.open(file) as journal:
        assert len(runs_of(journal).events(RUN)) == 417
    with Journal.open(file, read_only=True) as journal:
        assert runs_of(journal).load(RUN).run == RUN


def test_a_migration_that_fails_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(file)
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT + "ALTER TABLE nothing ADD COLUMN x TEXT;"))
        patched.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(JournalUnusable):
            Journal.open(file)
    with Journal.open(file) as journal:
        columns = [row[1] for row in journal._connection.execute("PRAGMA table_info(events)")]
        assert "node" not in columns
        assert len(runs_of(journal).events(RUN)) == 417


def test_two_consoles_migrate_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(file)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with Journal.open(file) as first, Journal.open(file) as second:
        runs_of(first).append(RUN, [Noted(at(99), "one")])
        runs_of(second).append(RUN, [Noted(at(100), "two")])
        assert len(runs_of(first).events(RUN)) == 419


def test_the_file_is_durable_and_readers_do_not_stop_the_writer(file: Path) -> None:
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, [opened()])
        assert journal._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store.Journal is Journal


# one of several is damaged


def test_a_damaged_run_takes_nothing_from_the_others(file: Path) -> None:
    with Journal.open(file) as journal:
        runs = runs_of(journal)
        for place, name in enumerate(("one", "open", "cut", "lost")):
            runs.append(RunId(name), [opened(RunId(name), place * 60), *short_run()[1:]])
        for sql in (
            "DELETE FROM events WHERE run = 'one' AND seq = 4",
            "DELETE FROM events WHERE run = 'open' AND seq IN (3, 17)",
            "DELETE FROM events WHERE run = 'lost' AND seq = 1",
        ):
            journal._connection.execute(sql)
        listing = runs.listing()
    assert [state.run for state in listing.known] == ["cut"]
    assert [each.name for each in listing.damaged] == ["open", "lost", "one"], "also one whose first line is missing"
    assert [each.name for each in listing.perhaps_open] == ["open"]
    cut, lost, _ = listing.damaged
    assert lost.opening is None
    assert cut.opening == opened(RunId("open"), 60)
    assert "event 3 of run open is missing" in cut.why
    assert "may still be open" in str(cut)
    assert "may still be open" not in str(lost)


def test_a_line_that_can_not_be_read_is_no_reason_to_forget_a_run(file: Path) -> None:
    with Journal.open(file) as journal:
        runs = runs_of(journal)
        runs.append(RUN, short_run())
        journal._connection.execute("UPDATE events SET body = '{}' WHERE seq = 17")
        assert runs.forget(at(10**6)) == 0
        assert runs.names() == (RUN,)


def test_a_locked_journal_is_not_taken_for_damaged_runs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(file) as journal:
        runs = runs_of(journal)
        runs.append(RUN, short_run())

        def locked(*_: object) -> None:
            raise JournalUnusable(file, Trouble.LOCKED)

        monkeypatch.setattr(journal, "lines_of", locked)
        with pytest.raises(JournalUnusable):
            runs.listing()
