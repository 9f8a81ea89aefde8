"""What an operator can ask of a rolling run; it travels through the journal as a drain's requests do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.model.identity import HostName

from .rolling import Approve, RetryNode, RollSignal, SkipNode, StopRoll


@dataclass(frozen=True, slots=True)
class ApproveWave:
    """Counted from 0; a press that was meant for another wave approves nothing."""

    wave: int


@dataclass(frozen=True, slots=True)
class TryNodeAgain:
    node: HostName


@dataclass(frozen=True, slots=True)
class LeaveNode:
    """Go on without it."""

    node: HostName


@dataclass(frozen=True, slots=True)
class StopRolling:
    """Bring back what is out, begin nothing more, close."""


RollRequest: TypeAlias = ApproveWave | TryNodeAgain | LeaveNode | StopRolling


def signal_of(request: RollRequest, at: datetime, by: str) -> RollSignal:
    """The request as the roll's step hears it."""
    match request:
        case ApproveWave(wave):
            return Approve(at, by, wave)
        case TryNodeAgain(node):
            return RetryNode(at, by, node)
        case LeaveNode(node):
            return SkipNode(at, by, node)
        case StopRolling():
            return StopRoll(at, by)
