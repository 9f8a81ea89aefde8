"""Learning from a site's own finished moves, and handing it to the forecaster as corrections.

From few to many: what all moves of the site have in common (seconds that copy nothing, share of the rate), then what
is left over on a path, of a VM, and in the run that is going on.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from console.model.cluster import Cluster
from console.model.identity import HostName, VmId

from .carriers import Carriers
from .forecaster import Correction, guest_of
from .levels import Keys, Levels
from .model import PowerLaw
from .priors import Priors
from .spread import Spread
from .transport import ANY_GUEST, Guest, Path, path_between
from .watching import Pass, law_of

_OVERHEAD_WEIGHT = 0.2
_RATE_WEIGHT = 0.02
"""How much the priors of overhead and rate weigh, in moves that are nothing but overhead or copying."""
_SCALES = (1.0, 1.0, 0.5, 0.25, 0.1, 0.05, 0.05, 0.05)
"""Of relative errors, round by round: above it an error counts less. At first all count, so that a site which is quite
unlike the priors is not taken for a row of outliers."""
_MOST = 2000
"""Moves that are looked at, the latest ones."""
_LAWS = 3
"""A VM's latest moves from whose passes its dirtying is taken."""
_DARK = 0.05


@dataclass(frozen=True, slots=True)
class FinishedMove:
    """One live migration that arrived, as the journal or the hosts' event logs tell of it."""

    vm: VmId
    name: str
    run: str
    """Empty for a move that was no part of a run."""
    source: HostName
    destination: HostName
    memory_bytes: int
    finished_at: datetime
    duration_s: float | None = None
    blackout_s: float | None = None
    bytes_sent: float | None = None
    sharing: int = 1
    """Moves on its way at the same time, this one included."""
    passes: tuple[Pass, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteConstants:
    """What all moves of the site have in common."""

    overhead_s: float
    rate_factor: float
    moves: int


@dataclass(frozen=True, slots=True)
class VmLearned:
    """What is known of one VM on one path, for a person to look at."""

    moves: int
    path_moves: int
    run_moves: int
    duration_factor: float
    """On what the priors and the site's constants give."""
    duration_p90_factor: float
    blackout_p50_s: float | None
    blackouts: int
    dirtying: PowerLaw | None


class Learned:
    """See :class:`console.forecast.forecaster.Evidence`.

    Args:
        moves: finished moves of the cluster in any order; those between hosts that it no longer has count for nothing.
        run: the run that is going on; its own finished moves then rescale the rest.
    """

    def __init__(
        self, cluster: Cluster, moves: Sequence[FinishedMove], priors: Priors | None = None, run: str = ""
    ) -> None:
        self._priors = priors or Priors()
        self._run = run
        self._levels = Levels()
        self._spread = Spread(self._priors.duration_p90_factor)
        self._dark_spread = Spread(self._priors.blackout_p90_factor)
        self._blackouts: dict[VmId, list[float]] = {}
        self._laws: dict[VmId, PowerLaw] = {}
        self._answers: dict[Hashable, Correction] = {}
        between = [move for move in moves if _is_between(cluster, move)]
        known = sorted(between, key=lambda move: move.finished_at)[-_MOST:]
        told = list(zip(known, _paths(cluster, known, self._priors), strict=True))
        self.site = fit_site(told, self._priors)
        self._seen = {move.vm for move in known}
        for move, path in told:
            self._take_in(move, path)

    def correction(self, vm: VmId, path: Path, source: HostName, destination: HostName) -> Correction:
        """What is known of this VM on this path."""
        known = vm if vm in self._seen else None
        asked = (known, path.transport, path.rdma, source, destination)
        answer = self._answers.get(asked)
        if answer is None:
            answer = self._answers[asked] = self._correction(vm, path, source, destination)
        return answer

    def _correction(self, vm: VmId, path: Path, source: HostName, destination: HostName) -> Correction:
        found = self.about(vm, path, source, destination)
        if not self.site.moves and not found.blackouts and found.dirtying is None:
            return Correction()
        overhead = self.site.overhead_s * found.duration_factor if self.site.moves else None
        return Correction(
            self.site.rate_factor / found.duration_factor,
            overhead,
            found.dirtying,
            found.duration_p90_factor if self.site.moves else None,
            self._dark_spread.widening((vm,)) if found.blackouts else None,
            found.blackout_p50_s,
            self._basis(found),
        )

    def about(self, vm: VmId, path: Path, source: HostName, destination: HostName) -> VmLearned:
        """The same for a person to look at."""
        keys = _keys(vm, path, source, destination, self._run)
        counts = self._levels.evidence(keys)
        dark = self._blackouts.get(vm, [])
        return VmLearned(
            counts["VM"], counts["kind"], counts["run"] if self._run else 0,
            math.exp(self._levels.opinion(keys).correction), self._spread.widening((keys.vm, keys.kind)),
            median(dark[-5:]) if dark else None, len(dark), self._laws.get(vm),
        )  # fmt: skip

    def _take_in(self, move: FinishedMove, path: Path) -> None:
        if move.blackout_s is not None:
            earlier = self._blackouts.setdefault(move.vm, [])
            if earlier:
                off = math.log((move.blackout_s + _DARK) / (median(earlier[-5:]) + _DARK))
                self._dark_spread.learn((move.vm,), off)
            earlier.append(move.blackout_s)
        if move.passes and (law := law_of(move.passes)) is not None:
            self._laws[move.vm] = law
        if not move.duration_s:
            return
        keys = _keys(move.vm, path, move.source, move.destination, move.run)
        opinion = self._levels.opinion(keys)
        off = math.log(move.duration_s / expected_s(move, path, self.site))
        self._spread.learn((keys.vm, keys.kind), off - opinion.correction)
        self._levels.learn(opinion, off)

    def _basis(self, found: VmLearned) -> str:
        if found.run_moves >= 3:
            return f"{_moves(found.run_moves)} of this run"
        if found.moves:
            return f"{_moves(found.moves)} of this VM"
        if found.path_moves:
            return f"{_moves(found.path_moves)} between these hosts"
        return f"{_moves(self.site.moves)} of this cluster" if self.site.moves else "its earlier blackouts"


def expected_s(move: FinishedMove, path: Path, site: SiteConstants) -> float:
    """What the site's constants make of a move's bytes."""
    return site.overhead_s + _sent(move) / (path.rate_bytes_per_s(move.sharing) * site.rate_factor)


def fit_site(moves: Sequence[tuple[FinishedMove, Path]], priors: Priors) -> SiteConstants:
    """Overhead and share of the rate by robust least squares of relative errors, held near the priors."""
    believed = priors.overhead_before_s + priors.overhead_after_s + priors.tcp.handover_s
    points = [
        (move.duration_s, _sent(move) / path.rate_bytes_per_s(move.sharing)) for move, path in moves if move.duration_s
    ]
    overhead, stretch = believed, 1.0
    for scale in _SCALES if points else ():
        overhead, stretch = _refined(points, (overhead, stretch), believed, scale)
    return SiteConstants(overhead, 1.0 / stretch, len(points))


def _refined(
    points: Sequence[tuple[float, float]], start: tuple[float, float], believed: float, scale: float
) -> tuple[float, float]:
    """One round: solve two normal equations under weights that outliers lose."""
    overhead, stretch = start
    a, b, c = (
        _OVERHEAD_WEIGHT / median(seconds for seconds, _ in points) ** 2,
        0.0,
        _RATE_WEIGHT / max(1.0, stretch) ** 2,
    )
    x, y = a * believed, c
    for seconds, copying in points:
        off = (overhead + stretch * copying) / seconds - 1
        weight = scale / (seconds**2 * max(scale, abs(off)))
        a, b, c = a + weight, b + weight * copying, c + weight * copying**2
        x, y = x + weight * seconds, y + weight * copying * seconds
    determinant = a * c - b * b
    solved = ((c * x - b * y) / determinant, (a * y - b * x) / determinant) if determinant > 0 else start
    return max(0.1, solved[0]), min(20.0, max(0.05, solved[1]))


def _sent(move: FinishedMove) -> float:
    return float(move.bytes_sent if move.bytes_sent else move.memory_bytes)


def _is_between(cluster: Cluster, move: FinishedMove) -> bool:
    hosts = cluster.host_by_name
    return move.source in hosts and move.destination in hosts


def _paths(cluster: Cluster, moves: Sequence[FinishedMove], priors: Priors) -> list[Path]:
    """The path of each move, as it would be forecast for the same VM today."""
    hosts, vms, carriers = cluster.host_by_name, cluster.vm_by_id, Carriers.of(cluster)
    known: dict[tuple[HostName, HostName, Guest], Path] = {}
    found: list[Path] = []
    for move in moves:
        guest = guest_of(vms[move.vm]) if move.vm in vms else ANY_GUEST
        way = (move.source, move.destination, guest)
        if way not in known:
            known[way] = path_between(cluster, hosts[way[0]], hosts[way[1]], priors, carriers, guest)
        found.append(known[way])
    return found


def _keys(vm: VmId, path: Path, source: HostName, destination: HostName, run: str) -> Keys:
    transport = (path.transport, path.rdma)
    return Keys(run, transport, (transport, source, destination), (vm, transport))


def _moves(count: int) -> str:
    return f"{count} earlier move{'s' * (count != 1)}"
