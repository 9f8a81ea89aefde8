"""A plan that minds the conflicts: which findings forbid a way, and which ones an operator should see beside a move.

Pure; the console, the command line and an offline plan from a snapshot all come through here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from console.checks.values import Conflict, Findings, Severity, Subject
from console.forecast.values import Forecaster
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName, VmId
from console.planner.plan import plan_drain
from console.planner.values import Plan, PlannedMove, PlanOptions

_DECIDED_BY_THE_PLAN = "place-"
"""Codes of placement speak of where VMs are; the plan knows where they will be, and keeps those rules itself."""


def make_plan(
    cluster: Cluster, node: HostName, options: PlanOptions, forecaster: Forecaster, findings: Findings
) -> Plan:
    """Plan one node's drain around its blocking conflicts, and name the conflicts of each move.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: the options ask for fewer than one slot.
    """
    blocking = [conflict for conflict in findings.conflicts if _forbids(conflict)]
    by_vm = _by_vm(blocking)

    def blocked(vm: VirtualMachine, host: HostName) -> Sequence[str]:
        about = [*by_vm[vm.id], *by_vm[None]]
        return [conflict.message for conflict in about if concerns(conflict.subject, vm.id, vm.host, host)]

    plan = plan_drain(cluster, node, options, forecaster, blocked=blocked)
    shown = _by_vm(conflict for conflict in findings.conflicts if _narrow(conflict.subject))
    return replace(plan, moves=tuple(_with_codes(move, [*shown[move.vm.id], *shown[None]]) for move in plan.moves))


def concerns(subject: Subject, vm: VmId, source: HostName, destination: HostName) -> bool:
    """Whether a finding about ``subject`` is about this way. A host alone stands for either end of it."""
    if subject.vm is not None and subject.vm.id != vm:
        return False
    if subject.destination is not None and subject.destination != destination:
        return False
    ends = (source,) if subject.vm is not None or subject.destination is not None else (source, destination)
    return subject.host is None or subject.host in ends


def _forbids(conflict: Conflict) -> bool:
    return conflict.severity is Severity.BLOCKS and not conflict.code.startswith(_DECIDED_BY_THE_PLAN)


def _narrow(subject: Subject) -> bool:
    """About a VM or a way; what is about a whole host or the cluster would stand beside every move."""
    return subject.vm is not None or subject.destination is not None


def _by_vm(conflicts: Iterable[Conflict]) -> defaultdict[VmId | None, list[Conflict]]:
    grouped: defaultdict[VmId | None, list[Conflict]] = defaultdict(list)
    for conflict in conflicts:
        grouped[conflict.subject.vm.id if conflict.subject.vm else None].append(conflict)
    return grouped


def _with_codes(move: PlannedMove, conflicts: Iterable[Conflict]) -> PlannedMove:
    codes = dict.fromkeys(
        conflict.code for conflict in conflicts if concerns(conflict.subject, move.vm.id, move.source, move.destination)
    )
    return replace(move, conflicts=tuple(codes)) if codes else move
