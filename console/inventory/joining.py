"""What the cluster tells and what the hosts tell, put together by the VMs' GUIDs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from console.model.cluster import GroupFlags, Host, MigrationProgress, Role, VirtualMachine, VmState
from console.model.identity import HostName, RoleName, VmId, VmRef
from console.windows.decode.cluster import UNKNOWN_GROUP_TYPE, Group, Resource
from console.windows.decode.progress import of_resource

from .survey import Survey


@dataclass(frozen=True, slots=True)
class Membership:
    """What the cluster knows of one VM."""

    group: Group
    resource: Resource
    default_move_type: int | None


class Names:
    """Node names as Get-ClusterNode writes them, found whatever the case and with or without a domain."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self._known = {host.name.casefold(): host.name for host in hosts}

    def __call__(self, name: HostName) -> HostName:
        """The node's own spelling; an unknown name stays as it is."""
        folded = name.casefold()
        return self._known.get(folded) or self._known.get(folded.partition(".")[0]) or name


def memberships(survey: Survey) -> dict[VmId, Membership]:
    """By VM: the resource whose VmId it is, and the role that owns the resource."""
    groups = {group.name: group for group in survey.groups or ()}
    found: dict[VmId, Membership] = {}
    for resource in survey.resources or ():
        parameters = (survey.parameters or {}).get(resource.name)
        group = groups.get(resource.group) if resource.group is not None else None
        if parameters is not None and parameters.vm is not None and group is not None:
            found[parameters.vm] = Membership(group, resource, parameters.default_move_type)
    return found


def join_vms(
    seen: Sequence[VirtualMachine],
    remembered: Sequence[VirtualMachine],
    known: Mapping[VmId, Membership],
    names: Names,
) -> tuple[VirtualMachine, ...]:
    """Every VM once.

    Args:
        seen: on hosts that answered just now.
        remembered: last seen on hosts that do not answer now.
        known: what the cluster says; a VM that only the cluster knows is listed with its state unknown.
    """
    found: dict[VmId, VirtualMachine] = {}
    for vm in seen:
        found[vm.id] = _likelier(found.get(vm.id), vm, known, names)
    for vm in remembered:
        member = known.get(vm.id)
        owner = None if member is None else member.group.owner
        found.setdefault(vm.id, vm if owner is None else replace(vm, host=names(owner)))
    joined = [with_membership(vm, known.get(id)) for id, vm in found.items()]
    joined.extend(_unseen(id, member, names) for id, member in known.items() if id not in found)
    return tuple(sorted(joined, key=lambda vm: (vm.name.casefold(), vm.id)))


def _likelier(
    other: VirtualMachine | None, vm: VirtualMachine, known: Mapping[VmId, Membership], names: Names
) -> VirtualMachine:
    """While a VM moves both ends show it: the role's owner is where it is."""
    if other is None:
        return vm
    member = known.get(vm.id)
    owner = None if member is None or member.group.owner is None else names(member.group.owner)
    return vm if vm.host == owner else other


def with_membership(vm: VirtualMachine, member: Membership | None) -> VirtualMachine:
    """The VM with its role's facts; without a role it stays as the host told it."""
    if member is None:
        return vm
    group = member.group
    return replace(
        vm,
        ref=VmRef(vm.id, vm.name, group.name),
        clustered=True,
        role_state=group.state,
        role_flags=group.flags,
        priority=group.priority,
        default_move_type=member.default_move_type,
        anti_affinity=group.anti_affinity,
        auto_failback=group.auto_failback,
        resource_name=member.resource.name,
        migration=progress(group.flags, member.resource.data),
    )


def progress(flags: GroupFlags, data: int | None) -> MigrationProgress | None:
    """How far the move is, from the resource's data, or that it waits in the cluster's queue; else None."""
    running = of_resource(data)
    if flags & GroupFlags.QUEUED:
        return replace(running or MigrationProgress(), queued=True)
    return running


def _unseen(id: VmId, member: Membership, names: Names) -> VirtualMachine:
    owner = member.group.owner
    bare = VirtualMachine(
        ref=VmRef(id, str(member.group.name), member.group.name),
        host=HostName("") if owner is None else names(owner),
        state=VmState.UNKNOWN,
        state_number=-1,
        clustered=True,
    )
    return with_membership(bare, member)


def other_roles(groups: Iterable[Group], members: Iterable[Membership], names: Names) -> tuple[Role, ...]:
    """Every group that is not a VM's; a VM's group whose VM could not be found is among them, so as not to be lost."""
    claimed: set[RoleName] = {member.group.name for member in members}
    return other_groups((group for group in groups if group.name not in claimed), names)


def other_groups(groups: Iterable[Group], names: Names) -> tuple[Role, ...]:
    """Groups as roles of their own."""
    return tuple(
        Role(
            name=group.name,
            group_type=UNKNOWN_GROUP_TYPE if group.group_type is None else group.group_type,
            owner=None if group.owner is None else names(group.owner),
            state=group.state,
            core=group.core,
            flags=group.flags,
        )
        for group in groups
    )


def with_counts(hosts: Iterable[Host], vms: Iterable[VirtualMachine], known: bool) -> tuple[Host, ...]:
    """How many migrations leave or reach each host, as far as progress tells; None when it could not be read."""
    counts: dict[HostName, int] = {}
    for vm in vms:
        if vm.migration is not None and not vm.migration.queued:
            for end in {vm.host, vm.migration.destination} - {None}:
                counts[HostName(str(end))] = counts.get(HostName(str(end)), 0) + 1
    return tuple(replace(host, migrations_in_flight=counts.get(host.name, 0) if known else None) for host in hosts)
