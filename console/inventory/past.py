"""What the hosts' own event logs tell of earlier moves: evidence for the forecast, from before this console came.

Attested are the ids and the positions that are used here: 20415 and 20417 (arrived: VM name, GUID, blackout), 20418
(arrived: VM name first), 1641 (the role is moving: role name first, then nodes, the last of which is where to). Which
host writes which is only believed, so every host is read and each event is taken from whichever has it. A host whose
log can not be read gives no evidence and is no problem.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.model.cluster import Cluster, Contact, VirtualMachine
from console.model.failures import Failure
from console.model.identity import HostName, VmId
from console.model.past import FinishedMove, Origin, Past
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.decode.events import BLACKOUT_IDS, EventRecord

from .asking import Interview

AT_ONCE = 16
MOST_ROWS = 8000
"""Of all hosts and both logs together; each gets an equal part."""
MOST_OF_A_LOG = 400
FRESH_FOR = timedelta(hours=12)
"""A long look back need not be repeated with every reading."""

ROLE_MOVES = 1641
NO_BLACKOUT_TOLD = 20418
_LONGEST = timedelta(hours=12)
_SAME_END = timedelta(seconds=120)
"""Two hosts write that one move is over at moments no further apart."""


async def read_past(reader: Reader, cluster: Cluster) -> Past:
    """What the hosts' logs tell; as it is known already where that was read not long ago. Never raises a Failure."""
    if cluster.past is not None and cluster.read_at - cluster.past.read_at < FRESH_FOR:
        return cluster.past
    asked = [host.name for host in cluster.hosts if host.contact is Contact.ANSWERING]
    most = max(16, min(MOST_OF_A_LOG, MOST_ROWS // (2 * max(1, len(asked)))))
    gate = asyncio.Semaphore(AT_ONCE)

    async def in_turn(host: HostName) -> tuple[EventRecord, ...] | None:
        async with gate:
            return await _records(reader, host, most)

    told = await asyncio.gather(*(in_turn(host) for host in asked))
    records = [record for found in told if found is not None for record in found]
    silent = tuple(host for host, found in zip(asked, told, strict=True) if found is None)
    return Past(cluster.read_at, tuple(moves_of_event_logs(records, cluster)), silent)


async def _records(reader: Reader, host: HostName, most: int) -> tuple[EventRecord, ...] | None:
    interview = Interview(reader, host)
    calls = (catalogue.events.arrivals(most), catalogue.events.departures(most))
    try:
        told = [await interview.told(call, decode.events.records) for call in calls]
    except Failure:
        return None
    return None if all(found is None for found in told) else tuple(each for found in told for each in found or ())


@dataclass(frozen=True, slots=True)
class _Departure:
    at: datetime
    source: HostName
    destination: HostName | None


def moves_of_event_logs(records: Iterable[EventRecord], cluster: Cluster) -> list[FinishedMove]:
    """The moves that the records tell of, in the order in which they were over.

    A move whose VM the cluster no longer has, or whose ends are not told, is left out. Memory is what the VM has now.
    """
    known = _Known(cluster)
    found = _Found(known)
    for record in sorted((each for each in records if each.at is not None), key=_order):
        if record.id == ROLE_MOVES:
            found.set_out(record)
        elif record.id in BLACKOUT_IDS or record.id == NO_BLACKOUT_TOLD:
            found.arrived(record)
    return _with_sharing([move for move in found.moves if move.duration_s or move.blackout_s is not None])


def _order(record: EventRecord) -> tuple[datetime, bool]:
    """By time; of two hosts' words on one arrival, the one with the blackout first."""
    assert record.at is not None, "records without a time were left out"
    return record.at, record.id == NO_BLACKOUT_TOLD


class _Known:
    """The cluster's VMs and hosts by what events call them."""

    def __init__(self, cluster: Cluster) -> None:
        self.vms = cluster.vm_by_id
        self._by_role = {vm.ref.role.casefold(): vm for vm in cluster.vms if vm.ref.role is not None}
        self._by_name: dict[str, list[VirtualMachine]] = {}
        for vm in cluster.vms:
            self._by_name.setdefault(vm.name.casefold(), []).append(vm)
        self._hosts: Mapping[str, HostName] = {host.name.casefold(): host.name for host in cluster.hosts}

    def host(self, name: str) -> HostName | None:
        asked = name.strip().casefold()
        return self._hosts.get(asked) or self._hosts.get(asked.partition(".")[0])

    def of_role(self, record: EventRecord) -> VirtualMachine | None:
        return self._by_role.get(record.values[0][1].casefold()) if record.values else None

    def of_arrival(self, record: EventRecord) -> VirtualMachine | None:
        """By the GUID; by the name where only that is told and only one VM has it."""
        if record.vm is not None:
            return self.vms.get(record.vm)
        named = self._by_name.get(record.values[0][1].casefold(), []) if record.values else []
        return named[0] if len(named) == 1 else None


class _Found:
    """Moves, put together from what one host after the other wrote."""

    def __init__(self, known: _Known) -> None:
        self.moves: list[FinishedMove] = []
        self._known = known
        self._out: dict[VmId, _Departure] = {}
        self._latest: dict[VmId, int] = {}
        """Place of each VM's latest move in ``moves``."""

    def set_out(self, record: EventRecord) -> None:
        """Two templates are in use, with and without the node that it comes from."""
        vm = self._known.of_role(record)
        assert record.at is not None, "records without a time were left out"
        if vm is None:
            return
        nodes = [host for _, text in record.values[1:3] if (host := self._known.host(text)) is not None]
        source = nodes[0] if len(nodes) == 2 else self._known.host(record.computer)
        if source is not None:
            self._out[vm.id] = _Departure(record.at, source, nodes[-1] if nodes else None)

    def arrived(self, record: EventRecord) -> None:
        vm, host = self._known.of_arrival(record), self._known.host(record.computer)
        assert record.at is not None, "records without a time were left out"
        if vm is None or host is None or self._completed(vm, host, record):
            return
        departure = self._out.pop(vm.id, None)
        if departure is None or not timedelta() < record.at - departure.at < _LONGEST:
            return
        there = departure.destination
        if there is None and record.id in BLACKOUT_IDS:
            there = host
        if there is None or there == departure.source or host not in (there, departure.source):
            return
        self._latest[vm.id] = len(self.moves)
        self.moves.append(
            FinishedMove(
                vm.id,
                vm.name,
                "",
                departure.source,
                there,
                vm.memory_bytes,
                record.at,
                (record.at - departure.at).total_seconds(),
                record.blackout_s,
                origin=Origin.EVENT_LOG,
                told_by=host,
            )
        )

    def _completed(self, vm: VirtualMachine, host: HostName, record: EventRecord) -> bool:
        """Whether this is the other host's word on a move that is known already, with its blackout perhaps."""
        place = self._latest.get(vm.id)
        if place is None or record.at is None or record.at - self.moves[place].finished_at > _SAME_END:
            return False
        departure = self._out.get(vm.id)
        if departure is not None and departure.at > self.moves[place].finished_at:
            return False
        if self.moves[place].blackout_s is None and record.blackout_s is not None:
            self.moves[place] = replace(self.moves[place], blackout_s=record.blackout_s, told_by=host)
        return True


def _with_sharing(moves: Sequence[FinishedMove]) -> list[FinishedMove]:
    """How many moves shared an end with each while it was under way, averaged over its time."""
    spans = [(move.finished_at - timedelta(seconds=move.duration_s or 0.0), move.finished_at, move) for move in moves]
    spans.sort(key=lambda span: span[0])
    beside = [0.0] * len(spans)
    open_places: list[int] = []
    for place, (begin, end, move) in enumerate(spans):
        open_places = [other for other in open_places if spans[other][1] > begin]
        for other in open_places:
            theirs = spans[other][2]
            if move.source == theirs.source or move.destination == theirs.destination:
                overlap_s = (min(end, spans[other][1]) - begin).total_seconds()
                beside[place] += overlap_s
                beside[other] += overlap_s
        open_places.append(place)
    shared = {
        id(move): 1 + round(beside[place] / move.duration_s)
        for place, (_, _, move) in enumerate(spans)
        if move.duration_s
    }
    return [replace(move, sharing=shared.get(id(move), 1)) for move in moves]
