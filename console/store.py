"""What the console knows now, and who wants to hear of it: pure, without a widget and without a clock of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Flag, auto

from console.checks.values import Findings
from console.diagnose.symptoms import DoctorReport
from console.drain.roll_state import RollState
from console.drain.state import RunState
from console.inventory.progress import ReadingProgress
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId

GUARD_HISTORY = 240
"""Readings kept of each of the guard's lines: eight minutes at one every two seconds."""


class Topic(Flag):
    """What changed; a subscriber asks for the union it shows."""

    CLUSTER = auto()
    RUN = auto()
    FINDINGS = auto()
    PROBLEMS = auto()
    ROLL = auto()
    ALL = CLUSTER | RUN | FINDINGS | PROBLEMS | ROLL


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong and stays until it was read."""

    source: str
    text: str
    first_at: datetime
    last_at: datetime
    times: int = 1
    read: bool = False


Subscriber = Callable[[Topic], None]


class Store:
    """The newest values of one cluster and one run. Not thread-safe: touch it on the screen's own loop only."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None
        self.run: RunState | None = None
        self.roll: RollState | None = None
        """The cluster's newest rolling run."""
        self.roll_drains: Mapping[RunId, RunState] = {}
        """The runs of the nodes that are out in it."""
        self.findings: Findings | None = None
        self.findings_at: datetime | None = None
        """When the facts were read that the findings rest on."""
        self.detailed: set[HostName | None] = set()
        """Of whose VMs the cluster has the finer facts; with None in it, of all."""
        self.report: DoctorReport | None = None
        """What the doctor last found."""
        self.reading: ReadingProgress | None = None
        """How far the first reading is."""
        self.guard_history: dict[str, deque[float]] = {}
        self.rate_history: deque[float] = deque(maxlen=GUARD_HISTORY)
        """All moves' bytes per second together, one value an event."""
        self._problems: dict[tuple[str, str], Problem] = {}
        self._subscribers: list[tuple[Topic, Subscriber]] = []

    def subscribe(self, topics: Topic, subscriber: Subscriber) -> Callable[[], None]:
        """Be told of changes; returns the way to stop it."""
        entry = (topics, subscriber)
        self._subscribers.append(entry)

        def leave() -> None:
            if entry in self._subscribers:
                self._subscribers.remove(entry)

        return leave

    def put_cluster(self, cluster: Cluster) -> None:
        """Take a newer snapshot, and its own problems with it."""
        self.cluster = cluster
        changed = Topic.CLUSTER
        for source, text in _problems_of(cluster):
            changed |= self._note(source, text, cluster.read_at)
        self._tell(changed)

    def put_reading(self, progress: ReadingProgress) -> None:
        """Hear how far a reading is; only before the first snapshot is there somebody who waits for it."""
        self.reading = progress
        if self.cluster is None:
            self._tell(Topic.CLUSTER)

    def put_run(self, run: RunState | None) -> None:
        """Take a newer state of the run; the same object again tells nobody."""
        if run is self.run:
            return
        if run is None or self.run is None or run.run != self.run.run:
            self.guard_history.clear()
            self.rate_history.clear()
        if run is not None:
            self._remember_guard(run)
            if self.run is None or self.run.now != run.now:
                self.rate_history.append(sum(move.rate_bytes_per_s or 0.0 for move in run.in_flight))
        self.run = run
        self._tell(Topic.RUN)

    def put_roll(self, roll: RollState | None, drains: Mapping[RunId, RunState]) -> None:
        """Take a newer state of the rolling run; the same objects again tell nobody."""
        old = self.roll_drains
        if roll is self.roll and len(drains) == len(old) and all(drains[run] is old.get(run) for run in drains):
            return
        self.roll, self.roll_drains = roll, drains
        self._tell(Topic.ROLL)

    def put_findings(self, findings: Findings, at: datetime | None = None) -> None:
        """Take what the checks found; ``at`` is when their facts were read."""
        self.findings = findings
        self.findings_at = at
        self._tell(Topic.FINDINGS)

    def add_problem(self, source: str, text: str, at: datetime) -> None:
        """Note a problem; one that is known already only counts up and becomes unread again."""
        key = (source, text)
        known = self._problems.get(key)
        if known is None:
            self._problems[key] = Problem(source, text, at, at)
        else:
            self._problems[key] = replace(known, last_at=at, times=known.times + 1, read=False)
        self._tell(Topic.PROBLEMS)

    def mark_problems_read(self) -> None:
        self._problems = {key: replace(problem, read=True) for key, problem in self._problems.items()}
        self._tell(Topic.PROBLEMS)

    def knows_details(self, node: HostName | None) -> bool:
        """Whether the finer facts of this node's VMs (None: of all) were read."""
        return bool({node, None} & self.detailed)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Newest first."""
        return tuple(sorted(self._problems.values(), key=lambda problem: problem.last_at, reverse=True))

    @property
    def unread(self) -> int:
        return sum(not problem.read for problem in self._problems.values())

    @property
    def open_roll(self) -> RollState | None:
        """The rolling run that is not closed."""
        return None if self.roll is None or self.roll.closed else self.roll

    @property
    def run_is_on(self) -> bool:
        return self.run is not None and self.run.outcome is None

    def age_s(self, now: datetime) -> float | None:
        """Seconds since the cluster was read; None before the first time."""
        return None if self.cluster is None else max(0.0, (now - self.cluster.read_at).total_seconds())

    def _note(self, source: str, text: str, at: datetime) -> Topic:
        """A snapshot repeats its problems each time it is read: only a new one is news."""
        key = (source, text)
        known = self._problems.get(key)
        if known is None:
            self._problems[key] = Problem(source, text, at, at)
            return Topic.PROBLEMS
        self._problems[key] = replace(known, last_at=at)
        return Topic(0)

    def _remember_guard(self, run: RunState) -> None:
        if run.guard is None or (self.run is not None and self.run.guard == run.guard):
            return
        values: Mapping[str, float] = run.guard.values
        for line, value in values.items():
            self.guard_history.setdefault(line, deque(maxlen=GUARD_HISTORY)).append(value)

    def _tell(self, changed: Topic) -> None:
        for topics, subscriber in tuple(self._subscribers):
            if topics & changed:
                subscriber(changed)


def _problems_of(cluster: Cluster) -> list[tuple[str, str]]:
    own = [(cluster.name, text) for text in cluster.problems]
    return own + [(host.name, text) for host in cluster.hosts for text in host.problems]
