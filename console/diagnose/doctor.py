"""Would this console get through to every node, and what may it do there? Asks; changes nothing.

What was found becomes symptoms with advice in :mod:`console.diagnose.doctoring`, which is pure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from console.clock import Clock
from console.inventory.directory import with_delegations
from console.inventory.fine import read_fine_facts
from console.inventory.reading import read_cluster
from console.model.cluster import Cluster
from console.model.failures import CommandMissing, Failure, SignInRefused
from console.model.identity import HostName
from console.ports import Directory, Reader
from console.windows import catalogue
from console.windows.modules import PLAIN_ENDPOINT

from .doctoring import diagnose
from .endpoint import WANTED
from .symptoms import Aspect, DoctorReport, NodeAddress, Prober, Reach, SiteFacts, Symptom, Verdict, Visit

__all__ = [
    "Aspect",
    "DoctorReport",
    "NodeAddress",
    "Prober",
    "Reach",
    "SiteFacts",
    "Symptom",
    "Verdict",
    "Visit",
    "diagnose",
    "examine",
]


async def examine(
    reader: Reader,
    site: SiteFacts,
    prober: Prober,
    clock: Clock,
    *,
    stopwatch: Clock | None = None,
    directory: Directory | None = None,
) -> DoctorReport:
    """Look at every node of the site, and through those that answer at the whole cluster.

    ``clock`` is the cluster's time; ``stopwatch`` measures how long answers take where that runs at another speed;
    ``directory`` tells the delegation where no node could ask for it.
    Never raises a Failure, and changes nothing. A refused password is not tried on another node.
    """
    reaches = await asyncio.gather(*(prober.reach(node) for node in site.nodes))
    visits = await _visits(reader, list(zip(site.nodes, reaches, strict=True)), stopwatch or clock)
    if site.endpoint != PLAIN_ENDPOINT:
        visits = list(await asyncio.gather(*(_with_offer(reader, visit) for visit in visits)))
    answering = [visit.node.host for visit in visits if visit.asked and visit.failure is None]
    cluster = await _cluster(reader, answering, clock)
    if cluster is not None:
        cluster = await with_delegations(directory, cluster)
    return diagnose(site, visits, cluster, clock.now())


async def _visits(reader: Reader, reached: Sequence[tuple[NodeAddress, Reach]], clock: Clock) -> list[Visit]:
    """One after the other until somebody answers; then all the others at the same time."""
    visits: list[Visit] = []
    for place, (node, reach) in enumerate(reached):
        visits.append(await _visit(reader, node, reach, clock))
        if isinstance(visits[-1].failure, SignInRefused):
            return [*visits, *(Visit(node, reach, asked=False) for node, reach in reached[place + 1 :])]
        if visits[-1].failure is None:
            rest = reached[place + 1 :]
            return [*visits, *await asyncio.gather(*(_visit(reader, node, reach, clock) for node, reach in rest))]
    return visits


async def _visit(reader: Reader, node: NodeAddress, reach: Reach, clock: Clock) -> Visit:
    started = clock.elapsed_s()
    try:
        await reader.read(node.host, catalogue.host.MODULES.bind())
    except Failure as failure:
        return Visit(node, reach, failure)
    return Visit(node, reach, None, clock.elapsed_s() - started)


async def _with_offer(reader: Reader, visit: Visit) -> Visit:
    """What a constrained endpoint shows; names that it does not show are errors beside the answer."""
    if not visit.asked or visit.failure is not None:
        return visit
    try:
        answer = await reader.read(visit.node.host, catalogue.session.abilities(WANTED))
    except CommandMissing:
        return replace(visit, offered=())
    except Failure:
        return visit
    return replace(visit, offered=tuple(str(row.get("Name")) for row in answer.rows))


async def _cluster(reader: Reader, seeds: Iterable[HostName], clock: Clock) -> Cluster | None:
    known = tuple(seeds)
    if not known:
        return None
    try:
        return await read_fine_facts(reader, await read_cluster(reader, known, clock))
    except Failure:
        return None
