"""Bars, windows, charts and letters are exactly as wide as they are asked to be, whatever the numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.drawing import bar, big, cut, fit, horizon, sparkline, stretch, width_of, wrap
from screens.paint import ASCII, COLOURLESS, UNICODE, Glyphs

SETS = st.sampled_from([UNICODE, ASCII, COLOURLESS])
SHARES = st.floats(-2, 3, allow_nan=False)
WIDTHS = st.integers(1, 200)


@given(SHARES, WIDTHS, SETS)
def test_a_bar_fills_its_width_and_anything_at_all_is_seen(share: float, width: int, glyphs: Glyphs) -> None:
    line = bar(share, width, glyphs)
    assert width_of(line) == width
    assert any(style == "bar.fill" for _, style in line) == (share > 0)


@given(SHARES, SHARES, SHARES, WIDTHS, SETS)
def test_a_window_fills_its_width_and_always_shows_where_it_will_end(
    gone: float, middle: float, worst: float, width: int, glyphs: Glyphs
) -> None:
    line = horizon(gone, middle, worst, width, glyphs, "text.good")
    assert width_of(line) == width
    assert sum(style == "text.good" for _, style in line) == 1


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(1, 1e5), WIDTHS)
def test_a_stretch_of_the_gantt_chart_is_at_least_one_cell(start: float, end: float, total: float, width: int) -> None:
    line = stretch(start, end, total, width, UNICODE, "bar.fill")
    assert width_of(line) == width
    assert any(text for text, style in line if style == "bar.fill")


def test_moves_one_after_the_other_do_not_overlap_in_the_chart() -> None:
    first, second = (stretch(start, start + 10, 40, 40, UNICODE, "x") for start in (0, 10))
    assert first[1][0] == second[1][0] == UNICODE.fill * 10
    assert len(second[0][0]) == 10


@given(st.lists(st.floats(0, 1e12), max_size=300), st.integers(0, 60), st.sampled_from([None, 1.0, 50.0]))
def test_a_sparkline_is_as_wide_as_asked(values: list[float], width: int, top: float | None) -> None:
    assert len(sparkline(values, width, UNICODE, top)) == width


def test_a_sparkline_s_full_column_is_the_line_it_must_not_cross() -> None:
    assert sparkline([0.0, 25.0, 50.0, 80.0], 4, UNICODE, 50.0) == "▁▅██"


@given(st.text(max_size=80), st.integers(1, 40))
def test_what_is_cut_or_fitted_never_gets_wider(text: str, width: int) -> None:
    plain = "".join(character for character in text if character.isprintable())
    assert width_of([(cut(plain, width), "")]) <= width
    assert width_of([(fit(plain, width), "")]) == width


@pytest.mark.parametrize(
    "word", ["DRAINED", "STOPPED", "DETACHED", "FAILED", "BLOCKED", "WINDOW CLOSED", "CONTACT LOST"]
)
def test_every_outcome_can_be_written_big_within_80_cells(word: str) -> None:
    rows = big(word, UNICODE)
    assert len({len(row) for row in rows}) == 1
    assert len(rows[0]) <= 78


def test_a_long_word_is_broken_and_nothing_is_lost() -> None:
    rows = wrap("x" * 95, 40, "  ")
    assert all(len(row) <= 40 for row in rows)
    assert sum(row.count("x") for row in rows) == 95
    assert len(rows) == math.ceil(95 / 38)
