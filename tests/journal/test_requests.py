"""What an operator asks waits until its answer is written down: whoever dies in between leaves it to the next one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from console.drain.events import SlotsChanged
from console.drain.requests import HoldMove, SetSlots, StopRun
from console.journal.ledger import Asked, runs_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import RunId

from .conftest import RUN, START, VM, at, opened


def test_requests_wait_in_order_until_they_are_answered(file: Path) -> None:
    with Journal.open(file) as journal, Journal.open(file) as other:
        runner, console = runs_of(journal), runs_of(other)
        assert runner.asked(RUN) == ()
        console.ask(RUN, SetSlots(4), by="ann")
        console.ask(RunId("other"), StopRun())
        console.ask(RUN, HoldMove(VM), by="bob")
        first, second = runner.asked(RUN)
        assert (first.request, first.by, second.request, second.by) == (SetSlots(4), "ann", HoldMove(VM), "bob")
        assert runner.asked(RUN, after=first.number) == (second,)
        assert runner.asked(RUN) == (first, second), "who only reads takes nothing"
        runner.append(RUN, [SlotsChanged(at(1), 4, "ann")], answering=[first.number])
        assert runner.asked(RUN) == (second,)
        runner.append(RUN, [], answering=[second.number])
        assert runner.asked(RUN) == ()
        assert len(runner.asked(RunId("other"))) == 1


def test_who_does_not_hold_the_run_answers_nothing(file: Path) -> None:
    with Journal.open(file) as journal:
        runs = runs_of(journal)
        runs.ask(RUN, StopRun())
        waiting = runs.asked(RUN)
        journal.take_run(RUN, "here", 1, START)
        with pytest.raises(JournalUnusable):
            runs.append(RUN, [], token="another's", answering=[waiting[0].number])
        assert runs.asked(RUN) == waiting


def test_a_request_of_a_newer_version_is_told_as_one_that_can_not_be_read(file: Path) -> None:
    with Journal.open(file) as journal:
        journal.put_request(RUN, '{"type": "Levitate"}', "ann")
        (waiting,) = runs_of(journal).asked(RUN)
        assert waiting == Asked(waiting.number, None, "ann")


def test_a_death_before_any_statement_leaves_a_request_answered_or_waiting(file: Path, tmp_path: Path) -> None:
    """The file as it lies on the disk between any two steps of answering is what a killed process leaves."""
    left: list[Path] = []

    def keep(statement: str) -> None:
        left.append(tmp_path / f"before-{len(left)}" / file.name)
        left[-1].parent.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{file}{suffix}", f"{left[-1]}{suffix}")

    with Journal.open(file) as journal:
        runs = runs_of(journal)
        runs.append(RUN, [opened()])
        runs.ask(RUN, SetSlots(4), by="ann")
        numbers = [each.number for each in runs.asked(RUN)]
        journal._connection.set_trace_callback(keep)
        runs.append(RUN, [SlotsChanged(at(1), 4, "ann")], answering=numbers)
        journal._connection.set_trace_callback(None)
        keep("the end")
    found = [_written_and_waiting(each) for each in left]
    assert len(found) >= 6, "there is no room between the steps"
    assert set(found[:-1]) == {(0, 1)}
    assert found[-1] == (1, 0)


def _written_and_waiting(file: Path) -> tuple[int, int]:
    with Journal.open(file) as journal:
        return len(runs_of(journal).events(RUN)) - 1, len(runs_of(journal).asked(RUN))
