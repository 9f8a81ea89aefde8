"""The journal's file: what was written stays, several may look, and every trouble has a sentence."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from console.drain.fold import fold
from console.drain.requests import StopRun
from console.journal.ledger import Follower, runs_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble
from console.model.identity import RunId

from .conftest import RUN, START, at, opened, short_run


def test_events_come_back_in_order_and_numbered_from_one(file: Path) -> None:
    with Journal.open(file) as journal:
        for event in short_run():
            runs_of(journal).append(RUN, [event])
        recorded = runs_of(journal).events(RUN)
        assert list(recorded) == short_run()
        assert [seq for seq, _ in journal.lines_of("events", RUN)] == list(range(1, len(recorded) + 1))
        assert list(runs_of(journal).events(RUN, after=14)) == short_run()[14:]


def test_another_connection_follows_as_events_come(file: Path) -> None:
    events = short_run()
    with Journal.open(file) as writer, Journal.open(file, read_only=True) as reader:
        follower = Follower(runs_of(reader), RUN)
        with pytest.raises(KeyError):
            _ = follower.state
        for length in range(1, len(events) + 1):
            runs_of(writer).append(RUN, [events[length - 1]])
            assert follower.poll() == (events[length - 1],)
            assert follower.state == fold(events[:length])
        assert follower.poll() == ()


def test_runs_are_listed_newest_first(file: Path) -> None:
    with Journal.open(file) as journal:
        for number in range(3):
            runs_of(journal).append(RunId(f"run-{number}"), [opened(RunId(f"run-{number}"), number * 60)])
        assert runs_of(journal).names() == ("run-2", "run-1", "run-0")


def test_several_events_are_written_all_or_none(file: Path) -> None:
    with Journal.open(file) as journal:
        assert runs_of(journal).append(RUN, short_run()) == 17
        token = journal.take_run(RUN, "here", 1, START)
        with pytest.raises(JournalUnusable):
            runs_of(journal).append(RUN, short_run()[4:8], token="someone else's")
        assert len(runs_of(journal).events(RUN)) == 17
        runs_of(journal).append(RUN, short_run()[4:8], token=token)
        assert len(runs_of(journal).events(RUN)) == 21


def test_a_read_only_console_can_not_ask(file: Path) -> None:
    Journal.open(file).close()
    with Journal.open(file, read_only=True) as journal:
        with pytest.raises(PermissionError):
            runs_of(journal).ask(RUN, StopRun())
        with pytest.raises(PermissionError):
            runs_of(journal).append(RUN, [opened()])


def test_one_run_has_one_runner_until_it_falls_silent(file: Path) -> None:
    with Journal.open(file) as first, Journal.open(file) as second:
        token = first.take_run(RUN, "a", 1, START)
        with pytest.raises(JournalUnusable) as caught:
            second.take_run(RUN, "b", 2, START + timedelta(seconds=10))
        assert caught.value.trouble is Trouble.TAKEN
        first.beat(RUN, token, START + timedelta(seconds=15))
        with pytest.raises(JournalUnusable):
            second.take_run(RUN, "b", 2, START + timedelta(seconds=30))
        second.take_run(RUN, "b", 2, START + timedelta(seconds=60))
        with pytest.raises(JournalUnusable):
            first.beat(RUN, token, START + timedelta(seconds=61))
        with pytest.raises(JournalUnusable):
            runs_of(first).append(RUN, [opened()], token=token)


def test_a_runner_that_leaves_makes_room_at_once(file: Path) -> None:
    with Journal.open(file) as journal:
        journal.leave_run(RUN, journal.take_run(RUN, "a", 1, START))
        assert journal.runner(RUN) is None
        journal.take_run(RUN, "b", 2, START)
        beat = journal.runner(RUN)
        assert beat is not None
        assert (beat.host, beat.pid, beat.beat_at) == ("b", 2, START)


_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.model.identity import RunId
from console.drain.events import Noted
from datetime import datetime, UTC
with Journal.open(Path(sys.argv[1])) as journal:
    for number in range(25):
        runs_of(journal).append(RunId("shared"), [Noted(datetime.now(UTC), f"{sys.argv[2]} {number}")])
"""


def test_two_processes_write_without_losing_a_line(file: Path) -> None:
    root = str(Path(__file__).parents[2])
    Journal.open(file).close()
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(file), name, root]) for name in ("left", "right")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    with Journal.open(file, read_only=True) as journal:
        recorded = runs_of(journal).events(RunId("shared"))
    texts = [getattr(event, "text", "") for event in recorded]
    assert len(texts) == 50
    for name in ("left", "right"):
        assert [text for text in texts if text.startswith(name)] == [f"{name} {number}" for number in range(25)]


def test_a_locked_file_says_so_and_loses_nothing(file: Path) -> None:
    with Journal.open(file, busy_s=0.05) as journal:
        runs_of(journal).append(RUN, [opened()])
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnusable) as caught:
            runs_of(journal).append(RUN, [short_run()[1]])
        assert caught.value.trouble is Trouble.LOCKED
        assert str(file) in str(caught.value)
        assert len(runs_of(journal).events(RUN)) == 1
        other.execute("ROLLBACK")
        other.close()
        assert runs_of(journal).append(RUN, [short_run()[1]]) == 2


def test_a_full_disk_says_so_and_loses_nothing(file: Path) -> None:
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, [opened()])
        connection = journal._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(JournalUnusable) as caught:
            runs_of(journal).append(RUN, [short_run()[1]] * 500)
        assert caught.value.trouble is Trouble.FULL
        assert len(runs_of(journal).events(RUN)) == 1
        connection.execute("PRAGMA max_page_count = 1000000")
        assert runs_of(journal).append(RUN, [short_run()[1]] * 500) == 501


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_says_so_and_is_left_alone(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(JournalUnusable) as caught:
        Journal.open(file)
    assert caught.value.trouble is Trouble.CORRUPT
    assert file.read_bytes() == content


def test_another_programs_database_is_not_touched(file: Path) -> None:
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.commit()
    other.close()
    before = file.read_bytes()
    with pytest.raises(JournalUnusable) as caught:
        Journal.open(file)
    assert caught.value.trouble is Trouble.CORRUPT
    assert file.read_bytes() == before


def test_a_damaged_line_says_so(file: Path) -> None:
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, [opened()])
        journal._connection.execute("UPDATE events SET body = 'gone'")
        with pytest.raises(JournalUnusable) as caught:
            runs_of(journal).events(RUN)
    assert caught.value.trouble is Trouble.CORRUPT


def test_a_newer_versions_file_says_so(file: Path) -> None:
    with Journal.open(file) as journal:
        journal._connection.execute("PRAGMA user_version = 99")
    for read_only in (True, False):
        with pytest.raises(JournalUnusable) as caught:
            Journal.open(file, read_only)
        assert caught.value.trouble is Trouble.NEWER
        assert "99" in str(caught.value)


def test_a_missing_file_can_not_be_read(file: Path) -> None:
    with pytest.raises(JournalUnusable) as caught:
        Journal.open(file, read_only=True)
    assert caught.value.trouble is Trouble.UNREADABLE
    assert not file.exists()


def test_a_folder_that_takes_no_file_says_so(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(JournalUnusable) as caught:
        Journal.open(taken / "journal.sqlite3")
    assert caught.value.trouble is Trouble.UNREADABLE


def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        # Rights do not bind this user: a folder in which nobody can make a file.
        folder = Path("/proc")
    with pytest.raises(JournalUnusable) as caught:
        Journal.open(folder / "journal.sqlite3")
    assert caught.value.trouble is Trouble.UNREADABLE


def test_names_with_special_characters_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "a #b?c%20 [d]" / "journal ü.sqlite3"
    with Journal.open(path) as journal:
        runs_of(journal).append(RUN, [opened()])
    assert runs_of(Journal.open(path, read_only=True)).load(RUN).run == RUN
    assert path.exists()


def test_what_append_returned_from_survives_the_process(file: Path) -> None:
    code = _WRITER.replace("with Journal", "import os\nwith Journal").replace("range(25)", "range(5)")
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", code + "    os._exit(9)", str(file), "x", root], check=False, timeout=60)
    with Journal.open(file) as journal:
        assert len(runs_of(journal).events(RunId("shared"))) == 5


def test_old_runs_can_be_forgotten_but_not_open_ones(file: Path) -> None:
    with Journal.open(file) as journal:
        runs_of(journal).append(RUN, short_run())
        runs_of(journal).append(RunId("open"), [opened(RunId("open"))])
        runs_of(journal).append(RunId("new"), [opened(RunId("new"), 86_400)])
        assert runs_of(journal).forget(at(3600)) == 17
        assert set(runs_of(journal).names()) == {"new", "open"}
