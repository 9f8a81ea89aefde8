"""Scores on the carried measurements, no look at the future, and bounded reading."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import islice

import pytest

from console.forecast.backtest import FOLDS, WAYS, Backtest, backtest, fold_of, units
from console.forecast.facts import Finished, MoveFacts
from console.forecast.makespans import Makespans
from console.forecast.migration_rows import Row, read_rows
from console.forecast.priors import Priors
from console.forecast.scoring import Score
from tests.bench.backtest_data import PRECOPY, osic_lines, postgres_moves
from tests.bench.backtest_sets import drains_error, postgres_score

HEADER = "run,vm,memory_bytes,link_bytes_per_s,duration_s"


def score_of(lines: list[str]) -> Backtest:
    return backtest(lambda: read_rows(lines, Priors()))


def scored(found: Backtest, way: str) -> Score:
    score = found.scores[way]
    assert score is not None
    return score


@pytest.fixture(scope="module")
def precopy() -> Backtest:
    return score_of(PRECOPY.read_text().splitlines())


@pytest.fixture(scope="module")
def evacuations() -> Backtest:
    """Every third evacuation, so that the test stays short; the whole set stands in the bench."""
    lines = list(osic_lines())
    return score_of([lines[0], *(line for line in lines[1:] if int(line.split(",")[0].rpartition("/")[2]) % 3 == 1)])


def test_measured_moves_of_all_regimes_out_of_fold(precopy: Backtest) -> None:
    score = scored(precopy, "cross_validated")
    assert score.duration.mean is not None and score.duration.mean <= 0.12  # noqa: PT018
    assert score.duration.median is not None and score.duration.median <= 0.05  # noqa: PT018
    assert score.duration.p90 is not None and score.duration.p90 <= 0.25  # noqa: PT018
    assert score.blackout.p90 is not None and score.blackout.p90 <= 0.45  # noqa: PT018
    assert score.convergence.right_fraction is not None and score.convergence.right_fraction >= 0.97  # noqa: PT018
    assert 0.86 <= (score.duration_coverage or 0) <= 0.94


def test_makespans_of_measured_drains(precopy: Backtest) -> None:
    assert len([run for run in precopy.runs if run.run.startswith("d")]) == 12
    assert drains_error(precopy) <= 0.10


def test_evacuations_in_time_order(evacuations: Backtest) -> None:
    score = scored(evacuations, "online")
    assert score.duration.mean is not None
    assert score.duration.mean <= 0.045, "a third of the history makes it a little worse than on the whole set"
    assert 0.86 <= (score.duration_coverage or 0) <= 0.94


def test_postgres_convergence_and_end_from_the_first_two_passes() -> None:
    right, worst = postgres_score(postgres_moves())
    assert right == 20
    assert worst <= 0.05


def moves(count: int, seed: int = 1) -> list[str]:
    """Runs of ten moves; time is 4 s and memory over 500 MB/s, give or take."""
    chance = random.Random(seed)
    lines = [HEADER]
    for number in range(count):
        memory = chance.choice((2, 4, 8, 16)) * 2**30
        seconds = 4 + memory / 5e8 * chance.uniform(0.95, 1.05)
        lines.append(f"r{number // 10},vm{number % 10},{memory},1.25e9,{seconds:.3f}")
    return lines


def test_learning_beats_the_priors_and_narrows_the_p90() -> None:
    found = score_of(moves(200))
    cold, online = scored(found, "cold"), scored(found, "online")
    assert cold.duration.mean is not None
    assert online.duration.mean is not None
    assert online.duration.mean < 0.06 < cold.duration.mean
    assert 0.84 <= (online.duration_coverage or 0) <= 0.97


def online_errors(lines: list[str]) -> list[float]:
    from console.forecast.backtest import _Online

    online = _Online(Priors())
    said: list[float] = []
    for unit in units(read_rows(lines, Priors())):
        said += [forecast.duration_p50_s for forecast in online.forecast(unit)]
    return said


def test_what_happens_later_changes_no_earlier_online_forecast() -> None:
    lines = moves(70)
    changed = [*lines[:50], *(line.rpartition(",")[0] + ",9999" for line in lines[50:])]
    assert online_errors(lines)[:49] == online_errors(changed)[:49]
    assert online_errors(lines)[50:] != online_errors(changed)[50:]


def test_a_move_is_learned_from_only_once_it_has_finished() -> None:
    rows = [f"r,vm{at},{8 * 2**30},1.25e9,{at},60" for at in range(20)]
    beside = ["run,vm,memory_bytes,link_bytes_per_s,started_s,duration_s", *rows]
    assert len(set(online_errors(beside))) == 1, "all started within 20 s and took 60 s: none knew of another's end"


def test_out_of_fold_forecasts_do_not_depend_on_the_run_itself() -> None:
    """Only the scored run's durations change: cold and cross-validated forecasts of it stay."""
    lines = moves(60)
    changed = [line.rpartition(",")[0] + ",77" if line.startswith("r3,") else line for line in lines]
    spans = [next(run for run in score_of(each).runs if run.run == "r3") for each in (lines, changed)]
    cross = WAYS.index("cross_validated")
    assert spans[0].forecast_s[cross] == spans[1].forecast_s[cross]
    assert spans[0].measured_s != spans[1].measured_s


def test_one_run_alone_can_not_be_cross_validated() -> None:
    found = score_of([HEADER, *(f"r,vm,{2**32},1e9,{10 + at}" for at in range(12))])
    assert found.scores["cross_validated"] is None
    assert scored(found, "online").duration.count == 12


def test_runs_keep_their_fold_and_all_folds_are_used() -> None:
    assert {fold_of(f"run-{number}") for number in range(60)} == set(range(FOLDS))


def row(run: str, streams: int = 1, started_s: float | None = None) -> Row:
    return Row(MoveFacts(run, 2e9, 1e9, streams=streams, started_s=started_s), Finished(10.0))


def test_moves_that_share_a_link_come_together_also_where_runs_are_interleaved() -> None:
    rows = [row("a", 2), row("b"), row("a", 2), row("c", 3), row("c", 3), row("b")]
    assert [tuple(each.facts.run for each in unit) for unit in units(rows)] == [
        ("a", "a"),
        ("b",),
        ("c", "c"),
        ("b",),
    ]


def test_reading_ahead_is_bounded() -> None:
    read = 0

    def endless() -> Iterator[Row]:
        nonlocal read
        while True:
            read += 1
            yield row(f"r{read // 7}", 1 + read // 7 % 2)

    assert len(list(islice(units(endless()), 5000))) == 5000
    assert read < 40_000


def test_makespan_follows_the_order_and_leaves_idle_gaps_out() -> None:
    spans = Makespans(1)
    spans.add(MoveFacts("r", 1, 1, started_s=0.0), Finished(10.0), [8.0])
    spans.add(MoveFacts("r", 1, 1, started_s=0.0), Finished(4.0), [4.0])
    spans.add(MoveFacts("r", 1, 1, started_s=30.0), Finished(5.0), [6.0])
    spans.close()
    assert (spans.listed[0].measured_s, spans.listed[0].forecast_s) == (15.0, (14.0,))


def test_the_same_file_gives_the_same_scores() -> None:
    lines = moves(40)
    assert json.dumps(str(score_of(lines))) == json.dumps(str(score_of(lines)))
