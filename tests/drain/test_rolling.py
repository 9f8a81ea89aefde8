"""A rolling run: waves in order, approval, health, hooks, failback; and a new runner at every boundary."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from console.drain import roll_events as re
from console.drain import rolling as ro
from console.drain.roll_state import RollState, Stage, fold_roll
from console.drain.state import Outcome
from console.journal.codec import ROLL_EVENT_TYPES, decode_roll_event, encode_roll_event
from console.journal.rolls import append_roll, load_roll, roll_events, rolls
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import HostName, RunId

from .moments import EPOCH, moment

ROLL = RunId("roll-1")
A, B, C = HostName("HV01"), HostName("HV02"), HostName("HV03")


def opened(**changes: object) -> re.RollOpened:
    values: dict[str, object] = {
        "waves": ((A,), (B,), (C,)),
        "hook": ("patch", "--now"),
        "approve": False,
        "operator": "ann",
        **changes,
    }
    return re.RollOpened(EPOCH, ROLL, "lab", **values)  # type: ignore[arg-type]


def _well(run: str) -> Outcome:
    return Outcome.RETURNED if "-back-" in run else Outcome.DRAINED


@dataclass
class Shop:
    """Runs a roll against a cluster that does what it is told, a little later, and counts what it was told."""

    opening: re.RollOpened
    outcome: Callable[[HostName, str], Outcome] = lambda node, run: _well(run)
    status: Callable[[HostName], int | None] = lambda node: 0
    well: Callable[[float], bool] = lambda now_s: True
    resume: Callable[[HostName], str] = lambda node: ""
    drains: dict[str, float] = field(default_factory=dict)
    """Run → when it began."""
    hooks: list[HostName] = field(default_factory=list)
    resumed: list[HostName] = field(default_factory=list)
    out_at_once: int = 0
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.journal: list[re.RollEvent] = [self.opening]
        self.state = fold_roll(self.journal)
        self.queue: list[ro.RollSignal] = []

    def send(self, signal: ro.RollSignal) -> ro.RollStep:
        taken = ro.step_roll(self.state, signal)
        self.journal += taken.events
        self.state = taken.state
        assert fold_roll(self.journal) == self.state
        return taken

    def carry_out(self, commands: tuple[ro.RollCommand, ...]) -> None:
        for command in commands:
            answer = self._perform(command)
            if answer is not None:
                self.queue.append(answer)

    def press(self, signal: ro.RollSignal) -> None:
        self.carry_out(self.send(signal).commands)

    def _perform(self, command: ro.RollCommand) -> ro.RollSignal | None:
        at = moment(self.now_s + 1.0)
        match command:
            case ro.LookAtDrain(node, run, _, _):
                began = self.drains.setdefault(run, self.now_s)
                over = self.now_s - began >= 20.0
                return ro.DrainSeen(at, node, run, self.outcome(node, run) if over else None)
            case ro.RunHook(node, _, _):
                self.hooks.append(node)
                return ro.HookSeen(at, node, self.status(node), "output")
            case ro.ResumeNode(node):
                self.resumed.append(node)
                return ro.ResumeSeen(at, node, self.resume(node))
            case ro.ReadHealth():
                return ro.HealthRead(at, self.well(self.now_s), "" if self.well(self.now_s) else "a storage job runs")
        return None

    def turn(self) -> None:
        """One tick, and all the answers that follow from it."""
        self.carry_out(self.send(ro.RollTicked(moment(self.now_s))).commands)
        while self.queue:
            self.carry_out(self.send(self.queue.pop(0)).commands)
        self.out_at_once = max(self.out_at_once, sum(_out(stage) for stage in self.stages()))
        self.now_s += 5.0

    def run(self, turns: int = 200) -> RollState:
        for _ in range(turns):
            if self.state.closed:
                break
            self.turn()
        return self.state

    def stages(self) -> list[Stage]:
        return [node.stage for node in self.state.nodes.values()]


def _out(stage: Stage) -> bool:
    return stage in (Stage.DRAINING, Stage.DRAINED, Stage.SERVICING, Stage.SERVICED, Stage.RESUMING)


def test_node_after_node_is_drained_worked_on_and_resumed() -> None:
    shop = Shop(opened())
    state = shop.run()
    assert state.closed
    assert shop.stages() == [Stage.DONE] * 3
    assert shop.hooks == shop.resumed == [A, B, C]
    assert len(shop.drains) == 3
    assert shop.out_at_once == 1
    closed = shop.journal[-1]
    assert isinstance(closed, re.RollClosed)
    assert (closed.done, closed.skipped) == (3, 0)


def test_a_wave_takes_its_nodes_together() -> None:
    shop = Shop(opened(waves=((A, B), (C,))))
    assert shop.run().closed
    assert shop.out_at_once == 2


def test_each_wave_but_the_first_waits_for_its_own_approval() -> None:
    shop = Shop(opened(approve=True))
    shop.run(30)
    assert shop.stages() == [Stage.DONE, Stage.WAITING, Stage.WAITING]
    assert shop.state.waits_for_approval == 1
    assert ro.hold_reason_of_roll(shop.state) == "wave 2 waits for approval"
    shop.press(ro.Approve(moment(shop.now_s), "ann", 2))
    assert isinstance(shop.journal[-1], re.RollRefused), "a press meant for another wave approves nothing"
    shop.press(ro.Approve(moment(shop.now_s), "ann", 1))
    shop.run(30)
    assert shop.stages() == [Stage.DONE, Stage.DONE, Stage.WAITING]


def test_storage_and_quorum_are_asked_between_waves() -> None:
    shop = Shop(opened(), well=lambda now_s: now_s < 10.0 or now_s > 300.0)
    shop.run(40)
    assert shop.stages() == [Stage.DONE, Stage.WAITING, Stage.WAITING]
    assert "a storage job runs" in (ro.hold_reason_of_roll(shop.state) or "")
    assert shop.run().closed


def test_nothing_begins_before_the_health_was_read() -> None:
    shop = Shop(opened())
    assert not any(isinstance(command, ro.LookAtDrain) for command in shop.send(ro.RollTicked(EPOCH)).commands)


@pytest.mark.parametrize(("status", "words"), [(3, "ended with status 3"), (None, "did not end: output")])
def test_a_hook_that_fails_stops_the_roll_with_the_node_still_drained(status: int | None, words: str) -> None:
    answers = iter([status, 0, 0, 0])
    shop = Shop(opened(), status=lambda node: next(answers))
    shop.run(30)
    assert shop.stages() == [Stage.FAILED, Stage.WAITING, Stage.WAITING]
    assert words in shop.state.nodes[A].reason
    assert shop.resumed == []
    shop.press(ro.RetryNode(moment(shop.now_s), "ann", A))
    assert shop.run().closed
    assert shop.hooks == [A, A, B, C]
    assert len(shop.drains) == 3, "the node was drained already"


def test_a_drain_that_fails_is_tried_again_under_a_new_run_or_skipped() -> None:
    shop = Shop(opened(), outcome=lambda node, run: Outcome.FAILED if run.endswith("HV01-1") else Outcome.DRAINED)
    shop.run(20)
    assert "ended as failed" in shop.state.nodes[A].reason
    shop.press(ro.RetryNode(moment(shop.now_s), "ann", A))
    assert shop.run().closed
    assert [run for run in shop.drains if "HV01" in run] == ["roll-1-HV01-1", "roll-1-HV01-2"]
    other = Shop(opened(), outcome=lambda node, run: Outcome.FAILED if node == B else Outcome.DRAINED)
    other.run(30)
    other.press(ro.SkipNode(moment(other.now_s), "ann", B))
    assert other.run().closed
    assert other.stages() == [Stage.DONE, Stage.SKIPPED, Stage.DONE]
    assert "skipped by ann" in other.state.nodes[B].reason


def test_a_node_that_can_not_be_resumed_stops_the_roll() -> None:
    shop = Shop(opened(), resume=lambda node: "access denied" if len(shop.resumed) < 3 else "")
    shop.run(20)
    assert shop.state.nodes[A].stage is Stage.FAILED
    assert "access denied" in shop.state.nodes[A].reason


def test_with_failback_the_vms_return_before_the_next_wave() -> None:
    shop = Shop(opened(failback=True, waves=((A,), (B,))))
    assert shop.run().closed
    assert list(shop.drains) == ["roll-1-HV01-1", "roll-1-HV01-back-1", "roll-1-HV02-1", "roll-1-HV02-back-1"]


def test_a_stop_brings_back_what_is_out_and_begins_nothing() -> None:
    shop = Shop(opened())
    shop.turn()
    assert shop.stages()[0] is Stage.DRAINING
    shop.press(ro.StopRoll(moment(shop.now_s), "ann"))
    assert shop.run().closed
    assert shop.stages() == [Stage.DONE, Stage.SKIPPED, Stage.SKIPPED]
    assert shop.hooks == [], "nobody wants it worked on any more"
    assert set(shop.resumed) == {A}


def test_requests_for_nodes_that_have_not_failed_are_refused() -> None:
    shop = Shop(opened())
    for node in (A, HostName("nobody")):
        shop.press(ro.RetryNode(EPOCH, "ann", node))
        assert isinstance(shop.journal[-1], re.RollRefused)


@pytest.mark.parametrize("seed", range(30))
def test_a_new_runner_at_any_boundary_finishes_and_does_nothing_twice(seed: int) -> None:
    dice = random.Random(seed)
    shop = Shop(opened(failback=dice.random() < 0.5, waves=dice.choice([((A,), (B,), (C,)), ((A, B), (C,))])))
    shop.run(dice.randint(1, 25))
    del shop.journal[dice.randint(1, len(shop.journal)) :]
    shop.state, shop.queue = fold_roll(shop.journal), []
    for event in ro.recover_roll(shop.state, moment(shop.now_s)):
        shop.journal.append(event)
    shop.state = fold_roll(shop.journal)
    for _ in range(300):
        for node in shop.state.failed:
            assert "hook" in node.reason
            shop.press(ro.RetryNode(moment(shop.now_s), "ann", node.name))
        if shop.state.closed:
            break
        shop.turn()
    assert shop.stages() == [Stage.DONE] * 3
    assert len({run for run in shop.drains if "back" not in run}) == 3, "no node was drained a second time"


def test_a_closed_roll_answers_nothing() -> None:
    shop = Shop(opened())
    shop.run()
    assert ro.step_roll(shop.state, ro.RollTicked(moment(9999))).commands == ()


# in the journal


def test_events_come_back_equal_through_the_journal(tmp_path: Path) -> None:
    shop = Shop(opened(failback=True))
    state = shop.run()
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        append_roll(journal, ROLL, shop.journal[:4])
        append_roll(journal, ROLL, shop.journal[4:])
        assert list(roll_events(journal, ROLL)) == shop.journal
        assert load_roll(journal, ROLL) == state
        assert rolls(journal) == (ROLL,)
        assert journal.runs() == (), "a roll is no run"
        with pytest.raises(KeyError):
            load_roll(journal, RunId("none"))
        journal._connection.execute("DELETE FROM rolls WHERE seq = 2")
        with pytest.raises(JournalUnusable, match="event 2 of roll roll-1 is missing"):
            load_roll(journal, ROLL)


def test_old_rolls_are_forgotten_once_they_are_closed(tmp_path: Path) -> None:
    shop = Shop(opened())
    shop.run()
    late = moment(10**6)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        append_roll(journal, ROLL, shop.journal[:-1])
        assert journal.prune(late) == 0, "an open one is kept however old it is"
        append_roll(journal, ROLL, shop.journal[-1:])
        assert journal.prune(moment(0.0)) == 0
        assert journal.prune(late) == len(shop.journal)
        assert rolls(journal) == ()


def test_only_who_holds_a_roll_writes_it(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        token = journal.take_run(ROLL, "here", 1, EPOCH)
        append_roll(journal, ROLL, [opened()], token=token)
        with pytest.raises(JournalUnusable):
            append_roll(journal, ROLL, [re.RollRecovered(EPOCH)], token="another's")


def test_every_kind_of_event_comes_back_equal() -> None:
    every: list[re.RollEvent] = [
        opened(),
        re.WaveApproved(EPOCH, 1, "ann"),
        re.WaveBegan(EPOCH, 0),
        re.NodeDrainIntended(EPOCH, A, ROLL),
        re.NodeDrainEnded(EPOCH, A, Outcome.DRAINED),
        re.HookIntended(EPOCH, A),
        re.HookEnded(EPOCH, A, None, "x"),
        re.ResumeIntended(EPOCH, A),
        re.NodeResumed(EPOCH, A),
        re.ReturnIntended(EPOCH, A, ROLL),
        re.ReturnEnded(EPOCH, A, Outcome.DRAINED),
        re.ReturnOmitted(EPOCH, A, "why"),
        re.NodeForecastRevised(EPOCH, A, EPOCH, EPOCH),
        re.NodeFailed(EPOCH, A, "why"),
        re.NodeRetried(EPOCH, A, "ann"),
        re.NodeSkipped(EPOCH, A, "why"),
        re.HealthSeen(EPOCH, False, "why"),
        re.RollStopRequested(EPOCH, "ann"),
        re.RollWindowAtRisk(EPOCH, 60.0),
        re.RollWindowSafe(EPOCH),
        re.RollWindowClosed(EPOCH),
        re.RollRefused(EPOCH, "x", "why"),
        re.RollRecovered(EPOCH),
        re.RollClosed(EPOCH, 1, 0, False),
    ]
    assert {type(event).__name__ for event in every} == set(ROLL_EVENT_TYPES)
    assert [decode_roll_event(encode_roll_event(event)) for event in every] == every


# the maintenance window


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
