"""Slow, stuck, and what is done about it: in order, with consent, and by itself only where nobody can be asked."""

from __future__ import annotations

from console.drain import commands as cmd
from console.drain import move_events as mv
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.ending import exit_code
from console.drain.rules import Rules
from console.drain.state import MoveState, Outcome, Pace, WhenStuck
from console.model.cluster import GroupState
from console.model.identity import HostName

from .desk import DONE, Desk, desk, node, refused
from .world import SOURCE

RULES = Rules(guard=None, slow_after_s=60.0, stuck_after_s=300.0)
HV03 = HostName("HV03")


def stuck(when: WhenStuck = WhenStuck.ASK, vms: int = 2) -> Desk:
    """The first move of a run stands still for five minutes."""
    table = desk(vms, RULES, when_stuck=when).claim().start(0)
    table.see(0, migrating=True, percent=62.0, role_state=GroupState.PENDING)
    return table.tick(400.0)


def rest_on_source(table: Desk) -> Desk:
    """Seen at rest on its source, twice."""
    table.see(0)
    return table.send(sg.ProgressRead, table_sight(table), at_s=table.now_s + 5.0)


def table_sight(table: Desk) -> tuple[sg.Sight, ...]:
    return (sg.Sight(table.vm(0), SOURCE, GroupState.ONLINE),)


def test_an_operator_is_offered_what_can_be_done_and_nothing_happens_by_itself() -> None:
    table = stuck()
    assert table.move(0).pace is Pace.STUCK
    offers = [table.move(0).reason.index(words) for words in ("look who owns it", "cancel", "wait, and look", "force")]
    assert offers == sorted(offers)
    assert not table.asked(cmd.CancelMove)
    assert not table.tick(4000.0).asked(cmd.CancelMove)


def test_without_an_operator_it_is_cancelled_once_and_tried_once_elsewhere() -> None:
    table = stuck(WhenStuck.CANCEL)
    assert table.asked(cmd.CancelMove) == [cmd.CancelMove(table.vm(0))]
    assert "nobody is there to be asked" in table.told(mv.CancelIntended)[0].reason
    assert not table.tick(405.0).asked(cmd.CancelMove)
    table.send(sg.CancelReplied, table.vm(0), DONE)
    rest_on_source(table)
    assert table.told(mv.MoveFailed)
    assert table.told(mv.MoveRetried)[0].automatic
    assert table.asked(cmd.Replan) == [cmd.Replan(table.vm(0), None, False)]
    told = [entry.text for entry in table.state.log]
    assert sum("nobody is there to be asked" in text for text in told) == 1, "the reason is told once"
    assert told[-2:] == ["vm-0 is cancelled and runs on HV01", "vm-0 is tried once more by itself"]


def test_the_second_time_it_stays_where_it_is() -> None:
    table = stuck(WhenStuck.CANCEL)
    table.send(sg.CancelReplied, table.vm(0), DONE)
    rest_on_source(table)
    table.tick(table.now_s + 60.0)
    table.start(0)
    table.see(0, migrating=True, percent=10.0, role_state=GroupState.PENDING)
    table.tick(table.now_s + 400.0)
    table.send(sg.CancelReplied, table.vm(0), DONE)
    rest_on_source(table)
    assert table.move(0).state is MoveState.FAILED
    assert table.move(0).attempts == 2


def test_a_move_of_somebody_else_is_not_cancelled() -> None:
    table = desk(1, RULES, when_stuck=WhenStuck.CANCEL).claim().check(0, busy=True)
    table.see(0, migrating=True, percent=62.0, role_state=GroupState.PENDING)
    assert not table.tick(400.0).asked(cmd.CancelMove)


def test_a_cancel_without_effect_is_left_to_an_operator_when_nothing_else_is_left_to_do() -> None:
    table = stuck(WhenStuck.CANCEL, vms=1)
    table.send(sg.CancelReplied, table.vm(0), DONE)
    assert table.state.outcome is None
    table.tick(table.now_s + 300.0)
    assert table.state.outcome is Outcome.DETACHED
    assert exit_code(table.state) == 5
    assert any("may force it back" in line.text for line in table.state.log)


def test_forcing_is_refused_before_it_is_stuck() -> None:
    table = desk(1, RULES).claim().start(0).ask(rq.ForceBack(desk(1).vm(0)))
    assert not table.asked(cmd.ForceOwner)
    assert "only a stuck move" in table.state.log[-1].text


def test_a_forced_one_is_written_down_with_its_consent_sent_once_and_told_by_facts() -> None:
    table = stuck().ask(rq.ForceBack(stuck().vm(0)))
    assert table.asked(cmd.ForceOwner) == [cmd.ForceOwner(table.vm(0), table.move(0).vm.role, SOURCE)]
    consent = table.state.consents[-1]
    assert (consent.kind, consent.subject, consent.by) == ("interrupt", table.vm(0), "ann")
    assert not table.ask(rq.ForceBack(table.vm(0))).asked(cmd.ForceOwner)
    table.send(sg.ForceReplied, table.vm(0), DONE)
    rest_on_source(table)
    assert table.move(0).state is MoveState.FAILED
    assert "forced to HV01 by ann" in table.move(0).reason
    assert not table.told(mv.MoveRetried)


def test_forced_elsewhere_it_ends_as_interrupted() -> None:
    table = stuck()
    table.ask(rq.ForceBack(table.vm(0), HV03)).send(sg.ForceReplied, table.vm(0), DONE)
    table.arrive(0)
    assert table.move(0).state is MoveState.INTERRUPTED
    assert table.move(0).destination == HV03


def test_a_force_that_windows_refused_leaves_it_stuck() -> None:
    table = stuck()
    table.ask(rq.ForceBack(table.vm(0))).send(sg.ForceReplied, table.vm(0), refused("the group is moving", 5908))
    assert table.move(0).pace is Pace.STUCK
    assert "the group is moving" in table.state.log[-1].text
    assert table.ask(rq.ForceBack(table.vm(0))).asked(cmd.ForceOwner)


def test_one_that_finishes_after_all_is_an_arrival() -> None:
    table = stuck().arrive(0)
    assert table.move(0).state is MoveState.DONE
    assert node(table.state)
