"""Conflicts of where a VM could go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from console.model.cluster import Host, VirtualMachine
from console.model.identity import HostName
from console.model.units import GIB

from .reads import ROLE, RULES
from .registry import Check, Facts, Family, Finding, check, host_evidence, listed, quoted, vm_evidence
from .values import Evidence, Fix, Severity, Subject


@check(
    "vm-too-big",
    Severity.BLOCKS,
    Family.MACHINE,
    "The VM has more virtual processors or memory than the destination has at all",
    "Get-VMHost LogicalProcessorCount, reflected module; Win32_OperatingSystem.TotalVisibleMemorySize",
    reads=(
        "vms.MemoryAssigned",
        "vms.MemoryStartup",
        "vms.ProcessorCount",
        "operating-system.TotalVisibleMemorySize",
        "vm-host.LogicalProcessorCount",
    ),
)
def too_big(facts: Facts, this: Check) -> Iterator[Finding]:
    vms = list(facts.clustered_vms())
    most_memory = max((vm.memory_bytes for vm in vms), default=0)
    most_processors = max((vm.processors or 0 for vm in vms), default=0)
    for host in facts.hosts():
        is_small = host.memory_bytes is not None and host.memory_bytes < most_memory
        if not is_small and (host.logical_processors is None or host.logical_processors >= most_processors):
            continue
        for vm in vms:
            if vm.host != host.name:
                yield from _does_not_fit(this, vm, host)


def _does_not_fit(this: Check, vm: VirtualMachine, host: Host) -> Iterator[Finding]:
    if host.memory_bytes is not None and vm.memory_bytes > host.memory_bytes:
        yield this.conflict(
            Subject(vm=vm.ref, destination=host.name),
            f"{vm.name} needs {vm.memory_bytes / GIB:.0f} GiB, {host.name} has {host.memory_bytes / GIB:.0f}.",
            vm_evidence(vm, "MemoryAssigned", vm.memory_bytes),
            Fix("Choose a larger destination."),
        )
    elif host.logical_processors is not None and (vm.processors or 0) > host.logical_processors:
        yield this.conflict(
            Subject(vm=vm.ref, destination=host.name),
            f"{vm.name} has {vm.processors} virtual processors, {host.name} only {host.logical_processors}.",
            host_evidence(host, "LogicalProcessorCount", host.logical_processors),
            Fix("Choose a larger destination, or lower the processor count.", needs_vm_off=True),
        )


@check(
    "place-possible-owners",
    Severity.BLOCKS,
    Family.PLACEMENT,
    "The destination is not a possible owner of one of the VM's resources",
    "Get-ClusterOwnerNode on both resources; error 5016",
    reads=(
        "resources-of-node.Name",
        "resources-of-node.OwnerGroup",
        "possible-owners.ClusterObject",
        "possible-owners.OwnerNodes",
        *ROLE,
    ),
)
def possible_owners(facts: Facts, this: Check) -> Iterator[Finding]:
    names = frozenset(host.name for host in facts.hosts())
    vms = list(facts.clustered_vms())
    unread = [vm for vm in vms if vm.possible_owners is None]
    if unread:
        subject = Subject(vm=unread[0].ref) if len(unread) == 1 else Subject()
        yield this.unknown(subject, f"The possible owners of {listed(vm.name for vm in unread)} were not read.")
    for vm in vms:
        if vm.possible_owners is None:
            continue
        for name in sorted(names - vm.possible_owners - {vm.host}) if not names <= vm.possible_owners else ():
            role = vm.ref.role or vm.name
            owners = sorted({*vm.possible_owners, name})
            yield this.conflict(
                Subject(vm=vm.ref, destination=name),
                f"{name} is not a possible owner of {vm.name}.",
                vm_evidence(vm, "possible owners", ", ".join(sorted(vm.possible_owners)) or "none"),
                Fix(
                    "Where the VM may run there (licences, storage): add it to every resource of the role.",
                    f"Get-ClusterGroup -Name {quoted(role)} | Get-ClusterResource | "
                    f"Set-ClusterOwnerNode -Owners {','.join(quoted(owner) for owner in owners)}",
                ),
            )


@check(
    "place-no-memory",
    Severity.BLOCKS,
    Family.PLACEMENT,
    "No destination has room for the VM's memory",
    "Win32_OperatingSystem.FreePhysicalMemory",
    reads=("operating-system.FreePhysicalMemory", "vms.MemoryAssigned", "vms.State", "nodes.State"),
)
def no_memory(facts: Facts, this: Check) -> Iterator[Finding]:
    candidates = [host for host in facts.hosts() if host.accepts_vms]
    for vm in facts.clustered_vms():
        others = [host for host in candidates if host.name != vm.host]
        free = [host.memory_free_bytes for host in others]
        fits = any(room is not None and room >= vm.memory_bytes for room in free)
        if fits or not vm.running:
            continue
        if any(room is None for room in free):
            silent = ", ".join(host.name for host in others if host.memory_free_bytes is None)
            yield this.unknown(Subject(vm=vm.ref), f"{vm.name}: free memory of {silent} was not read.")
        else:
            most = max((room for room in free if room is not None), default=0)
            yield this.conflict(
                Subject(vm=vm.ref),
                f"No host has {vm.memory_bytes / GIB:.1f} GiB free for {vm.name}; the most is {most / GIB:.1f} GiB.",
                vm_evidence(vm, "MemoryAssigned", vm.memory_bytes),
                Fix("Free memory on another host, or leave this VM out of the drain."),
            )


Held: TypeAlias = dict[HostName, list[VirtualMachine]]
Room: TypeAlias = dict[HostName, int]


def _take_in(room: Room, vms: Iterable[VirtualMachine]) -> Held | None:
    """Which host takes which VM, largest first and each to the one with most room, which is taken; None: not all fit.

    A packing that it finds exists; one that it misses by a hair is reported as lost.
    """
    taken: Held = {}
    for vm in sorted(vms, key=lambda one: -one.memory_bytes):
        target = max(room, key=lambda name: room[name], default=None)
        if target is None or room[target] < vm.memory_bytes:
            return None
        room[target] -= vm.memory_bytes
        taken.setdefault(target, []).append(vm)
    return taken


def first_fatal_loss(room: Room, held: Held) -> HostName | None:
    """The first host whose loss the others could not take in by memory, None when there is none."""
    for lost in room:
        if _take_in({name: free for name, free in room.items() if name != lost}, held.get(lost, ())) is None:
            return lost
    return None


@check(
    "place-breaks-n1",
    Severity.RISKS,
    Family.PLACEMENT,
    "The cluster, without the node to be emptied, could not lose another host: its VMs would find no memory",
    "Win32_OperatingSystem.FreePhysicalMemory; N+1 by memory",
    reads=("operating-system.FreePhysicalMemory", "vms.MemoryAssigned", "nodes.State"),
)
def breaks_n1(facts: Facts, this: Check) -> Iterator[Finding]:
    hosts = [host for host in facts.hosts() if host.accepts_vms and host.name != facts.node]
    unread = [host.name for host in hosts if host.memory_free_bytes is None]
    if unread:
        yield this.unknown(Subject(), f"Free memory of {', '.join(unread)} was not read.")
        return
    room: Room = {host.name: host.memory_free_bytes or 0 for host in hosts}
    held: Held = {host.name: _failing_over(facts, host.name) for host in hosts}
    arrived = _take_in(room, _failing_over(facts, facts.node)) if facts.node else {}
    if arrived is None or len(hosts) < 2:
        return  # told of the VMs that find no room, and of the vote of the last node
    for name, vms in arrived.items():
        held[name] += vms
    lost = first_fatal_loss(room, held)
    if lost is not None:
        when = f"Once {facts.node} is empty" if facts.node else "As it is"
        yield this.conflict(
            Subject(host=lost),
            f"{when}, the cluster can not lose {lost}: its VMs would not all fit on the other hosts.",
            (Evidence("FreePhysicalMemory elsewhere", str(sum(room.values()) - room[lost]), None, facts.now),),
            Fix("Free memory (shut down what can wait), or keep the window short."),
        )


def _failing_over(facts: Facts, host: HostName) -> list[VirtualMachine]:
    """What would need memory elsewhere when the host dies."""
    return [vm for vm in facts.cluster.vms_on(host) if vm.running and vm.clustered]


@check(
    "place-affinity",
    Severity.RISKS,
    Family.PLACEMENT,
    "Roles stand against a rule: together though they should be apart, or apart though they belong together",
    "MSCluster_AffinityRule; AntiAffinityClassNames, hard when ClusterEnforcedAntiAffinity is 1",
    reads=("groups.AntiAffinityClassNames", "cluster.ClusterEnforcedAntiAffinity", *RULES, *ROLE),
)
def affinity(facts: Facts, this: Check) -> Iterator[Finding]:
    yield from _broken_rules(facts, this)
    enforced = facts.cluster.settings.enforced_anti_affinity
    for host in facts.hosts():
        classes: dict[str, list[VirtualMachine]] = {}
        for vm in facts.cluster.vms_on(host.name):
            for name in vm.anti_affinity:
                classes.setdefault(name, []).append(vm)
        for name, vms in classes.items():
            if len(vms) > 1:
                role = vms[0].ref.role or vms[0].name
                yield this.conflict(
                    Subject(host=host.name, vm=vms[0].ref),
                    f"{listed(vm.name for vm in vms)} are of the anti-affinity class {name} and share {host.name}."
                    + (" That is enforced: one that goes offline there does not come back." if enforced else ""),
                    vm_evidence(vms[0], "AntiAffinityClassNames", name),
                    Fix("Let the drain part them, or move one.", f"Get-ClusterGroup -Name {quoted(role)}"),
                )


SAME_NODE, DIFFERENT_NODE = 2, 4
"""AffinityRule.kind of the rules that can be judged without fault domains."""


def _broken_rules(facts: Facts, this: Check) -> Iterator[Finding]:
    if facts.cluster.affinity_rules is None:
        yield this.unknown(Subject(), "The affinity rules (MSCluster_AffinityRule) were not read.")
    at = {vm.ref.role: vm for vm in facts.cluster.vms if vm.ref.role is not None}
    for rule in facts.cluster.affinity_rules or ():
        members = [at[role] for role in rule.groups if role in at] if rule.enabled else []
        hosts = {vm.host for vm in members}
        together = rule.kind == DIFFERENT_NODE and len(hosts) < len(members)
        apart = rule.kind == SAME_NODE and len(hosts) > 1
        if together or apart:
            yield this.conflict(
                Subject(vm=members[0].ref, host=members[0].host),
                f"{listed(vm.name for vm in members)} stand against the rule {rule.name}: "
                f"{'some share a node' if together else 'they are on different nodes'}.",
                vm_evidence(members[0], "MSCluster_AffinityRule", rule.name),
                Fix("Let the drain mend it, or move one.", f"Get-ClusterAffinityRule -Name {quoted(rule.name)}"),
            )
