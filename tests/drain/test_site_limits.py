"""Limits per pair, into one destination and in the cluster; and what MaximumParallelMigrations counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.drain import commands as cmd
from console.drain import events as ev
from console.drain import requests as rq
from console.drain import signals as sg
from console.drain.facts import Sight
from console.drain.outlook import finish_forecast
from console.model.cluster import GroupState
from console.model.identity import HostName
from console.planner.values import SlotReading

from .desk import Desk, desk
from .world import SOURCE

HV02, HV03 = HostName("HV02"), HostName("HV03")


def limited(vms: int = 6, **limits: object) -> Desk:
    opening = desk(vms, slots=6).journal[0]
    return Desk(replace(opening, **{"per_node_limit": 8, **limits})).claim()  # type: ignore[arg-type, type-var]


@pytest.mark.parametrize(
    ("limits", "expected", "words"),
    [
        ({"pair_limit": 1}, 2, "between HV01 and HV02 already"),
        ({"pair_limit": 2}, 4, "between HV01 and HV02 already"),
        ({"cluster_limit": 3}, 3, "in the cluster already, the site allows 3"),
        ({"destination_limit": 1}, 2, "go to HV02 already"),
        ({"per_node_limit": 1, "parallel_per": SlotReading.PAIR}, 2, "HV01 and HV02 are at their limit"),
        ({"per_node_limit": 1}, 1, "is at its limit"),
    ],
)
def test_every_limit_holds_and_says_so(limits: dict[str, object], expected: int, words: str) -> None:
    table = limited(**limits)
    assert len(table.asked(cmd.CheckMove)) == expected
    assert any(words in move.reason for move in table.state.moves.values())


def test_a_freed_pair_is_refilled() -> None:
    table = limited(pair_limit=1)
    table.start(0).start(1)
    assert [command.vm for command in table.see(0, HV02).asked(cmd.CheckMove)] == [table.vm(2)]


def test_migrations_of_others_count_in_the_cluster_and_between_a_pair() -> None:
    table = limited(cluster_limit=3)
    for number in range(3):
        table.start(number)
    table.send(sg.ProgressRead, (), {HV02: 2, HV03: 2})
    table.see(0, HV02).see(1, HV03)
    assert not table.asked(cmd.CheckMove), "one of ours and two of others"


def test_the_forecast_knows_the_limits() -> None:
    table = limited(parallel_per=SlotReading.PAIR, per_node_limit=1)
    few, many = limited(cluster_limit=1), table
    at = table.state.now
    assert finish_forecast(few.state, at)[0] - at > (finish_forecast(many.state, at)[0] - at) + timedelta(seconds=60)


def seen(table: Desk, *queued: int) -> Desk:
    """Everything in flight copies, but for those that wait in the cluster's queue."""
    flying = [n for n, move in enumerate(table.state.moves.values()) if move.occupies_slot]
    sights = tuple(
        Sight(
            table.vm(n),
            SOURCE,
            GroupState.ONLINE if n in queued else GroupState.PENDING,
            queued=n in queued,
            migrating=n not in queued,
            percent=None if n in queued else 20.0,
        )
        for n in flying
    )
    return table.send(sg.ProgressRead, sights, {})


def test_a_move_that_the_cluster_lets_wait_shows_that_it_counts_by_node() -> None:
    table = limited(per_node_limit=1, parallel_per=SlotReading.PAIR)
    table.start(0).start(1)
    seen(table, 1)
    told = table.told(ev.ParallelMeaningSeen)
    assert [event.counts for event in told] == [SlotReading.NODE]
    assert "HV01 takes part in 1" in told[0].evidence
    assert table.state.parallel_per is SlotReading.NODE, "the stricter reading holds at once"
    assert 'parallel_per = "node"' in table.state.log[-1].text
    assert not seen(table, 1).told(ev.ParallelMeaningSeen)
    table.arrive(0)
    assert not table.asked(cmd.CheckMove)


def test_a_full_pair_shows_nothing() -> None:
    table = limited(per_node_limit=1, parallel_per=SlotReading.PAIR)
    table.start(0).start(1)
    assert not seen(table).told(ev.ParallelMeaningSeen)


def test_more_on_a_node_than_its_limit_and_none_that_waits_shows_that_it_counts_by_pair() -> None:
    table = limited(per_node_limit=2)
    table.start(0).start(1)
    sights = tuple(Sight(table.vm(n), SOURCE, GroupState.PENDING, migrating=True, percent=20.0) for n in (0, 1))
    table.send(sg.ProgressRead, sights, {SOURCE: 1, HV03: 1})
    assert [event.counts for event in table.told(ev.ParallelMeaningSeen)] == [SlotReading.PAIR]
    assert table.state.parallel_per is SlotReading.NODE, "the looser reading is the configuration's to choose"
    table.see(0, HV02)
    table.ask(rq.SetSlots(5))
    assert not table.asked(cmd.CheckMove)
