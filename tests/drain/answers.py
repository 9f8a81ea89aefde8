"""The signals with which the small world answers."""

from __future__ import annotations

from datetime import datetime

from console.drain import commands as cmd
from console.drain import signals as sg
from console.drain.facts import Reply


def unread(command: cmd.ReadCommand | cmd.ReadLease, at: datetime, why: str) -> sg.Signal | None:
    """Nobody answers."""
    match command:
        case cmd.CheckMove(vm, destination):
            return sg.CheckRead(at, vm, destination, None, why)
        case cmd.VerifyArrival(vm, host):
            return sg.ArrivalRead(at, vm, host, None, why)
        case cmd.ReadSetting(name):
            return sg.SettingRead(at, name, None, why)
        case cmd.Replan(vm, wanted, at_once):
            return sg.Replanned(at, None, vm, wanted, at_once, why)
        case cmd.ReadNode() | cmd.ReadProgress() | cmd.ReadLease():
            return sg.ReadFailed(at, f"no node answers: {why}")
    return None


def answer(command: cmd.ChangeCommand | cmd.LeaseCommand, reply: Reply, id: str, at: datetime) -> sg.Signal | None:
    """How a change was taken; ``id`` is that of a group that was created."""
    match command:
        case cmd.StartMove(vm):
            return sg.StartAnswered(at, vm, reply)
        case cmd.CancelMove(vm):
            return sg.CancelReplied(at, vm, reply)
        case cmd.ForceOwner(vm):
            return sg.ForceReplied(at, vm, reply)
        case cmd.MoveOwned(kind, name, destination):
            return sg.OwnedAnswered(at, kind, name, destination, reply)
        case cmd.SetSetting(name, value):
            return sg.SettingAnswered(at, name, value, reply)
        case cmd.CreateLease(name):
            return sg.LeaseCreated(at, name, reply, id)
        case cmd.RenewLease(name):
            return sg.LeaseWritten(at, name, reply)
    return _of_node(command, reply, at)


def _of_node(command: cmd.ChangeCommand | cmd.LeaseCommand, reply: Reply, at: datetime) -> sg.Signal | None:
    match command:
        case cmd.PauseNode():
            return sg.PauseAnswered(at, reply)
        case cmd.ResumeNode():
            return sg.ResumeAnswered(at, reply)
        case cmd.CloseNode():
            return sg.CloseAnswered(at, reply)
        case cmd.StartNativeDrain() | cmd.StopNativeDrain():
            return sg.NativeAnswered(at, reply)
    return None
