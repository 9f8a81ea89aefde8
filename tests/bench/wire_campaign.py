"""Drains over the real protocol while the wire fails: ``python -m tests.bench.wire_campaign [--drains N]``.

Each drain has a lab of its own that listens on loopback: sockets, TLS, sign-in, shells and CLIXML are the product's.
From a seed come one to three faults: at which host or at all, when, and for how long. The runner is the product's;
what became of the VMs is asked of the lab's world. ``--seed N`` runs one drain alone and tells its log.
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

from pydantic import SecretStr

from console.composition import LiveOperations
from console.drain.fold import fold
from console.drain.opening import consent_entries, open_event
from console.drain.state import MoveState, Outcome, Phase, RunState
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.endpoint.faults import Fault
from console.lab.serve import ServedLab, serve
from console.lab.world.faults import WorldFaults
from console.lab.world.service import ClusterRefusal
from console.lab.world.world import World
from console.model.identity import HostName, RunId
from console.planner.values import PlanOptions
from console.runner import process
from console.site import Site, find_site

SPEED = 20.0
NODE, RUN = HostName("HV01"), RunId("run-1")
SETTING = ("MaximumParallelMigrations", 3)
PATIENCE_S = 900.0
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
WORLD = ("moved by another", "move fails", "destination dies", "shared volume slow")


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


def blows_of(seed: int) -> list[Blow]:
    """Every kind of the wire comes round, each seed has one of them for certain."""
    dice = random.Random(seed)
    kinds = [list(WIRE)[seed % len(WIRE)], *dice.sample([*WIRE, *WORLD], dice.choice((0, 1, 2)))]
    hosts = ["", "HV01", "HV02", "HV03", "HV04"]
    return [Blow(kind, dice.randint(0, 8), dice.uniform(0.5, 6.0), dice.choice(hosts)) for kind in kinds]


async def throw(lab: ServedLab, blow: Blow, dice: random.Random) -> None:
    await lab.cluster.until(lambda: len(lab.cluster.world.moves) >= blow.after)
    await asyncio.sleep(dice.uniform(0.0, 0.5))
    if blow.kind in WIRE:
        fault = WIRE[blow.kind]
        lab.server.faults.throw(fault, blow.host, amount=2.0 if fault is Fault.SLOW_OPEN else None)
        await asyncio.sleep(blow.for_s)
        lab.server.faults.lift(fault, blow.host)
        return
    here = [vm for vm in lab.cluster.world.vms.values() if vm.host == NODE and vm.clustered]
    if not here:
        return
    vm = dice.choice(here).name
    wanted: dict[str, dict[str, object]] = {
        "moved by another": {"kind": "foreign-move", "vm": vm, "destination": "HV03"},
        "move fails": {"kind": "fail", "vm": vm, "percent": 40, "hresult": "0x80072746"},
        "destination dies": {"kind": "host-down", "host": "HV04"},
        "shared volume slow": {"kind": "csv-latency", "seconds": 0.2},
    }
    with suppress(ClusterRefusal):  # it moves already
        WorldFaults(lab.cluster).throw(wanted[blow.kind])
    if blow.kind == "destination dies":
        lab.server.faults.throw(Fault.REFUSE, "HV04")
    await asyncio.sleep(blow.for_s)
    if blow.kind == "shared volume slow":
        WorldFaults(lab.cluster).throw({"kind": "csv-latency", "seconds": 0.0008})


async def one(seed: int, folder: Path) -> Found:
    found = Found(seed, blows_of(seed))
    lab = await serve("quiet", speed=SPEED, directory=folder)
    began = time.monotonic()
    try:
        secret = SecretStr(lab.ready["password"])
        site = find_site(Path(lab.ready["config"]), None, lambda cluster, options: secret)
        before = {str(vm.id): (vm.name, vm.running) for vm in lab.cluster.world.vms.values()}
        settings = dict(lab.cluster.world.settings)
        with Journal.open(folder / "run.sqlite") as journal:
            await _open(site, journal)
            dice = random.Random(seed)
            thrown = [asyncio.create_task(throw(lab, blow, dice)) for blow in found.blows]
            try:
                await asyncio.wait_for(process._run(site, journal, RUN), PATIENCE_S)
            except TimeoutError:
                found.problems.append("not ended")
            for task in thrown:
                task.cancel()
            _judge(found, lab, journal, before, settings)
    finally:
        await lab.close()
    found.seconds = time.monotonic() - began
    return found


async def _open(site: Site, journal: Journal) -> None:
    operations = LiveOperations(site, read_only=True)
    cluster = await operations.read_cluster()
    plan = operations.plan(cluster, NODE, PlanOptions())
    await operations.close()
    at = site.clock().now()
    consents = consent_entries(interrupt=["all"], settings=[SETTING], by="bench", at=at)
    runs_of(journal).append(RUN, [open_event(plan, cluster, run=RUN, at=at, operator="bench", consents=consents)])


def _judge(
    found: Found, lab: ServedLab, journal: Journal, before: dict[str, tuple[str, bool]], settings: dict[str, int]
) -> None:
    """The invariants, by the journal and by the world."""
    lab.cluster.advance()
    world = lab.cluster.world
    state = fold(list(runs_of(journal).events(RUN)))
    found.outcome = "open" if state.outcome is None else state.outcome.value
    found.log = [f"{line.at:%H:%M:%S} {line.text}" for line in state.log]
    died = any(blow.kind == "destination dies" for blow in found.blows)
    found.problems += [*_of_world(world, before, died=died), *_of_run(state, world, died=died)]
    reported = {change.name for change in state.settings_changed if change.given_up}
    for name, value in settings.items():
        if world.settings[name] != value and name not in reported:
            found.problems.append(f"{name} was {value}, is {world.settings[name]}, and nobody says so")


def _of_world(world: World, before: dict[str, tuple[str, bool]], *, died: bool) -> list[str]:
    """Nobody is lost, switched off, or moved twice; no limit was broken."""
    said = [f"a limit was broken: {each}" for each in world.limits.violations]
    left = dict(before)
    for vm in world.vms.values():
        name, ran = left.pop(str(vm.id))
        if ran and not vm.running and not died:
            said.append(f"{name} does not run any more")
        times = sum(m.vm == vm.id and m.outcome == "completed" and m.source == NODE for m in world.moves)
        if times > 1:
            said.append(f"{name} was moved {times} times")
    return [*said, *(f"{name} is lost" for name, _ in left.values())]


def _of_run(state: RunState, world: World, *, died: bool) -> list[str]:
    """Every VM ended in one way, and it is where the run says."""
    said = [] if state.phase is Phase.ENDED else [f"the run is {state.phase.value}"]
    where = {str(vm.id).casefold(): vm.host for vm in world.vms.values()}
    for move in state.moves.values():
        if state.outcome is not None and not (move.state.terminal or move.state is MoveState.UNKNOWN):
            said.append(f"{move.vm.name} ended as {move.state.value}")
        host = where[move.vm.id.casefold()]
        if move.state is MoveState.DONE and host != move.destination and not died:
            said.append(f"{move.vm.name} is called done on {move.destination} and is on {host}")
    if state.outcome is Outcome.DRAINED and NODE in where.values():
        said.append("called drained, and a VM is still there")
    return said


async def many(seeds: list[int], at_once: int) -> list[Found]:
    gate = asyncio.Semaphore(at_once)

    async def gated(seed: int) -> Found:
        async with gate:
            with tempfile.TemporaryDirectory() as folder:
                found = await one(seed, Path(folder))
        print(f"seed {seed}: {found.outcome}, {found.seconds:.0f} s, {found.problems}", file=sys.stderr, flush=True)
        return found

    return list(await asyncio.gather(*(gated(seed) for seed in seeds)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drains", type=int, default=36)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--seed", type=int, help="this one alone, with its log")
    given = parser.parse_args()
    seeds = [given.seed] if given.seed is not None else list(range(given.first, given.first + given.drains))
    found = asyncio.run(many(seeds, given.at_once))
    if given.seed is not None:
        print("\n".join(found[0].log))
    kinds = Counter(blow.kind for each in found for blow in each.blows)
    outcomes = Counter(each.outcome for each in found)
    print(f"{len(found)} drains over the wire: " + ", ".join(f"{name} {count}" for name, count in outcomes.items()))
    for kind, count in kinds.most_common():
        print(f"  {kind:<28} {count:>4}")
    broken = [each for each in found if each.problems]
    print(f"violations {sum(len(each.problems) for each in broken)}")
    for each in broken:
        for problem in each.problems:
            print(f"FAILED {problem}\n    python -m tests.bench.wire_campaign --seed {each.seed}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
