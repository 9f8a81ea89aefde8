"""Drains over the real protocol while the wire fails: ``python -m tests.bench.wire_campaign [--drains N]``.

Each drain has a lab of its own that listens on loopback: sockets, TLS, sign-in, shells and CLIXML are the product's,
and its runner is a process of its own. From a seed come one to three faults: at which host or at all, when, and for
how long. Besides what the wire does the runner may be killed and replaced, or stopped for longer than its lease lasts,
as a laptop that sleeps; clocks may be set by an hour. What became of the VMs is asked of the lab's world. ``--seed N``
runs one drain alone and tells its log.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from console.drain.fold import fold
from console.drain.state import MoveState, Phase, RunState
from console.lab.endpoint.faults import Fault
from console.lab.serve import ServedLab, serve
from console.lab.world.faults import WorldFaults
from console.lab.world.service import ClusterRefusal
from tests.bench.wire_judge import judge
from tests.bench.wire_sides import NODE, Side

SPEED = 20.0
PATIENCE_S = 600.0
LEASE_S = 12.0
"""Real seconds of a lease where one is slept through; else it is the product's."""
WIRE = {
    "WinRM dies and returns": Fault.REFUSE,
    "black hole": Fault.BLACK_HOLE,
    "connection cut": Fault.CUT_RECEIVE,
    "sign-in refused": Fault.SIGN_IN_REFUSED,
    "quota": Fault.QUOTA,
    "shell gone": Fault.SHELL_GONE,
    "slow open": Fault.SLOW_OPEN,
    "service unavailable": Fault.UNAVAILABLE,
    "broken XML": Fault.BROKEN_XML,
}
WORLD = ("moved by another", "move fails", "destination dies", "shared volume slow", "nodes' clock set")
KILLED, SLEEPS, TAKEN, SET = "runner killed", "sleeps past its lease", "another takes over meanwhile", "own clock set"
RUNNER = (KILLED, SLEEPS, TAKEN, SET)


@dataclass(frozen=True)
class Blow:
    """One fault: after how many moves have begun it strikes, and for how many real seconds it lasts."""

    kind: str
    after: int
    for_s: float
    host: str


@dataclass
class Found:
    seed: int
    blows: list[Blow]
    outcome: str = "open"
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """VMs that did not get away, and what the run says of them."""


def blows_of(seed: int) -> list[Blow]:
    """Every kind of the wire and of the runner comes round: each seed has one of them for certain."""
    dice = random.Random(seed)
    first = [*WIRE, *RUNNER][seed % (len(WIRE) + len(RUNNER))]
    kinds = [first, *dice.sample([*WIRE, *WORLD], dice.choice((0, 1, 2)))]
    hosts = ["", "HV01", "HV02", "HV03", "HV04"]
    return [Blow(kind, dice.randint(0, 8), dice.uniform(0.5, 6.0), dice.choice(hosts)) for kind in kinds]


class Night:
    """One drain with its faults, and whoever works at it."""

    def __init__(self, found: Found, lab: ServedLab, folder: Path) -> None:
        self.found, self.lab = found, lab
        self.dice = random.Random(found.seed)
        self.kinds = {blow.kind for blow in found.blows}
        lease_s = LEASE_S if self.kinds & {SLEEPS, TAKEN} else None
        self.first = Side(lab, folder / "first", "run-1", lease_s)
        self.second = Side(lab, folder / "second", "run-2", lease_s)

    async def go(self) -> list[RunState]:
        """The runs, as their journals tell them when everybody is done."""
        await self.first.open()
        jump = (self.dice.uniform(1.0, 4.0), self.dice.choice((3600.0, -3600.0))) if SET in self.kinds else None
        await self.first.start(jump)
        thrown = [asyncio.create_task(self.throw(blow)) for blow in self.found.blows]
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.first.end()
                if TAKEN in self.kinds:
                    await asyncio.gather(*thrown)
                    await self.second.end()
        except TimeoutError:
            self.found.problems.append("not ended")
        for task in thrown:
            task.cancel()
        for outcome in await asyncio.gather(*thrown, return_exceptions=True):
            if isinstance(outcome, Exception):
                self.found.problems.append(f"a fault could not be thrown: {outcome!r}")
        for side in (self.first, self.second):
            await side.kill()
        self.found.problems += [*self.first.problems, *self.second.problems]
        return [fold(events) for side in (self.first, self.second) if (events := side.events())]

    async def throw(self, blow: Blow) -> None:
        cluster = self.lab.cluster
        await cluster.until(lambda: len(cluster.world.moves) >= blow.after)
        await asyncio.sleep(self.dice.uniform(0.0, 0.5))
        if blow.kind in WIRE:
            fault, board = WIRE[blow.kind], self.lab.server.faults
            board.throw(fault, blow.host, amount=2.0 if fault is Fault.SLOW_OPEN else None)
            await asyncio.sleep(blow.for_s)
            board.lift(fault, blow.host)
        elif blow.kind == KILLED:
            self.first.strike()
        elif blow.kind in (SLEEPS, TAKEN):
            await self._sleep(blow)
        elif blow.kind != SET:
            await self._of_the_world(blow)

    async def _sleep(self, blow: Blow) -> None:
        """The machine of the first console is suspended; meanwhile its lease runs out."""
        self.first.suspend()
        try:
            await asyncio.sleep(LEASE_S + 1.0)
            if blow.kind == TAKEN:
                await self.second.open()
                await self.second.start()
            await asyncio.sleep(blow.for_s)
        finally:
            self.first.wake()

    async def _of_the_world(self, blow: Blow) -> None:
        here = [vm for vm in self.lab.cluster.world.vms.values() if vm.host == NODE and vm.clustered]
        if not here:
            return
        vm = self.dice.choice(here).name
        wanted: dict[str, dict[str, object]] = {
            "moved by another": {"kind": "foreign-move", "vm": vm, "destination": "HV03"},
            "move fails": {"kind": "fail", "vm": vm, "percent": 40, "hresult": "0x80072746"},
            "destination dies": {"kind": "host-down", "host": "HV04"},
            "shared volume slow": {"kind": "csv-latency", "seconds": 0.2},
            "nodes' clock set": {"kind": "clock-jump", "seconds": self.dice.choice((3600, -3600))},
        }
        faults = WorldFaults(self.lab.cluster)
        with suppress(ClusterRefusal):  # it moves already
            faults.throw(wanted[blow.kind])
        if blow.kind == "destination dies":
            self.lab.server.faults.throw(Fault.REFUSE, "HV04")
        await asyncio.sleep(blow.for_s)
        if blow.kind == "shared volume slow":
            faults.throw({"kind": "csv-latency", "seconds": 0.0008})


async def one(seed: int, folder: Path) -> Found:
    found = Found(seed, blows_of(seed))
    began = time.monotonic()
    lab = await serve("quiet", speed=SPEED, directory=folder)
    try:
        before = {str(vm.id): (vm.name, vm.running) for vm in lab.cluster.world.vms.values()}
        settings = dict(lab.cluster.world.settings)
        states = await Night(found, lab, folder).go()
        lab.cluster.advance()
        died = any(blow.kind == "destination dies" for blow in found.blows)
        found.problems += judge(lab.cluster.world, states, before, settings, died=died)
    finally:
        await lab.close()
    found.outcome = " / ".join("open" if state.outcome is None else state.outcome.value for state in states)
    for state in states:
        found.log += [f"--- {state.run}", *(f"{line.at:%H:%M:%S} {line.text}" for line in state.log)]
        ends = [(move.vm.name, move.state, move.reason) for move in state.moves.values()]
        found.left += [f"{name} {end.value}: {reason}" for name, end, reason in ends if end is not MoveState.DONE]
        if state.phase is not Phase.ENDED:
            found.problems.append(f"{state.run} is {state.phase.value}")
    found.seconds = time.monotonic() - began
    return found


async def many(seeds: list[int], at_once: int) -> list[Found]:
    gate = asyncio.Semaphore(at_once)

    async def gated(seed: int) -> Found:
        async with gate:
            with tempfile.TemporaryDirectory() as folder:
                found = await one(seed, Path(folder))
        told = f"seed {seed}: {found.outcome}, {found.seconds:.0f} s, {found.problems}"
        print("\n    ".join([told, *found.left[:3]]), file=sys.stderr, flush=True)
        return found

    return list(await asyncio.gather(*(gated(seed) for seed in seeds)))


def report(found: list[Found], seconds: float) -> int:
    """What was thrown, what came of it; the exit code."""
    outcomes = Counter(each.outcome for each in found)
    told = ", ".join(f"{name} {count}" for name, count in outcomes.most_common())
    print(f"{len(found)} drains over the wire in {seconds:.0f} s: {told}")
    for kind, count in Counter(blow.kind for each in found for blow in each.blows).most_common():
        print(f"  {kind:<30} {count:>4}")
    broken = [each for each in found if each.problems]
    print(f"violations {sum(len(each.problems) for each in broken)}")
    for each in broken:
        for problem in each.problems:
            print(f"FAILED {problem}\n    python -m tests.bench.wire_campaign --seed {each.seed}")
    return 1 if broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drains", type=int, default=39)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--seed", type=int, help="this one alone, with its log")
    given = parser.parse_args()
    seeds = [given.seed] if given.seed is not None else list(range(given.first, given.first + given.drains))
    began = time.monotonic()
    found = asyncio.run(many(seeds, given.at_once))
    if given.seed is not None:
        print("\n".join(map(str, found[0].blows)))
        print("\n".join(found[0].log))
    return report(found, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
