"""Each scenario shows exactly the conflicts that it declares, by the console's own reading; together, all of them."""

from __future__ import annotations

from itertools import chain

import pytest

from console.checks.catalogue import CHECKS, Facts, SitePolicy, run_checks
from console.diagnose.outlook import outlook_of
from console.forecast.forecaster import PriorForecaster
from console.inventory.detailing import read_details
from console.inventory.reading import read_cluster
from console.lab.serve import InProcessLab
from console.lab.world.spec import scenarios
from console.model.identity import HostName
from tests.labdoor import LabDoor

SHOWN = {file.name: file.codes for file in scenarios()}


async def codes_of(name: str) -> set[str]:
    """What a check of the cluster and one of emptying HV01 find."""
    async with InProcessLab(name) as lab:
        door = LabDoor(lab)
        door.silent = {HostName(host.name) for host in lab.cluster.world.hosts.values() if not host.winrm}
        cluster = await read_details(door, await read_cluster(door, [HostName("HV02")], lab.clock), None)
    found: set[str] = set()
    for node in (None, HostName("HV01")):
        facts = Facts(cluster, node, outlook_of(cluster, node, PriorForecaster()), "LAB\\admin")
        found |= {conflict.code for conflict in run_checks(facts, SitePolicy()).conflicts}
    return found


@pytest.mark.parametrize("name", [name for name in SHOWN if name != "huge"])
async def test_shows_what_it_declares(name: str) -> None:
    assert sorted(await codes_of(name)) == sorted(SHOWN[name])


def test_the_broken_family_shows_everything() -> None:
    family = [codes for name, codes in SHOWN.items() if name.startswith("broken/")]
    assert set(chain.from_iterable(family)) == set(CHECKS)


def test_quiet_is_quiet() -> None:
    assert SHOWN["quiet"] == ()
