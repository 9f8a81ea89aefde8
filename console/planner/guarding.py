"""The guard, foreseen: moves that compress take processors, and over its line a run starts nothing more.

A schedule with this in it is simulated as the run would go, by the guard's own law (``console.guard``). A run reads
every two seconds, at moments that nobody knows beforehand; so what is over the line is found after the mean of one
second, and the last reading that finds it is one before it ends.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from console.forecast.priors import Priors
from console.guard import Lines, Stance, Verdict, judged
from console.model.cluster import Host
from console.model.identity import HostName

from .words import duration_text, percent_text

PRIORS = Priors()
LOOK_S = 2.0
"""Between two readings, as a run takes them while something moves."""
_ALMOST = 1e-6


@dataclass(frozen=True)
class Watch:
    """What is known of the hosts whose processors the guard minds."""

    lines: Lines
    ceilings: Mapping[HostName, int]
    """Moves at once of each drained node; each has a guard of its own."""
    processors: Mapping[HostName, float]
    """Logical processors; a host that is missing is not watched."""
    busy: Mapping[HostName, float]
    """Fraction that is busy without any of these moves."""
    stance: Stance | None = None
    """Where the guards stand at the beginning; None: they have not spoken."""
    toil_factor: float = 1.0
    """On what moves are believed to ask of processors."""
    read_after_s: float = LOOK_S / 2
    """How long a load is over the line before a reading finds it: what is over for a shorter time slips through."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A time in which a guard lets nothing start."""

    node: HostName
    """The drained one."""
    host: HostName
    """The one whose processors are over the line."""
    start_s: float
    end_s: float
    fraction: float
    """Of its processors, at the worst."""


@dataclass(frozen=True)
class Guarded:
    """The same as plain numbers, of moves by index and hosts by index."""

    watch: Watch
    hosts: list[HostName]
    homes: list[int]
    """Host of each guard."""
    guard_of: list[int]
    ends: list[tuple[int, int]]
    """Source and destination of each move."""
    takes: list[tuple[float, float]]
    """Fraction of their processors for each byte per second, while it copies."""
    guests: list[tuple[float, float]]
    """Fraction that the guest keeps busy at either end."""
    after_s: list[float]
    """The last of its seconds, in which it copies nothing."""
    busy: list[float]
    line: float


@dataclass
class _Guard:
    """One drained node's, in the course of a simulation."""

    ceiling: int
    allowed: int
    holding: bool
    changed_s: float
    flying: int = 0
    over: int = -1
    """The host that is over the line now."""
    over_since_s: float = 0.0
    load: float = 0.0
    hold: Hold | None = None
    """The one that goes on."""
    let_go: bool = False
    """Whether it lets start at this instant what it held until now."""


@dataclass
class Guards:
    """All guards of one simulation, from its first second on."""

    known: Guarded
    holds: list[Hold] = field(default_factory=list)

    def __post_init__(self) -> None:
        lines, stance = self.known.watch.lines, self.known.watch.stance
        ceilings = [self.known.watch.ceilings[self.known.hosts[home]] for home in self.known.homes]
        self.busy = list(self.known.busy)
        self._guards = [_Guard(most, most, False, -lines.raise_after_s) for most in ceilings]
        if stance is not None:
            for guard in self._guards:
                guard.allowed, guard.holding = min(stance.allowed, guard.ceiling), stance.holding
                guard.changed_s = -(stance.still_s or 0.0)

    def lets(self, move: int) -> bool:
        guard = self._guards[self.known.guard_of[move]]
        return not guard.holding and guard.flying < guard.allowed

    @property
    def closed(self) -> bool:
        """Whether nothing may start at all."""
        return all(guard.holding or guard.flying >= guard.allowed for guard in self._guards)

    def keeps_back(self, move: int) -> bool:
        """Whether what starts now had to wait for the guard."""
        guard = self._guards[self.known.guard_of[move]]
        return guard.let_go or guard.allowed < guard.ceiling

    def started(self, move: int) -> None:
        self._guards[self.known.guard_of[move]].flying += 1

    def ended(self, move: int) -> None:
        """The guest goes on working at the other end."""
        self._guards[self.known.guard_of[move]].flying -= 1
        (source, destination), (there, here) = self.known.ends[move], self.known.guests[move]
        self.busy[source] = max(0.0, self.busy[source] - there)
        self.busy[destination] += here

    def see(self, active: Sequence[int], rates: Mapping[int, float], now_s: float) -> None:
        """How busy the hosts are from now on, until the next event. Only what copies takes one over the line."""
        known, line = self.known, self.known.line
        loads: dict[int, float] = {}
        for move, rate in rates.items():
            source, destination = known.ends[move]
            out, into = known.takes[move]
            loads[source] = loads.get(source, min(self.busy[source], line)) + out * rate
            loads[destination] = loads.get(destination, min(self.busy[destination], line)) + into * rate
        for place, guard in enumerate(self._guards):
            over, guard.load, guard.let_go = -1, line + _ALMOST, False
            for host in loads if len(self._guards) == 1 else self._taking_part(place, active) & loads.keys():
                if loads[host] > guard.load:
                    over, guard.load = host, loads[host]
            if guard.over < 0 <= over:
                guard.over_since_s = now_s
            guard.over = over

    def _taking_part(self, place: int, active: Sequence[int]) -> set[int]:
        known = self.known
        return {known.homes[place], *(known.ends[move][1] for move in active if known.guard_of[move] == place)}

    def next_s(self, now_s: float) -> float:
        """Seconds to the next reading that changes anything."""
        return min((self._due_s(guard, now_s) for guard in self._guards), default=math.inf) - now_s

    def _due_s(self, guard: _Guard, now_s: float) -> float:
        lines = self.known.watch.lines
        if guard.over >= 0:
            return math.inf if guard.holding else max(now_s, guard.over_since_s + self.known.watch.read_after_s)
        if guard.holding:
            return max(now_s, guard.changed_s + lines.calm_s)
        if guard.allowed < guard.ceiling:
            return max(now_s, guard.changed_s + lines.raise_after_s)
        return math.inf

    def read(self, now_s: float) -> None:
        """The readings of the time until now, with loads as they were seen at its beginning."""
        for place, guard in enumerate(self._guards):
            if guard.over >= 0 and guard.holding:
                guard.changed_s = max(guard.changed_s, now_s - LOOK_S / 2)
                self._tell(place, guard)
            elif self._due_s(guard, now_s) <= now_s + _ALMOST:
                self._judge(place, guard, now_s)

    def _judge(self, place: int, guard: _Guard, now_s: float) -> None:
        stance = Stance(guard.allowed, guard.holding, now_s - guard.changed_s + _ALMOST)
        verdict, guard.allowed = judged(self.known.watch.lines, stance, guard.ceiling, over=guard.over >= 0)
        if verdict is Verdict.STEADY:
            return
        guard.changed_s, guard.holding = now_s, verdict is Verdict.BREACHED
        guard.let_go = not guard.holding
        if guard.holding:
            self._tell(place, guard)
        elif guard.hold is not None:
            self.holds.append(replace(guard.hold, end_s=now_s))
            guard.hold = None

    def _tell(self, place: int, guard: _Guard) -> None:
        load, known = min(1.0, guard.load), self.known
        if guard.hold is None:
            node = known.hosts[known.homes[place]]
            guard.hold = Hold(node, known.hosts[guard.over], guard.changed_s, math.inf, load)
        elif load > guard.hold.fraction:
            guard.hold = replace(guard.hold, host=known.hosts[guard.over], fraction=load)


def watch_of(
    hosts: Iterable[Host],
    lines: Lines,
    nodes: Iterable[HostName],
    slots: int,
    taken: Mapping[HostName, float],
    stance: Stance | None,
) -> Watch:
    """What the guards of these nodes will see.

    Args:
        taken: logical processors that moves which are under way take at the moment: they come again as moves.
    """
    known = {host.name: host for host in hosts if host.logical_processors}
    processors = {name: float(host.logical_processors or 1) for name, host in known.items()}
    busy = {
        name: max(0.0, (host.cpu_fraction or 0.0) - taken.get(name, 0.0) / processors[name])
        for name, host in known.items()
    }
    return Watch(lines, dict.fromkeys(nodes, slots), processors, busy, stance)


def notes_on_busy(hosts: Iterable[Host], taking_part: Collection[HostName], lines: Lines) -> tuple[str, ...]:
    """In words: which hosts are over the guard's line without any move; how long they will be, nobody knows."""
    line = 1.0 if lines.host_cpu_fraction is None else lines.host_cpu_fraction
    return tuple(
        f"{host.name}'s processors are {percent_text(host.cpu_fraction)} busy now, over the guard's line of"
        f" {percent_text(line)}: nothing starts while they are. The times do not count that."
        for host in hosts
        if host.name in taking_part and host.cpu_fraction is not None and host.cpu_fraction > line
    )


def notes_on_holds(holds: Sequence[Hold], lines: Lines) -> tuple[str, ...]:
    """In words: what the guard will hold, how long, and why."""
    if not holds or lines.host_cpu_fraction is None:
        return ()
    worst = max(holds, key=lambda hold: hold.fraction)
    held_s = sum(hold.end_s - hold.start_s for hold in holds)
    times = "once," if len(holds) == 1 else f"{len(holds)} times,"
    line, load = percent_text(lines.host_cpu_fraction), percent_text(worst.fraction)
    return (
        f"The guard will hold new starts {times} for about {duration_text(held_s)}: moves that compress take"
        f" {worst.host} to {load} of its processors, over its line of {line}. The moves are put in the order in which"
        " that costs least.",
    )


def may_matter(known: Guarded, streams: Sequence[float]) -> bool:
    """Whether the guards stand in the way already, or so many moves at once could take a host over the line."""
    watch = known.watch
    most = sum(watch.ceilings[known.hosts[home]] for home in known.homes)
    if watch.stance is not None and (watch.stance.holding or watch.stance.allowed < most):
        return True
    loads: dict[int, list[float]] = {}
    busy = list(known.busy)
    for ends, shares, guests, rate in zip(known.ends, known.takes, known.guests, streams, strict=True):
        busy[ends[1]] += guests[1]
        for end, share in zip(ends, shares, strict=True):
            if share > 0:
                loads.setdefault(end, []).append(share * rate)
    return any(
        min(busy[host], known.line) + sum(sorted(each, reverse=True)[:most]) > known.line + _ALMOST
        for host, each in loads.items()
    )
