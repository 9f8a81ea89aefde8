"""A small planner and a doctor's findings for the console's other side without a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.checks.values import Evidence
from console.diagnose.symptoms import Aspect, DoctorReport, Symptom, Verdict
from console.forecast.values import MigrationType, MoveForecast
from console.model.cluster import Cluster, Contact, VirtualMachine, VmState
from console.model.identity import HostName
from console.model.units import GIB
from console.planner.values import (
    HostAfter,
    Infeasible,
    Interruption,
    NotMoved,
    Plan,
    PlannedMove,
    PlanOptions,
)

RATE = 1.1 * GIB


def forecast_of(vm: VirtualMachine, share: int) -> MoveForecast:
    """A forecast by size alone."""
    duration_s = 6 + vm.memory_bytes * 1.1 * max(1, share) / 2 / RATE
    kind = MigrationType.LIVE
    if vm.default_move_type == 1:
        kind = MigrationType.QUICK
    elif vm.state is not VmState.RUNNING:
        kind = MigrationType.OFFLINE
    dark_s = duration_s if kind is MigrationType.QUICK else 0.4 + vm.memory_bytes / GIB / 100
    return MoveForecast(
        kind, duration_s, duration_s * 1.6, dark_s, dark_s * 2, RATE, vm.memory_bytes * 1.1, True, "prior for its size"
    )


def plan_of(cluster: Cluster, node: HostName, options: PlanOptions) -> Plan:
    """Round-robin destinations, list scheduling over the slots."""
    slots = options.slots or cluster.settings.maximum_parallel_migrations or 2
    targets = [h.name for h in cluster.hosts if h.name != node and h.accepts_vms and h.name not in options.avoided]
    ends = [0.0] * slots
    moves: list[PlannedMove] = []
    left: list[NotMoved] = []
    infeasible: list[Infeasible] = []
    interrupted: list[Interruption] = []
    for number, vm in enumerate(sorted(cluster.vms_on(node), key=lambda vm: -vm.memory_bytes)):
        if not vm.clustered:
            left.append(NotMoved(vm.ref, "It is not a clustered role: the cluster can not move it."))
            continue
        if vm.id in options.excluded:
            left.append(NotMoved(vm.ref, "You chose to leave it."))
            continue
        if not targets:
            infeasible.append(Infeasible(vm.ref, "No host takes it.", ("avoided hosts",)))
            continue
        forecast = forecast_of(vm, slots)
        slot = ends.index(min(ends))
        start_s = ends[slot]
        ends[slot] += forecast.duration_p50_s
        destination = options.pinned.get(vm.id, targets[number % len(targets)])
        reason = "You chose it." if vm.id in options.pinned else f"Most memory free after the move on {destination}."
        waits = "" if start_s == 0 else f"slot {slot + 1} of {slots} is taken until then"
        if forecast.migration_type is MigrationType.QUICK:
            interrupted.append(Interruption(vm.ref, "Saved here and restored there: dark for the whole move."))
        moves.append(
            PlannedMove(vm.ref, node, destination, start_s, ends[slot], vm.memory_bytes, forecast, reason, waits)
        )
    makespan_s = max(ends)
    after = tuple(_after(cluster, host.name, node, moves) for host in cluster.hosts)
    bound_s = sum(move.forecast.duration_p50_s for move in moves) / slots
    return Plan(
        node, options, tuple(moves), tuple(left), tuple(interrupted), tuple(infeasible), after, slots, makespan_s,
        makespan_s * 1.35, bound_s, True, ("The link of HV02 is shared with backups until 02:30.",),
    )  # fmt: skip


class FakeForecaster:
    def forecast(
        self, cluster: Cluster, vm: VirtualMachine, destination: HostName, *, sharing: int = 1
    ) -> MoveForecast:
        return forecast_of(vm, sharing)


def _after(cluster: Cluster, host: HostName, node: HostName, moves: Sequence[PlannedMove]) -> HostAfter:
    known = cluster.host_by_name[host]
    here = len(cluster.vms_on(host))
    coming = [move for move in moves if move.destination == host]
    delta = sum(m.memory_bytes for m in moves) if host == node else -sum(m.memory_bytes for m in coming)
    free = known.memory_free_bytes
    vms_after = here - len(moves) if host == node else here + len(coming)
    return HostAfter(host, known.memory_bytes, free, None if free is None else free + delta, here, vms_after)


def report_of(cluster: Cluster, at: datetime) -> DoctorReport:
    """What a doctor finds on most days: quotas can not be read, one host is silent, one lacks a module."""
    symptoms = []
    for number, host in enumerate(cluster.hosts):
        seen = (Evidence("asking Microsoft.PowerShell", "Get-Module answered after 0.4 s", host.name, at),)
        for aspect in Aspect:
            verdict, text = Verdict.WELL, "Everything that was asked was answered."
            advice = line = ""
            if host.contact is not Contact.ANSWERING and aspect is not Aspect.NAME:
                verdict, text = Verdict.UNKNOWN, "Not reached: what comes before failed."
                if aspect is Aspect.PORT:
                    verdict, text = Verdict.PROBLEM, "Port 5986: no connection (no answer after 8 s)."
                    advice = "Check WinRM's service and listener on the node, and the firewall between."
            elif aspect is Aspect.QUOTAS:
                verdict, text = Verdict.UNKNOWN, "No limit was met; limits are not readable."
            elif aspect is Aspect.MODULES and number == 2:
                verdict, text = Verdict.PROBLEM, "Hyper-V is missing."
                advice, line = "Install Hyper-V-PowerShell.", "Install-WindowsFeature -Name 'Hyper-V-PowerShell'"
            elif aspect is Aspect.CLOCK and number == 4:
                verdict, text = Verdict.WARNING, "Its clock differs from this machine's by 41 s."
                advice = "Set the clocks by one source."
            symptoms.append(Symptom(host.name, aspect, verdict, text, advice, seen, line))
    return DoctorReport("production", cluster.name, at, tuple(symptoms))
