"""What an operator does at two in the morning, in a real terminal: look, plan, confirm, watch, done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.served import served
from tests.journeys.terminal import terminal


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 50)])
def test_from_the_board_to_drained_without_a_mouse(tmp_path: Path, columns: int, rows: int) -> None:
    with terminal(tmp_path, columns, rows, "lab", "--speed", "20") as console:
        console.wait_for("Board", "HV01", "HV04", "● up")
        console.keys("d")
        console.wait_for("Plan of HV01", "10 VMs move", "finish")
        console.keys("D")
        console.wait_for("Drain HV01", "Cancel")
        console.type("HV01")
        console.wait_for("pause the node")
        console.keys("Enter")
        console.wait_for("LIVE", "in flight")
        console.wait_for("HV01 IS EMPTY: VERIFIED", "10 of 10 VMs", within_s=150)
        console.keys("C-q")
        console.wait_for("ended with 0")


def test_a_drained_node_gets_its_vms_back_and_both_runs_can_be_played_again(tmp_path: Path) -> None:
    with served("quiet", tmp_path) as lab:
        done = lab.run("drain", "HV01", "--confirm", "HV01")
        assert done.returncode == 0, done.stderr
        with terminal(tmp_path, 80, 24, "--config", lab.config, password=lab.password) as console:
            console.wait_for("Board", "HV01", "● up")
            console.keys("a")
            console.wait_for("History", "drained", "10 of 10")
            console.keys("p")
            console.wait_for("REPLAY", "emptying HV01", "playing")
            console.keys("p")
            console.wait_for("PAUSED: p goes on")
            console.keys("Escape")
            console.wait_for("History", "10 of 10")
            console.keys("Enter")
            console.wait_for("REPLAY", "ended: drained")
            console.keys("r")
            console.wait_for("HV01 IS EMPTY: VERIFIED", "R resume")
            sent = lab.changing_commands()
            console.keys("R")
            console.wait_for("Return to HV01", "10 VMs move back live")
            assert lab.changing_commands() == sent
            console.keys("R")
            console.wait_for("Resume HV01", "Cancel")
            console.type("HV01")
            console.wait_for("resume the node")
            console.keys("Enter")
            console.wait_for("HV01 IS IN SERVICE", within_s=150)
        assert len([vm for vm in lab.world()["vms"] if vm["host"] == "HV01"]) == 10


def test_the_wrong_name_starts_nothing(tmp_path: Path) -> None:
    with (
        served("quiet", tmp_path) as lab,
        terminal(tmp_path, 80, 24, "--config", lab.config, password=lab.password) as c,
    ):
        c.wait_for("Board", "HV01", "● up")
        c.keys("d")
        c.wait_for("Plan of HV01", "10 VMs move")
        c.keys("D")
        c.wait_for("Drain HV01")
        c.type("HV02")
        c.keys("Enter")
        c.keys("Enter")
        c.wait_for("Plan of HV01", "GO")
        assert lab.changing_commands() == 0


def test_whatever_is_pressed_in_watch_changes_nothing(tmp_path: Path) -> None:
    with served("quiet", tmp_path) as lab:
        arguments = ("watch", "--config", lab.config)
        with terminal(tmp_path, 80, 24, *arguments, password=lab.password) as console:
            console.wait_for("READ-ONLY", "HV01", "● up")
            for key in "dDPBHTXS+-RzxtDDGg":
                console.keys(key)
            console.keys("Enter", "Enter", "Escape", "Escape", "D")
            console.keys("?")
            console.wait_for("READ-ONLY")
        assert lab.changing_commands() == 0


def test_closing_the_terminal_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    with served("quiet", tmp_path) as lab:
        arguments = ("--config", lab.config)
        with terminal(tmp_path, 120, 40, *arguments, password=lab.password) as console:
            console.wait_for("Board", "HV01", "● up")
            console.keys("d")
            console.wait_for("Plan of HV01", "10 VMs move")
            console.keys("D")
            console.wait_for("Drain HV01")
            console.type("HV01")
            console.wait_for("pause the node")
            console.keys("Enter")
            console.wait_for("LIVE", "moving")
        done = lab.run("attach", "--follow")
        assert done.returncode == 0, done.stderr
        assert "HV01 is empty" in done.stderr
        assert not [vm for vm in lab.world()["vms"] if vm["host"] == "HV01"]
