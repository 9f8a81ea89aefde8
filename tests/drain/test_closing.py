"""The end of a run: verified empty, everything else that the node owned gone too, one outcome, one exit code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.ending import exit_code
from console.drain.state import Consent, MoveState, Outcome, OwnedKind, Phase
from console.model.cluster import DrainStatus
from console.model.identity import HostName

from .desk import DONE, UNANSWERED, Desk, calm_world, desk, node, refused
from .moments import EPOCH
from .replanner import plan_for


def moved(vms: int = 1) -> Desk:
    """Everything has moved and is verified."""
    table = desk(vms).claim()
    for number in range(vms):
        table.start(number).arrive(number)
    assert table.state.phase is Phase.VERIFYING
    return table


def test_an_empty_node_gets_the_clusters_own_flag_and_is_drained() -> None:
    table = moved()
    table.send(sg.NodeRead, node(table.state, left=()))
    assert table.asked(cmd.CloseNode)
    assert table.told(ev.DrainFlagIntended)
    table.send(sg.CloseAnswered, DONE)
    assert table.state.outcome is Outcome.DRAINED
    assert exit_code(table.state) == 0


@pytest.mark.parametrize("shown", [True, False])
def test_a_flag_without_an_answer_is_looked_for(shown: bool) -> None:
    table = moved()
    table.send(sg.NodeRead, node(table.state, left=()))
    table.send(sg.CloseAnswered, UNANSWERED)
    assert table.asked(cmd.ReadNode)
    status = DrainStatus.COMPLETED if shown else DrainStatus.NOT_INITIATED
    table.send(sg.NodeRead, node(table.state, left=(), drain=status), at_s=200.0)
    assert table.state.drain_flag is shown
    assert table.state.outcome is Outcome.DRAINED


def test_a_site_that_refuses_the_flag_is_drained_all_the_same_and_told_so() -> None:
    table = moved()
    table.send(sg.NodeRead, node(table.state, left=()))
    table.send(sg.CloseAnswered, refused("not on a paused node"))
    assert table.state.outcome is Outcome.DRAINED
    assert any("did not take the drain flag" in line.text for line in table.state.log)


def test_roles_volumes_and_core_groups_move_one_after_the_other() -> None:
    table = moved()
    left = {"left": ("files",), "volumes": ("Disk 1",), "core": ("Cluster Group",)}
    wanted = [(OwnedKind.ROLE, "files"), (OwnedKind.VOLUME, "Disk 1"), (OwnedKind.CORE_GROUP, "Cluster Group")]
    for kind, name in wanted:
        facts = node(table.state, left=(), volumes=left["volumes"], core=left["core"])
        if left["left"]:
            facts = replace(facts, roles=(*facts.roles, replace(facts.roles[0], name="files", core=False)))
        table.send(sg.NodeRead, facts)
        (command,) = table.asked(cmd.MoveOwned)
        assert (command.kind, command.name) == (kind, name)
        assert table.told(ev.OwnedMoveIntended)
        table.send(sg.OwnedAnswered, command.kind, command.name, command.destination, DONE)
        left = {key: () for key in left} if kind is OwnedKind.CORE_GROUP else left
        left["left" if kind is OwnedKind.ROLE else "volumes" if kind is OwnedKind.VOLUME else "core"] = ()
    table.send(sg.NodeRead, node(table.state, left=()))
    assert table.state.verified_empty


def test_what_can_not_be_moved_is_named_and_the_run_failed() -> None:
    table = moved()
    table.send(sg.NodeRead, node(table.state, left=(), volumes=("Disk 1",)))
    (command,) = table.asked(cmd.MoveOwned)
    table.send(sg.OwnedAnswered, command.kind, command.name, command.destination, refused("in use"))
    table.send(sg.NodeRead, node(table.state, left=(), volumes=("Disk 1",)), at_s=400.0)
    assert table.state.left_on_node == ("Disk 1",)
    assert table.state.outcome is Outcome.FAILED


def test_a_vm_that_the_plan_did_not_know_joins_the_run() -> None:
    table = moved()
    table.send(sg.NodeRead, node(table.state, left=("vm-9",)))
    assert table.told(ev.RolesFound)[0].names == ("vm-9",)
    assert table.asked(cmd.Replan) == [cmd.Replan(None)]
    world = calm_world(10)
    table.send(sg.Replanned, plan_for(world, None, None), None)
    assert table.state.phase is Phase.MOVING
    assert [move.vm.name for move in table.state.moves.values()] == ["vm-0", "vm-9"]
    assert table.asked(cmd.CheckMove)


def test_a_found_vm_that_no_plan_can_move_yet_is_planned_for_again() -> None:
    table = moved()
    table.send(sg.NodeRead, node(table.state, left=("vm-9",)))
    table.send(sg.Replanned, plan_for(calm_world(1), None, None), None)
    assert table.state.phase is Phase.VERIFYING
    table.send(sg.NodeRead, node(table.state, left=("vm-9",)), at_s=30.0)
    assert table.asked(cmd.Replan) == [cmd.Replan(None)]
    table.send(sg.Replanned, plan_for(calm_world(10), None, None), None)
    assert table.state.phase is Phase.MOVING


def test_a_held_vm_keeps_the_run_open() -> None:
    table = desk(2).claim().ask(rq.HoldMove(desk(2).vm(1))).start(0).arrive(0)
    for second in range(10, 400, 30):
        table.tick(float(second))
    assert table.state.phase is Phase.MOVING
    table.ask(rq.SkipMove(table.vm(1)))
    assert table.state.phase is Phase.VERIFYING


@pytest.mark.parametrize(("agreed", "code"), [(True, 0), (False, 3)])
def test_vms_left_behind_count_as_drained_only_by_consent(agreed: bool, code: int) -> None:
    opening = desk(2).journal[0]
    assert isinstance(opening, ev.RunOpened)
    stays = replace(opening.moves[1], state=MoveState.LEFT_BEHIND, reason="not a clustered role", destination=None)
    consents = (Consent("leave-behind", "vm-1", "ann", EPOCH),) if agreed else ()
    table = Desk(replace(opening, moves=(opening.moves[0], stays), consents=consents)).claim()
    table.start(0).arrive(0).see(1)
    for second in (50.0, 300.0):
        table.send(sg.NodeRead, node(table.state, left=("vm-1",)), at_s=second)
    assert table.state.outcome is Outcome.DRAINED
    assert exit_code(table.state) == code


def test_the_window_closes_starts_and_lets_what_flies_finish() -> None:
    table = desk(3, window_s=60.0).claim().start(0)
    table.tick(61.0)
    assert table.told(ev.WindowClosed)
    assert table.move(0).state is MoveState.MOVING
    assert "the window ended" in table.move(1).reason
    assert not table.asked(cmd.CancelMove)
    assert not table.check(1).asked(cmd.StartMove)
    table.arrive(0)
    table.see(1)
    table.send(sg.NodeRead, node(table.state), at_s=300.0)
    table.see(1).see(2)
    if not table.state.late_ones_seen:
        from console.drain.facts import Sight
        from console.model.cluster import GroupState

        sights = tuple(Sight(table.vm(number), HostName("HV01"), GroupState.ONLINE) for number in (1, 2))
        table.send(sg.ProgressRead, sights)
    table.send(sg.NodeRead, node(table.state), at_s=600.0)
    assert table.state.outcome is Outcome.WINDOW_CLOSED
    assert exit_code(table.state) == 8


def test_a_window_that_is_over_before_the_claim_starts_nothing() -> None:
    table = desk(2, window_s=1.0)
    table.tick(5.0)
    assert table.state.outcome is Outcome.WINDOW_CLOSED
    assert not table.asked(cmd.PauseNode)


def test_the_forecast_learns_from_what_is_finished() -> None:
    table = desk(8, slots=1).claim()
    first = table.state.forecast_finish_p50_at
    for number in range(4):
        table.start(number)
        table.now_s += 60.0
        table.arrive(number)
    table.tick()
    assert first is not None
    assert table.state.forecast_finish_p50_at is not None
    left_s = (table.state.forecast_finish_p50_at - table.state.now).total_seconds()
    assert 150.0 < left_s < 280.0, "four more take a minute each; four tell, held near the 20 s that were believed"


def test_an_open_run_has_no_exit_code_of_its_own() -> None:
    assert exit_code(desk().state) == 130
