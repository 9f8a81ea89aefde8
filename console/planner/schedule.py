"""When each move runs: an event-driven list schedule over slots and shared ports.

A move holds a slot at both ends from its start to its end. Its first ``fixed_s`` seconds copy nothing; then its
bytes flow at the rate that its stream and its share of the ports allow. Ports are fluids: shares change whenever a
move starts copying or ends. A freed slot is refilled at the same instant; there are no batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.model.identity import HostName

_DONE_BYTES = 1e-3
"""Less than this is nothing: below a byte, above what floating point leaves."""


@dataclass(frozen=True, slots=True)
class Job:
    """One move as the schedule sees it."""

    source: HostName
    destination: HostName
    fixed_s: float
    transfer_bytes: float
    stream_bytes_per_s: float
    """What this move reaches with every port to itself."""
    alone: bool = False
    """Runs while nothing else does."""

    @property
    def solo_s(self) -> float:
        """Its duration with everything to itself."""
        return self.fixed_s + (self.transfer_bytes / self.stream_bytes_per_s if self.transfer_bytes > 0 else 0.0)


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A line that several hosts' moves cross: an inter-site line, a rack uplink."""

    name: str
    capacity_bytes_per_s: float
    members: frozenset[HostName]
    """Hosts on its near side: a move crosses it when exactly one end is a member."""

    def crossed_by(self, job: Job) -> bool:
        return (job.source in self.members) != (job.destination in self.members)


@dataclass(frozen=True)
class Limits:
    """What moves have to share. A host that is missing from a mapping is without that limit."""

    slots: Mapping[HostName, int] = field(default_factory=dict)
    """Moves at once per node."""
    out_bytes_per_s: Mapping[HostName, float] = field(default_factory=dict)
    in_bytes_per_s: Mapping[HostName, float] = field(default_factory=dict)
    links: tuple[SharedLink, ...] = ()
    cluster_slots: int | None = None
    pair_slots: int | None = None
    separate_directions: bool = False
    """Whether ``slots`` counts moves out and moves in each for themselves; normally they count together."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When one job runs, and what kept it from starting at 0."""

    start_s: float
    end_s: float
    waited_for: HostName | None = None
    """The node whose slots were taken; None when it started at once or waited for something else."""
    waited: str = ""
    """Why it did not start at once, in words; empty when it did."""


@dataclass
class _Active:
    index: int
    job: Job
    fixed_left_s: float
    bytes_left: float
    rate: float = 0.0

    @property
    def next_s(self) -> float:
        """Seconds until something of this move changes, at the present rate."""
        if self.fixed_left_s > 0:
            return self.fixed_left_s
        return self.bytes_left / self.rate if self.rate > 0 else math.inf


class _Occupancy:
    """Slots taken per node, pair and cluster."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._taken: dict[tuple[str, HostName], int] = {}
        self._pairs: dict[tuple[HostName, HostName], int] = {}
        self.running = 0

    def _keys(self, job: Job) -> tuple[tuple[str, HostName], tuple[str, HostName]]:
        out, into = ("out", "in") if self.limits.separate_directions else ("", "")
        return (out, job.source), (into, job.destination)

    def full_node(self, job: Job) -> HostName | None:
        """The end of the job that has no slot left, source first."""
        for key in self._keys(job):
            limit = self.limits.slots.get(key[1])
            if limit is not None and self._taken.get(key, 0) >= limit:
                return key[1]
        return None

    def full_elsewhere(self, job: Job) -> str:
        limits = self.limits
        if limits.cluster_slots is not None and self.running >= limits.cluster_slots:
            return f"a slot of the cluster ({limits.cluster_slots} at once)"
        pair = (job.source, job.destination)
        if limits.pair_slots is not None and self._pairs.get(pair, 0) >= limits.pair_slots:
            return f"a slot between {job.source} and {job.destination} ({limits.pair_slots} at once)"
        return ""

    def change(self, job: Job, by: int) -> None:
        for key in self._keys(job):
            self._taken[key] = self._taken.get(key, 0) + by
        pair = (job.source, job.destination)
        self._pairs[pair] = self._pairs.get(pair, 0) + by
        self.running += by


def share_rates(jobs: Sequence[Job], limits: Limits) -> list[float]:
    """Bytes per second of each of the jobs while all of them copy: max-min fair over streams, ports and links."""
    rates = [0.0] * len(jobs)
    users = _users_by_resource(jobs, limits)
    capacity = {resource: limit for resource, (limit, _) in users.items()}
    open_jobs = set(range(len(jobs)))
    while open_jobs:
        share, tight = min(
            (
                (capacity[resource] / len(using & open_jobs), resource)
                for resource, (_, using) in users.items()
                if using & open_jobs
            ),
            default=(math.inf, None),
        )
        slowest = min(open_jobs, key=lambda index: (jobs[index].stream_bytes_per_s, index))
        if jobs[slowest].stream_bytes_per_s <= share or tight is None:
            settled, rate = {slowest}, jobs[slowest].stream_bytes_per_s
        else:
            settled, rate = users[tight][1] & open_jobs, share
        for index in settled:
            rates[index] = rate
        for resource, (_, using) in users.items():
            capacity[resource] = max(0.0, capacity[resource] - rate * len(using & settled))
        open_jobs -= settled
    return rates


def _users_by_resource(jobs: Sequence[Job], limits: Limits) -> dict[tuple[str, str], tuple[float, set[int]]]:
    users: dict[tuple[str, str], tuple[float, set[int]]] = {}
    for index, job in enumerate(jobs):
        wanted: list[tuple[tuple[str, str], float | None]] = [
            (("out", job.source), limits.out_bytes_per_s.get(job.source)),
            (("in", job.destination), limits.in_bytes_per_s.get(job.destination)),
        ]
        wanted += [(("link", link.name), link.capacity_bytes_per_s) for link in limits.links if link.crossed_by(job)]
        for resource, limit in wanted:
            if limit is not None:
                users.setdefault(resource, (limit, set()))[1].add(index)
    return users


def list_schedule(jobs: Sequence[Job], limits: Limits) -> list[Slot]:
    """Run the jobs in the order given: at every instant the first that fits starts.

    Returns:
        One :class:`Slot` a job, in the order of ``jobs``. Seconds from the start.

    Raises:
        ValueError: a job can never start, because a node has no slots at all.
    """
    return _Run(jobs, limits).to_the_end()


class _Run:
    def __init__(self, jobs: Sequence[Job], limits: Limits) -> None:
        self.limits = limits
        self.now_s = 0.0
        self.pending: list[tuple[int, Job]] = list(enumerate(jobs))
        self.active: list[_Active] = []
        self.occupancy = _Occupancy(limits)
        self.starts: list[float] = [0.0] * len(jobs)
        self.ends: list[float] = [0.0] * len(jobs)
        self.waits: list[tuple[HostName | None, str]] = [(None, "")] * len(jobs)
        self.one_source = len({job.source for job in jobs}) == 1

    def to_the_end(self) -> list[Slot]:
        while self.pending or self.active:
            self._start_what_fits()
            if not self.active:
                raise ValueError(f"{self.pending[0][1].source} has no slot to start a move in")
            self._share()
            self._advance()
        return [Slot(start, end, *wait) for start, end, wait in zip(self.starts, self.ends, self.waits, strict=True)]

    def _start_what_fits(self) -> None:
        left: list[tuple[int, Job]] = []
        for place, (index, job) in enumerate(self.pending):
            wait = self._what_it_waits_for(job)
            if wait is None:
                self._start(index, job)
                continue
            self.waits[index] = wait
            left.append((index, job))
            if self._nothing_more_can_start(job):
                rest = self.pending[place + 1 :]
                for later, _ in rest:
                    self.waits[later] = wait
                left.extend(rest)
                break
        self.pending = left

    def _what_it_waits_for(self, job: Job) -> tuple[HostName | None, str] | None:
        if self.active and (job.alone or any(active.job.alone for active in self.active)):
            return None, "the link to be free: one of the moves runs alone"
        node = self.occupancy.full_node(job)
        if node is not None:
            return node, f"a slot on {node} ({self.limits.slots[node]} at once)"
        elsewhere = self.occupancy.full_elsewhere(job)
        return (None, elsewhere) if elsewhere else None

    def _nothing_more_can_start(self, job: Job) -> bool:
        """True when every pending job leaves the same full node, or the one that waits must run alone next."""
        if job.alone:
            return True
        return self.one_source and self.occupancy.full_node(job) == job.source

    def _start(self, index: int, job: Job) -> None:
        self.starts[index] = self.now_s
        self.active.append(_Active(index, job, job.fixed_s, job.transfer_bytes))
        self.occupancy.change(job, 1)

    def _share(self) -> None:
        copying = [active for active in self.active if active.fixed_left_s <= 0 and active.bytes_left > 0]
        for active, rate in zip(copying, share_rates([each.job for each in copying], self.limits), strict=True):
            active.rate = rate

    def _advance(self) -> None:
        step = min((active.next_s for active in self.active), default=0.0)
        if not math.isfinite(step):
            raise ValueError("a move has no bandwidth at all")
        self.now_s += step
        still: list[_Active] = []
        for active in self.active:
            if active.fixed_left_s > 0:
                active.fixed_left_s = 0.0 if active.fixed_left_s <= step + 1e-9 else active.fixed_left_s - step
            else:
                active.bytes_left -= active.rate * step
            if active.fixed_left_s <= 0 and active.bytes_left <= _DONE_BYTES:
                self.ends[active.index] = self.now_s
                self.occupancy.change(active.job, -1)
            else:
                still.append(active)
        self.active = still
