"""The carried measurements, brought into the form that a backtest reads."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from console.forecast.model import Precopy, StopRule
from console.forecast.watching import rest_of
from console.model.past import Pass

DATA = Path(__file__).parents[1] / "data"
PRECOPY = DATA / "qemu-precopy" / "backtest.csv"

_TEN_GBE = 1.25e9


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def osic_lines(path: Path = DATA / "osic" / "durations.csv") -> Iterator[str]:
    """The evacuations as a file of migrations: a run is one iteration of a setup with one flavor."""
    yield "run,vm,memory_bytes,link_bytes_per_s,transport,duration_s"
    for row in table(path):
        run = "/".join((row["setup"], row["flavor"], row["iteration"]))
        memory = int(row["memory_gb"]) * 2**30
        yield f"{run},{row['vm']},{memory},{_TEN_GBE:.0f},tcp,{row['duration_s']}"


@dataclass(frozen=True)
class Observed:
    """One PostgreSQL move: what its first two passes showed, and how it ended."""

    run: str
    passes: tuple[Pass, ...]
    at_s: float
    """When the last of them ended."""
    left_bytes: float
    rate_bytes_per_s: float
    stop_s: float
    total_s: float
    converges: bool
    """By itself: the writers' and readers' moves of sixteen were ended from outside."""

    def rest(self) -> Precopy:
        return rest_of(
            self.passes,
            self.left_bytes,
            self.rate_bytes_per_s,
            StopRule(self.rate_bytes_per_s * self.stop_s, None, None, no_progress_ratio=0.95),
        )


def postgres_moves(folder: Path = DATA / "qemu-postgres") -> list[Observed]:
    """Every run of the set, seen up to the end of its second pass (or its first, where that was the only one)."""
    samples: dict[str, list[dict[str, str]]] = {}
    for row in table(folder / "samples.csv"):
        samples.setdefault(row["run"], []).append(row)
    return [_observed(run, samples[run["run"]]) for run in table(folder / "runs.csv")]


def _observed(run: dict[str, str], samples: list[dict[str, str]]) -> Observed:
    """QEMU synchronises its bitmap when the pass has come near the stop size: that much of the old is still left.

    It looks every 100 ms, so the old rest is taken to be the stop size less half of what 100 ms send; the moment
    lies between two samples, where that rest is reached.
    """
    stop_s = int(run["downtime_limit_ms"]) / 1000
    passes: list[Pass] = []
    begun = left = rate = 0.0
    for before, after in itertools.pairwise(samples):
        if before["dirty_sync_count"] == after["dirty_sync_count"] or len(passes) == 2:
            continue
        rate = float(after["mbit_per_s"]) / 8 * 1e6
        old = rate * (stop_s - 0.05)
        since, until = float(before["t_s"]), float(after["t_s"])
        end = min(until, since + max(0.0, float(before["remaining_bytes"]) - old) / rate)
        is_over = after["status"] != "active"
        left = 0.0 if is_over else float(after["remaining_bytes"]) + (until - end) * rate
        passes.append(Pass(end - begun, max(0.0, left - old)))
        begun = end
        if is_over:
            break
    total_s = int(run["total_time_ms"]) / 1000
    converges = not run["run"].startswith("Precopy_Nonconvergent")
    return Observed(run["run"], tuple(passes), begun, left, rate, stop_s, total_s, converges)
