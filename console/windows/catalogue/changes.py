"""Everything that can change the world. None of it stops a workload that does not move cleanly."""

from __future__ import annotations

from console.model.identity import HostName, RoleName, VmId
from console.windows.commands import Call, Effect, Parameter, ParameterType

from .entry import (
    GUID,
    NODE_NAME,
    OBJECT_NAME,
    Entry,
    Fill,
    Privilege,
    Rows,
    ScriptStage,
    Source,
    Stage,
    number,
    select,
    switch,
    text,
)
from .leases import LEASE_NAME, LEASE_PROPERTIES_WRITTEN

_NODE_STATE = ("Name", "State", "DrainStatus")
_GROUP_STATE = ("Name", "OwnerNode", "State")


def _changes(
    id: str,
    says: str,
    *stages: Stage | ScriptStage,
    rows: Rows | None,
    function: str,
    deadline_s: float = 60.0,
) -> Entry:
    return Entry(
        id=id,
        says=says,
        effect=Effect.CHANGES,
        pipeline=(*stages, *(() if rows is None else (select(*rows.properties),))),
        rows=rows,
        privilege=Privilege.CLUSTER_FULL,
        source=Source.REFLECTED,
        constrained_function=function,
        deadline_s=deadline_s,
    )


_NO_QUESTION = switch("Confirm", on=False)
_NODE = Fill("Name", ParameterType.STRING, "Node", pattern=NODE_NAME)
_TARGET = Fill("Node", ParameterType.STRING, "Destination", pattern=NODE_NAME)
_AT_ONCE = number("Wait", 0)

PAUSE_NODE = _changes(
    "pause-node",
    "Pauses a node: nothing new lands on it, what runs stays.",
    Stage("Suspend-ClusterNode", (_NODE, _NO_QUESTION)),
    rows=Rows("ClusterNode", _NODE_STATE),
    function="Suspend-DrainboardNode",
)

DRAIN_NODE = _changes(
    "drain-node",
    "Starts the cluster's own drain of a node, or marks an empty paused node as drained.",
    Stage(
        "Suspend-ClusterNode",
        (
            _NODE,
            switch("Drain"),
            Fill("TargetNode", ParameterType.STRING, "TargetNode", optional=True, pattern=NODE_NAME),
            _NO_QUESTION,
        ),
    ),
    rows=Rows("ClusterNode", _NODE_STATE),
    function="Start-DrainboardDrain",
)

RESUME_NODE = _changes(
    "resume-node",
    "Resumes a node and brings nothing back to it.",
    Stage("Resume-ClusterNode", (_NODE, text("Failback", "NoFailback"))),
    rows=Rows("ClusterNode", _NODE_STATE),
    function="Resume-DrainboardNode",
)


def _move(id: str, says: str, kind: Parameter | None, function: str) -> Entry:
    vm = Fill("VMId", ParameterType.GUID, "VMId")
    parameters = (vm, _TARGET, *(() if kind is None else (kind,)), _AT_ONCE)
    return _changes(
        id,
        says,
        Stage("Move-ClusterVirtualMachineRole", parameters),
        rows=Rows("ClusterGroup", _GROUP_STATE),
        function=function,
    )


MOVE_VM_LIVE = _move(
    "move-vm-live",
    "Starts the live migration of a VM's role.",
    text("MigrationType", "Live"),
    "Move-DrainboardVMLive",
)

MOVE_VM_QUICK = _move(
    "move-vm-quick",
    "Saves a VM, moves its role and restores it: the guest stands still meanwhile.",
    text("MigrationType", "Quick"),
    "Move-DrainboardVMQuick",
)

MOVE_VM_STOPPED = _move(
    "move-vm-stopped",
    "Moves the role of a VM that is off or saved.",
    None,
    "Move-DrainboardVMStopped",
)

CANCEL_MOVE = _changes(
    "cancel-move",
    "Cancels the move of a VM's role.",
    Stage("Move-ClusterVirtualMachineRole", (Fill("VMId", ParameterType.GUID, "VMId"), switch("Cancel"))),
    rows=Rows("ClusterGroup", _GROUP_STATE),
    function="Stop-DrainboardMove",
)

MOVE_GROUP = _changes(
    "move-group",
    "Starts the move of a role that is not a VM's; on a VM's role it would save the VM.",
    Stage("Move-ClusterGroup", (Fill("Name", ParameterType.STRING, "Role", pattern=OBJECT_NAME), _TARGET, _AT_ONCE)),
    rows=Rows("ClusterGroup", _GROUP_STATE),
    function="Move-DrainboardGroup",
)

MOVE_SHARED_VOLUME = _changes(
    "move-shared-volume",
    "Moves the coordination of a shared volume; no data moves.",
    Stage(
        "Move-ClusterSharedVolume",
        (Fill("Name", ParameterType.STRING, "Volume", pattern=OBJECT_NAME), _TARGET, _AT_ONCE),
    ),
    rows=Rows("ClusterSharedVolume", _GROUP_STATE),
    function="Move-DrainboardSharedVolume",
)


def _setting(id: str, says: str, property: str, function: str, within: tuple[int, int] | None = None) -> Entry:
    return _changes(
        id,
        says,
        ScriptStage(
            f"param([uint32]$Value) (Get-Cluster).{property} = $Value",
            (Fill("Value", ParameterType.UINT32, "Value", within=within),),
        ),
        rows=None,
        function=function,
    )


SET_PARALLEL_MIGRATIONS = _setting(
    "set-parallel-migrations",
    "Sets how many live migrations a node may take part in at once.",
    "MaximumParallelMigrations",
    "Set-DrainboardParallelMigration",
)

SET_SMB_BANDWIDTH = _setting(
    "set-smb-bandwidth",
    "Sets the share of SMB bandwidth for live migration, in hundredths of a percent.",
    "SMBBandwidthLimitFactor",
    "Set-DrainboardSmbBandwidth",
)

SET_BALANCER = _setting(
    "set-balancer",
    "Sets when the cluster balances VMs by itself: 0 never, 1 when a node joins, 2 always.",
    "AutoBalancerMode",
    "Set-DrainboardBalancer",
    within=(0, 2),
)

_LEASE = Fill("Name", ParameterType.STRING, "Lease", pattern=LEASE_NAME)

CREATE_LEASE = _changes(
    "create-lease",
    "Creates the empty group that says which console works on a node; fails when it is there already.",
    Stage("Add-ClusterGroup", (_LEASE,)),
    rows=Rows("ClusterGroup", ("Name", "Id")),
    function="New-DrainboardLease",
)

SET_LEASE_PROPERTY = _changes(
    "set-lease-property",
    "Writes one private property on a lease.",
    Stage("Get-ClusterGroup", (_LEASE,)),
    Stage(
        "Set-ClusterParameter",
        (
            Fill("Name", ParameterType.STRING, "Property", allowed=LEASE_PROPERTIES_WRITTEN),
            Fill("Value", ParameterType.STRING, "Value", pattern=r"[^\x00-\x1f]{0,1024}", may_be_empty=True),
            switch("Create"),
        ),
    ),
    rows=None,
    function="Set-DrainboardLeaseProperty",
)

REMOVE_LEASE = _changes(
    "remove-lease",
    "Removes a lease, but only the very group whose id is given.",
    Stage("Get-ClusterGroup", (_LEASE,)),
    Stage(
        "Where-Object", (text("Property", "Id"), switch("EQ"), Fill("Value", ParameterType.STRING, "Id", pattern=GUID))
    ),
    Stage("Remove-ClusterGroup", (switch("Force"), _NO_QUESTION)),
    rows=None,
    function="Remove-DrainboardLease",
)

ENTRIES: tuple[Entry, ...] = (
    PAUSE_NODE,
    DRAIN_NODE,
    RESUME_NODE,
    MOVE_VM_LIVE,
    MOVE_VM_QUICK,
    MOVE_VM_STOPPED,
    CANCEL_MOVE,
    MOVE_GROUP,
    MOVE_SHARED_VOLUME,
    SET_PARALLEL_MIGRATIONS,
    SET_SMB_BANDWIDTH,
    SET_BALANCER,
    CREATE_LEASE,
    SET_LEASE_PROPERTY,
    REMOVE_LEASE,
)


def pause_node(node: HostName) -> Call:
    return PAUSE_NODE.bind(Node=node)


def drain_node(node: HostName, target: HostName | None = None) -> Call:
    return DRAIN_NODE.bind(Node=node, TargetNode=target)


def resume_node(node: HostName) -> Call:
    return RESUME_NODE.bind(Node=node)


def move_vm_live(vm: VmId, destination: HostName) -> Call:
    return MOVE_VM_LIVE.bind(VMId=vm, Destination=destination)


def move_vm_quick(vm: VmId, destination: HostName) -> Call:
    return MOVE_VM_QUICK.bind(VMId=vm, Destination=destination)


def move_vm_stopped(vm: VmId, destination: HostName) -> Call:
    return MOVE_VM_STOPPED.bind(VMId=vm, Destination=destination)


def cancel_move(vm: VmId) -> Call:
    return CANCEL_MOVE.bind(VMId=vm)


def move_group(role: RoleName, destination: HostName) -> Call:
    return MOVE_GROUP.bind(Role=role, Destination=destination)


def move_shared_volume(volume: str, destination: HostName) -> Call:
    return MOVE_SHARED_VOLUME.bind(Volume=volume, Destination=destination)


def set_parallel_migrations(value: int) -> Call:
    return SET_PARALLEL_MIGRATIONS.bind(Value=value)


def set_smb_bandwidth(factor: int) -> Call:
    """``factor`` in hundredths of a percent: 2500 is 25 %."""
    return SET_SMB_BANDWIDTH.bind(Value=factor)


def set_balancer(mode: int) -> Call:
    return SET_BALANCER.bind(Value=mode)


def create_lease(name: RoleName) -> Call:
    """Atomic: ERROR_OBJECT_ALREADY_EXISTS (5010) when another console was first."""
    return CREATE_LEASE.bind(Lease=name)


def set_lease_property(name: RoleName, property: str, value: str) -> Call:
    return SET_LEASE_PROPERTY.bind(Lease=name, Property=property, Value=value)


def remove_lease(name: RoleName, id: str) -> Call:
    return REMOVE_LEASE.bind(Lease=name, Id=id)
