"""What an operator can ask of a run that goes on. Requests travel through the journal, from any console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from console.model.identity import HostName, VmId


@dataclass(frozen=True, slots=True)
class PauseStarts:
    """Start nothing new until :class:`ContinueStarts`; what moves goes on."""


@dataclass(frozen=True, slots=True)
class ContinueStarts:
    pass


@dataclass(frozen=True, slots=True)
class SetSlots:
    """The operator's ceiling of moves at once; 0 starts nothing, lowering cancels nothing."""

    slots: int


@dataclass(frozen=True, slots=True)
class SetBandwidthCap:
    """SMBBandwidthLimitFactor, hundredths of a percent; needs consent and the SMB transport."""

    factor: int


@dataclass(frozen=True, slots=True)
class HoldMove:
    vm: VmId


@dataclass(frozen=True, slots=True)
class ReleaseMove:
    vm: VmId


@dataclass(frozen=True, slots=True)
class RetryMove:
    """Try a failed, blocked or skipped one again, elsewhere if ``destination`` is given."""

    vm: VmId
    destination: HostName | None = None


@dataclass(frozen=True, slots=True)
class CancelMove:
    """Cancel a move in flight."""

    vm: VmId


@dataclass(frozen=True, slots=True)
class ForceBack:
    """Force a stuck move's VM to a known good owner by Move-ClusterGroup, which saves it; the consent is this request.

    Without ``host`` to its source.
    """

    vm: VmId
    host: HostName | None = None


@dataclass(frozen=True, slots=True)
class SkipMove:
    """Leave one VM where it is."""

    vm: VmId


@dataclass(frozen=True, slots=True)
class StopRun:
    """Finish what is in flight, start nothing more, close."""


@dataclass(frozen=True, slots=True)
class DetachRun:
    """Leave at once; what moves goes on by itself."""


@dataclass(frozen=True, slots=True)
class CloseByForce:
    """End the run's record and change nothing on the cluster."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Let the cluster's own drain do the rest; the run goes on watching."""

    anyway: bool = False
    """Also when it will move VMs that this run would not: held, skipped, blocked or left behind."""
    interrupts: tuple[VmId, ...] = ()
    """VMs that the asker was told the cluster would save and restore: the consent is this request."""


OperatorRequest: TypeAlias = (
    PauseStarts
    | ContinueStarts
    | SetSlots
    | SetBandwidthCap
    | HoldMove
    | ReleaseMove
    | RetryMove
    | CancelMove
    | ForceBack
    | SkipMove
    | StopRun
    | DetachRun
    | CloseByForce
    | HandOver
)
