"""What happened in a run. The journal keeps these and nothing else; state is what they add up to.

Intents (``…Intended``) are written before an effect, outcomes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from console.model.identity import HostName, RunId
from console.planner.values import Engine, SlotReading

from .lease_events import LeaseEvent
from .move_events import MoveEvent
from .setting_events import ParallelMeaningSeen as ParallelMeaningSeen
from .setting_events import SettingChanged as SettingChanged
from .setting_events import SettingFailed as SettingFailed
from .setting_events import SettingIntended as SettingIntended
from .setting_events import SettingNotRestored as SettingNotRestored
from .setting_events import SettingRestored as SettingRestored
from .state import Consent, Move, Outcome, OwnedItem, OwnedKind, Purpose, WhenStuck


@dataclass(frozen=True, slots=True)
class RunOpened:
    """The plan's facts, the limits and what the operator agreed to; everything a fold starts from."""

    at: datetime
    run: RunId
    cluster: str
    node: HostName
    engine: Engine
    moves: tuple[Move, ...]
    slots: int
    per_node_limit: int
    destination_limit: int | None = None
    memory_reserve_fraction: float = 0.05
    pause_node: bool = True
    smb_transport: bool = False
    window_ends_at: datetime | None = None
    forecast_s: float = 0.0
    forecast_p90_s: float = 0.0
    consents: tuple[Consent, ...] = ()
    operator: str = ""
    purpose: Purpose = Purpose.DRAIN
    pair_limit: int | None = None
    cluster_limit: int | None = None
    parallel_per: SlotReading = SlotReading.NODE
    when_stuck: WhenStuck = WhenStuck.ASK
    busy_fraction: float = 0.0
    native_target: HostName | None = None
    """Where the cluster's own drain sends everything; None: it chooses."""


@dataclass(frozen=True, slots=True)
class NodeClaimed:
    """The node was re-read and nobody else is draining it."""

    at: datetime
    already_paused: bool = False


@dataclass(frozen=True, slots=True)
class NodeRefused:
    """Something else holds the node, or it can not be drained now."""

    at: datetime
    reason: str
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class PauseIntended:
    at: datetime


@dataclass(frozen=True, slots=True)
class NodePaused:
    at: datetime
    by_run: bool = True


@dataclass(frozen=True, slots=True)
class PauseFailed:
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class OwnedFound:
    """Roles, shared volumes and core groups that the node still owns."""

    at: datetime
    items: tuple[OwnedItem, ...]


@dataclass(frozen=True, slots=True)
class RolesFound:
    """VM roles on the node that the plan did not know; they are planned for once."""

    at: datetime
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnedMoveIntended:
    at: datetime
    kind: OwnedKind
    name: str
    destination: HostName | None = None


@dataclass(frozen=True, slots=True)
class OwnedMoved:
    at: datetime
    kind: OwnedKind
    name: str
    destination: HostName | None = None


@dataclass(frozen=True, slots=True)
class OwnedMoveFailed:
    at: datetime
    kind: OwnedKind
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContactLost:
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ContactRegained:
    at: datetime


@dataclass(frozen=True, slots=True)
class ForeignMigrationsSeen:
    """Migrations at each node that are not this run's; they count against its limit."""

    at: datetime
    counts: Mapping[HostName, int]


@dataclass(frozen=True, slots=True)
class SlotsChanged:
    at: datetime
    slots: int
    by: str


@dataclass(frozen=True, slots=True)
class StartsPaused:
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class StartsContinued:
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """An operator's request that can not be followed, and why."""

    at: datetime
    request: str
    reason: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Detached:
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class CloseForced:
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """The maintenance window ended: nothing new starts, what moves goes on."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GuardRead:
    """Line name → reading, in the line's own unit."""

    at: datetime
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class GuardBreached:
    at: datetime
    lines: tuple[str, ...]
    """Sentences: which line was crossed by what."""
    slots: int


@dataclass(frozen=True, slots=True)
class GuardCalmed:
    """Calm again; starts go on with ``slots`` at once."""

    at: datetime
    slots: int


@dataclass(frozen=True, slots=True)
class GuardRaised:
    """Additive increase: calm for long enough to allow one more."""

    at: datetime
    slots: int


@dataclass(frozen=True, slots=True)
class ForecastRevised:
    at: datetime
    finish_p50_at: datetime
    finish_p90_at: datetime


@dataclass(frozen=True, slots=True)
class VerificationBegan:
    """All moves are settled; the node is read again to see what it still owns."""

    at: datetime


@dataclass(frozen=True, slots=True)
class LateOnesSeen:
    """Every VM that did not move was looked at once more: what had arrived after all is known."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NodeVerifiedEmpty:
    """No group, no shared volume, no core group is left on the node."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NodeNotEmpty:
    at: datetime
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DrainFlagIntended:
    """Suspend-ClusterNode -Drain on the empty node, so that others see it drained."""

    at: datetime


@dataclass(frozen=True, slots=True)
class DrainFlagSet:
    at: datetime


@dataclass(frozen=True, slots=True)
class DrainFlagRefused:
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class NativeDrainIntended:
    """Suspend-ClusterNode -Drain: the cluster decides what moves when."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NativeDrainRead:
    """ClusterNodeDrainStatus: 0 not initiated, 1 in progress, 2 completed, 3 failed."""

    at: datetime
    status: int


@dataclass(frozen=True, slots=True)
class ClosingBegan:
    """How the run will end; settings are put back first."""

    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunRecovered:
    """A new runner took the run over after the earlier one was gone."""

    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A sentence for the log that changes nothing else."""

    at: datetime
    text: str
    problem: bool = False


@dataclass(frozen=True, slots=True)
class RunClosed:
    at: datetime
    outcome: Outcome
    left_on_node: tuple[str, ...] = field(default=())


RunEvent: TypeAlias = (
    RunOpened
    | NodeClaimed
    | NodeRefused
    | PauseIntended
    | NodePaused
    | PauseFailed
    | OwnedFound
    | RolesFound
    | OwnedMoveIntended
    | OwnedMoved
    | OwnedMoveFailed
    | ContactLost
    | ContactRegained
    | ForeignMigrationsSeen
    | SlotsChanged
    | StartsPaused
    | StartsContinued
    | RequestRefused
    | StopRequested
    | Detached
    | CloseForced
    | WindowClosed
    | GuardRead
    | GuardBreached
    | GuardCalmed
    | GuardRaised
    | SettingIntended
    | SettingChanged
    | SettingFailed
    | SettingRestored
    | SettingNotRestored
    | ParallelMeaningSeen
    | ForecastRevised
    | VerificationBegan
    | LateOnesSeen
    | NodeVerifiedEmpty
    | NodeNotEmpty
    | DrainFlagIntended
    | DrainFlagSet
    | DrainFlagRefused
    | NativeDrainIntended
    | NativeDrainRead
    | ClosingBegan
    | RunRecovered
    | Noted
    | RunClosed
)

Event: TypeAlias = RunEvent | MoveEvent | LeaseEvent
"""Everything that a journal can hold."""
