"""Cluster-wide rows into facts. Property names: reflected FailoverClusters module, and WMI root/mscluster."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeVar

from console.model.cluster import (
    AffinityRule,
    ClusterNetwork,
    ClusterSettings,
    Contact,
    DrainStatus,
    GroupFlags,
    GroupState,
    Host,
    NetworkInterface,
    NetworkRole,
    NodeFlags,
    NodeState,
)
from console.model.identity import HostName, RoleName, VmId
from console.windows.commands import Row

from .values import Problems, Reader, guid_of

T = TypeVar("T")

VM_GROUP_TYPE = 111
"""GroupType.VirtualMachine."""
UNKNOWN_GROUP_TYPE = 9999
"""GroupType.Unknown."""


class NetworkState(IntEnum):
    """ClusterNetworkState."""

    UNKNOWN = -1
    UNAVAILABLE = 0
    DOWN = 1
    PARTITIONED = 2
    UP = 3


class InterfaceState(IntEnum):
    """ClusterNetworkInterfaceState."""

    UNKNOWN = -1
    UNAVAILABLE = 0
    FAILED = 1
    UNREACHABLE = 2
    UP = 3


@dataclass(frozen=True, slots=True)
class Group:
    """A cluster group, before it is known which VM it belongs to."""

    name: RoleName
    id: str | None
    group_type: int | None
    state: GroupState
    flags: GroupFlags
    owner: HostName | None
    core: bool
    priority: int | None
    auto_failback: bool | None
    anti_affinity: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """A cluster resource."""

    name: str
    group: RoleName | None
    type_name: str | None
    owner: HostName | None
    state: int | None
    """ClusterResourceState: 2 online, 3 offline, 4 failed, 128 to 130 pending."""
    last_status: int | None
    """LastOperationStatusCode."""
    data: int | None
    """ResourceSpecificData1; of a VM's resource the operational status and the percentage of a move."""


@dataclass(frozen=True, slots=True)
class VmParameters:
    """The private properties of a VM's resource."""

    vm: VmId | None = None
    default_move_type: int | None = None


@dataclass(frozen=True, slots=True)
class MigrationRules:
    """The private properties of the resource type "Virtual Machine"."""

    excluded_networks: frozenset[str] | None = None
    """Network GUIDs."""
    network_order: tuple[str, ...] | None = None
    move_type_threshold: int | None = None


def settings(rows: Sequence[Row], problems: Problems) -> tuple[str | None, ClusterSettings]:
    """The cluster's name and its settings (Get-Cluster)."""
    if not rows:
        problems.add("the cluster", "was not told")
        return None, ClusterSettings()
    read = Reader(rows[0], problems)
    return read.name("Name"), ClusterSettings(
        maximum_parallel_migrations=read.size("MaximumParallelMigrations", nullable=True),
        set_smb_bandwidth_limit=read.size("SetSMBBandwidthLimit", nullable=True),
        smb_bandwidth_limit_factor=read.size("SMBBandwidthLimitFactor", nullable=True),
        auto_balancer_mode=read.size("AutoBalancerMode"),
        auto_balancer_level=read.size("AutoBalancerLevel"),
        functional_level=read.size("ClusterFunctionalLevel"),
        enforced_anti_affinity=read.truth("ClusterEnforcedAntiAffinity"),
        s2d_enabled=read.truth("S2DEnabled"),
        domain=read.text("Domain", nullable=True),
        dynamic_quorum=read.truth("DynamicQuorum", nullable=True),
        witness_weight=read.size("WitnessDynamicWeight", nullable=True),
        has_migration_controls=_has_controls(rows[0]),
    )


def _has_controls(row: Row) -> bool | None:
    """Select-Object writes a property that the module does not know as null; one that did not come is unknown."""
    names = ("MaximumParallelMigrations", "SetSMBBandwidthLimit", "SMBBandwidthLimitFactor")
    if any(name not in row for name in names):
        return None
    values = [row[name] for name in names]
    return False if values == [None] * 3 else True if None not in values else None


def nodes(rows: Sequence[Row], problems: Problems) -> tuple[Host, ...]:
    """The nodes as the cluster knows them; their own sessions have told nothing yet (Get-ClusterNode)."""
    return tuple(host for row in rows if (host := _node(Reader(row, problems))) is not None)


def _node(read: Reader) -> Host | None:
    name = read.name("Name")
    if name is None:
        return None
    domains, highest = read.names("FaultDomain"), read.size("NodeHighestVersion")
    return Host(
        name=HostName(name),
        contact=Contact.NEVER,
        read_at=None,
        node_id=read.integer("Id"),
        state=_or(read.enum("State", NodeState), NodeState.UNKNOWN),
        drain_status=read.enum("DrainStatus", DrainStatus),
        flags=_or(read.flags("StatusInformation", NodeFlags), NodeFlags.NORMAL),
        build=read.size("BuildNumber"),
        fault_domain="/".join(domains) if domains else None,
        node_weight=read.size("NodeWeight"),
        dynamic_weight=read.size("DynamicWeight"),
        highest_level=None if highest is None else highest >> 16,
    )


def groups(rows: Sequence[Row], problems: Problems) -> tuple[Group, ...]:
    """Get-ClusterGroup; WMI rows (IsCore, no Priority) are read by :func:`groups_in_flight`."""
    return tuple(group for row in rows if (group := _group(Reader(row, problems))) is not None)


def _group(read: Reader) -> Group | None:
    name = read.name("Name")
    if name is None:
        return None
    flags = _or(read.flags("StatusInformation", GroupFlags), GroupFlags.NONE)
    if read.truth("LockedFromMoving"):
        flags |= GroupFlags.LOCKED
    failback = read.integer("AutoFailbackType")
    return Group(
        name=RoleName(name),
        id=read.guid("Id"),
        group_type=read.number("GroupType"),
        state=_or(read.enum("State", GroupState), GroupState.UNKNOWN),
        flags=flags,
        owner=_host(read.name("OwnerNode")),
        core=bool(read.truth("IsCoreGroup")),
        priority=read.size("Priority"),
        auto_failback=None if failback is None else failback != 0,
        anti_affinity=read.names("AntiAffinityClassNames") or (),
    )


@dataclass(frozen=True, slots=True)
class RoleState:
    """Where a role is, as WMI tells it while a move is on."""

    name: RoleName
    owner: HostName | None
    state: GroupState
    flags: GroupFlags


def groups_in_flight(rows: Sequence[Row], problems: Problems) -> tuple[RoleState, ...]:
    """MSCluster_ResourceGroup."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        if (name := read.name("Name")) is not None:
            found.append(
                RoleState(
                    name=RoleName(name),
                    owner=_host(read.name("OwnerNode")),
                    state=_or(read.enum("State", GroupState), GroupState.UNKNOWN),
                    flags=_or(read.flags("StatusInformation", GroupFlags), GroupFlags.NONE),
                )
            )
    return tuple(found)


def resources(rows: Sequence[Row], problems: Problems) -> tuple[Resource, ...]:
    """Get-ClusterResource, or MSCluster_Resource, which names its type differently and is not asked for it."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        if (name := read.name("Name")) is None:
            continue
        group = read.name("OwnerGroup")
        found.append(
            Resource(
                name=name,
                group=None if group is None else RoleName(group),
                type_name=read.name("ResourceType") if "ResourceType" in row else None,
                owner=_host(read.name("OwnerNode")),
                state=read.number("State"),
                last_status=read.size("LastOperationStatusCode", nullable=True),
                data=read.size("ResourceSpecificData1", nullable=True),
            )
        )
    return tuple(found)


def vm_parameters(rows: Sequence[Row], problems: Problems) -> dict[str, VmParameters]:
    """By the resource's name; one row a parameter (Get-ClusterParameter -Name VmId, DefaultMoveType)."""
    ids: dict[str, VmId | None] = {}
    move_types: dict[str, int | None] = {}
    for row in rows:
        read = Reader(row, problems)
        resource, name = read.name("ClusterObject"), read.text("Name")
        if resource is None or name is None:
            continue
        if name.lower() == "vmid":
            ids[resource] = read.vm_id("Value")
        elif name.lower() == "defaultmovetype":
            move_types[resource] = read.size("Value")
    return {name: VmParameters(ids.get(name), move_types.get(name)) for name in {**ids, **move_types}}


def migration_rules(rows: Sequence[Row], problems: Problems) -> MigrationRules:
    """The network lists are network GUIDs joined by semicolons; empty follows the metric."""
    values: dict[str, Reader] = {}
    for row in rows:
        read = Reader(row, problems)
        if (name := read.text("Name")) is not None:
            values[name.lower()] = read
    excluded, order = (_guids(values.get(name)) for name in ("migrationexcludenetworks", "migrationnetworkorder"))
    threshold = values.get("movetypethreshold")
    return MigrationRules(
        excluded_networks=None if excluded is None else frozenset(excluded),
        network_order=order,
        move_type_threshold=None if threshold is None else threshold.size("Value"),
    )


def _guids(read: Reader | None) -> tuple[str, ...] | None:
    text = None if read is None else read.text("Value", nullable=True)
    if text is None:
        return None
    return tuple(guid for part in text.split(";") if (guid := guid_of(part)) is not None)


def networks(rows: Sequence[Row], rules: MigrationRules, problems: Problems) -> tuple[ClusterNetwork, ...]:
    """Get-ClusterNetwork, with what the migration rules say about each."""
    return tuple(network for row in rows if (network := _network(Reader(row, problems), rules)) is not None)


def _network(read: Reader, rules: MigrationRules) -> ClusterNetwork | None:
    name, id = read.name("Name"), read.guid("Id")
    if name is None:
        return None
    state = read.enum("State", NetworkState)
    excluded, order = rules.excluded_networks, rules.network_order
    return ClusterNetwork(
        name=name,
        id=id or "",
        role=read.enum("Role", NetworkRole),
        up=None if state in (None, NetworkState.UNKNOWN) else state is NetworkState.UP,
        metric=read.size("Metric"),
        subnet=_subnet(read.text("Address", nullable=True), read.text("AddressMask", nullable=True)),
        migration_excluded=None if excluded is None or id is None else id in excluded,
        migration_order=order.index(id) if order and id in order else None,
    )


def _subnet(address: str | None, mask: str | None) -> str | None:
    """ "10.0.1.0", "255.255.255.0" as "10.0.1.0/24"."""
    if not address:
        return None
    try:
        return str(ipaddress.ip_network(f"{address}/{mask}" if mask else address, strict=False))
    except ValueError:
        return None


def interfaces(rows: Sequence[Row], problems: Problems) -> tuple[NetworkInterface, ...]:
    """Get-ClusterNetworkInterface."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        node, network = read.name("Node"), read.name("Network")
        state = read.enum("State", InterfaceState)
        if node is None or network is None:
            continue
        found.append(
            NetworkInterface(
                host=HostName(node),
                network=network,
                adapter=read.text("Adapter") or "",
                up=None if state in (None, InterfaceState.UNKNOWN) else state is InterfaceState.UP,
                address=read.text("Address", nullable=True) or None,
            )
        )
    return tuple(found)


def affinity_rules(rows: Sequence[Row], problems: Problems) -> tuple[AffinityRule, ...]:
    """MSCluster_AffinityRule; a rule whose kind or groups can not be read is left out and named as a problem."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        name, kind, enabled = read.text("Name"), read.integer("RuleType"), read.truth("Enabled")
        members = read.names("Groups")
        if name is not None and kind is not None and members is not None:
            found.append(AffinityRule(name, kind, enabled is not False, tuple(RoleName(member) for member in members)))
    return tuple(found)


def owners(rows: Sequence[Row], problems: Problems) -> dict[str, tuple[HostName, ...]]:
    """Owner nodes by the name of the resource or group they were asked for (Get-ClusterOwnerNode)."""
    found: dict[str, tuple[HostName, ...]] = {}
    for row in rows:
        read = Reader(row, problems)
        name, names = read.name("ClusterObject"), read.names("OwnerNodes")
        if name is not None and names is not None:
            found[name] = tuple(HostName(owner) for owner in names)
    return found


def with_rules(known: ClusterSettings, rules: MigrationRules) -> ClusterSettings:
    """The settings with the resource type's threshold among them."""
    return replace(known, move_type_threshold=rules.move_type_threshold)


def _host(name: str | None) -> HostName | None:
    return None if name is None else HostName(name)


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
