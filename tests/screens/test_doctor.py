"""The doctor's screen: per host and per right, with evidence, and the advice ready to copy."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.diagnose.symptoms import DoctorReport
from screens.doctor import DoctorScreen
from tests.screens.driving import console, text_of, until
from tests.screens.fakes import FakeOperations, cluster_of


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_every_host_and_right_has_its_state_in_a_word_and_a_symbol(size: tuple[int, int]) -> None:
    operations = FakeOperations(cluster_of(8, 2), read_only=True)
    async with console(operations, size) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: app.store.report is not None)
        await pilot.pause()
        text = text_of(app)
        assert isinstance(app.screen, DoctorScreen)
        assert "✗ fail HV03 modules Hyper-V is missing." in " ".join(text.split())
        for words in ("8 hosts", "2 fail", "1 warning", "NAME PORT" if size[0] == 80 else "NAME", "QUOT", "looked now"):
            assert words in text
        assert operations.changes == []


async def test_enter_opens_the_evidence_and_y_copies_the_command() -> None:
    operations = FakeOperations(cluster_of(8, 2))
    async with console(operations, (80, 24)) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: app.store.report is not None)
        screen = app.screen
        assert isinstance(screen, DoctorScreen)
        await pilot.press("g", "enter")
        assert screen.focused is not None
        assert screen.focused.id == "doctor-detail"
        assert "Get-Module answered after 0.4 s, read" in " ".join(text_of(app).split())
        await pilot.press("y")
        assert app.clipboard == "Install-WindowsFeature -Name 'Hyper-V-PowerShell'"


async def test_a_host_opens_its_own_rights() -> None:
    operations = FakeOperations(cluster_of(8, 2))
    async with console(operations) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: app.store.report is not None)
        screen = app.screen
        assert isinstance(screen, DoctorScreen)
        await pilot.press("3", "G", "enter")
        assert {symptom.host for symptom in screen.list.rows} == {"HV08"}
        assert screen.list.has_focus
        await pilot.press("escape")
        assert len({symptom.host for symptom in screen.list.rows}) == 8


async def test_it_says_how_old_it_is_and_looks_again_when_asked() -> None:
    operations = FakeOperations(cluster_of(4, 2))
    async with console(operations) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: app.store.report is not None)
        operations.clock.advance(90)
        app.screen.look_again()  # type: ignore[attr-defined]
        await pilot.pause()
        assert "looked 1 min 30 s ago" in text_of(app)
        await pilot.press("f5")
        await until(pilot, lambda: operations.examined == 2)
        await pilot.pause()
        assert app.store.report is not None
        assert operations.clock.now() - app.store.report.at < timedelta(seconds=1)


async def test_a_doctor_who_can_not_look_says_so() -> None:
    class Broken(FakeOperations):
        async def examine(self) -> DoctorReport:
            raise OSError("the resolver is not there")

    async with console(Broken(cluster_of(4, 2))) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: any(problem.source == "doctor" for problem in app.store.problems))
        await pilot.pause()
        assert "could not look" in text_of(app)
