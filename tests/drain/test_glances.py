"""A freed slot is noticed at once where somebody waits for it, and nobody is asked more often than that needs."""

from __future__ import annotations

from console.drain import commands as cmd
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.rules import Rules

from .desk import Desk, desk
from .moments import moment

RULES = Rules(guard=None, poll_s=2.0, glance_s=0.1)


def under_way(vms: int = 2) -> Desk:
    """One of two moves is on its way at one slot; it was forecast to take 20 s and began at second 10."""
    table = desk(vms, RULES, slots=1).claim()
    table.now_s = 10.0
    return table.start(0)


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


def test_a_glance_reads_what_moves_and_nothing_else() -> None:
    table = under_way().see(0, migrating=True, percent=95.0)
    table.send(sg.Ticked, moment(13.0), at_s=11.0)
    assert table.asked(cmd.ReadProgress) == [cmd.ReadProgress((table.vm(0),))]
    assert len(table.commands) == 2
    assert wish(table).poll_at in (None, moment(13.0))
    table.send(sg.Ticked, moment(13.0), at_s=13.0)
    assert wish(table).at > moment(13.0)


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
