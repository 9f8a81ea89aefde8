"""The simulation under every schedule: slots are taken and freed, bytes flow through shared ports as a fluid.

A move holds its slots from its start to its end. Its first seconds copy nothing; then its bytes flow at the rate
that its stream and its max-min fair share of the ports allow. Shares change whenever a move starts copying or
ends. A freed slot is refilled at the same instant; there are no batches.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from .guarding import Guarded, Guards, Hold

_DONE_SHARE = 1e-9
"""Less than this part of a move's bytes is nothing but floating point."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the next move is chosen among those that fit."""

    patient: bool = False
    """Starts a move only while the ports it needs have bandwidth for all of its stream: few moves at full rate
    instead of many that share."""
    by_load: bool = False
    """Takes the move whose busiest port has most left to carry, instead of the first of the order."""
    mixed: bool = False
    """Takes the last of the order while its ports are busy, the first while they are not: short moves, which
    mostly wait, beside long ones, which mostly copy."""


EAGER = Policy()
MIXED = Policy(mixed=True)
POLICIES = (
    EAGER,
    Policy(by_load=True),
    Policy(patient=True),
    Policy(patient=True, by_load=True),
    MIXED,
)


THE_GUARD = -1
"""In place of a slot pool, for moves that waited for the guard."""


@dataclass(frozen=True, slots=True)
class Timeline:
    starts: list[float]
    ends: list[float]
    waited: list[int | None]
    """The slot pool whose freeing let each move start, or the guard; None for those that waited for none."""
    holds: list[Hold] = field(default_factory=list)
    """When a guard lets nothing start."""

    @property
    def makespan_s(self) -> float:
        return max(self.ends, default=0.0)


@dataclass(frozen=True)
class Problem:
    """Moves and limits as plain numbers, ready to be run in any order."""

    fixed_s: list[float]
    transfer_bytes: list[float]
    stream: list[float]
    alone: list[bool]
    running: list[bool]
    """Under way already: start at 0 before all others and whatever the pools say."""
    pools: list[tuple[int, ...]]
    """Slot pools that each move takes one of."""
    resources: list[tuple[int, ...]]
    """Fluid resources that each move's bytes cross."""
    pool_sizes: list[int]
    capacities: list[float]
    pool_names: list[str] = field(default_factory=list)
    guarded: Guarded | None = None
    """None: no guard is foreseen to hold anything."""

    def __len__(self) -> int:
        return len(self.fixed_s)

    def run(self, order: Sequence[int], policy: Policy = EAGER) -> Timeline:
        """Simulate to the end.

        Raises:
            ValueError: a move can never start or never end.
        """
        return _Run(self, order, policy).to_the_end()

    def share(self, moves: Sequence[int]) -> list[float]:
        """Bytes per second of each of the moves while all of them copy: max-min fair."""
        rates = dict.fromkeys(moves, 0.0)
        left = {resource: self.capacities[resource] for move in moves for resource in self.resources[move]}
        users = dict.fromkeys(left, 0)
        for move in moves:
            for resource in self.resources[move]:
                users[resource] += 1
        open_moves = sorted(moves, key=lambda move: self.stream[move])
        while open_moves:
            share, tight = math.inf, -1
            for resource, count in users.items():
                if count and left[resource] / count < share:
                    share, tight = left[resource] / count, resource
            if self.stream[open_moves[0]] <= share:
                share, settled = self.stream[open_moves[0]], open_moves[:1]
            else:
                settled = [move for move in open_moves if tight in self.resources[move]]
            for move in settled:
                rates[move] = share
                for resource in self.resources[move]:
                    users[resource] -= 1
                    left[resource] = max(0.0, left[resource] - share)
            gone = set(settled)
            open_moves = [move for move in open_moves if move not in gone]
        return [rates[move] for move in moves]


class _Run:
    """One simulation. Pending moves that need the same slots and ports wait in one queue, first of the order last."""

    def __init__(self, problem: Problem, order: Sequence[int], policy: Policy) -> None:
        self.problem = problem
        self.policy = policy
        self.now_s = 0.0
        self.rank = [0] * len(problem)
        for place, move in enumerate(order):
            self.rank[move] = place
        self.free = list(problem.pool_sizes)
        self.load = [0.0] * len(problem.capacities)
        self.booked = [0.0] * len(problem.capacities)
        if policy.by_load:
            for move in order:
                for resource in problem.resources[move]:
                    self.load[resource] += problem.transfer_bytes[move]
        self.active: list[int] = []
        self.rates: dict[int, float] = {}
        self.fixed_left = list(problem.fixed_s)
        self.bytes_left = list(problem.transfer_bytes)
        self.guards = Guards(problem.guarded) if problem.guarded is not None else None
        self.after_left = list(problem.guarded.after_s) if problem.guarded is not None else [0.0] * len(problem)
        self.alone_runs = False
        self.just_freed: set[int] = set()
        size = len(problem)
        holds = self.guards.holds if self.guards is not None else []
        self.timeline = Timeline([0.0] * size, [0.0] * size, [None] * size, holds)
        pending = [move for move in order if not problem.running[move]]
        self.waiting = size
        for move in order:
            if problem.running[move]:
                self._start(move)
        self._queue(pending)

    def _queue(self, pending: Sequence[int]) -> None:
        """One queue a kind; but where all need one pool and the order decides, a scan in order is quicker."""
        problem = self.problem
        self.common: set[int] = set()
        if pending:
            self.common = set(problem.pools[pending[0]]).intersection(*(problem.pools[move] for move in pending))
        self.line = list(pending) if self.common and self.policy == EAGER else None
        self.queues: dict[tuple[tuple[int, ...], tuple[int, ...], bool, int], deque[int]] = {}
        for move in () if self.line is not None else reversed(pending):
            guard = problem.guarded.guard_of[move] if problem.guarded is not None else 0
            key = problem.pools[move], problem.resources[move], problem.alone[move], guard
            self.queues.setdefault(key, deque()).append(move)

    def to_the_end(self) -> Timeline:
        while self.waiting or self.active:
            while self.waiting and (move := self._next_move()) is not None:
                self._start(move)
            if not self.active and self.guards is None:
                raise ValueError("a move can never start: a node has no slots")
            self._share()
            self._advance()
        return self.timeline

    def _next_move(self) -> int | None:
        if any(self.free[pool] <= 0 for pool in self.common) or (self.guards is not None and self.guards.closed):
            return None
        if self.line is None:
            queue = self._next_queue()
            return None if queue is None else self._take(queue)
        pools, alone = self.problem.pools, self.problem.alone
        for place, move in enumerate(self.line):
            if self._fits(move, pools[move], alone[move]):
                return self.line.pop(place)
        return None

    def _next_queue(self) -> deque[int] | None:
        best: deque[int] | None = None
        best_key: tuple[float, ...] = ()
        for (pools, resources, alone, _), queue in self.queues.items():
            if not queue or not self._fits(queue[-1], pools, alone):
                continue
            move = self._first_of(queue)
            if self.policy.patient and not self._has_bandwidth(move, resources):
                continue
            key = self._key(queue, move, resources)
            if best is None or key < best_key:
                best, best_key = queue, key
        return best

    def _fits(self, move: int, pools: tuple[int, ...], alone: bool) -> bool:
        if self.active and (alone or self.alone_runs):
            return False
        if self.guards is not None and not self.guards.lets(move):
            return False
        free = self.free
        for pool in pools:  # noqa: SIM110 — a generator costs more than all the rest of a plan
            if free[pool] <= 0:
                return False
        return True

    def _has_bandwidth(self, move: int, resources: tuple[int, ...]) -> bool:
        stream = self.problem.stream[move]
        for resource in resources:
            capacity = self.problem.capacities[resource]
            if self.booked[resource] + min(stream, capacity) > capacity * (1 + 1e-9):
                return False
        return True

    def _first_of(self, queue: deque[int]) -> int:
        return queue[0] if self._from_the_end(queue) else queue[-1]

    def _take(self, queue: deque[int]) -> int:
        return queue.popleft() if self._from_the_end(queue) else queue.pop()

    def _from_the_end(self, queue: deque[int]) -> bool:
        """Whether the ports of this queue's moves are busy already, and short moves are the better company."""
        if not self.policy.mixed:
            return False
        return any(
            self.booked[resource] >= 0.5 * self.problem.capacities[resource]
            for resource in self.problem.resources[queue[-1]]
        )

    def _key(self, queue: deque[int], move: int, resources: tuple[int, ...]) -> tuple[float, ...]:
        if not self.policy.by_load:
            return (-self.rank[move] if self._from_the_end(queue) else self.rank[move],)
        loads = sorted(
            (self.load[resource] / self.problem.capacities[resource] for resource in resources), reverse=True
        )
        return (*(-load for load in loads), self.rank[move])

    def _start(self, move: int) -> None:
        self.waiting -= 1
        self.timeline.starts[move] = self.now_s
        pools = self.problem.pools[move]
        self.timeline.waited[move] = next((pool for pool in pools if pool in self.just_freed), None)
        if self.guards is not None:
            if self.timeline.waited[move] is None and self.guards.keeps_back(move):
                self.timeline.waited[move] = THE_GUARD
            self.guards.started(move)
        for pool in pools:
            self.free[pool] -= 1
        self._book(move, 1.0)
        self.active.append(move)
        self.alone_runs = self.alone_runs or self.problem.alone[move]

    def _book(self, move: int, sign: float) -> None:
        for resource in self.problem.resources[move]:
            self.booked[resource] += sign * min(self.problem.stream[move], self.problem.capacities[resource])

    def _share(self) -> None:
        copying = [move for move in self.active if self.fixed_left[move] <= 0 and self.bytes_left[move] > 0]
        self.rates = dict(zip(copying, self.problem.share(copying), strict=True))

    def _advance(self) -> None:
        step = min((self._next_s(move) for move in self.active), default=math.inf)
        if self.guards is not None:
            self.guards.see(self.active, self.rates, self.now_s)
            step = min(step, self.guards.next_s(self.now_s))
        if not math.isfinite(step):
            what = "end: it has no bandwidth" if self.active else "start: a node has no slots"
            raise ValueError(f"a move can never {what}")
        self.now_s += step
        self.just_freed.clear()
        if self.guards is not None:
            self.guards.read(self.now_s)
        self.active = [move for move in self.active if not self._ended(move, step)]

    def _next_s(self, move: int) -> float:
        if self.fixed_left[move] > 0:
            return self.fixed_left[move]
        if self.bytes_left[move] <= 0:
            return self.after_left[move]
        rate = self.rates.get(move, 0.0)
        return self.bytes_left[move] / rate if rate > 0 else math.inf

    def _ended(self, move: int, step: float) -> bool:
        """Takes the step; frees the move's slots when it is done."""
        if self.fixed_left[move] > 0:
            left = self.fixed_left[move] - step
            self.fixed_left[move] = left if left > _DONE_SHARE else 0.0
        elif self.bytes_left[move] > 0:
            sent = self.rates[move] * step
            self.bytes_left[move] -= sent
            for resource in self.problem.resources[move]:
                self.load[resource] -= sent
            if self.bytes_left[move] <= _DONE_SHARE * self.problem.transfer_bytes[move]:
                self.bytes_left[move] = 0.0
        elif self.after_left[move] > 0:
            left = self.after_left[move] - step
            self.after_left[move] = left if left > _DONE_SHARE else 0.0
        if self.fixed_left[move] > 0 or self.bytes_left[move] > 0 or self.after_left[move] > 0:
            return False
        self.timeline.ends[move] = self.now_s
        if self.guards is not None:
            self.guards.ended(move)
        for pool in self.problem.pools[move]:
            if self.free[pool] <= 0:
                self.just_freed.add(pool)
            self.free[pool] += 1
        self._book(move, -1.0)
        self.alone_runs = self.alone_runs and not self.problem.alone[move]
        return True
