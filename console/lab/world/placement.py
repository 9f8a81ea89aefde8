"""Where the cluster itself sends a role: possible owners, anti-affinity, memory; the roomiest node wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.lab.world.moving import Move
from console.lab.world.preflight import Refusal, placement_refusal
from console.lab.world.state import Group, Host

if TYPE_CHECKING:
    from console.lab.world.world import World

AVOID_PLACEMENT = 1 | 2 | 32
"""Isolated, quarantined, avoid placement."""


@dataclass(frozen=True, slots=True)
class Found:
    """A host; or nothing yet (slots are taken); or a refusal (nowhere at all)."""

    host: str | None = None
    refusal: Refusal | None = None


def possible_owners(world: World, group: Group) -> set[str]:
    """Nodes on which every resource of the group may run."""
    allowed = set(world.hosts)
    for resource in world.resources_in(group.id):
        if resource.possible_owners:
            allowed &= set(resource.possible_owners)
    return allowed


def conflicts_with_affinity(world: World, group: Group, host: str) -> bool:
    """Whether a rule keeps the group away from a node where its companions are."""
    others = {other.name for other in world.groups.values() if other.owner == host and other.id != group.id}
    for rule in world.rules:
        if rule.enabled and rule.kind in (3, 4) and group.name in rule.groups and others & set(rule.groups):
            return True
    if not (world.settings["ClusterEnforcedAntiAffinity"] and group.anti_affinity):
        return False
    classes = set(group.anti_affinity)
    return any(
        classes & set(other.anti_affinity)
        for other in world.groups.values()
        if other.owner == host and other.id != group.id
    )


def _eligible(world: World, group: Group, source: str) -> list[Host]:
    allowed = possible_owners(world, group)
    hosts = [
        host
        for host in world.up_hosts()
        if host.name != source and host.name in allowed and not host.flags & AVOID_PLACEMENT
    ]
    vm = world.vms[group.vm] if group.vm is not None else None
    if vm is None:
        return hosts
    fitting = [host for host in hosts if placement_refusal(world, vm, world.hosts[source], host) is None]
    return [host for host in fitting if not conflicts_with_affinity(world, group, host.name)]


def best_destination(world: World, move: Move, limit: int | None) -> Found:
    """The node with the most free memory among those with a slot; ``limit`` None asks for no slot."""
    group = world.groups[move.group]
    eligible = _eligible(world, group, move.source)
    if not eligible:
        return Found(refusal=Refusal(0x800705AA, "No node of the cluster can take the role."))
    ready = [host for host in eligible if limit is None or world.live_on(host.name) < limit]
    if not ready:
        return Found()
    preferred = {name: rank for rank, name in enumerate(group.preferred_owners)}
    best = min(
        ready, key=lambda host: (preferred.get(host.name, len(preferred)), -world.free_bytes(host.name), host.name)
    )
    return Found(best.name)
