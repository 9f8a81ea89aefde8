"""The hosts' logs go back further than the world: earlier moves of its VMs, by the world's own physics."""

from __future__ import annotations

import time

import pytest

from console.lab.serve import InProcessLab
from console.lab.world.log import FIRST_RECORD, LogEvent
from console.lab.world.past import MOST_MOVES, lived, past_logs
from console.lab.world.spec import load_scenario, scenario_names

DEPARTED, ARRIVED = (1641,), (20415, 20417)
NEWS_S = -14 * 86400.0
"""What is younger may be taken for a recent failure."""


def events(scenario: str, seed: int = 1) -> list[LogEvent]:
    return [event for log in past_logs(load_scenario(scenario), seed).values() for event in log]


@pytest.mark.parametrize("scenario", sorted({*scenario_names()} - {"huge", "hundred-gig", "article"}))
def test_every_scenario_has_a_past_that_is_over(scenario: str) -> None:
    told = events(scenario)
    gone, arrived = ([each for each in told if each.id in ids] for ids in (DEPARTED, ARRIVED))
    assert 0 < len(arrived) <= len(gone)
    assert all(each.at_s < NEWS_S and each.record < FIRST_RECORD for each in told)


def test_the_same_seed_has_the_same_past_and_another_one_another() -> None:
    first = events("quiet")
    lived.cache_clear()
    assert events("quiet") == first
    assert events("quiet", seed=2) != first


def test_it_does_not_touch_the_world_itself() -> None:
    world = InProcessLab("storm").cluster.world
    before = [(vm.name, vm.host, vm.state) for vm in world.vms.values()]
    log = world.log.of("HV01")
    assert log
    assert [(vm.name, vm.host, vm.state) for vm in world.vms.values()] == before
    assert (world.now_s, world.moves, len(world.troubles)) == (0.0, [], 3)


def test_a_guest_that_dirties_faster_than_its_link_copies_has_been_seen_before() -> None:
    hot = [event for event in events("storm") if event.id == 20417]
    assert {event.values[0] for event in hot} == {"sql-hot-03"}
    assert all(float(event.values[2]) > 10 for event in hot)


def test_the_largest_cluster_s_past_is_bounded_and_cheap() -> None:
    begin = time.process_time()
    told = events("huge")
    assert time.process_time() - begin < 6.0
    assert len({event.host for event in told}) == 64
    assert sum(event.id in ARRIVED for event in told) <= 2 * MOST_MOVES
