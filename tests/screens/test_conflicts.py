"""The conflicts' screen: filter by severity and code, evidence with its age, the fix copied, the list written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from console.checks.values import Findings, Subject, Unknown
from console.model.identity import HostName, VmId, VmRef
from console.reporting.findings import write_findings
from console.reporting.formats import Format
from screens.conflicts import ConflictsScreen
from tests.builders import READ_AT
from tests.screens.driving import console, text_of, until
from tests.screens.fakes import FakeOperations
from tests.screens.scenes import Night, findings_of_night, production


def _codes(screen: ConflictsScreen) -> list[str]:
    return [row.code for row in screen.grid.rows]


async def _opened(app: object, pilot: object) -> ConflictsScreen:
    await pilot.press("c")  # type: ignore[attr-defined]
    screen = app.screen  # type: ignore[attr-defined]
    assert isinstance(screen, ConflictsScreen)
    await until(pilot, lambda: bool(screen.grid.rows))  # type: ignore[arg-type]
    return screen


async def test_the_list_is_filtered_by_severity_and_by_code() -> None:
    async with console(Night(production())) as (app, pilot):
        screen = await _opened(app, pilot)
        assert _codes(screen)[0] == "net-switch-missing"
        await pilot.press("slash", *"risks", "enter")
        assert _codes(screen) == ["vm-checkpoint-merging"]
        await pilot.press("escape", "slash", *"dev-iso", "enter")
        assert _codes(screen) == ["dev-iso-mounted"]
        await pilot.press("escape", "slash", *"unknown", "enter")
        assert [type(row) for row in screen.grid.rows] == [Unknown]


async def test_what_could_not_be_checked_is_a_row_with_its_reason() -> None:
    async with console(Night(production())) as (app, pilot):
        screen = await _opened(app, pilot)
        await pilot.press("G", "enter")
        text = " ".join(text_of(app).split())
        assert isinstance(screen.grid.cursor_item, Unknown)
        assert "HV07 does not answer" in text
        assert "Neither clean nor a conflict" in text


async def test_enter_shows_the_evidence_with_its_age_and_y_copies_the_fix() -> None:
    operations = Night(production())
    async with console(operations) as (app, pilot):
        screen = await _opened(app, pilot)
        operations.clock.advance(30)
        await pilot.press("j", "k", "enter")
        assert screen.focused is not None
        assert screen.focused.id == "conflict-detail"
        assert "read 02:00:00 (30 s ago)" in " ".join(text_of(app).split())
        await pilot.press("y")
        assert app.clipboard.startswith("New-VMSwitch -ComputerName 'HV04'")


async def test_the_finer_facts_are_asked_for_when_the_screen_opens() -> None:
    operations = Night(production())
    async with console(operations) as (app, pilot):
        await _opened(app, pilot)
        await until(pilot, lambda: operations.detailed == [None])
        await until(pilot, lambda: app.store.knows_details(HostName("HV03")))


async def test_a_plan_asks_for_the_finer_facts_of_its_node_and_plans_again() -> None:
    operations = FakeOperations()
    async with console(operations) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: operations.detailed == [HostName("HV01")])
        await until(pilot, lambda: app.store.knows_details(HostName("HV01")))
        assert not app.store.knows_details(None)
        await pilot.press("escape", "d")
        await pilot.pause()
        assert operations.detailed == [HostName("HV01")]


@pytest.mark.parametrize(("key", "form"), [("j", Format.MARKDOWN), ("jj", Format.JSON), ("jjj", Format.CSV)])
async def test_what_is_listed_is_written_and_the_path_is_shown(key: str, form: Format) -> None:
    operations = Night(production())
    async with console(operations) as (app, pilot):
        await _opened(app, pilot)
        await pilot.press("slash", *"switch", "enter", "e", *key, "enter")
        await until(pilot, lambda: bool(operations.written))
        await until(pilot, lambda: "The conflicts are written" in text_of(app))
        findings, written = operations.written[0]
        assert written is form
        assert [conflict.code for conflict in findings.conflicts] == ["net-switch-missing"]
        shown = "".join(text_of(app).replace("│", " ").split())
        assert f"/reports/drainboard-conflicts-PRODUCTION-01.{form.value}" in shown


async def test_a_file_that_can_not_be_written_is_a_problem() -> None:
    operations = Night(production())
    operations.report_error = OSError("no space left on device")
    async with console(operations) as (app, pilot):
        await _opened(app, pilot)
        await pilot.press("e", "j", "enter")
        await until(pilot, lambda: any("no space" in problem.text for problem in app.store.problems))


def test_the_files_hold_every_conflict_with_evidence_and_fix(tmp_path: Path) -> None:
    cluster = production()
    findings = findings_of_night(cluster)
    texts = {
        form: write_findings(tmp_path / "new", cluster, findings, form).read_text("utf-8")
        for form in (Format.MARKDOWN, Format.JSON, Format.CSV)
    }
    for text in texts.values():
        for conflict in findings.conflicts:
            assert conflict.code in text
        assert "New-VMSwitch" in text
        assert "cpu-feature-missing" in text
        assert READ_AT.isoformat(timespec="seconds") in text
    assert len(json.loads(texts[Format.JSON])["conflicts"]) == len(findings.conflicts)
    assert len(texts[Format.CSV].splitlines()) == 1 + len(findings.conflicts) + len(findings.unknown)


def test_a_name_can_be_neither_markup_nor_formula(tmp_path: Path) -> None:
    cluster = production()
    findings = findings_of_night(cluster)
    hostile = findings.conflicts[0]
    named = Subject(vm=VmRef(VmId("8f2b"), "=cmd|'/c'!A1 <b>", None))
    changed = Findings((replace(hostile, subject=named),))
    csv = write_findings(tmp_path, cluster, changed, Format.CSV).read_text("utf-8")
    markdown = write_findings(tmp_path, cluster, changed, Format.MARKDOWN).read_text("utf-8")
    assert ",=cmd" not in csv
    assert "<b>" not in markdown.replace("\\<b\\>", "")
    with pytest.raises(ValueError, match="html"):
        write_findings(tmp_path, cluster, changed, Format.HTML)
