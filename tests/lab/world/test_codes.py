"""Each scenario shows exactly the conflicts that it declares, by the console's own reading; together, all of them."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from console.checks.catalogue import CHECKS, Facts, SitePolicy, run_checks
from console.diagnose.outlook import outlook_of
from console.inventory.detailing import read_details
from console.inventory.reading import read_cluster
from console.lab.serve import InProcessLab
from console.lab.world.spec import scenarios
from console.learning import LearningForecaster
from console.model.identity import HostName
from console.paths import Paths
from tests.labdoor import LabDoor

SHOWN = {file.name: file.codes for file in scenarios()}


async def codes_of(name: str, folder: Path) -> set[str]:
    """What a check of the cluster and one of emptying HV01 find, with all that the hosts' logs tell."""
    forecaster = LearningForecaster(Paths(folder / "config.toml", folder / "journal.sqlite", folder, folder))
    async with InProcessLab(name) as lab:
        door = LabDoor(lab)
        door.silent = {HostName(host.name) for host in lab.cluster.world.hosts.values() if not host.winrm}
        cluster = await read_details(door, await read_cluster(door, [HostName("HV02")], lab.clock), None)
    found: set[str] = set()
    for node in (None, HostName("HV01")):
        facts = Facts(cluster, node, outlook_of(cluster, node, forecaster), "LAB\\admin")
        found |= {conflict.code for conflict in run_checks(facts, SitePolicy()).conflicts}
    return found


@pytest.mark.parametrize("name", [name for name in SHOWN if name != "huge"])
async def test_shows_what_it_declares(name: str, tmp_path: Path) -> None:
    assert sorted(await codes_of(name, tmp_path)) == sorted(SHOWN[name])


def test_the_broken_family_shows_everything() -> None:
    family = [codes for name, codes in SHOWN.items() if name.startswith("broken/")]
    assert set(chain.from_iterable(family)) == set(CHECKS)


def test_quiet_is_quiet() -> None:
    assert SHOWN["quiet"] == ()
