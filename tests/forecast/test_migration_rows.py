"""What a file of migrations may hold, and the one sentence for everything else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.forecast.migration_rows import BadRow, Row, read_rows
from console.forecast.priors import Priors

HEADER = "run,memory_bytes,link_bytes_per_s,duration_s,started_s,outcome,streams,pass_cap,blackout_s"
GOOD = "r1,8589934592,1.25e9,12.5,0,completed,2,10,0.4"


def read(*lines: str) -> list[Row]:
    return list(read_rows(lines, Priors()))


def test_a_row_becomes_facts_and_an_end() -> None:
    found = read(HEADER, GOOD)[0]
    assert (found.facts.run, found.facts.memory_bytes, found.facts.streams) == ("r1", 8589934592, 2)
    assert (found.facts.pass_cap, found.facts.transport, found.facts.vm) == (10, "tcp", None)
    assert (found.finished.duration_s, found.finished.blackout_s, found.finished.converged) == (12.5, 0.4, True)


def test_columns_may_be_absent_cells_empty_and_others_there() -> None:
    found = read("duration_s,run,link_bytes_per_s,memory_bytes,colour", "3,r,1e9,1e9,blue", "", "4,r,1e9,1e9,")
    assert [row.finished.duration_s for row in found] == [3, 4]
    assert found[0].facts.pass_cap == Priors().pass_cap, "the column is absent: as the hypervisor is believed to do"
    assert read(HEADER, "r,1e9,1e9,3,,,,,")[0].facts.pass_cap is None, "the column is there and empty: no cap"


def test_a_move_that_did_not_converge_needs_no_duration() -> None:
    found = read(HEADER, "r,1e9,1e9,,,not_converged,,,")[0]
    assert (found.finished.duration_s, found.finished.converged) == (None, False)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "line 1: the columns run, memory_bytes, link_bytes_per_s, duration_s are missing"),
        (["run,memory_bytes,duration_s"], "line 1: the column link_bytes_per_s is missing"),
        ([HEADER + ",run"], "line 1: the column run is there twice"),
        ([HEADER, GOOD, "r,8e9,1e9"], "line 3: it has 3 cells"),
        ([HEADER, "r,much,1e9,3,,,,,"], "line 2: memory_bytes is no number: 'much'"),
        ([HEADER, "r,8e9,1e9,-3,,,,,"], "line 2: duration_s is negative: -3"),
        ([HEADER, "r,8e9,1e9,0,,,,,"], "line 2: duration_s has to be above 0"),
        ([HEADER, "r,8e9,0,3,,,,,"], "line 2: link_bytes_per_s has to be above 0"),
        ([HEADER, "r,nan,1e9,3,,,,,"], "line 2: memory_bytes is not a finite number"),
        ([HEADER, "r,8e9,inf,3,,,,,"], "line 2: link_bytes_per_s is not a finite number"),
        ([HEADER, "r,,1e9,3,,,,,"], "line 2: memory_bytes is empty"),
        ([HEADER, ",8e9,1e9,3,,,,,"], "line 2: run is empty"),
        ([HEADER, "r,8e9,1e9,,,completed,,,"], "line 2: duration_s is empty"),
        ([HEADER, "r,8e9,1e9,3,,lost,,,"], "line 2: outcome is 'lost'"),
        ([HEADER, "r,8e9,1e9,3,,,0,,"], "line 2: streams has to be a whole number"),
        ([HEADER, "r,8e9,1e9,3,,,1.5,,"], "line 2: streams has to be a whole number"),
        ([HEADER, "r,8e9,1e9,3,9,,,,", "s,8e9,1e9,3,1,,,,", "r,8e9,1e9,3,5,,,,"], "line 4: started_s runs backwards"),
        ([HEADER, 'r,"8e9,1e9,3,,,,,'], "this is no comma-separated text"),
    ],
)
def test_bad_input_names_line_and_field(lines: list[str], says: str) -> None:
    with pytest.raises(BadRow) as caught:
        read(*lines)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_text_is_rows_or_a_sentence(lines: list[str]) -> None:
    with suppress(BadRow):
        assert all(row.facts.memory_bytes > 0 for row in read(HEADER, *lines))
