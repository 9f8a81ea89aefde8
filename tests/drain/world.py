"""A small cluster in virtual time that carries out the core's commands, with faults and with its own book of truth.

It is the judge too: whatever breaks a limit or asks twice is written to :attr:`World.violations`.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from console.drain import commands as cmd
from console.drain import signals as sg
from console.drain.facts import Answered, Arrival, CheckFacts, NodeFacts, OwnedRole, Reply, Sight
from console.drain.state import OwnedKind
from console.model.cluster import DrainStatus, GroupState, NodeFlags, NodeState
from console.model.identity import HostName, VmId
from console.model.units import GIB

from .answers import answer, unread
from .caps import Caps, too_many_off
from .faults import Faults, fate_of, within
from .lease_book import LeaseBook
from .machines import Migration, Node, Vm
from .moments import EPOCH, fresh, moment
from .replanner import plan_for

__all__ = ["EPOCH", "SOURCE", "Faults", "Vm", "World", "fresh", "moment"]

SOURCE = HostName("HV01")
OK = Reply(Answered.DONE)
_LOOK_TO_START_S = 40.0
"""A check is read, travels, and its start is sent: what moves in between is nobody's fault."""
TIMED_OUT = Reply(Answered.UNANSWERED, "timed out")


@dataclass
class World:
    random: random.Random
    nodes: dict[HostName, Node]
    vms: dict[VmId, Vm]
    faults: Faults = field(default_factory=Faults)
    owned: dict[str, tuple[OwnedKind, HostName]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    originals: dict[str, str] = field(default_factory=dict)
    """The cluster-wide object for changed settings."""
    leases: LeaseBook = field(default_factory=LeaseBook)
    limit: int = 2
    caps: Caps = field(default_factory=Caps)
    now_s: float = 0.0
    peak: Counter[HostName] = field(default_factory=Counter)
    own_starts: list[tuple[float, VmId, HostName]] = field(default_factory=list)
    cancels: list[tuple[float, VmId]] = field(default_factory=list)
    forced: list[VmId] = field(default_factory=list)
    changes: list[tuple[float, cmd.Command]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    own_in_flight_peak: int = 0
    native_on: bool = False
    returning: bool = False
    """VMs come back to the source from elsewhere."""
    left_at_s: dict[VmId, float] = field(default_factory=dict)

    # time

    def advance(self, to_s: float) -> None:
        """Finish every migration whose moment has come."""
        self.now_s = max(self.now_s, to_s)
        self._strike()
        for vm in self.vms.values():
            if vm.migration is not None and vm.migration.fate != "sticks" and vm.migration.end_s <= self.now_s:
                self._end(vm, vm.migration)
        if self.native_on:
            self._drain_natively()
        if self.random.random() < self.faults.foreign / 20:
            self._meddle()

    def _strike(self) -> None:
        """Whatever has its moment."""
        for at, name in self.faults.node_dies:
            if at <= self.now_s and self.nodes[name].state in (NodeState.UP, NodeState.PAUSED):
                self._die(name)
        for at, name in self.faults.fills_up:
            if at <= self.now_s:
                self.nodes[name].free_bytes = 0
        if self.faults.other_drain is not None and self.faults.other_drain <= self.now_s and not self.returning:
            self.faults.other_drain = None
            if self.nodes[SOURCE].state in (NodeState.UP, NodeState.PAUSED):
                self._at_source(cmd.StartNativeDrain())

    def _die(self, name: HostName) -> None:
        """Its VMs restart elsewhere, moves from and to it end."""
        self.nodes[name].state = NodeState.DOWN
        up = [node.name for node in self.nodes.values() if node.state is NodeState.UP]
        for vm in self.vms.values():
            if vm.migration is not None and (vm.migration.destination == name or vm.host == name):
                vm.migration, vm.code = None, 5050
            if vm.host == name and up:
                vm.host = up[0]
                self.left_at_s[vm.ref.id] = self.now_s
        for item, (kind, host) in self.owned.items():
            if host == name and up:
                self.owned[item] = (kind, up[0])

    def _end(self, vm: Vm, migration: Migration) -> None:
        if migration.fate == "fails":
            vm.code = self.random.choice(self.faults.codes)
        else:
            self.left_at_s[vm.ref.id] = self.now_s
            vm.host = migration.destination
            self.nodes[migration.destination].free_bytes -= vm.memory_bytes
            if vm.ref.id in self.faults.heartbeat_never and vm.state == 2:
                vm.heartbeat = 2
        vm.migration = None

    def _meddle(self) -> None:
        """Another tool moves a VM, whatever the run is about to do."""
        vm = self.random.choice(tuple(self.vms.values()))
        if vm.migration is None and (vm.host == SOURCE) is not self.returning:
            self._migrate(vm, self.another(vm), own=False)

    def _drain_natively(self) -> None:
        """Like the cluster: refill at once up to the limit, then whatever else the node owns."""
        here = [vm for vm in self.vms.values() if vm.host == SOURCE]
        moving = sum(vm.migration is not None for vm in here)
        tried = [vm for vm in here if vm.code is not None]
        for vm in here:
            if vm.migration is None and vm not in tried and moving < self.limit:
                if self.random.random() < self.faults.native_leaves:
                    vm.code = 5957
                    continue
                self._migrate(vm, self.another(vm), own=False)
                moving += 1
        if not moving:
            self.native_on = False
            for item, (kind, host) in self.owned.items():
                self.owned[item] = (kind, self._others()[0] if host == SOURCE and self._others() else host)
            self.nodes[SOURCE].drain = DrainStatus.FAILED if here else DrainStatus.COMPLETED

    def silent(self) -> bool:
        return within(self.faults.silent, self.now_s) or self.signed_out()

    def signed_out(self) -> bool:
        return self.faults.signed_out_at is not None and self.now_s >= self.faults.signed_out_at

    def host_silent(self, host: HostName) -> bool:
        return self.nodes[host].state is NodeState.DOWN or any(
            start <= self.now_s < end and host == name for start, end, name in self.faults.host_silent
        )

    def delay_s(self) -> float:
        """What a fault adds to every answer."""
        return 30.0 if within(self.faults.slow_open, self.now_s) else 0.0

    # commands

    def perform(self, command: cmd.Command) -> sg.Signal | None:
        """Carry a command out now; the answer's moment is filled in by whoever delivers it."""
        if isinstance(command, cmd.WaitUntil):
            return None
        if isinstance(command, cmd.ReadCommand | cmd.ReadLease):
            if self.silent():
                return unread(command, moment(self.now_s), "sign-in refused" if self.signed_out() else "no answer")
            return self._read(command)
        self.changes.append((self.now_s, command))
        return self._change(command)

    def _read(self, command: cmd.ReadCommand | cmd.ReadLease) -> sg.Signal | None:
        at = moment(self.now_s)
        match command:
            case cmd.ReadNode():
                return sg.NodeRead(at, self.node_facts())
            case cmd.ReadLease():
                return self.leases.read(self.now_s)
            case cmd.ReadSetting(name):
                return sg.SettingRead(at, name, self.settings.get(name), "", self.originals.get(name))
            case cmd.ReadGuard():
                return sg.GuardMeasured(at, self.faults.readings(self.now_s))
            case cmd.ReadProgress(vms, wanted):
                checks = tuple(check for each in wanted if isinstance(check := self._read_vm(each, at), sg.CheckRead))
                return sg.ProgressRead(at, tuple(self.sight(vm) for vm in vms), self._foreign(vms), checks, at)
        return self._read_vm(command, at)

    def _read_vm(self, command: cmd.ReadCommand | cmd.ReadLease, at: datetime) -> sg.Signal | None:
        match command:
            case cmd.CheckMove(vm, destination):
                if within(self.faults.quota, self.now_s):
                    return sg.CheckRead(at, vm, destination, None, "the quota of shells is used up")
                return sg.CheckRead(at, vm, destination, self._check(self.vms[vm], destination))
            case cmd.VerifyArrival(vm, host):
                return self._arrival(self.vms[vm], host)
            case cmd.ReadCause(vm):
                code = self.vms[vm].code
                return sg.CauseFound(at, vm, f"error {code}" if code else "", code)
            case cmd.ReadBlackout(vm):
                return sg.BlackoutRead(at, vm, 0.7)
            case cmd.ReadActor(vm):
                return sg.ActorFound(at, vm, "the cluster's balancer")
            case cmd.Replan(vm, wanted, at_once):
                plan = plan_for(self, vm, wanted)
                return sg.Replanned(at, plan, vm, wanted, at_once)
        return None

    def _others(self) -> list[HostName]:
        if within(self.faults.no_quorum, self.now_s):
            return []
        return [node.name for node in self.nodes.values() if node.name != SOURCE and node.state is NodeState.UP]

    def _foreign(self, followed: tuple[VmId, ...]) -> dict[HostName, int]:
        count: Counter[HostName] = Counter()
        for id, vm in self.vms.items():
            if vm.migration is not None and not vm.migration.own and id not in followed:
                count.update((vm.host, vm.migration.destination))
        return dict(count)

    def _check(self, vm: Vm, destination: HostName) -> CheckFacts:
        node = self.nodes[destination]
        if self.random.random() < self.faults.foreign and vm.migration is None:
            self._migrate(vm, self.another(vm), own=False)
        return CheckFacts(
            owner=vm.host,
            role_state=vm.role_state,
            busy=vm.migration is not None,
            locked=False,
            vm_state=vm.state,
            memory_bytes=vm.memory_bytes,
            destination_accepts=self._takes(destination),
            destination_why_not="" if self._takes(destination) else f"{destination} takes no roles",
            destination_free_bytes=node.free_bytes,
            destination_memory_bytes=512 * GIB,
            node_draining=self.native_on,
        )

    def _takes(self, host: HostName) -> bool:
        return host in self._others() or (self.returning and self.nodes[host].state is NodeState.UP)

    def another(self, vm: Vm) -> HostName | None:
        allowed = [name for name in self._others() if name != vm.host and name not in vm.excluded]
        return self.random.choice(allowed) if allowed else None

    def sight(self, vm_id: VmId) -> Sight:
        vm = self.vms[vm_id]
        migration = vm.migration
        if migration is None:
            return Sight(vm_id, vm.host, vm.role_state, code=vm.code)
        share = (self.now_s - migration.start_s) / max(migration.end_s - migration.start_s, 0.001)
        if migration.fate == "late" and share > 0.3:
            return Sight(vm_id, vm.host, GroupState.ONLINE)
        if migration.fate == "slow":
            passes = int(self.now_s - migration.start_s)
            return Sight(vm_id, vm.host, GroupState.PENDING, migrating=True, percent=80.0, pass_number=passes)
        percent = 42.0 if migration.fate == "sticks" else min(99.0, 100.0 * share)
        return Sight(vm_id, vm.host, GroupState.PENDING, migrating=True, percent=percent)

    def _arrival(self, vm: Vm, host: HostName) -> sg.Signal:
        at = moment(self.now_s)
        if self.host_silent(host):
            return sg.ArrivalRead(at, vm.ref.id, host, None, "host silent")
        return sg.ArrivalRead(at, vm.ref.id, host, Arrival(vm.host, vm.role_state, vm.state, vm.heartbeat))

    def node_facts(self) -> NodeFacts:
        node = self.nodes[SOURCE]
        vms = [OwnedRole(str(vm.ref.role), True) for vm in self.vms.values() if vm.host == SOURCE]
        others = [(name, kind) for name, (kind, host) in self.owned.items() if host == SOURCE]
        roles = [OwnedRole(name, False, kind is OwnedKind.CORE_GROUP) for name, kind in others]
        return NodeFacts(
            state=node.state,
            drain_status=node.drain,
            flags=NodeFlags.NORMAL,
            roles=(
                *vms,
                *(role for role, (_, kind) in zip(roles, others, strict=True) if kind is not OwnedKind.VOLUME),
            ),
            volumes=tuple(name for name, kind in others if kind is OwnedKind.VOLUME),
            others_up=tuple(self._others()),
        )

    # changes

    def _change(self, command: cmd.ChangeCommand | cmd.LeaseCommand) -> sg.Signal | None:
        lost = self.silent() or self.random.random() < self.faults.change_lost
        id = ""
        if self.signed_out():
            reply = Reply(Answered.REFUSED, "sign-in refused")
        elif lost:
            reply = TIMED_OUT
        elif within(self.faults.quota, self.now_s):
            reply = Reply(Answered.REFUSED, "the quota of shells is used up")
        elif isinstance(command, cmd.CreateLease | cmd.RenewLease | cmd.RemoveLease):
            self.leases.refuses = self.faults.lease_refused
            reply, id = self.leases.carry_out(command)
        elif isinstance(command, cmd.ReadLease):
            raise TypeError("a read is no change")
        else:
            reply = self._carry_out(command)
        if not lost and self.random.random() < self.faults.answer_lost:
            reply = TIMED_OUT
        return answer(command, reply, id, moment(self.now_s))

    def _carry_out(self, command: cmd.ChangeCommand) -> Reply:
        match command:
            case cmd.StartMove(vm, destination, live):
                if live is not (self.vms[vm].state == 2) and not command.quick:
                    self.violations.append(f"{self.vms[vm].ref.name} was started the wrong way (live: {live})")
                return self._start(self.vms[vm], destination)
            case cmd.CancelMove(vm):
                self.cancels.append((self.now_s, vm))
                migration = self.vms[vm].migration
                if migration is None:
                    return Reply(Answered.REFUSED, "nothing pending", 5023)
                if self.random.random() >= self.faults.cancel_ignored:
                    migration.fate, migration.end_s = "fails", self.now_s + 1.0
            case cmd.ForceOwner(vm, host=host):
                self._force(self.vms[vm], host)
            case cmd.MoveOwned(_, name, destination):
                self.owned[name] = (self.owned[name][0], destination)
            case cmd.SetSetting(name, value, original):
                self._set(name, value, original)
            case _:
                return self._at_source(command)
        return OK

    def _at_source(self, command: cmd.ChangeCommand) -> Reply:
        """Pause, drain flag, and the cluster's own drain."""
        source = self.nodes[SOURCE]
        match command:
            case cmd.PauseNode() | cmd.StartNativeDrain() if self.faults.pause_refused:
                return Reply(Answered.REFUSED, "access denied", 5)
            case cmd.PauseNode():
                source.state = NodeState.PAUSED
            case cmd.ResumeNode():
                source.state, source.drain = NodeState.UP, DrainStatus.NOT_INITIATED
            case cmd.CloseNode():
                if self.faults.close_refused:
                    return Reply(Answered.REFUSED, "no", 5070)
                if any(vm.host == SOURCE for vm in self.vms.values()):
                    self.violations.append("the drain flag was set on a node that was not empty")
                source.drain = DrainStatus.COMPLETED
            case cmd.StartNativeDrain():
                source.state, source.drain, self.native_on = NodeState.PAUSED, DrainStatus.IN_PROGRESS, True
            case cmd.StopNativeDrain():
                source.state, source.drain, self.native_on = NodeState.UP, DrainStatus.NOT_INITIATED, False
        return OK

    def _set(self, name: str, value: str, original: str | None) -> None:
        self.settings[name] = value
        if original is not None:
            self.originals[name] = original
        else:
            self.originals.pop(name, None)
        if name == "MaximumParallelMigrations":
            self.limit = int(value)

    def _start(self, vm: Vm, destination: HostName) -> Reply:
        if vm.migration is not None:
            if vm.migration.own and vm.migration.fate != "late":
                self.violations.append(f"{vm.ref.name} was asked to move twice at once")
            return Reply(Answered.REFUSED, "group is moving", 5908)
        if vm.host == destination:
            return OK
        self.own_starts.append((self.now_s, vm.ref.id, destination))
        if (vm.host == SOURCE) is self.returning and self.now_s - self.left_at_s.get(vm.ref.id, 0.0) > _LOOK_TO_START_S:
            self.violations.append(f"{vm.ref.name} was moved a second time, from {vm.host}")
        if destination in vm.excluded:
            self.violations.append(f"{vm.ref.name} was asked to go to {destination}, which a conflict excludes")
        if within(self.faults.no_quorum, self.now_s):
            return Reply(Answered.REFUSED, "the cluster has no quorum", 5925)
        if self.nodes[destination].state is not NodeState.UP:
            return Reply(Answered.REFUSED, "node not available", 5050)
        self._migrate(vm, destination, own=True)
        return OK

    def _force(self, vm: Vm, host: HostName) -> None:
        """Saved and restored, on the host that was named."""
        if host != vm.host and self.nodes[host].state is NodeState.UP:
            self.left_at_s[vm.ref.id], vm.host = self.now_s, host
        vm.migration = None
        self.forced.append(vm.ref.id)

    def _migrate(self, vm: Vm, destination: HostName | None, *, own: bool) -> None:
        if destination is None:
            return
        duration = self.random.uniform(3.0, 40.0)
        fate = fate_of(self.random.random(), self.faults, own=own)
        if fate in ("late", "slow"):
            duration *= 4
        vm.code = None
        vm.migration = Migration(destination, self.now_s + duration, fate, own, self.now_s, vm.state == 3)
        self._count()

    def _count(self) -> None:
        """Moves that the run can see; one that looks failed and goes on is nobody's to count."""
        on_their_way = [(vm.host, vm.migration) for vm in self.vms.values() if vm.migration is not None]
        seen = [(host, migration) for host, migration in on_their_way if migration.own and migration.fate != "late"]
        flying = [(host, migration.destination) for host, migration in seen if not migration.offline]
        self.violations.extend(too_many_off(len(seen) - len(flying)))
        self.own_in_flight_peak = max(self.own_in_flight_peak, len(flying))
        for node in {node for ends in flying for node in ends}:
            self.peak[node] = max(self.peak[node], sum(node in others for others in flying))
        self.violations.extend(self.caps.broken(flying, self.limit))
