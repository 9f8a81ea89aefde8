"""After a run: unmistakable, made known, reported, and the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.app import DrainboardApp
from console.drain.state import MoveState, Outcome, Purpose
from console.notices import Notices, notice, shows_notices
from console.reporting.formats import Format
from screens.choice import ChoiceScreen
from screens.confirm import ConfirmScreen
from screens.drained import DrainedScreen
from screens.giving_back import ReturnScreen
from screens.run import RunScreen
from tests.screens.driving import Console, console, pass_time, text_of, until
from tests.screens.fakes import FakeOperations, FakeRun, cluster_of, run_of


async def _drained(opened: Console, operations: FakeOperations, **changes: object) -> FakeRun:
    app, pilot = opened
    handle = run_of(operations)
    app._open_run(handle.run)
    await pass_time(pilot, operations, 1)
    for vm in handle.state().moves:
        handle.force(vm, state=MoveState.DONE)
    handle.end(Outcome.DRAINED, **changes)
    await pass_time(pilot, operations, 1)
    await until(pilot, lambda: isinstance(app.screen, DrainedScreen))
    await pilot.pause()
    return handle


@pytest.mark.parametrize(
    ("verified", "words"), [(True, "HV01 IS EMPTY: VERIFIED"), (False, "HV01: EMPTINESS NOT VERIFIED")]
)
async def test_empty_and_only_perhaps_empty_can_not_be_confused(verified: bool, words: str) -> None:
    operations = FakeOperations(cluster_of(4, 3))
    async with console(operations, (80, 24)) as opened:
        await _drained(opened, operations, verified_empty=verified)
        assert words in text_of(opened[0])


async def test_the_way_back_is_previewed_confirmed_by_name_and_started_as_a_return() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        await _drained(opened, operations, verified_empty=True)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ReturnScreen))
        screen = app.screen
        assert isinstance(screen, ReturnScreen)
        await until(pilot, lambda: screen.plan is not None)
        assert operations.changes == [], "so far it is a preview"
        assert screen.plan is not None
        slots = screen.plan.slots
        await pilot.press("plus")
        await until(pilot, lambda: screen.plan is not None and screen.plan.slots == slots + 1)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.pause()
        assert "Resume-ClusterNode -Failback NoFailback" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*"hv01", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert operations.changes == [("start_run", "HV01", Purpose.RETURN)]
        await pilot.pause()
        assert "returning VMs to HV01" in text_of(app)
        await pass_time(pilot, operations, 1)
        assert "FROM" in text_of(app), "they all go to one node; where they come from tells them apart"


async def test_a_read_only_console_has_no_way_back() -> None:
    operations = FakeOperations(cluster_of(4, 3), read_only=True)
    async with console(operations, (80, 24)) as opened:
        await _drained(opened, operations, verified_empty=True)
        await opened[1].press("R")
        await opened[1].pause()
        assert isinstance(opened[0].screen, DrainedScreen)
        assert "resume" not in text_of(opened[0]).splitlines()[-1]


@pytest.mark.parametrize(("steps", "form"), list(enumerate(Format, 1)))
async def test_a_report_goes_to_the_folder_that_is_shown(steps: int, form: Format) -> None:
    operations = FakeOperations(cluster_of(4, 3))
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        handle = await _drained(opened, operations, verified_empty=True)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        await pilot.pause()
        assert str(operations.report_folder) in text_of(app)
        await pilot.press(*["j"] * steps, "enter")
        await until(pilot, lambda: bool(operations.reports) and isinstance(app.screen, ChoiceScreen))
        await pilot.pause()
        assert operations.reports == [(handle.run, form)]
        assert f"drainboard-{handle.run}.{form.value}" in text_of(app)


async def test_a_report_that_can_not_be_written_is_a_problem() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    operations.report_error = PermissionError(13, "Permission denied", "/var/reports")
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        await _drained(opened, operations, verified_empty=True)
        await pilot.press("e", "j", "enter")
        await until(pilot, lambda: any("Permission denied" in problem.text for problem in app.store.problems))
        assert isinstance(app.screen, DrainedScreen)


class _Driver:
    """Hears what is written to the terminal."""

    is_web = False

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)


@pytest.mark.parametrize(("bell", "desktop"), [(True, True), (True, False), (False, True), (False, False)])
def test_the_end_makes_itself_known_as_configured(bell: bool, desktop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    app = DrainboardApp(FakeOperations(cluster_of(4, 2)), notices=Notices(bell, desktop))
    driver = _Driver()
    monkeypatch.setattr(app, "_driver", driver)
    monkeypatch.setattr(DrainboardApp, "is_headless", False)
    run = replace(run_of(FakeOperations(cluster_of(4, 2))).state(), outcome=Outcome.WINDOW_CLOSED)
    app._make_known(run)
    assert driver.written == ["\07"] * bell + ["\x1b]9;Drainboard: HV01 window closed\x07"] * desktop


def test_a_notice_is_one_sequence_whatever_the_node_is_called() -> None:
    run = run_of(FakeOperations(cluster_of(4, 2))).state()
    text = notice(replace(run, node="HV\x1b]0;evil\x07\n01", outcome=Outcome.DRAINED))  # type: ignore[arg-type]
    assert text.startswith("\x1b]9;Drainboard: ")
    assert text.count("\x1b") == text.count("\x07") == 1
    assert text.endswith("\x07")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_show_a_notice_are_asked_by_themselves(environment: dict[str, str], shown: bool) -> None:
    assert shows_notices(environment) is shown
