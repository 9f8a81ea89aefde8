"""Sizes of VMs, drawn from what a large cloud really runs, and how their guests behave."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random

from console.lab.world.law import DirtyLaw, HotSet, PowerLaw
from console.model.units import GIB, MIB


@dataclass(frozen=True, slots=True)
class Size:
    processors: int
    memory_bytes: int


@cache
def _distribution() -> tuple[tuple[Size, ...], tuple[int, ...]]:
    text = resources.files("console.lab").joinpath("data", "vm-sizes.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    sizes = tuple(Size(int(row["vcpus"]), int(float(row["memory_gb"]) * GIB)) for row in rows)
    return sizes, tuple(itertools.accumulate(int(row["count"]) for row in rows))


def draw_size(random: Random, scale: float) -> Size:
    """One size; ``scale`` multiplies the memory, rounded to whole 2 MiB pages."""
    sizes, cumulative = _distribution()
    size = random.choices(sizes, cum_weights=cumulative)[0]
    return Size(size.processors, max(int(size.memory_bytes * scale) // (2 * MIB), 128) * 2 * MIB)


@dataclass(frozen=True, slots=True)
class Behaviour:
    workload: str
    law: DirtyLaw
    compression_ratio: float
    cpu_percent: int


def draw_workload(random: Random) -> str:
    return random.choices(("idle", "web", "file", "database"), (35, 35, 18, 12))[0]


def behaviour(workload: str, memory_bytes: int, random: Random) -> Behaviour:
    """How a guest of this kind dirties and compresses."""
    if workload == "database":
        law: DirtyLaw = PowerLaw(min(random.uniform(60, 260) * MIB, memory_bytes / 6), random.uniform(0.45, 0.7))
        return Behaviour(workload, law, random.uniform(1.5, 1.9), random.randint(15, 55))
    if workload == "web":
        law = PowerLaw(random.uniform(10, 60) * MIB, random.uniform(0.2, 0.5))
        return Behaviour(workload, law, random.uniform(1.7, 2.3), random.randint(4, 25))
    if workload == "file":
        hot = memory_bytes * random.uniform(0.02, 0.08)
        law = HotSet(hot, random.uniform(5, 20), random.uniform(1, 6) * MIB)
        return Behaviour(workload, law, random.uniform(1.6, 2.2), random.randint(2, 12))
    hot = memory_bytes * random.uniform(0.005, 0.02)
    law = HotSet(hot, random.uniform(10, 30), random.uniform(0.1, 0.8) * MIB)
    return Behaviour("idle", law, random.uniform(3.0, 4.5), random.randint(0, 3))
