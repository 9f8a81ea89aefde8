"""The cluster after the plan: memory of every host, and whether it could still lose one of them."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from console.model.cluster import Cluster, Host, NodeState, VmState
from console.model.identity import HostName

from .placement import Choice, memory_needed
from .values import HostAfter


def hosts_after(cluster: Cluster, choices: Sequence[Choice]) -> tuple[HostAfter, ...]:
    """Every host before and after, in the cluster's order."""
    gained_bytes: dict[HostName, int] = {}
    gained_vms: dict[HostName, int] = {}
    for choice in choices:
        need = memory_needed(choice.vm)
        for name, sign in ((choice.vm.host, -1), (choice.host, 1)):
            gained_bytes[name] = gained_bytes.get(name, 0) + sign * need
            gained_vms[name] = gained_vms.get(name, 0) + sign
    found: list[HostAfter] = []
    for host in cluster.hosts:
        before, vms = host.memory_free_bytes, len(cluster.vms_on(host.name))
        after = None if before is None else before - gained_bytes.get(host.name, 0)
        found.append(HostAfter(host.name, host.memory_bytes, before, after, vms, vms + gained_vms.get(host.name, 0)))
    return tuple(found)


def survives_any_loss(
    cluster: Cluster, away: frozenset[HostName], choices: Sequence[Choice], reserve_fraction: float
) -> bool | None:
    """Whether any one of the hosts left may die and its running VMs still fit on the others.

    Args:
        away: hosts counted out: those being drained.

    Returns:
        None when a host's memory is unknown. Packing is tried largest first onto the emptiest host, so a True is
        proven by a placement; a False can in rare cases be too strict.
    """
    left = [host for host in cluster.hosts if host.name not in away and host.state is NodeState.UP]
    if any(host.memory_bytes is None or host.memory_free_bytes is None for host in left):
        return None
    moved_to = {choice.vm.id: choice.host for choice in choices}
    sizes: dict[HostName, list[int]] = {host.name: [] for host in left}
    for host, vms in cluster.vms_by_host.items():
        for vm in vms:
            at = moved_to.get(vm.id, host)
            state = vm.state
            if at in sizes and vm.clustered and (state is VmState.RUNNING or state is VmState.PAUSED):
                sizes[at].append(vm.memory_bytes)
    free = _free_after(left, choices, reserve_fraction)
    largest = max((max(each) for each in sizes.values() if each), default=0)
    room = {name: max(0.0, each - largest) for name, each in free.items()}
    total = sum(room.values())
    for name, each in sizes.items():
        if sum(each) <= total - room[name]:
            continue  # filled one after the other, no host can be left with less than the largest VM unused
        if not _fits(each, {other: free[other] for other in free if other != name}):
            return False
    return True


def _free_after(left: Sequence[Host], choices: Sequence[Choice], reserve_fraction: float) -> dict[HostName, float]:
    free = {host.name: (host.memory_free_bytes or 0) - reserve_fraction * (host.memory_bytes or 0) for host in left}
    for choice in choices:
        if choice.host in free:
            free[choice.host] -= memory_needed(choice.vm)
        if choice.vm.host in free:
            free[choice.vm.host] += memory_needed(choice.vm)
    return free


def _fits(sizes: Sequence[int], free: Mapping[HostName, float]) -> bool:
    if not sizes:
        return True
    total, largest = sum(sizes), max(sizes)
    if total <= sum(max(0.0, room - largest) for room in free.values()):
        return True
    if total > sum(max(0.0, room) for room in free.values()):
        return False
    heap = [-room for room in free.values()]
    heapq.heapify(heap)
    for size in sorted(sizes, reverse=True):
        if not heap or -heap[0] < size:
            return False
        heapq.heapreplace(heap, heap[0] + size)
    return True
