"""Drives the pure core against the small world: virtual time, lost answers, kills, and the invariants' judge."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import signals as sg
from console.drain.fold import fold, open_run
from console.drain.recovery import recover
from console.drain.requests import OperatorRequest
from console.drain.rules import Rules
from console.drain.state import MoveState, Phase, RunState
from console.drain.step import step

from .judge import Judge
from .moments import EPOCH, moment
from .world import World, fresh

_AWAY_S = 5.0
"""Between a runner's death and the next one's start."""
_FOLDED = 0.01
"""Share of the steps after which the whole journal is folded anew."""


@dataclass
class Campaign:
    """One drain from its first event to its last."""

    world: World
    journal: list[ev.Event]
    rules: Rules
    requests: list[tuple[float, OperatorRequest]] = field(default_factory=list)
    kills: list[int] = field(default_factory=list)
    """Numbers of steps at which the runner dies."""
    kill_after_events: int | None = None
    """The runner dies when its journal holds so many events; what it decided beyond is cut off."""
    latency: Callable[[], float] = field(default=lambda: 0.2)
    limit_s: float = 20_000.0
    check_every_step: bool = False
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    """Chooses the moments at which the whole journal is folded anew."""
    steps: int = 0
    deaths: int = 0
    asleep: tuple[tuple[float, float], ...] = ()
    """Stretches in which the run's machine is suspended; nobody tells it afterwards."""
    offset_s: float = 0.0
    """How far the run's clock is from the world's."""
    judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        self.judge = Judge(self.world)

    @property
    def problems(self) -> list[str]:
        return self.judge.problems

    def run(self) -> RunState:
        """Until the run ends or time is up."""
        self.begin()
        while self.state.phase is not Phase.ENDED and self._queue and self._queue[0][0] <= self.limit_s:
            self.advance()
        self.judge.end(self.state, self.journal)
        return self.state

    def begin(self) -> None:
        first = self.journal[0]
        assert isinstance(first, ev.RunOpened)
        self.judge.witness.see(first)
        self.judge.witness.guarded = self.rules.guard is not None
        self.state = open_run(first)
        self._reset()
        for at_s, request in self.requests:
            self._at(at_s, sg.Requested(EPOCH, request, "ann"))
        self._at(0.0, sg.Ticked(EPOCH))
        for at_s, by_s in self.world.faults.clock_jumps:
            self._at(at_s, sg.TimeSkipped(EPOCH, by_s))

    @property
    def next_s(self) -> float:
        return self._queue[0][0] if self._queue and self.state.phase is not Phase.ENDED else float("inf")

    def advance(self) -> None:
        """Deliver the next signal."""
        at_s, order, signal, asked = heapq.heappop(self._queue)
        for start, end in (*self.world.faults.disk_full, *self.asleep):
            # Nothing is decided while nothing can be written down, or while nobody is awake; the signal waits.
            if start <= at_s < end:
                self._at(end, signal, asked)
                return
        self._outstanding.discard(asked)
        if order in self._looks and self.state.closing_as is None:
            self.judge.last_look_s = self._looks[order]
        self.world.advance(at_s)
        if isinstance(signal, sg.TimeSkipped):
            self.offset_s += signal.seconds
        stamped = fresh(signal, at_s + self.offset_s)
        self.state = self._turn(self.state, stamped, at_s)

    def _reset(self) -> None:
        self._queue: list[tuple[float, int, sg.Signal, cmd.Command | None]] = []
        self._outstanding: set[cmd.Command | None] = set()
        self._order = itertools.count()
        self._looks: dict[int, float] = {}
        """When the looks at roles whose answers are on their way were taken."""

    def _at(self, at_s: float, signal: sg.Signal, asked: cmd.Command | None = None) -> int:
        order = next(self._order)
        heapq.heappush(self._queue, (at_s, order, signal, asked))
        return order

    def _turn(self, state: RunState, signal: sg.Signal, at_s: float) -> RunState:
        self.steps += 1
        kind = self.kills.index(self.steps) % 3 if self.steps in self.kills else None
        if kind == 0:
            return self._die(at_s)
        taken = step(state, signal, self.rules)
        if self.kill_after_events is not None and len(self.journal) + len(taken.events) >= self.kill_after_events:
            kept = taken.events[: self.kill_after_events - len(self.journal)]
            self.judge.watch(state, kept, None)
            self.journal.extend(kept)
            self.kill_after_events = None
            return self._die(at_s)
        self.judge.watch(state, taken.events, taken.state)
        self.journal.extend(taken.events)
        if kind == 1:
            return self._die(at_s)
        if self.check_every_step or self.dice.random() < _FOLDED:
            self.judge.refold(taken.state, self.journal, text=self.judge.through_text and not self.check_every_step)
        for command in taken.commands:
            self._do(command, at_s)
        if kind == 2:
            return self._die(at_s)
        return taken.state

    def _do(self, command: cmd.Command, at_s: float) -> None:
        if isinstance(command, cmd.WaitUntil):
            self._at((command.at - EPOCH).total_seconds() - self.offset_s, sg.Ticked(EPOCH, command.poll_at))
            return
        read = isinstance(command, cmd.ReadCommand | cmd.ReadLease)
        if read and command in self._outstanding:
            return
        self.judge.witness.command(command)
        answer = self.world.perform(command)
        if isinstance(answer, sg.LeaseRead | sg.ProgressRead):
            answer = replace(answer, asked_at=moment(at_s + self.offset_s))
        if answer is not None:
            self._outstanding.add(command if read else None)
            order = self._at(at_s + self.latency() + self.world.delay_s(), answer, command if read else None)
            if isinstance(answer, sg.ProgressRead):
                self._looks[order] = at_s

    def _die(self, at_s: float) -> RunState:
        """Everything in memory is gone; operators' requests live in the journal's file and stay."""
        self.deaths += 1
        self.judge.killed = True
        self.judge.witness.died()
        kept = [(at, signal) for at, _, signal, _ in self._queue if isinstance(signal, sg.Requested | sg.TimeSkipped)]
        self._reset()
        back_s = at_s + _AWAY_S
        for at, signal in kept:
            self._at(max(at, back_s), signal)
        self.world.advance(back_s)
        state = fold(self.journal)
        if state.phase is Phase.ENDED:
            return state
        flying = [vm for vm, move in state.moves.items() if move.state in (MoveState.MOVING, MoveState.UNKNOWN)]
        sights = None if self.world.silent() else [self.world.sight(vm) for vm in flying]
        events = recover(state, sights, moment(back_s + self.offset_s))
        self.judge.watch(state, events, None)
        self.journal.extend(events)
        self._at(back_s, sg.Ticked(EPOCH))
        found = fold(self.journal)
        for sight in sights or ():
            if not sight.busy:
                move = found.moves[sight.vm]
                unverified = move.settled and move.arrived_at is not None  # where it is was told before, with the doubt
                told = move.state is MoveState.VERIFYING or move.state.terminal or unverified
                self.judge.witness.recovered(sight.vm, told_arrived=told)
        return found


def seeded_latency(seed: int) -> Callable[[], float]:
    dice = random.Random(seed)
    return lambda: dice.choice([0.05, 0.1, 0.3, 0.3, 1.5, 4.0])
