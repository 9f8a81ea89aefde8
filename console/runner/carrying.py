"""From the core's commands to signals: looks, changes and new plans, each answered exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from console.clock import Clock
from console.drain import commands as cmd
from console.drain import signals as sg
from console.drain.facts import Reply
from console.drain.limits import WAITING
from console.drain.state import Move, MoveState, RunState
from console.model.failures import Failure
from console.model.identity import HostName, VmId
from console.planner.values import Plan

from .actors import Actors
from .changing import Hands
from .leasing import Leases
from .looking import Lookout
from .sensing import Sensors

Task = cmd.ReadCommand | cmd.ChangeCommand | cmd.LeaseCommand
"""What can be carried out: every command but the wish to be woken."""

_ARRIVED = (MoveState.VERIFYING, MoveState.DONE)
"""Windows may still be tidying up after these: they are not others' migrations."""

Replanner = Callable[[RunState, VmId | None, HostName | None], Awaitable[Plan]]
"""Plans what is left of a run anew; raises Failure when the cluster can not be read."""


@dataclass(frozen=True)
class Executor:
    """Carries out one command at a time for whoever asks; several may be on their way."""

    lookout: Lookout
    hands: Hands
    sensors: Sensors
    leases: Leases
    replan: Replanner
    actors: Actors
    clock: Clock

    async def perform(self, command: Task, state: RunState) -> sg.Signal | None:
        """The signal that answers the command; None when there is nothing to say."""
        if isinstance(command, cmd.ReadCommand):
            return await self._read(command, state)
        if isinstance(command, cmd.LeaseCommand):
            return await self._lease(command)
        if isinstance(command, cmd.SetSetting):
            return self._answered(command, await self.leases.set(command))
        return self._answered(command, await self.hands.carry_out(command))

    async def _lease(self, command: cmd.LeaseCommand) -> sg.Signal | None:
        match command:
            case cmd.ReadLease():
                return await self.leases.read()
            case cmd.CreateLease():
                return await self.leases.create(command)
            case cmd.RenewLease():
                return await self.leases.renew(command)
            case cmd.RemoveLease():
                await self.leases.remove(command)
                return None

    async def _read(self, command: cmd.ReadCommand, state: RunState) -> sg.Signal | None:
        match command:
            case cmd.ReadNode():
                return await self._read_node()
            case cmd.ReadProgress():
                return await self._read_progress(command, state)
            case cmd.CheckMove():
                return await self._check(command, state)
            case cmd.VerifyArrival(vm, host):
                return await self._verify(state.moves[vm], host)
            case cmd.ReadCause() | cmd.ReadBlackout() | cmd.ReadActor():
                return await self._read_traces(command, state)
            case cmd.ReadStorage():
                return sg.StorageRead(self.clock.now(), await self.lookout.degraded_disks())
            case cmd.ReadSetting(name):
                return await self._read_setting(name)
            case cmd.ReadGuard():
                values = await self.sensors.read(*_places(state))
                return sg.GuardMeasured(self.clock.now(), values)
            case cmd.Replan(vm, wanted, at_once):
                return await self._replan(state, vm, wanted, at_once)

    async def _read_traces(
        self, command: cmd.ReadCause | cmd.ReadBlackout | cmd.ReadActor, state: RunState
    ) -> sg.Signal | None:
        """What the event logs kept."""
        match command:
            case cmd.ReadCause(vm, destination, since):
                event = await self.lookout.cause(state.moves[vm], destination, since)
                code = None if event is None else event.failure_code
                words = "" if event is None or code is None else f"event {event.id} on {event.computer}: 0x{code:08X}"
                return sg.CauseFound(self.clock.now(), vm, words, code)
            case cmd.ReadBlackout(vm, host, since):
                dark_s = await self.lookout.blackout_s(state.moves[vm], host, since)
                return None if dark_s is None else sg.BlackoutRead(self.clock.now(), vm, dark_s)
            case cmd.ReadActor(vm, since):
                return sg.ActorFound(self.clock.now(), vm, await self.actors.who(state.moves[vm], since))

    async def _read_node(self) -> sg.Signal:
        try:
            facts = await self.lookout.at_node()
        except Failure as failure:
            return sg.ReadFailed(self.clock.now(), str(failure))
        return sg.NodeRead(self.clock.now(), facts)

    async def _read_progress(self, command: cmd.ReadProgress, state: RunState) -> sg.Signal:
        moves = [state.moves[vm] for vm in command.vms if vm in state.moves]
        arrived = [move for move in state.moves.values() if move.state in _ARRIVED]
        began = self.clock.now()
        checks = [asyncio.create_task(self._check(each, state)) for each in command.checks]
        try:
            sights, foreign = await self.lookout.progress(moves, arrived)
            checked = tuple([await check for check in checks])
        except Failure as failure:
            return sg.ReadFailed(self.clock.now(), str(failure))
        finally:
            for check in checks:
                check.cancel()
        return sg.ProgressRead(self.clock.now(), sights, foreign, checked, began)

    async def _check(self, command: cmd.CheckMove, state: RunState) -> sg.CheckRead:
        move, destination = state.moves[command.vm], command.destination
        try:
            facts = await self.lookout.before_start(move, destination)
        except Failure as failure:
            return sg.CheckRead(self.clock.now(), move.vm.id, destination, None, str(failure))
        return sg.CheckRead(self.clock.now(), move.vm.id, destination, facts)

    async def _verify(self, move: Move, host: HostName) -> sg.Signal:
        try:
            arrival = await self.lookout.arrival(move, host)
        except Failure as failure:
            return sg.ArrivalRead(self.clock.now(), move.vm.id, host, None, str(failure))
        return sg.ArrivalRead(self.clock.now(), move.vm.id, host, arrival)

    async def _read_setting(self, name: str) -> sg.Signal:
        try:
            value = await self.lookout.setting(name)
            changed = await self.leases.changed(name)
            held_by = await self.leases.holder(changed)
        except Failure as failure:
            return sg.SettingRead(self.clock.now(), name, None, str(failure))
        return sg.SettingRead(
            self.clock.now(), name, value, original=None if changed is None else changed.original, held_by=held_by
        )

    async def _replan(self, state: RunState, vm: VmId | None, wanted: HostName | None, at_once: bool) -> sg.Signal:
        try:
            plan = await self.replan(state, vm, wanted)
        except Failure as failure:
            return sg.Replanned(self.clock.now(), None, vm, wanted, at_once, str(failure))
        return sg.Replanned(self.clock.now(), plan, vm, wanted, at_once)

    def _answered(self, command: cmd.ChangeCommand, reply: Reply) -> sg.Signal:
        at = self.clock.now()
        match command:
            case cmd.PauseNode():
                return sg.PauseAnswered(at, reply)
            case cmd.ResumeNode():
                return sg.ResumeAnswered(at, reply)
            case cmd.StartMove(vm):
                return sg.StartAnswered(at, vm, reply)
            case cmd.CancelMove(vm):
                return sg.CancelReplied(at, vm, reply)
            case cmd.ForceOwner(vm):
                return sg.ForceReplied(at, vm, reply)
            case cmd.MoveOwned(kind, name, destination):
                return sg.OwnedAnswered(at, kind, name, destination, reply)
            case cmd.CloseNode():
                return sg.CloseAnswered(at, reply)
            case cmd.SetSetting(name=name, value=value):
                return sg.SettingAnswered(at, name, value, reply)
            case cmd.StartNativeDrain() | cmd.StopNativeDrain():
                return sg.NativeAnswered(at, reply)


def _places(state: RunState) -> tuple[list[HostName], list[HostName]]:
    """The hosts that the guard looks at, and which of them are destinations: of what moves, else of what comes next."""
    flying = [move for move in state.moves.values() if move.under_way]
    coming = [move for move in state.moves.values() if move.state in WAITING][: max(state.slots, 1)]
    destinations = [move.destination for move in flying or coming if move.destination is not None]
    return [state.node, *destinations], destinations
