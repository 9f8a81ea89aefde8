"""The cluster's own drain: watched, stopped, handed over to, and never fallen back to or from in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import lease_events as le
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.narrate import line_of
from console.drain.state import MoveState, Outcome, Phase
from console.model.cluster import DrainStatus, NodeState
from console.model.identity import HostName
from console.planner.values import Engine

from .desk import DONE, UNANSWERED, Desk, desk, node, refused


def native(vms: int = 2) -> Desk:
    table = desk(vms, engine=Engine.NATIVE).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    return table


def test_the_cluster_is_asked_once_and_no_single_move_is() -> None:
    table = native()
    assert table.asked(cmd.StartNativeDrain)
    assert isinstance(table.journal[-1], ev.NativeDrainIntended)
    table.send(sg.NativeAnswered, DONE)
    for second in range(2, 40, 2):
        table.tick(float(second))
        assert not [c for c in table.commands if isinstance(c, cmd.ChangeCommand)]


def test_the_drain_is_aimed_where_the_run_was_opened_for() -> None:
    first = desk(2, engine=Engine.NATIVE).journal[0]
    assert isinstance(first, ev.RunOpened)
    table = Desk(replace(first, native_target=HostName("HV03"))).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    assert table.asked(cmd.StartNativeDrain) == [cmd.StartNativeDrain(HostName("HV03"))]
    told = line_of(table.state, table.journal[0])
    assert told is not None
    assert "all to HV03" in told.text


def test_moves_are_followed_and_verified_like_ones_own() -> None:
    table = native(1).send(sg.NativeAnswered, DONE)
    table.send(sg.NodeRead, node(table.state, drain=DrainStatus.IN_PROGRESS))
    table.see(0, migrating=True, percent=10.0)
    assert table.move(0).state is MoveState.MOVING
    table.see(0, HostName("HV03"))
    assert table.asked(cmd.VerifyArrival) == [cmd.VerifyArrival(table.vm(0), HostName("HV03"))]


def test_a_drain_that_failed_names_what_stayed() -> None:
    table = native(1).send(sg.NativeAnswered, DONE)
    table.send(sg.NodeRead, node(table.state, drain=DrainStatus.IN_PROGRESS))
    table.send(sg.NodeRead, node(table.state, drain=DrainStatus.FAILED), at_s=30.0)
    table.send(sg.NodeRead, node(table.state, drain=DrainStatus.FAILED), at_s=50.0)
    assert table.move(0).state is MoveState.FAILED
    assert "the cluster's drain could not move it" in table.move(0).reason


@pytest.mark.parametrize("answer", ["refused", "nothing"])
def test_a_run_that_began_natively_does_not_start_single_moves_by_itself(answer: str) -> None:
    table = native()
    if answer == "refused":
        table.send(sg.NativeAnswered, refused("access denied", 5))
    else:
        table.send(sg.NativeAnswered, UNANSWERED)
        table.send(sg.NodeRead, node(table.state, NodeState.UP), at_s=100.0)
    assert table.state.outcome is Outcome.FAILED
    assert not table.asked(cmd.StartMove)


def test_stopping_stops_the_clusters_drain_too() -> None:
    table = native().send(sg.NativeAnswered, DONE).ask(rq.StopRun())
    assert table.asked(cmd.StopNativeDrain)


def test_handing_over_is_written_down_with_who_and_why() -> None:
    table = desk(3).claim().start(0).ask(rq.HandOver())
    change = table.told(le.EngineChanged)[0]
    assert (change.engine, change.by) == (Engine.NATIVE, "ann")
    assert table.asked(cmd.StartNativeDrain)
    assert table.move(0).state is MoveState.MOVING, "what moves goes on"
    assert not table.check(1).asked(cmd.StartMove)
    assert table.state.occupied_slots == 1


@pytest.mark.parametrize("state", ["held", "skipped"])
def test_handing_over_says_whom_the_cluster_would_move_too(state: str) -> None:
    table = desk(3).claim()
    table.ask(rq.HoldMove(table.vm(2)) if state == "held" else rq.SkipMove(table.vm(2)))
    table.ask(rq.HandOver())
    assert "would also move vm-2" in table.state.log[-1].text
    assert table.state.engine is Engine.PLANNED
    table.ask(rq.HandOver(anyway=True))
    assert "consent to move also: vm-2" in table.told(le.EngineChanged)[0].reason


def test_whom_the_cluster_interrupts_after_a_handover_is_in_the_journal_with_who_agreed() -> None:
    table = desk(3).claim()
    table.ask(rq.HandOver(interrupts=(table.vm(1),)))
    given = [(consent.kind, consent.subject, consent.by) for consent in table.state.consents]
    assert ("interrupt", table.vm(1), "ann") in given


def test_a_handover_that_is_refused_goes_back_to_single_moves_and_says_so() -> None:
    table = desk(3).claim().ask(rq.HandOver()).send(sg.NativeAnswered, refused("not allowed", 5))
    assert table.state.engine is Engine.PLANNED
    assert "single moves go on" in table.told(le.EngineChanged)[0].reason
    assert table.asked(cmd.CheckMove)
    assert table.state.phase is Phase.MOVING


def test_handing_over_twice_or_after_a_stop_is_refused() -> None:
    table = desk(3).claim().ask(rq.HandOver())
    assert "works already" in table.ask(rq.HandOver()).state.log[-1].text
    stopped = desk(3).claim().start(0).ask(rq.StopRun())
    assert "nothing more starts" in stopped.ask(rq.HandOver()).state.log[-1].text
