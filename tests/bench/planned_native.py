"""Planned against native: ``python -m tests.bench.planned_native [SCENARIO …] [--seeds N] [--latency S] [--levers]``.

The same node of the same lab in manual time, once by ``Suspend-ClusterNode -Drain`` and once by the product's own
runner with the same settings. The lab's native drain goes by priority, sends each role where most memory is free,
and refills a slot in the instant in which it frees. Time runs from the first word of either until the last VM that
both moved has left: one that only one of them could move counts for neither. ``above`` is how long a line of the guard
was crossed, read from the world once a second. "native, by the console" is the console's own native engine, whose reads
take their time like those of a planned drain. ``--seeds N`` draws other VMs, and prints the means.

``--levers`` adds what consent buys: the levers one after the other, each on top of those before it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import geometric_mean
from uuid import UUID

from console.clock import sleep_for
from console.drain.opening import consent_entries, open_event
from console.drain.rules import Rules
from console.drain.settings import PARALLEL_MIGRATIONS, SMB_FACTOR
from console.guard import Lines
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import InProcessLab
from console.lab.world.moving import Move, Outcome
from console.lab.world.state import DrainStatus
from console.lab.world.telemetry import host_cpu_percent, missed_heartbeats, volume_latency_s
from console.model.cluster import Cluster, MigrationTransport
from console.model.identity import HostName, VmId
from console.planner.values import Engine, Plan, PlanOptions
from console.windows.commands import Answer, Call
from tests.labdoor import LabDoor, run_until_done
from tests.runner.drains import NODE, RULES, Drain

SCENARIOS = ("article", "hundred-gig", "storm")
SLOTS = (4, 6, 8, 12)
"""Values of MaximumParallelMigrations that are planned with; the one with the shortest plan is taken."""
CAPS = (5000, 7500, 9000)
"""Hundredths of a percent that SMB may have, tried in the same way."""


HEAD = " seconds ÷native    gain above s worst ms  live  dark stayed"


class SlowDoor(LabDoor):
    """Every call takes its time, as over a network."""

    def __init__(self, lab: InProcessLab, latency_s: float) -> None:
        super().__init__(lab)
        self._latency_s = latency_s

    async def _ask(self, host: HostName, call: Call) -> Answer:
        if self._latency_s:
            await sleep_for(self.lab.clock, self._latency_s)
        return await super()._ask(host, call)


@dataclass
class Meter:
    """How long a line of the guard is crossed, and how hot it gets."""

    lab: InProcessLab
    lines: Lines
    above_s: float = 0.0
    worst_latency_s: float = 0.0

    async def run(self) -> None:
        while True:
            await sleep_for(self.lab.clock, 1.0)
            self.above_s += self._crossed()

    def _crossed(self) -> bool:
        world = self.lab.cluster.world
        hosts = [*world.up_hosts(), world.hosts[NODE]]
        latency_s = max(volume_latency_s(world, volume, host) for volume in world.volumes.values() for host in hosts)
        self.worst_latency_s = max(self.worst_latency_s, latency_s)
        return bool(
            latency_s > (self.lines.csv_latency_s or float("inf"))
            or max(missed_heartbeats(world, host) for host in hosts) > (self.lines.missed_heartbeats or float("inf"))
            or max(host_cpu_percent(world, host) for host in hosts) / 100 > (self.lines.host_cpu_fraction or 2.0)
        )


@dataclass(frozen=True)
class Drained:
    """One way of emptying the node."""

    began_s: float
    above_s: float
    worst_latency_s: float
    moves: tuple[Move, ...]

    @property
    def arrived(self) -> dict[UUID | None, float]:
        """When each VM that left had left, by the world's clock."""
        over = (move for move in self.moves if move.outcome is Outcome.COMPLETED)
        return {move.vm: move.ended_s for move in over if move.ended_s is not None}

    def until(self, other: Drained) -> float:
        """Seconds until the last VM that both moved had left."""
        common = self.arrived.keys() & other.arrived.keys()
        return max((self.arrived[vm] for vm in common), default=self.began_s) - self.began_s

    @property
    def live(self) -> int:
        return sum(move.kind == "Live" and move.outcome is Outcome.COMPLETED for move in self.moves)

    @property
    def dark(self) -> int:
        """VMs that were saved and restored."""
        return sum(move.kind == "Quick" for move in self.moves)

    @property
    def stayed(self) -> int:
        done = {move.vm for move in self.moves if move.outcome is Outcome.COMPLETED}
        return len({move.vm for move in self.moves} - done - {None})


@contextmanager
def metered(lab: InProcessLab) -> Iterator[Meter]:
    meter = Meter(lab, Lines())
    task = asyncio.ensure_future(meter.run())
    try:
        yield meter
    finally:
        task.cancel()


def _drained(lab: InProcessLab, meter: Meter, began_s: float) -> Drained:
    moves = tuple(move for move in lab.cluster.world.moves if move.vm is not None and move.source == NODE)
    return Drained(began_s, meter.above_s, meter.worst_latency_s, moves)


async def native(scenario: str, seed: int = 1) -> Drained:
    """The cluster's own drain at the scenario's settings."""
    async with InProcessLab(scenario, seed=seed) as lab:
        world = lab.cluster.world
        with metered(lab) as meter:
            lab.cluster.service.suspend(NODE, drain=True)
            while world.hosts[NODE].drain_status is DrainStatus.IN_PROGRESS:
                waiting = [move for move in world.pending.values() if move.source == NODE]
                if waiting and all(move.stuck for move in waiting):
                    break
                await lab.advance(1.0)
        return _drained(lab, meter, 0.0)


@dataclass(frozen=True)
class Way:
    """How the console is let to go about it."""

    options: PlanOptions = field(default_factory=PlanOptions)
    settings: tuple[tuple[str, int], ...] = ()
    like: Drained | None = None
    """Keep the order of that drain."""
    guard: bool = False
    latency_s: float = 0.25

    def rules(self) -> Rules:
        """Nobody watches a stuck VM for half an hour here: what hangs is given up by the clock."""
        return replace(RULES, guard=Lines() if self.guard else None)


async def planned(scenario: str, way: Way, seed: int = 1) -> Drained:
    """The product's own plan and runner."""
    async with InProcessLab(scenario, seed=seed) as lab:
        with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal.sqlite") as journal:
            drain = Drain(lab, SlowDoor(lab, 0.0), journal, Path(folder), way.rules(), settings=way.settings)
            cluster = await drain.read()
            plan = _in_order(drain.plan(cluster, way.options), way.like)
            at = lab.clock.now()
            consents = consent_entries(interrupt=["all"], settings=way.settings, by="bench", at=at)
            runs_of(journal).append(drain.run, [open_event(plan, cluster, run=drain.run, at=at, consents=consents)])
            drain.door = SlowDoor(lab, way.latency_s)
            began_s = lab.clock.elapsed_s()
            with metered(lab) as meter:
                await run_until_done(lab, _until_only_stuck(lab, drain))
            return _drained(lab, meter, began_s)


async def _until_only_stuck(lab: InProcessLab, drain: Drain) -> None:
    """To the run's end, or until nothing but stuck moves is left."""
    task = asyncio.ensure_future(drain.runner().go())
    world = lab.cluster.world
    quiet_s = 0
    while not task.done() and quiet_s < 60:
        await sleep_for(lab.clock, 1.0)
        waiting = [move for move in world.pending.values() if move.source == NODE]
        quiet_s = quiet_s + 1 if waiting and all(move.stuck for move in waiting) else 0
    task.cancel()
    await asyncio.wait([task])


def _in_order(plan: Plan, like: Drained | None) -> Plan:
    if like is None:
        return plan
    order = {VmId(str(move.vm)): move.started_s or 0.0 for move in like.moves}
    return replace(plan, moves=tuple(sorted(plan.moves, key=lambda move: order.get(move.vm.id, 0.0))))


def placed_like(drain: Drained) -> dict[VmId, HostName]:
    return {VmId(str(move.vm)): HostName(move.destination or "") for move in drain.moves}


def line(name: str, drain: Drained, base: Drained) -> str:
    seconds, native_s = drain.until(base), base.until(drain)
    return (
        f"  {name:44} {seconds:8.0f} {seconds / native_s:7.3f} {native_s / seconds:6.2f}×"
        f" {drain.above_s:7.0f} {drain.worst_latency_s * 1000:8.1f} {drain.live:5} {drain.dark:5} {drain.stayed:6}"
    )


async def same_settings(scenario: str, latency_s: float, seeds: int) -> None:
    ratios: dict[str, list[float]] = {}
    for seed in range(1, seeds + 1):
        base = await native(scenario, seed)
        print(line(f"native, at its settings (seed {seed})", base, base), flush=True)
        for name, way in (
            ("native, by the console", Way(PlanOptions(engine=Engine.NATIVE), latency_s=latency_s)),
            ("planned", Way(latency_s=latency_s)),
            ("planned, no latency", Way(latency_s=0.0)),
            ("planned, guard on", Way(latency_s=latency_s, guard=True)),
        ):
            found = await planned(scenario, way, seed)
            ratios.setdefault(name, []).append(found.until(base) / base.until(found))
            print(line(name, found, base), flush=True)
    for name, each in ratios.items() if seeds > 1 else ():
        print(f"  {f'{name}: mean of {seeds}':44} {'':8} {geometric_mean(each):7.3f}", flush=True)


async def with_levers(scenario: str, latency_s: float) -> None:
    """What consent buys on top of the same settings: each line adds one lever to those above it."""
    base = await native(scenario)
    print(line("native, at its settings", base, base), flush=True)
    slots, cap = await _chosen(scenario)
    placed = PlanOptions(pinned=placed_like(base))
    faster = PlanOptions(slots=slots)
    ways = [
        ("planned: native's order and placement", Way(placed, like=base)),
        ("+ order", Way(placed)),
        ("+ placement", Way()),
        (f"+ slots: {PARALLEL_MIGRATIONS}={slots}", Way(faster, ((PARALLEL_MIGRATIONS, slots),))),
    ]
    if cap is not None:
        settings = ((PARALLEL_MIGRATIONS, slots), (SMB_FACTOR, cap))
        ways.append((f"+ cap: {SMB_FACTOR}={cap}", Way(_capped(faster, cap), settings)))
    for name, way in ways:
        print(line(name, await planned(scenario, replace(way, latency_s=latency_s)), base), flush=True)


def _capped(options: PlanOptions, cap: int) -> PlanOptions:
    return replace(options, smb_cap_fraction=cap / 10_000)


async def _chosen(scenario: str) -> tuple[int, int | None]:
    """The slots and the cap with the shortest plan: as an operator would pull the levers, before anything moves."""
    async with InProcessLab(scenario) as lab:
        with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal.sqlite") as journal:
            drain = Drain(lab, LabDoor(lab), journal, Path(folder))
            cluster = await drain.read()
            smb = cluster.host_by_name[NODE].migration_transport is MigrationTransport.SMB
            caps = CAPS if smb else (None,)
            tried = {(slots, cap): _makespan(drain, cluster, slots, cap) for slots in SLOTS for cap in caps}
            return min(tried, key=lambda levers: (round(tried[levers]), levers[0], levers[1] or 0))


def _makespan(drain: Drain, cluster: Cluster, slots: int, cap: int | None) -> float:
    options = PlanOptions(slots=slots)
    return drain.plan(cluster, options if cap is None else _capped(options, cap)).makespan_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--seeds", type=int, default=1, help="draw so many clusters of each scenario")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that every call of the console takes")
    parser.add_argument("--levers", action="store_true", help="the gain by lever instead of the same settings")
    given = parser.parse_args()
    for scenario in given.scenarios:
        print(f"{scenario}\n  {'':44} {HEAD}")
        levers = given.levers
        asyncio.run(
            with_levers(scenario, given.latency) if levers else same_settings(scenario, given.latency, given.seeds)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
