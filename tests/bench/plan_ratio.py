"""How far plans are from the lower bound, beside simpler ways to schedule the same drains.

    python -m tests.bench.plan_ratio

The generator: 4–12 hosts, every link 1.25e9 bytes per second each way, two slots a node as source and destination,
sizes drawn from tests/data/vm-sizes, sources and destinations fixed at random. Variants: slots that count moves out
and in together or apart; links that moves share, or streams that no link holds back; all sources, or one node.
"""

from __future__ import annotations

import csv
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.model.identity import HostName
from console.planner.bounds import lower_bound_s
from console.planner.improve import best_schedule
from console.planner.schedule import Job, Limits, list_schedule

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


def main() -> None:
    print(f"{'makespan / lower bound, mean (worst)':48}", *(f"{name:>16}" for name in METHODS), "   ours, s each")
    for variant in VARIANTS:
        for moves, seeds in SIZES:
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
