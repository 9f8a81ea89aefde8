"""Worlds and runs to begin with."""

from __future__ import annotations

import random

from console.drain import events as ev
from console.drain.state import Consent, Move, MoveState, OwnedKind, Purpose, WhenStuck
from console.model.cluster import GroupState, NodeState
from console.model.identity import HostName, RoleName, RunId, VmId, VmRef
from console.model.units import GIB
from console.planner.values import Engine

from .faults import Faults
from .machines import Node, Vm
from .moments import EPOCH, moment
from .world import SOURCE, World


def make_world(seed: int, vms: int = 12, nodes: int = 4, faults: Faults | None = None, limit: int = 2) -> World:
    """A cluster whose first node holds ``vms`` VMs."""
    dice = random.Random(seed)
    names = [HostName(f"HV{number:02d}") for number in range(1, nodes + 1)]
    machines = {}
    for number in range(vms):
        ref = VmRef(VmId(f"{number:08d}-0000-0000-0000-000000000000"), f"vm-{number}", RoleName(f"vm-{number}"))
        off = dice.random() < 0.1
        vm = Vm(ref, SOURCE, dice.choice([2, 4, 8, 16]) * GIB, 3 if off else 2, None if off else 6)
        if off:
            vm.role_state = GroupState.OFFLINE
        machines[ref.id] = vm
    world = World(dice, {name: Node(name, 400 * GIB) for name in names}, machines, faults or Faults(), limit=limit)
    world.owned = {
        "files": (OwnedKind.ROLE, SOURCE),
        "Cluster Disk 1": (OwnedKind.VOLUME, SOURCE),
        "Cluster Group": (OwnedKind.CORE_GROUP, SOURCE),
    }
    world.settings = {
        "MaximumParallelMigrations": str(limit),
        "SMBBandwidthLimitFactor": "2500",
        "AutoBalancerMode": "2",
    }
    return world


def opened_for(
    world: World,
    *,
    slots: int = 2,
    window_s: float | None = None,
    consents: tuple[Consent, ...] = (),
    engine: Engine = Engine.PLANNED,
    quick: frozenset[VmId] = frozenset(),
    run: str = "run",
    smb: bool = False,
    when_stuck: WhenStuck = WhenStuck.ASK,
) -> ev.RunOpened:
    """A plan that spreads the VMs over the other nodes, round and round."""
    return ev.RunOpened(
        EPOCH,
        RunId(run),
        "lab",
        SOURCE,
        engine,
        tuple(_moves(world, quick, consents)),
        slots,
        world.limit,
        window_ends_at=moment(window_s) if window_s is not None else None,
        forecast_s=120.0,
        consents=consents,
        operator="ann",
        smb_transport=smb,
        purpose=Purpose.RETURN if world.returning else Purpose.DRAIN,
        destination_limit=world.caps.per_destination,
        pair_limit=world.caps.per_pair,
        cluster_limit=world.caps.cluster_wide,
        parallel_per=world.caps.parallel_per,
        when_stuck=when_stuck,
    )


def send_away(world: World, *, paused: bool) -> None:
    """As after a drain: the VMs are spread over the other nodes, and are to return."""
    others = [name for name in world.nodes if name != SOURCE]
    for number, vm in enumerate(world.vms.values()):
        vm.host = others[number % len(others)]
        vm.excluded = frozenset()
    world.returning = True
    world.nodes[SOURCE].state = NodeState.PAUSED if paused else NodeState.UP


def _moves(world: World, quick: frozenset[VmId], consents: tuple[Consent, ...]) -> list[Move]:
    moves = []
    for number, vm in enumerate(world.vms.values()):
        others = [name for name in world.nodes if (name == SOURCE) is world.returning and name not in vm.excluded]
        saved = vm.ref.id in quick and vm.state == 2
        agreed = any(consent.kind == "interrupt" and consent.subject in ("all", vm.ref.id) for consent in consents)
        blocked = saved and not agreed
        moves.append(
            Move(
                vm=vm.ref,
                source=vm.host,
                destination=others[number % len(others)] if others else None,
                state=MoveState.BLOCKED if blocked or not others else MoveState.PLANNED,
                memory_bytes=vm.memory_bytes,
                forecast_p50_s=20.0,
                forecast_p90_s=35.0,
                blackout_forecast_s=1.0,
                live=vm.state == 2 and not saved,
                quick=saved,
                vm_state=vm.state,
                heartbeat=vm.heartbeat,
                reason="nobody consented to interrupt it" if blocked else "" if others else "no host takes it",
            )
        )
    return moves
