"""Others at work on the same VMs: seen by their effects, named, and never worked against."""

from __future__ import annotations

from console.drain import commands as cmd
from console.drain import move_events as mv
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.state import MoveState, Phase
from console.model.cluster import DrainStatus
from console.model.identity import HostName
from console.planner.values import Engine

from .desk import desk, node

HV03 = HostName("HV03")


def test_who_took_a_vm_is_asked_for_and_named() -> None:
    table = desk().claim().check(0, owner=HV03)
    assert table.asked(cmd.ReadActor)
    table.send(sg.ActorFound, table.vm(0), "the cluster's balancer (event 1808 on HV03)")
    assert table.move(0).reason == "moved to HV03 by something else: the cluster's balancer (event 1808 on HV03)"
    assert "vm-0 was taken by the cluster's balancer" in table.state.log[-1].text
    assert table.told(mv.ActorNamed)


def test_another_drain_of_the_node_is_named_watched_and_not_worked_against() -> None:
    table = desk(3).claim().check(0, node_draining=True)
    assert table.state.engine is Engine.NATIVE
    assert "Another drain of HV01 was begun beside this run" in table.state.log[-1].text
    assert not table.asked(cmd.StartMove)
    assert not table.asked(cmd.StartNativeDrain)
    table.tick(10.0)
    assert table.asked(cmd.ReadNode)
    assert not table.asked(cmd.StartNativeDrain)
    assert all(move.state is not MoveState.CHECKING for move in table.state.moves.values())


def test_stopping_does_not_stop_a_drain_that_is_not_ours() -> None:
    table = desk(3).claim().check(0, node_draining=True).ask(rq.StopRun())
    assert not table.asked(cmd.StopNativeDrain)


def test_when_the_other_drain_is_gone_single_moves_go_on() -> None:
    table = desk(2).claim().check(0, node_draining=True)
    table.send(sg.NodeRead, node(table.state, drain=DrainStatus.NOT_INITIATED), at_s=100.0)
    assert table.state.engine is Engine.PLANNED
    assert "the other drain is gone" in table.state.log[-1].text
    assert table.state.phase is Phase.MOVING
    assert table.asked(cmd.CheckMove)
