"""From the start to a verified end: success is never inferred, silence is never failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import move_events as mv
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.facts import Arrival, Sight
from console.drain.following import late_ones
from console.drain.rules import AUTHENTICATION, WINDOWS_TRANSIENT, Rules
from console.drain.state import MoveState, Outcome, Pace, Phase
from console.model.cluster import GroupState
from console.model.identity import HostName

from .desk import UNANSWERED, Desk, desk, node, refused

HV02, HV03 = HostName("HV02"), HostName("HV03")


def flying(rules: Rules | None = None) -> Desk:
    return desk(2, rules).claim().start(0)


def come_back(table: Desk, code: int | None = None, cause: str = "") -> Desk:
    """Seen at rest on its source twice, with what the event log tells in between."""
    table.send(sg.ProgressRead, (Sight(table.vm(0), HostName("HV01"), GroupState.ONLINE, code=code),), at_s=60.0)
    assert table.asked(cmd.ReadCause)
    if cause or code is not None:
        table.send(sg.CauseFound, table.vm(0), cause or f"error {code}", code)
    return table.send(sg.ProgressRead, (Sight(table.vm(0), HostName("HV01"), GroupState.ONLINE, code=code),), at_s=64.0)


def test_an_arrival_is_verified_before_it_is_called_done() -> None:
    table = flying().see(0, HV02)
    assert table.move(0).state is MoveState.VERIFYING
    assert table.asked(cmd.VerifyArrival) == [cmd.VerifyArrival(table.vm(0), HV02)]
    table.send(sg.ArrivalRead, table.vm(0), HV02, Arrival(HV02, GroupState.ONLINE, 2, 6))
    assert table.move(0).state is MoveState.DONE
    assert table.asked(cmd.ReadBlackout)
    table.send(sg.BlackoutRead, table.vm(0), 0.4)
    assert table.move(0).blackout_s == 0.4


@pytest.mark.parametrize(
    ("arrival", "words"),
    [
        (Arrival(HV02, GroupState.ONLINE, 2, 2), "heartbeat did not come back"),
        (Arrival(HV02, GroupState.ONLINE, 3, None), "does not run"),
        (Arrival(HV02, GroupState.FAILED, 2, 6), "role is failed"),
        (Arrival(HostName("HV01"), GroupState.ONLINE, 2, 6), "went back to HV01"),
    ],
)
def test_an_arrival_that_is_not_well_fails_only_after_patience(arrival: Arrival, words: str) -> None:
    table = flying().see(0, HV02)
    table.send(sg.ArrivalRead, table.vm(0), HV02, arrival)
    assert table.move(0).state is MoveState.VERIFYING
    table.send(sg.ArrivalRead, table.vm(0), HV02, arrival, at_s=400.0)
    assert table.move(0).state is MoveState.FAILED
    assert words in table.move(0).reason


def test_a_host_that_does_not_answer_leaves_the_vm_unknown_and_late_word_still_counts() -> None:
    table = flying().see(0, HV02)
    table.send(sg.ArrivalRead, table.vm(0), HV02, None, "no answer", at_s=400.0)
    assert table.move(0).state is MoveState.UNKNOWN
    assert not table.move(0).occupies_slot
    table.send(sg.ArrivalRead, table.vm(0), HV02, Arrival(HV02, GroupState.ONLINE, 2, 6))
    assert table.move(0).state is MoveState.DONE


def test_at_rest_on_its_source_is_failed_only_at_the_second_look() -> None:
    table = flying()
    assert table.see(0).move(0).state is MoveState.MOVING
    come_back(table, 0x80004005, "Unspecified error")
    assert table.move(0).state is MoveState.FAILED
    assert table.move(0).reason == "Unspecified error"
    assert table.move(0).failure_code == 0x80004005


@pytest.mark.parametrize("code", sorted(WINDOWS_TRANSIENT))
def test_a_passing_cause_is_tried_once_more_and_elsewhere_and_only_once(code: int) -> None:
    table = come_back(flying(), code)
    assert table.told(mv.MoveRetried)[0].automatic
    assert table.asked(cmd.Replan) == [cmd.Replan(table.vm(0), at_once=False)]
    assert table.move(0).tried == (HV02,)
    assert not table.asked(cmd.StartMove)
    table.tick(90.0)
    table.start(0)
    assert table.move(0).attempts == 2
    for second in (160.0, 164.0, 168.0):
        table.send(sg.ProgressRead, (Sight(table.vm(0), HostName("HV01"), GroupState.ONLINE, code=code),), at_s=second)
    assert table.move(0).state is MoveState.FAILED


@pytest.mark.parametrize("code", sorted(AUTHENTICATION))
def test_a_refused_sign_in_is_never_tried_again(code: int) -> None:
    table = come_back(flying(), code)
    assert table.move(0).state is MoveState.FAILED
    assert not table.told(mv.MoveRetried)


def test_a_start_that_was_refused_at_once_fails_with_its_words() -> None:
    table = desk().claim().start(0, refused("the role is locked", 5981))
    assert table.move(0).state is MoveState.FAILED
    assert table.move(0).reason == "the role is locked"


@pytest.mark.parametrize("code", [5908, 5959, 0x80071714])
def test_a_start_that_something_else_was_ahead_of_is_adopted(code: int) -> None:
    table = desk().claim().start(0, refused("group is moving", code))
    assert table.move(0).foreign
    assert table.move(0).state is MoveState.MOVING


def test_a_start_without_an_answer_is_followed_and_never_sent_again_by_the_same_attempt() -> None:
    table = desk().claim().start(0, UNANSWERED)
    assert table.move(0).state is MoveState.MOVING
    for second in range(2, 30, 2):
        assert not table.tick(float(second)).asked(cmd.StartMove)
    table.see(0, HV02)
    assert table.move(0).state is MoveState.VERIFYING


def test_a_start_that_never_happened_is_asked_once_more() -> None:
    table = come_back(desk(2).claim().start(0, UNANSWERED))
    assert table.told(mv.MoveRetried)


def test_an_adopted_move_that_stays_goes_back_to_the_queue() -> None:
    table = desk().claim().check(0, busy=True)
    for second in (60.0, 64.0):
        table.send(sg.ProgressRead, (Sight(table.vm(0), HostName("HV01"), GroupState.ONLINE),), at_s=second)
    assert table.move(0).state is MoveState.QUEUED
    assert "left it on HV01" in table.move(0).reason


def test_a_vm_that_lands_elsewhere_is_verified_where_it_is() -> None:
    table = flying().see(0, HV03)
    assert table.move(0).destination == HV03
    assert "instead of HV02" in table.told(mv.MoveAdopted)[0].reason
    assert table.asked(cmd.VerifyArrival) == [cmd.VerifyArrival(table.vm(0), HV03)]


def test_silence_makes_unknown_and_starts_nothing_until_somebody_answers() -> None:
    table = desk(3, slots=1).claim().start(0)
    table.send(sg.ReadFailed, "no route to HV01")
    assert table.move(0).state is MoveState.UNKNOWN
    assert table.state.occupied_slots == 1
    assert not table.tick(20.0).asked(cmd.CheckMove)
    table.see(0, HV02)
    assert table.told(ev.ContactRegained)
    assert table.move(0).state is MoveState.VERIFYING
    assert table.asked(cmd.CheckMove)


def test_contact_that_is_not_regained_ends_the_run_with_unknown_vms() -> None:
    table = flying()
    table.send(sg.ReadFailed, "no route")
    table.tick(100.0)
    assert table.state.phase is Phase.MOVING
    table.tick(2500.0)
    assert table.state.outcome is Outcome.CONTACT_LOST
    assert table.move(0).state is MoveState.UNKNOWN
    assert table.move(1).state is MoveState.SKIPPED


def test_a_late_arrival_is_recognised_before_the_run_ends() -> None:
    table = come_back(desk(1).claim().start(0), 0x80004005)
    assert table.state.phase is Phase.VERIFYING
    assert table.asked(cmd.ReadProgress) == [cmd.ReadProgress((table.vm(0),))]
    table.send(sg.NodeRead, node(table.state, left=()))
    assert table.state.phase is Phase.VERIFYING, "not before the late one was looked at"
    table.see(0, HV02)
    assert table.told(mv.MoveArrived)[0].late
    table.send(sg.ArrivalRead, table.vm(0), HV02, Arrival(HV02, GroupState.ONLINE, 2, 6))
    table.send(sg.NodeRead, node(table.state, left=()))
    assert table.move(0).state is MoveState.DONE
    assert table.state.verified_empty


def test_a_late_one_that_still_moves_is_waited_for() -> None:
    table = come_back(desk(1).claim().start(0), 0x80004005)
    table.see(0, migrating=True, role_state=GroupState.PENDING)
    assert not table.state.late_ones_seen
    table.see(0, HV02)
    assert table.move(0).state is MoveState.VERIFYING


def test_a_role_that_is_gone_keeps_no_run_open_for_ever() -> None:
    table = come_back(desk(1).claim().start(0), 0x80004005)
    table.send(sg.ProgressRead, ())
    assert not table.state.late_ones_seen, "not seen is not yet gone"
    table.send(sg.ProgressRead, (), at_s=table.now_s + table.rules.empty_patience_s)
    assert table.state.late_ones_seen


def test_a_vm_without_a_role_is_not_looked_for() -> None:
    state = come_back(desk(1).claim().start(0), 0x80004005).state
    move = next(iter(state.moves.values()))
    bare = replace(move, vm=replace(move.vm, role=None), state=MoveState.LEFT_BEHIND)
    assert not late_ones(replace(state, moves={move.vm.id: bare}))


# the watchdog


def test_no_progress_is_slow_then_stuck_and_progress_makes_it_steady_again() -> None:
    table = flying()
    table.see(0, migrating=True, percent=42.0, role_state=GroupState.PENDING)
    table.tick(185.0)
    assert table.move(0).pace is Pace.SLOW
    assert "no progress for 3 min" in table.move(0).reason
    table.tick(1810.0)
    assert table.move(0).pace is Pace.STUCK
    assert "in order: 1. look who owns it" in table.move(0).reason
    assert not table.asked(cmd.CancelMove), "it offers, it does not act"
    table.see(0, migrating=True, percent=43.0, role_state=GroupState.PENDING)
    assert table.move(0).pace is Pace.STEADY


def test_passes_without_percent_are_progress() -> None:
    table = flying()
    for number in range(1, 40):
        sight = Sight(table.vm(0), HostName("HV01"), GroupState.PENDING, False, True, 80.0, number)
        table.send(sg.ProgressRead, (sight,), at_s=number * 20.0)
    assert table.move(0).pace is Pace.STEADY


def test_waiting_in_the_clusters_queue_is_not_lack_of_progress() -> None:
    table = flying().see(0, queued=True)
    table.tick(600.0)
    assert table.move(0).pace is Pace.STEADY


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"missed heartbeats": 3.0}, "miss heartbeats"),
        ({"csv latency s": 0.03}, "30 ms"),
        ({"host cpu fraction": 0.88}, "88%"),
        ({}, "42 %"),
    ],
)
def test_the_likely_cause_comes_from_what_was_read(values: dict[str, float], words: str) -> None:
    table = desk(1, Rules()).claim().start(0)
    table.see(0, migrating=True, percent=42.0, role_state=GroupState.PENDING)
    table.send(sg.GuardMeasured, values)
    table.tick(200.0)
    assert words in table.move(0).reason


# operators


def test_a_cancel_is_written_down_sent_once_and_told_by_facts() -> None:
    table = flying().ask(rq.CancelMove(table_vm := desk().vm(0)))
    assert table.asked(cmd.CancelMove) == [cmd.CancelMove(table_vm)]
    assert table.told(mv.CancelIntended)
    assert "already" in table.ask(rq.CancelMove(table_vm)).state.log[-1].text
    for second in (30.0, 34.0):
        table.send(sg.ProgressRead, (Sight(table_vm, HostName("HV01"), GroupState.ONLINE),), at_s=second)
    assert table.move(0).state is MoveState.SKIPPED
    assert "cancelled by the operator" in table.move(0).reason


def test_a_cancel_that_came_too_late_ends_as_an_arrival() -> None:
    table = flying().ask(rq.CancelMove(desk().vm(0)))
    table.send(sg.CancelReplied, table.vm(0), refused("nothing pending", 5023))
    table.arrive(0)
    assert table.move(0).state is MoveState.DONE


def test_hold_and_release() -> None:
    table = desk(3).claim().ask(rq.HoldMove(desk(3).vm(0)))
    assert table.move(0).state is MoveState.HELD
    table.check(0)
    assert not table.asked(cmd.StartMove), "the check's answer came after the hold"
    assert "it is moving" in table.start(1).ask(rq.HoldMove(table.vm(1))).state.log[-1].text
    table.ask(rq.ReleaseMove(table.vm(0)))
    assert table.move(0).state in (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING)


def test_pausing_gives_back_checks_and_continuing_starts_again() -> None:
    table = desk(2).claim().ask(rq.PauseStarts())
    assert [move.state for move in table.state.moves.values()] == [MoveState.QUEUED] * 2
    assert not table.check(0).asked(cmd.StartMove)
    assert len(table.ask(rq.ContinueStarts()).asked(cmd.CheckMove)) == 2


def test_stop_starts_nothing_more_and_finishes_what_flies() -> None:
    table = desk(3).claim().start(0).ask(rq.StopRun())
    assert table.move(1).state is MoveState.SKIPPED
    assert not table.asked(cmd.CancelMove)
    assert "nothing more starts" in table.ask(rq.RetryMove(table.vm(1))).state.log[-1].text
    table.arrive(0)
    table.see(1).see(2)
    for second in (10.0, 20.0):
        sights = tuple(Sight(table.vm(number), HostName("HV01"), GroupState.ONLINE) for number in (1, 2))
        table.send(sg.ProgressRead, sights, at_s=second)
        table.send(sg.NodeRead, node(table.state))
    assert table.state.outcome is Outcome.STOPPED


def test_detach_leaves_at_once_and_cancels_nothing() -> None:
    table = desk(3).claim().start(0).ask(rq.DetachRun())
    assert table.state.outcome is Outcome.DETACHED
    assert table.move(0).state is MoveState.UNKNOWN
    assert "goes on by itself" in table.move(0).reason
    assert not [command for command in table.commands if isinstance(command, cmd.ChangeCommand)]


def test_closing_by_force_changes_nothing_on_the_cluster() -> None:
    table = desk(3).claim().start(0).ask(rq.CloseByForce())
    assert table.state.phase is Phase.ENDED
    assert table.state.forced
    assert table.commands == ()


def test_an_ended_run_answers_nothing() -> None:
    table = desk().claim().ask(rq.CloseByForce())
    before = table.state
    assert table.tick(500.0).state is before
    assert table.news == ()


def test_a_vm_that_nobody_may_interrupt_is_not_tried_again_without_consent() -> None:
    quick = frozenset({desk().vm(0)})
    table = desk(2, quick=quick).claim()
    assert table.move(0).state is MoveState.BLOCKED
    assert "consent" in table.ask(rq.RetryMove(table.vm(0))).state.log[-1].text
    assert table.move(0).state is MoveState.BLOCKED
