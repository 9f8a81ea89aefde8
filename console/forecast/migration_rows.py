"""Files of finished migrations, a row each, in the order in which they started: the input of a backtest.

Required: run, memory_bytes, link_bytes_per_s, duration_s (empty only where the outcome is not_converged). Every
other column may be absent, every other cell empty: unknown.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .facts import Finished, MoveFacts
from .priors import Priors
from .windows import Kinds

REQUIRED = ("run", "memory_bytes", "link_bytes_per_s", "duration_s")
NUMBERS = (
    "started_s", "memory_bytes", "filled_bytes", "link_bytes_per_s", "streams", "dirty_bytes_per_s",
    "working_set_bytes", "stop_seconds", "pass_cap", "give_up_s", "duration_s", "blackout_s",
)  # fmt: skip
TEXTS = ("run", "vm", "source", "destination", "transport", "outcome")
OUTCOMES = ("completed", "not_converged")
_ABOVE_ZERO = frozenset({"memory_bytes", "link_bytes_per_s", "duration_s", "give_up_s"})
_COUNTS = frozenset({"streams", "pass_cap"})
_MOST = 1e18
_MOST_STREAMS = 10_000


class BadRow(Exception):
    """A line can not be used; the text is one sentence that names line and field."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line = line


class Row(NamedTuple):
    facts: MoveFacts
    finished: Finished


def read_rows(lines: Iterable[str], priors: Priors) -> Iterator[Row]:
    """Read a file row by row, in memory that does not grow with it.

    Raises:
        BadRow: a column is missing, a cell is no number or out of range, or time runs backwards within a run.
    """
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        table = _Table(header, priors)
        for cells in reader:
            if cells:
                yield table.row(reader.line_num, cells)
    except csv.Error as error:
        raise BadRow(reader.line_num, f"this is no comma-separated text ({error}).") from None


class _Table:
    """The columns of one file, and where each run's clock stands."""

    def __init__(self, header: Sequence[str], priors: Priors) -> None:
        missing = [name for name in REQUIRED if name not in header]
        if missing:
            raise BadRow(1, f"the column{'s' * (len(missing) > 1)} {', '.join(missing)} "
                            f"{'are' if len(missing) > 1 else 'is'} missing.")  # fmt: skip
        known = set(NUMBERS) | set(TEXTS)
        twice = sorted({name for name in header if name in known and header.count(name) > 1})
        if twice:
            raise BadRow(1, f"the column {twice[0]} is there twice.")
        self._width = len(header)
        self._texts = [(name, place) for place, name in enumerate(header) if name in TEXTS]
        self._numbers = [(name, header.index(name)) for name in NUMBERS if name in header]
        self._cap_is_known = "pass_cap" in header
        self._priors = priors
        self._clocks: Kinds[list[float]] = Kinds(list, 20_000)

    def row(self, line: int, cells: Sequence[str]) -> Row:
        if len(cells) != self._width:
            raise BadRow(line, f"it has {len(cells)} cells, the header names {self._width} columns.")
        texts = {name: cells[place].strip() for name, place in self._texts}
        numbers: dict[str, float | None] = dict.fromkeys(NUMBERS)
        for name, place in self._numbers:
            text = cells[place].strip()
            if text:
                numbers[name] = _number(line, name, text)
        finished = _finished(line, texts.get("outcome", ""), numbers)
        if not texts["run"]:
            raise BadRow(line, "run is empty.")
        for name in ("memory_bytes", "link_bytes_per_s"):
            if numbers[name] is None:
                raise BadRow(line, f"{name} is empty.")
        self._check_time(line, texts["run"], numbers["started_s"])
        return Row(self._facts(texts, numbers), finished)

    def _facts(self, texts: dict[str, str], numbers: dict[str, float | None]) -> MoveFacts:
        cap, give_up = numbers["pass_cap"], numbers["give_up_s"]
        if cap is None and give_up is None and not self._cap_is_known:
            cap = float(self._priors.pass_cap)
        return MoveFacts(
            texts["run"],
            numbers["memory_bytes"] or 0.0,
            numbers["link_bytes_per_s"] or 0.0,
            texts.get("vm") or None,
            texts.get("source", ""),
            texts.get("destination", ""),
            numbers["started_s"],
            numbers["filled_bytes"],
            int(numbers["streams"] or 1),
            texts.get("transport", "").lower() or "tcp",
            numbers["dirty_bytes_per_s"],
            numbers["working_set_bytes"],
            numbers["stop_seconds"],
            None if cap is None else int(cap),
            give_up,
        )

    def _check_time(self, line: int, run: str, started_s: float | None) -> None:
        if started_s is None:
            return
        clock = self._clocks.at(run)
        if clock and started_s < clock[0]:
            raise BadRow(line, f"started_s runs backwards in run {run!r}: {started_s:g} after {clock[0]:g}.")
        clock[:] = [started_s]


def _number(line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadRow(line, f"{name} is no number: {text[:40]!r}.") from None
    if 0 < value <= _MOST and name not in _COUNTS:
        return value
    if not math.isfinite(value) or value > _MOST:
        raise BadRow(line, f"{name} is not a finite number in reach: {text[:40]!r}.")
    if value < 0:
        raise BadRow(line, f"{name} is negative: {text[:40]}.")
    if value == 0 and name in _ABOVE_ZERO:
        raise BadRow(line, f"{name} has to be above 0.")
    if name in _COUNTS and (value < 1 or value != int(value) or value > _MOST_STREAMS):
        raise BadRow(line, f"{name} has to be a whole number from 1 to {_MOST_STREAMS}, not {text[:40]}.")
    return value


def _finished(line: int, outcome: str, numbers: dict[str, float | None]) -> Finished:
    word = outcome or "completed"
    if word not in OUTCOMES:
        raise BadRow(line, f"outcome is {word[:40]!r}, it has to be completed or not_converged.")
    if word == "not_converged":
        return Finished(None, None, False)
    if numbers["duration_s"] is None:
        raise BadRow(line, "duration_s is empty, although the move was completed.")
    return Finished(numbers["duration_s"], numbers["blackout_s"])
