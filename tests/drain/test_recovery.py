"""A new runner takes over, whatever the old one was doing when it died."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import move_events as mv
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.facts import Arrival, Sight
from console.drain.fold import apply, fold
from console.drain.recovery import recover
from console.drain.state import MoveState, Outcome, Phase
from console.model.cluster import DrainStatus, GroupState, NodeState
from console.model.identity import HostName
from console.planner.values import Engine

from .desk import DONE, UNANSWERED, Desk, desk, node
from .moments import moment

HV01, HV02 = HostName("HV01"), HostName("HV02")


def taken_over(table: Desk, sights: tuple[Sight, ...] | None = (), at_s: float = 20.0) -> Desk:
    """The same run under a new runner, from its journal alone."""
    again = Desk(table.journal[0], table.rules)  # type: ignore[arg-type]
    again.journal = list(table.journal)
    again.state = fold(again.journal)
    events = recover(again.state, sights, moment(at_s))
    assert not any(isinstance(event, mv.MoveIntended) for event in events), "recovery starts nothing"
    for event in events:
        again.state = apply(again.state, event)
    again.journal += events
    again.news, again.now_s = events, at_s
    return again


def at_rest(table: Desk, owner: HostName = HV01) -> Sight:
    return Sight(table.vm(0), owner, GroupState.ONLINE)


def test_while_claiming_it_claims_again() -> None:
    assert taken_over(desk().tick()).tick().asked(cmd.ReadNode)


def test_while_pausing_it_asks_again_because_that_does_no_harm() -> None:
    table = desk().tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    assert taken_over(table).tick().asked(cmd.PauseNode)


def test_a_check_goes_back_to_the_queue() -> None:
    again = taken_over(desk().claim())
    assert again.move(0).state is MoveState.QUEUED
    assert again.tick().asked(cmd.CheckMove)


@pytest.mark.parametrize(
    ("accepted", "sight", "state", "event"),
    [
        (True, Sight("", HV01, GroupState.PENDING, migrating=True), MoveState.MOVING, None),  # type: ignore[arg-type]
        (True, Sight("", HV02, GroupState.ONLINE), MoveState.VERIFYING, mv.MoveArrived),  # type: ignore[arg-type]
        (True, Sight("", HV01, GroupState.ONLINE), MoveState.MOVING, mv.MoveSeenBack),  # type: ignore[arg-type]
        (False, Sight("", HV01, GroupState.ONLINE), MoveState.QUEUED, mv.MoveReturned),  # type: ignore[arg-type]
        (False, Sight("", HV02, GroupState.ONLINE), MoveState.VERIFYING, mv.MoveArrived),  # type: ignore[arg-type]
        (True, None, MoveState.UNKNOWN, mv.MoveLost),
    ],
)
def test_each_move_in_flight_is_told_from_facts(
    accepted: bool, sight: Sight | None, state: MoveState, event: type[ev.Event] | None
) -> None:
    table = desk().claim()
    table = table.start(0) if accepted else table.check(0)
    from dataclasses import replace

    again = taken_over(table, () if sight is None else (replace(sight, vm=table.vm(0)),))
    assert again.move(0).state is state
    assert event is None or again.told(event)


def test_when_nobody_answers_everything_in_flight_is_unknown() -> None:
    again = taken_over(desk().claim().start(0).start(1), None)
    assert {move.state for move in again.state.moves.values()} == {MoveState.UNKNOWN}
    assert again.state.occupied_slots == 2


def test_an_intent_that_was_never_sent_is_started_after_a_moment_and_a_check() -> None:
    table = desk(1).claim().check(0)
    again = taken_over(table, (at_rest(table),))
    assert not again.tick(22.0).asked(cmd.CheckMove)
    assert again.tick(40.0).asked(cmd.CheckMove)
    assert again.check(0).asked(cmd.StartMove)


def test_an_unknown_one_that_is_seen_goes_on() -> None:
    table = desk().claim().start(0).send(sg.ReadFailed, "no route")
    again = taken_over(table, (Sight(table.vm(0), HV01, GroupState.PENDING, migrating=True),))
    assert again.move(0).state is MoveState.MOVING


def test_a_cancel_that_was_not_answered_can_be_asked_again() -> None:
    table = desk().claim().start(0).ask(rq.CancelMove(desk().vm(0)))
    again = taken_over(table, (Sight(table.vm(0), HV01, GroupState.PENDING, migrating=True),))
    assert not again.move(0).cancelling
    assert again.ask(rq.CancelMove(again.vm(0))).asked(cmd.CancelMove)


def test_while_verifying_it_reads_the_node_again() -> None:
    again = taken_over(desk(1).claim().start(0).arrive(0)).tick()
    assert again.asked(cmd.ReadNode)
    again.send(sg.NodeRead, node(again.state, left=()))
    assert again.asked(cmd.CloseNode)


def test_while_an_arrival_is_verified_it_asks_the_host_again() -> None:
    again = taken_over(desk(1).claim().start(0).see(0, HV02)).tick()
    assert again.asked(cmd.VerifyArrival) == [cmd.VerifyArrival(again.vm(0), HV02)]
    again.send(sg.ArrivalRead, again.vm(0), HV02, Arrival(HV02, GroupState.ONLINE, 2, 6))
    assert again.move(0).state is MoveState.DONE


def test_while_the_flag_is_set_it_looks_and_sets_it_again() -> None:
    table = desk(1).claim().start(0).arrive(0)
    table.send(sg.NodeRead, node(table.state, left=())).send(sg.CloseAnswered, UNANSWERED)
    again = taken_over(table).tick()
    again.send(sg.NodeRead, node(again.state, left=()))
    assert again.asked(cmd.CloseNode)
    again.send(sg.CloseAnswered, DONE)
    assert again.state.outcome is Outcome.DRAINED


def test_a_native_drain_that_was_seen_is_not_asked_again() -> None:
    table = desk(engine=Engine.NATIVE).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP)).send(sg.NativeAnswered, DONE)
    assert taken_over(table).tick().asked(cmd.StartNativeDrain), "nothing was seen of it"
    table.send(sg.NodeRead, node(table.state, drain=DrainStatus.IN_PROGRESS))
    assert not taken_over(table).tick().asked(cmd.StartNativeDrain)


def test_a_stop_survives_the_runner() -> None:
    table = desk(3).claim().start(0).ask(rq.StopRun())
    again = taken_over(table, (at_rest(table, HV02),))
    again.tick()
    assert not again.asked(cmd.CheckMove)
    again.send(sg.ArrivalRead, again.vm(0), HV02, Arrival(HV02, GroupState.ONLINE, 2, 6))
    assert again.state.phase is Phase.VERIFYING


def test_the_note_says_how_far_it_was() -> None:
    again = taken_over(desk(3).claim().start(0).arrive(0).start(1))
    assert any("2 in flight, 1 of 3 finished" in line.text for line in again.state.log)


def test_what_was_given_up_when_a_run_began_to_close_is_not_followed_again() -> None:
    """A detached run that dies while it puts its settings back leaves what moves to itself, as it said."""
    table = desk().claim().start(0)
    lost = replace(table.move(0), state=MoveState.UNKNOWN, reason="still moving when the run was detached")
    closing = replace(
        table.state, moves={**table.state.moves, table.vm(0): lost}, phase=Phase.CLOSING, closing_as=Outcome.DETACHED
    )
    sight = Sight(table.vm(0), HV01, GroupState.PENDING, migrating=True)
    assert not [event for event in recover(closing, [sight], moment(60)) if getattr(event, "vm", None) == lost.vm.id]
