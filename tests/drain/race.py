"""Two consoles and one node: who gets it, who sleeps through it, and that never both work on it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from console.drain.lease import LeaseTerms, generation_of
from console.drain.limits import fence_reason
from console.drain.rules import Rules
from console.drain.state import Outcome, Phase, RunState

from .campaign import Campaign, seeded_latency
from .drawn import rules_for
from .faults import Faults
from .making import make_world, opened_for
from .moments import moment
from .world import SOURCE, World

_AT_WORK = (Phase.PAUSING, Phase.MOVING, Phase.VERIFYING)


@dataclass
class Race:
    """Two runs of the same plan against the same world."""

    world: World
    consoles: list[Campaign]
    problems: list[str] = field(default_factory=list)

    def run(self) -> list[RunState]:
        for console in self.consoles:
            console.begin()
        while min(console.next_s for console in self.consoles) <= 8000.0:
            console = min(self.consoles, key=lambda console: console.next_s)
            before = len(self.world.own_starts)
            console.advance()
            self._at_most_one_works()
            if len(self.world.own_starts) > before:
                self._started_by_right(console)
        for console in self.consoles:
            console.judge.end(console.state, console.journal)
            self.problems += console.problems
        drained = [console.state.outcome is Outcome.DRAINED for console in self.consoles]
        self.both_drained = all(drained)
        return [console.state for console in self.consoles]

    def _started_by_right(self, console: Campaign) -> None:
        """By the cluster's own book, whatever the console believes."""
        rows = self.world.leases.read(self.world.now_s).leases
        ranked = [(generation_of(row.name, SOURCE) or 0, row.run) for row in rows]
        holder = max(ranked)[1] if ranked else ""
        if holder != console.state.run:
            self.problems.append(f"{console.state.run} started a move while {holder or 'nobody'} held the node")

    def _at_most_one_works(self) -> None:
        now_s = self.world.now_s
        working = [
            console.state.run
            for console in self.consoles
            if console.state.phase in _AT_WORK
            and console.state.lease.held
            and fence_reason(console.state, moment(now_s + console.offset_s)) is None
        ]
        if len(working) > 1:
            self.problems.append(f"{' and '.join(working)} work on the node at {now_s:.1f} s")


def draw_race(seed: int) -> Race:
    """Different starts, latencies, deaths and naps; sometimes the network is bad, too."""
    dice = random.Random(seed)
    world = make_world(seed, dice.randint(3, 8), dice.randint(3, 5))
    world.faults = _bad_network(dice)
    consoles = [_console(dice, world, name, seed) for name in ("ann", "bob")]
    return Race(world, consoles)


def _bad_network(dice: random.Random) -> Faults:
    faults = Faults()
    if dice.random() < 0.3:
        faults.answer_lost = 0.2
    if dice.random() < 0.3:
        faults.change_lost = 0.2
    if dice.random() < 0.3:
        start = dice.uniform(5.0, 80.0)
        faults.silent = ((start, start + dice.uniform(10.0, 200.0)),)
    return faults


def _console(dice: random.Random, world: World, name: str, seed: int) -> Campaign:
    rules: Rules = replace(rules_for(dice), lease=LeaseTerms(name, f"console-{name}", 60.0))
    start = dice.choice((0.0, 0.0, dice.uniform(0.0, 60.0)))
    nap = dice.uniform(1.0, 60.0)
    naps = ((nap, nap + dice.uniform(10.0, 400.0)),) if dice.random() < 0.5 else ()
    return Campaign(
        world,
        [opened_for(world, run=f"run-{name}")],
        rules,
        kills=sorted(dice.randint(1, 80) for _ in range(2)) if dice.random() < 0.3 else [],
        latency=seeded_latency(seed + len(name) + ord(name[0])),
        asleep=((0.0, start), *naps) if start else naps,
    )
