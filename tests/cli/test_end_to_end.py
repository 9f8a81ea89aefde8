"""Commands as processes against a lab that is served by another one: the whole road, sockets and sign-in included."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.served import Served, drainboard, served, surroundings


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Served]:
    with served("quiet", tmp_path) as running:
        yield running


def test_a_drain_empties_the_node_and_the_world_agrees(lab: Served) -> None:
    before = {vm["id"] for vm in lab.world()["vms"] if vm["host"] == "HV01"}
    done = lab.run("drain", "HV01", "--confirm", "HV01", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["outcome"] == "drained"
    assert {move["vm_id"] for move in document["moves"]} == before
    world = lab.world()
    assert not [vm for vm in world["vms"] if vm["host"] == "HV01"]
    assert all(vm["state"] == "Running" for vm in world["vms"])
    assert not world["limits"]["violations"]
    folders = (lab.home, Path(lab.config).parent)  # a lab's journal lies beside its configuration
    kept = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert {"journal.sqlite", "runner.log"} <= {file.name for file in kept}
    assert not [file for file in kept if lab.password.encode() in file.read_bytes()]
    assert lab.password not in done.stdout + done.stderr


def test_a_drained_node_is_resumed_and_gets_its_own_vms_back(lab: Served) -> None:
    before = {vm["id"] for vm in lab.world()["vms"] if vm["host"] == "HV01"}
    assert lab.run("resume", "HV01").returncode == 2, "nothing was drained yet"
    assert lab.run("drain", "HV01", "--confirm", "HV01").returncode == 0
    sent = lab.changing_commands()
    preview = lab.run("resume", "HV01", "--json")
    assert preview.returncode == 0, preview.stderr
    assert {move["vm_id"] for move in json.loads(preview.stdout)["moves"]} == before
    assert lab.changing_commands() == sent
    done = lab.run("resume", "HV01", "--confirm", "HV01", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "returned"
    assert {vm["id"] for vm in lab.world()["vms"] if vm["host"] == "HV01"} == before


def test_only_looking_changes_nothing(lab: Served) -> None:
    for command in (["hosts"], ["vms"], ["check", "HV01"], ["plan", "HV01"], ["snapshot"]):
        done = lab.run(*command, "--json")
        assert done.returncode in (0, 3), (command, done.stderr)
        json.loads(done.stdout)
    assert lab.changing_commands() == 0


def test_a_read_only_configuration_drains_nothing(lab: Served) -> None:
    config = Path(lab.config)
    config.write_text(config.read_text().replace("[clusters.lab]\n", "[clusters.lab]\nread_only = true\n"))
    done = lab.run("drain", "HV01", "--confirm", "HV01")
    assert done.returncode == 2
    assert "read-only" in done.stderr
    assert lab.changing_commands() == 0


@pytest.mark.parametrize("confirm", [[], ["--confirm", "HV02"]])
def test_without_the_right_name_nothing_is_sent(lab: Served, confirm: list[str]) -> None:
    done = lab.run("drain", "HV01", *confirm)
    assert done.returncode == 2
    assert "Nothing was sent" in done.stderr
    assert lab.commands() == 0


def test_an_unknown_host_is_named_with_the_nearest_one(lab: Served) -> None:
    done = lab.run("drain", "HV1", "--confirm", "HV1")
    assert done.returncode == 2
    assert "HV01" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_password_is_tried_once_and_explained(lab: Served) -> None:
    done = lab.run("hosts", password="wrong")
    assert done.returncode == 7
    assert "password" in done.stderr.casefold()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("runner_too", [False, True])
def test_the_run_outlives_a_command_that_is_killed_and_attach_finishes_it(lab: Served, runner_too: bool) -> None:
    command = [sys.executable, "-m", "console.cli", "drain", "HV01", "--confirm", "HV01", "--config", lab.config]
    environment = surroundings(lab.home, DRAINBOARD_PASSWORD=lab.ready["password"])
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=lab.home)
    assert child.stderr is not None
    for line in child.stderr:
        if "->" in line or "→" in line or "to HV" in line:  # the first move is on its way
            break
    if runner_too:
        os.kill(runner_of(lab), signal.SIGKILL)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    done = lab.run("attach", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["outcome"] == "drained"
    assert len(lab.world()["moves"]) == len(document["moves"]), "nothing was asked for twice"
    assert ("A new runner took over" in done.stderr) is runner_too
    assert not [vm for vm in lab.world()["vms"] if vm["host"] == "HV01"]


def runner_of(lab: Served) -> int:
    """The process that carries the newest run out."""
    with closing(sqlite3.connect(Path(lab.config).parent / "journal.sqlite")) as journal:
        pid: int = journal.execute("SELECT pid FROM runners").fetchone()[0]
    return pid


def test_a_lab_of_its_own_for_one_command(tmp_path: Path) -> None:
    done = drainboard("drain", "HV01", "--confirm", "HV01", "--lab", "quiet", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "drained"
