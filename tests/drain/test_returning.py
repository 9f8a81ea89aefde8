"""The way back: the node is resumed, and what left it returns, planned and carried out like a drain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import lease_events as le
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.ending import exit_code
from console.drain.opening import open_event
from console.drain.recovery import recover
from console.drain.returning import plan_return
from console.drain.state import MoveState, Outcome, Phase, Purpose, RunState
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import Cluster, MigrationTransport, NodeState
from console.model.identity import HostName, RunId

from ..builders import make_cluster, make_host, make_vm
from .desk import DONE, UNANSWERED, Desk, desk, node, refused
from .moments import EPOCH, moment

HOME = HostName("HV01")
SMB = MigrationTransport.SMB


def drained() -> RunState:
    """Three VMs away, one of them by consent not live; one that stayed."""
    opening = desk(4).journal[0]
    assert isinstance(opening, ev.RunOpened)
    states = (MoveState.DONE, MoveState.DONE, MoveState.INTERRUPTED, MoveState.SKIPPED)
    state = desk(4).state
    moves = {move.vm.id: replace(move, state=now, reason="") for move, now in zip(opening.moves, states, strict=True)}
    return replace(state, moves=moves, outcome=Outcome.DRAINED)


def cluster_now(run: RunState, hosts: tuple[str, ...] = ("HV02", "HV03", "HV02", "HV01")) -> Cluster:
    vms = [make_vm(move.vm.name, host, ref=move.vm) for move, host in zip(run.moves.values(), hosts, strict=True)]
    return make_cluster(hosts=tuple(make_host(name) for name in ("HV01", "HV02", "HV03")), vms=tuple(vms))


def table_of_return(run: RunState, cluster: Cluster) -> Desk:
    plan = plan_return(run, cluster, PriorForecaster(), lambda vm, host: (), slots=2)
    return Desk(open_event(plan, cluster, run=RunId("back"), at=EPOCH, purpose=Purpose.RETURN))


def test_the_plan_brings_back_what_left_from_where_it_is_now() -> None:
    run = drained()
    plan = plan_return(run, cluster_now(run), PriorForecaster(), lambda vm, host: (), slots=2)
    assert {(move.vm.name, move.source, move.destination) for move in plan.moves} == {
        ("vm-0", "HV02", "HV01"),
        ("vm-1", "HV03", "HV01"),
        ("vm-2", "HV02", "HV01"),
    }
    for moment_s in [move.start_s for move in plan.moves]:
        assert sum(move.start_s <= moment_s < move.end_s for move in plan.moves) <= 2
    assert plan.lower_bound_s <= plan.makespan_s + 1e-9


def test_a_return_takes_as_long_as_moves_that_share_the_link_only_while_they_copy() -> None:
    state, forecaster = desk(20).state, PriorForecaster()
    run = replace(state, moves={id: replace(move, state=MoveState.DONE) for id, move in state.moves.items()})
    vms = [make_vm(move.vm.name, "HV02", 4 + 3 * n, ref=move.vm) for n, move in enumerate(run.moves.values())]
    cluster = make_cluster(hosts=tuple(make_host(name, migration_transport=SMB) for name in ("HV01", "HV02")), vms=vms)
    plan = plan_return(run, cluster, forecaster, lambda vm, host: (), slots=2)
    always_shared = [forecaster.forecast(cluster, vm, HOME, sharing=2).duration_p50_s for vm in vms]
    assert len(plan.moves) == 20
    assert plan.lower_bound_s <= plan.makespan_s < 0.97 * sum(always_shared) / 2
    assert plan.makespan_s < plan.makespan_p90_s


def test_what_is_back_already_or_gone_or_kept_away_is_not_moved() -> None:
    run = drained()
    cluster = cluster_now(run, ("HV01", "HV03", "HV02", "HV01"))
    gone = replace(cluster, vms=tuple(vm for vm in cluster.vms if vm.name != "vm-2"))
    plan = plan_return(run, gone, PriorForecaster(), lambda vm, host: ("its switch is not there",), slots=2)
    assert plan.moves == ()
    assert [(item.vm.name, item.reason) for item in plan.infeasible] == [("vm-1", "its switch is not there")]


def test_the_node_is_resumed_without_failback_before_anything_returns() -> None:
    run = drained()
    table = table_of_return(run, cluster_now(run)).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.PAUSED, left=()))
    assert table.asked(cmd.ResumeNode)
    assert not table.asked(cmd.PauseNode)
    assert table.told(le.ResumeIntended)
    table.send(sg.ResumeAnswered, DONE)
    assert len(table.asked(cmd.CheckMove)) == 2
    for number in range(3):
        table.start(number)
        table.see(number, HOME)
        from console.drain.facts import Arrival
        from console.model.cluster import GroupState

        table.send(sg.ArrivalRead, table.vm(number), HOME, Arrival(HOME, GroupState.ONLINE, 2, 6))
    assert {move.state for move in table.state.moves.values()} == {MoveState.DONE}
    table.send(sg.NodeRead, node(table.state, NodeState.UP, left=("vm-0", "vm-1", "vm-2", "other")))
    assert table.state.outcome is Outcome.RETURNED
    assert exit_code(table.state) == 0
    assert not any(isinstance(command, cmd.CloseNode | cmd.MoveOwned | cmd.Replan) for command in table.commands)


@pytest.mark.parametrize("answer", ["refused", "never", "lost"])
def test_a_resume_that_fails_or_is_not_answered(answer: str) -> None:
    run = drained()
    table = table_of_return(run, cluster_now(run)).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.PAUSED, left=()))
    if answer == "refused":
        table.send(sg.ResumeAnswered, refused("access denied", 5))
    else:
        table.send(sg.ResumeAnswered, UNANSWERED)
        state = NodeState.UP if answer == "lost" else NodeState.PAUSED
        table.send(sg.NodeRead, node(table.state, state, left=()), at_s=200.0)
    assert table.state.outcome is (None if answer == "lost" else Outcome.FAILED)
    assert bool(table.asked(cmd.CheckMove)) is (answer == "lost")


def test_a_node_that_is_up_already_is_not_resumed_again() -> None:
    run = drained()
    table = table_of_return(run, cluster_now(run)).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP, left=()))
    assert table.state.phase is Phase.MOVING
    assert not table.asked(cmd.ResumeNode)


def test_a_new_runner_asks_for_the_resume_again() -> None:
    run = drained()
    table = table_of_return(run, cluster_now(run)).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.PAUSED, left=()))
    from console.drain.fold import apply

    for event in recover(table.state, (), moment(9.0)):
        table.journal.append(event)
        table.state = apply(table.state, event)
    assert table.tick(10.0).asked(cmd.ResumeNode)


def test_what_the_node_does_not_take_stays_where_it_runs() -> None:
    run = drained()
    table = table_of_return(run, cluster_now(run)).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP, left=()))
    table.check(0, destination_accepts=False, destination_why_not="HV01 is paused")
    assert not table.asked(cmd.Replan)
    assert table.move(0).destination == HOME
    table.ask(rq.HoldMove(table.vm(1))).ask(rq.HoldMove(table.vm(2)))
    for second in range(20, 500, 20):
        table.tick(float(second))
        if table.move(0).state is MoveState.CHECKING:
            table.check(0, destination_accepts=False, destination_why_not="HV01 is paused")
    assert table.move(0).state is MoveState.BLOCKED
    assert "returns to HV01 or stays" in table.ask(rq.RetryMove(table.vm(0), HostName("HV03"))).state.log[-1].text
    assert table.ask(rq.RetryMove(table.vm(0))).asked(cmd.CheckMove), "nothing has to be planned anew for it"


def test_the_clusters_own_drain_is_no_way_back() -> None:
    run = drained()
    table = table_of_return(run, cluster_now(run)).tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP, left=()))
    assert "fills one" in table.ask(rq.HandOver(anyway=True)).state.log[-1].text


# the window


def test_a_window_at_risk_is_warned_about_early_once_and_taken_back() -> None:
    table = desk(6, slots=1, window_s=150.0).claim().tick(1.0)
    assert any(isinstance(event, le.WindowAtRisk) for event in table.journal)
    assert any(line.problem and "may not fit the window" in line.text for line in table.state.log)
    table.tick(8.0)
    assert not table.told(le.WindowAtRisk)
    for number in range(1, 6):
        table.ask(rq.SkipMove(table.vm(number)))
    table.tick(16.0)
    assert table.told(le.WindowSafe)
    assert not table.state.window_at_risk


def test_refused_single_moves_are_told_with_the_way_out_and_only_once() -> None:
    table = desk(4).claim().start(0, refused("access is denied", 5))
    assert table.state.log[-1].problem
    assert "hand over" in table.state.log[-1].text
    table.start(1, refused("access is denied", 5))
    assert sum("hand over" in line.text for line in table.state.log) == 1
    assert not table.asked(cmd.StartNativeDrain), "never by itself"
