"""Nothing starts that was not re-read, and no limit is passed at any instant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.drain import commands as cmd
from console.drain import move_events as mv
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.limits import fence_reason, load
from console.drain.outlook import finish_forecast
from console.drain.rules import Rules
from console.drain.state import Consent, MoveState
from console.model.cluster import GroupState
from console.model.identity import HostName
from console.model.units import GIB
from console.planner.values import OFFLINE_AT_ONCE

from .desk import OTHERS, Desk, calm_world, desk, facts
from .making import opened_for
from .moments import EPOCH, moment
from .replanner import plan_for
from .world import SOURCE


def test_a_start_follows_its_check_and_its_intent() -> None:
    table = desk().claim()
    assert [command.vm for command in table.asked(cmd.CheckMove)] == [table.vm(0), table.vm(1)]
    assert not table.asked(cmd.StartMove)
    table.check(0)
    assert table.asked(cmd.StartMove) == [cmd.StartMove(table.vm(0), HostName("HV02"), True, False)]
    assert table.told(mv.MoveIntended)


@pytest.mark.parametrize(
    ("changed", "state", "words"),
    [
        ({"locked": True}, MoveState.BLOCKED, "locked"),
        ({"role_state": GroupState.FAILED}, MoveState.BLOCKED, "failed"),
        ({"destination_accepts": False, "destination_why_not": "HV02 is paused"}, MoveState.QUEUED, "HV02 is paused"),
        ({"destination_free_bytes": GIB}, MoveState.QUEUED, "not enough free memory"),
        ({"vm_state": 10}, MoveState.QUEUED, "in between"),
        ({"owner": HostName("HV03")}, MoveState.VERIFYING, "moved to HV03 by something else"),
        ({"busy": True}, MoveState.MOVING, "something else is moving it"),
    ],
)
def test_what_changed_since_the_plan_keeps_a_move_from_starting(
    changed: dict[str, object], state: MoveState, words: str
) -> None:
    table = desk().claim().check(0, **changed)
    assert not table.asked(cmd.StartMove)
    assert table.move(0).state is state
    assert words in table.move(0).reason


def test_a_check_that_could_not_be_read_starts_nothing() -> None:
    table = desk().claim()
    table.send(sg.CheckRead, table.vm(0), HostName("HV02"), None, "timed out")
    assert not table.asked(cmd.StartMove)
    assert "timed out" in table.move(0).reason
    assert table.tick(30.0).asked(cmd.CheckMove)


def test_a_check_that_waited_while_the_machine_slept_is_asked_anew() -> None:
    table = desk().claim()
    table.now_s = 600.0
    table.check(0)
    assert not table.asked(cmd.StartMove)
    assert table.asked(cmd.CheckMove), "at once, because nothing else is in its way"


def test_memory_promised_to_one_move_is_not_promised_to_the_next() -> None:
    run = Desk(replace(desk(4).journal[0], slots=4, per_node_limit=8))  # type: ignore[arg-type]
    run.claim()
    need = run.move(0).memory_bytes
    run.check(0, destination_free_bytes=need + int(0.06 * 512 * GIB))
    assert not run.asked(cmd.StartMove), "VM 2 is being checked for the same room"


def test_the_first_that_fits_goes_elsewhere_by_a_new_plan() -> None:
    table = desk().claim().check(0, destination_accepts=False)
    assert table.asked(cmd.Replan) == [cmd.Replan(table.vm(0))]
    world = calm_world()
    world.nodes[HostName("HV02")].free_bytes = 0
    table.send(sg.Replanned, plan_for(world, table.vm(0), None), table.vm(0))
    assert table.move(0).destination == "HV03"
    assert table.asked(cmd.CheckMove) == [cmd.CheckMove(table.vm(0), HostName("HV03"))]


def test_no_plan_for_it_blocks_it_with_the_reason() -> None:
    table = desk().claim().check(0, destination_accepts=False)
    world = calm_world()
    for node in world.nodes.values():
        node.free_bytes = 0
    table.send(sg.Replanned, plan_for(world, table.vm(0), None), table.vm(0))
    assert table.move(0).state is MoveState.BLOCKED
    assert "no host takes it" in table.move(0).reason


def test_slots_refill_one_by_one() -> None:
    table = desk(5).claim()
    assert len(table.asked(cmd.CheckMove)) == 2
    table.start(0).start(1)
    assert table.state.occupied_slots == 2
    assert "slots are taken" in table.move(2).reason
    table.see(0, HostName("HV02"))
    assert [command.vm for command in table.asked(cmd.CheckMove)] == [table.vm(2)]


def test_lowering_the_slots_cancels_nothing_and_starts_nothing() -> None:
    table = desk(5).claim().start(0).start(1)
    table.ask(rq.SetSlots(0))
    assert not table.asked(cmd.CancelMove)
    table.see(0, HostName("HV02")).see(1, HostName("HV03"))
    assert not table.asked(cmd.CheckMove)
    assert "0 at once" in table.move(2).reason
    table.ask(rq.SetSlots(3))
    assert len(table.asked(cmd.CheckMove)) == 3


def test_a_check_on_its_way_does_not_start_over_a_lowered_limit() -> None:
    table = desk(3).claim().start(0)
    table.ask(rq.SetSlots(1))
    table.check(1)
    assert not table.asked(cmd.StartMove)
    assert table.move(1).state is MoveState.QUEUED


@pytest.mark.parametrize("slots", [-1, 65, 10_000])
def test_slots_out_of_range_are_refused_with_the_range(slots: int) -> None:
    table = desk().claim().ask(rq.SetSlots(slots))
    assert "between 0 and 64" in table.state.log[-1].text
    assert table.state.slots == 2


@pytest.mark.parametrize(
    ("limit", "into_one", "expected"), [(1, None, 1), (2, None, 2), (4, 1, 2), (4, None, 4), (4, 2, 4)]
)
def test_limits_per_node_and_per_destination_hold(limit: int, into_one: int | None, expected: int) -> None:
    opening = desk(6, slots=6).journal[0]
    table = Desk(replace(opening, per_node_limit=limit, destination_limit=into_one))  # type: ignore[arg-type]
    table.claim()
    assert len(table.asked(cmd.CheckMove)) == expected
    assert all(count <= limit for count in load(table.state).values())


def test_migrations_of_others_count_against_a_nodes_limit() -> None:
    table = desk(4, slots=4).claim()
    for number in range(4):
        table.start(number)
    table.send(sg.ProgressRead, (), {HostName("HV02"): 4})
    assert load(table.state)[HostName("HV02")] == 6
    table.see(0, HostName("HV02")).see(2, HostName("HV02"))
    table.ask(rq.RetryMove(table.vm(0)))
    assert not table.asked(cmd.CheckMove)


def test_migrations_of_others_are_looked_at_until_they_are_over_although_nothing_of_ours_moves() -> None:
    table = desk(1, slots=4).claim()
    table.send(sg.ProgressRead, (), {SOURCE: 4})
    table.ask(rq.PauseStarts()).ask(rq.ContinueStarts())
    assert "at its limit" in table.move(0).reason
    assert table.tick(20.0).asked(cmd.ReadProgress) == [cmd.ReadProgress(())]
    table.send(sg.ProgressRead, (), {})
    assert table.asked(cmd.CheckMove)


def test_a_move_that_has_the_links_for_itself_waits_and_lets_wait() -> None:
    opening = desk(3).journal[0]
    moves = tuple(replace(move, alone=number == 1) for number, move in enumerate(opening.moves))  # type: ignore[union-attr]
    table = Desk(replace(opening, moves=moves))  # type: ignore[arg-type]
    table.claim()
    flying = [table.state.moves[command.vm].alone for command in table.asked(cmd.CheckMove)]
    assert flying == [False, False]
    table.start(0).start(2)
    assert "for itself" in table.move(1).reason or "slots" in table.move(1).reason
    table.arrive(0)
    assert not table.asked(cmd.CheckMove)
    table.see(2, HostName("HV02"))
    assert [command.vm for command in table.asked(cmd.CheckMove)] == [table.vm(1)]


def test_a_check_that_was_never_answered_is_asked_again() -> None:
    table = desk().claim()
    assert not table.tick(10.0).asked(cmd.CheckMove)
    assert len(table.tick(40.0).asked(cmd.CheckMove)) == 2


def test_a_destination_that_says_no_for_minutes_blocks_the_move() -> None:
    table = desk(1, Rules(guard=None, refusal_patience_s=60.0)).claim()
    for second in range(10, 120, 11):
        if table.move(0).state is MoveState.CHECKING:
            move = table.move(0)
            values = facts(move, destination_accepts=False, destination_why_not="HV02 is down")
            table.send(sg.CheckRead, move.vm.id, move.destination, values, at_s=float(second))
        else:
            table.tick(float(second))
    assert table.move(0).state is MoveState.BLOCKED
    assert table.move(0).reason == "HV02 is down"


def test_a_run_without_a_lease_is_not_fenced() -> None:
    assert fence_reason(desk().state, moment(10_000.0)) is None
    assert SOURCE not in OTHERS


def with_off(off: int, running: int, slots: int = 1) -> Desk:
    """The first ``off`` VMs are off."""
    world = calm_world(off + running)
    for vm in list(world.vms.values())[:off]:
        vm.state, vm.heartbeat, vm.role_state = 3, None, GroupState.OFFLINE
    return Desk(opened_for(world, slots=slots))


def test_vms_that_are_off_start_beside_live_migrations_and_not_all_at_once() -> None:
    table = with_off(OFFLINE_AT_ONCE + 2, 2).claim()
    asked = [command.vm for command in table.asked(cmd.CheckMove)]
    assert asked == [table.vm(OFFLINE_AT_ONCE + 2), *(table.vm(number) for number in range(OFFLINE_AT_ONCE))]
    assert table.state.occupied_slots == 1
    assert "on their way already" in table.move(OFFLINE_AT_ONCE).reason
    table.check(0, vm_state=3)
    assert table.asked(cmd.StartMove) == [cmd.StartMove(table.vm(0), HostName("HV02"), False, False)]
    table.see(0, HostName("HV02"), role_state=GroupState.OFFLINE)
    assert [command.vm for command in table.asked(cmd.CheckMove)] == [table.vm(OFFLINE_AT_ONCE)]


def test_one_that_was_started_since_the_plan_waits_for_a_slot_of_a_live_migration() -> None:
    table = with_off(1, 1).claim().check(0, vm_state=2)
    assert not table.asked(cmd.StartMove)
    assert table.told(mv.MoveKindSeen) == [mv.MoveKindSeen(table.state.now, table.vm(0), True)]
    assert table.move(0).state is MoveState.QUEUED
    table.start(1).see(1, HostName("HV03"))
    assert [command.vm for command in table.asked(cmd.CheckMove)] == [table.vm(0)]
    table.check(0, vm_state=2)
    assert table.asked(cmd.StartMove) == [cmd.StartMove(table.vm(0), HostName("HV02"), True, False)]


def test_one_that_was_shut_down_since_the_plan_gives_its_slot_to_the_next() -> None:
    table = with_off(0, 2).claim().check(0, vm_state=3)
    assert table.asked(cmd.StartMove) == [cmd.StartMove(table.vm(0), HostName("HV02"), False, False)]
    assert [command.vm for command in table.asked(cmd.CheckMove)] == [table.vm(1)]


def test_one_that_was_to_be_saved_and_is_off_by_now_counts_among_those_that_are_off() -> None:
    world = calm_world(OFFLINE_AT_ONCE + 1)
    for vm in list(world.vms.values())[:OFFLINE_AT_ONCE]:
        vm.state, vm.heartbeat, vm.role_state = 3, None, GroupState.OFFLINE
    last = list(world.vms)[-1]
    agreed = (Consent("interrupt", "all", "ann", EPOCH),)
    table = Desk(opened_for(world, quick=frozenset({last}), consents=agreed)).claim()
    table.check(OFFLINE_AT_ONCE, vm_state=3)
    assert not table.asked(cmd.StartMove)
    assert "on their way already" in table.move(OFFLINE_AT_ONCE).reason
    table.check(0, vm_state=3).see(0, HostName("HV02"), role_state=GroupState.OFFLINE)
    table.tick(60.0)
    assert last in [command.vm for command in table.asked(cmd.CheckMove)]
    table.check(OFFLINE_AT_ONCE, vm_state=3)
    assert [(command.vm, command.live, command.quick) for command in table.asked(cmd.StartMove)] == [
        (last, False, False)
    ]


def test_the_forecast_puts_vms_that_are_off_beside_the_rest() -> None:
    running, beside = with_off(0, 3), with_off(2, 3)
    at = running.state.now
    assert finish_forecast(running.state, at) == finish_forecast(beside.state, at)
