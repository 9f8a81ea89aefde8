"""Learning from a site's own finished moves, and handing it to the forecaster as corrections.

From few to many: what all moves of the site have in common (seconds that copy nothing, share of the rate), then what
is left over on a path, of a VM, and in the run that is going on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from console.model.cluster import Cluster
from console.model.identity import HostName, VmId
from console.model.past import FinishedMove, Origin

from .carriers import Carriers
from .forecaster import Correction, believed_law, guest_of
from .implied import LONGER, Observation, law_behind
from .levels import Keys, Levels
from .model import Overheads, PowerLaw, StopRule, precopy
from .priors import Priors
from .siblings import shared_rates
from .site import SiteConstants, Told, fit_site
from .spread import Spread
from .transport import ANY_GUEST, Guest, Path, path_between
from .watching import law_of

_MOST = 2000
"""Moves that are looked at, the latest ones."""
_DURATIONS = "durations"
_LATEST = 3
"""A VM's latest moves from which its dirtying is taken."""
_ROUNDS = 2
_WELL_KNOWN = 3
"""Moves of a VM from which on further ones hardly make its forecast better."""
_SHORTEST_S = 1e-3
"""Below it a duration is a mistake."""
_DARK = 0.05


@dataclass(frozen=True, slots=True)
class VmLearned:
    """What is known of one VM on one path, for a person to look at."""

    moves: int
    moves_from_logs: int
    """Of these, those that only the hosts' event logs tell of."""
    path_moves: int
    run_moves: int
    duration_factor: float
    """On what the priors and the site's constants give."""
    duration_p90_factor: float
    blackout_p50_s: float | None
    blackouts: int
    dirtying: PowerLaw | None
    dirtying_from: str
    """"passes" that were seen, "durations" that only such a law explains, or empty: the prior."""
    link_weight: float = 1.0
    """What it takes of a shared link, beside a VM of which nothing is known."""


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
        self._cluster = cluster
        self._run = run
        self._levels = Levels()
        self._spread = Spread(self._priors.duration_p90_factor)
        self._dark_spread = Spread(self._priors.blackout_p90_factor)
        self._blackouts: dict[VmId, list[float]] = {}
        self._laws: dict[VmId, tuple[PowerLaw, str]] = {}
        self._answers: dict[Hashable, Correction] = {}
        usable = (move for move in moves if _is_between(cluster, move) and (move.duration_s or 1.0) >= _SHORTEST_S)
        between = [_as_a_run_sees_it(move, self._priors) for move in usable]
        known = sorted(between, key=lambda move: move.finished_at)[-_MOST:]
        self.site = SiteConstants(0.0, 1.0, 0)
        paths = _paths(cluster, known, self._priors)
        overhead_s = self._priors.overhead_before_s + self._priors.overhead_after_s
        for _ in range(_ROUNDS):  # who copied beside whom depends on the overhead, and what was sent on the rate
            rates = shared_rates(known, paths, overhead_s)
            told = self._told(known, paths, rates)
            self.site = fit_site(told, self._priors)
            overhead_s = self.site.overhead_s
        self._explain(told)
        told = self._told(known, paths, rates)
        self.origins = Counter(move.origin for move in known)
        self._from_logs = Counter(move.vm for move in known if move.origin is Origin.EVENT_LOG and move.duration_s)
        self._seen = {move.vm for move in known}
        for each in told:
            self._take_in(each)

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
            found.link_weight,
        )

    def about(self, vm: VmId, path: Path, source: HostName, destination: HostName) -> VmLearned:
        """The same for a person to look at."""
        keys = _keys(vm, path, source, destination, self._run)
        counts = self._levels.evidence(keys)
        dark = self._blackouts.get(vm, [])
        law, law_from = self._laws.get(vm, (None, ""))
        correction = self._levels.opinion(keys).correction
        as_any = self._levels.opinion(keys._replace(vm=None)).correction
        if law_from == _DURATIONS:  # explains them at the site's rate; at another one it would send much more, or less
            correction = as_any = 0.0
        return VmLearned(
            counts["VM"], self._from_logs[vm], counts["kind"], counts["run"] if self._run else 0,
            math.exp(correction), self._widening(vm, keys, path),
            median(dark[-5:]) if dark else None, len(dark), law, law_from, math.exp(correction - as_any),
        )  # fmt: skip

    def _widening(self, vm: VmId, keys: Keys, path: Path) -> float:
        known = self._cluster.vm_by_id.get(vm)
        return self._spread.widening(() if known is None else self._alike(keys, path, float(known.memory_bytes)))

    def _told(self, moves: Sequence[FinishedMove], paths: Sequence[Path], rates: Sequence[float]) -> list[Told]:
        """Each move with what it sent: as it was seen, or else as its VM's law has it."""
        return [
            Told(move, path, rate, float(move.bytes_sent) if move.bytes_sent else self._sent(move, rate))
            for move, path, rate in zip(moves, paths, rates, strict=True)
        ]

    def _law(self, move: FinishedMove) -> PowerLaw | None:
        if move.vm in self._laws:
            return self._laws[move.vm][0]
        vm = self._cluster.vm_by_id.get(move.vm)
        return None if vm is None else believed_law(vm, self._priors)

    def _sent(self, move: FinishedMove, rate: float) -> float:
        law = self._law(move)
        if law is None:
            return float(move.memory_bytes)
        rate *= self.site.rate_factor
        return precopy(float(move.memory_bytes), rate, law, self._stop(rate)).bytes_sent

    def _stop(self, rate: float) -> StopRule:
        return StopRule(rate * self._priors.stop_s, self._priors.pass_cap, no_progress_ratio=1.0)

    def _explain(self, told: Sequence[Told]) -> None:
        """Find the law of those VMs whose moves took far too long because of it."""
        by_vm: dict[VmId, list[Told]] = {}
        for each in told:
            if each.move.duration_s and each.move.blackout_s is not None and not each.move.bytes_sent:
                by_vm.setdefault(each.move.vm, []).append(each)
        for vm, its in by_vm.items():
            latest = its[-_LATEST:]
            if median(math.log((each.move.duration_s or 1.0) / each.expected_s(self.site)) for each in latest) > LONGER:
                believed = self._law(latest[-1].move)
                law = None if believed is None else law_behind([self._observed(each) for each in latest], believed)
                if law is not None:
                    self._laws[vm] = (law, _DURATIONS)

    def _observed(self, told: Told) -> Observation:
        rate = told.rate_bytes_per_s * self.site.rate_factor
        handover = min(self._priors.tcp.handover_s, self.site.overhead_s)
        overheads = Overheads(self.site.overhead_s - handover, 0.0, handover)
        return Observation(
            float(told.move.memory_bytes), rate, overheads, self._stop(rate), told.move.duration_s or 1.0,
            told.move.blackout_s or 0.0,
        )  # fmt: skip

    def _take_in(self, told: Told) -> None:
        move = told.move
        if move.blackout_s is not None:
            earlier = self._blackouts.setdefault(move.vm, [])
            if earlier:
                off = math.log((move.blackout_s + _DARK) / (median(earlier[-5:]) + _DARK))
                self._dark_spread.learn((move.vm,), off)
            earlier.append(move.blackout_s)
        if move.passes and (law := law_of(move.passes)) is not None:
            self._laws[move.vm] = (law, "passes")
        if not move.duration_s:
            return
        keys = _keys(move.vm, told.path, move.source, move.destination, move.run or _unnamed_run(move))
        opinion = self._levels.opinion(keys)
        off = math.log(move.duration_s / told.expected_s(self.site))
        self._spread.learn(self._alike(keys, told.path, float(move.memory_bytes)), off - opinion.correction)
        self._levels.learn(opinion, off)

    def _alike(self, keys: Keys, path: Path, memory_bytes: float) -> tuple[Hashable, ...]:
        """Moves whose forecasts are about as good: as much is known of the VM, and they take about as long.

        What copies nothing wavers by seconds, which is much of a short move and next to nothing of a long one.
        """
        known = min(_WELL_KNOWN, self._levels.evidence(keys)["VM"])
        usual_s = self.site.overhead_s + memory_bytes / (path.rate_bytes_per_s() * self.site.rate_factor)
        return (known, round(math.log2(max(1.0, usual_s)))), known

    def _basis(self, found: VmLearned) -> str:
        if found.run_moves >= 3:
            return f"{_moves(found.run_moves)} of this run"
        if found.moves:
            logs = found.moves_from_logs
            told = "" if not logs else ", told by event logs" if logs >= found.moves else f", {logs} told by event logs"
            return f"{_moves(found.moves)} of this VM{told}"
        if found.path_moves:
            return f"{_moves(found.path_moves)} between these hosts"
        return f"{_moves(self.site.moves)} of this cluster" if self.site.moves else "its earlier blackouts"


def _is_between(cluster: Cluster, move: FinishedMove) -> bool:
    hosts = cluster.host_by_name
    return move.source in hosts and move.destination in hosts


def _as_a_run_sees_it(move: FinishedMove, priors: Priors) -> FinishedMove:
    if move.origin is not Origin.EVENT_LOG or move.duration_s is None:
        return move
    return replace(move, duration_s=move.duration_s + priors.seen_after_s)


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


def _unnamed_run(move: FinishedMove) -> str:
    """Moves off one host on one day most likely were one drain."""
    return f"{move.source} {move.finished_at:%Y-%m-%d}"


def _keys(vm: VmId, path: Path, source: HostName, destination: HostName, run: str) -> Keys:
    transport = (path.transport, path.rdma)
    return Keys(run, (transport, path.line_bytes_per_s), (transport, source, destination), (vm, transport))


def _moves(count: int) -> str:
    return f"{count} earlier move{'s' * (count != 1)}"
