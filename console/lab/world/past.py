"""What the hosts' event logs hold from before the world begins: earlier moves of its VMs.

A cluster that has been in service has been patched, host by host, every month: emptied, and filled again. A second
world of the same scenario and seed lives through that, by the same physics as the first, and its logs are the past.
Nothing else of it is kept. Built when a log is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from random import Random
from uuid import UUID

from console.lab.world.build import build_world
from console.lab.world.log import EventLog, LogEvent
from console.lab.world.mover import Mover
from console.lab.world.moving import MoveKind
from console.lab.world.placement import possible_owners
from console.lab.world.preflight import setup_refusal
from console.lab.world.spec import Scenario
from console.lab.world.state import Group, NodeState, VmState
from console.lab.world.transport import refresh_capacities
from console.lab.world.world import World

DAY_S = 86400.0
ROUNDS = 3
MANY_VMS = 200
"""More of them write so much that the oldest round is overwritten."""
BETWEEN_ROUNDS_S = 30 * DAY_S
LATEST_S = -24 * DAY_S
"""When the last round began: old enough that nobody takes its events for news."""
BETWEEN_HOSTS_S = 3600.0
MOST_MOVES = 600
"""Of a round; a log has an end, and that of a large cluster holds the latest few of each host."""
_QUICK = 1


def past_logs(scenario: Scenario, seed: int) -> Mapping[str, Sequence[LogEvent]]:
    """Each host's records, oldest first; the same for every world of this scenario and seed."""
    return lived(scenario.model_dump_json(), seed)


@lru_cache(maxsize=8)
def lived(scenario: str, seed: int) -> Mapping[str, Sequence[LogEvent]]:
    """The same, for a scenario as JSON."""
    world = build_world(Scenario.model_validate_json(scenario), seed, datetime.fromtimestamp(0, UTC))
    return _Past(world).logs()


class _Past:
    """One world before its time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._mover = Mover(world)
        self._dice: Random = world.dice("past")
        world.troubles.clear()
        world.log = EventLog(0)
        for host in world.hosts.values():
            host.state, host.flags = NodeState.UP, 0
        refresh_capacities(world)
        self._free = {name: world.free_bytes(name) for name in world.hosts}
        """While every VM is at home."""

    def logs(self) -> dict[str, tuple[LogEvent, ...]]:
        world = self._world
        rounds = ROUNDS if len(world.vms) <= MANY_VMS else ROUNDS - 1
        for number in reversed(range(rounds)):
            moment_s = LATEST_S - number * BETWEEN_ROUNDS_S + self._dice.uniform(-2, 2) * DAY_S
            for host in world.hosts:
                world.now_s = max(world.now_s, moment_s) if world.now_s < 0 else moment_s
                self._patched(host)
                moment_s = world.now_s + BETWEEN_HOSTS_S * self._dice.uniform(0.5, 2.0)
        return {host: tuple(world.log.of(host)) for host in world.hosts}

    def _patched(self, host: str) -> None:
        """Its VMs leave, and come back when it has started again."""
        at_home = self._chosen(host)
        to = self._destinations(at_home, host)
        gone = [(group, to[group.id]) for group in at_home if group.id in to]
        self._moved(gone)
        self._world.now_s += 900.0
        self._moved((group, host) for group, _ in gone if group.owner != host)

    def _chosen(self, host: str) -> list[Group]:
        """Roles whose VM runs here and goes live, in an order that is not that of their names."""
        world = self._world
        groups = [world.group_of(vm.id) for vm in world.vms_on.get(host, {}).values() if vm.state is VmState.RUNNING]
        live = [group for group in groups if group is not None and not group.locked and not self._is_quick(group)]
        self._dice.shuffle(live)
        return live[: max(1, MOST_MOVES // (2 * len(world.hosts)))]

    def _is_quick(self, group: Group) -> bool:
        return any(each.parameters.get("DefaultMoveType") == _QUICK for each in self._world.resources_in(group.id))

    def _destinations(self, groups: Sequence[Group], host: str) -> dict[UUID, str]:
        """For each role one of the two roomiest hosts that take it; a role that none takes stays."""
        world = self._world
        here, free = world.hosts[host], {name: left for name, left in self._free.items() if name != host}
        found: dict[UUID, str] = {}
        for group in groups:
            assert group.vm is not None, "its VM runs"
            vm, allowed = world.vms[group.vm], possible_owners(world, group)
            roomy = (world.hosts[name] for name in sorted(free, key=lambda name: -free[name]) if name in allowed)
            fitting = list(islice((to for to in roomy if setup_refusal(world, vm, here, to) is None), 2))
            if fitting:
                name = self._dice.choice(fitting).name
                found[group.id] = name
                free[name] -= vm.held_bytes
        return found

    def _moved(self, moves: Iterable[tuple[Group, str]]) -> None:
        world = self._world
        for group, destination in moves:
            self._mover.request(group, destination, MoveKind.LIVE, "user")
        while world.pending and (upcoming := world.next_event_s()) is not None:
            world.advance_to(upcoming)
