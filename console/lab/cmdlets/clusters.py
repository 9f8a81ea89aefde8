"""Get-Cluster and its relatives: nodes, groups, resources, networks, shared volumes, their parameters and owners."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from console.lab.cmdlets import cim, cim_cluster, errors, shapes
from console.lab.cmdlets.invocation import Invocation, answers, is_wild, matches
from console.lab.cmdlets.objects import CimShape
from console.lab.cmdlets.shapes import ClusterRoot, OwnerList, Parameter, ResourceType, VolumeOnNode
from console.lab.engine import PsValue
from console.lab.world.service import ClusterRefusal
from console.lab.world.state import Group, Host, Network, Resource, Volume
from console.lab.world.world import World

T = TypeVar("T")


def named(
    call: Invocation, things: Iterable[T], name_of: Callable[[T], str], code: int, what: str, parameter: str = "Name"
) -> list[T]:
    """The things whose name matches -Name; an error for each exact name that is not there."""
    patterns = call.texts(parameter)
    everything = list(things)
    if patterns is None:
        return everything
    found: list[T] = []
    for pattern in patterns:
        some = [thing for thing in everything if matches(pattern, name_of(thing))]
        if not some and not is_wild(pattern):
            call.error(errors.cluster(call.cmdlet, ClusterRefusal(code, f"{what} '{pattern}' was not found.", pattern)))
        found += [thing for thing in some if thing not in found]
    return found


@answers("Get-Cluster")
def get_cluster(call: Invocation) -> Iterable[PsValue]:
    name = call.text("Name")
    if name not in (None, ".", "") and not matches(str(name).split(".")[0], call.world.scenario.cluster):
        refusal = ClusterRefusal(1722, f"The cluster '{name}' could not be reached.", str(name))
        call.error(errors.cluster(call.cmdlet, refusal))
        return []
    return [shapes.CLUSTER.make(call.scope, ClusterRoot(call.world))]


@answers("Get-ClusterNode")
def get_node(call: Invocation) -> Iterable[PsValue]:
    nodes = named(call, call.world.hosts.values(), lambda host: host.name, 5042, "The cluster node")
    owners = {group.owner for group in call.instances(Group)}
    return [shapes.NODE.make(call.scope, host) for host in nodes if not owners or host.name in owners]


def groups_asked(call: Invocation) -> list[Group]:
    """Groups by -Name, -VMId, pipeline of nodes, resources or groups."""
    world = call.world
    identifier = call.arguments.get("VMId")
    if isinstance(identifier, UUID):
        group = world.group_of(identifier)
        if group is None:
            message = f"The group of virtual machine '{identifier}' was not found."
            refusal = ClusterRefusal(5013, message, str(identifier))
            call.error(errors.cluster(call.cmdlet, refusal))
        return [group] if group is not None else []
    piped = call.instances(Group)
    piped += [world.groups[resource.group] for resource in call.instances(Resource)]
    nodes = {host.name for host in call.instances(Host)}
    if (call.has_input or "InputObject" in call.arguments) and not call.instances(ClusterRoot):
        return piped + [group for group in world.groups.values() if group.owner in nodes]
    return named(call, world.groups.values(), lambda group: group.name, 5013, "The cluster group")


@answers("Get-ClusterGroup")
def get_group(call: Invocation) -> Iterable[PsValue]:
    return [shapes.GROUP.make(call.scope, group) for group in groups_asked(call)]


@answers("Get-ClusterResource")
def get_resource(call: Invocation) -> Iterable[PsValue]:
    world = call.world
    identifier = call.arguments.get("VMId")
    if isinstance(identifier, UUID):
        group = world.group_of(identifier)
        found = world.resources_in(group.id) if group is not None else []
    elif call.instances(Group):
        found = [resource for group in call.instances(Group) for resource in world.resources_in(group.id)]
    elif call.has_input and not call.instances(ClusterRoot):
        nodes = {host.name for host in call.instances(Host)}
        found = [each for each in world.resources.values() if shapes.resource_owner(world, each) in nodes]
    else:
        found = named(call, world.resources.values(), lambda each: each.name, 5007, "The cluster resource")
    return [shapes.RESOURCE.make(call.scope, resource) for resource in found]


_TYPES = ("Virtual Machine", "Virtual Machine Configuration", "Physical Disk", "Network Name", "IP Address")


@answers("Get-ClusterResourceType")
def get_resource_type(call: Invocation) -> Iterable[PsValue]:
    found = named(call, [ResourceType(name) for name in _TYPES], lambda each: each.name, 5079, "The resource type")
    return [shapes.RESOURCE_TYPE.make(call.scope, each) for each in found]


def _store(world: World, thing: object) -> tuple[str, str, dict[str, object]] | None:
    """(subject, class, properties) of a thing that has private properties."""
    if isinstance(thing, Group):
        return thing.name, "ClusterGroup", thing.parameters
    if isinstance(thing, Resource):
        return thing.name, "ClusterResource", thing.parameters
    if isinstance(thing, ResourceType):
        store = world.vm_type_parameters if thing.name == "Virtual Machine" else {}
        return thing.name, "ClusterResourceType", store
    if isinstance(thing, ClusterRoot):
        return world.scenario.cluster, "Cluster", world.parameters
    return None


def _stores(call: Invocation) -> list[tuple[str, str, dict[str, object]]]:
    found = [_store(call.world, thing) for thing in call.instances(object)]
    if not call.has_input and "InputObject" not in call.arguments:
        found = [_store(call.world, ClusterRoot(call.world))]
    return [each for each in found if each is not None]


@answers("Get-ClusterParameter")
def get_parameter(call: Invocation) -> Iterable[PsValue]:
    wanted = call.texts("Name")
    for subject, class_name, properties in _stores(call):
        names = list(properties)
        if wanted is not None:
            names = [name for name in names if any(matches(pattern, name) for pattern in wanted)]
        for pattern in wanted or []:
            if not is_wild(pattern) and not any(matches(pattern, name) for name in properties):
                message = f"Unable to find the parameter '{pattern}' of '{subject}'."
                call.error(errors.cluster(call.cmdlet, ClusterRefusal(2, message, pattern)))
        for name in names:
            yield shapes.PARAMETER.make(call.scope, Parameter(subject, class_name, name, properties[name]))


@answers("Set-ClusterParameter", changes=True)
def set_parameter(call: Invocation) -> Iterable[PsValue]:
    multiple = call.arguments.get("Multiple")
    pairs = dict(multiple) if isinstance(multiple, dict) else {call.text("Name") or "": call.arguments.get("Value")}
    for subject, _, properties in _stores(call):
        for given, value in pairs.items():
            name = next((each for each in properties if each.casefold() == given.casefold()), None)
            if call.flag("Delete"):
                properties.pop(name or given, None)
            elif name is None and not call.flag("Create"):
                message = f"Unable to find the parameter '{given}' of '{subject}'."
                call.error(errors.cluster(call.cmdlet, ClusterRefusal(2, message, given)))
            else:
                properties[name or given] = value
    call.scope.cluster.touch()
    return []


@answers("Get-ClusterOwnerNode")
def get_owner_node(call: Invocation) -> Iterable[PsValue]:
    world = call.world
    groups, resources = call.instances(Group), call.instances(Resource)
    if "Group" in call.arguments:
        groups += named(call, world.groups.values(), lambda each: each.name, 5013, "The cluster group", "Group")
    if "Resource" in call.arguments:
        found = named(call, world.resources.values(), lambda each: each.name, 5007, "The cluster resource", "Resource")
        resources += found
    lists = [OwnerList(group.name, "ClusterGroup", group.preferred_owners) for group in groups]
    everyone = tuple(world.hosts)
    lists += [OwnerList(each.name, "ClusterResource", each.possible_owners or everyone) for each in resources]
    return [shapes.OWNERS.make(call.scope, each) for each in lists]


@answers("Get-ClusterNetwork")
def get_network(call: Invocation) -> Iterable[PsValue]:
    found: list[Network] = named(
        call, call.world.networks.values(), lambda each: each.name, 5045, "The cluster network"
    )
    return [shapes.NETWORK.make(call.scope, network) for network in found]


@answers("Get-ClusterNetworkInterface")
def get_network_interface(call: Invocation) -> Iterable[PsValue]:
    return [shapes.INTERFACE.make(call.scope, interface) for interface in shapes.interfaces(call.world)]


@answers("Get-ClusterSharedVolume")
def get_shared_volume(call: Invocation) -> Iterable[PsValue]:
    found: list[Volume] = named(
        call, call.world.volumes.values(), lambda each: each.name, 5007, "The cluster shared volume"
    )
    return [shapes.VOLUME.make(call.scope, volume) for volume in found]


@answers("Get-ClusterSharedVolumeState")
def get_shared_volume_state(call: Invocation) -> Iterable[PsValue]:
    found = named(call, call.world.volumes.values(), lambda each: each.name, 5007, "The cluster shared volume")
    nodes = [host.name for host in call.world.hosts.values() if host.state.value != "Down"]
    wanted = call.texts("Node")
    for volume in found:
        for node in nodes:
            if wanted is None or any(matches(pattern, node) for pattern in wanted):
                yield shapes.VOLUME_STATE.make(call.scope, VolumeOnNode(volume, node))


@answers("Get-ClusterQuorum")
def get_quorum(call: Invocation) -> Iterable[PsValue]:
    return [shapes.QUORUM.make(call.scope, ClusterRoot(call.world))]


@answers("Get-ClusterAccess")
def get_access(call: Invocation) -> Iterable[PsValue]:
    patterns = call.texts("User") or ["*"]
    return [
        shapes.ACCESS.make(call.scope, rule)
        for rule in call.world.facts.access
        if any(matches(pattern, rule.identity) for pattern in patterns)
    ]


def _instances(call: Invocation, shape: CimShape[Any]) -> Iterable[PsValue]:
    """Cmdlets that are made of a WMI class, with -Name."""
    patterns = call.texts("Name") or call.texts("FriendlyName") or ["*"]
    names = "FriendlyName" if "FriendlyName" in shape.types else "Name"
    return [
        instance
        for instance in cim.instances_of(call.scope, shape)
        if any(matches(pattern, str(instance.properties[names])) for pattern in patterns)
    ]


@answers("Get-ClusterAffinityRule")
def get_affinity_rule(call: Invocation) -> Iterable[PsValue]:
    return _instances(call, cim_cluster.RULE)


@answers("Get-ClusterFaultDomain")
def get_fault_domain(call: Invocation) -> Iterable[PsValue]:
    return _instances(call, cim_cluster.FAULT_DOMAIN)


@answers("Get-VirtualDisk")
def get_virtual_disk(call: Invocation) -> Iterable[PsValue]:
    return _instances(call, cim_cluster.VIRTUAL_DISK)


@answers("Get-StorageJob")
def get_storage_job(call: Invocation) -> Iterable[PsValue]:
    return _instances(call, cim_cluster.STORAGE_JOB)
