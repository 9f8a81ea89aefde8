"""A replay: the run's own screen, at any speed, with no way to ask for anything."""

from __future__ import annotations

from console.actions import Effect, actions_on
from console.clock import ManualClock
from console.drain import events as ev
from console.drain.state import MoveState, Outcome
from screens.drained import DrainedScreen
from screens.messages import PlayChosen
from screens.replay import ReplayScreen, pleasant_speed
from screens.run import RunScreen
from tests.screens.driving import Console, console, pass_time, text_of, until
from tests.screens.fakes import FakeOperations, cluster_of, run_of


async def _playing(opened: Console, operations: FakeOperations, *keys: str) -> ReplayScreen:
    app, pilot = opened
    await pilot.press("a")
    await until(pilot, lambda: bool(getattr(app.screen, "runs", None) and app.screen.runs.rows))  # type: ignore[attr-defined]
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(app.screen, ReplayScreen))
    screen = app.screen
    assert isinstance(screen, ReplayScreen)
    return screen


def _ended() -> FakeOperations:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    handle.end(Outcome.DRAINED, verified_empty=True)
    return operations


async def test_it_plays_in_its_own_time_pauses_changes_speed_and_begins_again() -> None:
    operations, clock = _ended(), ManualClock()
    async with console(operations, (80, 24), pace=clock) as opened:
        app, pilot = opened
        screen = await _playing(opened, operations, "p")
        assert (screen.playing, screen.past.moment) == (True, screen.tape.began_at)
        clock.advance(6 / screen.speed)
        screen.turn()
        await pilot.pause()
        text = text_of(app)
        assert text.splitlines()[0].startswith(" REPLAY ")
        assert "emptying HV01" in text
        assert "playing" in text
        state = screen.run_state
        assert state is not None
        assert any(move.state is MoveState.MOVING for move in state.moves.values())

        await pilot.press("p")
        before = screen.past.moment
        clock.advance(1000)
        screen.turn()
        assert screen.past.moment == before
        assert "PAUSED" in text_of(app)

        speed = screen.speed
        await pilot.press("plus", "plus")
        assert screen.speed > speed
        await pilot.press("minus", "minus")
        assert screen.speed == speed
        await pilot.press("p")
        clock.advance(screen.tape.length_s)
        screen.turn()
        await pilot.pause()
        assert (screen.at_end, screen.playing) == (True, False)
        assert "ended: drained" in text_of(app)
        await pilot.press("p")
        assert (screen.playing, screen.past.moment) == (True, screen.tape.began_at)


async def test_nothing_can_be_asked_of_it_and_the_registry_offers_nothing() -> None:
    operations = _ended()
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        screen = await _playing(opened, operations, "p")
        assert all(action.effect is Effect.NONE for action in actions_on("replay"))
        assert not [name for name in dir(screen) if name.startswith("action_run_")]
        assert screen.services.hand is None
        await pilot.press(*"PNHTXBSLFDRA", "plus", "minus")
        await pilot.pause()
        assert app.screen is screen
        assert operations.changes == []


async def test_enter_shows_a_run_as_it_ended_and_r_its_result_while_another_one_goes_on() -> None:
    operations = _ended()
    live = run_of(operations, "HV02")
    async with console(operations, (120, 40)) as opened:
        app, pilot = opened
        app._open_run(live.run)
        await pass_time(pilot, operations, 1)
        screen = await _playing(opened, operations, "G", "enter")
        assert not screen.playing
        await pilot.pause()
        assert "ended: drained" in text_of(app)
        assert "HV02 finish" in text_of(app).splitlines()[0], "the run that is on is still told of"
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, DrainedScreen))
        await pilot.press("escape", "escape", "escape", "r")
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        assert app.store.run is not None
        assert app.store.run.run == live.run


async def test_a_damaged_run_is_a_problem_and_not_the_end() -> None:
    operations = _ended()
    run = next(iter(operations.handles))
    operations.tapes[run] = (ev.NodeClaimed(operations.clock.now()),)
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        app.post_message(PlayChosen(run))
        await until(pilot, lambda: any("damaged" in problem.text for problem in app.store.problems))
        assert app.is_running


def test_a_run_of_any_length_is_told_within_about_a_minute() -> None:
    assert [pleasant_speed(length) for length in (30, 300, 3600, 7200)] == [1, 5, 60, 120]
