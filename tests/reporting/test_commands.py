"""``history``, ``report`` and ``replay``: no cluster is asked, and bad input gets a sentence."""

from __future__ import annotations

import json
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest

from console.cli import run
from console.clock import ManualClock
from console.commands.retold import LONGEST_WAIT_S, retell
from console.drain import events as ev
from console.journal.codec import decode
from console.journal.ledger import RUNS
from console.journal.store import Journal

RUN = "20260101-0200-HV01"


def test_history_lists_every_run_newest_first(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history", "--journal", str(journal)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("run")
    assert [line.split()[0] for line in lines[1:]] == ["20260102-0200-HV02", RUN]
    assert "still open" in lines[1]


def test_history_as_one_document_and_for_one_cluster(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history", "--json", "--journal", str(journal), "--cluster", "LAB"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    (only,) = document["runs"]
    assert (only["run"], only["moves"], only["operator"]) == (RUN, 8, "ann")
    assert only["duration_s"] > 0


def test_history_goes_on_past_a_damaged_run(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(journal) as opened:
        opened._connection.execute("DELETE FROM events WHERE run = ? AND seq = 4", (RUN,))
    assert run(["history", "--journal", str(journal)]) == 0
    told = capsys.readouterr()
    assert "20260102-0200-HV02" in told.out
    assert f"event 4 of run {RUN} is missing" in told.err


@pytest.mark.parametrize("form", ["md", "html", "json", "csv"])
def test_report_to_the_terminal_and_to_a_file(
    form: str, journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", RUN, "--journal", str(journal), "--format", form]) == 0
    shown = capsys.readouterr().out
    target = tmp_path / f"report.{form}"
    assert run(["report", "20260101", "--journal", str(journal), "--format", form, "--output", str(target)]) == 0
    assert target.read_bytes().decode().replace("\r\n", "\n").split() == shown.split()


def test_the_newest_run_has_a_short_name(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "last", "--journal", str(journal), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == "20260102-0200-HV02"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "2026"], "2 runs begin with '2026'"),
        (["report", "nothing"], "There is no run 'nothing'"),
        (["replay", "nothing"], "There is no run 'nothing'"),
        (["report", RUN, "--output", "/nowhere/at/all.md"], "/nowhere/at/all.md can not be written"),
        (["replay", RUN, "--speed", "0"], "--speed"),
        (["report", RUN, "--format", "pdf"], "--format"),
    ],
)
def test_what_can_not_be_done_is_said(
    arguments: list[str], words: str, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--journal", str(journal)]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("command", [["history"], ["report", RUN], ["replay", RUN]])
def test_no_journal_a_damaged_one_and_a_lab(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--journal", str(tmp_path / "none")]) == 2
    assert "There is no journal at" in capsys.readouterr().err
    bad = tmp_path / "bad"
    bad.write_bytes(b"no database" * 500)
    assert run([*command, "--journal", str(bad)]) == 2
    assert "damaged or not a journal" in capsys.readouterr().err
    assert run([*command, "--lab"]) == 2
    assert "--config FILE" in capsys.readouterr().err


def test_damage_in_the_middle_is_said_by_report_and_replay(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(journal)
    connection.execute("UPDATE events SET body = 'x' WHERE run = ? AND seq = 3", (RUN,))
    connection.commit()
    connection.close()
    for command in ("report", "replay"):
        assert run([command, RUN, "--journal", str(journal)]) == 2
        assert "damaged" in capsys.readouterr().err


def test_the_configured_journal_is_found(journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[journal]\npath = "{journal}"\n[clusters.lab]\nnodes = ["hv01"]\nusername = "ann"\n', encoding="utf-8"
    )
    code = run(["history", "--config", str(config)])
    told = capsys.readouterr()
    assert (code, RUN in told.out) == (0, True), told.err


def test_replay_tells_the_log_or_the_events(
    journal: Path, events: list[ev.Event], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", RUN, "--journal", str(journal)]) == 0
    assert "Run closed" in capsys.readouterr().out.splitlines()[-1]
    assert run(["replay", RUN, "--journal", str(journal), "--json"]) == 0
    assert [decode(line, RUNS.events) for line in capsys.readouterr().out.splitlines()] == events


async def test_replay_keeps_the_runs_own_pace(events: list[ev.Event], capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    clock = ManualClock()
    task = asyncio.create_task(retell(events, speed=2.0, as_json=False, clock=clock))
    while not task.done():
        await asyncio.sleep(0)
        wake = clock.next_wake_s()
        if wake is not None:
            clock.advance(wake - clock.elapsed_s())
    expected = sum(
        min(max(0.0, (after.at - before.at).total_seconds()) / 2.0, LONGEST_WAIT_S)
        for before, after in pairwise(events)
    )
    assert task.result() == 0
    assert clock.elapsed_s() == pytest.approx(expected, abs=0.01)
