"""One move of a role: its phases and what is known of it while it runs and afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class MoveKind(StrEnum):
    """VmMigrationType's words where there is one."""

    LIVE = "Live"
    QUICK = "Quick"
    OFFLINE = "Offline"
    """No guest memory to carry: an off VM, a saved one, any role that is not a VM's."""


class Phase(StrEnum):
    QUEUED = "queued"
    SETUP = "setup"
    COPYING = "copying"
    BLACKOUT = "blackout"
    FINISHING = "finishing"
    CANCELLING = "cancelling"
    ENDED = "ended"


class Outcome(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Trouble:
    """Something that will go wrong with the next move of a VM."""

    kind: str
    """"stuck" or "fail"."""
    percent: float
    hresult: int
    times: int = 1


@dataclass(slots=True)
class Move:
    """A move, from request to end. Moments in seconds of the world; bytes of guest memory unless said otherwise."""

    number: int
    group: UUID
    vm: UUID | None
    source: str
    destination: str | None
    """None while the cluster has not chosen yet."""
    kind: MoveKind
    by: str
    """"user", "drain", "failback", "balancer" or "foreign"."""
    requested_s: float
    phase: Phase = Phase.QUEUED
    started_s: float | None = None
    copying_s: float | None = None
    ended_s: float | None = None
    setup_s: float = 0.0
    finish_s: float = 0.0
    handover_s: float = 0.0
    passes: int = 0
    pass_started_s: float = 0.0
    pass_volume_bytes: float = 0.0
    pass_done_bytes: float = 0.0
    """Of this pass, carried before the transfer that is on now (a pass may be cut in two by a trouble)."""
    dirty_bytes: float = 0.0
    """Found dirty when the pass that is on began."""
    sent_bytes: float = 0.0
    """Guest memory carried in the passes that are over."""
    wire_bytes: float = 0.0
    ratio: float = 1.0
    transport: str = ""
    network: str = ""
    blackout_started_s: float | None = None
    blackout_s: float | None = None
    outcome: Outcome | None = None
    hresult: int = 0
    message: str = ""
    failed_candidates: int = 0
    cpu_cap: int = 0
    stuck: bool = False
    trouble: Trouble | None = None
    requested_by_user: str = ""
    """Who asked, as the wire signed them in."""
    volumes_s: list[float] = field(default_factory=list)
    """Bytes of each pass, for the truth."""

    @property
    def key(self) -> str:
        """Its name in the fabric; sorts in order of number."""
        return f"move-{self.number:08d}"

    @property
    def in_flight(self) -> bool:
        return self.phase not in (Phase.QUEUED, Phase.ENDED)

    @property
    def holds_slot(self) -> bool:
        return self.kind is MoveKind.LIVE and self.in_flight
