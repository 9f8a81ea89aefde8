"""``drainboard roll`` as processes against a served lab: killed half-way and gone on with, stopped and gone on with."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.drain.roll_state import RollState, Stage
from console.journal.ledger import rolls_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from tests.cli.served import ROOT, Served, served, surroundings

SMALL = str(ROOT / "tests" / "rolling" / "small.toml")
CLUSTER = "SMALLCLUSTER"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Served]:
    with served(SMALL, tmp_path, speed=60.0) as running:
        yield running


def journal_of(lab: Served) -> Path:
    return Path(lab.config).parent / "journal.sqlite"


def newest(lab: Served) -> RollState | None:
    try:
        with Journal.open(journal_of(lab), read_only=True) as journal:
            names = rolls_of(journal).names()
            return rolls_of(journal).load(names[0]) if names else None
    except JournalUnusable:
        return None


def vm_moves(lab: Served) -> int:
    return sum(move["vm"] is not None for move in lab.world()["moves"])


@contextmanager
def started(lab: Served, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "console.cli", "roll", *arguments, "--config", lab.config],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings(lab.home, DRAINBOARD_PASSWORD=lab.password),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


async def seen(lab: Served, condition: Callable[[RollState], bool]) -> RollState:
    found: list[RollState] = []

    def holds() -> bool:
        state = newest(lab)
        found[:] = [state] if state is not None else []
        return state is not None and condition(state)

    async with asyncio.timeout(100.0):
        for _ in itertools.count():
            if holds():
                break
            await asyncio.sleep(0.2)
    return found[0]


def done(state: RollState) -> int:
    return sum(node.stage is Stage.DONE for node in state.nodes.values())


async def test_a_roll_that_was_killed_with_its_process_goes_on(lab: Served) -> None:
    with started(lab, "--all", "--confirm", CLUSTER):
        state = await seen(lab, lambda state: done(state) >= 1)
    with Journal.open(journal_of(lab), read_only=True) as journal:
        beat = journal.runner(state.roll)
    assert beat is not None
    os.kill(beat.pid, signal.SIGKILL)
    again = lab.run("roll", "--all", "--confirm", CLUSTER, "--json")
    assert again.returncode == 0, again.stderr
    assert f"Roll {state.roll} is open" in again.stderr
    document = json.loads(again.stdout)
    assert document["outcome"] == "done"
    assert document["moves_made"] == document["moves_planned"] == vm_moves(lab)
    assert {node["tries"] for node in document["nodes"]} == {1}
    assert not lab.world()["limits"]["violations"]
    history = json.loads(lab.run("history", "--json").stdout)
    assert [roll["roll"] for roll in history["rolls"]] == [state.roll]
    report = lab.run("report", state.roll)
    assert report.returncode == 0, report.stderr
    assert "every node is done" in report.stdout


async def test_a_roll_that_was_stopped_is_begun_again_with_what_is_left(lab: Served) -> None:
    with started(lab, "--all", "--confirm", CLUSTER, "--hook", f"{sys.executable} -c pass") as first:
        await seen(lab, lambda state: done(state) >= 1 and any(n.stage is Stage.DRAINING for n in state.nodes.values()))
        first.send_signal(signal.SIGINT)
        _, said = first.communicate(timeout=100)
    assert first.returncode == 4, said
    stopped = newest(lab)
    assert stopped is not None
    assert stopped.closed
    assert 1 <= len(stopped.left) < 3
    again = lab.run("roll", "--all", "--confirm", CLUSTER, "--hook", f"{sys.executable} -c pass", "--json")
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    assert document["continues"] == stopped.roll
    assert [node["node"] for node in document["nodes"]] == list(stopped.left)
    assert vm_moves(lab) <= stopped.planned_moves


def test_without_the_cluster_s_name_a_roll_is_only_planned(lab: Served) -> None:
    planned = lab.run("roll", "--all")
    assert planned.returncode == 0, planned.stderr
    assert f"add --confirm {CLUSTER}" in planned.stderr
    assert json.loads(lab.run("roll", "--all", "--json").stdout)["order"]
    assert lab.run("roll", "--all", "--confirm", "OTHER").returncode == 2
    assert lab.changing_commands() == 0
