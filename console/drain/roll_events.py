"""What happened in a rolling run: node after node drained, worked on, and taken back. Kept like a run's events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from console.model.identity import HostName, RunId, VmId

from .state import Consent, Outcome


@dataclass(frozen=True, slots=True)
class NodeForecast:
    """What the rolling plan foresaw for one node; seconds from the start of the roll."""

    node: HostName
    moves: int
    start_s: float
    empty_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class RollOpened:
    """The order, and what is done at each node."""

    at: datetime
    roll: RunId
    cluster: str
    waves: tuple[tuple[HostName, ...], ...]
    failback: bool = False
    """Every node gets its VMs back before the next wave; else the next node empties into this one."""
    approve: bool = True
    """Somebody has to say yes before each wave but the first."""
    hook: tuple[str, ...] = ()
    """Program and arguments, run for each empty node; empty: nothing is run."""
    hook_timeout_s: float = 3600.0
    operator: str = ""
    consents: tuple[Consent, ...] = ()
    """Given once, for every drain of the roll."""
    slots: int | None = None
    excluded: tuple[VmId, ...] = ()
    """Stay behind by choice."""
    avoided: tuple[HostName, ...] = ()
    forecast: tuple[NodeForecast, ...] = ()
    continues: str = ""
    """The stopped roll whose rest this one is; empty: none."""
    window_ends_at: datetime | None = None
    """The end of the maintenance window: no further node begins after it."""


@dataclass(frozen=True, slots=True)
class WaveApproved:
    at: datetime
    wave: int
    by: str


@dataclass(frozen=True, slots=True)
class WaveBegan:
    at: datetime
    wave: int


@dataclass(frozen=True, slots=True)
class NodeDrainIntended:
    """The drain's run has this id; whoever finds it in the journal joins it instead of starting a second."""

    at: datetime
    node: HostName
    run: RunId


@dataclass(frozen=True, slots=True)
class NodeForecastRevised:
    """When the run that is on for a node will be over, as it sees it now: its drain, or its return."""

    at: datetime
    node: HostName
    p50_at: datetime
    p90_at: datetime


@dataclass(frozen=True, slots=True)
class NodeDrainEnded:
    at: datetime
    node: HostName
    outcome: Outcome
    moved: int = 0
    """VMs that the run moved."""


@dataclass(frozen=True, slots=True)
class HookIntended:
    at: datetime
    node: HostName


@dataclass(frozen=True, slots=True)
class HookEnded:
    at: datetime
    node: HostName
    exit_status: int | None
    """None: it did not end in time, could not be started, or nobody saw its end."""
    told: str = ""
    """The last of what it printed, or why there is no status."""


@dataclass(frozen=True, slots=True)
class ResumeIntended:
    at: datetime
    node: HostName


@dataclass(frozen=True, slots=True)
class NodeResumed:
    at: datetime
    node: HostName


@dataclass(frozen=True, slots=True)
class ReturnIntended:
    """The planned failback: the VMs that left go back."""

    at: datetime
    node: HostName
    run: RunId


@dataclass(frozen=True, slots=True)
class ReturnEnded:
    at: datetime
    node: HostName
    outcome: Outcome
    moved: int = 0


@dataclass(frozen=True, slots=True)
class ReturnOmitted:
    """The node is in service; its VMs, or the rest of them, stay where they run."""

    at: datetime
    node: HostName
    reason: str


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """The roll stands until somebody tries again, skips the node or stops."""

    at: datetime
    node: HostName
    reason: str


@dataclass(frozen=True, slots=True)
class NodeRetried:
    at: datetime
    node: HostName
    by: str


@dataclass(frozen=True, slots=True)
class NodeSkipped:
    at: datetime
    node: HostName
    reason: str


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """Quorum, storage and the other nodes; recorded when it changes."""

    at: datetime
    well: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollStopRequested:
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class RollWindowAtRisk:
    """The forecast's p90 of the whole roll ends this long after the window."""

    at: datetime
    late_s: float


@dataclass(frozen=True, slots=True)
class RollWindowSafe:
    at: datetime


@dataclass(frozen=True, slots=True)
class RollWindowClosed:
    """No further node begins, no hook and no return starts; what moves finishes, what is out comes back."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RollRefused:
    """A request that can not be followed, and why."""

    at: datetime
    request: str
    reason: str


@dataclass(frozen=True, slots=True)
class RollRecovered:
    at: datetime


@dataclass(frozen=True, slots=True)
class RollClosed:
    at: datetime
    done: int
    skipped: int
    stopped: bool


RollEvent: TypeAlias = (
    RollOpened
    | WaveApproved
    | WaveBegan
    | NodeDrainIntended
    | NodeForecastRevised
    | NodeDrainEnded
    | HookIntended
    | HookEnded
    | ResumeIntended
    | NodeResumed
    | ReturnIntended
    | ReturnEnded
    | ReturnOmitted
    | NodeFailed
    | NodeRetried
    | NodeSkipped
    | HealthSeen
    | RollStopRequested
    | RollWindowAtRisk
    | RollWindowSafe
    | RollWindowClosed
    | RollRefused
    | RollRecovered
    | RollClosed
)
