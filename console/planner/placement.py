"""Which host takes which VM: every hard rule kept against planned positions, then the best of what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from console.model.cluster import Host, VirtualMachine
from console.model.identity import HostName, VmId

from .places import Choice, Places, Wishes, busy_cores, memory_needed
from .refusals import Refusal, clash_text, hopeless
from .rules import smallest_clash
from .values import Infeasible
from .words import count_text, list_text

_RETRIES = 4
_FEW, _STEPS = 16, 1500
"""VMs that are placed by search where nothing else finds room for all, and its steps: some 10 ms."""


class Placement(Places):
    """Places VMs one after the other."""

    _steps_left = 0

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
        choices = self._with_room_made(vms, best[0])
        return self._without_torn(vms, self._searched(vms, choices) or choices)

    def _with_room_made(self, vms: Sequence[VirtualMachine], choices: list[Choice]) -> list[Choice]:
        """Those without a place take the one of a VM that finds another."""
        chosen = {choice.vm.id: choice for choice in choices}
        homeless = {each.vm.id for each in self.infeasible if not hopeless(each)}
        for vm in vms:
            if vm.id not in homeless:
                continue
            for choice in tuple(chosen.values()):
                elsewhere = None if self.fixed(choice.vm) else self._given_up(choice, vm)
                if elsewhere is not None:
                    chosen[choice.vm.id] = elsewhere
                    chosen[vm.id] = Choice(vm, choice.host, f"{choice.vm.name} makes room for it there")
                    self.infeasible = [each for each in self.infeasible if each.vm.id != vm.id]
                    break
        return list(chosen.values())

    def _searched(self, vms: Sequence[VirtualMachine], placed: Sequence[Choice]) -> list[Choice]:
        """Of few VMs, a place for every one by trying all; empty when there is none, or none within the steps."""
        short = [each for each in self.infeasible if not hopeless(each)]
        if not short or len(short) < len(self.infeasible) or len(vms) > _FEW:
            return []
        infeasible = self.infeasible
        self._begin()
        self._fullest_first, self._steps_left = True, _STEPS
        self.positions.will_move(vms)
        found = self._depth_first(sorted(vms, key=self._hardest_first))
        if found is None:
            self.settle(placed, infeasible)
        return found or []

    def _depth_first(self, left: Sequence[VirtualMachine]) -> list[Choice] | None:
        """Places the first and then the rest, or nothing at all."""
        if not left:
            return []
        vm, *rest = left
        for host in self._ranked(vm):
            self._steps_left -= 1
            if self._steps_left < 0:
                return None
            if host.name != self.options.pinned.get(vm.id, host.name) or self.refusals(vm, host.name):
                continue
            choice = self._take(vm, host, f"so that all find room: {self._left(vm, host)}")
            others = self._depth_first(rest)
            if others is not None:
                return [choice, *others]
            self.lift(choice)
        return None

    def _given_up(self, choice: Choice, vm: VirtualMachine) -> Choice | None:
        """Puts the VM in this one's place and this one elsewhere; None, and nothing is changed, where that fails."""
        self.lift(choice)
        if not self.refusals(vm, choice.host):
            self.put(vm, choice.host)
            for host in self._ranked(choice.vm):
                if host.name != choice.host and not self.refusals(choice.vm, host.name):
                    return self._take(choice.vm, host, f"makes room for {vm.name}: {self._left(choice.vm, host)}")
            self.lift(Choice(vm, choice.host, ""))
        self.put(choice.vm, choice.host)
        return None

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
        if vm.anti_affinity or vm.preferred_owners or kept is not None:
            ranks = sorted((self._rank(vm, index), index) for index in range(len(self._open)))
            yield from (self._open[rank[-1]] for rank in ranks)
            return
        need, cores = memory_needed(vm), busy_cores(vm)
        for group in self._by_lateness(need) if self._load.narrow else self._groups:
            pressures = [(self._pressure(host, need, cores), host.name, index) for index, host in group]
            first = min(pressures)
            yield self._open[first[-1]]
            pressures.remove(first)
            yield from (self._open[rank[-1]] for rank in sorted(pressures))

    def _by_lateness(self, need: int) -> list[list[tuple[int, Host]]]:
        """Hosts that are alike in all but pressure, the best first: by tier, by how late, by how slow the way is."""
        groups: dict[tuple[int, int, int], list[tuple[int, Host]]] = {}
        for index, host in enumerate(self._open):
            tier, slower = self._static[index]
            groups.setdefault((tier, self._load.late(host.name, need), slower), []).append((index, host))
        return [groups[key] for key in sorted(groups)]

    def _rank(self, vm: VirtualMachine, index: int) -> tuple[Wishes, tuple[float, float], HostName]:
        """Lower is better: wishes first, then how full the host would be."""
        host = self._open[index]
        return self._wishes(vm, index), self._pressure(host, memory_needed(vm), busy_cores(vm)), host.name

    def _pressure(self, host: Host, need: int, cores: float) -> tuple[float, float]:
        worst, memory = self._fullness(host, need, cores)
        return (-worst, -memory) if self._fullest_first else (worst, memory)

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

    def _reason(self, vm: VirtualMachine, host: Host, refused: Mapping[HostName, Sequence[Refusal]]) -> str:
        if self._prefer.kept.get(vm.id) == host.name:
            why = "planned there before"
        elif vm.preferred_owners and host.name in vm.preferred_owners:
            why = "a preferred owner with room"
        elif len(self._open) == 1:
            why = "the only host that takes VMs"
        elif self._fullest_first:
            why = "the fullest host that fits, so that all find room"
        elif self._load.narrow:
            why = "least loaded of the hosts that fit and do not hold up the drain"
        elif self._prefer.ways.slower:
            why = "least loaded of the hosts with the fastest way that fit"
        else:
            why = "least loaded of the hosts that fit"
        text = f"{why}: {self._left(vm, host)}"
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
