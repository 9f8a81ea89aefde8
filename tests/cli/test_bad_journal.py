"""A journal that can not be read: whoever asks is told in a sentence what is wrong and what to do; nothing is sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from console.cli import run
from console.clock import ManualClock
from console.configuration.models import ClusterOptions, Configuration
from console.drain.roll_events import RollOpened, RollRecovered, WaveBegan
from console.exits import UsageProblem
from console.journal.ledger import RunListing, rolls_of, runs_of
from console.journal.store import Journal
from console.model.failures import CommandFailed
from console.model.identity import HostName, RunId
from console.paths import standard_paths
from console.rolling.book import RollBook
from console.runs import Runs, choose_run
from console.site import Site
from tests.journal.conftest import RUN, START, opened, short_run

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


# one of several is damaged


def _listing(tmp_path: Path, *, closed: bool) -> RunListing:
    """A whole run that is over, and a newer one with a gap."""
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        runs = runs_of(journal)
        runs.append(RUN, short_run())
        runs.append(RunId("run-2"), [opened(RunId("run-2"), 3600), *short_run()[1 : 17 if closed else 16]])
        journal._connection.execute("DELETE FROM events WHERE run = 'run-2' AND seq = 3")
        return runs.listing()


def test_a_damaged_run_that_may_be_open_is_never_passed_over(tmp_path: Path) -> None:
    listing = _listing(tmp_path, closed=False)
    with pytest.raises(UsageProblem, match=r"run-2 can not be told\. It may still be open\. .*event 3 of run"):
        choose_run(listing, None)
    with pytest.raises(UsageProblem, match="Run run-2 can not be told"):
        choose_run(listing, "run-2")
    assert choose_run(listing, "run-1") == RUN


def test_a_damaged_run_that_is_over_is_in_nobodys_way_but_is_told_when_it_is_named(tmp_path: Path) -> None:
    listing = _listing(tmp_path, closed=True)
    assert choose_run(listing, None) == RUN
    with pytest.raises(UsageProblem, match="event 3 of run run-2 is missing"):
        choose_run(listing, "run-2")
    with pytest.raises(UsageProblem, match="2 runs begin with 'run'"):
        choose_run(listing, "run")


@pytest.mark.parametrize(
    ("closed", "node", "held"), [(False, "HV01", True), (False, "HV02", False), (True, "HV01", False)]
)
def test_no_run_begins_on_a_node_that_a_damaged_one_may_hold(
    tmp_path: Path, closed: bool, node: str, held: bool
) -> None:
    _listing(tmp_path, closed=closed)
    runs = Runs(_site(tmp_path), ManualClock(START), read_only=False)
    with pytest.raises(CommandFailed, match="run-2 may hold HV01") if held else nullcontext():
        runs.refuse_second(HostName(node))
    runs.close()


def test_no_roll_begins_on_a_cluster_where_a_damaged_one_may_be_open(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        opening = RollOpened(START, RunId("roll-1"), "east", ((HostName("HV01"),),))
        rolls_of(journal).append(RunId("roll-1"), [opening, WaveBegan(START, 0), RollRecovered(START)])
        journal._connection.execute("DELETE FROM rolls WHERE seq = 2")
    book = RollBook(_site(tmp_path), ManualClock(START), read_only=False)
    assert book.open("west") is None
    with pytest.raises(UsageProblem, match=r"Roll roll-1 can not be told\. It may still be open"):
        book.open("east")
    book.close()


def _site(folder: Path) -> Site:
    options = ClusterOptions.model_validate({"nodes": ["HV01"]})
    paths = replace(standard_paths(folder / "config.toml"), journal=folder / "journal.sqlite")
    return Site("prod", options, Configuration(), paths)
