"""Score forecasts on finished migrations in three ways, none of which sees what it is scored on.

``cold`` knows the priors alone; ``cross_validated`` learned from the other four fifths of the runs; ``online`` goes
through the rows in their order and knows only moves that had finished when the scored one started.
"""

from __future__ import annotations

import random
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .calibration import Calibration
from .facts import MoveFacts, Physics
from .learner import Forecast, Learner, fit_to
from .makespans import Makespans, RunSpan
from .migration_rows import Row
from .priors import Priors
from .scoring import Errors, Score, Scorer, errors_of
from .shared import share_a_link

FOLDS = 5
WAYS = ("cold", "cross_validated", "online")

_AHEAD = 2000
"""Rows read ahead to find the moves that share a link."""
_MOST_TOGETHER = 400
_TRAINING_UNITS = 600
"""Kept of each fold, evenly drawn."""

Unit = tuple[Row, ...]
"""Moves that are forecast together: one alone, or those of a run that share a link."""


@dataclass(frozen=True, slots=True)
class Backtest:
    rows: int
    scores: dict[str, Score | None]
    """By way; None where there were no other runs to learn from."""
    makespans: dict[str, Errors]
    runs: tuple[RunSpan, ...]
    """The first few hundred runs, forecasts in the order of the ways."""


def backtest(
    read: Callable[[], Iterable[Row]], priors: Priors | None = None, progress: Callable[[int], None] = lambda rows: None
) -> Backtest:
    """Read twice (once to learn, once to score); memory does not grow with the rows, but for 16 bytes a score."""
    given = priors or Priors()
    folds = _Folds()
    rows = 0
    for unit in units(read()):
        folds.keep(unit)
        rows += len(unit)
        progress(rows)
    learners = [_trained(folds.others(fold), given) for fold in range(FOLDS)]
    scoring = _Scoring(given, learners)
    for unit in units(read()):
        scoring.score(unit)
        rows += len(unit)
        progress(rows)
    return scoring.result(rows // 2, with_folds=folds.runs_differ)


def units(rows: Iterable[Row]) -> Iterator[Unit]:
    """The rows in order, those of one run that share a link together at the first of them."""
    ahead: deque[Row] = deque()
    together: dict[str, deque[Row]] = {}
    taken: set[int] = set()

    def first() -> Iterator[Unit]:
        row = ahead.popleft()
        if id(row) in taken:
            taken.discard(id(row))
        elif row.facts.streams == 1:
            yield (row,)
        else:
            mates = together[row.facts.run]
            unit = tuple(mates.popleft() for _ in range(min(len(mates), _MOST_TOGETHER)))
            taken.update(id(mate) for mate in unit[1:])
            yield unit

    for row in rows:
        ahead.append(row)
        if row.facts.streams > 1:
            together.setdefault(row.facts.run, deque()).append(row)
        if len(ahead) >= _AHEAD:
            yield from first()
            _drop_empty(together)
    while ahead:
        yield from first()


def _drop_empty(together: dict[str, deque[Row]]) -> None:
    if len(together) > _AHEAD:
        for run in [run for run, mates in together.items() if not mates]:
            del together[run]


def fold_of(run: str) -> int:
    """The same for all rows of a run, in any file and any order."""
    return zlib.crc32(run.encode()) % FOLDS


class _Folds:
    """An even sample of each fold's units, in order."""

    def __init__(self) -> None:
        self._kept: list[list[tuple[int, Unit]]] = [[] for _ in range(FOLDS)]
        self._seen = [0] * FOLDS
        self._chance = random.Random(0)
        self._first_run: str | None = None
        self.runs_differ = False

    def keep(self, unit: Unit) -> None:
        run = unit[0].facts.run
        self._first_run = self._first_run if self._first_run is not None else run
        self.runs_differ = self.runs_differ or run != self._first_run
        fold = fold_of(run)
        kept, seen = self._kept[fold], self._seen[fold]
        self._seen[fold] += 1
        entry = (sum(self._seen), unit)
        if len(kept) < _TRAINING_UNITS:
            kept.append(entry)
        elif (place := self._chance.randrange(seen + 1)) < _TRAINING_UNITS:
            kept[place] = entry

    def others(self, fold: int) -> list[Unit]:
        entries = [entry for other, kept in enumerate(self._kept) if other != fold for entry in kept]
        return [unit for _, unit in sorted(entries, key=lambda entry: entry[0])]


def _trained(training: Sequence[Unit], priors: Priors) -> Learner:
    """Fitted to the training units, then shown them one after the other."""
    calibration = fit_to([(row.facts, row.finished) for unit in training for row in unit], priors)
    learner = Learner(priors, calibration)
    for unit in training:
        raws = _raw(learner, [row.facts for row in unit])
        for row, forecast in [(row, learner.forecast(row.facts, raw)) for row, raw in zip(unit, raws, strict=True)]:
            learner.learn(row.facts, forecast, row.finished)
    return learner


def _raw(learner: Learner, facts: Sequence[MoveFacts]) -> Sequence[Physics | None]:
    if facts[0].streams == 1:
        return (None,)
    return share_a_link(facts, learner.calibration, learner.priors)


class _Online:
    """Learns from a move only once it had finished when the next one of its run started."""

    def __init__(self, priors: Priors) -> None:
        self.learner = Learner(priors)
        self._run = ""
        self._under_way: list[tuple[float, Row, Forecast]] = []

    def forecast(self, unit: Unit) -> Iterator[Forecast]:
        if unit[0].facts.run != self._run:
            self._learn_until(float("inf"))
            self._run = unit[0].facts.run
        self._learn_until(unit[0].facts.started_s)
        raws = _raw(self.learner, [row.facts for row in unit])
        for row, raw in zip(unit, raws, strict=True):
            self._learn_until(row.facts.started_s)
            found = self.learner.forecast(row.facts, raw)
            ended = (row.facts.started_s or 0.0) + (row.finished.duration_s or 0.0)
            self._under_way.append((ended, row, found))
            yield found

    def _learn_until(self, moment_s: float | None) -> None:
        """Without a clock, moves of a run count as one after the other."""
        limit = float("inf") if moment_s is None else moment_s
        over = [each for each in self._under_way if each[0] <= limit]
        self._under_way = [each for each in self._under_way if each[0] > limit]
        for _, row, found in sorted(over, key=lambda each: each[0]):
            self.learner.learn(row.facts, found, row.finished)


class _Scoring:
    def __init__(self, priors: Priors, learners: Sequence[Learner]) -> None:
        self._cold = Learner(priors, Calibration())
        self._learners = learners
        self._online = _Online(priors)
        self._scorers = {way: Scorer() for way in WAYS}
        self._makespans = Makespans(len(WAYS))

    def score(self, unit: Unit) -> None:
        learned = self._learners[fold_of(unit[0].facts.run)]
        ways = (_forecasts(self._cold, unit), _forecasts(learned, unit), self._online.forecast(unit))
        for row, *found in zip(unit, *ways, strict=True):
            for way, forecast in zip(WAYS, found, strict=True):
                self._scorers[way].add(forecast, row.finished)
            self._makespans.add(row.facts, row.finished, [each.duration_p50_s for each in found])

    def result(self, rows: int, *, with_folds: bool) -> Backtest:
        self._makespans.close()
        scores: dict[str, Score | None] = {way: scorer.score() for way, scorer in self._scorers.items()}
        if not with_folds:
            scores["cross_validated"] = None
        spans = {way: errors_of(errors) for way, errors in zip(WAYS, self._makespans.errors, strict=True)}
        return Backtest(rows, scores, spans, tuple(self._makespans.listed))


def _forecasts(learner: Learner, unit: Unit) -> Iterator[Forecast]:
    raws = _raw(learner, [row.facts for row in unit])
    for row, raw in zip(unit, raws, strict=True):
        yield learner.forecast(row.facts, raw)
