"""The hook as a real process, and the cluster's health as the lab tells it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from console.checks.registry import SitePolicy
from console.lab.serve import InProcessLab
from console.lab.world.faults import WorldFaults
from console.model.identity import HostName
from console.processes import is_alive
from console.rolling.health import read_health
from console.rolling.hooks import run_hook
from tests.lab.settling import settles
from tests.labdoor import LabDoor, run_until_done

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("about to wait", flush=True)
open(sys.argv[1], "w").write(f"{child.pid}")
time.sleep(60)
"""


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


async def test_a_hook_is_told_the_node_and_its_status_and_last_words_are_kept() -> None:
    code = "import os, sys; print(os.environ['DRAINBOARD_NODE'], '$HOME;', *sys.argv[1:]); sys.exit(3)"
    result = await run_hook(python(code, "a b", "$(x)"), {"DRAINBOARD_NODE": "HV07"}, 30.0)
    assert result.exit_status == 3
    assert result.told == "HV07 $HOME; a b $(x)", "no shell has touched it"


async def test_a_hook_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    told = tmp_path / "child"
    result = await run_hook(python(PARENT, str(told)), {}, 1.5)
    assert result.exit_status is None
    assert "did not end within 1.5 s" in result.told
    assert "about to wait" in result.told
    child = int(told.read_text())
    await settles(lambda: not is_alive(child) or _is_zombie(child))


def _is_zombie(pid: int) -> bool:
    """Ended, and not yet fetched by whoever adopted it."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


async def test_a_hook_that_can_not_be_started_is_told() -> None:
    result = await run_hook(("/nowhere/patch",), {}, 5.0)
    assert result.exit_status is None
    assert "could not be started" in result.told


@pytest.mark.parametrize(
    ("fault", "words"),
    [(None, ""), ({"kind": "host-down", "host": "HV04"}, "HV04 is down")],
)
async def test_a_node_that_is_down_keeps_the_next_one_in(fault: dict[str, str] | None, words: str) -> None:
    async with InProcessLab("quiet") as lab:
        if fault is not None:
            WorldFaults(lab.cluster).throw(fault)
        reason = await _health(lab)
        assert words in reason if words else not reason


async def test_storage_that_repairs_itself_is_waited_for() -> None:
    async with InProcessLab("s2d") as lab:
        assert "Storage jobs are running" in await _health(lab)
        await lab.advance(1000.0)
        assert await _health(lab) == ""


async def test_a_cluster_that_does_not_answer_is_not_well() -> None:
    async with InProcessLab("quiet") as lab:
        assert "could not be read" in await _health(lab, silent=True)


async def _health(lab: InProcessLab, *, silent: bool = False) -> str:
    door = LabDoor(lab)
    hosts = tuple(HostName(name) for name in lab.engines)
    if silent:
        door.silent.update(hosts)
    work = read_health(door, hosts, lab.clock, hosts[:1], SitePolicy())
    return await run_until_done(lab, work, most_s=lab.clock.elapsed_s() + 3600)
