"""Hundreds of drains with faults of every kind; the invariants are asked at every event.

A failing seed prints the command that runs it again, with its log.
The long campaign: ``python -m tests.bench.campaign``.
"""

from __future__ import annotations

import random

import pytest

from console.drain.state import Outcome, RunState

from .campaign import Campaign
from .drawn import Drawn, draw_drain
from .faults import KINDS
from .judge import Judge
from .making import make_world, opened_for
from .race import draw_race

SEEDS_A_TEST = 25


def again(seed: int, problems: list[str], how: str = "") -> str:
    return f"{problems}\nrun it again: python -m tests.bench.campaign --seed {seed}{how}"


def run(drawn: Drawn) -> tuple[RunState, list[str]]:
    return drawn.campaign.run(), drawn.campaign.problems


@pytest.mark.parametrize("block", range(5))
def test_drains_survive_their_faults(block: int) -> None:
    for seed in range(block * SEEDS_A_TEST, (block + 1) * SEEDS_A_TEST):
        _, problems = run(draw_drain(seed))
        assert not problems, again(seed, problems)


@pytest.mark.parametrize("block", range(2))
def test_a_runner_killed_at_any_boundary_of_its_journal_is_followed_by_one_that_finishes(block: int) -> None:
    for seed in range(block * SEEDS_A_TEST, (block + 1) * SEEDS_A_TEST):
        cut = random.Random(seed).randint(1, 120)
        _, problems = run(draw_drain(seed, kill_after_events=cut))
        assert not problems, again(seed, problems, f" --cut {cut}")


def test_two_consoles_never_work_on_one_node_and_neither_drains_it_twice() -> None:
    for seed in range(30):
        race = draw_race(seed)
        race.run()
        assert not race.problems, again(seed, race.problems, " --race")


def test_every_kind_of_fault_is_drawn() -> None:
    drawn = {kind for seed in range(600) for kind in draw_drain(seed).kinds}
    assert set(KINDS) <= drawn


def test_a_calm_drain_drains() -> None:
    world = make_world(5)
    campaign = Campaign(world, [opened_for(world)], draw_drain(0).campaign.rules, check_every_step=True)
    state = campaign.run()
    assert state.outcome is Outcome.DRAINED
    assert not campaign.problems
    assert all(vm.host != "HV01" for vm in world.vms.values())


def test_the_judge_sees_what_is_wrong() -> None:
    """A judge that never objects proves nothing: events that must not be, one by one."""
    from console.drain import move_events as mv

    from .moments import moment

    campaign = draw_drain(1).campaign
    campaign.begin()
    state, judge = campaign.state, Judge(campaign.world)
    vm, move = next(iter(state.moves.items()))
    host = move.destination or move.source
    judge.watch(state, [mv.MoveIntended(moment(1), vm, host, False, True, 2)], state)
    said = " ".join(judge.problems)
    assert "without a check" in said
    assert "do not add up" in said
