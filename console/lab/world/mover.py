"""Moves of roles: the queue, the phases, the passes, the ends.

A live migration: set-up (connection, network candidates, destination's memory), passes of pre-copy over the shared
fabric, blackout (the rest and the hand-over), finish. Passes stop when the link would carry what is dirty within
``stop_s``, when a pass does not shrink, or at the pass cap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from console.lab.world import outcome_log
from console.lab.world.fluid import Flow
from console.lab.world.law import dirtied_bytes
from console.lab.world.moving import Move, MoveKind, Outcome, Phase, Trouble
from console.lab.world.placement import best_destination
from console.lab.world.preflight import Refusal, setup_refusal
from console.lab.world.state import Group, GroupState, NodeState, VirtualMachine, VmState
from console.lab.world.transport import choose_network, path_of
from console.lab.world.world import World

CANDIDATE_TIMEOUT_S = 20.0
"""Each network candidate that fails costs this much before Windows Server 2025."""
CANCELLED = 0x800704C7
LOCKED = 0x80071748
"""Win32 5960: the role is locked from moving, also for a drain."""
STORAGE_BYTES_PER_S = 900e6
"""How fast a quick migration saves and restores memory on a shared volume."""


class Mover:
    """Everything that moves in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.on_end: list[Callable[[Move], None]] = []
        world.on_transfer_end = self._transfer_ended
        self._by_key: dict[str, Move] = {}
        self._looking = self._look_again = False

    # -- asking -------------------------------------------------------------------------------------------------

    def request(self, group: Group, destination: str | None, kind: MoveKind, by: str, user: str = "") -> Move:
        """Queue a move; it starts at once when slots allow. The caller has checked that it may be asked for."""
        world = self.world
        number = len(world.moves) + 1
        move = Move(number, group.id, group.vm, group.owner, destination, kind, by, world.now_s)
        move.requested_by_user = user
        dice = world.dice("move", group.id, number)
        move.setup_s = dice.uniform(1.8, 3.6)
        move.finish_s = dice.uniform(0.8, 2.2)
        move.handover_s = dice.uniform(0.25, 0.6)
        world.moves.append(move)
        world.pending[group.id] = move
        group.queued = True
        self.start_what_can()
        return move

    def cancel(self, move: Move) -> bool:
        """Cancel a move that is queued, in set-up or copying. False when it is too late."""
        if move.phase is Phase.QUEUED:
            self._end(move, Outcome.CANCELLED, CANCELLED)
            return True
        if move.phase not in (Phase.SETUP, Phase.COPYING) or move.kind is not MoveKind.LIVE:
            return False
        self._leave_fabric(move)
        move.phase = Phase.CANCELLING
        pause = self.world.dice("cancel", move.number).uniform(0.8, 2.5)
        self.world.after(pause, partial(self._cancelled, move))
        return True

    def _cancelled(self, move: Move) -> None:
        if move.phase is Phase.CANCELLING:
            self._end(move, Outcome.CANCELLED, CANCELLED)

    def fail(self, move: Move, hresult: int, text: str = "") -> None:
        """End a move that is not over as failed."""
        if move.phase is not Phase.ENDED:
            self._end(move, Outcome.FAILED, hresult, text)

    # -- starting -----------------------------------------------------------------------------------------------

    def start_what_can(self) -> None:
        """Start every queued move that slots and memory allow, in order of priority, then of asking."""
        self._look_again = True
        if self._looking:
            return
        self._looking = True
        while self._look_again:
            self._look_again = False
            queued = [move for move in self.world.pending.values() if move.phase is Phase.QUEUED]
            queued.sort(key=lambda move: (-self.world.groups[move.group].priority, move.number))
            for move in queued:
                if move.phase is Phase.QUEUED:
                    self._start_if_possible(move)
        self._looking = False

    def _limit(self) -> int:
        return self.world.settings["MaximumParallelMigrations"]

    def _start_if_possible(self, move: Move) -> None:
        if move.by == "drain" and self.world.groups[move.group].locked:
            self._end(move, Outcome.FAILED, LOCKED)
            return
        live = move.kind is MoveKind.LIVE
        if live and self.world.live_on(move.source) >= self._limit():
            return
        if move.destination is None:
            found = best_destination(self.world, move, self._limit() if live else None)
            if found.refusal is not None:
                self._end(move, Outcome.FAILED, found.refusal.hresult, found.refusal.text)
            if found.host is None:
                return
            move.destination = found.host
        elif live and self.world.live_on(move.destination) >= self._limit():
            return
        self._start(move)

    def _start(self, move: Move) -> None:
        group = self.world.groups[move.group]
        group.queued = False
        group.state = GroupState.PENDING
        move.phase, move.started_s = Phase.SETUP, self.world.now_s
        outcome_log.started(self.world, group, move)
        if move.kind is MoveKind.LIVE:
            self._count(move)
            self._set_up(move)
        elif move.kind is MoveKind.QUICK:
            self._save(move)
        else:
            self.world.after(move.setup_s * 0.6, partial(self._arrive, move))

    def _count(self, move: Move) -> None:
        limits, limit = self.world.limits, self._limit()
        flying = [other for other in self.world.pending.values() if other.holds_slot]
        limits.most_in_cluster = max(limits.most_in_cluster, len(flying))
        for node in (move.source, move.destination or ""):
            here = self.world.live_on(node)
            limits.most_by_node[node] = max(limits.most_by_node.get(node, 0), here)
            if here > limit:
                limits.violations.append({"time_s": self.world.now_s, "node": node, "at_once": here, "limit": limit})
        pair = "/".join(sorted((move.source, move.destination or "")))
        both = {move.source, move.destination}
        together = sum(1 for other in flying if {other.source, other.destination} == both)
        limits.most_by_pair[pair] = max(limits.most_by_pair.get(pair, 0), together)

    def _vm(self, move: Move) -> VirtualMachine:
        assert move.vm is not None
        return self.world.vms[move.vm]

    def _set_up(self, move: Move) -> None:
        """Reserve memory, find the network, connect."""
        world, vm = self.world, self._vm(move)
        source, destination = world.hosts[move.source], world.hosts[move.destination or ""]
        move.trouble = self._take_trouble(vm)
        refusal = self._several_vms(move) or setup_refusal(world, vm, source, destination)
        choice = choose_network(world, source, destination)
        if refusal is None and choice is None:
            refusal = Refusal(0x000013AB, "No cluster network is usable to the destination.")
        delay = move.setup_s
        if choice is not None:
            move.network, move.failed_candidates = choice.network.name, choice.failed_candidates
            if source.old or destination.old:
                delay += CANDIDATE_TIMEOUT_S * choice.failed_candidates
        if refusal is None and move.trouble is not None and move.trouble.kind == "fail" and move.trouble.percent < 10:
            refusal = Refusal(move.trouble.hresult, "")
        if refusal is not None:
            world.after(delay * 0.6, partial(self._setup_failed, move, refusal))
            return
        destination.incoming_bytes[str(vm.id)] = vm.held_bytes
        world.after(delay, partial(self._copy, move))

    def _several_vms(self, move: Move) -> Refusal | None:
        """A role with more than one VM can not move live; the cluster says so in an event of its own."""
        kinds = [resource.kind for resource in self.world.resources_in(move.group)]
        if kinds.count("Virtual Machine") < 2:
            return None
        outcome_log.several_vms(self.world, self.world.groups[move.group], move)
        return Refusal(0x80004005, "The role holds more than one virtual machine.")

    def _setup_failed(self, move: Move, refusal: Refusal) -> None:
        if move.phase is Phase.SETUP:
            self._end(move, Outcome.FAILED, refusal.hresult, refusal.text)

    # -- passes -------------------------------------------------------------------------------------------------

    def _copy(self, move: Move) -> None:
        if move.phase is not Phase.SETUP:
            return
        move.phase, move.copying_s = Phase.COPYING, self.world.now_s
        move.trouble = move.trouble or self._take_trouble(self._vm(move))
        self._next_pass(move, float(self._vm(move).memory_bytes))

    def _flow(self, move: Move) -> Flow:
        world = self.world
        vm = self._vm(move)
        path = path_of(world, vm, world.hosts[move.source], world.hosts[move.destination or ""], move.network)
        move.ratio, move.transport = path.ratio, path.transport.value
        return path.flow

    def _next_pass(self, move: Move, volume_bytes: float) -> None:
        move.passes += 1
        move.pass_started_s, move.pass_volume_bytes, move.pass_done_bytes = self.world.now_s, volume_bytes, 0.0
        move.dirty_bytes = volume_bytes
        move.volumes_s.append(volume_bytes)
        self._carry(move, self._until_trouble(move, volume_bytes))

    def _until_trouble(self, move: Move, volume_bytes: float) -> float:
        """How much of the first pass goes through before the trouble strikes; all of it without one."""
        trouble = move.trouble
        if trouble is None or move.passes != 1 or not 10 <= trouble.percent < 90:
            return volume_bytes
        return volume_bytes * (trouble.percent - 10) / 80

    def _carry(self, move: Move, volume_bytes: float) -> None:
        flow = self._flow(move)
        self._by_key[move.key] = move
        self.world.fabric.start(move.key, volume_bytes / move.ratio, flow, self.world.now_s)

    def _leave_fabric(self, move: Move) -> None:
        """Take it off the fabric and account for what was carried."""
        transfer = self.world.fabric.stop(move.key)
        self._by_key.pop(move.key, None)
        if transfer is not None:
            carried = transfer.sent_bytes(self.world.now_s)
            move.wire_bytes += carried
            move.sent_bytes += carried * move.ratio

    def _transfer_ended(self, key: str) -> None:
        move = self._by_key.pop(key)
        transfer = self.world.fabric.stop(key)
        assert transfer is not None
        move.wire_bytes += transfer.volume_bytes
        carried = transfer.volume_bytes * move.ratio
        move.sent_bytes += carried
        move.pass_done_bytes += carried
        if move.phase is Phase.BLACKOUT:
            self.world.after(move.handover_s, partial(self._arrive, move))
        elif move.pass_volume_bytes - move.pass_done_bytes > 1.0:
            self._strike(move)
        else:
            self._pass_ended(move)

    def _strike(self, move: Move) -> None:
        """The trouble's moment inside the first pass."""
        trouble, move.trouble = move.trouble, None
        assert trouble is not None
        if trouble.kind == "fail":
            self._end(move, Outcome.FAILED, trouble.hresult)
            return
        self._hang(move, move.pass_volume_bytes - move.pass_done_bytes)

    def _hang(self, move: Move, rest_bytes: float) -> None:
        move.stuck = True
        flow = replace(self._flow(move), ceiling_bytes_per_s=0.0)
        self._by_key[move.key] = move
        self.world.fabric.start(move.key, rest_bytes / move.ratio, flow, self.world.now_s)

    def stick_now(self, move: Move) -> None:
        """Stop a copy where it is, for good or until :meth:`release`."""
        transfer = self.world.fabric.transfers.get(move.key)
        if transfer is not None and move.phase is Phase.COPYING:
            move.stuck = True
            flow = replace(transfer.flow, ceiling_bytes_per_s=0.0)
            self.world.fabric.replace_flow(move.key, flow, self.world.now_s)

    def release(self, move: Move) -> None:
        """Let a stuck move go on."""
        if move.stuck and move.key in self.world.fabric.transfers:
            move.stuck = False
            self.world.fabric.replace_flow(move.key, self._flow(move), self.world.now_s)

    def _pass_ended(self, move: Move) -> None:
        world, physics = self.world, self.world.scenario.physics
        vm = self._vm(move)
        seconds = world.now_s - move.pass_started_s
        dirty = dirtied_bytes(vm.law, seconds, vm.memory_bytes) if vm.state is VmState.RUNNING else 0.0
        rate = move.pass_volume_bytes / seconds if seconds > 0 else math.inf
        converged = dirty <= rate * physics.stop_s
        stalled = physics.stop_without_progress and dirty >= move.pass_volume_bytes
        if converged or stalled or move.passes >= physics.pass_cap:
            self._black_out(move, dirty)
            return
        if dirty > 0.9 * move.pass_volume_bytes:
            move.cpu_cap = min(move.cpu_cap + 20, 80)
        self._next_pass(move, dirty)

    def _black_out(self, move: Move, rest_bytes: float) -> None:
        trouble = move.trouble
        if trouble is not None and trouble.percent >= 90:
            move.trouble = None
            if trouble.kind == "fail":
                self._end(move, Outcome.FAILED, trouble.hresult)
            else:
                self._hang(move, max(rest_bytes, 1.0))
            return
        move.phase, move.blackout_started_s = Phase.BLACKOUT, self.world.now_s
        move.dirty_bytes = move.pass_volume_bytes = rest_bytes
        move.pass_started_s, move.pass_done_bytes = self.world.now_s, 0.0
        move.volumes_s.append(rest_bytes)
        self._carry(move, rest_bytes)

    # -- other kinds --------------------------------------------------------------------------------------------

    def _save(self, move: Move) -> None:
        """A quick migration: saved to the volume, restored over there, dark all the while."""
        vm = self._vm(move)
        vm.state = VmState.SAVING
        move.blackout_started_s = self.world.now_s
        seconds = 2 * vm.memory_bytes / STORAGE_BYTES_PER_S + 2.0
        move.sent_bytes = 2.0 * vm.memory_bytes
        self.world.after(seconds / 2, partial(self._saved, move, seconds / 2))

    def _saved(self, move: Move, rest_s: float) -> None:
        if move.phase is Phase.SETUP:
            vm = self._vm(move)
            destination = move.destination or ""
            if self.world.free_bytes(destination) < vm.memory_bytes:
                vm.state = VmState.RUNNING
                self._end(move, Outcome.FAILED, 0x800705AA)
                return
            vm.state = VmState.STARTING
            self.world.hosts[destination].incoming_bytes[str(vm.id)] = vm.memory_bytes
            self.world.after(rest_s, partial(self._arrive, move))

    # -- ends ---------------------------------------------------------------------------------------------------

    def _arrive(self, move: Move) -> None:
        """It is over there now; the slot stays taken until everything is tidied up."""
        if move.phase is Phase.ENDED:
            return
        world, group = self.world, self.world.groups[move.group]
        destination = world.hosts[move.destination or ""]
        if destination.state is NodeState.DOWN:
            self._end(move, Outcome.FAILED, 0x80072746)
            return
        if move.vm is not None:
            vm = self._vm(move)
            destination.incoming_bytes.pop(str(vm.id), None)
            if move.kind is not MoveKind.OFFLINE:
                vm.state = VmState.RUNNING if move.kind is MoveKind.QUICK else vm.state
                vm.arrived_s = vm.started_s = world.now_s
            world.place(vm, destination.name)
        group.owner = destination.name
        if move.blackout_started_s is not None:
            move.blackout_s = world.now_s - move.blackout_started_s
        move.phase = Phase.FINISHING
        world.after(move.finish_s if move.kind is MoveKind.LIVE else 0.2, partial(self._finished, move))

    def _finished(self, move: Move) -> None:
        if move.phase is Phase.FINISHING:
            if move.kind is MoveKind.LIVE:
                outcome_log.completed(self.world, self._vm(move), move)
            self._end(move, Outcome.COMPLETED, 0)

    def _end(self, move: Move, outcome: Outcome, hresult: int, text: str = "") -> None:
        world, group = self.world, self.world.groups[move.group]
        self._leave_fabric(move)
        if move.vm is not None and move.destination is not None:
            world.hosts[move.destination].incoming_bytes.pop(str(move.vm), None)
        was_queued = move.phase is Phase.QUEUED
        move.phase, move.outcome, move.ended_s = Phase.ENDED, outcome, world.now_s
        move.hresult = hresult
        move.message = text or (outcome_log.message_of(hresult) if hresult else "")
        world.pending.pop(group.id, None)
        group.queued = False
        settle_group(world, group)
        self._remember(move, group)
        if outcome is Outcome.FAILED and not was_queued and move.vm is not None:
            outcome_log.failed(world, self._vm(move).name, str(move.vm).upper(), move)
        for listener in self.on_end:
            listener(move)
        self.start_what_can()

    def _remember(self, move: Move, group: Group) -> None:
        for resource in self.world.resources_in(group.id):
            if resource.kind == "Virtual Machine":
                resource.last_operation_status = move.hresult

    def _take_trouble(self, vm: VirtualMachine) -> Trouble | None:
        trouble = self.world.troubles.get(vm.id)
        if trouble is None:
            return None
        trouble.times -= 1
        if trouble.times <= 0:
            del self.world.troubles[vm.id]
        return trouble


def settle_group(world: World, group: Group) -> None:
    """The group's state as it is when nothing moves it."""
    if group.vm is None:
        empty = not world.resources_of_group.get(group.id)
        group.state = GroupState.OFFLINE if empty and not group.core else GroupState.ONLINE
        return
    vm = world.vms[group.vm]
    group.state = GroupState.OFFLINE if vm.state in (VmState.OFF, VmState.SAVED) else GroupState.ONLINE
