"""Affinity against *planned* positions: where every role will be once the moves placed so far are done."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.model.cluster import AffinityRule, Cluster, VirtualMachine
from console.model.identity import HostName, RoleName

CONFLICT = "conflict "
"""Before the code of a conflict that forbids a way, as a rule of a clash."""

SAME_FAULT_DOMAIN, SAME_NODE, DIFFERENT_FAULT_DOMAIN, DIFFERENT_NODE = 1, 2, 3, 4
"""MSCluster_AffinityRule.RuleType."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that one destination would break."""

    rule: str
    """Short, the same for every host that it refuses."""
    text: str
    hard: bool


class Positions:
    """Planned positions of the roles that any rule names; moved as the plan places VMs."""

    def __init__(self, cluster: Cluster) -> None:
        self._enforced = bool(cluster.settings.enforced_anti_affinity)
        self._domain = {host.name: host.fault_domain for host in cluster.hosts}
        self._rules: dict[RoleName, list[AffinityRule]] = {}
        for rule in cluster.affinity_rules or ():
            if rule.enabled and len(rule.groups) > 1:
                for role in rule.groups:
                    self._rules.setdefault(role, []).append(rule)
        self._classes: dict[str, set[RoleName]] = {}
        self._at: dict[RoleName, HostName] = {}
        self._moving: set[RoleName] = set()
        self._read_positions(cluster)

    def _read_positions(self, cluster: Cluster) -> None:
        for vm in cluster.vms:
            role = vm.ref.role
            if role is None or not (vm.anti_affinity or role in self._rules):
                continue
            self._at[role] = vm.host
            for name in vm.anti_affinity:
                self._classes.setdefault(name, set()).add(role)
        for other in cluster.roles:
            if other.owner is not None and other.name in self._rules:
                self._at.setdefault(other.name, other.owner)

    @property
    def any_rules(self) -> bool:
        return bool(self._at)

    def will_move(self, vms: Iterable[VirtualMachine]) -> None:
        """These are about to be placed: until then they are nowhere."""
        for vm in vms:
            if vm.ref.role in self._at:
                self._moving.add(vm.ref.role)

    def place(self, vm: VirtualMachine, host: HostName) -> None:
        if vm.ref.role in self._at:
            self._at[vm.ref.role] = host
            self._moving.discard(vm.ref.role)

    def companions(self, vm: VirtualMachine) -> frozenset[RoleName]:
        """Roles that have to end on the same node as this VM, itself left out."""
        role = vm.ref.role
        if role is None:
            return frozenset()
        found: set[RoleName] = set()
        for rule in self._rules.get(role, ()):
            if rule.kind == SAME_NODE:
                found.update(rule.groups)
        return frozenset(found - {role})

    def broken_by(self, vm: VirtualMachine, host: HostName) -> list[Broken]:
        """The rules that the VM would break on this host, against the positions planned so far."""
        role = vm.ref.role
        if role is None or not self._at:
            return []
        broken = [
            Broken(f"affinity rule {rule.name}", text, hard=True)
            for rule in self._rules.get(role, ())
            if (text := self._rule_breach(rule, role, host))
        ]
        for name in vm.anti_affinity:
            others = sorted(other for other in self._classes[name] - {role} if self._position(other) == host)
            if others:
                text = f"{others[0]} is kept apart from it (AntiAffinityClassNames {name}) and will be there"
                broken.append(Broken(f"AntiAffinityClassNames {name}", text, hard=self._enforced))
        return broken

    def _position(self, role: RoleName) -> HostName | None:
        return None if role in self._moving else self._at.get(role)

    def _rule_breach(self, rule: AffinityRule, role: RoleName, host: HostName) -> str:
        for other in rule.groups:
            there = self._position(other) if other != role else None
            if there is None:
                continue
            here, beyond = self._domain.get(host), self._domain.get(there)
            known = here is not None and beyond is not None
            if rule.kind == SAME_NODE and there != host:
                return f"rule {rule.name} keeps it on one node with {other}, which will be on {there}"
            if rule.kind == DIFFERENT_NODE and there == host:
                return f"rule {rule.name} keeps it away from {other}, which will be there"
            if rule.kind == SAME_FAULT_DOMAIN and known and here != beyond:
                return f"rule {rule.name} keeps it in one fault domain with {other}, which will be in {beyond}"
            if rule.kind == DIFFERENT_FAULT_DOMAIN and (there == host or (known and here == beyond)):
                return f"rule {rule.name} keeps it out of the fault domain of {other}, {beyond or there}"
        return ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rules that can not all hold, wherever the roles are: the fewest that show it."""

    roles: tuple[RoleName, RoleName]
    rules: tuple[str, ...]

    @property
    def text(self) -> str:
        *together, apart = self.rules
        chain = " and ".join(together)
        return f"{chain} keep {self.roles[0]} and {self.roles[1]} together, {apart} keeps them apart"


def contradictions(rules: Iterable[AffinityRule]) -> tuple[Contradiction, ...]:
    """Every rule that keeps roles apart which others, one or a chain of them, keep together."""
    active = [rule for rule in rules if rule.enabled and len(rule.groups) > 1]
    found: list[Contradiction] = []
    for apart in active:
        if apart.kind not in (DIFFERENT_NODE, DIFFERENT_FAULT_DOMAIN):
            continue
        kinds = (SAME_NODE,) if apart.kind == DIFFERENT_NODE else (SAME_NODE, SAME_FAULT_DOMAIN)
        together = [rule for rule in active if rule.kind in kinds]
        for one, other in itertools.combinations(apart.groups, 2):
            chain = _chain_between(one, other, together)
            if chain:
                names = (*(f"affinity rule {name}" for name in chain), f"affinity rule {apart.name}")
                found.append(Contradiction((one, other), names))
    return tuple(found)


def _chain_between(one: RoleName, other: RoleName, rules: Sequence[AffinityRule]) -> tuple[str, ...]:
    """The fewest rules that lead from one role to the other; breadth first, empty when none do."""
    paths: dict[RoleName, tuple[str, ...]] = {one: ()}
    waiting = deque([one])
    while waiting:
        role = waiting.popleft()
        if role == other:
            return paths[role]
        for rule in rules:
            if role in rule.groups:
                for following in rule.groups:
                    if following not in paths:
                        paths[following] = (*paths[role], rule.name)
                        waiting.append(following)
    return ()


def smallest_clash(refusals: Mapping[HostName, frozenset[str]]) -> tuple[str, ...]:
    """The fewest rules that together refuse every host; empty when some host is refused by none."""
    hosts = list(refusals.values())
    if not hosts or any(not rules for rules in hosts):
        return ()
    best = _greedy_cover(hosts)
    for size in range(1, len(best)):
        smaller = _cover_of(hosts, size)
        if smaller is not None:
            return tuple(sorted(smaller))
    return tuple(sorted(best))


def _own_first(rule: str) -> tuple[bool, str]:
    """Of equally many, the plan's own rules say more than conflicts that were found before."""
    return rule.startswith(CONFLICT), rule


def _greedy_cover(hosts: list[frozenset[str]]) -> set[str]:
    chosen: set[str] = set()
    left = hosts
    while left:
        counts: dict[str, int] = {}
        for rules in left:
            for rule in rules:
                counts[rule] = counts.get(rule, 0) + 1
        best = min(counts, key=lambda rule: (-counts[rule], *_own_first(rule)))
        chosen.add(best)
        left = [rules for rules in left if best not in rules]
    return chosen


def _cover_of(hosts: list[frozenset[str]], size: int) -> set[str] | None:
    """A cover of exactly the first open host's rules and what remains, at most ``size`` rules; depth first."""
    if not hosts:
        return set()
    if size == 0:
        return None
    fewest = min(hosts, key=len)
    for rule in sorted(fewest, key=_own_first):
        rest = _cover_of([rules for rules in hosts if rule not in rules], size - 1)
        if rest is not None:
            return rest | {rule}
    return None
