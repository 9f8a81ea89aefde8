"""Better schedules than longest first: several ways to choose the next move, then a local search over the order."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .bounds import lower_bound_s
from .fluid import EAGER, POLICIES, Policy, Problem, Timeline
from .guarding import PRIORS, Hold
from .schedule import Job, Limits, Slot, compile_problem, list_schedule, slots_of

_GOOD_ENOUGH = 1.0005
"""Of the lower bound: what is left could not be seen on any clock."""


@dataclass(frozen=True, slots=True)
class Schedule:
    slots: list[Slot]
    """One a job, in the order of the jobs."""
    makespan_s: float
    lower_bound_s: float
    holds: tuple[Hold, ...] = ()
    """When the guard is foreseen to let nothing start."""
    makespan_at_worst_s: float = 0.0
    """Where moves ask as much of the processors as nine of ten stay under."""

    @property
    def ratio(self) -> float:
        return self.makespan_s / self.lower_bound_s if self.lower_bound_s > 0 else 1.0


def best_schedule(
    jobs: Sequence[Job],
    limits: Limits,
    *,
    effort: int = 40_000,
    seed: int = 0,
    keep_order: bool = False,
    policies: Sequence[Policy] = POLICIES,
) -> Schedule:
    """The shortest schedule found within ``effort``.

    Args:
        effort: moves that may be simulated altogether; counted, not timed, so that the same question has the same
            answer on any machine.
        seed: of the local search.
        keep_order: the jobs start in the order given, as far as they fit.

    Raises:
        ValueError: a job can never start or never end.
    """
    if any(job.offline for job in jobs):
        return _beside(jobs, limits, effort, seed, keep_order, policies)
    bound = lower_bound_s(jobs, limits)
    cases = _cases(jobs, limits)
    order = list(range(len(jobs)))
    if not keep_order:
        order.sort(key=lambda index: (-jobs[index].solo_s, index))
    search = _Search(cases, bound * _GOOD_ENOUGH, effort)
    for policy in policies:
        search.consider(order, policy)
    if not keep_order:
        for place in _APART if cases[0].capacities else ():
            search.consider(_set_apart(order, place), EAGER)
        for other in _clear_of_the_line(jobs, order) if len(cases) > 1 else ():
            search.consider(other, EAGER)
        search.improve(random.Random(seed), tuple(policies))
    best = search.best
    return Schedule(slots_of(cases[0], best), best.makespan_s, bound, tuple(best.holds), search.at_worst_s)


def _cases(jobs: Sequence[Job], limits: Limits) -> list[Problem]:
    """What is believed; and where a guard may hold, the worst besides.

    How much of the processors a move takes is known badly, and so are its duration and the moment of a reading: an
    order that just keeps under the line, or lets two moves just miss each other, is not worth much.
    """
    believed = compile_problem(jobs, limits)
    if limits.watch is None:
        return [believed]
    factor = PRIORS.compressed_bytes_per_processor_s / PRIORS.compressed_at_least_bytes
    watch = replace(limits.watch, toil_factor=factor, read_after_s=_AT_ONCE_S)
    worst = compile_problem([_off(job, number) for number, job in enumerate(jobs)], replace(limits, watch=watch))
    return [believed] if worst.guarded is None else [believed, worst]


_AT_ONCE_S = 0.2
"""How long a load is over the guard's line, at the least, to be found at the worst."""
_OFF = 0.15
"""By how much forecasts of single moves are off, either way."""


def _off(job: Job, number: int) -> Job:
    """The move, longer or shorter than forecast, by another share than its neighbours."""
    if job.running:
        return job
    factor = 1 + _OFF * (2 * (number * 0.618034 % 1) - 1)
    return replace(job, fixed_s=job.fixed_s * factor, transfer_bytes=job.transfer_bytes * factor)


def _clear_of_the_line(jobs: Sequence[Job], order: Sequence[int]) -> list[list[int]]:
    """Orders in which a guard may have less to hold: moves that ask most of the processors last, first, or each beside
    one that asks little."""
    rising = sorted(order, key=lambda move: jobs[move].toil.source_s_per_byte * jobs[move].stream_bytes_per_s)
    falling = rising[::-1]
    mixed = [move for pair in zip(falling, rising, strict=True) for move in pair][: len(order)]
    return [rising, falling, mixed]


def _beside(
    jobs: Sequence[Job], limits: Limits, effort: int, seed: int, keep_order: bool, policies: Sequence[Policy]
) -> Schedule:
    """Moves of VMs that are off share neither slots nor ports with live migrations: they run beside them."""
    live = [job for job in jobs if not job.offline]
    found = best_schedule(live, limits, effort=effort, seed=seed, keep_order=keep_order, policies=policies)
    apart = list_schedule([job for job in jobs if job.offline], replace(limits, watch=None))
    theirs, ours = iter(apart), iter(found.slots)
    slots = [next(theirs if job.offline else ours) for job in jobs]
    last_s = max(slot.end_s for slot in slots)
    at_worst_s = max(last_s, found.makespan_at_worst_s)
    return Schedule(slots, last_s, lower_bound_s(jobs, limits), found.holds, at_worst_s)


_APART = (0.5, 0.9)


def _set_apart(order: list[int], place: float) -> list[int]:
    """The order with a shorter move at its head: slots that start alike stay in step, and then all copy at the same
    time and all wait at the same time. One move of another length sets them apart for good."""
    first = int(place * (len(order) - 1))
    return [*order[first : first + 1], *order[:first], *order[first + 1 :]]


class _Search:
    def __init__(self, problems: Sequence[Problem], target_s: float, effort: int) -> None:
        self.problems = problems
        self.target_s = target_s
        self.effort = effort
        self.best = Timeline([], [], [])
        """Of the first problem; the others count as much when orders are compared."""
        self.mean_s = self.at_worst_s = math.inf
        self.order: list[int] = []
        self.policy = EAGER

    def consider(self, order: list[int], policy: Policy) -> bool:
        """Simulate; keep the order when it is no worse. Returns whether it was kept."""
        if self.order and self.done:
            return False
        self.effort -= max(1, len(order))
        found = [problem.run(order, policy) for problem in self.problems]
        mean_s = sum(each.makespan_s for each in found) / len(found)
        if self.order and mean_s > self.mean_s:
            return False
        self.best, self.order, self.policy = found[0], order, policy
        self.mean_s, self.at_worst_s = mean_s, max(each.makespan_s for each in found)
        return True

    @property
    def done(self) -> bool:
        return self.effort <= 0 or self.mean_s <= self.target_s

    def improve(self, chance: random.Random, policies: Sequence[Policy]) -> None:
        """Moves one of the order forward, or swaps two, as long as that does no harm. Half of the time the one
        that ends last is moved: nothing gets shorter unless it does."""
        size = len(self.order)
        if size < 2:
            return
        while not self.done:
            order = list(self.order)
            one = chance.randrange(size)
            if chance.random() < 0.5:
                last = max(range(size), key=lambda move: self.best.ends[move])
                one = order.index(last)
            other = chance.randrange(size)
            if chance.random() < 0.5:
                order.insert(other, order.pop(one))
            else:
                order[one], order[other] = order[other], order[one]
            self.consider(order, chance.choice((self.policy, self.policy, chance.choice(policies))))
