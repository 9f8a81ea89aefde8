"""How fast each destination is reached, and which of them would hold up the drain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from console.forecast.values import Forecaster
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName

from .limits import accepting_hosts, at_once, pair_limit
from .refusals import host_refusal
from .values import PlanOptions

_LATE_SHARE = 0.05
"""Of the time that the drain takes at the least: one step of being late."""


@dataclass(frozen=True)
class Ways:
    """The ways from the drained nodes to each host, as one move's forecast sees them."""

    slower: Mapping[HostName, int] = field(default_factory=dict)
    """How much slower a host is reached than the fastest, in quarters of the rate; absent is 0."""
    rates: Mapping[HostName, float] = field(default_factory=dict)
    """Bytes per second of one move; empty where no destination takes fewer moves than the nodes send."""
    fixed_s: float = 0.0
    """Seconds of a move in which nothing is copied."""
    lanes: Mapping[HostName, int] = field(default_factory=dict)
    """Moves at once into a host."""
    inflow: Mapping[HostName, float] = field(default_factory=dict)
    """What a host's port takes in at the most, bytes per second."""
    least_s: float = 0.0
    """No drain of these VMs is over sooner."""

    def seconds(self, host: HostName, size_bytes: float) -> float:
        return self.fixed_s + size_bytes / self.rates[host] if self.rates.get(host) else 0.0


NO_WAYS = Ways()


class Load:
    """What is planned into each host, in seconds of its lanes and its port."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self.narrow = bool(ways.rates) and ways.least_s > 0
        self._work_s = dict.fromkeys(ways.rates, 0.0)
        self._bytes = dict.fromkeys(ways.rates, 0.0)

    def put(self, host: HostName, size_bytes: int, sign: int) -> None:
        """Adds a move, or with -1 takes one back."""
        if self.narrow and host in self._work_s:
            self._work_s[host] += sign * self._ways.seconds(host, size_bytes)
            self._bytes[host] += sign * size_bytes

    def late(self, host: HostName, size_bytes: int) -> int:
        """How much later than any drain could end this host would be done with one more move, in coarse steps."""
        if not self.narrow or host not in self._work_s:
            return 0
        ways = self._ways
        done_s = (self._work_s[host] + ways.seconds(host, size_bytes)) / max(1, ways.lanes[host])
        if host in ways.inflow:
            done_s = max(done_s, (self._bytes[host] + size_bytes) / ways.inflow[host])
        return int(max(0.0, done_s / ways.least_s - 1) / _LATE_SHARE)


def ways_to(
    cluster: Cluster,
    nodes: Collection[HostName],
    moving: Sequence[VirtualMachine],
    sizes_bytes: Sequence[int],
    options: PlanOptions,
    forecaster: Forecaster,
) -> Ways:
    """The ways as the largest VM's forecast to each host tells them; ``sizes_bytes`` is what each VM takes along."""
    hosts = [
        host.name for host in cluster.hosts if host.name not in nodes and host_refusal(host, options.avoided) is None
    ]
    if not moving or not hosts:
        return NO_WAYS
    largest, probe = max(zip(sizes_bytes, moving, strict=True), key=lambda pair: (pair[0], pair[1].id))
    slots = at_once(cluster, probe.host, options)
    sharing = min(slots, len(moving))
    forecasts = [forecaster.forecast(cluster, probe, host, sharing=sharing) for host in hosts]
    rates = [forecast.rate_bytes_per_s for forecast in forecasts]
    slower = slower_ways(probe.host, hosts, options, rates)
    accepting = accepting_hosts(cluster)
    lanes = {host: _lanes(cluster, probe.host, host, options, len(nodes), accepting) for host in hosts}
    inflow = {host: each for host, each in options.limits.in_bytes_per_s.items() if host in lanes}
    together = min(slots * len(nodes), options.limits.cluster_wide or slots * len(nodes))
    if min(lanes.values()) >= together and not inflow:
        return Ways(slower)
    reached = {host: _held_back(probe.host, host, options, rate) for host, rate in zip(hosts, rates, strict=True)}
    first = forecasts[0]
    copying_s = first.bytes_to_send / first.rate_bytes_per_s if first.rate_bytes_per_s > 0 else 0.0
    ways = Ways(slower, reached, max(0.0, first.duration_p50_s - copying_s), lanes, inflow)
    fastest = max(hosts, key=lambda host: reached[host])
    work_s = sum(ways.seconds(fastest, size) for size in sizes_bytes)
    least_s = max(work_s / min(together, sum(lanes.values())), ways.seconds(fastest, largest))
    return Ways(slower, reached, ways.fixed_s, lanes, inflow, least_s)


def _lanes(
    cluster: Cluster, source: HostName, host: HostName, options: PlanOptions, sources: int, accepting: int
) -> int:
    limits = [at_once(cluster, host, options, accepting)]
    pair = pair_limit(cluster, options, source)
    if pair is not None:
        limits.append(pair * sources)
    if options.limits.per_destination is not None:
        limits.append(options.limits.per_destination)
    return min(limits)


def slower_ways(
    node: HostName, candidates: Sequence[HostName], options: PlanOptions, rates: Sequence[float]
) -> dict[HostName, int]:
    """How much slower each destination is than the fastest, in quarters of the rate; empty when none is by much.

    Args:
        rates: one move's forecast rate to each candidate; stated ports and shared links lower it.
    """
    reached = [_held_back(node, host, options, rate) for host, rate in zip(candidates, rates, strict=True)]
    best = max(reached, default=0.0)
    if best <= 0 or min(reached) >= 0.8 * best:
        return {}
    steps = {host: int(4 * best / max(rate, best / 1e6)) - 4 for host, rate in zip(candidates, reached, strict=True)}
    return {host: step for host, step in steps.items() if step > 0}


def _held_back(node: HostName, host: HostName, options: PlanOptions, rate: float) -> float:
    site = options.limits
    rate = min(rate, site.in_bytes_per_s.get(host, rate))
    for link in site.links:
        if (node in link.members) != (host in link.members):
            rate = min(rate, link.capacity_bytes_per_s)
    return rate
