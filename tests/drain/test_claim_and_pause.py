"""Before anything moves: the node is read, nobody else works on it, and nothing new lands on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import signals as sg
from console.drain.ending import exit_code
from console.drain.state import MoveState, Outcome, Phase
from console.model.cluster import DrainStatus, NodeFlags, NodeState

from .desk import UNANSWERED, Desk, desk, node, refused


@pytest.mark.parametrize(
    ("seen", "words", "code"),
    [
        ({"lease_of": "bob on PC7"}, "bob on PC7", 6),
        ({"drain": DrainStatus.IN_PROGRESS}, "another drain", 6),
        ({"flags": NodeFlags.DRAIN_IN_PROGRESS}, "another drain", 6),
        ({"state": NodeState.DOWN}, "down", 3),
        ({"others": ()}, "no other node", 3),
    ],
)
def test_a_node_that_can_not_be_had_is_refused_and_nothing_is_sent(
    seen: dict[str, object], words: str, code: int
) -> None:
    table = desk().tick()
    assert table.asked(cmd.ReadNode)
    state = seen.pop("state", NodeState.UP)
    table.send(sg.NodeRead, node(table.state, state, **seen))  # type: ignore[arg-type]
    assert words in table.told(ev.NodeRefused)[0].reason
    assert table.state.outcome is Outcome.BLOCKED
    assert exit_code(table.state) == code
    assert all(words in move.reason for move in table.state.moves.values())
    assert not table.asked(cmd.PauseNode)
    assert not table.asked(cmd.StartMove)


def test_the_node_is_paused_before_anything_moves() -> None:
    table = desk().tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    assert table.asked(cmd.PauseNode) == [cmd.PauseNode()]
    assert isinstance(table.journal[-1], ev.PauseIntended)
    assert not table.asked(cmd.CheckMove)
    table.send(sg.PauseAnswered, UNANSWERED)
    assert not table.told(ev.NodePaused)
    assert table.asked(cmd.ReadNode)
    table.send(sg.NodeRead, node(table.state, NodeState.PAUSED))
    assert table.told(ev.NodePaused)
    assert len(table.asked(cmd.CheckMove)) == 2


def test_a_pause_is_asked_once_only() -> None:
    table = desk().tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    for second in range(1, 20):
        assert not table.tick(float(second)).asked(cmd.PauseNode)


def test_a_node_that_was_paused_already_is_not_paused_again() -> None:
    table = desk().claim(NodeState.PAUSED)
    assert not any(isinstance(event, ev.PauseIntended) for event in table.journal)
    assert table.state.phase is Phase.MOVING


def test_an_operator_can_choose_not_to_pause() -> None:
    table = Desk(replace(desk().journal[0], pause_node=False)).claim()  # type: ignore[arg-type]
    assert table.state.phase is Phase.MOVING
    assert not table.state.node_paused


@pytest.mark.parametrize("answer", ["refused", "never"])
def test_a_pause_that_fails_ends_the_run_before_it_began(answer: str) -> None:
    table = desk().tick()
    table.send(sg.NodeRead, node(table.state, NodeState.UP))
    if answer == "refused":
        table.send(sg.PauseAnswered, refused("access denied", 5))
    else:
        table.send(sg.NodeRead, node(table.state, NodeState.UP), at_s=200.0)
    assert table.state.outcome is Outcome.FAILED
    assert exit_code(table.state) == 1
    assert {move.state for move in table.state.moves.values()} == {MoveState.SKIPPED}


def test_a_cluster_that_never_answers_ends_with_no_connection() -> None:
    table = desk().tick()
    table.send(sg.ReadFailed, "no route")
    table.tick(60.0)
    assert table.state.phase is Phase.CLAIMING
    table.tick(500.0)
    assert table.state.outcome is Outcome.CONTACT_LOST
    assert exit_code(table.state) == 7


def test_what_the_pause_costs_the_storage_is_read_told_and_kept_and_stops_nothing() -> None:
    table = desk().claim()
    assert table.asked(cmd.ReadStorage)
    assert table.asked(cmd.CheckMove)
    table.send(sg.StorageRead, ("Volume01", "Volume02"))
    assert table.state.degraded_disks == ("Volume01", "Volume02")
    assert "Volume01, Volume02 miss a copy" in table.state.log[-1].text
    assert table.start(0).state.occupied_slots == 2


def test_a_storage_that_is_well_is_not_spoken_of() -> None:
    table = desk().claim()
    before = table.state.log
    assert table.send(sg.StorageRead, ()).state.log == before
