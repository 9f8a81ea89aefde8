"""From a seed to one whole drain: cluster, plan, rules, faults, an operator who presses keys, deaths."""

from __future__ import annotations

import random
from dataclasses import dataclass

from console.drain import requests as rq
from console.drain.lease import LeaseTerms
from console.drain.requests import OperatorRequest
from console.drain.rules import Rules
from console.drain.state import Consent, WhenStuck
from console.guard import Lines
from console.model.cluster import GroupState
from console.model.identity import HostName, VmId
from console.planner.values import Engine, SlotReading

from .campaign import Campaign, seeded_latency
from .caps import Caps
from .faults import draw
from .making import make_world, opened_for, send_away
from .moments import EPOCH
from .world import World

TERMS = LeaseTerms("ann", "console-1", 90.0)


@dataclass(frozen=True)
class Drawn:
    """A drain that is ready to run, and the kinds of faults that were thrown into it."""

    campaign: Campaign
    kinds: tuple[str, ...]


def draw_drain(seed: int, *, kill_after_events: int | None = None) -> Drawn:
    dice = random.Random(seed)
    world = make_world(seed, dice.randint(1, 10), dice.randint(2, 5), limit=dice.choice((1, 2, 2, 3, 4)))
    nodes, vms = list(world.nodes), list(world.vms)
    world.faults, kinds = draw(dice, nodes, vms)
    if dice.random() < 0.3:
        for vm in dice.sample(vms, (len(vms) + 2) // 3):
            world.vms[vm].excluded = frozenset({dice.choice(nodes[1:])})
    if dice.random() < 0.1:
        world.faults.native_leaves = 0.2
    world.caps = _caps(dice)
    returning = dice.random() < 0.12
    if returning:
        send_away(world, paused=dice.random() < 0.8)
    consents = _consents(dice, world)
    first = opened_for(
        world,
        slots=dice.randint(1, 4),
        window_s=dice.choice((None, None, None, 60.0, 300.0)),
        consents=consents,
        engine=Engine.NATIVE if dice.random() < 0.15 and not returning else Engine.PLANNED,
        quick=frozenset(vm for vm in vms if dice.random() < 0.05),
        smb=dice.random() < 0.5,
        when_stuck=dice.choice((WhenStuck.ASK, WhenStuck.CANCEL)),
    )
    hammered = dice.random() < 0.3
    _switch(random.Random(f"switched since {seed}"), world)
    requests = [*(_keys(dice, vms, nodes) if hammered else ()), *_last_words()]
    killed = kill_after_events is None and dice.random() < 0.2
    campaign = Campaign(
        world,
        [first],
        rules_for(dice),
        requests,
        kills=sorted(dice.randint(1, 150) for _ in range(3)) if killed else [],
        kill_after_events=kill_after_events,
        latency=seeded_latency(seed),
        limit_s=6000.0,
    )
    campaign.judge.through_text = seed % 4 == 0
    campaign.dice = random.Random(seed)
    names = [
        *kinds,
        *(["(a planned return)"] if returning else []),
        *(["operator hammers keys"] if hammered else []),
        *(["console killed"] if killed else []),
    ]
    return Drawn(campaign, tuple(names))


def _switch(dice: random.Random, world: World) -> None:
    """Since the plan some VM was shut down, some other was started."""
    for vm in world.vms.values() if dice.random() < 0.3 else ():
        if dice.random() < 0.2:
            on = vm.state != 2
            vm.state, vm.heartbeat = (2, 6) if on else (3, None)
            vm.role_state = GroupState.ONLINE if on else GroupState.OFFLINE


def _caps(dice: random.Random) -> Caps:
    def perhaps(chance: float, *values: int) -> int | None:
        return dice.choice(values) if dice.random() < chance else None

    reading = SlotReading.PAIR if dice.random() < 0.3 else SlotReading.NODE
    return Caps(reading, perhaps(0.25, 1, 2), perhaps(0.25, 1, 2), perhaps(0.25, 1, 2, 3))


def rules_for(dice: random.Random) -> Rules:
    """As in the product, with less patience, so that a hopeless drain ends in minutes."""
    return Rules(
        guard=Lines(calm_s=10.0, raise_after_s=20.0) if dice.random() < 0.8 else None,
        contact_patience_s=400.0,
        slow_after_s=60.0,
        stuck_after_s=240.0,
        host_patience_s=120.0,
        heartbeat_patience_s=60.0,
        refusal_patience_s=120.0,
        lease=TERMS if dice.random() < 0.6 else None,
        glance_s=dice.choice((0.1, 2.0, 2.0, 2.0)),
    )


def _consents(dice: random.Random, world: World) -> tuple[Consent, ...]:
    given = []
    if dice.random() < 0.5:
        given.append(Consent("interrupt", dice.choice(("all", next(iter(world.vms)))), "ann", EPOCH))
    if dice.random() < 0.4:
        given.append(Consent("setting", f"MaximumParallelMigrations={dice.randint(1, 6)}", "ann", EPOCH))
    if dice.random() < 0.3:
        given.append(Consent("setting", f"SMBBandwidthLimitFactor={dice.choice((2500, 6000, 9000))}", "ann", EPOCH))
    if dice.random() < 0.3:
        given.append(Consent("setting", "AutoBalancerMode=0", "ann", EPOCH))
    return tuple(given)


def _keys(dice: random.Random, vms: list[VmId], nodes: list[HostName]) -> list[tuple[float, OperatorRequest]]:
    return [(dice.uniform(0.0, 200.0), _key(dice, vms, nodes)) for _ in range(dice.randint(5, 40))]


def _key(dice: random.Random, vms: list[VmId], nodes: list[HostName]) -> OperatorRequest:
    vm = dice.choice(vms)
    common: tuple[OperatorRequest, ...] = (
        rq.PauseStarts(),
        rq.ContinueStarts(),
        rq.ContinueStarts(),
        rq.SetSlots(dice.randint(-1, 5)),
        rq.SetBandwidthCap(dice.choice((0, 1000, 7500))),
        rq.HoldMove(vm),
        rq.ReleaseMove(vm),
        rq.RetryMove(vm, dice.choice((None, *nodes))),
        rq.CancelMove(vm),
        rq.ForceBack(vm, dice.choice((None, *nodes))),
        rq.SkipMove(vm),
    )
    rare: tuple[OperatorRequest, ...] = (
        rq.StopRun(),
        rq.DetachRun(),
        rq.CloseByForce(),
        rq.HandOver(dice.random() < 0.5),
    )
    return dice.choice(rare) if dice.random() < 0.02 else dice.choice(common)


def _last_words() -> list[tuple[float, OperatorRequest]]:
    """Nobody lets a run stand for ever: go on, then stop, then leave, then close by force."""
    return [
        (400.0, rq.ContinueStarts()),
        (400.0, rq.SetSlots(2)),
        (900.0, rq.StopRun()),
        (1800.0, rq.DetachRun()),
        (2400.0, rq.CloseByForce()),
    ]
