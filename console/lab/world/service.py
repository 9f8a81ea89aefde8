"""What the cluster service does when it is asked: move, cancel, pause, drain, resume, add and remove groups.

Refusals carry the Win32 codes of the documentation.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from console.lab.world import facts_storage, outcome_log
from console.lab.world.mover import Mover
from console.lab.world.moving import Move, MoveKind, Outcome
from console.lab.world.placement import conflicts_with_affinity, possible_owners
from console.lab.world.state import DrainStatus, Group, GroupState, Host, NodeState, VmState, new_id
from console.lab.world.transport import refresh_capacities
from console.lab.world.world import World
from console.model.units import UNSET


class ClusterRefusal(Exception):
    """The cluster service says no."""

    def __init__(self, code: int, message: str, target: str = "") -> None:
        super().__init__(message)
        self.code = code
        """Win32 code."""
        self.message = message
        self.target = target


NODE_NOT_AVAILABLE, GROUP_NOT_FOUND, ALREADY_EXISTS, NOT_POSSIBLE_OWNER = 5005, 5013, 5010, 5016
INVALID_STATE, NODE_DOWN, NODE_NOT_PAUSED, NODE_PAUSED = 5023, 5050, 5058, 5070
GROUP_MOVING, RESOURCE_LOCKED, DRAIN_IN_PROGRESS, AFFINITY = 5908, 5960, 5962, 5971


class ClusterService:
    """The cluster service of one world; every node answers for all of it."""

    def __init__(self, world: World, mover: Mover) -> None:
        self.world = world
        self.mover = mover
        self._drained: dict[str, list[UUID]] = {}
        mover.on_end.append(self._move_ended)

    # -- moves --------------------------------------------------------------------------------------------------

    def move_vm_role(
        self,
        group: Group,
        node: str | None,
        migration_type: str | None,
        *,
        ignore_locked: bool = False,
        ignore_affinity: bool = False,
        by: str = "user",
        user: str = "",
    ) -> Move | None:
        """Move-ClusterVirtualMachineRole; None when it is there already.

        Raises:
            ClusterRefusal: with the Win32 code.
        """
        if group.vm is None:
            raise ClusterRefusal(INVALID_STATE, f"'{group.name}' is not a virtual machine role.", group.name)
        vm = self.world.vms[group.vm]
        destination = self._check_move(group, node, ignore_locked, ignore_affinity)
        if destination is not None and destination.name == group.owner:
            return None
        if migration_type == "Live" and not vm.running:
            raise ClusterRefusal(
                INVALID_STATE, f"The virtual machine '{vm.name}' is not running; it can not be live migrated.", vm.name
            )
        kind = MoveKind.OFFLINE if not vm.running else MoveKind.LIVE
        if kind is MoveKind.LIVE and migration_type not in (None, "Live"):
            kind = MoveKind.QUICK
        return self.mover.request(group, destination.name if destination else None, kind, by, user)

    def move_group(self, group: Group, node: str | None, *, ignore_locked: bool = False, user: str = "") -> Move | None:
        """Move-ClusterGroup: a VM's role is saved and restored (OfflineAction), any other one stops and starts.

        Raises:
            ClusterRefusal: with the Win32 code.
        """
        stuck = self.world.pending.get(group.id)
        if stuck is not None and stuck.stuck:
            self.mover.fail(stuck, 0x800703E3)
        destination = self._check_move(group, node, ignore_locked, True)
        if destination is not None and destination.name == group.owner:
            return None
        vm = self.world.vms.get(group.vm) if group.vm is not None else None
        kind = MoveKind.QUICK if vm is not None and vm.state is VmState.RUNNING else MoveKind.OFFLINE
        return self.mover.request(group, destination.name if destination else None, kind, "user", user)

    def _check_move(self, group: Group, node: str | None, ignore_locked: bool, ignore_affinity: bool) -> Host | None:
        if group.id in self.world.pending:
            raise ClusterRefusal(GROUP_MOVING, f"The clustered role '{group.name}' is already moving.", group.name)
        if group.locked and not ignore_locked:
            raise ClusterRefusal(RESOURCE_LOCKED, f"The clustered role '{group.name}' is locked.", group.name)
        if node is None:
            return None
        host = self.node(node)
        if host.name == group.owner:
            return host
        if host.state is NodeState.DOWN:
            raise ClusterRefusal(NODE_DOWN, "A cluster node is down.", host.name)
        if host.state is NodeState.PAUSED:
            raise ClusterRefusal(NODE_PAUSED, "The cluster node is paused.", host.name)
        if host.name not in possible_owners(self.world, group):
            raise ClusterRefusal(
                NOT_POSSIBLE_OWNER,
                "The operation failed because either the specified cluster node is not the owner of the resource, or"
                " the node is not a possible owner of the resource.",
                group.name,
            )
        if not ignore_affinity and conflicts_with_affinity(self.world, group, host.name):
            raise ClusterRefusal(AFFINITY, "The move would violate an affinity rule.", group.name)
        return host

    def cancel(self, group: Group) -> None:
        """Move-ClusterVirtualMachineRole -Cancel.

        Raises:
            ClusterRefusal: 5023 when nothing is pending, or too late to cancel.
        """
        move = self.world.pending.get(group.id)
        if move is None or not self.mover.cancel(move):
            raise ClusterRefusal(
                INVALID_STATE, "The group or resource is not in the correct state to perform the operation.", group.name
            )

    def move_volume(self, name: str, node: str | None) -> str:
        """Move-ClusterSharedVolume: the coordinator changes at once. The new coordinator's name."""
        volume = self.world.volumes[name]
        if node is None:
            others = [host.name for host in self.world.up_hosts() if host.name != volume.coordinator]
            counts = {other: sum(1 for v in self.world.volumes.values() if v.coordinator == other) for other in others}
            node = min(others, key=lambda other: (counts[other], other), default=volume.coordinator)
        host = self.node(node)
        if host.state is not NodeState.UP:
            raise ClusterRefusal(NODE_PAUSED, "The cluster node is paused or down.", host.name)
        volume.coordinator = host.name
        return host.name

    # -- nodes --------------------------------------------------------------------------------------------------

    def node(self, name: str) -> Host:
        """A node by name.

        Raises:
            ClusterRefusal: 5042 when there is none.
        """
        host = self.world.host(name)
        if host is None:
            raise ClusterRefusal(5042, f"The cluster node '{name}' was not found.", name)
        return host

    def suspend(self, name: str, *, drain: bool, target: str | None = None, avoid: bool = False) -> Host:
        """Suspend-ClusterNode: pause, and with ``drain`` move every role away, by priority.

        Raises:
            ClusterRefusal: a drain is on already, the target is not up, the node is down.
        """
        host = self.node(name)
        if host.state is NodeState.DOWN:
            raise ClusterRefusal(NODE_DOWN, "A cluster node is down.", host.name)
        if host.drain_status is DrainStatus.IN_PROGRESS:
            raise ClusterRefusal(DRAIN_IN_PROGRESS, "A drain of this node is already in progress.", host.name)
        destination = self.node(target) if target else None
        if destination is not None and (destination.state is not NodeState.UP or destination is host):
            raise ClusterRefusal(NODE_NOT_AVAILABLE, "The target node is not available.", destination.name)
        host.state = NodeState.PAUSED
        facts_storage.node_left(self.world, host.name)
        host.flags |= 32 if avoid else 0
        if drain:
            self._drain(host, destination)
        return host

    def _drain(self, host: Host, target: Host | None) -> None:
        host.drain_status, host.drain_error = DrainStatus.IN_PROGRESS, 0
        host.drain_target = target.node_id if target else UNSET
        groups = sorted(self.world.groups_on(host.name), key=lambda group: (-group.priority, group.name))
        self._drained[host.name] = [group.id for group in groups]
        for volume in self.world.volumes.values():
            if volume.coordinator == host.name and len(self.world.up_hosts()) > 0:
                self.move_volume(volume.name, target.name if target else None)
        for group in groups:
            if group.id not in self.world.pending:
                self.mover.request(group, target.name if target else None, self._drain_kind(group), "drain")
        self.world.after(1.0, partial(self._look_at_drain, host.name))

    def _drain_kind(self, group: Group) -> MoveKind:
        """Live above the threshold of MoveTypeThreshold, quick below it or where the VM says so."""
        vm = self.world.vms.get(group.vm) if group.vm is not None else None
        if vm is None or not vm.running:
            return MoveKind.OFFLINE
        own = {resource.parameters.get("DefaultMoveType") for resource in self.world.resources_in(group.id)}
        if 1 in own:
            return MoveKind.QUICK
        threshold = int(str(self.world.vm_type_parameters["MoveTypeThreshold"]))
        return MoveKind.LIVE if 4 in own or group.priority >= threshold else MoveKind.QUICK

    def _move_ended(self, move: Move) -> None:
        host = self.world.hosts[move.source]
        if move.by == "drain" and move.outcome is Outcome.FAILED:
            host.drain_error = move.hresult & 0xFFFF
            outcome_log.drain_move_failed(self.world, self.world.groups[move.group], move)
        if host.drain_status is DrainStatus.IN_PROGRESS:
            self.world.after(0.5, partial(self._look_at_drain, host.name))
        for other in self.world.hosts.values():
            if other.failback_status is DrainStatus.IN_PROGRESS:
                self.world.after(0.5, partial(self._look_at_failback, other.name))

    def _look_at_drain(self, name: str) -> None:
        host = self.world.hosts[name]
        if host.drain_status is not DrainStatus.IN_PROGRESS:
            return
        if any(move.source == name for move in self.world.pending.values()):
            return
        left = self.world.groups_on(name)
        host.drain_status = DrainStatus.FAILED if left else DrainStatus.COMPLETED
        if left:
            outcome_log.drain_failed(self.world, name)

    def resume(self, name: str, failback: str) -> Host:
        """Resume-ClusterNode.

        Raises:
            ClusterRefusal: 5058 when it is not paused.
        """
        host = self.node(name)
        if host.state is not NodeState.PAUSED:
            raise ClusterRefusal(NODE_NOT_PAUSED, "The cluster node is not paused.", host.name)
        host.state, host.drain_status = NodeState.UP, DrainStatus.NOT_INITIATED
        facts_storage.node_came_back(self.world, host.name)
        host.drain_target, host.drain_error = UNSET, 0
        host.flags &= ~32
        for move in list(self.world.pending.values()):
            if move.source == name and move.by == "drain" and move.started_s is None:
                self.mover.cancel(move)
        drained = self._drained.pop(host.name, [])
        if failback == "Immediate":
            self._fail_back(host, drained)
        self.mover.start_what_can()
        return host

    def _fail_back(self, host: Host, groups: list[UUID]) -> None:
        host.failback_status = DrainStatus.IN_PROGRESS
        for key in groups:
            group = self.world.groups.get(key)
            if group is not None and group.owner != host.name and key not in self.world.pending:
                self.mover.request(group, host.name, self._drain_kind(group), "failback")
        self.world.after(0.5, partial(self._look_at_failback, host.name))

    def _look_at_failback(self, name: str) -> None:
        host = self.world.hosts[name]
        waiting = any(move.by == "failback" and move.destination == name for move in self.world.pending.values())
        if host.failback_status is DrainStatus.IN_PROGRESS and not waiting:
            host.failback_status = DrainStatus.COMPLETED

    # -- groups and settings ------------------------------------------------------------------------------------

    def add_group(self, name: str, kind: str, owner: str) -> Group:
        """Add-ClusterGroup; creating a name that exists fails (5010), which makes it atomic."""
        if self.world.group_named(name) is not None:
            raise ClusterRefusal(ALREADY_EXISTS, f"The object already exists: '{name}'.", name)
        identifier = new_id(self.world.dice("group", name, self.world.now_s, len(self.world.groups)))
        group = Group(identifier, name, kind, owner, GroupState.OFFLINE)
        self.world.add_group(group)
        return group

    def remove_group(self, group: Group) -> None:
        """Remove-ClusterGroup of an empty group."""
        if self.world.resources_of_group.get(group.id):
            raise ClusterRefusal(5014, f"The group '{group.name}' still has resources.", group.name)
        self.world.remove_group(group)

    def set_property(self, name: str, value: int) -> None:
        """A cluster property, by plain assignment."""
        self.world.settings[name] = value
        refresh_capacities(self.world)
        self.mover.start_what_can()
