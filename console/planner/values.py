"""What a plan is asked and what it answers. All times are seconds from the start of the drain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum

from console.forecast.values import MoveForecast
from console.guard import Lines, Stance
from console.model.cluster import MigrationTransport
from console.model.identity import HostName, VmId, VmRef

from .guarding import Hold
from .schedule import SharedLink


class Engine(Enum):
    PLANNED = "planned"
    """The console chooses and starts every move."""
    NATIVE = "native"
    """Suspend-ClusterNode -Drain: the cluster decides, the console forecasts and watches."""


class HeavyClass(Enum):
    """What to do with VMs that dominate the drain."""

    AS_PLANNED = "as planned"
    FIRST = "first"
    LAST = "last"
    ALONE = "alone"
    SKIP = "skip"


class SlotReading(Enum):
    """What MaximumParallelMigrations counts."""

    NODE = "node"
    """Moves that a node takes part in, in and out together (Get-Cluster reference): the stricter reading."""
    PAIR = "pair"
    """Moves between one pair of nodes."""


OFFLINE_AT_ONCE = 4
"""VMs that are off or saved, on their way out of one node at once. MaximumParallelMigrations counts live migrations
only; this number is ours, so that two hundred of them do not all start in one second."""


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """Limits that moves share besides MaximumParallelMigrations. None or absent: no such limit."""

    reading: SlotReading = SlotReading.NODE
    slots_of: Mapping[HostName, int] = field(default_factory=dict)
    """Moves at once on single nodes that differ from the rest, in and out together."""
    per_destination: int | None = None
    """Moves at once into one destination."""
    per_pair: int | None = None
    cluster_wide: int | None = None
    links: tuple[SharedLink, ...] = ()
    out_bytes_per_s: Mapping[HostName, float] = field(default_factory=dict)
    """What a node's moves may send together."""
    in_bytes_per_s: Mapping[HostName, float] = field(default_factory=dict)

    def over(self, other: SiteLimits) -> SiteLimits:
        """These limits, with what they leave open taken from ``other``."""
        open_ones = SiteLimits()
        changed = {
            each.name: getattr(other, each.name)
            for each in fields(self)
            if getattr(self, each.name) == getattr(open_ones, each.name)
        }
        return replace(self, **changed)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The operator's levers. None means: take it from the cluster."""

    engine: Engine = Engine.PLANNED
    slots: int | None = None
    """Moves at once on one node, in and out together; None: MaximumParallelMigrations."""
    smb_cap_fraction: float | None = None
    memory_reserve_fraction: float = 0.05
    """Of each destination's memory, never planned into."""
    pinned: Mapping[VmId, HostName] = field(default_factory=dict)
    """Destinations that the operator chose."""
    excluded: frozenset[VmId] = frozenset()
    """Stay behind by choice."""
    held: frozenset[VmId] = frozenset()
    """Planned, but not started until released."""
    avoided: frozenset[HostName] = frozenset()
    """Hosts that take nothing."""
    heavy: HeavyClass = HeavyClass.AS_PLANNED
    transport: MigrationTransport | None = None
    """Plan as if the drained node used this one."""
    native_target: HostName | None = None
    """Where the cluster's own drain is to send everything (-TargetNode); see :func:`console.planner.sorting.aimed`."""
    limits: SiteLimits = SiteLimits()
    guard: Lines | None = None
    """The guard that the run will have, to be foreseen; None: nothing will be held."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """A move that is under way while the rest is planned anew."""

    vm: VmId
    destination: HostName
    elapsed_s: float = 0.0
    bytes_sent: int | None = None
    """None: reckoned from the time that has passed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come when what is left is planned anew."""

    done: frozenset[VmId] = frozenset()
    """Over, one way or the other: not planned again, wherever the cluster was last seen to have them."""
    in_flight: tuple[InFlight, ...] = ()
    destinations: Mapping[VmId, HostName] = field(default_factory=dict)
    """What was planned and has not started, in planned order: kept wherever it still holds."""
    guard: Stance | None = None
    """Where the run's guard stands; None: it has not spoken."""


@dataclass(frozen=True, slots=True)
class PlannedMove:
    vm: VmRef
    source: HostName
    destination: HostName
    start_s: float
    end_s: float
    memory_bytes: int
    forecast: MoveForecast
    reason: str
    """Why this destination, in words."""
    waits_for: str = ""
    """Why it does not start at once, in words; empty when it does."""
    conflicts: tuple[str, ...] = ()
    """Codes of the conflicts of this pair."""
    takes_fraction: float = 0.0
    """Of the source's processors, what it asks for while it copies; 0 where no guard is foreseen."""


@dataclass(frozen=True, slots=True)
class NotMoved:
    """A VM that this plan leaves where it is, and why."""

    vm: VmRef
    reason: str


@dataclass(frozen=True, slots=True)
class Interruption:
    """A VM that would go over, but not live."""

    vm: VmRef
    how: str


@dataclass(frozen=True, slots=True)
class Infeasible:
    """A VM without any allowed destination, and the smallest set of rules that clash."""

    vm: VmRef
    reason: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostAfter:
    """A host's memory before and after the plan."""

    host: HostName
    memory_bytes: int | None
    memory_free_before_bytes: int | None
    memory_free_after_bytes: int | None
    vms_before: int
    vms_after: int


@dataclass(frozen=True, slots=True)
class Plan:
    node: HostName
    options: PlanOptions
    moves: tuple[PlannedMove, ...]
    """In order of start."""
    left_behind: tuple[NotMoved, ...]
    interrupted: tuple[Interruption, ...]
    infeasible: tuple[Infeasible, ...]
    after: tuple[HostAfter, ...]
    slots: int
    """The limit per drained node that this plan keeps."""
    makespan_s: float
    makespan_p90_s: float
    lower_bound_s: float
    n1_after: bool | None
    """Whether the cluster could still lose any one remaining host; None when memory is unknown."""
    notes: tuple[str, ...] = ()
    in_flight: tuple[PlannedMove, ...] = ()
    """Moves that were under way when this was planned: they began before second 0."""
    together_with: tuple[HostName, ...] = ()
    """Further nodes that the same plan empties at the same time."""
    holds: tuple[Hold, ...] = ()
    """When the guard is foreseen to let nothing start."""

    @property
    def nodes(self) -> tuple[HostName, ...]:
        """All nodes that it empties."""
        return (self.node, *self.together_with)

    @property
    def ratio(self) -> float:
        """Makespan over lower bound; 1.0 is the best that any plan could do."""
        return max(1.0, self.makespan_s / self.lower_bound_s) if self.lower_bound_s > 0 else 1.0
