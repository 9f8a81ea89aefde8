"""What WMI tells about the cluster, on any node: ``root/MSCluster``; and the storage below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from console.lab import surface
from console.lab.cmdlets import shapes
from console.lab.cmdlets.cim import provides
from console.lab.cmdlets.invocation import Scope
from console.lab.cmdlets.objects import CimShape
from console.lab.cmdlets.shapes import ClusterRoot, Interface, group_flags, node_flags
from console.lab.world import facts_storage, progress
from console.lab.world.build import RULE_NUMBERS
from console.lab.world.facts_storage import StorageJob, VirtualDisk
from console.lab.world.state import AffinityRule, Group, Host, Network, Resource
from console.lab.world.world import CLUSTER_DEFAULTS
from console.model.units import UNSET

MSCLUSTER, STORAGE = "root/mscluster", "root/microsoft/windows/storage"


def number(enumeration: str, name: str) -> int:
    """A reflected enumeration's number: WMI and the cmdlets count alike; unknown is -1, all ones in WMI."""
    return (surface.enumeration(enumeration) or {}).get(name, -1)


def _setting(name: str) -> Callable[[Scope, Any], object]:
    return lambda scope, _: scope.world.settings[name]


_CLUSTER_FACTS = surface.cim_class(MSCLUSTER, "MSCluster_Cluster")

CLUSTER: CimShape[ClusterRoot] = CimShape(
    MSCLUSTER,
    "MSCluster_Cluster",
    {
        "Name": lambda s, _: s.world.scenario.cluster,
        "Fqdn": lambda s, _: f"{s.world.scenario.cluster}.{s.world.scenario.domain}",
        "AdminAccessPoint": lambda s, _: number(
            "AdminAccessPoint", "Dns" if s.world.scenario.workgroup else "ActiveDirectoryAndDns"
        ),
        "MaxNumberOfNodes": lambda _, c: 64,
        "DynamicQuorumEnabled": _setting("DynamicQuorum"),
        "SharedVolumesRoot": lambda _, c: "C:\\ClusterStorage",
        **{name: _setting(name) for name in CLUSTER_DEFAULTS if _CLUSTER_FACTS and name in _CLUSTER_FACTS.properties},
    },
)


@provides(CLUSTER)
def _clusters(scope: Scope) -> Iterable[ClusterRoot]:
    return [ClusterRoot(scope.world)]


def _drain_target(scope: Scope, host: Host) -> str | None:
    wanted = host.drain_target
    return (
        None
        if wanted == UNSET
        else next((other.name for other in scope.world.hosts.values() if other.node_id == wanted), None)
    )


NODE: CimShape[Host] = CimShape(
    MSCLUSTER,
    "MSCluster_Node",
    {
        "Name": lambda _, h: h.name,
        "Id": lambda _, h: str(h.node_id),
        "State": lambda _, h: number("ClusterNodeState", h.state.value),
        "NodeDrainStatus": lambda _, h: number("ClusterNodeDrainStatus", h.drain_status.value),
        "NodeFailbackStatus": lambda _, h: number("ClusterNodeFailbackStatus", h.failback_status.value),
        "NodeDrainTarget": _drain_target,
        "DrainErrorCode": lambda _, h: h.drain_error,
        "StatusInformation": lambda _, h: node_flags(h),
        "BuildNumber": lambda _, h: h.build,
        "MajorVersion": lambda _, h: 10,
        "MinorVersion": lambda _, h: 0,
        "NodeHighestVersion": lambda _, h: shapes.highest_version(h),
        "NodeLowestVersion": lambda _, h: shapes.highest_version(h),
        "NodeWeight": lambda _, h: 1,
        "DynamicWeight": lambda _, h: 0 if h.state.value == "Down" else 1,
        "FaultDomain": lambda _, h: [f"Site:{h.site}"] if h.site else [],
    },
)


@provides(NODE)
def _nodes(scope: Scope) -> Iterable[Host]:
    return scope.world.hosts.values()


GROUP: CimShape[Group] = CimShape(
    MSCLUSTER,
    "MSCluster_ResourceGroup",
    {
        "Name": lambda _, g: g.name,
        "Id": lambda _, g: str(g.id),
        "Description": lambda _, g: g.description,
        "GroupType": lambda _, g: number("GroupType", g.kind),
        "OwnerNode": lambda _, g: g.owner,
        "State": lambda _, g: number("ClusterGroupState", g.state.value),
        "StatusInformation": lambda _, g: group_flags(g),
        "IsCore": lambda _, g: g.core,
        "Priority": lambda _, g: g.priority,
        "PersistentState": lambda _, g: g.state.value != "Offline",
        "AntiAffinityClassNames": lambda _, g: list(g.anti_affinity),
        "AutoFailbackType": lambda _, g: g.auto_failback,
        "FailbackWindowStart": lambda _, g: -1,
        "FailbackWindowEnd": lambda _, g: -1,
        "FailoverPeriod": lambda _, g: 6,
        "FailoverThreshold": lambda _, g: UNSET,
        "DefaultOwner": lambda _, g: UNSET,
        "LockedFromMoving": lambda _, g: int(g.locked),
    },
)


@provides(GROUP, lambda group: group.name)
def _groups(scope: Scope) -> Iterable[Group]:
    return scope.world.groups.values()


RESOURCE: CimShape[Resource] = CimShape(
    MSCLUSTER,
    "MSCluster_Resource",
    {
        "Name": lambda _, r: r.name,
        "Id": lambda _, r: str(r.id),
        "Type": lambda _, r: r.kind,
        "OwnerGroup": lambda s, r: s.world.groups[r.group].name,
        "OwnerNode": lambda s, r: shapes.resource_owner(s.world, r),
        "State": lambda s, r: number("ClusterResourceState", progress.resource_state(s.world, r)),
        "StatusInformation": lambda _, r: 0,
        "CoreResource": lambda _, r: r.core,
        "LastOperationStatusCode": lambda _, r: r.last_operation_status,
        "ResourceSpecificData1": lambda s, r: progress.resource_specific_data(s.world, r),
        "ResourceSpecificData2": lambda _, r: 0,
        "ResourceSpecificStatus": lambda _, r: "",
        "PersistentState": lambda _, r: True,
        "PendingTimeout": lambda _, r: 180000,
        "DeadlockTimeout": lambda _, r: 300000,
        "MonitorProcessId": lambda _, r: 4312,
        "RestartAction": lambda _, r: 2,
    },
)


@provides(RESOURCE, lambda resource: resource.name)
def _resources(scope: Scope) -> Iterable[Resource]:
    return scope.world.resources.values()


NETWORK: CimShape[Network] = CimShape(
    MSCLUSTER,
    "MSCluster_Network",
    {
        "Name": lambda _, n: n.name,
        "Id": lambda _, n: str(n.id),
        "Role": lambda _, n: number("ClusterNetworkRole", n.role),
        "State": lambda _, n: number("ClusterNetworkState", n.state),
        "Metric": lambda _, n: n.metric,
        "AutoMetric": lambda _, n: True,
        "Address": lambda _, n: n.address,
        "AddressMask": lambda _, n: shapes.mask(n),
        "IPv4Addresses": lambda _, n: [n.address],
        "IPv4PrefixLengths": lambda _, n: [str(n.prefix)],
    },
)


@provides(NETWORK)
def _networks(scope: Scope) -> Iterable[Network]:
    return scope.world.networks.values()


INTERFACE: CimShape[Interface] = CimShape(
    MSCLUSTER,
    "MSCluster_NetworkInterface",
    {
        "Name": lambda _, i: f"{i.node} - {i.adapter}",
        "Node": lambda _, i: i.node,
        "SystemName": lambda _, i: i.node,
        "Network": lambda _, i: i.network,
        "Adapter": lambda _, i: i.adapter,
        "Address": lambda _, i: i.address,
        "IPv4Addresses": lambda _, i: [i.address],
        "State": lambda _, i: number("ClusterNetworkInterfaceState", "Up" if i.up else "Unreachable"),
    },
)


@provides(INTERFACE)
def _interfaces(scope: Scope) -> Iterable[Interface]:
    return shapes.interfaces(scope.world)


_RULE_NAMES = {each: name for name, each in RULE_NUMBERS.items()}

RULE: CimShape[AffinityRule] = CimShape(
    MSCLUSTER,
    "MSCluster_AffinityRule",
    {
        "Name": lambda _, r: r.name,
        "RuleType": lambda _, r: number("RuleType", _RULE_NAMES[r.kind]),
        "Enabled": lambda _, r: int(r.enabled),
        "Groups": lambda _, r: list(r.groups),
    },
)


@provides(RULE)
def _rules(scope: Scope) -> Iterable[AffinityRule]:
    return scope.world.rules


@dataclass(frozen=True, slots=True)
class Domain:
    """A site, or a node in one."""

    name: str
    kind: str


FAULT_DOMAIN: CimShape[Domain] = CimShape(
    MSCLUSTER,
    "MSCluster_FaultDomain",
    {
        "Name": lambda _, d: d.name,
        "Id": lambda _, d: d.name,
        "Type": lambda _, d: surface.value("MSCluster_FaultDomain", "Type", d.kind),
        "Description": lambda _, d: "",
        "Location": lambda _, d: "",
    },
)


@provides(FAULT_DOMAIN)
def _domains(scope: Scope) -> Iterable[Domain]:
    hosts = scope.world.hosts.values()
    sites = sorted({host.site for host in hosts if host.site})
    return [*(Domain(site, "Site") for site in sites), *(Domain(host.name, "Node") for host in hosts)]


VIRTUAL_DISK: CimShape[VirtualDisk] = CimShape(
    STORAGE,
    "MSFT_VirtualDisk",
    {
        "FriendlyName": lambda _, d: d.name,
        "Name": lambda _, d: d.name,
        "Size": lambda _, d: d.size_bytes,
        "ResiliencySettingName": lambda _, d: "Mirror",
        "HealthStatus": lambda _, d: surface.value("MSFT_VirtualDisk", "HealthStatus", d.health),
        "OperationalStatus": lambda _, d: [
            surface.value("MSFT_VirtualDisk", "OperationalStatus", name) for name in d.statuses
        ],
    },
)


@provides(VIRTUAL_DISK)
def _virtual_disks(scope: Scope) -> Iterable[VirtualDisk]:
    return facts_storage.virtual_disks(scope.world)


STORAGE_JOB: CimShape[StorageJob] = CimShape(
    STORAGE,
    "MSFT_StorageJob",
    {
        "Name": lambda _, j: j.name,
        "JobState": lambda _, j: surface.value("MSFT_StorageJob", "JobState", "Running"),
        "PercentComplete": lambda _, j: round(100 * j.done_bytes / j.total_bytes),
        "BytesProcessed": lambda _, j: j.done_bytes,
        "BytesTotal": lambda _, j: j.total_bytes,
        "IsBackgroundTask": lambda _, j: True,
    },
)


@provides(STORAGE_JOB)
def _storage_jobs(scope: Scope) -> Iterable[StorageJob]:
    return facts_storage.storage_jobs(scope.world)
