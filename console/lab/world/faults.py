"""What can be made to go wrong in the world while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from console.lab.world import log
from console.lab.world.cluster import LabCluster
from console.lab.world.law import PowerLaw
from console.lab.world.moving import Phase, Trouble
from console.lab.world.state import Adapter, DrainStatus, Group, Host, NodeState, VirtualMachine, VmState
from console.lab.world.transport import refresh_capacities
from console.model.units import GIB, MIB


class FaultError(ValueError):
    """A fault that can not be thrown as it was asked for."""


Details = Mapping[str, Any]


_FIELDS: Mapping[str, frozenset[str]] = {
    "host-down": frozenset({"host"}),
    "host-up": frozenset({"host"}),
    "isolate": frozenset({"host", "on"}),
    "heartbeat-loss": frozenset({"host", "missed"}),
    "fill-memory": frozenset({"host", "free_gib"}),
    "drain": frozenset({"host", "target"}),
    "stuck": frozenset({"vm", "percent", "times"}),
    "fail": frozenset({"vm", "percent", "hresult", "times"}),
    "release": frozenset({"vm"}),
    "dirtying": frozenset({"vm", "first_second_mib", "exponent"}),
    "foreign-move": frozenset({"vm", "destination", "type"}),
    "balance": frozenset({"vm"}),
    "vm": frozenset({"vm", "state", "status", "heartbeat"}),
    "csv-latency": frozenset({"volume", "seconds"}),
    "csv-state": frozenset({"volume", "host", "state"}),
    "setting": frozenset({"name", "value"}),
    "link": frozenset({"host", "network", "gbps", "up"}),
    "network-state": frozenset({"network", "state"}),
    "clock-jump": frozenset({"seconds"}),
}
"""What each kind may be told."""


def world_fault_fields() -> dict[str, list[str]]:
    """Every kind and its fields."""
    return {kind: sorted(fields) for kind, fields in sorted(_FIELDS.items())}


class WorldFaults:
    """Throws faults at one world; each is one JSON document ``{"kind": …, …}``."""

    def __init__(self, cluster: LabCluster) -> None:
        self.cluster = cluster
        self.kinds: dict[str, Callable[[Details], None]] = {
            "host-down": self._host_down,
            "host-up": self._host_up,
            "stuck": self._trouble,
            "fail": self._trouble,
            "release": self._release,
            "dirtying": self._dirtying,
            "csv-latency": self._csv_latency,
            "csv-state": self._csv_state,
            "heartbeat-loss": self._heartbeat_loss,
            "foreign-move": self._foreign_move,
            "balance": self._balance,
            "fill-memory": self._fill_memory,
            "setting": self._setting,
            "link": self._link,
            "network-state": self._network_state,
            "vm": self._vm_attribute,
            "drain": self._drain,
            "isolate": self._isolate,
            "clock-jump": self._clock_jump,
        }

    def throw(self, details: Details) -> None:
        """Throw one.

        Raises:
            FaultError: an unknown kind, a missing field or one too many, or a thing that is not there.
        """
        kind = str(details.get("kind", ""))
        handler = self.kinds.get(kind)
        if handler is None:
            raise FaultError(f"no fault {kind!r}; there are {', '.join(sorted(self.kinds))}")
        unknown = sorted(set(details) - _FIELDS[kind] - {"kind"})
        if unknown:
            fields = ", ".join(sorted(_FIELDS[kind]))
            raise FaultError(f"{kind} knows nothing of {', '.join(unknown)}; it may be told {fields}")
        self.cluster.advance()
        try:
            handler(details)
        except KeyError as error:
            raise FaultError(f"{kind} needs {error}") from error
        except (TypeError, ValueError) as error:
            raise FaultError(f"{kind}: {error}") from error
        self.cluster.mover.start_what_can()
        self.cluster.touch()

    # -- finding ------------------------------------------------------------------------------------------------

    def _host(self, details: Details, key: str = "host") -> Host:
        host = self.cluster.world.host(str(details[key]))
        if host is None:
            raise FaultError(f"no host {details[key]!r}")
        return host

    def _vm(self, details: Details) -> VirtualMachine:
        wanted = str(details["vm"]).casefold()
        found = [vm for vm in self.cluster.world.vms.values() if wanted in (vm.name.casefold(), str(vm.id))]
        if len(found) != 1:
            raise FaultError(f"{len(found)} VMs are called {details['vm']!r}; give an id")
        return found[0]

    def _group(self, details: Details) -> Group:
        group = self.cluster.world.group_of(self._vm(details).id)
        if group is None:
            raise FaultError(f"{details['vm']!r} is not clustered")
        return group

    def _adapters(self, details: Details) -> list[Adapter]:
        network = details.get("network")
        return [each for each in self._host(details).adapters if network in (None, each.network)]

    # -- hosts --------------------------------------------------------------------------------------------------

    def _host_down(self, details: Details) -> None:
        """A host dies: its moves fail, its VMs start again elsewhere."""
        world, host = self.cluster.world, self._host(details)
        host.state, host.drain_status = NodeState.DOWN, DrainStatus.NOT_INITIATED
        for move in list(world.pending.values()):
            if host.name in (move.source, move.destination):
                self.cluster.mover.fail(move, 0x80072746)
        survivors = [other.name for other in world.up_hosts()]
        for other in survivors:
            world.log.write(
                world.now_s, other, log.SYSTEM, 1135, log.ERROR,
                f"Cluster node '{host.name}' was removed from the active failover cluster membership.", host.name,
            )  # fmt: skip
        for group in world.groups_on(host.name):
            self._fail_over(group)
        for volume in world.volumes.values():
            if volume.coordinator == host.name and survivors:
                volume.coordinator = survivors[0]
        refresh_capacities(world)

    def _fail_over(self, group: Group) -> None:
        world = self.cluster.world
        vm = world.vms.get(group.vm) if group.vm is not None else None
        need = vm.memory_bytes if vm is not None and vm.running else 0
        ready = sorted(world.up_hosts(), key=lambda host: (-world.free_bytes(host.name), host.name))
        if not ready or world.free_bytes(ready[0].name) < need:
            if vm is not None:
                vm.state = VmState.OFF
            return
        group.owner = ready[0].name
        if vm is not None:
            world.place(vm, ready[0].name)
            vm.started_s = world.now_s

    def _host_up(self, details: Details) -> None:
        host = self._host(details)
        host.state, host.started_s = NodeState.UP, self.cluster.world.now_s
        refresh_capacities(self.cluster.world)

    def _isolate(self, details: Details) -> None:
        host = self._host(details)
        host.flags = host.flags | 1 if details.get("on", True) else host.flags & ~1

    def _heartbeat_loss(self, details: Details) -> None:
        self._host(details).missed_heartbeats = int(details.get("missed", 8))

    def _fill_memory(self, details: Details) -> None:
        """Somebody else takes a host's memory; ``free_gib`` is left."""
        world, host = self.cluster.world, self._host(details)
        left = int(float(details.get("free_gib", 0)) * GIB)
        host.reserve_bytes += world.free_bytes(host.name) - left

    def _drain(self, details: Details) -> None:
        """Another tool drains a node."""
        target = details.get("target")
        self.cluster.service.suspend(
            self._host(details).name, drain=True, target=str(target) if target is not None else None
        )

    # -- moves --------------------------------------------------------------------------------------------------

    def _trouble(self, details: Details) -> None:
        vm, world = self._vm(details), self.cluster.world
        percent = float(details.get("percent", 50.0))
        hresult = int(str(details.get("hresult", "0x80004005")), 0)
        trouble = Trouble(str(details["kind"]), percent, hresult, int(details.get("times", 1)))
        group = world.group_of(vm.id)
        move = world.pending.get(group.id) if group is not None else None
        if move is None or move.phase is Phase.QUEUED:
            world.troubles[vm.id] = trouble
        elif move.phase is Phase.SETUP and percent >= 10:
            move.trouble = trouble
        elif trouble.kind == "fail":
            self.cluster.mover.fail(move, hresult)
        else:
            self.cluster.mover.stick_now(move)

    def _dirtying(self, details: Details) -> None:
        """From now on a guest writes faster, or more slowly; fast enough, and its move does not converge."""
        exponent = float(details.get("exponent", 0.9))
        if not 0 < exponent < 1:
            raise FaultError("dirtying: exponent is between 0 and 1")
        self._vm(details).law = PowerLaw(float(details["first_second_mib"]) * MIB, exponent)

    def _release(self, details: Details) -> None:
        move = self.cluster.world.pending.get(self._group(details).id)
        if move is not None:
            self.cluster.mover.release(move)

    def _foreign_move(self, details: Details) -> None:
        """Somebody else moves a VM."""
        live = str(details.get("type", "Live"))
        self.cluster.service.move_vm_role(
            self._group(details), self._host(details, "destination").name, live, by="foreign", user="LAB\\other"
        )

    def _balance(self, details: Details) -> None:
        """The cluster's balancer makes its round, unless it is off: one VM goes to the roomiest host."""
        world = self.cluster.world
        if not world.settings["AutoBalancerMode"]:
            return
        group = self._group(details)
        roomiest = max(world.up_hosts(), key=lambda host: (world.free_bytes(host.name), host.name))
        words = "The cluster's balancer is about to move virtual machines."
        world.log.write(world.now_s, group.owner, log.CLUSTERING, 1808, log.INFORMATION, words)
        self.cluster.service.move_vm_role(group, roomiest.name, "Live", by="balancer")

    # -- storage, network, settings -----------------------------------------------------------------------------

    def _csv_latency(self, details: Details) -> None:
        for volume in self.cluster.world.volumes.values():
            if details.get("volume") in (None, volume.name):
                volume.latency_s = float(details["seconds"])

    def _csv_state(self, details: Details) -> None:
        """A volume as one node (or all) sees it: Direct, FileSystemRedirected, BlockRedirected, Paused …"""
        world = self.cluster.world
        nodes = [self._host(details).name] if "host" in details else list(world.hosts)
        for volume in world.volumes.values():
            if details.get("volume") in (None, volume.name):
                volume.state_by_node |= dict.fromkeys(nodes, str(details["state"]))

    def _setting(self, details: Details) -> None:
        name = str(details["name"])
        if name not in self.cluster.world.settings:
            raise FaultError(f"no cluster property {name!r}")
        self.cluster.service.set_property(name, int(details["value"]))

    def _clock_jump(self, details: Details) -> None:
        """The nodes' wall time jumps; nothing else does."""
        world = self.cluster.world
        world.epoch += timedelta(seconds=float(details["seconds"]))

    def _link(self, details: Details) -> None:
        """An adapter's line: ``gbps`` and ``up``."""
        for adapter in self._adapters(details):
            adapter.bits_per_s = int(float(details.get("gbps", adapter.bits_per_s / 1e9)) * 1e9)
            adapter.up = bool(details.get("up", adapter.up))
        refresh_capacities(self.cluster.world)

    def _network_state(self, details: Details) -> None:
        network = self.cluster.world.networks.get(str(details["network"]))
        if network is None:
            raise FaultError(f"no network {details['network']!r}")
        network.state = str(details["state"])
        refresh_capacities(self.cluster.world)

    def _vm_attribute(self, details: Details) -> None:
        """A VM's state or secondary status changes under everybody's hands."""
        vm = self._vm(details)
        if "state" in details:
            vm.state = VmState(str(details["state"]))
        if "status" in details:
            vm.secondary_status = str(details["status"]) if details["status"] else None
        if "heartbeat" in details:
            vm.heartbeat = str(details["heartbeat"])
