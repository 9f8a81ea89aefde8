"""A freed slot is noticed at once where somebody waits for it, and nobody is asked more often than that needs."""

from __future__ import annotations

from console.drain import commands as cmd
from console.drain import move_events as mv
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.facts import Sight
from console.drain.rules import Rules
from console.drain.state import MoveState
from console.model.cluster import GroupState
from console.model.identity import HostName

from .desk import Desk, desk, facts
from .moments import moment
from .world import SOURCE

RULES = Rules(guard=None, poll_s=2.0, glance_s=0.1)


def under_way(vms: int = 2) -> Desk:
    """One of two moves is on its way at one slot; it was forecast to take 20 s and began at second 10."""
    table = desk(vms, RULES, slots=1).claim()
    table.now_s = 10.0
    return table.start(0)


def next_check(table: Desk) -> cmd.CheckMove:
    return cmd.CheckMove(table.vm(1), HostName("HV03"))


def seen_to_arrive(table: Desk, asked_s: float, **found: object) -> Desk:
    """The answer to a look that was asked for at ``asked_s`` and carries the next one's check."""
    check = sg.CheckRead(moment(table.now_s), table.vm(1), HostName("HV03"), facts(table.move(1), **found))
    sight = Sight(table.vm(0), HostName("HV02"), GroupState.ONLINE)
    return table.send(sg.ProgressRead, (sight,), None, (check,), moment(asked_s))


def wish(table: Desk) -> cmd.WaitUntil:
    (found,) = table.asked(cmd.WaitUntil)
    return found


def test_far_from_its_end_a_move_is_looked_at_every_poll() -> None:
    table = under_way()
    table.now_s = 13.9
    table.see(0, migrating=True, percent=25.0)
    assert wish(table.tick(14.0)) == cmd.WaitUntil(moment(16.0))


def test_the_looks_close_in_on_an_arrival_that_somebody_waits_for() -> None:
    table = under_way()
    table.now_s = 19.9
    table.see(0, migrating=True, percent=90.0)
    assert 20.0 < (wish(table.tick(20.0)).at - moment(0)).total_seconds() < 21.0
    near = wish(table.tick(21.0))
    assert near == cmd.WaitUntil(moment(21.1), moment(23.0))


def test_a_glance_reads_what_moves_and_what_comes_next_and_nothing_else() -> None:
    table = under_way().see(0, migrating=True, percent=95.0)
    table.send(sg.Ticked, moment(13.0), at_s=11.0)
    assert table.asked(cmd.ReadProgress) == [cmd.ReadProgress((table.vm(0),), (next_check(table),))]
    assert len(table.commands) == 2
    assert wish(table).poll_at in (None, moment(13.0))
    table.send(sg.Ticked, moment(13.0), at_s=13.0)
    assert wish(table).at > moment(13.0)


def test_the_look_that_sees_the_arrival_brings_the_next_ones_check() -> None:
    table = under_way()
    table.now_s = 30.0
    seen_to_arrive(table, 29.9)
    assert table.asked(cmd.StartMove) == [cmd.StartMove(table.vm(1), HostName("HV03"), True, False)]
    assert not table.asked(cmd.CheckMove)
    kinds = [type(event) for event in table.news]
    assert kinds.index(mv.MoveArrived) < kinds.index(mv.MoveChecked) < kinds.index(mv.MoveIntended)


def test_a_check_that_came_along_decides_like_any_other() -> None:
    table = under_way()
    table.now_s = 30.0
    seen_to_arrive(table, 29.9, owner=HostName("HV04"))
    assert not table.asked(cmd.StartMove)
    assert table.told(mv.MoveAdopted)


def test_a_check_that_was_slept_over_is_asked_anew() -> None:
    table = under_way()
    table.now_s = 3000.0
    seen_to_arrive(table, 30.0)
    assert not table.asked(cmd.StartMove)
    assert table.asked(cmd.CheckMove) == [next_check(table)]


def test_a_check_that_came_along_starts_nothing_while_no_slot_is_free() -> None:
    table = under_way(3)
    table.now_s = 30.0
    check = sg.CheckRead(moment(30.0), table.vm(1), HostName("HV03"), facts(table.move(1)))
    going = Sight(table.vm(0), SOURCE, GroupState.PENDING, migrating=True, percent=99.0)
    table.send(sg.ProgressRead, (going,), None, (check,), moment(29.9))
    assert not table.asked(cmd.StartMove)
    assert table.move(1).state is MoveState.QUEUED


def test_only_an_arrival_that_is_near_is_worth_a_check_ahead() -> None:
    table = under_way()
    table.now_s = 19.9
    table.see(0, migrating=True, percent=60.0)
    table.send(sg.Ticked, moment(30.0), at_s=20.0)
    assert table.asked(cmd.ReadProgress) == [cmd.ReadProgress((table.vm(0),))]
    paused = under_way().see(0, migrating=True, percent=95.0).ask(rq.PauseStarts())
    paused.send(sg.Ticked, moment(13.0), at_s=11.0)
    assert paused.asked(cmd.ReadProgress) == [cmd.ReadProgress((paused.vm(0),))]


def test_nobody_hurries_for_a_slot_that_nobody_may_take() -> None:
    last = under_way(1).see(0, migrating=True, percent=95.0)
    assert wish(last.tick(21.0)) == cmd.WaitUntil(moment(23.0))
    paused = under_way().see(0, migrating=True, percent=95.0).ask(rq.PauseStarts())
    assert wish(paused.tick(21.0)) == cmd.WaitUntil(moment(23.0))


def test_one_that_stands_still_is_not_stared_at() -> None:
    table = under_way()
    table.now_s = 19.9
    table.see(0, migrating=True, percent=95.0)
    assert wish(table.tick(40.0)) == cmd.WaitUntil(moment(42.0))
