"""The passes: against closed forms, and properties that hold whatever the guest does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.forecast.model import (
    Ending,
    Overheads,
    PowerLaw,
    SaturatingSet,
    StopRule,
    fixed_point_bytes,
    precopy,
)
from console.model.units import GIB, MIB

IDLE = PowerLaw(0.0, 0.5)
RULE = StopRule(stop_bytes=64 * MIB, pass_cap=10)

laws = st.builds(PowerLaw, st.floats(0, 4 * GIB), st.floats(0.1, 0.9))
memories = st.floats(16 * MIB, 512 * GIB)
rates = st.floats(20e6, 12e9)


def test_an_idle_guest_is_sent_once_and_nothing_is_left_for_the_blackout() -> None:
    done = precopy(8 * GIB, 1e9, IDLE, RULE, Overheads(3, 2, 0.8))
    assert done.duration_s == pytest.approx(8 * GIB / 1e9 + 5.8)
    assert done.blackout_s == pytest.approx(0.8)
    assert (done.passes, done.ending, done.bytes_sent) == (1, Ending.SMALL_ENOUGH, 8 * GIB)


def test_each_pass_sends_what_was_dirtied_during_the_one_before() -> None:
    law = SaturatingSet(working_set_bytes=0, write_bytes_per_s=0, cold_bytes_per_s=100e6)
    done = precopy(1e9, 1e9, law, StopRule(stop_bytes=2e6, pass_cap=None))
    assert done.passes == 3, "1 GB, then 100 MB, then 10 MB, and 1 MB is left"
    assert done.bytes_sent == pytest.approx(1e9 + 1e8 + 1e7 + 1e6)
    assert done.blackout_s == pytest.approx(1e6 / 1e9)


def test_the_pass_cap_sends_in_the_dark_what_is_left() -> None:
    law = SaturatingSet(working_set_bytes=4e9, write_bytes_per_s=100e9)
    done = precopy(16e9, 1e9, law, StopRule(stop_bytes=1e6, pass_cap=10))
    assert (done.ending, done.passes) == (Ending.PASS_CAP, 10)
    assert done.blackout_s == pytest.approx(4.0, rel=0.01), "the whole working set, at 1 GB/s"


def test_no_progress_ends_the_copying_early() -> None:
    law = SaturatingSet(working_set_bytes=4e9, write_bytes_per_s=100e9)
    done = precopy(16e9, 1e9, law, StopRule(stop_bytes=1e6, pass_cap=None, no_progress_ratio=0.99))
    assert done.ending is Ending.NO_PROGRESS
    assert not done.converged


def test_a_move_is_given_up_at_its_time() -> None:
    law = SaturatingSet(working_set_bytes=4e9, write_bytes_per_s=100e9)
    done = precopy(16e9, 1e9, law, StopRule(stop_bytes=1e6, pass_cap=None, give_up_s=60))
    assert (done.ending, done.duration_s, done.blackout_s) == (Ending.GAVE_UP, 60, 0)
    assert done.bytes_sent == pytest.approx(60e9)


def test_a_power_law_settles_at_its_fixed_point() -> None:
    law, rate = PowerLaw(400e6, 0.5), 500e6
    done = precopy(16e9, rate, law, StopRule(stop_bytes=1, pass_cap=200))
    assert done.blackout_s == pytest.approx(fixed_point_bytes(law, rate) / rate, rel=1e-3)


def test_a_rate_of_nothing_and_less_than_no_memory_are_refused() -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        precopy(1e9, 0, IDLE, RULE)
    with pytest.raises(ValueError, match="negative"):
        precopy(-1, 1e9, IDLE, RULE)
    with pytest.raises(ValueError, match="no fixed point"):
        fixed_point_bytes(PowerLaw(1, 1.0), 1e9)


@given(memories, rates, st.floats(1.0, 20.0), laws)
def test_more_bandwidth_never_lengthens_a_move_that_stops_for_the_same_reason(
    memory: float, rate: float, faster: float, law: PowerLaw
) -> None:
    slow, fast = (precopy(memory, at, law, RULE, Overheads(1, 1, 0.5)) for at in (rate, rate * faster))
    if slow.ending is fast.ending:
        assert fast.duration_s <= slow.duration_s * (1 + 1e-9)


@given(memories, rates, laws, st.booleans())
def test_everything_is_sent_at_least_once_and_the_blackout_fits_the_memory(
    memory: float, rate: float, law: PowerLaw, within: bool
) -> None:
    done = precopy(memory, rate, law, StopRule(64 * MIB, 10, stops_within_pass=within))
    assert done.bytes_sent >= memory * (1 - 1e-9)
    assert done.blackout_s <= memory / rate * (1 + 1e-9)
    assert done.duration_s == pytest.approx(done.bytes_sent / rate)
    assert done.passes <= 10


@given(laws, st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_law_never_falls(law: PowerLaw, first: float, second: float) -> None:
    early, late = sorted((first, second))
    assert law.distinct_bytes(early) <= law.distinct_bytes(late)


@given(st.floats(1e6, 1e11), st.floats(0.001, 0.96))
def test_a_working_set_is_fitted_to_one_second(working_set: float, share: float) -> None:
    law = SaturatingSet.from_distinct_rate(working_set, working_set * share)
    assert law.distinct_bytes(1.0) == pytest.approx(working_set * share, rel=1e-6)
    assert law.distinct_bytes(1e6) <= working_set * (1 + 1e-9)


def test_a_first_pass_that_leaves_all_of_the_memory_is_no_progress() -> None:
    law, rule = PowerLaw(1e9, 0.9), StopRule(1e6, 10, no_progress_ratio=1.0)
    slow, fast = (precopy(64e9, rate, law, rule) for rate in (0.5e9, 0.9e9))
    assert (slow.ending, slow.passes, slow.bytes_sent) == (Ending.NO_PROGRESS, 1, 128e9)
    assert (fast.ending, fast.passes) == (Ending.PASS_CAP, 10)
