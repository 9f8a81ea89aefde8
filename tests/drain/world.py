"""A small cluster in virtual time that carries out the core's commands, with faults and with its own book of truth.

It is the judge too: whatever breaks a limit or asks twice is written to :attr:`World.violations`.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from console.drain import commands as cmd
from console.drain import signals as sg
from console.drain.facts import (
    Answered,
    Arrival,
    CheckFacts,
    NodeFacts,
    OwnedRole,
    Reply,
    Sight,
)
from console.drain.state import OwnedKind
from console.model.cluster import DrainStatus, GroupState, NodeFlags, NodeState
from console.model.identity import HostName, RoleName, VmId, VmRef
from console.model.units import GIB

EPOCH = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
SOURCE = HostName("HV01")
OK = Reply(Answered.DONE)


def moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


@dataclass
class Migration:
    destination: HostName
    end_s: float
    fate: str = "arrives"
    """arrives, fails, sticks"""
    own: bool = True
    percent: float = 0.0
    start_s: float = 0.0


@dataclass
class Vm:
    ref: VmRef
    host: HostName
    memory_bytes: int
    state: int = 2
    heartbeat: int | None = 6
    migration: Migration | None = None
    role_state: GroupState = GroupState.ONLINE
    code: int | None = None


@dataclass
class Node:
    name: HostName
    free_bytes: int
    state: NodeState = NodeState.UP
    drain: DrainStatus = DrainStatus.NOT_INITIATED
    silent: bool = False


@dataclass
class Faults:
    """Chances, each between 0 and 1, and where a fault belongs to a moment, seconds from the start."""

    move_fails: float = 0.0
    move_sticks: float = 0.0
    answer_lost: float = 0.0
    """A change is carried out and nobody learns it."""
    change_lost: float = 0.0
    """A change never arrives, and nobody learns that either."""
    foreign: float = 0.0
    """At a look, another tool starts a move."""
    silent: tuple[tuple[float, float], ...] = ()
    """Stretches in which no node answers."""
    node_dies: tuple[tuple[float, HostName], ...] = ()
    host_silent: tuple[tuple[float, float, HostName], ...] = ()
    busy_csv: tuple[tuple[float, float], ...] = ()
    heartbeat_never: frozenset[VmId] = frozenset()
    close_refused: bool = False
    pause_refused: bool = False
    codes: tuple[int, ...] = (0x80070534, 0x8007274C, 0x8009030E, 5957, 0x80004005)


@dataclass
class World:
    random: random.Random
    nodes: dict[HostName, Node]
    vms: dict[VmId, Vm]
    faults: Faults = field(default_factory=Faults)
    owned: dict[str, tuple[OwnedKind, HostName]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    limit: int = 2
    now_s: float = 0.0
    peak: Counter[HostName] = field(default_factory=Counter)
    own_starts: list[tuple[float, VmId, HostName]] = field(default_factory=list)
    cancels: list[tuple[float, VmId]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    own_in_flight_peak: int = 0

    # time

    def advance(self, to_s: float) -> None:
        """Finish every migration whose moment has come."""
        self.now_s = max(self.now_s, to_s)
        for at, name in self.faults.node_dies:
            if at <= self.now_s and self.nodes[name].state is NodeState.UP:
                self._die(name)
        for vm in self.vms.values():
            if vm.migration is not None and vm.migration.fate != "sticks" and vm.migration.end_s <= self.now_s:
                self._end(vm, vm.migration)

    def _die(self, name: HostName) -> None:
        self.nodes[name].state = NodeState.DOWN
        for vm in self.vms.values():
            if vm.migration is not None and vm.migration.destination == name:
                vm.migration, vm.code = None, 5050
            elif vm.host == name:
                up = [node.name for node in self.nodes.values() if node.state is NodeState.UP]
                vm.host = up[0] if up else vm.host

    def _end(self, vm: Vm, migration: Migration) -> None:
        if migration.fate == "arrives":
            vm.host = migration.destination
            self.nodes[migration.destination].free_bytes -= vm.memory_bytes
            if vm.ref.id in self.faults.heartbeat_never:
                vm.heartbeat = 2
        else:
            vm.code = self.random.choice(self.faults.codes)
        vm.migration = None

    def silent(self) -> bool:
        return any(start <= self.now_s < end for start, end in self.faults.silent)

    def host_silent(self, host: HostName) -> bool:
        return self.nodes[host].state is NodeState.DOWN or any(
            start <= self.now_s < end and host == name for start, end, name in self.faults.host_silent
        )

    # commands

    def perform(self, command: cmd.Command) -> sg.Signal | None:
        """Carry a command out now; the answer's moment is filled in by whoever delivers it."""
        at = moment(self.now_s)
        if isinstance(command, cmd.ReadCommand):
            return self._read(command, at)
        if isinstance(command, cmd.WaitUntil):
            return None
        return self._change(command, at)

    def _read(self, command: cmd.ReadCommand, at: datetime) -> sg.Signal | None:
        if self.silent():
            if isinstance(command, cmd.CheckMove):
                return sg.CheckRead(at, command.vm, command.destination, None, "no answer")
            if isinstance(command, cmd.VerifyArrival):
                return sg.ArrivalRead(at, command.vm, command.host, None, "no answer")
            if isinstance(command, cmd.ReadNode | cmd.ReadProgress):
                return sg.ReadFailed(at, "no node answers")
            return None
        match command:
            case cmd.ReadNode():
                return sg.NodeRead(at, self.node_facts())
            case cmd.CheckMove(vm, destination):
                return sg.CheckRead(at, vm, destination, self._check(self.vms[vm], destination))
            case cmd.ReadProgress(vms):
                return sg.ProgressRead(at, tuple(self.sight(vm) for vm in vms))
            case cmd.VerifyArrival(vm, host):
                return self._arrival(at, self.vms[vm], host)
            case cmd.ReadCause(vm):
                code = self.vms[vm].code
                return sg.CauseFound(at, vm, f"error {code}" if code else "", code)
            case cmd.ReadSetting(name):
                return sg.SettingRead(at, name, self.settings.get(name))
            case cmd.ReadGuard():
                busy = any(start <= self.now_s < end for start, end in self.faults.busy_csv)
                return sg.GuardMeasured(at, {"csv latency s": 0.2 if busy else 0.004})
            case cmd.ReadBlackout(vm):
                return sg.BlackoutRead(at, vm, 0.7)
            case cmd.Replan(vm, wanted, at_once):
                return sg.Replanned(at, None, vm, wanted, at_once, "no planner here")

    def _check(self, vm: Vm, destination: HostName) -> CheckFacts:
        node = self.nodes[destination]
        if self.random.random() < self.faults.foreign and vm.migration is None:
            self._migrate(vm, self._another(vm.host), own=False)
        return CheckFacts(
            owner=vm.host,
            role_state=vm.role_state,
            busy=vm.migration is not None,
            locked=False,
            vm_state=vm.state,
            memory_bytes=vm.memory_bytes,
            destination_accepts=node.state is NodeState.UP,
            destination_why_not="" if node.state is NodeState.UP else f"{destination} is down",
            destination_free_bytes=node.free_bytes,
            destination_memory_bytes=512 * GIB,
        )

    def _another(self, host: HostName) -> HostName:
        return self.random.choice([n.name for n in self.nodes.values() if n.name != host and n.name != SOURCE])

    def sight(self, vm_id: VmId) -> Sight:
        vm = self.vms[vm_id]
        migration = vm.migration
        if migration is None:
            return Sight(vm_id, vm.host, vm.role_state, code=vm.code)
        share = (self.now_s - migration.start_s) / max(migration.end_s - migration.start_s, 0.001)
        percent = 42.0 if migration.fate == "sticks" else min(99.0, 100.0 * share)
        return Sight(vm_id, vm.host, GroupState.PENDING, migrating=True, percent=percent)

    def _arrival(self, at: datetime, vm: Vm, host: HostName) -> sg.Signal:
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
            roles=(*vms, *(role for role, (_, kind) in zip(roles, others, strict=True) if kind is not OwnedKind.VOLUME)),
            volumes=tuple(name for name, kind in others if kind is OwnedKind.VOLUME),
            others_up=tuple(n.name for n in self.nodes.values() if n.name != SOURCE and n.state is NodeState.UP),
        )

    # changes

    def _change(self, command: cmd.ChangeCommand, at: datetime) -> sg.Signal:
        arrives = not self.silent() and self.random.random() >= self.faults.change_lost
        reply = self._carry_out(command) if arrives else Reply(Answered.UNANSWERED, "timed out")
        if self.silent() or (arrives and self.random.random() < self.faults.answer_lost):
            reply = Reply(Answered.UNANSWERED, "timed out")
        return self._answer(command, at, reply)

    def _answer(self, command: cmd.ChangeCommand, at: datetime, reply: Reply) -> sg.Signal:
        match command:
            case cmd.PauseNode():
                return sg.PauseAnswered(at, reply)
            case cmd.StartMove(vm):
                return sg.StartAnswered(at, vm, reply)
            case cmd.CancelMove(vm):
                return sg.CancelReplied(at, vm, reply)
            case cmd.MoveOwned(kind, name, destination):
                return sg.OwnedAnswered(at, kind, name, destination, reply)
            case cmd.CloseNode():
                return sg.CloseAnswered(at, reply)
            case cmd.SetSetting(name, value):
                return sg.SettingAnswered(at, name, value, reply)
            case cmd.StartNativeDrain() | cmd.StopNativeDrain():
                return sg.NativeAnswered(at, reply)

    def _carry_out(self, command: cmd.ChangeCommand) -> Reply:
        match command:
            case cmd.PauseNode():
                if self.faults.pause_refused:
                    return Reply(Answered.REFUSED, "access denied", 5)
                self.nodes[SOURCE].state = NodeState.PAUSED
            case cmd.StartMove(vm, destination):
                return self._start(self.vms[vm], destination)
            case cmd.CancelMove(vm):
                self.cancels.append((self.now_s, vm))
                migration = self.vms[vm].migration
                if migration is None:
                    return Reply(Answered.REFUSED, "nothing pending", 5023)
                migration.fate, migration.end_s = "fails", self.now_s + 1.0
            case cmd.MoveOwned(_, name, destination):
                self.owned[name] = (self.owned[name][0], destination)
            case cmd.CloseNode():
                if self.faults.close_refused:
                    return Reply(Answered.REFUSED, "no", 5070)
                if any(vm.host == SOURCE for vm in self.vms.values()):
                    self.violations.append("the drain flag was set on a node that was not empty")
                self.nodes[SOURCE].drain = DrainStatus.COMPLETED
            case cmd.SetSetting(name, value):
                self.settings[name] = value
            case cmd.StartNativeDrain() | cmd.StopNativeDrain():
                pass
        return OK

    def _start(self, vm: Vm, destination: HostName) -> Reply:
        if vm.migration is not None:
            if vm.migration.own:
                self.violations.append(f"{vm.ref.name} was asked to move twice at once")
            return Reply(Answered.REFUSED, "group is moving", 5908)
        if vm.host == destination:
            return OK
        self.own_starts.append((self.now_s, vm.ref.id, destination))
        if self.nodes[destination].state is not NodeState.UP:
            return Reply(Answered.REFUSED, "node not available", 5050)
        self._migrate(vm, destination, own=True)
        return OK

    def _migrate(self, vm: Vm, destination: HostName, *, own: bool) -> None:
        duration = self.random.uniform(3.0, 40.0)
        draw = self.random.random()
        fails = draw < self.faults.move_fails
        sticks = not fails and draw < self.faults.move_fails + self.faults.move_sticks
        fate = "fails" if fails else "sticks" if sticks else "arrives"
        vm.code = None
        vm.migration = Migration(destination, self.now_s + duration, fate, own, start_s=self.now_s)
        self._count()

    def _count(self) -> None:
        flying = [vm for vm in self.vms.values() if vm.migration is not None and vm.migration.own]
        self.own_in_flight_peak = max(self.own_in_flight_peak, len(flying))
        per_node: Counter[HostName] = Counter()
        for vm in flying:
            if vm.migration is not None:
                per_node[vm.host] += 1
                per_node[vm.migration.destination] += 1
        for node, count in per_node.items():
            self.peak[node] = max(self.peak[node], count)


def make_world(seed: int, vms: int = 12, nodes: int = 4, faults: Faults | None = None, limit: int = 2) -> World:
    """A cluster whose first node holds ``vms`` VMs."""
    dice = random.Random(seed)
    names = [HostName(f"HV{number:02d}") for number in range(1, nodes + 1)]
    machines = {}
    for number in range(vms):
        ref = VmRef(VmId(f"{number:08d}-0000-0000-0000-000000000000"), f"vm-{number}", RoleName(f"vm-{number}"))
        off = dice.random() < 0.1
        vm = Vm(ref, SOURCE, dice.choice([2, 4, 8, 16]) * GIB, 3 if off else 2, None if off else 6)
        if off:
            vm.role_state = GroupState.OFFLINE
        machines[ref.id] = vm
    world = World(dice, {name: Node(name, 400 * GIB) for name in names}, machines, faults or Faults(), limit=limit)
    world.owned = {
        "files": (OwnedKind.ROLE, SOURCE),
        "Cluster Disk 1": (OwnedKind.VOLUME, SOURCE),
        "Cluster Group": (OwnedKind.CORE_GROUP, SOURCE),
    }
    world.settings = {"MaximumParallelMigrations": str(limit), "SMBBandwidthLimitFactor": "2500"}
    return world


def fresh(signal: sg.Signal, at_s: float) -> sg.Signal:
    """The signal as it is delivered: stamped with the moment of its delivery."""
    return replace(signal, at=moment(at_s))
