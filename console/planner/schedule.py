"""What a schedule is made of: moves, the limits they share, and when each runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.forecast.processors import NO_TOIL, Toil
from console.model.identity import HostName

from .fluid import EAGER, THE_GUARD, Policy, Problem, Timeline
from .guarding import PRIORS, Guarded, Watch, may_matter


@dataclass(frozen=True, slots=True)
class Job:
    """One move as the schedule sees it."""

    source: HostName
    destination: HostName
    fixed_s: float
    """Its first seconds, which copy nothing but hold a slot at both ends."""
    transfer_bytes: float
    stream_bytes_per_s: float
    """What this move reaches with every port to itself."""
    alone: bool = False
    """Runs while nothing else does."""
    running: bool = False
    """Is under way already: what is left of it starts at 0, whatever the limits are by now."""
    offline: bool = False
    """Only its ownership moves: it is no live migration and takes none of their slots."""
    toil: Toil = NO_TOIL
    """What it asks of the processors."""

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
    inflow: Mapping[HostName, int] = field(default_factory=dict)
    """Moves at once into a destination."""
    separate_directions: bool = False
    """Whether ``slots`` counts moves out and moves in each for themselves; normally they count together."""
    offline_slots: int | None = None
    """VMs that are off or saved, at once out of one node; None: no such limit."""
    watch: Watch | None = None
    """What the guard will see; None: no guard is foreseen."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When one job runs, and what kept it from starting at 0."""

    start_s: float
    end_s: float
    waited: str = ""
    """What it waited for, in words; empty when it started at once."""


def compile_problem(jobs: Sequence[Job], limits: Limits) -> Problem:
    """The jobs and limits as plain numbers: slot pools and fluid resources by index."""
    pools: dict[tuple[str, ...], int] = {}
    sizes: list[int] = []
    resources: dict[tuple[str, str], int] = {}
    capacities: list[float] = []
    job_pools: list[tuple[int, ...]] = []
    job_resources: list[tuple[int, ...]] = []
    for job in jobs:
        mine: list[int] = []
        for key, size in pools_of(job, limits):
            if key not in pools:
                pools[key] = len(sizes)
                sizes.append(size)
            mine.append(pools[key])
        job_pools.append(tuple(mine))
        uses: list[int] = []
        for name, capacity in _resources_of(job, limits):
            if name not in resources:
                resources[name] = len(capacities)
                capacities.append(capacity)
            uses.append(resources[name])
        job_resources.append(tuple(uses))
    guarded = _guarded(jobs, limits.watch) if limits.watch is not None else None
    return Problem(
        fixed_s=[job.fixed_s - (guarded.after_s[place] if guarded else 0.0) for place, job in enumerate(jobs)],
        transfer_bytes=[job.transfer_bytes for job in jobs],
        stream=[job.stream_bytes_per_s for job in jobs],
        alone=[job.alone for job in jobs],
        running=[job.running for job in jobs],
        pools=job_pools,
        resources=job_resources,
        pool_sizes=sizes,
        capacities=capacities,
        pool_names=[_pool_words(key, size) for key, size in zip(pools, sizes, strict=True)],
        guarded=guarded,
    )


def _guarded(jobs: Sequence[Job], watch: Watch) -> Guarded | None:
    """What the guard will see of these jobs; None where it can not matter."""
    line = watch.lines.host_cpu_fraction
    if line is None or not jobs:
        return None
    hosts = list(dict.fromkeys(host for job in jobs for host in (job.source, job.destination)))
    place = {host: index for index, host in enumerate(hosts)}
    nodes = list(dict.fromkeys(job.source for job in jobs))
    each = [1 / watch.processors[host] if watch.processors.get(host) else 0.0 for host in hosts]
    ends = [(place[job.source], place[job.destination]) for job in jobs]
    factor = watch.toil_factor
    toils = [(job.toil.source_s_per_byte * factor, job.toil.destination_s_per_byte * factor) for job in jobs]
    known = Guarded(
        watch=watch,
        hosts=hosts,
        homes=[place[node] for node in nodes],
        guard_of=[nodes.index(job.source) for job in jobs],
        ends=ends,
        takes=[(out * each[one], into * each[other]) for (out, into), (one, other) in zip(toils, ends, strict=True)],
        guests=[(job.toil.guest_processors * each[one], job.toil.guest_processors * each[other])
                for job, (one, other) in zip(jobs, ends, strict=True)],
        after_s=[_after_s(job) for job in jobs],
        busy=[watch.busy.get(host, 0.0) for host in hosts],
        line=line,
    )  # fmt: skip
    streams = [job.stream_bytes_per_s if job.transfer_bytes > 0 else 0.0 for job in jobs]
    return known if may_matter(known, streams) else None


def _after_s(job: Job) -> float:
    return PRIORS.after_copying_s(job.fixed_s) if job.transfer_bytes > 0 and not job.running else 0.0


def pools_of(job: Job, limits: Limits) -> list[tuple[tuple[str, ...], int]]:
    """The slot pools that a job takes one slot of each, and their sizes."""
    if job.offline:
        return [] if limits.offline_slots is None else [(("offline", job.source), limits.offline_slots)]
    out, into = ("out", "in") if limits.separate_directions else ("", "")
    ends = [(("node", job.source, out), job.source), (("node", job.destination, into), job.destination)]
    found: list[tuple[tuple[str, ...], int]] = [(key, limits.slots[host]) for key, host in ends if host in limits.slots]
    if job.destination in limits.inflow:
        found.append((("inflow", job.destination), limits.inflow[job.destination]))
    if limits.pair_slots is not None:
        found.append((("pair", job.source, job.destination), limits.pair_slots))
    if limits.cluster_slots is not None:
        found.append((("cluster",), limits.cluster_slots))
    return found


def _pool_words(key: tuple[str, ...], size: int) -> str:
    if key[0] == "cluster":
        return f"a slot of the cluster ({size} at once)"
    if key[0] == "offline":
        return f"a turn among the VMs that are off on {key[1]} ({size} at once)"
    if key[0] == "inflow":
        return f"a slot into {key[1]} ({size} at once)"
    where = f"between {key[1]} and {key[2]}" if key[0] == "pair" else f"on {key[1]}"
    return f"a slot {where} ({size} at once)"


def _resources_of(job: Job, limits: Limits) -> list[tuple[tuple[str, str], float]]:
    found: list[tuple[tuple[str, str], float]] = []
    if job.source in limits.out_bytes_per_s:
        found.append((("out", job.source), limits.out_bytes_per_s[job.source]))
    if job.destination in limits.in_bytes_per_s:
        found.append((("in", job.destination), limits.in_bytes_per_s[job.destination]))
    found += [(("link", link.name), link.capacity_bytes_per_s) for link in limits.links if link.crossed_by(job)]
    return found


def list_schedule(jobs: Sequence[Job], limits: Limits, policy: Policy = EAGER) -> list[Slot]:
    """Run the jobs in the order given: at every instant the first that fits starts.

    Returns:
        One :class:`Slot` a job, in the order of ``jobs``. Seconds from the start.

    Raises:
        ValueError: a job can never start or never end: no slots, or no bandwidth.
    """
    problem = compile_problem(jobs, limits)
    return slots_of(problem, problem.run(range(len(jobs)), policy))


def slots_of(problem: Problem, timeline: Timeline) -> list[Slot]:
    """The timeline with its waits in words."""
    return [
        Slot(start, end, _wait_words(problem, waited, start))
        for start, end, waited in zip(timeline.starts, timeline.ends, timeline.waited, strict=True)
    ]


def _wait_words(problem: Problem, waited: int | None, start_s: float) -> str:
    if start_s <= 0:
        return ""
    if waited == THE_GUARD:
        return "the guard: the processors are over its line, or were"
    return problem.pool_names[waited] if waited is not None else "the link to be free"
