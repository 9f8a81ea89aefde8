"""What is told while a cluster is read."""

from __future__ import annotations

from itertools import pairwise

from console.clock import ManualClock
from console.inventory.host import QUESTIONS
from console.inventory.progress import ReadingProgress
from console.inventory.reading import read_cluster
from console.lab.serve import InProcessLab
from console.model.failures import Unreachable
from console.model.identity import HostName
from console.windows.commands import Answer, Call
from tests.labdoor import LabDoor, run_until_done


async def test_each_answer_is_told_and_all_reads_are_counted() -> None:
    told: list[ReadingProgress] = []
    async with InProcessLab("quiet") as lab:
        hosts = [HostName(name) for name in lab.engines]
        door = LabDoor(lab)
        cluster = await run_until_done(lab, read_cluster(door, hosts, lab.clock, told=told.append))
    assert told[0].waiting == tuple(host.name for host in cluster.hosts)
    assert (told[0].answering, told[0].answers) == (0, 0)
    assert told[-1] == ReadingProgress(len(cluster.hosts), (), (), *[QUESTIONS * len(cluster.hosts)] * 2)
    steps = [progress.answers for progress in told]
    assert steps == sorted(steps)
    assert max(after - before for before, after in pairwise(steps)) == 1


async def test_a_host_that_does_not_answer_is_named_and_not_waited_for() -> None:
    told: list[ReadingProgress] = []

    class Deaf(LabDoor):
        async def read(self, host: HostName, call: Call) -> Answer:
            if host == "HV03":
                raise Unreachable(host, "no answer")
            return await super().read(host, call)

    async with InProcessLab("quiet") as lab:
        hosts = [HostName(name) for name in lab.engines]
        await run_until_done(lab, read_cluster(Deaf(lab), hosts, ManualClock(), told=told.append))
    assert told[-1].silent == ("HV03",)
    assert told[-1].answers == told[-1].questions == QUESTIONS * (len(hosts) - 1)
