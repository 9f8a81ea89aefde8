"""Which host takes which VM: every hard rule kept against planned positions, then the best of what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from console.model.cluster import Cluster, Contact, Host, NodeState, VirtualMachine, VmState
from console.model.identity import HostName, VmId

from .rules import Positions, smallest_clash
from .values import Infeasible, PlanOptions, Progress
from .words import count_text, list_text, size_text

_RETRIES = 4

Blocked = Callable[[VirtualMachine, HostName], Sequence[str]]
"""The sentences of the conflicts that block a VM's way to a host; empty when none does."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a host can not take a VM: a short rule, the same for all hosts it refuses, and a sentence."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    vm: VirtualMachine
    host: HostName
    reason: str


def host_refusal(host: Host, avoided: frozenset[HostName]) -> Refusal | None:
    """Why a host takes nothing at all, whatever the VM; None when it may."""
    if host.name in avoided:
        return Refusal("avoided hosts", "avoided by choice")
    if host.state is NodeState.PAUSED:
        return Refusal("host state", "is paused")
    if host.state is not NodeState.UP:
        return Refusal("host state", f"is {host.state.name.lower()}")
    if not host.accepts_vms:
        return Refusal("host state", "takes no roles now (isolated, quarantined or avoiding placement)")
    if host.contact is not Contact.ANSWERING:
        return Refusal("host contact", "does not answer, its free memory is not known")
    if host.migration_enabled is False:
        return Refusal("live migration disabled", "has live migration switched off")
    if host.memory_bytes is None or host.memory_free_bytes is None:
        return Refusal("unknown memory", "its memory could not be read")
    return None


@dataclass(frozen=True)
class Preferences:
    """What makes one destination better than another, after the rules and before the balance."""

    kept: Mapping[VmId, HostName] = field(default_factory=dict)
    """Destinations of an earlier plan."""
    tier: Mapping[HostName, int] = field(default_factory=dict)
    """Lower is better; absent is 0."""
    slower: Mapping[HostName, int] = field(default_factory=dict)
    """How much slower the way to a host is than to the fastest, in coarse steps; absent is 0."""


class Placement:
    """Places the VMs of one node, one after the other; knows the room that is left."""

    def __init__(
        self,
        cluster: Cluster,
        node: HostName,
        options: PlanOptions,
        blocked: Blocked | None,
        *,
        progress: Progress | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        self.cluster = cluster
        self.node = node
        self.options = options
        self._progress = progress or Progress()
        self._prefer = preferences or Preferences()
        self._blocked = blocked
        self._refused = {
            host.name: refusal
            for host in cluster.hosts
            if host.name != node and (refusal := host_refusal(host, options.avoided)) is not None
        }
        self._open = [host for host in cluster.hosts if host.name != node and host.name not in self._refused]
        self._reserve = {host.name: options.memory_reserve_fraction * (host.memory_bytes or 0) for host in self._open}
        self._static = [
            (self._prefer.tier.get(host.name, 0), self._prefer.slower.get(host.name, 0)) for host in self._open
        ]
        self._groups = [
            [(index, host) for index, host in enumerate(self._open) if self._static[index] == static]
            for static in sorted(set(self._static))
        ]
        self._begin()

    def _begin(self) -> None:
        self.positions = Positions(self.cluster, self.node)
        self._free = {host.name: float(host.memory_free_bytes or 0) for host in self._open}
        self._fullest_first = False
        self.infeasible: list[Infeasible] = []
        self._claim_arrivals()

    def _claim_arrivals(self) -> None:
        """What is on its way to a host, by this run or by somebody else's hand, takes its room and its place there."""
        coming = {move.vm: move.destination for move in self._progress.in_flight}
        for vm in self.cluster.vms:
            if vm.migration is not None and vm.migration.destination is not None:
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
        best, urgent = (choices, self.infeasible, self._free), frozenset[VmId]()
        for _ in range(_RETRIES):
            again = frozenset(each.vm.id for each in self.infeasible if not _hopeless(each))
            if not again or again <= urgent:
                break
            urgent |= again
            self._begin()
            self._fullest_first = True
            choices = self._attempt(vms, urgent)
            if len(self.infeasible) < len(best[1]):
                best = (choices, self.infeasible, self._free)
        choices, self.infeasible, self._free = best
        return self._without_torn(vms, choices)

    def _without_torn(self, vms: Sequence[VirtualMachine], choices: list[Choice]) -> list[Choice]:
        """Those that find no place stay where they are, and whatever a rule ties to them stays too."""
        if not self.infeasible or not self.positions.any_rules:
            return choices
        self.positions = Positions(self.cluster, self.node)
        chosen = {choice.vm.id: choice for choice in choices}
        for vm in vms:
            self.positions.place(vm, chosen[vm.id].host if vm.id in chosen else self.node)
        torn = True
        while torn:
            torn = False
            for choice in tuple(chosen.values()):
                broken = [each for each in self.positions.broken_by(choice.vm, choice.host) if each.hard]
                if broken:
                    torn = True
                    del chosen[choice.vm.id]
                    self._free[choice.host] += memory_needed(choice.vm)
                    self.positions.place(choice.vm, self.node)
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

    def refusals(self, vm: VirtualMachine, host: HostName, companions_bytes: int = 0) -> list[Refusal]:
        """Every hard rule that keeps the VM from this host."""
        found = [self._refused[host]] if host in self._refused else []
        if vm.possible_owners is not None and host not in vm.possible_owners:
            found.append(Refusal("possible owners", "is not among its possible owners"))
        found += [Refusal(rule.rule, rule.text) for rule in self.positions.broken_by(vm, host) if rule.hard]
        if host in self._free:
            room = self._free[host] - self._reserve[host]
            need = memory_needed(vm) + companions_bytes
            if need > room:
                found.append(Refusal("memory", f"has room for {size_text(max(0.0, room))} of {size_text(need)}"))
        if not found and self._blocked is not None:
            found += [Refusal(text, text) for text in self._blocked(vm, host)]
        return found

    def _choose(self, vm: VirtualMachine, companions_bytes: int) -> Choice | None:
        pinned = self.options.pinned.get(vm.id)
        if pinned is not None:
            return self._choose_pinned(vm, pinned)
        refused: dict[HostName, list[Refusal]] = {}
        for host in self._ranked(vm, memory_needed(vm)):
            refusals = self.refusals(vm, host.name, companions_bytes)
            if not refusals:
                return self._take(vm, host, self._reason(vm, host, refused))
            refused[host.name] = refusals
        if companions_bytes:
            return self._choose(vm, 0)
        self._give_up(vm, refused)
        return None

    def _ranked(self, vm: VirtualMachine, need: int) -> Iterator[Host]:
        """Hosts from best to worst; mostly the first is taken, so the rest is ranked only when asked for."""
        kept = self._prefer.kept.get(vm.id)
        if vm.anti_affinity or vm.preferred_owners or kept is not None:
            ranks = sorted(
                (self._wishes(vm, host, kept), self._static[index], self._pressure(host, need), host.name, index)
                for index, host in enumerate(self._open)
            )
            yield from (self._open[rank[-1]] for rank in ranks)
            return
        for group in self._groups:
            pressures = [(self._pressure(host, need), host.name, index) for index, host in group]
            first = min(pressures)
            yield self._open[first[-1]]
            pressures.remove(first)
            yield from (self._open[rank[-1]] for rank in sorted(pressures))

    def _wishes(self, vm: VirtualMachine, host: Host, kept: HostName | None) -> tuple[bool, int, bool]:
        """Lower is better: not where it was planned before, soft rules broken, not preferred."""
        soft = len(self.positions.broken_by(vm, host.name)) if vm.anti_affinity else 0
        return host.name != kept, soft, not (vm.preferred_owners and host.name in vm.preferred_owners)

    def _pressure(self, host: Host, need: int) -> tuple[float, float]:
        """How full the host would be: of memory or, where that is more, how busy its processors are; then memory."""
        memory = 1.0 - (self._free[host.name] - need) / (host.memory_bytes or 1)
        worst = memory if host.cpu_fraction is None else max(memory, host.cpu_fraction)
        return (-worst, -memory) if self._fullest_first else (worst, memory)

    def _choose_pinned(self, vm: VirtualMachine, pinned: HostName) -> Choice | None:
        host = self.cluster.host_by_name.get(pinned)
        if host is None or pinned == self.node:
            what = "is the node being drained" if pinned == self.node else "is not a node of this cluster"
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
        self._free[host.name] -= memory_needed(vm)
        self.positions.place(vm, host.name)
        return Choice(vm, host.name, reason)

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
        elif self._prefer.slower:
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
        every: dict[HostName, list[Refusal]] = {name: list(found) for name, found in refused.items()}
        every |= {name: self.refusals(vm, name) for name in self._refused}
        if not every:
            self.infeasible.append(Infeasible(vm.ref, "there is no other node in the cluster", ("nodes",)))
            return
        rules = smallest_clash({name: frozenset(each.rule for each in found) for name, found in every.items()})
        self.infeasible.append(Infeasible(vm.ref, _clash_text(every, rules), rules))

    def free_after(self) -> dict[HostName, float]:
        """Memory left on each open host once everything placed has arrived."""
        return dict(self._free)


def memory_needed(vm: VirtualMachine) -> int:
    """Bytes that a destination has to have free: none for a VM that is off or saved."""
    state = vm.state
    return vm.memory_bytes if state is VmState.RUNNING or state is VmState.PAUSED else 0


def _hopeless(given_up: Infeasible) -> bool:
    """Whether no other order of placing could help: nothing of it depends on where others go."""
    return (
        not any(
            rule == "memory" or rule.startswith(("affinity rule", "AntiAffinityClassNames")) for rule in given_up.rules
        )
        or "pinned" in given_up.rules
    )


def _clash_text(every: Mapping[HostName, Sequence[Refusal]], rules: Sequence[str]) -> str:
    """One clause a rule of the clash, with the hosts that it refuses."""
    clauses: list[str] = []
    explained: set[HostName] = set()
    for rule in rules:
        hosts = [
            (name, each.text)
            for name, found in every.items()
            if name not in explained
            for each in found
            if each.rule == rule
        ]
        if not hosts:
            continue
        explained.update(name for name, _ in hosts)
        name, text = hosts[0]
        others = f" (and {count_text(len(hosts) - 1, 'other host')} alike)" if len(hosts) > 1 else ""
        clauses.append(f"{name} {text}{others}")
    return f"no host can take it: {'; '.join(clauses)}"
