"""Every reading entry of the catalogue, bound to things that the lab has."""

from __future__ import annotations

from console.lab.serve import InProcessLab
from console.model.identity import HostName, RoleName, VmId
from console.windows.catalogue import ENTRIES, cluster, events, leases, progress, session, vms
from console.windows.commands import Call, Effect

NO_VM = "AAAA"
"""Describes no VM."""
LEASE = RoleName("zz-drainboard-HV01-1")


def reads(lab: InProcessLab, vm: VmId, host: str = "HV01") -> dict[str, Call]:
    """A call of each entry that only reads, by entry."""
    world, node = lab.cluster.world, HostName(host)
    roles = [group.name for group in world.groups.values() if group.vm is not None]
    bound = [
        cluster.groups_of_node(node),
        cluster.group_of_vm(vm),
        cluster.resources_of_node(node),
        cluster.possible_owners(node),
        cluster.preferred_owners(node),
        cluster.delegation([HostName(name) for name in world.hosts]),
        vms.vm(vm),
        vms.vm_compatibility(vm),
        vms.vm_compatibility_check(NO_VM),
        progress.resources_in_flight(f"Virtual Machine {name}" for name in roles),
        progress.groups_in_flight(RoleName(name) for name in roles),
        leases.lease_properties(LEASE),
        events.migration_events(7 * 86400.0),
        events.cluster_events(7 * 86400.0),
        session.abilities(("Get-VM", "Suspend-ClusterNode")),
    ]
    calls = {call.entry: call for call in bound}
    for entry in ENTRIES.values():
        if entry.effect is Effect.READS and entry.id not in calls:
            calls[entry.id] = entry.bind()
    return calls
