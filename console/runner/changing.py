"""What a run changes. Each change is sent once; another node is tried only when it is certain that none got it."""

from __future__ import annotations

from dataclasses import dataclass

from console.drain.commands import (
    CancelMove,
    ChangeCommand,
    CloseNode,
    ForceOwner,
    MoveOwned,
    PauseNode,
    ResumeNode,
    SetSetting,
    StartMove,
    StartNativeDrain,
    StopNativeDrain,
)
from console.drain.facts import DONE, Answered, Reply
from console.drain.settings import AUTO_BALANCER, PARALLEL_MIGRATIONS, SMB_FACTOR
from console.drain.state import OwnedKind
from console.model.failures import (
    EndpointMissing,
    Failure,
    ProtocolBroken,
    Refused,
    SessionGone,
    TimedOut,
    Unreachable,
)
from console.model.identity import HostName, RoleName
from console.ports import Writer
from console.windows.catalogue import changes
from console.windows.commands import Answer, Call, Row

from .control import Circle

_NOBODY_KNOWS = (TimedOut, SessionGone, ProtocolBroken)
_NEVER_SENT = (Unreachable, Refused, EndpointMissing)


@dataclass(frozen=True)
class Hands:
    """Sends a run's changes through the node that answers for the cluster."""

    writer: Writer
    circle: Circle
    node: HostName

    async def carry_out(self, command: ChangeCommand) -> Reply:
        """Send one change; a failure is a reply, too."""
        _, reply = await self.send(call_of(command, self.node))
        return reply

    async def send(self, call: Call) -> tuple[tuple[Row, ...], Reply]:
        """What came back, and how it was answered."""
        reply = Reply(Answered.UNANSWERED, "there is no node to ask")
        for host in self.circle.order:
            try:
                answer = await self.writer.change(host, call)
            except _NOBODY_KNOWS as failure:
                self.circle.prefer_others([host])
                return (), Reply(Answered.UNANSWERED, failure.what)
            except _NEVER_SENT as failure:
                self.circle.prefer_others([host])
                reply = Reply(Answered.UNANSWERED, failure.what)
            except Failure as failure:
                code = failure.code if isinstance(failure.code, int) else None
                return (), Reply(Answered.REFUSED, failure.what, code)
            else:
                return answer.rows, _reply(answer)
        return (), reply


def call_of(command: ChangeCommand, node: HostName) -> Call:
    """The catalogue's words for a change; ``node`` is the one that is drained.

    Raises:
        ValueError: a setting that the catalogue has no word for.
    """
    match command:
        case PauseNode():
            return changes.pause_node(node)
        case CloseNode():
            return changes.drain_node(node)
        case StartNativeDrain(target):
            return changes.drain_node(node, target)
        case StopNativeDrain() | ResumeNode():
            return changes.resume_node(node)
        case StartMove():
            return _start(command)
        case CancelMove(vm):
            return changes.cancel_move(vm)
        case ForceOwner(role=role, host=host):
            return changes.move_group(role, host)
        case MoveOwned():
            return _owned(command)
        case SetSetting(name=name, value=value):
            return _setting(name, value)


def _start(command: StartMove) -> Call:
    vm, destination = command.vm, command.destination
    if command.live:
        return changes.move_vm_live(vm, destination)
    return changes.move_vm_quick(vm, destination) if command.quick else changes.move_vm_stopped(vm, destination)


def _owned(command: MoveOwned) -> Call:
    if command.kind is OwnedKind.VOLUME:
        return changes.move_shared_volume(command.name, command.destination)
    return changes.move_group(RoleName(command.name), command.destination)


def _setting(name: str, value: str) -> Call:
    if name == PARALLEL_MIGRATIONS:
        return changes.set_parallel_migrations(int(value))
    if name == SMB_FACTOR:
        return changes.set_smb_bandwidth(int(value))
    if name == AUTO_BALANCER:
        return changes.set_balancer(int(value))
    raise ValueError(f"no run changes the setting {name}")


def _reply(answer: Answer) -> Reply:
    if not answer.errors:
        return DONE
    first = answer.errors[0]
    return Reply(Answered.REFUSED, " ".join(first.message.split()), first.code)
