"""The state of a run, as the journal's events add up to it. Screens, reports and replays read only this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from console.model.identity import HostName, RoleName, RunId, VmId, VmRef
from console.planner.values import Engine, SlotReading

from .setting_state import SettingChange


class MoveState(Enum):
    PLANNED = "planned"
    QUEUED = "queued"
    """Its turn has come, a slot or the guard lets it wait."""
    CHECKING = "checking"
    """Re-read just before the start."""
    MOVING = "moving"
    VERIFYING = "verifying"
    DONE = "done"
    HELD = "held"
    BLOCKED = "blocked"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"
    """Moved by save or restart, with consent."""
    LEFT_BEHIND = "left-behind"
    UNKNOWN = "unknown"
    """Contact lost: never shown as failed."""

    @property
    def terminal(self) -> bool:
        return self in _TERMINAL

    @property
    def in_flight(self) -> bool:
        """Occupies a slot: Windows may be moving it right now."""
        return self in (MoveState.MOVING, MoveState.VERIFYING, MoveState.UNKNOWN)


_TERMINAL = frozenset(
    {
        MoveState.DONE,
        MoveState.BLOCKED,
        MoveState.FAILED,
        MoveState.SKIPPED,
        MoveState.INTERRUPTED,
        MoveState.LEFT_BEHIND,
    }
)


_MOVING, _CHECKING, _UNKNOWN = MoveState.MOVING, MoveState.CHECKING, MoveState.UNKNOWN
# Asked for every move at every step: looking a member up in its class costs more than the comparison.


class Pace(Enum):
    """The watchdog's word on a move."""

    STEADY = "steady"
    SLOW = "slow"
    """No progress of bytes, pass or percent for minutes."""
    STUCK = "stuck"


class OwnedKind(Enum):
    """What a node can own besides VMs."""

    ROLE = "role"
    VOLUME = "cluster shared volume"
    CORE_GROUP = "core group"


class Purpose(Enum):
    DRAIN = "drain"
    """Empty the node."""
    RETURN = "return"
    """Resume the node and bring VMs back to it; moves have many sources and one destination."""


class WhenStuck(Enum):
    """What becomes of a move that the watchdog calls stuck."""

    ASK = "ask"
    """Nothing happens by itself: an operator chooses from what the watchdog offers."""
    CANCEL = "cancel"
    """Nobody is there to be asked: it is cancelled, and tried once more elsewhere."""


class Phase(Enum):
    CLAIMING = "claiming"
    PAUSING = "pausing the node"
    RESUMING = "resuming the node"
    MOVING = "moving"
    VERIFYING = "verifying that the node is empty"
    CLOSING = "closing"
    ENDED = "ended"


class Outcome(Enum):
    """How a run ended; the value is the word in the drain document."""

    DRAINED = "drained"
    RETURNED = "returned"
    """A planned return: everything that was asked to come back is back."""
    STOPPED = "stopped"
    DETACHED = "detached"
    FAILED = "failed"
    BLOCKED = "blocked"
    WINDOW_CLOSED = "window_closed"
    CONTACT_LOST = "contact_lost"


@dataclass(frozen=True)
class Move:
    """One VM's way through the run."""

    vm: VmRef
    source: HostName
    destination: HostName | None
    state: MoveState
    memory_bytes: int
    forecast_p50_s: float
    forecast_p90_s: float
    blackout_forecast_s: float
    live: bool = True
    reason: str = ""
    """Why it is where it is, and for a blocked or waiting one what would unblock it."""
    attempts: int = 0
    percent: float | None = None
    pass_number: int | None = None
    rate_bytes_per_s: float | None = None
    dirty_pages: int | None = None
    bytes_sent: int | None = None
    queued_by_cluster: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progressed_at: datetime | None = None
    """When bytes, pass or percent last moved; the watchdog's question."""
    blackout_s: float | None = None
    quick: bool = False
    """Saved and restored, with consent: ends as interrupted."""
    alone: bool = False
    """Planned to have the links for itself."""
    takes_fraction: float = 0.0
    """Of its source's processors, what it asks for while it copies."""
    vm_state: int = 2
    """VMState before the move, which verification expects again."""
    heartbeat: int | None = None
    """VMHeartbeatStatus before the move; None when it was not read."""
    resource_name: str | None = None
    retries: int = 0
    """Automatic ones."""
    tried: tuple[HostName, ...] = ()
    """Destinations at which an attempt failed."""
    failure_code: int | None = None
    """HRESULT or Win32 code of the last failure, unsigned."""
    cause: str = ""
    """What the event logs say about the last failure."""
    foreign: bool = False
    """Started by something else than this run."""
    accepted: bool = False
    """Windows answered that it started this attempt."""
    cancelling: bool = False
    cancel_reason: str = ""
    """Why the run cancelled it by itself; empty when an operator did."""
    forced_to: HostName | None = None
    """The owner that an operator forced it to, which saved it."""
    checking_since: datetime | None = None
    not_before: datetime | None = None
    """Not tried again before this moment."""
    refused_since: datetime | None = None
    """Since when its checks say "not now"."""
    arrived_at: datetime | None = None
    seen_back_at: datetime | None = None
    """First seen at rest on the source while it should be moving."""
    settled: bool = False
    """Unknown, and for certain not moving: occupies no slot."""
    pace: Pace = Pace.STEADY

    @property
    def under_way(self) -> bool:
        """Windows may be moving it, or is about to be asked to. Arrived moves no longer count."""
        state = self.state
        return state is _MOVING or state is _CHECKING or (state is _UNKNOWN and not self.settled)

    @property
    def offline(self) -> bool:
        """Off or saved: only its ownership moves, beside live migrations and without one of their slots."""
        return not (self.live or self.quick)

    @property
    def occupies_slot(self) -> bool:
        """Counts against the limits of live migrations now."""
        return self.under_way and not self.offline

    @property
    def duration_s(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class OwnedItem:
    """Something else than a VM that the node owns and a drain has to move."""

    kind: OwnedKind
    name: str
    state: MoveState = MoveState.PLANNED
    destination: HostName | None = None
    """None lets the cluster choose."""
    reason: str = ""


@dataclass(frozen=True)
class GuardReading:
    """What the guard saw last, and whether it holds new starts."""

    read_at: datetime
    values: Mapping[str, float]
    """Line name → reading, in the line's own unit: "csv latency s", "missed heartbeats", …"""
    breached: tuple[str, ...] = ()
    """Sentences: which line was crossed by what."""
    holding: bool = False
    changed_at: datetime | None = None
    """When the guard last raised, lowered or held: its steps are counted from here."""


_NO_ROLE = RoleName("")


@dataclass(frozen=True)
class LeaseState:
    """This run's lease on its node."""

    name: RoleName = _NO_ROLE
    generation: int = 0
    id: str = ""
    held: bool = False
    expires_at: datetime | None = None
    """In the cluster's time."""
    confirmed_at: datetime | None = None
    """When it was last read as this run's own, in the run's time; None after a gap."""
    life_s: float = 0.0
    """0 until it was held: such a run is not fenced."""
    left_s: float = 0.0
    """Until its expiry, at ``confirmed_at``."""
    asked_at: datetime | None = None
    """Its creation is on its way."""
    answered_at: datetime | None = None
    """When a creation was last answered: a look that began before tells nothing of it."""
    waits_for: RoleName = _NO_ROLE
    waits_since: datetime | None = None
    """Another's, which is not complete, and since when it is waited for."""
    unavailable: str = ""
    lost_to: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the operator agreed to, by whom and when: kind is "interrupt", "leave-behind" or "setting"."""

    kind: str
    subject: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    text: str
    problem: bool = False


@dataclass(frozen=True)
class RunState:
    """Everything there is to know about a run."""

    run: RunId
    cluster: str
    node: HostName
    engine: Engine
    phase: Phase
    moves: Mapping[VmId, Move]
    """In planned order of start."""
    slots: int
    """The operator's ceiling now; 0 starts nothing."""
    created_at: datetime
    now: datetime
    """The time of the last event: the run's own clock."""
    paused: bool = False
    stopping: bool = False
    detached: bool = False
    outcome: Outcome | None = None
    window_ends_at: datetime | None = None
    forecast_s: float = 0.0
    """Makespan forecast at the start."""
    forecast_finish_p50_at: datetime | None = None
    forecast_finish_p90_at: datetime | None = None
    guard: GuardReading | None = None
    settings_changed: tuple[SettingChange, ...] = ()
    consents: tuple[Consent, ...] = ()
    log: tuple[LogLine, ...] = ()
    finished_at: datetime | None = None
    operator: str = ""
    left_on_node: tuple[str, ...] = field(default=())
    """At close: what the node still owns, by name."""
    per_node_limit: int = 1
    """MaximumParallelMigrations: migrations that one node takes part in, in and out together, or one pair of nodes."""
    destination_limit: int | None = None
    """Migrations into one destination at once; None: only the limit per node."""
    pair_limit: int | None = None
    """Migrations between one pair of nodes at once, either way."""
    cluster_limit: int | None = None
    """Migrations in the whole cluster at once."""
    parallel_per: SlotReading = SlotReading.NODE
    """What MaximumParallelMigrations is taken to count."""
    parallel_seen: SlotReading | None = None
    """What the cluster itself has shown that it counts."""
    when_stuck: WhenStuck = WhenStuck.ASK
    memory_reserve_fraction: float = 0.05
    pause_node: bool = True
    """False: the operator chose not to pause (storage would lose redundancy)."""
    node_paused: bool = False
    degraded_disks: tuple[str, ...] = ()
    """Virtual disks that the pause took a copy from, for the whole run."""
    smb_transport: bool = False
    busy_fraction: float = 0.0
    """Of the node's processors, when the run was planned."""
    held_by: str = ""
    """Who or what else holds the node; the run was refused."""
    contact_lost_at: datetime | None = None
    window_closed: bool = False
    forced: bool = False
    """Closed by force: nothing was changed on the cluster to close it."""
    guard_slots: int | None = None
    """What the guard allows at once; None until it has spoken."""
    foreign_in_flight: Mapping[HostName, int] = field(default_factory=dict)
    """Migrations at each node that are not this run's."""
    owned: tuple[OwnedItem, ...] = ()
    verified_empty: bool = False
    drain_flag: bool | None = None
    """Whether the cluster's own drain flag was set at the end; None before it was tried."""
    closing_as: Outcome | None = None
    """The outcome, while settings are put back."""
    pause_asked_at: datetime | None = None
    verifying_since: datetime | None = None
    late_ones_seen: bool = False
    """Whether the VMs that did not move were looked at once more."""
    closing_since: datetime | None = None
    roles_added_for: tuple[str, ...] = ()
    """Roles found on the node that the plan did not know and that were planned for (or given up)."""
    native_status: int | None = None
    """ClusterNodeDrainStatus as last read, with the native engine."""
    native_ended_at: datetime | None = None
    native_target: HostName | None = None
    """Where the cluster's own drain is asked to send everything."""
    purpose: Purpose = Purpose.DRAIN
    window_at_risk: bool = False
    """The forecast's p90 ends after the window."""
    handed_over: bool = False
    """It began with single moves, and the cluster's own drain was asked to do the rest."""
    foreign_drain: bool = False
    """The cluster's own drain works on the node, and something else asked for it: it is not this run's to stop."""
    lease: LeaseState = LeaseState()

    @property
    def allowed_slots(self) -> int:
        """Moves at once, by the operator's ceiling and the guard together."""
        return self.slots if self.guard_slots is None else min(self.slots, self.guard_slots)

    @property
    def occupied_slots(self) -> int:
        return sum(move.occupies_slot for move in self.moves.values())

    @property
    def offline_under_way(self) -> int:
        return sum(move.offline and move.under_way for move in self.moves.values())

    @property
    def in_flight(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves.values() if move.state.in_flight)

    @property
    def finished(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves.values() if move.state.terminal)
