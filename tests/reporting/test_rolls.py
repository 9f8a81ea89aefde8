"""A rolling run in every format; what a hook printed and what a node is called is made harmless in each."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from console.drain import roll_events as re
from console.drain.state import Consent, Outcome
from console.model.identity import HostName, RunId
from console.reporting.formats import Format
from console.reporting.rolls import render_roll

AT = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
NODE = HostName("=HV01|<b>")
EVENTS = (
    re.RollOpened(
        AT, RunId("roll-1"), "lab", ((NODE,),), operator="ann", hook=("patch",),
        consents=(Consent("interrupt", "all", "ann", AT),), forecast=(re.NodeForecast(NODE, 7, 0.0, 50.0, 60.0),),
    ),
    re.WaveBegan(AT, 0),
    re.NodeDrainIntended(AT, NODE, RunId("roll-1-HV01-1")),
    re.NodeDrainEnded(AT + timedelta(minutes=5), NODE, Outcome.DRAINED, 7),
    re.HookIntended(AT + timedelta(minutes=5), NODE),
    re.HookEnded(AT + timedelta(minutes=9), NODE, 0, "<script>\x1b[2J | done"),
    re.NodeResumed(AT + timedelta(minutes=10), NODE),
    re.RollClosed(AT + timedelta(minutes=10), 1, 0, False),
)  # fmt: skip


@pytest.mark.parametrize("form", list(Format))
def test_it_tells_the_moves_and_carries_no_escape(form: Format) -> None:
    text = render_roll(EVENTS, form)
    assert text.endswith("\n")
    assert "\x1b" not in text
    assert "7" in text
    assert "roll-1-HV01-1" in text.replace("\\", "")


def test_the_page_holds_no_markup_of_others() -> None:
    text = render_roll(EVENTS, Format.HTML)
    assert "<script" not in text
    assert "<b>" not in text


def test_the_table_holds_no_formula_and_one_row_a_node() -> None:
    rows = list(csv.reader(io.StringIO(render_roll(EVENTS, Format.CSV))))
    assert len(rows) == 2
    assert rows[1][1].startswith("'=")


def test_the_document_says_how_it_ended_and_who_agreed() -> None:
    document = json.loads(render_roll(EVENTS, Format.JSON))
    assert (document["outcome"], document["moves_made"], document["moves_planned"]) == ("done", 7, 7)
    assert document["duration_s"] == 600.0
    assert document["consents"][0]["kind"] == "interrupt"
    assert document["log"][-1]["text"] == "Ended: 1 node done, 0 not, 7 VMs moved."


def test_lines_that_do_not_follow_are_refused() -> None:
    with pytest.raises(ValueError, match="opening"):
        render_roll(EVENTS[1:], Format.JSON)
