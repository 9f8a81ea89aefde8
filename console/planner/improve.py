"""Better schedules than longest first: several ways to choose the next move, then a local search over the order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from .bounds import lower_bound_s
from .fluid import EAGER, POLICIES, Policy, Problem, Timeline
from .schedule import Job, Limits, Slot, compile_problem, list_schedule, slots_of

_GOOD_ENOUGH = 1.0005
"""Of the lower bound: what is left could not be seen on any clock."""


@dataclass(frozen=True, slots=True)
class Schedule:
    slots: list[Slot]
    """One a job, in the order of the jobs."""
    makespan_s: float
    lower_bound_s: float

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
    problem = compile_problem(jobs, limits)
    order = list(range(len(jobs)))
    if not keep_order:
        order.sort(key=lambda index: (-jobs[index].solo_s, index))
    search = _Search(problem, bound * _GOOD_ENOUGH, effort)
    for policy in policies:
        search.consider(order, policy)
    if not keep_order:
        for place in _APART if problem.capacities else ():
            search.consider(_set_apart(order, place), EAGER)
        search.improve(random.Random(seed), tuple(policies))
    return Schedule(slots_of(problem, search.best), search.best.makespan_s, bound)


def _beside(
    jobs: Sequence[Job], limits: Limits, effort: int, seed: int, keep_order: bool, policies: Sequence[Policy]
) -> Schedule:
    """Moves of VMs that are off share neither slots nor ports with live migrations: they run beside them."""
    live = [job for job in jobs if not job.offline]
    found = best_schedule(live, limits, effort=effort, seed=seed, keep_order=keep_order, policies=policies)
    apart = list_schedule([job for job in jobs if job.offline], limits)
    theirs, ours = iter(apart), iter(found.slots)
    slots = [next(theirs if job.offline else ours) for job in jobs]
    return Schedule(slots, max(slot.end_s for slot in slots), lower_bound_s(jobs, limits))


_APART = (0.5, 0.9)


def _set_apart(order: list[int], place: float) -> list[int]:
    """The order with a shorter move at its head: slots that start alike stay in step, and then all copy at the same
    time and all wait at the same time. One move of another length sets them apart for good."""
    first = int(place * (len(order) - 1))
    return [*order[first : first + 1], *order[:first], *order[first + 1 :]]


class _Search:
    def __init__(self, problem: Problem, target_s: float, effort: int) -> None:
        self.problem = problem
        self.target_s = target_s
        self.effort = effort
        self.best = Timeline([], [], [])
        self.order: list[int] = []
        self.policy = EAGER

    def consider(self, order: list[int], policy: Policy) -> bool:
        """Simulate; keep the order when it is no worse. Returns whether it was kept."""
        if self.order and self.done:
            return False
        self.effort -= max(1, len(order))
        found = self.problem.run(order, policy)
        if self.order and found.makespan_s > self.best.makespan_s:
            return False
        self.best, self.order, self.policy = found, order, policy
        return True

    @property
    def done(self) -> bool:
        return self.effort <= 0 or self.best.makespan_s <= self.target_s

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
