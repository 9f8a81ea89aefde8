"""A rolling plan: every node emptied once, in waves; mostly the next node into the one that has just been done.

Follow the empty node: the least loaded node is spread over the others, each further one goes into the one before it.
That is one move a VM, and one more for the VMs of the first wave: 1 + 1/n. Wider waves need more free room and more
moves, and take less time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from console.forecast.values import Forecaster
from console.model.cluster import Cluster, DrainStatus, Host, NodeState
from console.model.identity import HostName, VmId, VmRef

from .after import survives_any_loss
from .placement import Placement
from .places import Choice, Preferences, memory_needed
from .refusals import Blocked, host_refusal
from .sorting import sort_out, with_levers
from .timing import Timed, time_moves
from .values import Infeasible, NotMoved, PlanOptions, Progress
from .words import count_text


@dataclass(frozen=True, slots=True)
class RollOptions:
    plan: PlanOptions = field(default_factory=PlanOptions)
    wave: int = 1
    """Nodes emptied at the same time, where fault domains and room allow it."""
    failback: bool = False
    """Every node gets its VMs back before the next one starts: two moves a VM, and everything is where it was."""
    service_s: float = 0.0
    """What is done to an empty node before the next wave may start."""

    def with_plan(self, plan: PlanOptions) -> RollOptions:
        return replace(self, plan=plan)


@dataclass(frozen=True, slots=True)
class RollMove:
    vm: VmRef
    source: HostName
    destination: HostName
    start_s: float
    end_s: float
    memory_bytes: int
    reason: str
    back: bool = False
    """Returns to the node that it was on."""


@dataclass(frozen=True, slots=True)
class Wave:
    nodes: tuple[HostName, ...]
    start_s: float
    empty_at_s: float
    """When its nodes are empty; service begins."""
    end_s: float
    moves: tuple[RollMove, ...]
    n1: bool | None
    """Whether the cluster could lose one more host while this wave's nodes are out; None when memory is unknown."""


@dataclass(frozen=True, slots=True)
class RollPlan:
    options: RollOptions
    waves: tuple[Wave, ...]
    vms: int
    """VMs that move at least once."""
    lower_bound_moves: float
    """Moves a VM that no order can stay under."""
    lower_bound_s: float
    """Of the window with these waves and destinations."""
    widest_wave: int
    left_behind: tuple[NotMoved, ...] = ()
    infeasible: tuple[Infeasible, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def moves_per_vm(self) -> float:
        return sum(len(wave.moves) for wave in self.waves) / self.vms if self.vms else 0.0

    @property
    def window_s(self) -> float:
        return self.waves[-1].end_s if self.waves else 0.0

    @property
    def order(self) -> tuple[tuple[HostName, ...], ...]:
        return tuple(wave.nodes for wave in self.waves)


@dataclass(frozen=True, slots=True)
class RollChoice:
    """Another way to roll, and what it costs."""

    wave: int
    failback: bool
    moves_per_vm: float
    window_s: float
    left_over: int
    """VMs that find no place in it."""


_EFFORT, _MOST_BETTERED = 4000, 2000
"""Moves simulated to better the order of a roll's waves, some 0.1 s, and the VMs of a roll that gets them."""


def plan_roll(
    cluster: Cluster,
    nodes: Sequence[HostName],
    options: RollOptions,
    forecaster: Forecaster,
    *,
    blocked: Blocked | None = None,
) -> RollPlan:
    """Plan the emptying of all ``nodes``, wave by wave.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: fewer than one node a wave, or fewer than one slot.
    """
    if options.wave < 1:
        raise ValueError(f"a wave has at least one node, got {options.wave}")
    for node in nodes:
        cluster.host_by_name[node]
    rolling = _Roll(cluster, nodes, options, forecaster, blocked)
    widest = widest_wave(cluster, nodes, options.plan)
    size = min(options.wave, widest)
    while rolling.left:
        rolling.run_wave(rolling.fitting_wave(size))
    return RollPlan(
        options=options,
        waves=tuple(rolling.waves),
        vms=len(rolling.moved),
        lower_bound_moves=_fewest_moves(cluster, nodes, options, rolling.moved),
        lower_bound_s=rolling.lower_bound_s,
        widest_wave=widest,
        left_behind=tuple(rolling.left_behind.values()),
        infeasible=tuple(rolling.infeasible.values()),
        notes=_notes(cluster, nodes, options, widest),
    )


def wave_destinations(
    cluster: Cluster,
    wave: Sequence[HostName],
    left: Sequence[HostName],
    emptied: Sequence[HostName],
    options: RollOptions,
    forecaster: Forecaster,
    *,
    blocked: Blocked | None = None,
) -> dict[VmId, HostName]:
    """Where the VMs of a wave go when a roll has come that far: as its plan would have it, from the cluster as it is.

    Args:
        left: nodes that are to be emptied still, those of the wave among them.
        emptied: nodes of the wave before: those that the VMs go to first.

    Raises:
        KeyError: the cluster has no such node.
    """
    rolling = _Roll(cluster, left, options, forecaster, blocked, emptied=tuple(emptied))
    return {choice.vm.id: choice.host for choice in rolling.place_wave(tuple(wave))}


def widest_wave(cluster: Cluster, nodes: Sequence[HostName], options: PlanOptions) -> int:
    """How many nodes may be out at once: their VMs fit elsewhere, and one more host may still be lost.

    Storage Spaces Direct keeps copies of the data on the nodes: there it is one, and storage is healthy before the
    next. A wave never has two nodes of one fault domain.
    """
    if cluster.settings.s2d_enabled:
        return 1
    hosts = [host for host in cluster.hosts if host.state is NodeState.UP]
    largest = max((host.memory_bytes or 0 for host in hosts), default=0)
    if not largest or any(host.memory_bytes is None or host.memory_free_bytes is None for host in hosts):
        return 1
    reserve = options.memory_reserve_fraction
    free = sum(max(0.0, (host.memory_free_bytes or 0) - reserve * (host.memory_bytes or 0)) for host in hosts)
    domains = {_domain(cluster.host_by_name[node]) for node in nodes}
    return max(1, min(int(free // largest) - 1, len(domains), len(nodes)))


@dataclass
class _Roll:
    """The cluster as it will be, wave after wave."""

    cluster: Cluster
    nodes: Sequence[HostName]
    options: RollOptions
    forecaster: Forecaster
    blocked: Blocked | None
    waves: list[Wave] = field(default_factory=list)
    moved: set[VmId] = field(default_factory=set)
    left_behind: dict[VmId, NotMoved] = field(default_factory=dict)
    infeasible: dict[VmId, Infeasible] = field(default_factory=dict)
    lower_bound_s: float = 0.0
    now_s: float = 0.0
    emptied: tuple[HostName, ...] = ()

    def __post_init__(self) -> None:
        self.left = list(dict.fromkeys(self.nodes))
        self.load = {
            host.name: sum(memory_needed(vm) for vm in self.cluster.vms_on(host.name)) for host in self.cluster.hosts
        }
        moving = sum(len(self.cluster.vms_on(node)) for node in self.left)
        self.effort = _EFFORT // max(1, len(self.left)) if moving <= _MOST_BETTERED else 0
        self.place_of = {vm.id: place for place, vm in enumerate(self.cluster.vms)}

    def next_wave(self, size: int) -> tuple[HostName, ...]:
        """The least loaded nodes, one of each fault domain."""
        wave: list[HostName] = []
        domains: set[str] = set()
        for node in self._by_load():
            domain = _domain(self.cluster.host_by_name[node])
            if len(wave) < size and domain not in domains:
                wave.append(node)
                domains.add(domain)
        return tuple(wave)

    def _by_load(self) -> list[HostName]:
        return sorted(self.left, key=lambda node: (self.load[node], node))

    def fitting_wave(self, size: int) -> tuple[HostName, ...]:
        """Like :meth:`next_wave`, but no node leaves with another one without which some VM has nowhere to go: two
        nodes with the only processors of a family, say."""
        wave = self.next_wave(size)
        if len(wave) == 1 or not self._homeless(wave):
            return wave
        kept: list[HostName] = []
        domains: set[str] = set()
        hopeless: frozenset[VmId] = frozenset()
        for node in self._by_load()[: 2 * size]:
            domain = _domain(self.cluster.host_by_name[node])
            if len(kept) == size or domain in domains:
                continue
            alone = hopeless | self._homeless((node,))
            if not kept or self._homeless((*kept, node)) <= alone:
                kept.append(node)
                domains.add(domain)
                hopeless = alone
        return tuple(kept)

    def _homeless(self, wave: tuple[HostName, ...]) -> frozenset[VmId]:
        """VMs without a place if these left now; nothing is changed."""
        tried = _Roll(self.cluster, self.left, self.options, self.forecaster, self.blocked, emptied=self.emptied)
        tried.place_wave(wave)
        return frozenset(tried.infeasible)

    def run_wave(self, wave: tuple[HostName, ...]) -> None:
        before = self.cluster
        choices = self.place_wave(wave)
        out = time_moves(before, choices, self.options.plan, self.forecaster, effort=self.effort)
        empty_at_s = self.now_s + out.makespan_s
        served_at_s = empty_at_s + self.options.service_s
        moves = _moves(out, self.now_s, back=False)
        end_s, bound_s = served_at_s, out.lower_bound_s + self.options.service_s
        n1 = survives_any_loss(before, frozenset(wave), choices, self.options.plan.memory_reserve_fraction)
        if self.options.failback:
            back = self._way_back(choices)
            home = time_moves(self.cluster, back, self.options.plan, self.forecaster, effort=self.effort)
            self._apply(back)
            moves += _moves(home, served_at_s, back=True)
            end_s += home.makespan_s
            bound_s += home.lower_bound_s
        self._take_back(wave)
        self.waves.append(Wave(wave, self.now_s, empty_at_s, end_s, moves, n1))
        self.lower_bound_s += bound_s
        self.now_s = end_s
        self.left = [node for node in self.left if node not in wave]
        self.emptied = () if self.options.failback else wave

    def _take_back(self, wave: tuple[HostName, ...]) -> None:
        """A node that is done is in service: also one that was paused, or drained already, when the roll began."""
        hosts = tuple(_in_service(host) if host.name in wave else host for host in self.cluster.hosts)
        self.cluster = replace(self.cluster, hosts=hosts)

    def place_wave(self, wave: tuple[HostName, ...]) -> list[Choice]:
        choices: list[Choice] = []
        for number, node in enumerate(wave):
            found = self._drain(node, wave, number)
            choices += found
            self._apply(found)
        return choices

    def _drain(self, node: HostName, wave: tuple[HostName, ...], number: int) -> list[Choice]:
        plan = self.options.plan
        held_to = {vm: host for vm, host in plan.pinned.items() if host not in wave}
        options = replace(plan, avoided=plan.avoided | (frozenset(wave) - {node}), pinned=held_to)
        asked = with_levers(self.cluster, node, options)
        movable, left, infeasible = sort_out(asked, node, options, Progress())
        placement = Placement(asked, (node,), options, self.blocked, preferences=Preferences(tier=self._tiers(number)))
        choices = placement.place(movable)
        self.moved.update(choice.vm.id for choice in choices)
        self.left_behind |= {each.vm.id: each for each in left}
        self.infeasible |= {each.vm.id: each for each in (*infeasible, *placement.infeasible)}
        return choices

    def _tiers(self, number: int) -> dict[HostName, int]:
        """The node's partner among those just emptied, the other emptied ones, then those that are not to be emptied
        any more, at last those that are: what goes there moves again. With failback all are alike."""
        if self.options.failback:
            return {}
        tiers = {host.name: 2 for host in self.cluster.hosts}
        tiers |= dict.fromkeys(self.left, 3)
        tiers |= dict.fromkeys(self.emptied, 1)
        if self.emptied:
            tiers[self.emptied[number % len(self.emptied)]] = 0
        return tiers

    def _way_back(self, choices: Sequence[Choice]) -> list[Choice]:
        return [
            Choice(self.cluster.vms[self.place_of[choice.vm.id]], choice.vm.host, "back to where it was")
            for choice in choices
        ]

    def _apply(self, choices: Sequence[Choice]) -> None:
        """The cluster once these moves are over."""
        vms = list(self.cluster.vms)
        gained: dict[HostName, int] = {}
        for choice in choices:
            place = self.place_of[choice.vm.id]
            need = memory_needed(choice.vm)
            for host, sign in ((vms[place].host, -1), (choice.host, 1)):
                gained[host] = gained.get(host, 0) + sign * need
            vms[place] = replace(vms[place], host=choice.host)
        for name, more in gained.items():
            self.load[name] = self.load.get(name, 0) + more
        hosts = tuple(_with_less_free(host, gained.get(host.name, 0)) for host in self.cluster.hosts)
        self.cluster = replace(self.cluster, hosts=hosts, vms=tuple(vms))


def _with_less_free(host: Host, gained: int) -> Host:
    if not gained or host.memory_free_bytes is None:
        return host
    return replace(host, memory_free_bytes=host.memory_free_bytes - gained)


def _in_service(host: Host) -> Host:
    if host.state is not NodeState.PAUSED:
        return host
    return replace(host, state=NodeState.UP, drain_status=DrainStatus.NOT_INITIATED)


def _domain(host: Host) -> str:
    """A node without a fault domain is one of its own."""
    return f"domain {host.fault_domain}" if host.fault_domain else f"node {host.name}"


def _moves(timed: Timed, from_s: float, *, back: bool) -> tuple[RollMove, ...]:
    moves = [
        RollMove(
            choice.vm.ref,
            choice.vm.host,
            choice.host,
            from_s + slot.start_s,
            from_s + slot.end_s,
            choice.vm.memory_bytes,
            choice.reason,
            back,
        )
        for choice, slot in zip(timed.choices, timed.slots, strict=True)
    ]
    return tuple(sorted(moves, key=lambda move: move.start_s))


def _fewest_moves(cluster: Cluster, nodes: Sequence[HostName], options: RollOptions, moved: set[VmId]) -> float:
    """Every VM moves once. Whatever node is the first, its VMs go to a node that is emptied later, and move again,
    unless there is a host that is not."""
    if options.failback:
        return 2.0 if moved else 0.0
    rolled = set(nodes)
    spare = [
        host for host in cluster.hosts
        if host.name not in rolled and host_refusal(host, options.plan.avoided) is None
    ]  # fmt: skip
    if not moved or spare:
        return 1.0 if moved else 0.0
    first = min(sum(vm.id in moved for vm in cluster.vms_on(node)) for node in rolled)
    return 1.0 + first / len(moved)


def _notes(cluster: Cluster, nodes: Sequence[HostName], options: RollOptions, widest: int) -> tuple[str, ...]:
    notes = ["Each wave waits for approval, and starts only while storage is healthy."]
    if cluster.settings.s2d_enabled and len(nodes) > 1:
        notes.append("Storage Spaces Direct keeps copies of the data on the nodes: one node at a time.")
    if options.wave > widest:
        notes.append(
            f"{count_text(options.wave, 'node')} at a time are not possible: {count_text(widest, 'node')} at the most"
            " leave room for their VMs and for the loss of one more host, and share no fault domain."
        )
    return tuple(notes)
