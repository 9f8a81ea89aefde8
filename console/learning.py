"""What the journal and the hosts' event logs tell of finished moves, and what an operator wants forgotten."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from console.drain import move_events as mv
from console.drain.events import Event, RunOpened
from console.drain.fold import fold
from console.drain.requests import OperatorRequest
from console.drain.state import Move, MoveState, RunState
from console.forecast.forecaster import PriorForecaster
from console.forecast.history import Learned
from console.forecast.values import MoveForecast
from console.journal.ledger import Follower, Ledger, runs_of
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable, Trouble
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName, RunId, VmId
from console.model.past import FinishedMove, Pass, Past
from console.paths import Paths
from console.private import private_folder

PAGE_BYTES = 4096
MOST_RUNS = 200
"""Of the journal, the latest ones."""
_SAME_MOVE = timedelta(seconds=180)
"""A run sees that a move is over a little later than the hosts write it down."""


def moves_of_journal(journal: Journal, cluster: str | None, most: int = MOST_RUNS) -> list[FinishedMove]:
    """Every live migration that a run of this cluster (of any, with None) finished.

    Raises:
        JournalUnusable: the file can not be read now.
    """
    ledger = runs_of(journal)
    runs = (_told(events) for run in ledger.names()[:most] if (events := _whole(ledger, run)))
    return [move for name, moves in runs if cluster in (None, name) for move in moves]


def moves_of_run(events: Sequence[Event]) -> list[FinishedMove]:
    """The live migrations that one run finished, in its own words."""
    state = fold(events)
    passes = _passes(events)
    done = [move for move in state.moves.values() if _tells(move)]
    return [_finished(move, state, done, tuple(passes.get(move.vm.id, ()))) for move in done]


def _tells(move: Move) -> bool:
    """Only moves that this run saw from start to end: an adopted one began earlier than it was seen."""
    arrived = move.state is MoveState.DONE and move.live and not move.foreign and move.attempts <= 1
    return arrived and move.destination is not None and (move.duration_s or 0) > 0


def _finished(move: Move, state: RunState, done: Sequence[Move], passes: tuple[Pass, ...]) -> FinishedMove:
    assert move.destination is not None, "a finished move has one"
    assert move.finished_at is not None, "a finished move has one"
    return FinishedMove(
        move.vm.id, move.vm.name, state.run, move.source, move.destination, move.memory_bytes, move.finished_at,
        move.duration_s, move.blackout_s, move.bytes_sent, _sharing(move, done), passes,
    )  # fmt: skip


def _sharing(move: Move, done: Sequence[Move]) -> int:
    """Moves under way at once while this one was, averaged over its time."""
    assert move.started_at is not None, "its duration is known"
    assert move.finished_at is not None, "its duration is known"
    overlap = 0.0
    for other in done:
        if other.started_at is not None and other.finished_at is not None:
            begin, end = max(move.started_at, other.started_at), min(move.finished_at, other.finished_at)
            overlap += max(0.0, (end - begin).total_seconds())
    return max(1, round(overlap / (move.duration_s or 1.0)))


def _passes(events: Iterable[Event]) -> dict[VmId, list[Pass]]:
    """Passes as the counters showed them: a new pass number says how much the one before had left dirty."""
    begun: dict[VmId, tuple[int, datetime]] = {}
    found: dict[VmId, list[Pass]] = {}
    for event in events:
        if isinstance(event, mv.MoveIntended):
            begun[event.vm] = (1, event.at)
            found.pop(event.vm, None)
        elif isinstance(event, mv.MoveProgressed) and event.pass_number is not None and event.vm in begun:
            number, since = begun[event.vm]
            if event.pass_number > number and event.dirty_pages is not None:
                took = (event.at - since).total_seconds()
                if event.pass_number == number + 1 and took > 0:
                    found.setdefault(event.vm, []).append(Pass(took, float(event.dirty_pages * PAGE_BYTES)))
                begun[event.vm] = (event.pass_number, event.at)
    return found


def all_moves(cluster: Cluster, of_journal: Sequence[FinishedMove]) -> list[FinishedMove]:
    """What the journal tells, and of what the hosts' logs tell those moves that it does not know."""
    known: dict[VmId, list[datetime]] = {}
    for move in of_journal:
        known.setdefault(move.vm, []).append(move.finished_at)
    logged = cluster.past.moves if cluster.past is not None else ()
    news = [
        move
        for move in logged
        if not any(abs(move.finished_at - moment) <= _SAME_MOVE for moment in known.get(move.vm, ()))
    ]
    return [*of_journal, *news]


@dataclass(frozen=True)
class Forgotten:
    """Until when evidence counts for nothing: all of it, or that of single VMs."""

    everything_until: datetime | None = None
    vms_until: Mapping[VmId, datetime] = field(default_factory=dict)

    def keeps(self, move: FinishedMove) -> bool:
        limits = [limit for limit in (self.everything_until, self.vms_until.get(move.vm)) if limit is not None]
        return all(move.finished_at > limit for limit in limits)

    def with_everything(self, now: datetime) -> Forgotten:
        return Forgotten(now)

    def with_vm(self, vm: VmId, now: datetime) -> Forgotten:
        return replace(self, vms_until={**self.vms_until, vm: now})


def forgotten_file(state: Path) -> Path:
    """Beside the journal; the journal itself stays whole."""
    return state / "forgotten.json"


def read_forgotten(path: Path) -> Forgotten:
    """What was forgotten so far; nothing where there is no file.

    Raises:
        ValueError: the file is not what :func:`write_forgotten` writes.
        OSError: it can not be read.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Forgotten()
    if not isinstance(document, dict) or not isinstance(document.get("vms"), dict):
        raise ValueError(f"{path} is not this program's list of what to forget")
    everything = document.get("everything")
    vms = {VmId(vm): datetime.fromisoformat(until) for vm, until in document["vms"].items()}
    return Forgotten(None if everything is None else datetime.fromisoformat(everything), vms)


def write_forgotten(path: Path, forgotten: Forgotten) -> None:
    """Replace the file as a whole.

    Raises:
        OSError: it can not be written.
    """
    private_folder(path.parent)
    everything = forgotten.everything_until
    document = {
        "everything": None if everything is None else everything.isoformat(),
        "vms": {vm: until.isoformat() for vm, until in forgotten.vms_until.items()},
    }
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    os.replace(beside, path)


class LearningForecaster:
    """A :class:`~console.forecast.values.Forecaster` that has read this machine's journal and the hosts' logs.

    It looks there again when it is asked about another snapshot of the cluster. A cluster that differs from the one
    before only in what an operator tries out keeps the evidence. A journal that can not be read changes nothing.
    """

    def __init__(self, paths: Paths, run: RunId | None = None) -> None:
        self._paths = paths
        self._run = run
        self._closed: dict[RunId, tuple[str, list[FinishedMove]]] = {}
        self._cluster: Cluster | None = None
        self._rests_on: tuple[object, ...] = ()
        self._moves_used: tuple[FinishedMove, ...] = ()
        self._forecaster = PriorForecaster()

    def forecast(
        self, cluster: Cluster, vm: VirtualMachine, destination: HostName, *, sharing: int = 1
    ) -> MoveForecast:
        """See :meth:`console.forecast.forecaster.PriorForecaster.forecast`."""
        if cluster is not self._cluster:
            self._cluster = cluster
            self._look(cluster)
        return self._forecaster.forecast(cluster, vm, destination, sharing=sharing)

    def with_evidence(self, cluster: Cluster) -> Cluster:
        """The cluster with every move that forecasts on it rest on, those of the journal too, for a snapshot."""
        self._look(cluster)
        past = cluster.past or Past(cluster.read_at)
        return replace(cluster, past=replace(past, moves=self._moves_used))

    def _look(self, cluster: Cluster) -> None:
        try:
            forgotten = read_forgotten(forgotten_file(self._paths.state))
        except (ValueError, OSError):
            return
        try:
            moves = self._moves(cluster.name)
        except (JournalUnusable, OSError):
            if self._rests_on:
                return
            moves = []
        hosts = tuple(host.name for host in cluster.hosts)
        of_journal = tuple((move.run, move.vm, move.finished_at) for move in moves)
        rests_on = (cluster.name, hosts, forgotten, of_journal, cluster.past)
        if rests_on != self._rests_on:
            self._rests_on = rests_on
            self._moves_used = tuple(move for move in all_moves(cluster, moves) if forgotten.keeps(move))
            evidence = Learned(cluster, self._moves_used, run=self._run or "") if self._moves_used else None
            self._forecaster = PriorForecaster(evidence=evidence)

    def _moves(self, cluster: str) -> list[FinishedMove]:
        if not self._paths.journal.exists():
            return []
        found: list[FinishedMove] = []
        with Journal.open(self._paths.journal, read_only=True) as journal:
            ledger = runs_of(journal)
            for run in ledger.names()[:MOST_RUNS]:
                known = self._closed.get(run)
                if known is None:
                    events = _whole(ledger, run)
                    if not events:
                        continue
                    known = _told(events)
                    if fold(events).outcome is not None:
                        self._closed[run] = known
                found += known[1] if known[0] == cluster else []
        return found


def _whole(ledger: Ledger[RunState, Event, OperatorRequest], run: RunId) -> tuple[Event, ...]:
    """The run's events; none where its lines are damaged, which takes nothing from the other runs."""
    try:
        return Follower(ledger, run).poll()
    except JournalUnusable as trouble:
        if trouble.trouble is not Trouble.CORRUPT:
            raise
        return ()


def _told(events: Sequence[Event]) -> tuple[str, list[FinishedMove]]:
    """Of which cluster a run was, and what it finished."""
    first = events[0]
    return (first.cluster if isinstance(first, RunOpened) else ""), moves_of_run(events)
