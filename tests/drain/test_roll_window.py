"""The maintenance window of a rolling run: warned of early, nothing begun after it, nothing cut off by it."""

from __future__ import annotations

import pytest

from console.drain import roll_events as re
from console.drain import rolling as ro
from console.drain.roll_state import Stage
from console.drain.state import Outcome
from console.model.identity import HostName, RunId

from .moments import moment
from .shop import ROLL, A, B, C, Shop, opened


def forecasts(*lengths_s: float) -> tuple[re.NodeForecast, ...]:
    starts = [sum(lengths_s[:place]) for place in range(len(lengths_s))]
    return tuple(
        re.NodeForecast(node, 4, start, start + length_s, start + length_s)
        for node, start, length_s in zip((A, B, C), starts, lengths_s, strict=True)
    )


def test_it_warns_once_and_early_and_takes_the_warning_back_when_there_is_time_to_spare() -> None:
    shop = Shop(opened(forecast=forecasts(200.0, 200.0, 200.0), window_ends_at=moment(500.0)))
    shop.run(3)
    assert [type(event) for event in shop.journal if isinstance(event, re.RollWindowAtRisk)] == [re.RollWindowAtRisk]
    assert shop.state.window_at_risk
    shop.run(20)  # the first node took 40 s instead of 200
    assert isinstance(next(e for e in shop.journal if isinstance(e, re.RollWindowSafe)), re.RollWindowSafe)
    assert not shop.state.window_at_risk


def test_after_the_window_no_node_begins_and_what_is_out_comes_back_without_its_hook() -> None:
    cut = {f"{ROLL}-HV02-1": Outcome.WINDOW_CLOSED}
    shop = Shop(opened(window_ends_at=moment(40.0)), outcome=lambda node, run: cut.get(run, Outcome.DRAINED))
    state = shop.run()
    assert state.closed
    assert shop.stages() == [Stage.DONE, Stage.SKIPPED, Stage.SKIPPED]
    assert (shop.hooks, shop.resumed) == ([A], [A, B])
    assert state.nodes[B].reason == "the maintenance window ended before it was empty"
    assert state.nodes[C].reason == "not begun: the maintenance window ended"
    assert (state.window_closed, state.left) == (True, (B, C))


def test_a_hook_that_runs_when_the_window_ends_is_let_finish() -> None:
    shop = Shop(opened(window_ends_at=moment(30.0)))
    shop.press(ro.RollTicked(moment(0.0)))
    shop.send(ro.HealthRead(moment(1.0), True))
    run = RunId(f"{ROLL}-HV01-1")
    shop.send(ro.DrainSeen(moment(20.0), A, run, Outcome.DRAINED))
    taken = shop.send(ro.RollTicked(moment(31.0)))
    assert any(isinstance(event, re.RollWindowClosed) for event in taken.events)
    assert shop.state.nodes[A].stage is Stage.SERVICING
    taken = shop.send(ro.HookSeen(moment(40.0), A, 0))
    assert ro.ResumeNode(A) in taken.commands
    shop.send(ro.ResumeSeen(moment(41.0), A))
    assert (shop.state.closed, shop.state.nodes[A].stage) == (True, Stage.DONE)


def test_no_return_begins_after_the_window_and_one_that_it_cut_short_is_no_failure() -> None:
    shop = Shop(opened(failback=True, hook=(), window_ends_at=moment(15.0)))
    state = shop.run()
    assert not any(isinstance(event, re.ReturnIntended) for event in shop.journal)
    assert "could return" in state.nodes[A].reason
    assert (state.closed, state.nodes[A].stage) == (True, Stage.DONE)

    def cut(node: HostName, run: str) -> Outcome:
        return Outcome.WINDOW_CLOSED if "-back-" in run else Outcome.DRAINED

    shop = Shop(opened(failback=True, hook=(), window_ends_at=moment(30.0)), outcome=cut)
    state = shop.run()
    assert any(isinstance(event, re.ReturnEnded) for event in shop.journal)
    assert (state.closed, state.nodes[A].stage, state.failed) == (True, Stage.DONE, ())


def test_what_a_run_foresees_is_noted_when_it_changes_and_forgotten_with_the_run() -> None:
    shop = Shop(opened(forecast=forecasts(100.0, 100.0, 100.0)))
    shop.press(ro.RollTicked(moment(0.0)))
    shop.send(ro.HealthRead(moment(1.0), True))
    run = RunId(f"{ROLL}-HV01-1")

    def seen(at_s: float, ends_s: float) -> int:
        ends = (moment(ends_s), moment(ends_s + 50))
        return len(shop.send(ro.DrainSeen(moment(at_s), A, run, None, ends_p50_at=ends[0], ends_p90_at=ends[1])).events)

    assert [seen(5.0, 300.0), seen(10.0, 310.0), seen(15.0, 400.0)] == [1, 0, 1]
    assert shop.state.nodes[A].ends_p50_at == moment(400.0)
    shop.send(ro.DrainSeen(moment(20.0), A, run, Outcome.DRAINED))
    assert shop.state.nodes[A].ends_p50_at is None


@pytest.mark.parametrize("fails_at", ["drain", "hook"])
def test_a_failed_node_holds_the_roll_after_the_window_and_trying_again_only_brings_it_back(fails_at: str) -> None:
    shop = Shop(
        opened(window_ends_at=moment(60.0)),
        outcome=lambda node, run: Outcome.FAILED if fails_at == "drain" else Outcome.DRAINED,
        status=lambda node: 3,
    )
    shop.run(30)
    assert (shop.state.closed, shop.state.window_closed) == (False, True)
    assert ro.waits_for_somebody(shop.state)
    before = (len(shop.drains), len(shop.hooks))
    shop.press(ro.RetryNode(moment(shop.now_s), "ann", A))
    state = shop.run(5)
    assert state.closed
    assert set(shop.resumed) == {A}
    assert (len(shop.drains), len(shop.hooks)) == before
    assert A in state.left
