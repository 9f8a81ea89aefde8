"""Storage Spaces Direct: its virtual disks, which miss a copy while a node is paused, and their repairs."""

from __future__ import annotations

from dataclasses import dataclass

from console.lab.world.facts import Repair
from console.lab.world.state import NodeState
from console.lab.world.world import World
from console.model.units import GIB

REPAIR_SHARE = 0.002
"""How much of a volume a repair has to copy again, of what a node missed while it was away."""
REPAIR_TIME = 0.1
"""How long that takes, as a share of the time that the node was away."""


@dataclass(frozen=True, slots=True)
class VirtualDisk:
    name: str
    size_bytes: int
    health: str
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StorageJob:
    name: str
    done_bytes: int
    total_bytes: int


def virtual_disks(world: World) -> list[VirtualDisk]:
    """One for each shared volume where the cluster has its storage inside; none otherwise."""
    if not world.settings["S2DEnabled"]:
        return []
    health, statuses = _health(world)
    return [
        VirtualDisk(volume.path.rpartition("\\")[2], volume.size_bytes, health, statuses)
        for volume in world.volumes.values()
    ]


def _health(world: World) -> tuple[str, tuple[str, ...]]:
    if storage_jobs(world):
        return "Warning", ("InService",)
    away = world.facts.away_since_s or any(host.state is NodeState.DOWN for host in world.hosts.values())
    return ("Warning", ("Degraded",)) if away else ("Healthy", ("OK",))


def node_left(world: World, host: str) -> None:
    """Pausing a node takes its disks out, too."""
    if world.settings["S2DEnabled"]:
        world.facts.away_since_s.setdefault(host, world.now_s)


def node_came_back(world: World, host: str) -> None:
    """What was written meanwhile is copied to it."""
    since_s = world.facts.away_since_s.pop(host, None)
    if since_s is None:
        return
    ends_s = world.now_s + max(1.0, (world.now_s - since_s) * REPAIR_TIME)
    for name in world.volumes:
        world.facts.repairs[name] = Repair(world.now_s, ends_s)


def storage_jobs(world: World) -> list[StorageJob]:
    """Repairs that are on: what a fault started, as far as time has brought it."""
    jobs = []
    for volume in world.volumes.values():
        repair = world.facts.repairs.get(volume.name)
        if repair is None or world.now_s >= repair.ends_s:
            continue
        total = max(int(volume.size_bytes * REPAIR_SHARE), GIB)
        share = (world.now_s - repair.began_s) / (repair.ends_s - repair.began_s)
        jobs.append(StorageJob("Repair", int(total * share), total))
    return jobs
