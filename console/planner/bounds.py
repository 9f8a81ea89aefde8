"""Below which no schedule can get: how good a plan is, said by something that is not the planner.

Every bound takes each move at its solo duration, with all ports to itself, and therefore stays valid whatever is
shared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from console.model.identity import HostName

from .schedule import Job, Limits, pools_of


def lower_bound_s(jobs: Sequence[Job], limits: Limits) -> float:
    """The largest of: the longest move; moves that run alone, one after the other; the bytes through each port and
    shared link; the work per slot of each node, pair, inflow and the cluster; the work inside each dense subset of
    nodes. Moves of VMs that are off share none of that."""
    if not jobs:
        return 0.0
    offline = [job for job in jobs if job.offline]
    if offline:
        apart = (machines_bound_s(durations, slots) for durations, slots in _slot_groups(offline, limits))
        live = lower_bound_s([job for job in jobs if not job.offline], limits)
        return max(live, *(job.solo_s for job in offline), *apart)
    bound = max(*(job.solo_s for job in jobs), _alone_bound_s(jobs, limits), _port_bound_s(jobs, limits))
    groups = _slot_groups(jobs, limits)
    for durations, slots in groups:
        bound = max(bound, _rounds_bound_s(durations, slots))
    bound = max(bound, dense_bound_s(jobs, limits))
    for durations, slots in groups:
        # whole moves can add no more than one move to an even share: most groups are out of the race by then
        if len(durations) <= _MOST_SUMMED and sum(durations) / slots + max(durations) > bound:
            bound = max(bound, _smallest_sum_s(durations, _rounds_bound_s(durations, slots)))
    return bound


def machines_bound_s(durations_s: Sequence[float], machines: int) -> float:
    """What ``machines`` identical slots need for these jobs, rounded to whole jobs.

    Of the ``j * m + 1`` longest jobs some slot runs ``j + 1``: at least the ``j + 1`` shortest of them. And the
    busiest slot runs *some* of the jobs, whole: what it runs is a sum of durations, at least the average.
    """
    bound = _rounds_bound_s(durations_s, machines)
    return max(bound, _smallest_sum_s(durations_s, bound)) if len(durations_s) <= _MOST_SUMMED else bound


def _rounds_bound_s(durations_s: Sequence[float], machines: int) -> float:
    ordered = sorted(durations_s, reverse=True)
    bound = sum(ordered) / machines
    for rounds in range((len(ordered) - 1) // machines + 1 if ordered else 0):
        last = rounds * machines
        bound = max(bound, sum(ordered[last - rounds : last + 1]))
    return bound


_MOST_SUMMED = 48
"""Beyond this many jobs their sums lie so close that the rounding gains nothing."""
_SUM_STEPS = 1 << 19


def _smallest_sum_s(durations_s: Sequence[float], at_least_s: float) -> float:
    """The smallest sum of some of the durations that reaches ``at_least_s``, rounded down by counting in steps."""
    if at_least_s <= 0:
        return 0.0
    step = at_least_s / _SUM_STEPS
    sums = 1
    for duration in durations_s:
        sums |= sums << int(duration / step)
    threshold = max(0, _SUM_STEPS - len(durations_s) - 1)
    reached = sums >> threshold
    return (threshold + (reached & -reached).bit_length() - 1) * step if reached else at_least_s


def _alone_bound_s(jobs: Sequence[Job], limits: Limits) -> float:
    """Moves that run alone run one after the other, beside nothing else; the others need their time besides."""
    alone = sum(job.solo_s for job in jobs if job.alone)
    return alone + lower_bound_s([job for job in jobs if not job.alone], limits) if alone else 0.0


def _port_bound_s(jobs: Sequence[Job], limits: Limits) -> float:
    bounds = [0.0]
    for capacities, end in ((limits.out_bytes_per_s, _source), (limits.in_bytes_per_s, _destination)):
        for host, capacity in capacities.items():
            through = [job for job in jobs if end(job) == host]
            bounds.append(_fluid_bound_s(through, capacity))
            if limits.slots.get(host):
                bounds.append(_overlap_bound_s(through, capacity, limits.slots[host]))
    for link in limits.links:
        bounds.append(_fluid_bound_s([job for job in jobs if link.crossed_by(job)], link.capacity_bytes_per_s))
    return max(bounds)


def _fluid_bound_s(jobs: Sequence[Job], capacity_bytes_per_s: float) -> float:
    """Nothing flows before the shortest fixed part is over; then all bytes go through."""
    copying = [job for job in jobs if job.transfer_bytes > 0]
    if not copying:
        return 0.0
    return min(job.fixed_s for job in copying) + sum(job.transfer_bytes for job in copying) / capacity_bytes_per_s


_MOST_COPYING = 32
"""Beyond this many moves at once the other bounds are as good."""


def _overlap_bound_s(jobs: Sequence[Job], capacity_bytes_per_s: float, slots: int) -> float:
    """A node's moves in one direction: while ``m`` of its slots copy, at most ``slots - m`` do their fixed part.

    The least time ``sum(a_m)`` with ``sum(rate_m * a_m) >= bytes`` and ``sum((slots - m) * a_m) >= fixed``, where
    ``rate_m`` is what ``m`` copying moves reach; two of the ``a_m`` are enough, so all pairs are looked at. Before
    all that nothing copies for as long as the shortest fixed part, which every slot can spend on one.
    """
    copying = [job.fixed_s for job in jobs if job.transfer_bytes > 0]
    if not copying:
        return 0.0
    idle_s, slots = min(copying), min(slots, len(jobs))
    load = sum(job.transfer_bytes for job in jobs)
    fixed = max(0.0, sum(job.fixed_s for job in jobs) - slots * idle_s)
    stream = max((job.stream_bytes_per_s for job in jobs if job.transfer_bytes > 0), default=0.0)
    most = min(slots, math.ceil(capacity_bytes_per_s / stream))  # with more, no more flows and fewer wait
    if most > _MOST_COPYING:
        return 0.0
    rates = [min(capacity_bytes_per_s, number * stream) for number in range(most + 1)]
    best = 0.0
    for price_bytes, price_fixed in _dual_vertices(rates, slots):
        best = max(best, price_bytes * load + price_fixed * fixed)
    return idle_s + best


def _dual_vertices(rates: Sequence[float], slots: int) -> list[tuple[float, float]]:
    """Prices (per byte, per fixed second) at which no mix of copying and waiting slots earns more than its time."""
    rows = [(rate, float(slots - copying)) for copying, rate in enumerate(rates)]
    found = [(0.0, 1.0 / slots)]
    if rates[-1] > 0:
        found.append((1.0 / max(rates), 0.0))
    for one in range(len(rows)):
        for other in range(one + 1, len(rows)):
            (a, b), (c, d) = rows[one], rows[other]
            determinant = a * d - b * c
            if determinant:
                found.append(((d - b) / determinant, (a - c) / determinant))
    return [(x, y) for x, y in found if x >= 0 and y >= 0 and all(a * x + b * y <= 1 + 1e-12 for a, b in rows)]


def _slot_groups(jobs: Sequence[Job], limits: Limits) -> list[tuple[list[float], int]]:
    """Solo durations of the moves that take a slot of the same pool, and how many slots it has."""
    groups: dict[tuple[str, ...], tuple[list[float], int]] = {}
    for job in jobs:
        for key, slots in pools_of(job, limits):
            if slots > 0:
                groups.setdefault(key, ([], slots))[0].append(job.solo_s)
    return list(groups.values())


def dense_bound_s(jobs: Sequence[Job], limits: Limits) -> float:
    """Moves between the nodes of a subset take two of the subset's slots each: of an odd number one stays free.

    The densest subset is looked for by taking away, from all nodes, the one with the least work inside, again and
    again; every subset on the way gives a valid bound.
    """
    if limits.separate_directions:
        return 0.0
    work: dict[HostName, dict[HostName, float]] = {}
    for job in jobs:
        if job.source in limits.slots and job.destination in limits.slots:
            for one, other in ((job.source, job.destination), (job.destination, job.source)):
                ends = work.setdefault(one, {})
                ends[other] = ends.get(other, 0.0) + job.solo_s
    inside = {host: sum(ends.values()) for host, ends in work.items()}
    total, slots, best = sum(inside.values()) / 2, sum(limits.slots[host] for host in inside), 0.0
    while len(inside) > 1:
        if slots >= 2:
            best = max(best, total / (slots // 2))
        least = min(inside, key=lambda host: (inside[host] / max(limits.slots[host], 1), host))
        total -= inside.pop(least)
        slots -= limits.slots[least]
        for other, seconds in work[least].items():
            if other in inside:
                inside[other] -= seconds
    return best


def _source(job: Job) -> HostName:
    return job.source


def _destination(job: Job) -> HostName:
    return job.destination
