"""Calibration, levels, spread: what evidence may and may not do to a forecast."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.forecast.calibration import Calibration, physics, rate_bytes_per_s
from console.forecast.facts import Carrier, Finished, MoveFacts
from console.forecast.fitting import fit, fit_stop_share
from console.forecast.learner import FITS, Learner
from console.forecast.levels import Levels, keys_of
from console.forecast.priors import Priors
from console.forecast.shared import share_a_link
from console.forecast.spread import Spread
from console.forecast.windows import Kinds, Window
from console.model.units import GIB, MIB

PRIORS = Priors()
TRUE = Calibration(overhead=0.2, line=0.8)

facts_strategy = st.builds(
    MoveFacts,
    st.just("r"),
    st.floats(1e6, 4e12),
    st.floats(1e5, 1e11),
    filled_bytes=st.none() | st.floats(0, 4e12),
    streams=st.integers(1, 16),
    transport=st.sampled_from([each.value for each in Carrier]),
    dirty_bytes_per_s=st.none() | st.floats(0, 1e10),
    working_set_bytes=st.none() | st.floats(0, 1e12),
    stop_seconds=st.none() | st.floats(0, 10),
    pass_cap=st.none() | st.integers(1, 30),
    give_up_s=st.none() | st.floats(1, 1e4),
)


@given(facts_strategy)
def test_every_move_has_a_finite_forecast(facts: MoveFacts) -> None:
    found = physics(facts, Calibration(), PRIORS)
    assert math.isfinite(found.duration_s) and found.duration_s > 0  # noqa: PT018
    assert 0 <= found.blackout_s <= found.duration_s + 1e-9


@given(facts_strategy, st.floats(1.0, 20.0))
def test_more_bandwidth_never_lengthens_what_stops_for_the_same_reason(facts: MoveFacts, more: float) -> None:
    slow = physics(facts, Calibration(), PRIORS)
    fast = physics(replace(facts, link_bytes_per_s=facts.link_bytes_per_s * more), Calibration(), PRIORS)
    if slow.converges and fast.converges and slow.passes == fast.passes:
        assert fast.duration_s <= slow.duration_s * (1 + 1e-9)
    if facts.pass_cap is None and slow.converges and fast.converges:
        assert fast.blackout_s <= slow.blackout_s * (1 + 1e-9)


@given(st.lists(facts_strategy, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_shared_link_gives_every_move_an_end(moves: list[MoveFacts]) -> None:
    for found in share_a_link(moves, Calibration(), PRIORS):
        assert math.isfinite(found.duration_s) and found.duration_s > 0  # noqa: PT018
        assert 0 <= found.blackout_s <= found.duration_s + 1e-9


def idle(memory: float, streams: int = 1) -> MoveFacts:
    return MoveFacts("r", memory, 1e9, streams=streams, transport="rdma", dirty_bytes_per_s=0.0)


def test_alone_on_a_shared_link_is_alone() -> None:
    alone = physics(idle(8e9), Calibration(), PRIORS)
    assert share_a_link([idle(8e9)], Calibration(), PRIORS)[0].duration_s == pytest.approx(alone.duration_s)


def test_the_larger_one_speeds_up_when_the_smaller_one_is_over() -> None:
    small, large = share_a_link([idle(2e9, 2), idle(8e9, 2)], Calibration(), PRIORS)
    rate = rate_bytes_per_s(idle(8e9), Calibration(), PRIORS, 1)
    assert small.duration_s == pytest.approx(4e9 / rate + 5, rel=0.15)
    assert large.duration_s == pytest.approx(10e9 / rate + 5, rel=0.15), "a static half would take 16e9 / rate"


def samples(count: int, seed: int = 3, wild: float = 0.0) -> list[tuple[MoveFacts, float]]:
    chance = random.Random(seed)
    found = []
    for number in range(count):
        facts = MoveFacts(f"r{number}", chance.choice((1, 4, 16)) * GIB, 1e9, transport="rdma", dirty_bytes_per_s=0.0)
        seconds = physics(facts, TRUE, PRIORS).duration_s * chance.uniform(0.98, 1.02)
        found.append((facts, seconds * 5 if chance.random() < wild else seconds))
    return found


@pytest.mark.parametrize("wild", [0.0, 0.15])
def test_a_fit_finds_overhead_and_rate_also_among_outliers(wild: float) -> None:
    fitted = fit(samples(60, wild=wild), PRIORS)
    for facts, seconds in samples(40, seed=9):
        assert physics(facts, fitted, PRIORS).duration_s == pytest.approx(seconds, rel=0.08)


def test_few_moves_change_nothing_and_a_fit_is_the_same_each_time() -> None:
    assert fit(samples(7), PRIORS) == Calibration()
    assert fit(samples(30), PRIORS) == fit(samples(30), PRIORS)


def test_the_stop_share_is_what_blackouts_show() -> None:
    facts = [MoveFacts("r", 4 * GIB, 1e9, dirty_bytes_per_s=1e6, stop_seconds=stop) for stop in (0.5, 1, 2, 4)] * 3
    truth = Calibration(stop_share=0.7)
    measured = [(each, physics(each, truth, PRIORS).blackout_s) for each in facts]
    assert fit_stop_share(measured, Calibration(), PRIORS).stop_share == pytest.approx(0.7)
    assert fit_stop_share(measured[:5], Calibration(), PRIORS) == Calibration()


def teach(learner: Learner, facts: MoveFacts, factor: float, times: int) -> None:
    for _ in range(times):
        forecast = learner.forecast(facts)
        learner.learn(facts, forecast, Finished(forecast.raw.duration_s * factor, forecast.raw.blackout_s))


def move(run: str = "d1", vm: str = "a", memory: float = 8 * GIB) -> MoveFacts:
    return MoveFacts(run, memory, 1.25e9, vm, dirty_bytes_per_s=1e6, working_set_bytes=64 * MIB)


def test_three_moves_of_a_run_rescale_the_rest_of_it() -> None:
    learner = Learner(calibration=Calibration())
    for number in range(30):
        teach(learner, move(f"d{number}", f"v{number % 5}"), 1.0, 1)
    teach(learner, move("d99", "v1"), 1.5, 3)
    here, elsewhere = learner.forecast(move("d99", "v2")), learner.forecast(move("d100", "v2"))
    assert here.duration_p50_s / here.raw.duration_s > 1.25
    assert elsewhere.duration_p50_s / elsewhere.raw.duration_s < 1.15


def test_a_vm_of_its_own_kind_keeps_its_own_history() -> None:
    learner = Learner(calibration=Calibration())
    for number in range(20):
        teach(learner, move(f"d{number}", "usual"), 1.0, 1)
        teach(learner, move(f"d{number}", "odd"), 2.0, 1)
    odd, usual = (learner.forecast(move("d77", vm)) for vm in ("odd", "usual"))
    assert odd.duration_p50_s / odd.raw.duration_s == pytest.approx(2.0, rel=0.1)
    assert usual.duration_p50_s / usual.raw.duration_s == pytest.approx(1.0, rel=0.1)


def test_the_p90_narrows_with_evidence_and_moves_that_fail_teach_nothing() -> None:
    learner = Learner(calibration=Calibration())
    before = learner.forecast(move())
    learner.learn(move(), before, Finished(None, None, False))
    assert learner.forecast(move()) == before
    teach(learner, move(), 1.0, 40)
    after = learner.forecast(move())
    assert after.duration_p90_s / after.duration_p50_s < before.duration_p90_s / before.duration_p50_s


def test_a_learner_fits_itself_at_its_marks() -> None:
    learner = Learner()
    for facts, seconds in samples(FITS[1]):
        learner.learn(facts, learner.forecast(facts), Finished(seconds))
    assert learner.calibration != Calibration()
    facts, seconds = samples(30)[-1]
    assert learner.forecast(facts).duration_p50_s == pytest.approx(seconds, rel=0.1)


def test_runs_whose_names_differ_in_their_number_are_a_series() -> None:
    kinds = {keys_of(MoveFacts(run, 1e9, 1e9)).kind for run in ("drain-1", "drain-2", "drain_17")}
    assert len(kinds) == 1
    assert keys_of(MoveFacts("other-1", 1e9, 1e9)).kind not in kinds


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=80))
def test_corrections_stay_within_what_was_seen(errors: list[float]) -> None:
    levels, keys = Levels(), keys_of(MoveFacts("r", 1e9, 1e9, "v"))
    for error in errors:
        levels.learn(levels.opinion(keys), error)
    low, high = min(0.0, *errors), max(0.0, *errors)
    assert 2 * low - high - 1e-9 <= levels.opinion(keys).correction <= 2 * high - low + 1e-9


def test_nine_of_ten_stay_under_the_widening() -> None:
    chance, spread = random.Random(5), Spread(1.6)
    for _ in range(400):
        spread.learn(("g",), chance.gauss(0, 0.1))
    inside = sum(math.exp(chance.gauss(0, 0.1)) <= spread.widening(("g",)) for _ in range(2000))
    assert 0.86 <= inside / 2000 <= 0.95


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.integers(1, 20))
def test_a_window_is_the_last_values(values: list[float], most: int) -> None:
    window = Window(most)
    for value in values:
        window.add(value)
    kept = sorted(values[-most:])
    assert len(window) == len(kept)
    assert kept[0] <= window.median() <= kept[-1]
    assert window.median() == window.recent(most)
    assert window.upper(1.0) == kept[-1]


def test_kinds_forget_those_not_met_for_longest() -> None:
    kinds: Kinds[list[int]] = Kinds(list, most=3)
    for name in "abcad":
        kinds.at(name)
    assert kinds.find("b") is None
    assert len(kinds) == 3
