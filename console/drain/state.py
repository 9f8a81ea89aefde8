"""The state of a run, as the journal's events add up to it. Screens, reports and replays read only this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from console.model.identity import HostName, RunId, VmId, VmRef
from console.planner.values import Engine


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


class Phase(Enum):
    CLAIMING = "claiming"
    PAUSING = "pausing the node"
    MOVING = "moving"
    VERIFYING = "verifying that the node is empty"
    CLOSING = "closing"
    ENDED = "ended"


class Outcome(Enum):
    """How a run ended; the value is the word in the drain document."""

    DRAINED = "drained"
    STOPPED = "stopped"
    DETACHED = "detached"
    FAILED = "failed"
    BLOCKED = "blocked"
    WINDOW_CLOSED = "window_closed"
    CONTACT_LOST = "contact_lost"


@dataclass(frozen=True, slots=True)
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

    @property
    def duration_s(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class GuardReading:
    """What the guard saw last, and whether it holds new starts."""

    read_at: datetime
    values: Mapping[str, float]
    """Line name → reading, in the line's own unit: "csv latency s", "missed heartbeats", …"""
    breached: tuple[str, ...] = ()
    """Sentences: which line was crossed by what."""
    holding: bool = False


@dataclass(frozen=True, slots=True)
class SettingChange:
    name: str
    before: str
    after: str
    restored: bool = False


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

    @property
    def in_flight(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves.values() if move.state.in_flight)

    @property
    def finished(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves.values() if move.state.terminal)
