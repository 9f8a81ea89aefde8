"""The run's screen: it says why, it greys what can not be asked, and the forecast of the finish is everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console import guard
from console.actions import BY_ID
from console.checks.values import Findings, Subject
from console.drain import requests
from console.drain.finish import why_no_finish
from console.drain.setting_state import SettingChange
from console.drain.settings import SMB_FACTOR
from console.drain.state import GuardReading, MoveState, Outcome, Pace
from console.model.cluster import MigrationTransport
from console.model.failures import Unreachable
from console.model.identity import HostName
from screens.drained import DrainedScreen
from screens.gauges import gauge_lines, guard_words, slots_line
from screens.lines import Pager
from screens.paint import Look
from screens.run import RunScreen
from screens.run_tables import finish_words, move_rows, totals
from screens.watch import without_own
from tests.builders import READ_AT
from tests.screens.driving import Console, console, pass_time, text_of, until
from tests.screens.fakes import FakeOperations, FakeRun, cluster_of, run_of
from themes.loader import load_themes

LOOK = Look(load_themes()[0]["dark"])


def _words(lines: object) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)  # type: ignore[attr-defined]


async def _opened(opened: Console, operations: FakeOperations, handle: FakeRun) -> RunScreen:
    opened[0]._open_run(handle.run)
    await pass_time(opened[1], operations, 2)
    screen = opened[0].screen
    assert isinstance(screen, RunScreen)
    return screen


async def test_what_is_blocked_failed_or_unknown_says_why_in_its_row_at_80_by_24() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (80, 24)) as opened:
        await _opened(opened, operations, handle)
        waiting = [m.vm.id for m in handle.state().moves.values() if m.state is MoveState.PLANNED]
        handle.force(waiting[0], state=MoveState.BLOCKED, reason="HV03 is full; T tries elsewhere")
        handle.force(waiting[1], state=MoveState.FAILED, reason="sign-in refused; add delegation")
        handle.force(waiting[2], state=MoveState.UNKNOWN)
        await pass_time(opened[1], operations, 1)
        text = text_of(opened[0])
        assert "HV03 is full; T tries elsewhere" in text
        assert "sign-in refused; add delegation" in text
        assert "contact lost: nobody knows yet" in text
        assert "1 unknown   1 failed   1 blocked" in text
        assert "finish 02:0" in text.splitlines()[0]


async def test_keys_that_can_not_be_used_say_so_and_ask_nothing() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (120, 40)) as opened:
        app, pilot = opened
        screen = await _opened(opened, operations, handle)
        await pilot.press("H", "T", "B")
        assert handle.requests == []
        assert "not started" in screen.refusal(BY_ID["run.hold"])
        assert "SMB transport" in screen.refusal(BY_ID["run.bandwidth"])
        await pilot.press("X", "j", "enter")
        await pilot.pause()
        assert [type(request) for request in handle.requests] == [requests.CancelMove]
        await pilot.press("g")
        failed = next(m.vm.id for m in handle.state().moves.values() if m.state is MoveState.FAILED)
        await until(pilot, lambda: screen.moves.move_to(failed))
        await pilot.press("T")
        assert handle.requests[-1] == requests.RetryMove(failed)
        assert app.is_running


async def test_bandwidth_is_shared_out_over_smb() -> None:
    cluster = cluster_of(4, 6)
    hosts = tuple(replace(host, migration_transport=MigrationTransport.SMB) for host in cluster.hosts)
    operations = FakeOperations(replace(cluster, hosts=hosts))
    handle = run_of(operations)
    async with console(operations, (120, 40)) as opened:
        await _opened(opened, operations, handle)
        await opened[1].press("B", "j", "j", "enter")
        await opened[1].pause()
    assert handle.requests == [requests.SetBandwidthCap(2500)]


async def test_leaving_it_running_asks_nothing_of_it_and_ends_with_the_code_of_a_detached_run() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (80, 24)) as opened:
        await _opened(opened, operations, handle)
        await opened[1].press("ctrl+q", "j", "enter")
        await opened[1].pause()
    assert handle.requests == []
    assert opened[0].return_value == 5


async def test_a_request_that_does_not_get_through_keeps_the_console_open() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)

    def refuse(_: object) -> None:
        raise Unreachable(HostName("HV01"), "the runner does not answer.")

    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        await _opened(opened, operations, handle)
        handle.request = refuse  # type: ignore[method-assign]
        await pilot.press("ctrl+q", "G", "enter")
        await pilot.pause()
        assert app.is_running
        assert any("does not answer" in problem.text for problem in app.store.problems)


async def test_a_locked_journal_is_a_problem_and_the_next_look_works() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (80, 24)) as opened:
        await _opened(opened, operations, handle)
        handle.errors.append(OSError("database is locked"))
        await pass_time(opened[1], operations, 3)
        assert any("database is locked" in problem.text for problem in opened[0].store.problems)
        assert "emptying HV01" in text_of(opened[0])


async def test_the_end_is_shown_once_and_says_what_is_not_verified() -> None:
    operations = FakeOperations(cluster_of(4, 2))
    handle = run_of(operations)
    async with console(operations, (80, 24)) as opened:
        app, pilot = opened
        await _opened(opened, operations, handle)
        handle.end(Outcome.DRAINED, verified_empty=False)
        await pass_time(pilot, operations, 2)
        await until(pilot, lambda: isinstance(app.screen, DrainedScreen))
        await pilot.pause()
        assert "was NOT verified" in text_of(app)
        await pilot.press("escape")
        await pass_time(pilot, operations, 2)
        assert isinstance(app.screen, RunScreen)
        await pilot.press("ctrl+q")
    assert app.return_value == 0


def test_a_move_that_takes_longer_than_foreseen_at_worst_makes_the_finish_unknown() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    operations.clock.advance(3)
    run = handle.state()
    moving = next(m for m in run.moves.values() if m.state is MoveState.MOVING)
    late = replace(moving, started_at=run.now - timedelta(seconds=moving.forecast_p90_s + 1))
    run = replace(run, moves={**run.moves, moving.vm.id: late})
    assert why_no_finish(run) == "", "others still take longer"
    run = replace(run, forecast_finish_p90_at=run.now)
    assert why_no_finish(run) == "1 move overdue"


def test_the_forecast_turns_warning_before_it_turns_bad() -> None:
    run = run_of(FakeOperations(cluster_of(4, 6))).state()
    run = replace(run, forecast_finish_p50_at=READ_AT + timedelta(minutes=50),
                  forecast_finish_p90_at=READ_AT + timedelta(minutes=70))  # fmt: skip
    for minutes, words, style in ((90, "20m00 to spare", "text.good"), (60, "10m00 over", "text.warning"),
                                  (40, "30m00 over", "text.bad")):  # fmt: skip
        line = finish_words(replace(run, window_ends_at=READ_AT + timedelta(minutes=minutes)))
        assert line[-1] == (f"  {words}", style)
    assert "finish 02:50, 03:10 at worst" in _words(totals(run, LOOK, 100))


def test_what_needs_eyes_comes_first_and_what_is_slow_is_coloured() -> None:
    handle = run_of(FakeOperations(cluster_of(4, 6)))
    last = list(handle.state().moves)[-1]
    handle.force(last, state=MoveState.UNKNOWN, pace=Pace.STUCK)
    assert move_rows(handle.state())[0].move.vm.id == last


def test_the_guard_s_readings_stand_beside_their_lines_and_turn_bad_when_they_cross() -> None:
    run = run_of(FakeOperations(cluster_of(4, 6))).state()
    values = {guard.CSV_LATENCY: 0.062, guard.FREE_MEMORY: 0.02, guard.HOST_CPU: 0.4}
    run = replace(run, guard=GuardReading(READ_AT, values, ("CSV latency 62 ms is over 50 ms",), True))
    lines = gauge_lines(run, (1e9,), {}, guard.Lines(), LOOK, 46)
    assert "62 ms ≤ 50 ms" in _words(lines)
    assert "2 % ≥ 3 %" in _words(lines)
    styles = {line[0][0].strip(): line[2][1] for line in lines}
    assert styles == {
        "link": "text.strong", "CSV latency": "text.bad", "least free RAM": "text.bad", "busiest CPU": "text.strong",
    }  # fmt: skip
    assert "HOLDING new starts" in _words(guard_words(run, 60))
    assert "the guard keeps back 1" in _words([slots_line(replace(run, guard_slots=1, slots=2), LOOK)])
    assert "0 slots: nothing starts" in _words([slots_line(replace(run, slots=0), LOOK)])


def test_what_the_guard_turned_down_stands_on_its_line() -> None:
    change = SettingChange(SMB_FACTOR, "2500", "3000", touched=True, wanted="6000", in_force="3000", by_guard=True)
    run = run_of(FakeOperations(cluster_of(4, 6))).state()
    run = replace(run, settings_changed=(change,), guard=GuardReading(READ_AT, {guard.CSV_LATENCY: 0.001}))
    assert f"{SMB_FACTOR} turned down to 3000, of 6000" in _words(guard_words(run, 60))
    back = replace(change, after="6000")
    assert SMB_FACTOR not in _words(guard_words(replace(run, settings_changed=(back,)), 60))


async def test_a_stuck_move_says_so_everywhere_and_no_finish_is_promised() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    reason = (
        "no progress for 30 min at 61 %: the guest dirties memory faster. What can be done, in order: 1. look; 2. go"
    )
    for size in ((80, 24), (120, 40)):
        async with console(operations, size) as opened:
            await _opened(opened, operations, handle)
            moving = next(m for m in handle.state().moves.values() if m.state is MoveState.MOVING)
            handle.force(moving.vm.id, pace=Pace.STUCK, reason=reason)
            await pass_time(opened[1], operations, 1)
            text = text_of(opened[0])
            assert "STUCK · X: what can be done" in text
            assert "1 STUCK" in text
            assert "finish not known: 1 move stuck" in text
            assert "finish not known" in text.splitlines()[0]
            assert "What can be done, in order" in " ".join(text.split())


def test_a_vm_that_the_run_moves_itself_stands_in_nobody_s_way() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    run = run_of(operations).state()
    own, other = next(iter(run.moves.values())).vm, operations.cluster.vms_on(HostName("HV02"))[0].ref
    conflict = operations.check(operations.cluster).conflicts[0]
    moving = [replace(conflict, code="vm-already-migrating", subject=Subject(vm=vm)) for vm in (own, other)]
    both = Findings((*moving, replace(conflict, subject=Subject(vm=own))))
    assert [c.subject.vm for c in without_own(both, run).conflicts] == [other, own]
    assert without_own(both, None) is both


async def test_the_end_of_the_log_stays_in_sight_until_somebody_scrolls_back() -> None:
    operations = FakeOperations(cluster_of(4, 6))
    handle = run_of(operations)
    async with console(operations, (120, 40)) as opened:
        app, pilot = opened
        screen = await _opened(opened, operations, handle)
        log = screen.query_one("#run-log", Pager)
        for number in range(60):
            handle.say(f"line {number}")
            await pass_time(pilot, operations, 1)
        await pilot.pause()
        assert "line 59" in text_of(app)
        await pilot.press("3", "k", "k")
        await pilot.pause()
        before = log.scroll_offset.y
        for number in range(60, 65):
            handle.say(f"line {number}")
            await pass_time(pilot, operations, 1)
        assert log.scroll_offset.y == before
