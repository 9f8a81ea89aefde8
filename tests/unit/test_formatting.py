"""Remote text inside our own: what is ours stays where it is, what is theirs is text alone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.formatting import plain_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("03:26:53  HV01 is\x1b[2J paused", "03:26:53  HV01 is paused"),
        ("Not moved:\n  a\tb: \u202ewhy\r\n\n  c", "Not moved:\n  a b: why\n\n  c"),
        (" one blank ", " one blank "),
        ("\x1c", ""),
        ("", ""),
    ],
)
def test_lines_keep_their_ends_indentation_and_gaps(text: str, shown: str) -> None:
    assert plain_lines(text) == shown


@given(st.text(st.sampled_from("ab \n\t\x1b[];0m\x07\x9b\u202e\u200b\x00")))
def test_nothing_but_line_ends_controls_a_terminal(text: str) -> None:
    shown = plain_lines(text)
    assert shown.count("\n") == text.count("\n")
    assert not {sign for sign in shown if sign != "\n" and unicodedata.category(sign) in ("Cc", "Cf")}
