"""A placed VM with its forecasts: what the schedule needs of it, and what the plan tells of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from console.forecast.processors import NO_TOIL, Toil, toil_of
from console.forecast.values import Forecaster, MigrationType, MoveForecast
from console.model.cluster import Cluster
from console.model.identity import HostName

from .guarding import PRIORS
from .places import Choice
from .schedule import Job, Slot
from .values import HeavyClass, InFlight, Interruption, NotMoved, PlannedMove, PlanOptions, Progress

_COMMON_ERROR = 0.7
"""Share of a forecast's error that all moves of a site have in common (prior)."""
_OVERDUE_SHARE = 0.02
"""Of its forecast: what is left, at the least, of a move that is still under way."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A placed VM with its forecasts: alone, and as it will share."""

    choice: Choice
    solo: MoveForecast
    shared: MoveForecast
    heavy: bool = False
    held: bool = False
    under_way: InFlight | None = None
    toil: Toil = NO_TOIL
    takes_fraction: float = 0.0
    """Of the source's processors, while it copies."""

    @property
    def fixed_s(self) -> float:
        return max(0.0, self.shared.duration_p50_s - _transfer_s(self.shared))

    @property
    def offline(self) -> bool:
        return self.shared.migration_type is MigrationType.OFFLINE

    @property
    def p90_factor(self) -> float:
        return self.shared.duration_p90_s / self.shared.duration_p50_s if self.shared.duration_p50_s > 0 else 1.0

    @property
    def rest(self) -> tuple[float, float]:
        """Fixed seconds and bytes that are still to come."""
        if self.under_way is None:
            return self.fixed_s, self.shared.bytes_to_send
        elapsed_s = self.under_way.elapsed_s
        least_s = max(0.0, self.shared.duration_p50_s * _OVERDUE_SHARE)
        sent = self.under_way.bytes_sent
        if sent is None:
            sent = int(max(0.0, elapsed_s - self.fixed_s) * self.shared.rate_bytes_per_s)
        bytes_left = max(0.0, self.shared.bytes_to_send - sent)
        return max(self.fixed_s - elapsed_s, 0.0 if bytes_left > 0 else least_s), bytes_left

    @property
    def takes_now(self) -> Mapping[HostName, float]:
        """Logical processors that it takes at this moment, if it is under way and copies."""
        fixed_s, bytes_left = self.rest
        if self.under_way is None or fixed_s > 0 or bytes_left <= 0:
            return {}
        rate = self.shared.rate_bytes_per_s
        ends = (self.choice.vm.host, self.toil.source_s_per_byte), (self.choice.host, self.toil.destination_s_per_byte)
        return {host: rate * seconds for host, seconds in ends}

    def job(self, alone: bool) -> Job:
        """As the schedule sees it; its bytes are those that others would take in its place."""
        fixed_s, bytes_left = self.rest
        bytes_left *= self.shared.link_weight
        stream = self.solo.rate_bytes_per_s * self.shared.link_weight if bytes_left > 0 else math.inf
        running = self.under_way is not None
        source = self.choice.vm.host
        alone = alone and self.heavy and not running
        apart = self.offline and not self.held  # a held one waits for its release, with the others that are held
        toil = self.toil.for_each(self.shared.link_weight)
        return Job(source, self.choice.host, fixed_s, bytes_left, stream, alone, running, apart, toil)

    def solo_job(self, alone: bool) -> Job:
        """The same move with its passes as they would be without sharing, for the bound."""
        job = self.job(alone)
        if self.under_way is not None:
            return job
        alone_bytes = self.solo.bytes_to_send * self.shared.link_weight
        return replace(job, transfer_bytes=min(job.transfer_bytes, alone_bytes))

    def planned(self, slot: Slot) -> PlannedMove:
        choice, shared = self.choice, self.shared
        start_s = slot.start_s if self.under_way is None else -self.under_way.elapsed_s
        duration_s = slot.end_s - start_s
        copying_s = duration_s - self.fixed_s
        rate = shared.rate_bytes_per_s
        if shared.bytes_to_send > 0 and copying_s > 0 and self.under_way is None:
            rate = shared.bytes_to_send / copying_s
        forecast = replace(
            shared,
            duration_p50_s=duration_s,
            duration_p90_s=duration_s * self.p90_factor,
            rate_bytes_per_s=rate,
        )
        return PlannedMove(
            vm=choice.vm.ref,
            source=choice.vm.host,
            destination=choice.host,
            start_s=start_s,
            end_s=slot.end_s,
            memory_bytes=choice.vm.memory_bytes,
            forecast=forecast,
            reason=choice.reason,
            waits_for=self._wait(slot),
            takes_fraction=self.takes_fraction,
        )

    def _wait(self, slot: Slot) -> str:
        if self.held:
            return "held: starts when it is released"
        return f"waits for {slot.waited}" if slot.start_s > 0 and slot.waited else ""


def forecast_of(
    cluster: Cluster,
    choice: Choice,
    options: PlanOptions,
    forecaster: Forecaster,
    sharing: int,
    under_way: InFlight | None = None,
) -> Candidate:
    solo = forecaster.forecast(cluster, choice.vm, choice.host, sharing=1)
    shared = forecaster.forecast(cluster, choice.vm, choice.host, sharing=sharing) if sharing > 1 else solo
    found = Candidate(choice, solo, shared, held=choice.vm.id in options.held, under_way=under_way)
    if options.guard is None or shared.migration_type is not MigrationType.LIVE:
        return found
    source = cluster.host_by_name[choice.vm.host]
    toil = toil_of(source, choice.vm, PRIORS)
    takes = toil.source_s_per_byte * solo.rate_bytes_per_s / (source.logical_processors or math.inf)
    return replace(found, toil=toil, takes_fraction=takes)


def class_heavy(
    candidates: Sequence[Candidate], slots: int, heavy: HeavyClass, progress: Progress
) -> tuple[list[Candidate], list[NotMoved]]:
    """Marks the VMs that dominate: those that do not converge, or take thrice the usual time and over a tenth of
    the drain's. With ``SKIP`` they stay, but not those that are under way or were planned to go."""
    times = sorted(candidate.solo.duration_p50_s for candidate in candidates)
    if not times:
        return [], []
    usual, share = times[len(times) // 2], sum(times) / slots / 10
    longest_s = max(3 * usual, share)
    marked = [
        replace(each, heavy=True) if not each.solo.converges or each.solo.duration_p50_s > longest_s else each
        for each in candidates
    ]
    if heavy is not HeavyClass.SKIP:
        return marked, []
    stay = [
        each
        for each in marked
        if each.heavy and each.under_way is None and each.choice.vm.id not in progress.destinations
    ]
    staying = {each.choice.vm.id for each in stay}
    skipped = [NotMoved(each.choice.vm.ref, _skip_reason(each)) for each in stay]
    return [each for each in marked if each.choice.vm.id not in staying], skipped


def _skip_reason(candidate: Candidate) -> str:
    if not candidate.solo.converges:
        return "heavy, skipped by choice: it dirties memory faster than the copy gets small"
    return f"heavy, skipped by choice: about {candidate.solo.duration_p50_s / 60:.0f} min by itself"


def interrupts(move: PlannedMove) -> bool:
    return move.forecast.migration_type is MigrationType.QUICK


def interruption(move: PlannedMove) -> Interruption:
    dark = move.forecast.blackout_p50_s
    return Interruption(move.vm, f"quick migration: saved and restored, its guest stands still for about {dark:.0f} s")


def makespan_p90_s(makespan_s: float, moves: Sequence[PlannedMove], slots: int) -> float:
    """Part of the error is the site's and hits every move alike, the rest evens out over the moves of a slot."""
    total = sum(move.forecast.duration_p50_s for move in moves)
    if total <= 0:
        return makespan_s
    excess = sum(move.forecast.duration_p90_s - move.forecast.duration_p50_s for move in moves) / total
    evened = math.sqrt(max(1.0, len(moves) / slots))
    return makespan_s * (1 + excess * (_COMMON_ERROR + (1 - _COMMON_ERROR) / evened))


def _transfer_s(forecast: MoveForecast) -> float:
    return forecast.bytes_to_send / forecast.rate_bytes_per_s if forecast.rate_bytes_per_s > 0 else 0.0
