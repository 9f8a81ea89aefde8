"""Below which no schedule can get: how good a plan is, said by something that is not the planner.

Every bound takes each move at its solo duration, with all ports to itself, and therefore stays valid whatever is
shared.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.model.identity import HostName

from .schedule import Job, Limits


def lower_bound_s(jobs: Sequence[Job], limits: Limits) -> float:
    """The largest of: the longest move; the bytes through each port and shared link; the work per slot of each
    node, pair and the cluster."""
    if not jobs:
        return 0.0
    longest_s = max(job.solo_s for job in jobs)
    return max(
        longest_s,
        _alone_bound_s(jobs),
        _port_bound_s(jobs, limits),
        _slot_bound_s(jobs, limits),
    )


def machines_bound_s(durations_s: Sequence[float], machines: int) -> float:
    """What ``machines`` identical slots need for these jobs, rounded to whole jobs.

    Of the ``j * m + 1`` longest jobs some slot runs ``j + 1``: at least the ``j + 1`` shortest of them. And the
    busiest slot runs *some* of the jobs, whole: what it runs is a sum of durations, at least the average.
    """
    ordered = sorted(durations_s, reverse=True)
    bound = sum(ordered) / machines
    for rounds in range((len(ordered) - 1) // machines + 1 if ordered else 0):
        last = rounds * machines
        bound = max(bound, sum(ordered[last - rounds : last + 1]))
    return max(bound, _smallest_sum_s(ordered, bound)) if len(ordered) <= _MOST_SUMMED else bound


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


def _alone_bound_s(jobs: Sequence[Job]) -> float:
    """Moves that run alone run one after the other, beside nothing else."""
    alone = sum(job.solo_s for job in jobs if job.alone)
    return alone + max((job.solo_s for job in jobs if not job.alone), default=0.0) if alone else 0.0


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


def _overlap_bound_s(jobs: Sequence[Job], capacity_bytes_per_s: float, slots: int) -> float:
    """A node's moves in one direction: while ``m`` of its slots copy, at most ``slots - m`` do their fixed part.

    The least time ``sum(a_m)`` with ``sum(rate_m * a_m) >= bytes`` and ``sum((slots - m) * a_m) >= fixed``, where
    ``rate_m`` is what ``m`` copying moves reach; two of the ``a_m`` are enough, so all pairs are looked at.
    """
    if not jobs:
        return 0.0
    load = sum(job.transfer_bytes for job in jobs)
    fixed = sum(job.fixed_s for job in jobs)
    stream = max((job.stream_bytes_per_s for job in jobs if job.transfer_bytes > 0), default=0.0)
    rates = [min(capacity_bytes_per_s, copying * stream) for copying in range(slots + 1)]
    best = 0.0
    for price_bytes, price_fixed in _dual_vertices(rates, slots):
        best = max(best, price_bytes * load + price_fixed * fixed)
    return best


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


def _slot_bound_s(jobs: Sequence[Job], limits: Limits) -> float:
    bounds = [0.0]
    for host, slots in limits.slots.items():
        out = [job.solo_s for job in jobs if job.source == host]
        into = [job.solo_s for job in jobs if job.destination == host]
        groups = [out, into] if limits.separate_directions else [out + into]
        bounds += [machines_bound_s(group, slots) for group in groups if group and slots > 0]
    if limits.cluster_slots:
        bounds.append(machines_bound_s([job.solo_s for job in jobs], limits.cluster_slots))
    if limits.pair_slots:
        pairs: dict[tuple[HostName, HostName], list[float]] = {}
        for job in jobs:
            pairs.setdefault((job.source, job.destination), []).append(job.solo_s)
        bounds += [machines_bound_s(group, limits.pair_slots) for group in pairs.values()]
    return max(bounds)


def _source(job: Job) -> HostName:
    return job.source


def _destination(job: Job) -> HostName:
    return job.destination
