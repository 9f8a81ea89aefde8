"""The forecast on three sets of measured migrations, beside its targets and beside simpler ways, in one table.

    python -m tests.bench.backtest_sets

Our figures are those of ``drainboard backtest``: out of fold for the QEMU moves, in time order for the evacuations.
The others need no fitting; medians look at earlier moves alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from console.forecast.backtest import WAYS, Backtest, backtest
from console.forecast.facts import MoveFacts
from console.forecast.migration_rows import Row, read_rows
from console.forecast.model import Ending, SaturatingSet, StopRule, precopy
from console.forecast.priors import Priors
from console.forecast.scoring import errors_of
from tests.bench.backtest_data import PRECOPY, Observed, osic_lines, postgres_moves

CROSS, ONLINE = WAYS.index("cross_validated"), WAYS.index("online")


@dataclass(frozen=True)
class Line:
    what: str
    figure: str
    target: str = ""
    met: bool | None = None


def precopy_score() -> Backtest:
    lines = PRECOPY.read_text().splitlines()
    return backtest(lambda: read_rows(lines, Priors()))


def osic_score() -> Backtest:
    lines = list(osic_lines())
    return backtest(lambda: read_rows(lines, Priors()))


def drains_error(found: Backtest) -> float:
    """Mean error of the makespans of the twelve drains, out of fold."""
    drains = [run for run in found.runs if run.run.startswith("d")]
    return sum(abs(run.forecast_s[CROSS] / run.measured_s - 1) for run in drains) / len(drains)


def postgres_score(moves: Sequence[Observed]) -> tuple[int, float]:
    """Convergence told right, and the largest error of the total time of moves that converge."""
    rests = [move.rest() for move in moves]
    right = sum(rest.converged == move.converges for move, rest in zip(moves, rests, strict=True))
    errors = [
        abs((move.at_s + rest.duration_s) / move.total_s - 1)
        for move, rest in zip(moves, rests, strict=True)
        if move.converges
    ]
    return right, max(errors)


def ours() -> list[Line]:
    found, evacuations = precopy_score(), osic_score()
    cross, online = found.scores["cross_validated"], evacuations.scores["online"]
    assert cross is not None
    assert online is not None
    duration = cross.duration
    right, worst = postgres_score(postgres_moves())
    return [
        _at_most("QEMU moves, out of fold: MAPE", duration.mean, 0.12),
        _at_most("  median", duration.median, 0.05),
        _at_most("  p90", duration.p90, 0.25),
        _at_most("  blackout p90", cross.blackout.p90, 0.45, lambda value: f"{value * 1000:.0f} ms"),
        _between("  converges or not, right", cross.convergence.right_fraction, 0.97, 1.0),
        _between("  ended inside the p90", cross.duration_coverage, 0.86, 0.94),
        _at_most("  makespan of the 12 drains, mean", drains_error(found), 0.10),
        _at_most("evacuations, in time order: MAPE", online.duration.mean, 0.039),
        _between("  ended inside the p90", online.duration_coverage, 0.86, 0.94),
        _between("PostgreSQL, first two passes: converges or not, right", right / 20, 1.0, 1.0),
        _at_most("  total time, largest error", worst, 0.05),
    ]


def rivals() -> list[Line]:
    rows = list(read_rows(PRECOPY.read_text().splitlines(), Priors()))
    lines = []
    for name, rival in RIVALS.items():
        pairs = [(rival(row.facts), row) for row in rows]
        errors = errors_of(
            [abs(said[0] / row.finished.duration_s - 1) for said, row in pairs if row.finished.duration_s]
        )
        right = sum(said[1] == row.finished.converged for said, row in pairs) / len(pairs)
        assert errors.mean is not None
        figures = (
            f"MAPE {errors.mean:.1%}, median {errors.median:.1%}, p90 {errors.p90:.1%}, converges right {right:.1%}"
        )
        lines.append(Line(f"QEMU moves, {name}", figures))
    evacuations = list(read_rows(osic_lines(), Priors()))
    for name, key, most in (
        ("median of the first three of the evacuation", _run, 3),
        ("median of all earlier ones of the kind", _kind, 10**9),
    ):
        lines.append(Line(f"evacuations, {name}", f"MAPE {_median_error(evacuations, key, most):.1%}"))
    return lines


def _content_bytes(facts: MoveFacts) -> float:
    """What a guest of this set holds beside what it was told to fill: its kernel, given to every rival."""
    return (facts.filled_bytes or 0.0) + 56e6 + facts.memory_bytes / 64


def _memory_over_rate(facts: MoveFacts) -> tuple[float, bool]:
    return _content_bytes(facts) * facts.streams / facts.link_bytes_per_s, True


def _constant_rate(facts: MoveFacts) -> tuple[float, bool]:
    return _passes(facts, SaturatingSet(0.0, 0.0, facts.dirty_bytes_per_s or 0.0))


def _saturating(facts: MoveFacts) -> tuple[float, bool]:
    return _passes(
        facts, SaturatingSet.from_distinct_rate(facts.working_set_bytes or 0.0, facts.dirty_bytes_per_s or 0.0)
    )


def _passes(facts: MoveFacts, dirtying: SaturatingSet) -> tuple[float, bool]:
    rate = facts.link_bytes_per_s / facts.streams
    stop = StopRule(rate * (facts.stop_seconds or 0.0), facts.pass_cap, facts.give_up_s)
    found = precopy(_content_bytes(facts), rate, dirtying, stop)
    return found.duration_s, found.ending in (Ending.SMALL_ENOUGH, Ending.PASS_CAP)


RIVALS: dict[str, Callable[[MoveFacts], tuple[float, bool]]] = {
    "memory ÷ rate": _memory_over_rate,
    "constant dirty rate": _constant_rate,
    "saturating working set, unfitted": _saturating,
}


def _run(row: Row) -> str:
    return row.facts.run


def _kind(row: Row) -> str:
    return row.facts.run.rpartition("/")[0]


def _median_error(rows: Sequence[Row], key: Callable[[Row], str], most: int) -> float:
    """Of each row whose group has three earlier ones, against the median of the group's first ``most``."""
    earlier: dict[str, list[float]] = {}
    errors = []
    for row in rows:
        seen, seconds = earlier.setdefault(key(row), []), row.finished.duration_s or math.inf
        if len(seen) >= 3:
            errors.append(abs(median(seen[:most]) / seconds - 1))
        seen.append(seconds)
    return sum(errors) / len(errors)


def _share(value: float) -> str:
    return f"{value:.1%}"


def _at_most(what: str, value: float | None, limit: float, show: Callable[[float], str] = _share) -> Line:
    assert value is not None
    return Line(what, show(value), f"≤ {show(limit)}", value <= limit)


def _between(what: str, value: float | None, low: float, high: float) -> Line:
    assert value is not None
    return Line(what, _share(value), f"{low:.0%}–{high:.0%}", low <= value <= high)


def main() -> None:
    for line in [*ours(), *rivals()]:
        met = "" if line.met is None else "met" if line.met else "MISSED"
        print(f"{line.what:58} {line.figure:>10} {line.target:>12} {met}")


if __name__ == "__main__":
    main()
