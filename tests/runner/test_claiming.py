"""One runner a run: a dead one is followed at once, a living one is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.clock import SystemClock
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble
from console.processes import is_alive
from console.runner.process import claim
from console.runner.starting import this_host
from tests.journal.conftest import RUN, opened


def test_a_process_that_ended_and_was_not_asked_after_does_not_live() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(child.pid)
    assert is_alive(os.getpid())


def test_a_killed_runner_is_followed_at_once(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        runs_of(journal).append(RUN, [opened()])
        journal.take_run(RUN, this_host(), child.pid, SystemClock().now())
        token = claim(journal, RUN)
        beat = journal.runner(RUN)
        assert beat is not None
        assert (beat.token, beat.pid) == (token, os.getpid())


@pytest.mark.parametrize("elsewhere", [False, True])
def test_one_that_lives_or_runs_on_another_machine_is_left_alone(tmp_path: Path, elsewhere: bool) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        runs_of(journal).append(RUN, [opened()])
        host, pid = ("another-machine", 1) if elsewhere else (this_host(), os.getpid())
        journal.take_run(RUN, host, pid, SystemClock().now())
        with pytest.raises(JournalUnusable) as caught:
            claim(journal, RUN)
        assert caught.value.trouble is Trouble.TAKEN
