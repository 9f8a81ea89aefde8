"""How cluster things look as PowerShell objects: one table a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.lab import surface
from console.lab.cmdlets.invocation import Scope
from console.lab.cmdlets.objects import Getter, Shape, reference
from console.lab.engine import PsEnum, PsObject, PsStringCollection
from console.lab.world import progress
from console.lab.world.facts import AccessRule
from console.lab.world.state import DrainStatus, Group, Host, Network, NodeState, Resource, Volume
from console.lab.world.world import CLUSTER_DEFAULTS, World
from console.model.units import UNSET

FAILOVER = "FailoverClusters"
FUNCTIONAL_LEVELS = {17763: 10, 20348: 11, 26100: 12}
"""Cluster functional level by build; the one of Windows Server 2025 is not documented and assumed to go on counting."""


@dataclass(frozen=True, slots=True)
class ClusterRoot:
    """The cluster itself, as a thing that cmdlets pipe."""

    world: World


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type; only Virtual Machine has parameters here."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnerList:
    """Get-ClusterOwnerNode's answer."""

    subject: str
    class_name: str
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A private property of a cluster object."""

    subject: str
    class_name: str
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class VolumeOnNode:
    volume: Volume
    node: str


@dataclass(frozen=True, slots=True)
class Interface:
    """One adapter of one node on one cluster network."""

    node: str
    network: str
    adapter: str
    address: str
    up: bool


def node_reference(name: str) -> PsObject:
    return reference(FAILOVER, "ClusterNode", name)


def _cluster(scope: Scope, _: object) -> PsObject:
    return reference(FAILOVER, "Cluster", scope.world.scenario.cluster)


def flag(enumeration: str, name: str) -> int:
    """One bit of a flags enumeration; 0 where the data do not know it."""
    return (surface.enumeration(enumeration) or {}).get(name, 0)


_DRAIN_FLAGS = {
    DrainStatus.IN_PROGRESS: "DrainInProgress",
    DrainStatus.COMPLETED: "DrainCompleted",
    DrainStatus.FAILED: "DrainFailed",
}


def node_flags(host: Host) -> int:
    """StatusInformation: the drain's bits beside the host's own."""
    name = _DRAIN_FLAGS.get(host.drain_status)
    return host.flags | (flag("ClusterNodeStatusInformation", name) if name else 0)


def group_flags(group: Group) -> int:
    """StatusInformation of a group: locked, queued, and whatever a fault set."""
    locked = flag("ClusterApplicationStatusInformation", "Locked") if group.locked else 0
    queued = flag("ClusterApplicationStatusInformation", "Queued") if group.queued else 0
    return locked | queued | group.extra_flags


def _setting(name: str) -> Getter:
    return lambda scope, _: None if name in scope.world.scenario.absent_settings else scope.world.settings[name]


def highest_version(host: Host) -> int:
    return FUNCTIONAL_LEVELS.get(host.build, 12) << 16 | 8


def _witness_weight(scope: Scope, _: object) -> int:
    """Dynamic quorum lets the witness vote where the nodes' votes are even."""
    votes = sum(1 for host in scope.world.hosts.values() if host.state is not NodeState.DOWN)
    return int(bool(scope.world.facts.witness) and votes % 2 == 0)


CLUSTER: Shape[ClusterRoot] = Shape(
    "Cluster",
    {
        "Name": lambda s, _: s.world.scenario.cluster,
        "Domain": lambda s, _: "" if s.world.scenario.workgroup else s.world.scenario.domain,
        "Id": lambda s, _: str(s.world.cluster_id),
        "AdministrativeAccessPoint": lambda s, _: "Dns" if s.world.scenario.workgroup else "ActiveDirectoryAndDns",
        "SharedVolumesRoot": lambda s, _: "C:\\ClusterStorage",
        "WitnessDynamicWeight": _witness_weight,
        **{name: _setting(name) for name in CLUSTER_DEFAULTS},
    },
    text=lambda root: root.world.scenario.cluster,
)  # fmt: skip

NODE: Shape[Host] = Shape(
    "ClusterNode",
    {
        "Name": lambda _, h: h.name,
        "NodeName": lambda _, h: h.name,
        "Id": lambda _, h: str(h.node_id),
        "State": lambda _, h: h.state.value,
        "DrainStatus": lambda _, h: h.drain_status.value,
        "DrainTarget": lambda _, h: h.drain_target,
        "DrainErrorCode": lambda _, h: h.drain_error,
        "FailbackStatus": lambda _, h: h.failback_status.value,
        "StatusInformation": lambda _, h: node_flags(h),
        "BuildNumber": lambda _, h: h.build,
        "MajorVersion": lambda _, h: 10,
        "NodeHighestVersion": lambda _, h: highest_version(h),
        "NodeLowestVersion": lambda _, h: highest_version(h),
        "NodeWeight": lambda _, h: 1,
        "DynamicWeight": lambda _, h: 0 if h.state is NodeState.DOWN else 1,
        "FaultDomain": lambda _, h: PsStringCollection((f"Site:{h.site}",) if h.site else ()),
        "Manufacturer": lambda _, h: "Lab Systems",
        "Model": lambda _, h: "Simulated R760",
        "SerialNumber": lambda _, h: f"SIM{h.node_id:05d}",
        "HyperthreadingEnabled": lambda _, h: 1,
        "Cluster": _cluster,
    },
    text=lambda host: host.name,
)

GROUP: Shape[Group] = Shape(
    "ClusterGroup",
    {
        "Name": lambda _, g: g.name,
        "Id": lambda _, g: str(g.id),
        "Description": lambda _, g: g.description,
        "OwnerNode": lambda _, g: node_reference(g.owner),
        "GroupType": lambda _, g: g.kind,
        "State": lambda _, g: g.state.value,
        "StatusInformation": lambda _, g: group_flags(g),
        "IsCoreGroup": lambda _, g: g.core,
        "Priority": lambda _, g: g.priority,
        "PersistentState": lambda _, g: 0 if g.state.value == "Offline" else 1,
        "AntiAffinityClassNames": lambda _, g: PsStringCollection(g.anti_affinity),
        "AutoFailbackType": lambda _, g: g.auto_failback,
        "FailbackWindowStart": lambda _, g: UNSET,
        "FailbackWindowEnd": lambda _, g: UNSET,
        "FailoverPeriod": lambda _, g: 6,
        "FailoverThreshold": lambda _, g: UNSET,
        "DefaultOwner": lambda _, g: UNSET,
        "LockedFromMoving": lambda _, g: int(g.locked),
        "Cluster": _cluster,
    },
    text=lambda group: group.name,
)


def _owner_group(scope: Scope, resource: Resource) -> PsObject:
    return reference(FAILOVER, "ClusterGroup", scope.world.groups[resource.group].name)


def resource_owner(world: World, resource: Resource) -> str:
    return world.groups[resource.group].owner


RESOURCE: Shape[Resource] = Shape(
    "ClusterResource",
    {
        "Name": lambda _, r: r.name,
        "Id": lambda _, r: str(r.id),
        "OwnerGroup": _owner_group,
        "OwnerNode": lambda s, r: node_reference(resource_owner(s.world, r)),
        "ResourceType": lambda _, r: reference(FAILOVER, "ClusterResourceType", r.kind),
        "State": lambda s, r: progress.resource_state(s.world, r),
        "IsCoreResource": lambda _, r: r.core,
        "LastOperationStatusCode": lambda _, r: r.last_operation_status,
        "ResourceSpecificData1": lambda s, r: progress.resource_specific_data(s.world, r),
        "PersistentState": lambda _, r: 1,
        "PendingTimeout": lambda _, r: 180000,
        "DeadlockTimeout": lambda _, r: 300000,
        "MonitorProcessId": lambda _, r: 4312,
        "RestartAction": lambda _, r: 2,
        "Cluster": _cluster,
    },
    text=lambda resource: resource.name,
)

RESOURCE_TYPE: Shape[ResourceType] = Shape(
    "ClusterResourceType",
    {
        "Name": lambda _, t: t.name,
        "DisplayName": lambda _, t: t.name,
        "DllName": lambda _, t: "vmclusres.dll" if t.name.startswith("Virtual Machine") else "clusres.dll",
        "PendingTimeout": lambda _, t: 180000,
        "DeadlockTimeout": lambda _, t: 300000,
        "Cluster": _cluster,
    },
    text=lambda kind: kind.name,
)

PARAMETER: Shape[Parameter] = Shape(
    "ClusterParameter",
    {
        "ClusterObject": lambda _, p: reference(FAILOVER, p.class_name, p.subject),
        "Name": lambda _, p: p.name,
        "Value": lambda _, p: p.value,
        "ParameterType": lambda _, p: "String" if isinstance(p.value, str) else "UInt32",
        "IsReadOnly": lambda _, p: False,
    },
    text=lambda parameter: parameter.name,
)

OWNERS: Shape[OwnerList] = Shape(
    "ClusterOwnerNodeList",
    {
        "ClusterObject": lambda _, o: reference(FAILOVER, o.class_name, o.subject),
        "OwnerNodes": lambda _, o: [node_reference(name) for name in o.owners],
    },
    text=lambda owners: "Microsoft.FailoverClusters.PowerShell.ClusterOwnerNodeList",
)


def mask(network: Network) -> str:
    bits = (0xFFFFFFFF << (32 - network.prefix)) & 0xFFFFFFFF
    return ".".join(str(bits >> shift & 255) for shift in (24, 16, 8, 0))


NETWORK: Shape[Network] = Shape(
    "ClusterNetwork",
    {
        "Name": lambda _, n: n.name,
        "Id": lambda _, n: str(n.id),
        "Role": lambda _, n: n.role,
        "State": lambda _, n: n.state,
        "Metric": lambda _, n: n.metric,
        "AutoMetric": lambda _, n: True,
        "Address": lambda _, n: n.address,
        "AddressMask": lambda _, n: mask(n),
        "Ipv4Addresses": lambda _, n: PsStringCollection((n.address,)),
        "Ipv4PrefixLengths": lambda _, n: PsStringCollection((str(n.prefix),)),
        "Cluster": _cluster,
    },
    text=lambda network: network.name,
)


def interfaces(world: World) -> Iterator[Interface]:
    """Every node's adapters on the cluster's networks."""
    for host in world.hosts.values():
        for adapter in host.adapters:
            up = adapter.up and host.state is not NodeState.DOWN
            yield Interface(host.name, adapter.network, adapter.description, adapter.address, up)


INTERFACE: Shape[Interface] = Shape(
    "ClusterNetworkInterface",
    {
        "Name": lambda _, i: f"{i.node} - {i.adapter}",
        "Node": lambda _, i: i.node,
        "Network": lambda _, i: reference(FAILOVER, "ClusterNetwork", i.network),
        "Adapter": lambda _, i: i.adapter,
        "Address": lambda _, i: i.address,
        "State": lambda _, i: "Up" if i.up else "Unreachable",
        "Cluster": _cluster,
    },
    text=lambda interface: f"{interface.node} - {interface.adapter}",
)

VOLUME: Shape[Volume] = Shape(
    "ClusterSharedVolume",
    {
        "Name": lambda _, v: v.name,
        "Id": lambda _, v: str(v.id),
        "OwnerNode": lambda _, v: node_reference(v.coordinator),
        "State": lambda _, v: "Online",
    },
    text=lambda volume: volume.name,
)

VOLUME_STATE: Shape[VolumeOnNode] = Shape(
    "ClusterSharedVolumeStateInfo",
    {
        "Name": lambda _, v: v.volume.name,
        "Node": lambda _, v: v.node,
        "StateInfo": lambda _, v: v.volume.state_by_node.get(v.node, "Direct"),
        "VolumeFriendlyName": lambda _, v: v.volume.path.rpartition("\\")[2],
        "VolumeName": lambda _, v: f"\\\\?\\Volume{{{v.volume.id}}}\\",
        "FileSystemRedirectedIOReason": lambda _, v: 1 if _state(v) == "FileSystemRedirected" else 0,
        "BlockRedirectedIOReason": lambda _, v: 1 if _state(v) == "BlockRedirected" else 0,
    },
    text=lambda state: "Microsoft.FailoverClusters.PowerShell.ClusterSharedVolumeStateInfo",
)


def _state(view: VolumeOnNode) -> str:
    return view.volume.state_by_node.get(view.node, "Direct")


def _witness(scope: Scope, _: object) -> PsObject | None:
    name = scope.world.facts.witness
    return reference(FAILOVER, "ClusterResource", name) if name else None


QUORUM: Shape[ClusterRoot] = Shape(
    "ClusterQuorumSettings",
    {
        "Cluster": _cluster,
        "QuorumResource": _witness,
        "QuorumType": lambda _, c: "Majority",
    },
    text=lambda root: "Microsoft.FailoverClusters.PowerShell.ClusterQuorumSettings",
)

ACCESS: Shape[AccessRule] = Shape(
    "ClusterAccessRule",
    {
        "Cluster": _cluster,
        "IdentityReference": lambda _, r: PsObject(
            ("System.Security.Principal.NTAccount", "System.Object"), {"Value": r.identity}, r.identity
        ),
        "AccessControlType": lambda _, r: PsEnum("System.Security.AccessControl.AccessControlType", 0, "Allow"),
        "ClusterRights": lambda _, r: r.rights,
    },
    text=lambda rule: "Microsoft.FailoverClusters.PowerShell.ClusterAccessRule",
)
