"""Which VMs of a node a plan moves at all, and how the chosen engine would carry them."""

from __future__ import annotations

from dataclasses import replace

from console.model.cluster import Cluster, GroupFlags, VirtualMachine, VmState
from console.model.identity import HostName, RoleName

from .rules import Contradiction, contradictions
from .values import Engine, Infeasible, NotMoved, PlanOptions, Progress

ALWAYS_QUICK = 1

_SETTLING = frozenset(
    {VmState.STARTING, VmState.STOPPING, VmState.RESET, VmState.SAVING, VmState.PAUSING, VmState.RESUMING,
     VmState.FAST_SAVING}
)  # fmt: skip


def with_levers(cluster: Cluster, node: HostName, options: PlanOptions) -> Cluster:
    """The cluster as it would be with the levers' settings."""
    if options.smb_cap_fraction is not None:
        factor = round(options.smb_cap_fraction * 10000)
        cluster = replace(cluster, settings=replace(cluster.settings, smb_bandwidth_limit_factor=factor))
    if options.transport is not None:
        hosts = tuple(
            replace(host, migration_transport=options.transport) if host.name == node else host
            for host in cluster.hosts
        )
        cluster = replace(cluster, hosts=hosts)
    return cluster


def aimed(options: PlanOptions, cluster: Cluster, target: HostName) -> PlanOptions:
    """The options of a native drain that sends everything to ``target``; what can not go there goes nowhere."""
    others = frozenset(host.name for host in cluster.hosts if host.name != target)
    return replace(options, engine=Engine.NATIVE, native_target=target, avoided=options.avoided | others)


def as_moved(cluster: Cluster, vm: VirtualMachine, options: PlanOptions) -> VirtualMachine:
    """The VM as the chosen engine carries it: the cluster's own drain saves and restores low priorities
    (MoveTypeThreshold)."""
    threshold = cluster.settings.move_type_threshold
    low = vm.priority is not None and threshold is not None and vm.priority < threshold
    if options.engine is Engine.NATIVE and low and vm.running:
        return replace(vm, default_move_type=ALWAYS_QUICK)
    return vm


def sort_out(
    cluster: Cluster, node: HostName, options: PlanOptions, progress: Progress
) -> tuple[list[VirtualMachine], list[NotMoved], list[Infeasible]]:
    """The node's VMs that can be moved, that stay, and that should move but can not."""
    movable: list[VirtualMachine] = []
    left: list[NotMoved] = []
    infeasible: list[Infeasible] = []
    clashing: dict[RoleName, Contradiction] = {}
    for clash in contradictions(cluster.affinity_rules or ()):
        for role in clash.roles:
            clashing.setdefault(role, clash)
    settled = progress.done | {move.vm for move in progress.in_flight}
    for vm in cluster.vms_on(node):
        if vm.id in settled:
            continue
        stays = _why_it_stays(vm, options)
        cannot = _why_it_cannot(vm, clashing)
        if stays:
            left.append(NotMoved(vm.ref, stays))
        elif cannot is not None:
            infeasible.append(cannot)
        else:
            movable.append(vm)
    return movable, left, infeasible


def _why_it_stays(vm: VirtualMachine, options: PlanOptions) -> str:
    if vm.id in options.excluded:
        return "left behind by choice"
    if not vm.clustered:
        return "not a clustered role: the cluster can not move it"
    if vm.migration is not None and vm.migration.destination is not None and not vm.migration.queued:
        return f"already moving to {vm.migration.destination}"
    return ""


def _why_it_cannot(vm: VirtualMachine, clashing: dict[RoleName, Contradiction]) -> Infeasible | None:
    if vm.role_flags & GroupFlags.LOCKED:
        return Infeasible(vm.ref, "its role is locked against moves; unlock it first", ("locked role",))
    if vm.state in _SETTLING:
        doing = vm.state.name.lower().replace("_", " ")
        return Infeasible(vm.ref, f"it is {doing}; it can move once that is over", ("VM state",))
    if vm.state is VmState.CRITICAL:
        return Infeasible(vm.ref, "it is in a critical state (its storage or host failed it)", ("VM state",))
    if vm.state in (VmState.UNKNOWN, VmState.OTHER):
        return Infeasible(vm.ref, f"its state ({vm.state_number}) is not one that can move", ("VM state",))
    clash = clashing.get(vm.ref.role) if vm.ref.role is not None else None
    if clash is not None:
        return Infeasible(vm.ref, f"rules that can not all hold: {clash.text}", clash.rules)
    return None
