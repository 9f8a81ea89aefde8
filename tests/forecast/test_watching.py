"""From a move's own passes to its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.forecast.model import Ending, PowerLaw, StopRule
from console.forecast.watching import law_of, rest_of
from console.model.past import Pass

RATE = 1e8


def seen(law: PowerLaw, *times: float) -> list[Pass]:
    return [Pass(time, law.distinct_bytes(time)) for time in times]


def test_two_passes_give_the_law() -> None:
    found = law_of(seen(PowerLaw(50e6, 0.5), 60, 9))
    assert found is not None
    assert found.bytes_in_first_second == pytest.approx(50e6)
    assert found.exponent == pytest.approx(0.5)


def test_exponents_stay_where_guests_are() -> None:
    steep = law_of([Pass(60, 6e9), Pass(10, 1e9)])
    assert steep is not None
    assert steep.exponent == 0.7
    assert steep.distinct_bytes(10) == pytest.approx(1e9), "the last pass is met whatever the exponent"


def test_the_rest_ends_at_once_when_little_is_left() -> None:
    rest = rest_of(seen(PowerLaw(1e6, 0.5), 60, 1), 1e6, RATE, StopRule(2e6, None))
    assert (rest.ending, rest.passes) == (Ending.SMALL_ENOUGH, 1)
    assert rest.duration_s == pytest.approx(0.01)


def test_a_guest_that_dirties_too_fast_is_told_early() -> None:
    passes = seen(PowerLaw(300e6, 0.3), 80, 8)
    rest = rest_of(passes, passes[-1].dirtied_bytes, RATE, StopRule(30e6, None, no_progress_ratio=0.95))
    assert rest.ending is Ending.NO_PROGRESS


def test_without_a_pass_nothing_is_told() -> None:
    assert law_of([]) is None
    with pytest.raises(ValueError, match="first finished pass"):
        rest_of([], 1e9, RATE, StopRule(1e6))


@given(st.lists(st.builds(Pass, st.floats(0, 1e4), st.floats(0, 1e12)), min_size=1, max_size=8))
def test_whatever_the_counters_show_there_is_an_answer(passes: list[Pass]) -> None:
    rest = rest_of(passes, passes[-1].dirtied_bytes, RATE, StopRule(1e6, 10, None))
    assert rest.duration_s >= 0
