"""Before there is data, while it is old, and when something is wrong: the console says which, and keeps it."""

from __future__ import annotations

from textual.events import Key
from textual.widgets import Input

from console.checks.values import Severity
from console.model.failures import Unreachable
from console.model.identity import HostName
from screens.grid import Grid
from screens.help import HelpScreen
from tests.screens.driving import console, pass_time, text_of, until
from tests.screens.fakes import FakeOperations, cluster_of
from tests.screens.scenes import SCENES, night_of


async def test_before_the_first_reading_it_says_what_is_read_for_how_long_and_what_failed() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    operations.read_error = Unreachable(HostName("HV01"), "no answer on port 5986 after 20 s.", "Is WinRM running?")
    async with console(operations, (80, 24)) as (app, pilot):
        await until(pilot, lambda: app.store.unread > 0)
        await pass_time(pilot, operations, 12)
        app.screen.look_again()  # type: ignore[attr-defined]
        await pilot.pause()
        text = text_of(app)
        assert "Reading PRODUCTION-01 … 12 s" in text
        assert "no answer on port 5986 after 20 s. Is WinRM running?" in text
        operations.read_error = None
        await pilot.press("f5")
        await until(pilot, lambda: app.store.cluster is not None)
        await pilot.pause()
        assert "4 hosts" in text_of(app)
        assert "Reading" not in text_of(app)


async def test_old_data_says_its_age_and_loses_its_colours_until_it_is_fresh() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    async with console(operations, (120, 40)) as (app, pilot):
        await pilot.pause()
        assert "OLD DATA" not in text_of(app)
        operations.read_error = Unreachable(HostName("HV01"), "no answer.")
        await pass_time(pilot, operations, 60)
        app.screen.look_again()  # type: ignore[attr-defined]
        await pilot.pause()
        assert "OLD DATA, read 1 min" in text_of(app)
        grid = app.screen.hosts  # type: ignore[attr-defined]
        assert grid._row_style(grid.rows[0]) == "text.muted"
        operations.read_error = None
        await pass_time(pilot, operations, 12)
        await until(pilot, lambda: not app.services.stale)
        app.screen.look_again()  # type: ignore[attr-defined]
        await pilot.pause()
        assert "OLD DATA" not in text_of(app)


async def test_a_silent_host_is_unknown_with_its_age_and_a_blocking_conflict_is_on_the_first_screen() -> None:
    operations = night_of(SCENES["board"])
    async with console(operations, (80, 24)) as (app, pilot):
        await pilot.pause()
        text = text_of(app)
        assert "? silent 3m10" in text
        assert "1 silent" in text
        assert "1 conflict blocks: c" in text


async def test_problems_stay_until_they_were_read() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    async with console(operations, (80, 24)) as (app, pilot):
        await pilot.pause()
        assert "! 2 problems" in text_of(app)
        await pass_time(pilot, operations, 40)
        assert app.store.unread == 2
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert "Clock is 4 s off." in text_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.store.unread == 0
        assert "problem" not in text_of(app)
        assert len(app.store.problems) == 2


async def test_the_matrix_shows_each_pair_s_worst_and_unknown_is_not_clean() -> None:
    operations = night_of(SCENES["matrix"])
    async with console(operations, (120, 40)) as (app, pilot):
        await pilot.press("c", "3")
        await pilot.pause()
        rows = {line.split()[0]: line.split()[2:] for line in text_of(app).splitlines() if "-01a" in line}
        assert rows["sql-prod-01a"] == ["–", "✓", "✓", "✗", "✓", "✓", "✓", "✓"]
        assert rows["web-fe-01a"] == ["–", *"↯↯↯↯↯↯↯"]
        assert rows["file-01a"] == ["–", *"✓✓✓✓✓?✓"]
        assert app.store.findings is not None
        assert app.store.findings.conflicts[0].severity is Severity.BLOCKS


async def test_keys_that_come_at_once_after_the_slash_are_the_filters_and_no_commands() -> None:
    """A slow line hands over several in one go: P would pause a run, m would leave the screen."""
    operations = FakeOperations()
    async with console(operations) as (app, pilot):
        await pilot.press("v")
        screen = app.screen
        for key in ("slash", "m", "D", "S", "1"):
            app.post_message(Key(key, "/" if key == "slash" else key))
        await until(pilot, lambda: bool(app.screen.query("#filter-input")))
        await pilot.pause()
        assert app.screen is screen
        assert app.screen.query_one("#filter-input", Input).value == "mDS1"
        await pilot.press("2", "escape")
        for key in ("slash", "s", "q", "l", "enter", "j"):
            app.post_message(Key(key, {"slash": "/", "enter": None}.get(key, key)))
        await until(pilot, lambda: isinstance(screen.focused, Grid) and screen.focused.chosen.text == "sql")
        assert not screen.query("#filter-input")


async def test_the_filter_narrows_while_typing_and_escape_drops_it() -> None:
    operations = night_of(SCENES["board"])
    async with console(operations, (120, 40)) as (app, pilot):
        await pilot.press("v", "slash", *"sql-")
        await pilot.pause()
        grid = app.screen.vms  # type: ignore[attr-defined]
        assert len(grid.rows) == 8
        await pilot.press("enter")
        await pilot.pause()
        assert "8 VMs   of 130, filter sql-" in text_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert len(grid.rows) == 130


async def test_help_and_palette_come_from_the_registry_with_the_keys_of_the_moment() -> None:
    operations = FakeOperations(cluster_of(4, 3))
    async with console(operations, (120, 40), keys={"plan.open": "f9"}) as (app, pilot):
        assert "f9 plan drain" in text_of(app).splitlines()[-1]
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        assert "plan.open" in text_of(app)
        await pilot.press("escape", "colon", *"host hv03", "enter")
        await until(pilot, lambda: "Host HV03" in text_of(app))
        await pilot.press("f2", "f9")
        await until(pilot, lambda: "Plan of HV01" in text_of(app))
