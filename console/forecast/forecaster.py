"""The forecast of one move from the cluster's facts: priors only, or corrected by what was learned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from console.model.cluster import Cluster, VirtualMachine, VmState
from console.model.identity import HostName, VmId

from .carriers import Carriers
from .model import STOP_SHARE, Overheads, PowerLaw, Precopy, StopRule, at_the_rule_s, precopy
from .priors import Priors, Workload, workload_of
from .saving import storage_rate_bytes_per_s
from .transport import ANY_GUEST, Guest, Path, path_between
from .values import MigrationType, MoveForecast

ALWAYS_QUICK = 1
"""DefaultMoveType of a VM that is always saved and restored."""

_NO_MEMORY_STATES = frozenset({VmState.OFF, VmState.SAVED, VmState.FAST_SAVED})


@dataclass(frozen=True, slots=True)
class Correction:
    """What evidence makes of a prior forecast; the neutral one changes nothing."""

    rate_factor: float = 1.0
    """On the path's rate."""
    overhead_s: float | None = None
    """All seconds that copy nothing, in place of the prior's."""
    dirtying: PowerLaw | None = None
    duration_p90_factor: float | None = None
    blackout_p90_factor: float | None = None
    blackout_s: float | None = None
    basis: str = ""
    link_weight: float = 1.0
    """See :attr:`console.forecast.values.MoveForecast.link_weight`."""


class Evidence(Protocol):
    """Where corrections come from."""

    def correction(self, vm: VmId, path: Path, source: HostName, destination: HostName) -> Correction:
        """What is known of this VM on this path."""


def migration_type_of(vm: VirtualMachine) -> MigrationType:
    """How the cluster would carry the VM: off and saved ones offline, DefaultMoveType 1 quick, the rest live."""
    if vm.state in _NO_MEMORY_STATES:
        return MigrationType.OFFLINE
    return MigrationType.QUICK if vm.default_move_type == ALWAYS_QUICK else MigrationType.LIVE


class PriorForecaster:
    """A :class:`~console.forecast.values.Forecaster` that starts from priors; evidence, where given, corrects them.

    Remembers the paths of the cluster that it was asked about last, so that a plan's thousands of questions cost
    one look at each pair.
    """

    def __init__(self, priors: Priors | None = None, evidence: Evidence | None = None) -> None:
        self.priors = priors or Priors()
        self._evidence = evidence
        self._cluster: Cluster | None = None
        self._carriers: Carriers | None = None
        self._paths: dict[tuple[HostName, HostName, Guest], Path] = {}

    def path(self, cluster: Cluster, source: HostName, destination: HostName, guest: Guest = ANY_GUEST) -> Path:
        """The path of a pair as the facts and the priors give it, before any correction.

        Args:
            guest: what of the VM decides its path.

        Raises:
            KeyError: the cluster has no such host.
        """
        if self._cluster is not cluster:
            self._cluster, self._carriers, self._paths = cluster, Carriers.of(cluster), {}
        found = self._paths.get((source, destination, guest))
        if found is None:
            hosts = cluster.host_by_name
            found = path_between(cluster, hosts[source], hosts[destination], self.priors, self._carriers, guest)
            self._paths[source, destination, guest] = found
        return found

    def forecast(
        self, cluster: Cluster, vm: VirtualMachine, destination: HostName, *, sharing: int = 1
    ) -> MoveForecast:
        """Forecast one move.

        Raises:
            KeyError: the cluster has no such host.
            ValueError: ``sharing`` is below 1.
        """
        path = self.path(cluster, vm.host, destination, guest_of(vm))
        rate = path.rate_bytes_per_s(sharing)
        how = migration_type_of(vm)
        if how is MigrationType.OFFLINE:
            return self._offline(vm)
        correction = (
            self._evidence.correction(vm.id, path, vm.host, destination) if self._evidence is not None else Correction()
        )
        if how is MigrationType.QUICK:
            return self._quick(cluster, vm, destination, correction)
        return self._live(vm, path, rate * correction.rate_factor, correction)

    def _live(self, vm: VirtualMachine, path: Path, rate: float, correction: Correction) -> MoveForecast:
        workload = workload_of(vm)
        copied = self._copy(vm, path, rate, correction, workload)
        blackout = correction.blackout_s
        if blackout is None:
            blackout = min(self._dark_s(copied, path), copied.duration_s)
        widen = correction.duration_p90_factor or self.priors.duration_p90_factor
        widen_blackout = correction.blackout_p90_factor or self.priors.blackout_p90_factor
        return MoveForecast(
            MigrationType.LIVE,
            copied.duration_s,
            copied.duration_s * widen,
            blackout,
            min(blackout * widen_blackout, copied.duration_s * widen),
            rate,
            copied.bytes_sent,
            copied.converged,
            correction.basis or _prior_basis(path, workload),
            path.link_weight * correction.link_weight,
        )

    def _dark_s(self, copied: Precopy, path: Path) -> float:
        if not copied.converged:
            return copied.blackout_s
        handover = self._handover_s(path)
        memory = at_the_rule_s(copied.blackout_s - handover, copied.passes, self.priors.stop_s, STOP_SHARE)
        return handover + memory

    def _handover_s(self, path: Path) -> float:
        return self.priors.smb_direct.handover_s if path.rdma else self.priors.tcp.handover_s

    def _copy(self, vm: VirtualMachine, path: Path, rate: float, correction: Correction, workload: Workload) -> Precopy:
        priors = self.priors
        stop = StopRule(rate * priors.stop_s, priors.pass_cap, no_progress_ratio=1.0)
        return precopy(
            float(vm.memory_bytes),
            rate,
            correction.dirtying or believed_law(vm, priors, workload),
            stop,
            self._overheads(path, correction),
        )

    def _overheads(self, path: Path, correction: Correction) -> Overheads:
        priors = self.priors
        handover = self._handover_s(path)
        before, after = priors.overhead_before_s, priors.overhead_after_s
        if correction.overhead_s is not None:
            handover = min(handover, correction.overhead_s)
            scale = (correction.overhead_s - handover) / (before + after)
            before, after = before * scale, after * scale
        return Overheads(before + path.selection_s, after, handover)

    def _quick(
        self, cluster: Cluster, vm: VirtualMachine, destination: HostName, correction: Correction
    ) -> MoveForecast:
        """Save, move, restore: the guest is dark all the time."""
        priors, hosts = self.priors, cluster.host_by_name
        overhead = correction.overhead_s if correction.overhead_s is not None else _prior_overhead_s(priors)
        rate = storage_rate_bytes_per_s(hosts[vm.host], hosts[destination], priors)
        seconds = 2 * vm.memory_bytes / rate + overhead
        widest = seconds * priors.duration_p90_factor
        return MoveForecast(
            MigrationType.QUICK, seconds, widest, seconds, widest, rate, 0.0, True,
            "prior for saving and restoring its memory over the fastest adapter",
        )  # fmt: skip

    def _offline(self, vm: VirtualMachine) -> MoveForecast:
        seconds = self.priors.offline_s
        why = "off" if vm.state is VmState.OFF else "saved"
        return MoveForecast(
            MigrationType.OFFLINE, seconds, seconds * self.priors.duration_p90_factor, 0.0, 0.0, 0.0, 0.0, True,
            f"{why}: only its ownership moves",
        )  # fmt: skip


def _prior_overhead_s(priors: Priors) -> float:
    return priors.overhead_before_s + priors.overhead_after_s


def believed_law(vm: VirtualMachine, priors: Priors, workload: Workload | None = None) -> PowerLaw:
    """The workload's law, scaled with how much processor the guest uses where that is known."""
    law = priors.dirtying[workload or workload_of(vm)]
    if vm.cpu_percent is None or vm.processors is None:
        return law
    busy = vm.processors * vm.cpu_percent / 100.0
    return PowerLaw(law.bytes_in_first_second * min(4.0, max(0.25, math.sqrt(busy))), law.exponent)


def guest_of(vm: VirtualMachine) -> Guest:
    """GPU partitions fall back to TCP/IP with compression."""
    partitions = vm.details.gpu_partitions if vm.details is not None else None
    return Guest(workload_of(vm) is Workload.IDLE, bool(partitions))


def _prior_basis(path: Path, workload: Workload) -> str:
    what = "its size" if workload is Workload.GENERAL else f"its size and a guess at its load ({workload.value})"
    link = "" if path.line_known else ", at an assumed 10 GbE"
    return f"prior for {what}; {path.held_back_by} decides the rate{link}"
