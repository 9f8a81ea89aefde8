"""The guard's readings: what the moves do to others, from the hosts that take part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from console.clock import Clock
from console.guard import CSV_LATENCY, FREE_MEMORY, HOST_CPU, MISSED_HEARTBEATS, REDIRECTED, SMB_STALLS
from console.inventory.asking import Interview
from console.model.cluster import Contact, Host
from console.model.failures import Failure
from console.model.identity import HostName
from console.ports import Reader
from console.windows import catalogue, decode
from console.windows.commands import Call, Row
from console.windows.decode import Problems
from console.windows.decode.progress import VolumeCounters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Volumes:
    """One host's raw counters at one moment; a latency needs two."""

    elapsed_s: float
    counters: Mapping[str, VolumeCounters]


@dataclass
class Sensors:
    """Reads the guard's lines; what a host does not tell is left out, never taken for calm."""

    reader: Reader
    clock: Clock
    _volumes: dict[HostName, _Volumes] = field(default_factory=dict)
    _memory_bytes: dict[HostName, int] = field(default_factory=dict)

    async def read(self, hosts: Iterable[HostName], destinations: Iterable[HostName]) -> dict[str, float]:
        """Line name → the worst reading; empty when nobody told anything."""
        places = tuple(dict.fromkeys(hosts))
        targets = frozenset(destinations)
        told = await asyncio.gather(*(self._of(host, host in targets) for host in places))
        worst: dict[str, float] = {}
        for reading in told:
            for line, value in reading.items():
                known = worst.get(line)
                take = min if line == FREE_MEMORY else max
                worst[line] = value if known is None else take(known, value)
        return worst

    async def _of(self, host: HostName, is_destination: bool) -> dict[str, float]:
        read, told = catalogue.progress, decode.progress
        volumes, heartbeats, stalls, load = await asyncio.gather(
            self._ask(host, read.VOLUME_LATENCIES.bind(), told.volume_counters),
            self._ask(host, read.HEARTBEATS.bind(), told.heartbeats),
            self._ask(host, read.SMB_STALLS.bind(), told.smb_stalls_per_s),
            self._load(host),
        )
        found = self._of_volumes(host, volumes)
        shaky = [route.missing for route in heartbeats or () if route.limit is None or route.missing < route.limit]
        if shaky:  # a route that is lost for good leads to a node that is down, and waiting would not bring it back
            found[MISSED_HEARTBEATS] = float(max(shaky))
        if stalls is not None:
            found[SMB_STALLS] = stalls
        if load is not None and load.cpu_fraction is not None:
            found[HOST_CPU] = load.cpu_fraction
        if is_destination and (free := await self._free_fraction(host)) is not None:
            found[FREE_MEMORY] = free
        return found

    def _of_volumes(self, host: HostName, now: Mapping[str, VolumeCounters] | None) -> dict[str, float]:
        if not now:
            return {}
        before = self._volumes.get(host)
        self._volumes[host] = _Volumes(self.clock.elapsed_s(), now)
        if before is None:
            return {}
        gone_s = self._volumes[host].elapsed_s - before.elapsed_s
        pairs = [(counter, before.counters[name]) for name, counter in now.items() if name in before.counters]
        latencies = [
            latency
            for counter, earlier in pairs
            for latency in (counter.read_latency_s(earlier), counter.write_latency_s(earlier))
            if latency is not None
        ]
        redirected = [
            (counter.redirected - earlier.redirected) / gone_s
            for counter, earlier in pairs
            if gone_s > 0 and counter.redirected is not None and earlier.redirected is not None
        ]
        found = {CSV_LATENCY: max(latencies)} if latencies else {}
        if redirected:
            found[REDIRECTED] = max(0.0, *redirected)
        return found

    async def _load(self, host: HostName) -> Host | None:
        known = Host(host, Contact.ANSWERING, None)
        return await self._ask(
            host,
            catalogue.host.PROCESSOR_LOAD.bind(),
            lambda rows, problems: decode.host.with_processor_load(known, rows, problems),
        )

    async def _free_fraction(self, host: HostName) -> float | None:
        known = Host(host, Contact.ANSWERING, None)
        seen = await self._ask(
            host,
            catalogue.host.OPERATING_SYSTEM.bind(),
            lambda rows, problems: decode.host.with_operating_system(known, rows, problems),
        )
        if seen is None or not seen.memory_bytes or seen.memory_free_bytes is None:
            return None
        return seen.memory_free_bytes / seen.memory_bytes

    async def _ask(self, host: HostName, call: Call, decode: Callable[[Sequence[Row], Problems], T]) -> T | None:
        try:
            return await Interview(self.reader, host).told(call, decode)
        except Failure:
            return None
