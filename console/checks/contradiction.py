"""Placement rules that can not all hold, and moves that leave their site."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from console.model.cluster import AffinityRule, Cluster, Host, VirtualMachine
from console.model.identity import HostName, RoleName

from .networks import eligible_networks
from .reads import ROLE, RULES
from .registry import Check, Facts, Family, Finding, check, cluster_evidence, host_evidence, listed, quoted
from .values import Fix, Severity, Subject

SAME_NODE, DIFFERENT_NODE = 2, 4
"""AffinityRule.kind."""
CLASS = "anti-affinity class "


@dataclass(frozen=True, slots=True)
class Clash:
    """The fewest rules that can not hold together, and why."""

    rules: tuple[str, ...]
    why: str


@check(
    "place-contradiction",
    Severity.BLOCKS,
    Family.PLACEMENT,
    "Placement rules that can not all hold",
    "MSCluster_AffinityRule; AntiAffinityClassNames with ClusterEnforcedAntiAffinity 1; possible owners",
    reads=(*RULES, "groups.AntiAffinityClassNames", "cluster.ClusterEnforcedAntiAffinity", *ROLE),
)
def contradiction(facts: Facts, this: Check) -> Iterator[Finding]:
    if facts.cluster.affinity_rules is None:
        yield this.unknown(Subject(), "The affinity rules (MSCluster_AffinityRule) were not read.")
    for clash in clashes(facts.cluster):
        yield this.conflict(
            Subject(),
            clash.why,
            cluster_evidence(facts, "rules", ", ".join(clash.rules)),
            Fix("Change or switch off one of them.", f"Get-ClusterAffinityRule -Name {quoted(clash.rules[0])}")
            if any(rule.name == clash.rules[0] for rule in facts.cluster.affinity_rules or ())
            else Fix("Change one of them."),
        )


def clashes(cluster: Cluster) -> Iterator[Clash]:
    """Every contradiction, each with its smallest set of rules."""
    together = [rule for rule in cluster.affinity_rules or () if rule.enabled and rule.kind == SAME_NODE]
    for name, roles in _apart(cluster):
        yield from _torn(together, name, roles)
        yield from _crowded(cluster, name, roles)
    for rule in together:
        yield from _homeless(cluster, rule)


def _apart(cluster: Cluster) -> Iterator[tuple[str, tuple[RoleName, ...]]]:
    """Rules that keep roles on different nodes; anti-affinity classes only where they are enforced."""
    for rule in cluster.affinity_rules or ():
        if rule.enabled and rule.kind == DIFFERENT_NODE:
            yield rule.name, rule.groups
    if cluster.settings.enforced_anti_affinity:
        classes: dict[str, dict[RoleName, None]] = {}
        for vm in cluster.vms:
            for name in vm.anti_affinity if vm.ref.role is not None else ():
                classes.setdefault(name, {})[vm.ref.role or RoleName("")] = None
        for name, roles in classes.items():
            yield f"{CLASS}{name}", tuple(roles)


def _torn(together: list[AffinityRule], name: str, roles: tuple[RoleName, ...]) -> Iterator[Clash]:
    """Two roles that one rule parts and a chain of others holds on one node."""
    for place, one in enumerate(roles):
        for other in roles[place + 1 :]:
            chain = _chain(together, one, other)
            if chain:
                rules = (*(rule.name for rule in chain), name)
                why = f"{_told(name)} keeps {one} and {other} apart, {listed(rules[:-1])} keeps them on one node."
                yield Clash(rules, why)
                return


def _chain(together: list[AffinityRule], start: RoleName, end: RoleName) -> tuple[AffinityRule, ...]:
    """The fewest same-node rules that hold two roles together; empty when nothing does."""
    queue: deque[tuple[RoleName, tuple[AffinityRule, ...]]] = deque([(start, ())])
    seen = {start}
    while queue:
        role, path = queue.popleft()
        if role == end:
            return path
        for rule in together:
            for member in rule.groups if role in rule.groups else ():
                if member not in seen:
                    seen.add(member)
                    queue.append((member, (*path, rule)))
    return ()


def _crowded(cluster: Cluster, name: str, roles: tuple[RoleName, ...]) -> Iterator[Clash]:
    if len(roles) > len(cluster.hosts):
        why = f"{_told(name)} keeps {len(roles)} roles apart, and the cluster has {len(cluster.hosts)} nodes."
        yield Clash((name,), why)


def _told(name: str) -> str:
    return f"The {name}" if name.startswith(CLASS) else f"The rule {name}"


def _homeless(cluster: Cluster, rule: AffinityRule) -> Iterator[Clash]:
    """Roles that belong on one node and have no possible owner in common."""
    members = [vm for vm in cluster.vms if vm.ref.role in rule.groups and vm.possible_owners is not None]
    common: set[HostName] = {host.name for host in cluster.hosts}
    for vm in members:
        common &= vm.possible_owners or frozenset()
    if members and not common:
        rules = (rule.name, *(f"possible owners of {vm.name}" for vm in _fewest(members)))
        yield Clash(
            rules, f"The rule {rule.name} keeps {listed(rule.groups)} on one node, and none is a possible owner of all."
        )


def _fewest(members: list[VirtualMachine]) -> list[VirtualMachine]:
    """Two whose owners have nothing in common where there are such two, else all of them."""
    for place, one in enumerate(members):
        for other in members[place:]:
            if not (one.possible_owners or frozenset()) & (other.possible_owners or frozenset()):
                return [one] if one is other else [one, other]
    return members


SITE = "Site:"


def site_of(host: Host) -> str:
    """The site among a node's fault domains ("Site:Zurich/Rack:R1"); empty when it has none."""
    parts = (host.fault_domain or "").split("/")
    return next((part.removeprefix(SITE) for part in parts if part.startswith(SITE)), "")


@check(
    "place-site",
    Severity.ADVICE,
    Family.PLACEMENT,
    "A move crosses from one site to another",
    "Get-ClusterNode FaultDomain, reflected module",
    reads=("nodes.FaultDomain",),
)
def crosses_site(facts: Facts, this: Check) -> Iterator[Finding]:
    first = next((network.name for network in eligible_networks(facts.cluster) if network.up is not False), "")
    over = f" over {first}" if first else ""
    for source in facts.hosts():
        if facts.node not in (None, source.name):
            continue
        beyond = [host for host in facts.hosts() if site_of(host) and site_of(host) != site_of(source)]
        if not site_of(source) or not beyond:
            continue
        subjects = [(Subject(host=source.name), beyond)]
        if facts.node is not None:
            subjects = [(Subject(host=source.name, destination=host.name), [host]) for host in beyond]
        for subject, hosts in subjects:
            names = listed(host.name for host in hosts)
            yield this.conflict(
                subject,
                f"From {source.name} ({site_of(source)}) to {names} ({site_of(hosts[0])}) a move crosses sites{over}.",
                host_evidence(source, "FaultDomain", source.fault_domain)
                + host_evidence(hosts[0], "FaultDomain", hosts[0].fault_domain),
                Fix("Prefer a host of the same site where there is room."),
            )
