"""Windows' own reason for a processor that does not fit: asked of few pairs, and never of ones that fit."""

from __future__ import annotations

import pytest

from console.checks.catalogue import Facts, SitePolicy, run_checks
from console.inventory import read_cluster, read_details
from console.inventory.verdicts import AT_MOST
from console.lab.serve import InProcessLab
from console.model.cluster import Cluster
from console.model.failures import CommandMissing
from console.model.identity import HostName
from console.windows.decode import Problems
from console.windows.decode.compatibility import message_of, needs, verdict
from tests.labdoor import LabDoor

ASKED = ("vm-compatibility", "vm-compatibility-check")


class CountingDoor(LabDoor):
    def __init__(self, lab: InProcessLab) -> None:
        super().__init__(lab)
        self.asked: list[str] = []

    async def read(self, host, call):  # type: ignore[no-untyped-def]
        self.asked.append(call.entry)
        return await super().read(host, call)


async def _read(door: LabDoor) -> Cluster:
    cluster = await read_cluster(door, [HostName("HV02")], door.lab.clock)
    return await read_details(door, cluster, HostName("HV01"))


def _evidence(cluster: Cluster) -> list[tuple[str, str]]:
    found = run_checks(Facts(cluster, HostName("HV01")), SitePolicy()).conflicts
    conflicts = [conflict for conflict in found if conflict.code == "cpu-features"]
    assert conflicts
    return [
        (str(conflict.subject.destination), one.value)
        for conflict in conflicts
        for one in conflict.evidence
        if one.what == "CheckSystemCompatibilityInfo" and one.read_at is not None
    ]


async def test_a_refused_pair_is_explained_in_windows_own_words(quiet: InProcessLab) -> None:
    quiet.cluster.world.hosts["HV02"].processor_features = 0x7FFF_FFFF
    door = CountingDoor(quiet)
    told = _evidence(await _read(door))
    assert told
    assert {host for host, _ in told} == {"HV02"}
    assert all(text.endswith("not supported on physical computer 'HV02'.") for _, text in told)
    assert 0 < door.asked.count("vm-compatibility-check") <= AT_MOST


async def test_pairs_that_fit_are_not_asked_about(quiet: InProcessLab) -> None:
    door = CountingDoor(quiet)
    await _read(door)
    assert not set(ASKED) & set(door.asked)


@pytest.mark.parametrize("entry", ASKED)
async def test_without_an_answer_the_finding_stands_alone(quiet: InProcessLab, entry: str) -> None:
    quiet.cluster.world.hosts["HV02"].processor_features = 0x7FFF_FFFF
    door = LabDoor(quiet)
    door.failing[entry] = CommandMissing(HostName("HV01"), "It is not there.", entry=entry)
    assert _evidence(await _read(door)) == []


@pytest.fixture
async def quiet():  # type: ignore[no-untyped-def]
    async with InProcessLab("quiet") as lab:
        yield lab


XML = '<INSTANCE CLASSNAME="Msvm_Error"><PROPERTY NAME="Message" TYPE="string"><VALUE>{}</VALUE></PROPERTY></INSTANCE>'
BOMB = '<!DOCTYPE a [<!ENTITY b "c">]>' + XML.format("&b;")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (XML.format("It is\n not &lt;fit&gt;."), "It is not <fit>."),
        ('instance of Msvm_Error {\n ErrorSource = "x"; Message = "Not \\"fit\\"."; };', 'Not "fit".'),
        ("Not fit.", "Not fit."),
        ("<INSTANCE", ""),
        (BOMB, ""),
        ("", ""),
    ],
)
def test_the_message_of_an_embedded_error(error: str, message: str) -> None:
    assert message_of(error) == message


def test_what_is_no_answer_is_none() -> None:
    problems = Problems("x")
    assert verdict((), problems) is None
    assert verdict(({"ReturnValue": 32773, "Reasons": None},), problems) is None
    assert verdict(({"ReturnValue": "?", "Reasons": 5},), problems) is None
    assert verdict(({"ReturnValue": 0, "Reasons": None},), problems) == (True, ())
    assert verdict(({"ReturnValue": 32784, "Reasons": ["a", None, "a"]},), problems) == (False, ("a",))
    assert needs(({"ReturnValue": 0, "CompatibilityInfo": "AAAA"},), problems) == "AAAA"
    assert needs(({"ReturnValue": 32775, "CompatibilityInfo": None},), problems) is None
