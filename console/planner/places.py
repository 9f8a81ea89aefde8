"""Where every VM will be: the room left on each host, the rules that hold there, and what is better or worse."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from console.model.cluster import Cluster, Host, VirtualMachine, VmState
from console.model.identity import HostName, VmId

from .refusals import Blocked, Refusal, host_refusal
from .rules import Positions
from .values import Infeasible, PlanOptions, Progress
from .ways import NO_WAYS, Load, Ways
from .words import size_text

Wishes: TypeAlias = tuple[bool, int, bool, int, int, int]
"""How far a place is from what is wished, see :meth:`Places._wishes`; lower is better."""


@dataclass(frozen=True, slots=True)
class Choice:
    vm: VirtualMachine
    host: HostName
    reason: str


@dataclass(frozen=True)
class Preferences:
    """What makes one destination better than another, after the rules and before the balance."""

    kept: Mapping[VmId, HostName] = field(default_factory=dict)
    """Destinations of an earlier plan."""
    tier: Mapping[HostName, int] = field(default_factory=dict)
    """Lower is better; absent is 0."""
    ways: Ways = NO_WAYS
    """How fast the way to each host is, and where destinations would hold up the drain."""


class Places:
    """The places of VMs that leave ``nodes``: who is where, and who could be."""

    def __init__(
        self,
        cluster: Cluster,
        nodes: Collection[HostName],
        options: PlanOptions,
        blocked: Blocked | None,
        *,
        progress: Progress | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        self.cluster = cluster
        self.nodes = frozenset(nodes)
        self.options = options
        self._progress = progress or Progress()
        self._prefer = preferences or Preferences()
        self._blocked = blocked
        self._refused = {
            host.name: refusal
            for host in cluster.hosts
            if host.name not in self.nodes and (refusal := host_refusal(host, options.avoided)) is not None
        }
        self._open = [host for host in cluster.hosts if host.name not in self.nodes | self._refused.keys()]
        self._index = {host.name: index for index, host in enumerate(self._open)}
        self._reserve = {host.name: options.memory_reserve_fraction * (host.memory_bytes or 0) for host in self._open}
        self._static = [
            (self._prefer.tier.get(host.name, 0), self._prefer.ways.slower.get(host.name, 0)) for host in self._open
        ]
        self._groups = [
            [(index, host) for index, host in enumerate(self._open) if self._static[index] == static]
            for static in sorted(set(self._static))
        ]
        self._begin()

    def _begin(self) -> None:
        self.positions = Positions(self.cluster)
        self._busy = {host.name: host.cpu_fraction for host in self._open}
        self._load = Load(self._prefer.ways)
        self._free = {host.name: float(host.memory_free_bytes or 0) for host in self._open}
        self._fullest_first = False
        self.infeasible: list[Infeasible] = []
        self._claim_arrivals()

    def _claim_arrivals(self) -> None:
        """What is on its way to a host, by this run or by somebody else's hand, takes its room and its place there."""
        coming = {move.vm: move.destination for move in self._progress.in_flight}
        for vm in self.cluster.vms:
            if vm.migration is not None and vm.migration.destination is not None:
                placed_here = vm.migration.queued and vm.host in self.nodes
                if not placed_here:
                    coming.setdefault(vm.id, vm.migration.destination)
        for vm_id, destination in coming.items():
            known = self.cluster.vm_by_id.get(vm_id)
            if known is None or known.host == destination:
                continue
            if destination in self._free:
                self._free[destination] -= memory_needed(known)
            self.positions.place(known, destination)

    def put(self, vm: VirtualMachine, host: HostName) -> None:
        """The VM will be there."""
        self._claim(vm, host, 1)
        self.positions.place(vm, host)

    def lift(self, choice: Choice) -> Wishes:
        """The VM is nowhere, until it is put somewhere. Returns how good its place was."""
        self._claim(choice.vm, choice.host, -1)
        self.positions.will_move([choice.vm])
        return self._wishes(choice.vm, self._index[choice.host])

    def settle(self, choices: Sequence[Choice], infeasible: list[Infeasible]) -> None:
        """Nothing but these is placed."""
        self._begin()
        self.infeasible = infeasible
        for choice in choices:
            self.put(choice.vm, choice.host)

    def _claim(self, vm: VirtualMachine, name: HostName, sign: int) -> None:
        if name not in self._free:
            return
        host, need, busy = self.cluster.host_by_name[name], memory_needed(vm), self._busy[name]
        self._free[name] -= sign * need
        self._load.put(name, need, sign)
        if busy is not None and host.logical_processors:
            self._busy[name] = busy + sign * busy_cores(vm) / host.logical_processors

    def refusals(
        self, vm: VirtualMachine, host: HostName, companions_bytes: int = 0, *, every: bool = False
    ) -> list[Refusal]:
        """The hard rules that keep the VM from this host; conflicts only where nothing else does, or with ``every``."""
        found = [self._refused[host]] if host in self._refused else []
        if vm.possible_owners is not None and host not in vm.possible_owners:
            found.append(Refusal("possible owners", "is not among its possible owners"))
        found += [Refusal(rule.rule, rule.text) for rule in self.positions.broken_by(vm, host) if rule.hard]
        if host in self._free:
            room = self._free[host] - self._reserve[host]
            need = memory_needed(vm) + companions_bytes
            if need > room:
                found.append(Refusal("memory", f"has room for {size_text(max(0.0, room))} of {size_text(need)}"))
        if self._blocked is not None and (every or not found):
            found += self._blocked(vm, host)
        return found

    def wish_at(self, vm: VirtualMachine, host: HostName) -> Wishes | None:
        """How good the place would be, lower is better; None where a hard rule forbids it."""
        return None if self.refusals(vm, host) else self._wishes(vm, self._index[host])

    def _wishes(self, vm: VirtualMachine, index: int) -> Wishes:
        """Lower is better: not where it was planned before, soft rules broken, not preferred, a tier to avoid, later
        than the drain could end, slower to reach."""
        host, (tier, slower) = self._open[index], self._static[index]
        soft = len(self.positions.broken_by(vm, host.name)) if vm.anti_affinity else 0
        preferred = host.name in (vm.preferred_owners or ())
        late = self._load.late(host.name, memory_needed(vm))
        return host.name != self._prefer.kept.get(vm.id), soft, not preferred, tier, late, slower

    def fixed(self, vm: VirtualMachine) -> bool:
        """Whether its destination was chosen before: by the operator, or by the plan of the run under way."""
        return vm.id in self.options.pinned or vm.id in self._prefer.kept

    @property
    def open_hosts(self) -> tuple[HostName, ...]:
        """Hosts that take VMs."""
        return tuple(self._index)

    def _fullness(self, host: Host, need: int, cores: float) -> tuple[float, float]:
        """How full the host would be with so much more: of memory or, where that is more, how busy its processors are;
        then memory."""
        name = host.name
        memory = 1.0 - (self._free[name] - need) / (host.memory_bytes or 1)
        busy = self._busy[name]
        if busy is None:
            return memory, memory
        if cores and host.logical_processors:
            busy += cores / host.logical_processors
        return (memory, memory) if busy < memory else (busy, memory)

    def fullness(self, vm: VirtualMachine | None) -> dict[HostName, float]:
        """How full each open host is, or would be with the VM."""
        need, cores = (0, 0.0) if vm is None else (memory_needed(vm), busy_cores(vm))
        return {host.name: self._fullness(host, need, cores)[0] for host in self._open}

    def free_after(self) -> dict[HostName, float]:
        """Memory left on each open host once everything placed has arrived."""
        return dict(self._free)

    def _left(self, vm: VirtualMachine, host: Host) -> str:
        return f"{size_text(self._free[host.name] - memory_needed(vm))} free after it"


def memory_needed(vm: VirtualMachine) -> int:
    """Bytes that a destination has to have free: none for a VM that is off or saved."""
    state = vm.state
    return vm.memory_bytes if state is VmState.RUNNING or state is VmState.PAUSED else 0


def busy_cores(vm: VirtualMachine) -> float:
    """Of its virtual processors, how many it keeps busy; 0 where that is not known."""
    return (vm.processors or 0) * (vm.cpu_percent or 0) / 100
