"""What is said of a roll: what it waits for, when it will end, how it ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.drain import roll_events as re
from console.drain.roll_forecast import forecast_end, forecast_ends, pace_of
from console.drain.roll_outlook import roll_exit_code, roll_outcome, sentence_of, standing_of
from console.drain.roll_state import RollState, apply_roll, fold_roll
from console.drain.rolling import waits_for_somebody
from console.drain.state import Outcome
from console.model.identity import HostName, RunId

from .moments import EPOCH, moment

NODES = tuple(HostName(f"HV0{number}") for number in (1, 2, 3))
OPENED = re.RollOpened(
    EPOCH,
    RunId("roll-1"),
    "lab",
    tuple((node,) for node in NODES),
    approve=False,
    hook=("patch",),
    forecast=tuple(re.NodeForecast(node, 10, n * 600, n * 600 + 500, n * 600 + 600) for n, node in enumerate(NODES)),
)  # fmt: skip


def after(*events: re.RollEvent) -> RollState:
    return fold_roll([OPENED, *events])


def one_done(at_s: float, took_s: float, *, status: int | None = 0) -> list[re.RollEvent]:
    began, ended = moment(at_s), moment(at_s + took_s)
    return [
        re.HealthSeen(began, True),
        re.WaveBegan(began, 0),
        re.NodeDrainIntended(began, NODES[0], RunId("run-1")),
        re.NodeDrainEnded(ended, NODES[0], Outcome.DRAINED, 10),
        re.HookIntended(ended, NODES[0]),
        re.HookEnded(ended, NODES[0], status),
        *([re.NodeResumed(ended, NODES[0])] if status == 0 else [re.NodeFailed(ended, NODES[0], "status 3")]),
    ]


def test_before_anything_was_measured_the_plan_tells_the_end() -> None:
    assert forecast_end(after(), {}) == EPOCH + timedelta(seconds=1800)


def test_what_the_done_nodes_took_moves_the_end() -> None:
    state = after(*one_done(0.0, 1200.0))
    assert pace_of(state) == 2.0
    assert forecast_end(state, {}) == moment(1200.0) + timedelta(seconds=2 * 2 * 600)


def test_a_roll_that_nobody_foresaw_has_no_forecast() -> None:
    bare = re.RollOpened(EPOCH, RunId("roll-1"), "lab", ((NODES[0],),))
    assert forecast_end(fold_roll([bare]), {}) is None


def test_the_worst_end_adds_up_as_of_nodes_that_are_late_independently() -> None:
    ends = forecast_ends(after())
    assert ends is not None
    assert (ends[1] - ends[0]).total_seconds() == pytest.approx(0.2 * 600 * 3**0.5)
    late = forecast_ends(after(), now=moment(50.0))
    assert late is not None
    assert late[0] == moment(1850.0)


def test_a_run_that_is_on_tells_the_end_of_its_node() -> None:
    state = after(
        re.WaveBegan(EPOCH, 0),
        re.NodeDrainIntended(EPOCH, NODES[0], RunId("run-1")),
        re.NodeForecastRevised(EPOCH, NODES[0], moment(900.0), moment(1000.0)),
    )
    assert forecast_end(state) == moment(900.0 + 100 + 2 * 600)


def test_a_stopped_roll_counts_no_further_wave() -> None:
    state = after(*one_done(0.0, 600.0), re.RollStopRequested(moment(600.0), "ann"))
    assert forecast_end(state, {}) == moment(600.0)
    assert "nothing more begins" in standing_of(state)


def test_a_failed_node_waits_for_somebody_and_is_what_is_told() -> None:
    state = after(*one_done(0.0, 600.0, status=3))
    assert waits_for_somebody(state)
    assert standing_of(state) == "HV01 failed: status 3"
    assert roll_exit_code(state) == 1


@pytest.mark.parametrize(
    ("events", "outcome", "code"),
    [
        ([], None, 130),
        ([re.RollClosed(moment(9.0), 0, 3, False)], "incomplete", 1),
        ([re.RollStopRequested(moment(8.0), "ann"), re.RollClosed(moment(9.0), 0, 3, True)], "stopped", 4),
        ([re.RollWindowClosed(moment(8.0)), re.RollClosed(moment(9.0), 0, 3, True)], "window_closed", 8),
    ],
)
def test_how_it_ended_is_the_exit_code(events: list[re.RollEvent], outcome: str | None, code: int) -> None:
    state = after(*events)
    assert (roll_outcome(state), roll_exit_code(state)) == (outcome, code)


def test_a_node_that_a_stop_brought_back_without_its_hook_is_left() -> None:
    began = moment(1.0)
    state = after(
        re.WaveBegan(began, 0),
        re.NodeDrainIntended(began, NODES[0], RunId("run-1")),
        re.RollStopRequested(began, "ann"),
        re.NodeDrainEnded(began, NODES[0], Outcome.DRAINED, 10),
        re.NodeResumed(began, NODES[0]),
    )
    assert state.left == NODES
    assert after(*one_done(0.0, 600.0)).left == NODES[1:]


def test_every_event_of_a_roll_that_went_well_is_a_sentence_or_silent() -> None:
    state = fold_roll([OPENED])
    said = []
    for event in one_done(0.0, 600.0):
        state = apply_roll(state, event)
        said.append(sentence_of(event, state))
    assert said == [
        "The cluster is well.",
        "Wave 1 of 3 begins: HV01.",
        "",
        "HV01: drained, 10 VMs moved.",
        "HV01: the hook runs.",
        "HV01: the hook ended with exit status 0.",
        "HV01 is in service again (1 of 3 done).",
    ]
