"""Two operators: the highest generation rules, an expired lease is superseded, and a gap stops starts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import lease_events as le
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.ending import exit_code
from console.drain.lease import (
    EXPIRES,
    HOST,
    OWNER,
    RUN,
    LeaseRow,
    LeaseTerms,
    Verdict,
    generation_of,
    lease_name,
    lease_properties,
    rule,
)
from console.drain.limits import fence_reason
from console.drain.rules import Rules
from console.drain.state import MoveState, Outcome, Phase
from console.model.cluster import NodeState
from console.model.identity import HostName, RoleName, RunId

from .desk import DONE, UNANSWERED, Desk, desk, node, refused
from .lease_book import CLUSTER_AHEAD
from .moments import EPOCH, moment

TERMS = LeaseTerms("ann", "PC1", 90.0)
NODE = HostName("hv-01")
RUN_ID = RunId("run")


def row(
    generation: int, run: str = "other", left_s: float | None = 60.0, id: str = "", node: str = "hv-01"
) -> LeaseRow:
    properties = {OWNER: "bob", HOST: "PC7", RUN: run} if run else {}
    if left_s is not None:
        properties[EXPIRES] = (EPOCH + timedelta(seconds=left_s)).isoformat()
    return LeaseRow(lease_name(HostName(node), generation), id or f"id-{generation}", properties)


@pytest.mark.parametrize(
    ("rows", "verdict", "generation"),
    [
        ([], Verdict.FREE, 1),
        ([row(3)], Verdict.HELD, 3),
        ([row(3, left_s=-1.0)], Verdict.FREE, 4),
        ([row(3, left_s=0.0)], Verdict.FREE, 4),
        ([row(2), row(3, left_s=-1.0)], Verdict.FREE, 4),
        ([row(3, left_s=-1.0), row(10)], Verdict.HELD, 10),
        ([row(3, run="run")], Verdict.OURS, 3),
        ([row(3, run="run", left_s=-50.0)], Verdict.OURS, 3),
        ([row(3, run="", left_s=None)], Verdict.FORMING, 3),
        ([row(3, left_s=None)], Verdict.FORMING, 3),
        ([row(7, node="hv-011"), row(5, node="hv")], Verdict.FREE, 1),
    ],
)
def test_who_holds_the_node(rows: list[LeaseRow], verdict: Verdict, generation: int) -> None:
    ruling = rule(rows, NODE, RUN_ID, EPOCH, TERMS)
    assert (ruling.verdict, ruling.generation) == (verdict, generation)


def test_ids_tell_two_groups_of_one_name_apart() -> None:
    rows = [row(1, run="run", id="new")]
    assert rule(rows, NODE, RUN_ID, EPOCH, TERMS, own_id="old").verdict is Verdict.HELD
    assert rule(rows, NODE, RUN_ID, EPOCH, TERMS, own_id="new").verdict is Verdict.OURS


def test_a_lease_from_the_future_is_held_and_named_odd() -> None:
    ruling = rule([row(1, left_s=86_400.0)], NODE, RUN_ID, EPOCH, TERMS)
    assert ruling.verdict is Verdict.HELD
    assert "a clock was wrong" in ruling.reason
    assert "remove the group zz-drainboard-hv-01-1" in ruling.reason


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "1e9"])
def test_an_expiry_that_can_not_be_read_is_none(text: str) -> None:
    odd = LeaseRow(lease_name(NODE, 1), "id", {RUN: "other", EXPIRES: text})
    assert rule([odd], NODE, RUN_ID, EPOCH, TERMS).verdict is Verdict.FORMING


@pytest.mark.parametrize(
    ("name", "generation"),
    [
        ("zz-drainboard-hv-01-12", 12),
        ("ZZ-Drainboard-HV-01-12", 12),
        ("zz-drainboard-hv-01-0", None),
        ("zz-drainboard-hv-01-", None),
        ("zz-drainboard-hv-01-1x", None),
        ("zz-drainboard-hv-02-1", None),
        ("hv-01-1", None),
    ],
)
def test_names(name: str, generation: int | None) -> None:
    assert generation_of(RoleName(name), NODE) == generation


def test_the_expiry_is_written_last_and_in_utc() -> None:
    written = lease_properties(TERMS, RUN_ID, EPOCH)
    assert [name for name, _ in written] == [OWNER, HOST, RUN, EXPIRES]
    assert written[-1][1] == "2026-01-01T02:01:30+00:00"


# in the run


def mine(table: Desk, left_s: float = 90.0, generation: int = 1, id: str = "id-1") -> LeaseRow:
    expires = moment(table.now_s) + CLUSTER_AHEAD + timedelta(seconds=left_s)
    properties = {OWNER: "ann", HOST: "PC1", RUN: str(table.state.run), EXPIRES: expires.isoformat()}
    return LeaseRow(lease_name(table.state.node, generation), id, properties)


def theirs(table: Desk, left_s: float = 60.0, generation: int = 1) -> LeaseRow:
    expires = moment(table.now_s) + CLUSTER_AHEAD + timedelta(seconds=left_s)
    properties = {OWNER: "bob", HOST: "PC7", RUN: "run-b", EXPIRES: expires.isoformat()}
    return LeaseRow(lease_name(table.state.node, generation), f"their-{generation}", properties)


def read(table: Desk, *rows: LeaseRow, at_s: float | None = None) -> Desk:
    when = table.now_s + 0.1 if at_s is None else at_s
    return table.send(sg.LeaseRead, moment(when) + CLUSTER_AHEAD, rows, at_s=when)


def waiting() -> Desk:
    return desk(2, Rules(guard=None, lease=TERMS)).tick()


def leased() -> Desk:
    """Through lease, claim and pause."""
    table = read(waiting())
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-1"), DONE, "id-1")
    read(table, LeaseRow(RoleName("zz-drainboard-HV01-1"), "id-1"))
    read(table, mine(table))
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    return table.send(sg.PauseAnswered, DONE)


def test_the_lease_comes_first_then_the_node() -> None:
    table = waiting()
    assert table.asked(cmd.ReadLease)
    assert not table.asked(cmd.ReadNode)
    read(table)
    assert table.told(le.LeaseIntended)
    assert table.asked(cmd.CreateLease) == [cmd.CreateLease(RoleName("zz-drainboard-HV01-1"))]
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-1"), DONE, "id-1")
    read(table, LeaseRow(RoleName("zz-drainboard-HV01-1"), "id-1"))
    assert [name for name, _ in table.asked(cmd.RenewLease)[0].properties] == [OWNER, HOST, RUN, EXPIRES]
    assert not table.state.lease.held
    read(table, mine(table))
    assert table.state.lease.held
    assert table.asked(cmd.ReadNode)


def test_a_node_that_another_holds_is_refused_with_exit_code_6() -> None:
    table = waiting()
    read(table, theirs(table))
    assert table.state.outcome is Outcome.BLOCKED
    assert "bob on PC7" in table.state.log[-2].text
    assert exit_code(table.state) == 6
    assert not table.asked(cmd.RemoveLease)


def test_a_look_that_began_before_the_creation_says_nothing_of_it() -> None:
    table = read(waiting())
    began = moment(table.now_s)
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-1"), DONE, "id-1")
    when = table.now_s + 0.1
    table.send(sg.LeaseRead, moment(when) + CLUSTER_AHEAD, (), began, at_s=when)
    assert table.state.lease.id == "id-1"
    assert not table.told(le.LeaseIntended)


def test_being_second_at_the_creation_means_reading_again() -> None:
    table = read(waiting())
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-1"), refused("exists", 5010))
    assert table.asked(cmd.ReadLease)
    read(table, theirs(table))
    assert table.state.held_by == "bob on PC7"


def test_a_creation_without_an_answer_is_nobodys_until_a_life_has_passed() -> None:
    table = read(waiting())
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-1"), UNANSWERED)
    bare = LeaseRow(RoleName("zz-drainboard-HV01-1"), "id-1")
    assert read(table, bare).told(le.LeaseWaited)
    assert not read(table, bare, at_s=60.0).commands
    read(table, bare, at_s=95.0)
    assert table.asked(cmd.CreateLease) == [cmd.CreateLease(RoleName("zz-drainboard-HV01-2"))]


def test_an_expired_one_is_superseded_and_removed_by_its_id() -> None:
    table = waiting()
    old = theirs(table, -5.0)
    read(table, old)
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-2"), DONE, "id-2")
    read(table, old, mine(table, generation=2, id="id-2"))
    assert table.state.lease.generation == 2
    assert table.asked(cmd.RemoveLease) == [cmd.RemoveLease(old.name, "their-1")]


def test_one_that_was_renewed_just_in_time_goes_on_and_we_withdraw() -> None:
    table = waiting()
    read(table, theirs(table, -5.0))
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-2"), DONE, "id-2")
    read(table, theirs(table, 80.0), mine(table, generation=2, id="id-2"))
    assert cmd.RemoveLease(RoleName("zz-drainboard-HV01-2"), "id-2") in table.commands
    assert table.state.outcome is Outcome.BLOCKED


def test_a_site_that_takes_no_leases_is_warned_about_and_goes_on() -> None:
    table = read(waiting())
    table.send(sg.LeaseCreated, RoleName("zz-drainboard-HV01-1"), refused("access is denied", 5))
    assert any(line.problem and "takes no lease" in line.text for line in table.state.log)
    assert table.asked(cmd.ReadNode)
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    assert table.asked(cmd.PauseNode)
    assert fence_reason(table.state, moment(9999.0)) is None


def test_it_is_read_often_and_renewed_at_a_third_of_its_life() -> None:
    table = leased()
    assert not table.tick(10.0).asked(cmd.ReadLease)
    assert table.tick(17.0).asked(cmd.ReadLease)
    assert not read(table, mine(table, 75.0)).asked(cmd.RenewLease)
    assert read(table, mine(table, 59.0)).asked(cmd.RenewLease)


@pytest.mark.parametrize("gap_s", [31.0, 3600.0])
def test_after_a_gap_nothing_starts_until_it_was_read_again(gap_s: float) -> None:
    table = leased()
    move = table.move(0)
    table.now_s += gap_s
    table.check(0)
    assert not table.asked(cmd.StartMove)
    assert "who holds the node was not read" in table.move(0).reason
    assert not table.tick().asked(cmd.CheckMove)
    assert table.asked(cmd.ReadLease)
    read(table, mine(table))
    assert move.vm.id in [command.vm for command in table.asked(cmd.CheckMove)]


def test_an_answer_that_waited_while_the_machine_slept_confirms_nothing() -> None:
    table = leased()
    asked = moment(20.0)
    table.send(sg.LeaseRead, asked + CLUSTER_AHEAD, (mine(table, 80.0),), asked, at_s=500.0)
    assert fence_reason(table.state, moment(500.0)) is not None
    assert not table.check(0).asked(cmd.StartMove)


def test_a_lease_that_could_not_be_renewed_stops_starts_before_it_is_over() -> None:
    table = leased()
    read(table, mine(table, 25.0), at_s=20.0)
    assert fence_reason(table.state, moment(24.0)) is None
    assert fence_reason(table.state, moment(26.5)) is not None


def test_an_expired_one_of_ours_is_renewed_and_read_again_before_anything_starts() -> None:
    table = leased()
    read(table, mine(table, -400.0), at_s=500.0)
    assert table.asked(cmd.RenewLease)
    assert fence_reason(table.state, moment(500.0)) is not None
    read(table, mine(table))
    assert fence_reason(table.state, moment(table.now_s)) is None


def test_another_that_took_over_ends_the_run_after_what_moves() -> None:
    table = leased().start(0)
    read(table, theirs(table, generation=2), at_s=200.0)
    assert table.told(le.LeaseLost)[0].held_by == "bob on PC7"
    assert table.move(0).state is MoveState.MOVING
    assert table.move(1).state is MoveState.SKIPPED
    assert not table.asked(cmd.CancelMove)
    assert "nothing more starts" in table.ask(rq.RetryMove(table.vm(1))).state.log[-1].text
    table.arrive(0)
    table.see(1)
    for second in (300.0, 500.0):
        table.send(sg.NodeRead, node(table.state, left=("vm-1",)), at_s=second)
    assert table.state.outcome is Outcome.BLOCKED
    assert exit_code(table.state) == 6
    assert not any(isinstance(command, cmd.RemoveLease | cmd.CloseNode) for command in table.commands)


def test_one_that_was_removed_by_hand_is_taken_again() -> None:
    table = leased()
    read(table, at_s=20.0)
    assert table.told(le.LeaseMissing)
    assert fence_reason(table.state, moment(20.0)) is not None
    assert table.asked(cmd.CreateLease)


def test_it_is_given_back_at_the_end_but_not_by_force() -> None:
    table = leased().ask(rq.StopRun())
    table.see(0)
    assert table.state.phase is Phase.VERIFYING
    assert leased().ask(rq.CloseByForce()).commands == ()
    detached = leased().ask(rq.DetachRun())
    assert detached.asked(cmd.RemoveLease) == [cmd.RemoveLease(RoleName("zz-drainboard-HV01-1"), "id-1")]
    assert isinstance(detached.journal[-1], ev.RunClosed)


# missed time


@pytest.mark.parametrize("by_s", [3600.0, -3600.0])
def test_missed_time_is_no_lost_patience(by_s: float) -> None:
    table = leased().start(0).see(0, HostName("HV02"))
    table.send(sg.TimeSkipped, by_s, at_s=table.now_s + by_s)
    assert table.told(le.TimeSkipped)
    assert table.asked(cmd.ReadLease), "the lease has to be read again"
    from console.drain.facts import Arrival
    from console.model.cluster import GroupState

    arrival = Arrival(HostName("HV02"), GroupState.ONLINE, 2, 2)
    table.send(sg.ArrivalRead, table.vm(0), HostName("HV02"), arrival)
    assert table.move(0).state is MoveState.VERIFYING, "its guest had no chance to answer yet"
    table.send(sg.ArrivalRead, table.vm(0), HostName("HV02"), arrival, at_s=table.now_s + 400.0)
    assert table.move(0).state is MoveState.FAILED


def test_a_clock_that_was_set_back_without_a_word_does_no_harm() -> None:
    table = leased().start(0)
    table.tick(100.0)
    now = table.state.now
    table.tick(-3000.0)
    assert table.state.now >= now
