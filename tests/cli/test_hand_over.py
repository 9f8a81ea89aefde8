"""Handing the rest of a run to the cluster from another terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from console.commands.handed import refuse, told
from console.drain.fold import fold
from console.drain.handing_over import agreed
from console.drain.state import MoveState, Outcome, Phase, RunState
from console.exits import CommandEnded, ExitCode
from tests.builders import make_cluster, make_vm
from tests.cli.served import served, surroundings
from tests.journal.conftest import VM, short_run


def _on_the_way() -> RunState:
    """A run in the middle of its one move."""
    return fold(short_run()[:8])


def test_another_terminal_hands_over_and_follows_to_the_verified_end(tmp_path: Path) -> None:
    with served("quiet", tmp_path, speed=10.0) as lab:
        arguments = ["drain", "HV01", "--confirm", "HV01", "--slots", "1", "--config", lab.config]
        environment = surroundings(lab.home, DRAINBOARD_PASSWORD=lab.password)
        command = [sys.executable, "-m", "console.cli", *arguments]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=lab.home) as child:
            assert child.stderr is not None
            for line in child.stderr:
                if "→" in line or "->" in line:  # the first move is on its way
                    break
            child.kill()  # the run goes on in its own process
            child.communicate()
        done = lab.run("attach", "--hand-over", "--confirm", "HV01", "--json")
        assert done.returncode == 0, done.stderr
        assert "handed over to the cluster's own drain" in done.stderr
        assert json.loads(done.stdout)["outcome"] == "drained"
        assert not [vm for vm in lab.world()["vms"] if vm["host"] == "HV01"]


def test_what_it_would_do_is_told_with_the_names_of_whom_it_moves_against_the_run() -> None:
    state, cluster = _on_the_way(), make_cluster()
    words = "\n".join(told(state, cluster))
    assert "Suspend-ClusterNode HV01 -Drain is sent once; what moves now (1) goes on." in words
    assert "although this run leaves them" not in words
    held = replace(state, moves={VM: replace(state.moves[VM], state=MoveState.HELD)})
    assert "although this run leaves them: sql-[01]" in "\n".join(told(held, cluster))


def test_whom_the_cluster_would_save_is_told_by_name_and_agreed_to_by_id() -> None:
    waiting = fold(short_run()[:4])
    low = make_vm("sql-[01]", "HV01", ref=waiting.moves[VM].vm, priority=500)
    cluster = make_cluster(2, vms=[low])
    assert "would save and restore, as their priority is low: sql-[01]" in "\n".join(told(waiting, cluster))
    assert agreed(waiting, cluster).interrupts == (VM,)


@pytest.mark.parametrize(
    ("changes", "confirm", "code", "words"),
    [
        ({}, "HV02", ExitCode.USAGE, "empties HV01, not HV02. Nothing was sent."),
        ({"outcome": Outcome.DRAINED}, "HV01", ExitCode.BLOCKED, "has ended (drained)"),
        ({"phase": Phase.CLOSING}, None, ExitCode.BLOCKED, "can not be handed over: the run is closing"),
        ({"stopping": True}, None, ExitCode.BLOCKED, "nothing more starts"),
    ],
)
def test_what_can_not_be_handed_over_says_why(
    changes: dict[str, object], confirm: str | None, code: ExitCode, words: str
) -> None:
    with pytest.raises(CommandEnded, match="Run run-1") as ended:
        refuse(replace(_on_the_way(), **changes), confirm)  # type: ignore[arg-type]
    assert words in str(ended.value)
    assert ended.value.code == code
