"""The cluster after the plan: memory of every host, and whether it could still lose one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.model.cluster import Cluster, NodeState, VirtualMachine, VmState
from console.model.identity import HostName

from .packing import left_over
from .places import Choice, memory_needed
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
    cluster: Cluster, away: Iterable[HostName], choices: Sequence[Choice], reserve_fraction: float
) -> bool | None:
    """Whether any one of the hosts left may die and its running VMs still fit on the others.

    Args:
        away: hosts counted out: those being drained.

    Returns:
        None when a host's memory is unknown. A True is proven by a packing; a False can in rare cases, with many VMs,
        be too strict.
    """
    after = Survival(cluster, frozenset(away), reserve_fraction)
    for choice in choices:
        after.move(choice.vm, choice.vm.host, choice.host)
    return after.may_lose_one


class Survival:
    """What would find no room if one more host died, kept up to date while VMs are placed."""

    def __init__(self, cluster: Cluster, away: frozenset[HostName], reserve_fraction: float) -> None:
        left = [host for host in cluster.hosts if host.name not in away and host.state is NodeState.UP]
        self.known = all(host.memory_bytes is not None and host.memory_free_bytes is not None for host in left)
        self._free = {
            host.name: (host.memory_free_bytes or 0) - reserve_fraction * (host.memory_bytes or 0) for host in left
        }
        self._sizes: dict[HostName, list[int]] = {host.name: [] for host in left}
        for name, vms in cluster.vms_by_host.items():
            if name in self._sizes:
                self._sizes[name] = [vm.memory_bytes for vm in vms if _restarts(vm)]
        self._glance = sum(map(len, self._sizes.values())) // 8
        self.packed = 0
        """What asking has cost, in VMs looked at while packing."""

    def move(self, vm: VirtualMachine, source: HostName, destination: HostName) -> None:
        need, counts = memory_needed(vm), _restarts(vm)
        for name, sign in ((source, 1), (destination, -1)):
            if name not in self._free:
                continue
            self._free[name] += sign * need
            if not counts:
                continue
            if sign < 0:
                self._sizes[name].append(vm.memory_bytes)
            elif vm.memory_bytes in self._sizes[name]:
                self._sizes[name].remove(vm.memory_bytes)

    @property
    def may_lose_one(self) -> bool | None:
        """None when a host's memory is unknown."""
        if not self.known:
            return None
        return bool(self._free) and self.shortfall_bytes() == 0

    @property
    def hopeless(self) -> bool:
        """Whether all room together is less than what one host's loss asks for, wherever the VMs are."""
        total = sum(max(0.0, room) for room in self._free.values())
        return any(sum(sizes) + max(0.0, self._free[name]) > total for name, sizes in self._sizes.items())

    def shortfall_bytes(self) -> float:
        """What would find no room, over all hosts that could die; 0 when any one may."""
        largest = max((max(each) for each in self._sizes.values() if each), default=0)
        room = {name: max(0.0, each - largest) for name, each in self._free.items()}
        total, short = sum(room.values()), 0.0
        self.packed += self._glance
        for name, sizes in self._sizes.items():
            if sum(sizes) <= total - room[name]:
                continue  # filled one after the other, no host can be left with less than the largest VM unused
            self.packed += len(sizes)
            short += left_over(sizes, [free for other, free in self._free.items() if other != name])
        return short


def _restarts(vm: VirtualMachine) -> bool:
    """Whether the cluster would start it elsewhere if its host died."""
    state = vm.state
    return vm.clustered and (state is VmState.RUNNING or state is VmState.PAUSED)
