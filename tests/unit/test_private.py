"""What a console writes down is for its user alone, and what it starts inherits no password."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from console.configuration.models import ClusterOptions, Configuration
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.learning import Forgotten, write_forgotten
from console.model.identity import RunId
from console.paths import Paths
from console.private import open_log
from console.reporting.files import write_report
from console.reporting.formats import Format
from console.runner import starting
from console.site import Site
from tests.drain.making import make_world, opened_for

pytestmark = pytest.mark.usefixtures("careless")


@pytest.fixture
def careless() -> object:
    """A umask that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def rights(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def test_a_new_journal_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "state" / "journal.sqlite"
    with Journal.open(path) as journal:
        runs_of(journal).append(RunId("r"), [opened_for(make_world(1, 1))])
        files = sorted(file.name for file in path.parent.iterdir())
        assert files == ["journal.sqlite", "journal.sqlite-shm", "journal.sqlite-wal"]
        assert {rights(file) for file in path.parent.iterdir()} == {"-rw-------"}
    assert rights(path.parent) == "drwx------"


def test_a_journal_that_is_shared_on_purpose_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path):
        pass
    path.chmod(0o660)
    with Journal.open(path) as journal:
        runs_of(journal).append(RunId("r"), [opened_for(make_world(1, 1))])
        assert rights(path) == "-rw-rw----"


def test_reports_logs_and_lists_are_in_folders_of_their_own(tmp_path: Path) -> None:
    report = write_report(tmp_path / "reports", RunId("r"), [opened_for(make_world(1, 1))], Format.CSV)
    write_forgotten(tmp_path / "state" / "forgotten.json", Forgotten())
    with open_log(tmp_path / "logs" / "runner.log", 10) as log:
        log.write(b"x" * 11)
    with open_log(tmp_path / "logs" / "runner.log", 10) as log:
        assert log.tell() == 0
    for folder in (report.parent, tmp_path / "state", tmp_path / "logs"):
        assert rights(folder) == "drwx------"
    assert rights(tmp_path / "logs" / "runner.log") == "-rw-------"


def test_a_process_that_is_started_has_the_password_on_its_standard_input_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "correct horse"
    for name in ("DRAINBOARD_PASSWORD", "DRAINBOARD_PASSWORD_PROD"):
        monkeypatch.setenv(name, secret)
    told = tmp_path / "told.txt"
    (tmp_path / "spying.py").write_text(
        "import os, pathlib, sys\n"
        f"pathlib.Path({str(told)!r}).write_text(repr((sys.argv, sys.orig_argv, dict(os.environ))) + '\\n'"
        " + sys.stdin.read())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    options = ClusterOptions.model_validate({"nodes": ["HV01"]})
    paths = Paths(tmp_path / "config.toml", tmp_path / "j.sqlite", tmp_path / "state", tmp_path / "cache")
    site = Site("prod", options, Configuration(), paths, SecretStr(secret))
    assert starting.start_child(site, "spying", {"run": "r"}).wait(60) == 0
    surroundings, given = told.read_text().splitlines()
    assert secret not in surroundings
    assert "PYTHONPATH" in surroundings
    assert secret in given
    assert (tmp_path / "state" / "runner.log").read_bytes() == b""
    assert secret not in repr(site)
    assert sys.executable in surroundings
