"""A rolling run: waves in order, approval, health, hooks, failback; and a new runner at every boundary."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from console.drain import roll_events as re
from console.drain import rolling as ro
from console.drain.roll_state import Stage, fold_roll
from console.drain.state import Outcome
from console.journal.codec import decode, encode
from console.journal.ledger import ROLLS, rolls_of, runs_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import HostName, RunId

from .moments import EPOCH, moment
from .shop import ROLL, A, B, C, Shop, opened


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
        rolls_of(journal).append(ROLL, shop.journal[:4])
        rolls_of(journal).append(ROLL, shop.journal[4:])
        assert list(rolls_of(journal).events(ROLL)) == shop.journal
        assert rolls_of(journal).load(ROLL) == state
        assert rolls_of(journal).names() == (ROLL,)
        assert runs_of(journal).names() == (), "a roll is no run"
        with pytest.raises(KeyError):
            rolls_of(journal).load(RunId("none"))
        journal._connection.execute("DELETE FROM rolls WHERE seq = 2")
        with pytest.raises(JournalUnusable, match="event 2 of roll roll-1 is missing"):
            rolls_of(journal).load(ROLL)


def test_old_rolls_are_forgotten_once_they_are_closed(tmp_path: Path) -> None:
    shop = Shop(opened())
    shop.run()
    late = moment(10**6)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        rolls_of(journal).append(ROLL, shop.journal[:-1])
        assert rolls_of(journal).forget(late) == 0, "an open one is kept however old it is"
        rolls_of(journal).append(ROLL, shop.journal[-1:])
        assert rolls_of(journal).forget(moment(0.0)) == 0
        assert rolls_of(journal).forget(late) == len(shop.journal)
        assert rolls_of(journal).names() == ()


def test_only_who_holds_a_roll_writes_it(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        token = journal.take_run(ROLL, "here", 1, EPOCH)
        rolls_of(journal).append(ROLL, [opened()], token=token)
        with pytest.raises(JournalUnusable):
            rolls_of(journal).append(ROLL, [re.RollRecovered(EPOCH)], token="another's")


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
    assert {type(event).__name__ for event in every} == set(ROLLS.events)
    assert [decode(encode(event), ROLLS.events) for event in every] == every
