"""One run, four formats: the facts are in each, and no name can do harm in any."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from console.drain import events as ev
from console.drain import setting_events as se
from console.drain.state import MoveState, Outcome
from console.reporting.charts import guard_chart, moves_chart
from console.reporting.facts import Reading, report_of
from console.reporting.formats import Format, render
from console.reporting.table import HEADINGS, safe

from ..drain.making import make_world, opened_for
from ..drain.moments import moment


def test_the_facts_are_counted_from_the_events(events: list[ev.Event]) -> None:
    report = report_of(events)
    assert report.events == len(events)
    assert len(report.moved) + len(report.not_moved) == 8
    assert report.starts == sum(move.attempts for move in report.state.moves.values())
    assert report.breaches
    assert report.accuracy.moves
    assert report.accuracy.median_ratio
    assert report.blackout_s == 0.7
    assert set(report.readings) >= {"csv latency s"}


@pytest.mark.parametrize("form", list(Format))
def test_every_format_has_the_facts_that_a_ticket_asks_for(events: list[ev.Event], form: Format) -> None:
    text = render(report_of(events), form)
    assert text.endswith("\n")
    for wanted in ("20260101-0200-HV01", "HV01", "vm-3", "0.7"):
        assert wanted in text.replace("\\", "")
    if form is not Format.CSV:
        for wanted in ("MaximumParallelMigrations", "ann", "bob", "CSV latency 200 ms is over 50 ms"):
            assert wanted in text.replace("\\", "")


@pytest.mark.parametrize("form", list(Format))
def test_every_format_of_a_run_that_only_just_opened(form: Format) -> None:
    assert "vm-0" in render(report_of([opened_for(make_world(1, 1))]), form).replace("\\", "")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)


def test_the_page_runs_nothing_and_asks_for_nothing_from_elsewhere(events: list[ev.Event]) -> None:
    text = render(report_of(events), Format.HTML)
    parser = _Tags()
    parser.feed(text)
    assert "script" not in parser.tags
    assert {"svg", "table"} <= parser.tags
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "http" not in text.replace("[x](http://evil)", "")


def test_markdown_takes_no_name_for_markup(events: list[ev.Event]) -> None:
    text = render(report_of(events), Format.MARKDOWN)
    assert "<script" not in text.replace("\\<", "")
    assert "](http" not in text.replace("\\]", "")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    widths = {line.replace("\\|", "").count("|") for line in rows}
    assert {3, 12} <= widths <= {3, 6, 12}, "a bar in a name makes no new column"


def test_csv_has_one_row_a_vm_and_no_formula(events: list[ev.Event]) -> None:
    report = report_of(events)
    rows = list(csv.DictReader(io.StringIO(render(report, Format.CSV))))
    assert len(rows) == 8
    assert tuple(rows[0]) == HEADINGS
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert {row["state"] for row in rows} == {move.state.value for move in report.state.moves.values()}
    done = next(row for row in rows if row["state"] == "done")
    assert float(done["duration_s"]) > 0


def test_json_is_the_drains_document_and_more(events: list[ev.Event]) -> None:
    document = json.loads(render(report_of(events), Format.JSON))
    assert document["schema"] == 1
    assert document["outcome"] in {outcome.value for outcome in Outcome}
    assert document["guard"]["breaches"][0]["slots"] >= 1
    assert document["settings_changed"][0]["restored"] is True
    assert document["settings_not_restored"] == []
    assert len(document["log"]) > 5


def test_charts_are_well_formed_and_show_each_move(events: list[ev.Event]) -> None:
    report = report_of(events)
    chart = ElementTree.fromstring(moves_chart(report.state))
    moved = [move for move in report.state.moves.values() if move.started_at]
    assert len(chart.findall("rect[@class='forecast']")) == len(moved)
    values = report.readings["csv latency s"]
    guard = ElementTree.fromstring(guard_chart("csv <latency>", values, 0.05))
    assert guard.find("polyline") is not None
    assert guard.find("line[@class='limit']") is not None


def test_a_long_run_does_not_make_an_endless_chart() -> None:
    values = tuple(Reading(moment(number), float(number % 7)) for number in range(20_000))
    assert len(guard_chart("x", values, None)) < 40_000
    assert guard_chart("x", values[:1], None) == ""


def test_a_setting_that_is_not_back_is_what_the_ticket_begins_with(events: list[ev.Event]) -> None:
    opening = opened_for(make_world(1, 1))
    lines: list[ev.Event] = [
        opening,
        se.SettingIntended(moment(1), "SMBBandwidthLimitFactor", "2500", "5000"),
        se.SettingChanged(moment(2), "SMBBandwidthLimitFactor"),
        se.SettingNotRestored(moment(3), "SMBBandwidthLimitFactor", "access denied"),
    ]
    report = report_of(lines)
    assert "NOT put back. Set it to 2500 by hand" in render(report, Format.MARKDOWN).replace("\\", "")
    assert json.loads(render(report, Format.JSON))["settings_not_restored"] == [
        {"name": "SMBBandwidthLimitFactor", "value": "2500"}
    ]


def test_unknown_vms_are_named_for_whoever_looks_after_them(events: list[ev.Event]) -> None:
    opening = opened_for(make_world(1, 2))
    moves = (replace(opening.moves[0], state=MoveState.UNKNOWN, reason="contact lost"), opening.moves[1])
    text = render(report_of([replace(opening, moves=moves)]), Format.MARKDOWN).replace("\\", "")
    assert "Nobody knows where these are, look at the cluster: vm-0" in text


def test_no_events_are_no_report() -> None:
    with pytest.raises(ValueError, match="without events"):
        report_of([])


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\uff1d1+1", "\t=1", " =1", "'=1"])
@pytest.mark.parametrize("before", ["", "web;", "web,", "web; ", 'web;"'])
def test_no_name_begins_a_formula_in_any_countrys_spreadsheet(before: str, name: str) -> None:
    cells = re.split("[,;]", safe(before + name))
    for cell in cells:
        assert not re.match(r"[\s\"]*[=+\-@\uff1d]", cell), cells


def test_an_ordinary_text_stays_as_it_is() -> None:
    for text in ("web-01", "a, b; c", "10.0.0.1 - up", "Get-VM | Select-Object -Property 'a','b'"):
        assert safe(text) == text
