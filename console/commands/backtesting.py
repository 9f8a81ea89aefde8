"""A file of migrations through the forecast, and what is said of the result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.exits import UsageProblem
from console.forecast.backtest import WAYS, Backtest, backtest
from console.forecast.migration_rows import BadRow, Row, read_rows
from console.forecast.priors import Priors
from console.forecast.scoring import Errors, Score
from console.formatting import plain

from .output import print_table, print_text

_TOLD_EVERY = 2000


def run_backtest(file: Path) -> Backtest:
    """Score the file; on a terminal, stderr shows how far it has come.

    Raises:
        UsageProblem: the file can not be read, a line can not be used, or there are fewer than two rows.
    """
    priors = Priors()

    def rows() -> Iterator[Row]:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            yield from read_rows(lines, priors)

    try:
        with _progress(file) as progress:
            found = backtest(rows, priors, progress)
    except BadRow as problem:
        raise UsageProblem(f"{plain(str(file))}, {plain(str(problem))}") from None
    except UnicodeDecodeError:
        raise UsageProblem(f"{plain(str(file))} is no text in UTF-8.") from None
    except OSError as error:
        raise UsageProblem(f"{plain(str(file))} can not be read: {error.strerror or error}.") from None
    if found.rows < 2:
        has = "one row" if found.rows else "no rows"
        raise UsageProblem(
            f"{plain(str(file))} has {has} after its header; a backtest needs at least two finished moves."
        )
    return found


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar on stderr where that is a terminal; rows pass by twice."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.completed:,.0f} rows"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=2 * _lines_of(file))
        yield lambda rows: bar.update(task, completed=rows) if rows % _TOLD_EVERY == 0 else None


def _lines_of(file: Path) -> int:
    with file.open("rb") as content:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: content.read(1 << 20), b""))


def backtest_document(found: Backtest) -> dict[str, Any]:
    """The document of ``backtest --json``; percentages of the measured value, blackouts in milliseconds."""
    runs = [
        {
            "run": span.run,
            "moves": span.moves,
            "measured_s": span.measured_s,
            **{f"{way}_s": seconds for way, seconds in zip(WAYS, span.forecast_s, strict=True)},
        }
        for span in found.runs
    ]
    scores = {way: _score(score) for way, score in found.scores.items()}
    spans = {way: {"runs": errors.count, **_percent(errors)} for way, errors in found.makespans.items()}
    return {"schema": 1, "rows": found.rows, **scores, "makespan": {**spans, "runs": runs}}


def _score(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    right = score.convergence.right_fraction
    return {
        "duration": {"rows": score.duration.count, **_percent(score.duration)},
        "blackout": {"rows": score.blackout.count, **_milliseconds(score.blackout)},
        "p90_coverage_percent": _times(score.duration_coverage, 100),
        "blackout_p90_coverage_percent": _times(score.blackout_coverage, 100),
        "convergence": {**asdict(score.convergence), "right_percent": _times(right, 100)},
    }


def _percent(errors: Errors) -> dict[str, float | None]:
    return {
        "mape_percent": _times(errors.mean, 100),
        "median_percent": _times(errors.median, 100),
        "p90_percent": _times(errors.p90, 100),
        "p99_percent": _times(errors.p99, 100),
    }


def _milliseconds(errors: Errors) -> dict[str, float | None]:
    return {
        "mean_ms": _times(errors.mean, 1000),
        "median_ms": _times(errors.median, 1000),
        "p90_ms": _times(errors.p90, 1000),
        "p99_ms": _times(errors.p99, 1000),
    }


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, 3)


def report_backtest(found: Backtest) -> None:
    """The same as a table for people."""
    headings = (
        "",
        ">duration MAPE",
        ">median",
        ">p90",
        ">inside p90",
        ">blackout p90",
        ">converges right",
        ">makespan",
    )
    rows = []
    for way, score in found.scores.items():
        name = way.replace("_", " ")
        if score is None:
            rows.append((name, *(["–"] * (len(headings) - 1))))
            continue
        duration, inside, right = score.duration, score.duration_coverage, score.convergence.right_fraction
        rows.append(
            (name, _shown(duration.mean), _shown(duration.median), _shown(duration.p90), _shown(inside),
             "–" if score.blackout.p90 is None else f"{score.blackout.p90 * 1000:.0f} ms", _shown(right),
             _shown(found.makespans[way].mean))
        )  # fmt: skip
    print_text(f"{found.rows:,} finished migrations")
    print_table(headings, rows)


def _shown(fraction: float | None) -> str:
    return "–" if fraction is None else f"{fraction * 100:.1f} %"
