"""Which host takes which VM: every hard rule kept against planned positions, then the best of what is left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from console.model.cluster import Cluster, Host, VirtualMachine, VmState
from console.model.identity import HostName, VmId

from .refusals import Blocked, Refusal, clash_text, hopeless, host_refusal
from .rules import Positions, smallest_clash
from .values import Infeasible, PlanOptions, Progress
from .ways import NO_WAYS, Load, Ways
from .words import count_text, list_text, size_text

_RETRIES = 4


@dataclass(frozen=True, slots=True)
class Choice:
    vm: VirtualMachine
    host: HostName
    reason: str


Wishes: TypeAlias = tuple[bool, int, bool, int, int, int]


@dataclass(frozen=True)
class Preferences:
    """What makes one destination better than another, after the rules and before the balance."""

    kept: Mapping[VmId, HostName] = field(default_factory=dict)
    """Destinations of an earlier plan."""
    tier: Mapping[HostName, int] = field(default_factory=dict)
    """Lower is better; absent is 0."""
    ways: Ways = NO_WAYS
    """How fast the way to each host is, and where destinations would hold up the drain."""


class Placement:
    """Places the VMs of nodes that are emptied together, one after the other; knows the room that is left."""

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

    def place(self, vms: Sequence[VirtualMachine]) -> list[Choice]:
        """A destination for each, the hardest first; those without any go to :attr:`infeasible`.

        Where the room or the rules left some without, they are tried again ahead of the others, with the fullest
        host that fits in place of the emptiest; whatever leaves the fewest behind is taken.
        """
        choices = self._attempt(vms, frozenset())
        best, urgent = (choices, self.infeasible), frozenset[VmId]()
        for _ in range(_RETRIES):
            again = frozenset(each.vm.id for each in self.infeasible if not hopeless(each))
            if not again or again <= urgent:
                break
            urgent |= again
            self._begin()
            self._fullest_first = True
            choices = self._attempt(vms, urgent)
            if len(self.infeasible) < len(best[1]):
                best = (choices, self.infeasible)
        if best[1] is not self.infeasible:
            self.settle(*best)
        return self._without_torn(vms, best[0])

    def settle(self, choices: Sequence[Choice], infeasible: list[Infeasible]) -> None:
        """Nothing but these is placed."""
        self._begin()
        self.infeasible = infeasible
        for choice in choices:
            self.put(choice.vm, choice.host)

    def _without_torn(self, vms: Sequence[VirtualMachine], choices: list[Choice]) -> list[Choice]:
        """Those that find no place stay where they are, and whatever a rule ties to them stays too."""
        if not self.infeasible or not self.positions.any_rules:
            return choices
        chosen = {choice.vm.id: choice for choice in choices}
        for vm in vms:
            if vm.id not in chosen:
                self.positions.place(vm, vm.host)
        torn = True
        while torn:
            torn = False
            for choice in tuple(chosen.values()):
                broken = [each for each in self.positions.broken_by(choice.vm, choice.host) if each.hard]
                if broken:
                    torn = True
                    del chosen[choice.vm.id]
                    self.lift(choice)
                    self.positions.place(choice.vm, choice.vm.host)
                    why = f"it has to stay: {broken[0].text}, and can not leave"
                    self.infeasible.append(Infeasible(choice.vm.ref, why, (broken[0].rule,)))
        return list(chosen.values())

    def _attempt(self, vms: Sequence[VirtualMachine], urgent: frozenset[VmId]) -> list[Choice]:
        self.positions.will_move(vms)
        by_role = {vm.ref.role: vm for vm in vms}
        choices: list[Choice] = []
        placed: set[VmId] = set()
        for vm in sorted(vms, key=lambda vm: (vm.id not in urgent, *self._hardest_first(vm))):
            roles = self.positions.companions(vm)
            waiting = [by_role[role] for role in roles if role in by_role and by_role[role].id not in placed]
            room_for = [] if vm.id in self._prefer.kept else waiting
            choice = self._choose(vm, sum(memory_needed(other) for other in room_for))
            if choice is not None:
                choices.append(choice)
                placed.add(vm.id)
        return choices

    def _hardest_first(self, vm: VirtualMachine) -> tuple[bool, bool, int, str]:
        return (
            vm.id not in self.options.pinned,
            vm.possible_owners is None and not self.positions.companions(vm),
            -memory_needed(vm),
            vm.id,
        )

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

    def _choose(self, vm: VirtualMachine, companions_bytes: int) -> Choice | None:
        pinned = self.options.pinned.get(vm.id)
        if pinned is not None:
            return self._choose_pinned(vm, pinned)
        refused: dict[HostName, list[Refusal]] = {}
        for host in self._ranked(vm):
            refusals = self.refusals(vm, host.name, companions_bytes)
            if not refusals:
                return self._take(vm, host, self._reason(vm, host, refused))
            refused[host.name] = refusals
        if companions_bytes:
            return self._choose(vm, 0)
        self._give_up(vm, refused)
        return None

    def _ranked(self, vm: VirtualMachine) -> Iterator[Host]:
        """Hosts from best to worst; mostly the first is taken, so the rest is ranked only when asked for."""
        kept = self._prefer.kept.get(vm.id)
        if vm.anti_affinity or vm.preferred_owners or kept is not None or self._load.narrow:
            ranks = sorted((self._rank(vm, index), index) for index in range(len(self._open)))
            yield from (self._open[rank[-1]] for rank in ranks)
            return
        for group in self._groups:
            pressures = [(self._pressure(host, vm), host.name, index) for index, host in group]
            first = min(pressures)
            yield self._open[first[-1]]
            pressures.remove(first)
            yield from (self._open[rank[-1]] for rank in sorted(pressures))

    def _rank(self, vm: VirtualMachine, index: int) -> tuple[Wishes, tuple[float, float], HostName]:
        """Lower is better: wishes first, then how full the host would be."""
        host = self._open[index]
        return self._wishes(vm, index), self._pressure(host, vm), host.name

    def _wishes(self, vm: VirtualMachine, index: int) -> Wishes:
        """Lower is better: not where it was planned before, soft rules broken, not preferred, a tier to avoid, later
        than the drain could end, slower to reach."""
        host, (tier, slower) = self._open[index], self._static[index]
        soft = len(self.positions.broken_by(vm, host.name)) if vm.anti_affinity else 0
        preferred = host.name in (vm.preferred_owners or ())
        late = self._load.late(host.name, memory_needed(vm))
        return host.name != self._prefer.kept.get(vm.id), soft, not preferred, tier, late, slower

    def _pressure(self, host: Host, vm: VirtualMachine) -> tuple[float, float]:
        worst, memory = self._fullness(host, vm)
        return (-worst, -memory) if self._fullest_first else (worst, memory)

    def _fullness(self, host: Host, vm: VirtualMachine | None) -> tuple[float, float]:
        """How full the host would be with the VM: of memory or, where that is more, how busy its processors are; then
        memory."""
        need = 0 if vm is None else memory_needed(vm)
        memory = 1.0 - (self._free[host.name] - need) / (host.memory_bytes or 1)
        busy = self._busy[host.name]
        if busy is None:
            return memory, memory
        return max(memory, busy if vm is None else busy + share_of_processors(vm, host)), memory

    def fullness(self, vm: VirtualMachine | None) -> dict[HostName, float]:
        """How full each open host is, or would be with the VM."""
        return {host.name: self._fullness(host, vm)[0] for host in self._open}

    def _choose_pinned(self, vm: VirtualMachine, pinned: HostName) -> Choice | None:
        host = self.cluster.host_by_name.get(pinned)
        if host is None or pinned in self.nodes:
            what = "is a node being drained" if pinned in self.nodes else "is not a node of this cluster"
            self.infeasible.append(Infeasible(vm.ref, f"pinned to {pinned}, which {what}", ("pinned",)))
            return None
        refusals = self.refusals(vm, pinned)
        if refusals:
            why = list_text([refusal.text for refusal in refusals])
            rules = ("pinned", *(refusal.rule for refusal in refusals[:1]))
            self.infeasible.append(Infeasible(vm.ref, f"pinned to {pinned}, which {why}", rules))
            return None
        return self._take(vm, host, "chosen by the operator")

    def _take(self, vm: VirtualMachine, host: Host, reason: str) -> Choice:
        self.put(vm, host.name)
        return Choice(vm, host.name, reason)

    def put(self, vm: VirtualMachine, host: HostName) -> None:
        """The VM will be there."""
        self._claim(vm, host, 1)
        self.positions.place(vm, host)

    def lift(self, choice: Choice) -> Wishes:
        """The VM is nowhere, until it is put somewhere. Returns how good its place was."""
        self._claim(choice.vm, choice.host, -1)
        self.positions.will_move([choice.vm])
        return self._wishes(choice.vm, self._index[choice.host])

    def wish_at(self, vm: VirtualMachine, host: HostName) -> Wishes | None:
        """How good the place would be, lower is better; None where a hard rule forbids it."""
        return None if self.refusals(vm, host) else self._wishes(vm, self._index[host])

    def fixed(self, vm: VirtualMachine) -> bool:
        """Whether its destination was chosen before: by the operator, or by the plan of the run under way."""
        return vm.id in self.options.pinned or vm.id in self._prefer.kept

    @property
    def open_hosts(self) -> tuple[HostName, ...]:
        """Hosts that take VMs."""
        return tuple(self._index)

    def _claim(self, vm: VirtualMachine, name: HostName, sign: int) -> None:
        if name not in self._free:
            return
        host, need, busy = self.cluster.host_by_name[name], memory_needed(vm), self._busy[name]
        self._free[name] -= sign * need
        self._load.put(name, need, sign)
        if busy is not None:
            self._busy[name] = busy + sign * share_of_processors(vm, host)

    def _reason(self, vm: VirtualMachine, host: Host, refused: Mapping[HostName, Sequence[Refusal]]) -> str:
        left = self._free[host.name] - memory_needed(vm)
        if self._prefer.kept.get(vm.id) == host.name:
            why = "planned there before"
        elif vm.preferred_owners and host.name in vm.preferred_owners:
            why = "a preferred owner with room"
        elif len(self._open) == 1:
            why = "the only host that takes VMs"
        elif self._fullest_first:
            why = "the fullest host that fits, so that all find room"
        elif self._prefer.ways.slower:
            why = "least loaded of the hosts with the fastest way that fit"
        else:
            why = "least loaded of the hosts that fit"
        text = f"{why}: {size_text(left)} free after it"
        if refused:
            name, first = next(iter(refused.items()))
            more = f" and {count_text(len(refused) - 1, 'other host')}" if len(refused) > 1 else ""
            text += f"; {name} {first[0].text}{', not' if more else ''}{more}"
        return text

    def _give_up(self, vm: VirtualMachine, refused: Mapping[HostName, Sequence[Refusal]]) -> None:
        every = {name: self.refusals(vm, name, every=True) for name in (*refused, *self._refused)}
        if not every:
            self.infeasible.append(Infeasible(vm.ref, "there is no other node in the cluster", ("nodes",)))
            return
        rules = smallest_clash({name: frozenset(each.rule for each in found) for name, found in every.items()})
        self.infeasible.append(Infeasible(vm.ref, clash_text(every, rules), rules))

    def free_after(self) -> dict[HostName, float]:
        """Memory left on each open host once everything placed has arrived."""
        return dict(self._free)


def memory_needed(vm: VirtualMachine) -> int:
    """Bytes that a destination has to have free: none for a VM that is off or saved."""
    state = vm.state
    return vm.memory_bytes if state is VmState.RUNNING or state is VmState.PAUSED else 0


def share_of_processors(vm: VirtualMachine, host: Host) -> float:
    """Of the host's logical processors, what the VM keeps busy; 0 where that is not known."""
    if not vm.cpu_percent or not vm.processors or not host.logical_processors:
        return 0.0
    return vm.processors * vm.cpu_percent / 100 / host.logical_processors
