"""How far plans are from the lower bound, beside simpler ways to schedule the same drains.

    python -m tests.bench.plan_ratio [--moves 10 96 960] [--variant N …] [--cpsat SECONDS] [--cpsat-seeds N]

With --cpsat the best lower bound that OR-Tools' CP-SAT proves within that many seconds stands beside ours (one worker;
`pip install ortools` in a virtual environment of its own: the product does not use it). Where moves share links its
model lets a move last longer than alone and keeps slots and the bytes of each port, so that its bound is valid too.

The generator: 4–12 hosts, every link 1.25e9 bytes per second each way, two slots a node as source and destination,
sizes drawn from tests/data/vm-sizes, sources and destinations fixed at random. Variants: slots that count moves out
and in together or apart; links that moves share, or streams that no link holds back; all sources, or one node.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.model.identity import HostName
from console.planner.bounds import lower_bound_s
from console.planner.improve import best_schedule
from console.planner.schedule import Job, Limits, list_schedule, pools_of

LINK = 1.25e9
FLAVORS = Path(__file__).parents[1] / "data" / "vm-sizes" / "flavors.csv"


@dataclass(frozen=True)
class Variant:
    name: str
    one_source: bool = False
    separate_directions: bool = False
    shared_link: bool = True
    fixed_s: float = 0.0
    stream: float = LINK


VARIANTS = (
    Variant("any to any, slots out + in"),
    Variant("any to any, slots out, in apart", separate_directions=True),
    Variant("any to any, no shared link", shared_link=False),
    Variant("one node drained", one_source=True),
    Variant("one node, no shared link", one_source=True, shared_link=False),
    Variant("any to any, 5.8 s a move, 0.85 GB/s a stream", fixed_s=5.8, stream=0.85e9),
    Variant("one node, 5.8 s a move, 0.85 GB/s a stream", one_source=True, fixed_s=5.8, stream=0.85e9),
)
SIZES = ((10, range(1, 101)), (96, range(1, 101)), (960, range(1, 6)))


def sizes_gb() -> tuple[list[float], list[int]]:
    """Memory in GB of the real VMs and how many had it."""
    with FLAVORS.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [float(row["memory_gb"]) for row in rows], [int(row["count"]) for row in rows]


def instance(moves: int, seed: int, variant: Variant) -> tuple[list[Job], Limits]:
    """One random drain."""
    chance = random.Random(seed)
    hosts = [HostName(f"h{number}") for number in range(chance.randint(4, 12))]
    values, weights = sizes_gb()
    jobs: list[Job] = []
    for size in chance.choices(values, weights, k=moves):
        source, destination = (hosts[0], chance.choice(hosts[1:])) if variant.one_source else chance.sample(hosts, 2)
        jobs.append(Job(source, destination, variant.fixed_s, size * 1e9, variant.stream))
    ports = dict.fromkeys(hosts, LINK) if variant.shared_link else {}
    return jobs, Limits(dict.fromkeys(hosts, 2), ports, ports, separate_directions=variant.separate_directions)


def longest_first(jobs: Sequence[Job], limits: Limits) -> float:
    return max(slot.end_s for slot in list_schedule(sorted(jobs, key=lambda job: -job.solo_s), limits))


def in_given_order(jobs: Sequence[Job], limits: Limits) -> float:
    """The cluster's own drain: roles in the order it holds them."""
    return max(slot.end_s for slot in list_schedule(jobs, limits))


def batches(jobs: Sequence[Job], limits: Limits) -> float:
    """Batches of two a host: the next batch starts when the last move of the one before is over."""
    size = 2 * len(limits.slots)
    return sum(longest_first(jobs[first : first + size], limits) for first in range(0, len(jobs), size))


def memory_over_line_rate(jobs: Sequence[Job], limits: Limits) -> float:
    """What a division by the line rate promises: the busiest port's bytes over its speed, no schedule at all."""
    load: dict[HostName, float] = {}
    for job in jobs:
        load[job.source] = load.get(job.source, 0.0) + job.transfer_bytes / LINK
    return max(load.values())


def ours(jobs: Sequence[Job], limits: Limits) -> float:
    return best_schedule(jobs, limits).makespan_s


METHODS: dict[str, Callable[[Sequence[Job], Limits], float]] = {
    "ours": ours,
    "longest first": longest_first,
    "given order": in_given_order,
    "batches": batches,
    "memory/line": memory_over_line_rate,
}


def cpsat_bound_s(jobs: Sequence[Job], limits: Limits, seconds: float) -> tuple[float, bool]:
    """The best lower bound that CP-SAT proves, and whether it proved the optimum of its model."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    solo = [math.floor(job.solo_s * STEPS_PER_S) for job in jobs]
    horizon = math.ceil(longest_first(jobs, limits) * STEPS_PER_S) + 1
    makespan = model.new_int_var(max(solo), horizon, "makespan")
    intervals = []
    for number, shortest in enumerate(solo):
        start = model.new_int_var(0, horizon, f"start{number}")
        size = model.new_int_var(shortest, horizon if limits.out_bytes_per_s else shortest, f"size{number}")
        end = model.new_int_var(0, horizon, f"end{number}")
        intervals.append(model.new_interval_var(start, size, end, f"move{number}"))
        model.add(end <= makespan)
    pools: dict[tuple[str, ...], tuple[list[int], int]] = {}
    for number, job in enumerate(jobs):
        for key, slots in pools_of(job, limits):
            pools.setdefault(key, ([], slots))[0].append(number)
    for users, slots in pools.values():
        model.add_cumulative([intervals[number] for number in users], [1] * len(users), slots)
        model.add(slots * makespan >= sum(solo[number] for number in users))
    for capacities, of_source in ((limits.out_bytes_per_s, True), (limits.in_bytes_per_s, False)):
        for host, capacity in capacities.items():
            through = [job for job in jobs if (job.source if of_source else job.destination) == host]
            model.add(makespan >= math.floor(sum(job.transfer_bytes for job in through) / capacity * STEPS_PER_S))
    model.minimize(makespan)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    return solver.best_objective_bound / STEPS_PER_S, status == cp_model.OPTIMAL


STEPS_PER_S = 100
"""CP-SAT counts in whole steps; durations are rounded down, which keeps its bound valid."""


def compare_with_cpsat(moves: int, seeds: Sequence[int], variant: Variant, seconds: float) -> None:
    gaps, bounds, proven, nothing = [], [], 0, 0
    for seed in seeds:
        jobs, limits = instance(moves, seed, variant)
        found = best_schedule(jobs, limits)
        bound, optimal = cpsat_bound_s(jobs, limits, seconds)
        if bound <= 0:
            nothing += 1  # not even a first bound within the time
            continue
        proven += optimal
        gaps.append(found.makespan_s / bound)
        bounds.append(found.lower_bound_s / bound)
    if not gaps:
        print(f"     CP-SAT proved no bound within {seconds:.0f} s ({nothing} seeds)", flush=True)
        return
    print(
        f"     makespan / CP-SAT's bound ({len(seeds)} seeds, {seconds:.0f} s each): mean {statistics.mean(gaps):.4f}, "
        f"worst {max(gaps):.4f}; our bound / CP-SAT's: mean {statistics.mean(bounds):.4f}; optimum proven {proven}, "
        f"no bound at all {nothing}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Makespan over lower bound on random drains.")
    parser.add_argument("--moves", type=int, nargs="*", choices=[moves for moves, _ in SIZES])
    parser.add_argument("--variant", type=int, nargs="*", choices=range(len(VARIANTS)))
    parser.add_argument("--cpsat", type=float, metavar="SECONDS")
    parser.add_argument("--cpsat-seeds", type=int, default=100, metavar="N")
    asked = parser.parse_args()
    print(f"{'makespan / lower bound, mean (worst)':48}", *(f"{name:>16}" for name in METHODS), "   ours, s each")
    for number, variant in enumerate(VARIANTS):
        for moves, seeds in SIZES:
            if number in (asked.variant or range(len(VARIANTS))) and moves in (asked.moves or (moves,)):
                report(moves, seeds, variant)
                if asked.cpsat:
                    compare_with_cpsat(moves, list(seeds)[: asked.cpsat_seeds], variant, asked.cpsat)


def report(moves: int, seeds: Sequence[int], variant: Variant) -> None:
    ratios: dict[str, list[float]] = {name: [] for name in METHODS}
    spent = 0.0
    for seed in seeds:
        jobs, limits = instance(moves, seed, variant)
        bound = lower_bound_s(jobs, limits)
        for name, method in METHODS.items():
            began = time.perf_counter()
            ratios[name].append(method(jobs, limits) / bound)
            spent += time.perf_counter() - began if name == "ours" else 0.0
    cells = (f"{statistics.mean(each):8.4f} ({max(each):5.2f})" for each in ratios.values())
    print(
        f"{moves:4} {variant.name:43}",
        *(f"{cell:>16}" for cell in cells),
        f"{spent / len(seeds):8.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
