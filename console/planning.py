"""A plan that minds the conflicts: which findings forbid a way, and which ones an operator should see beside a move.

Pure; the console, the command line, a run and an offline plan from a snapshot all come through here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.checks.values import Conflict, Findings, Severity, Subject
from console.drain.guard import stance_of
from console.drain.returning import plan_return
from console.drain.state import Move, MoveState, RunState
from console.forecast.values import Forecaster
from console.model.cluster import Cluster, NodeState, VirtualMachine
from console.model.identity import HostName, VmId
from console.planner.choices import roll_choices
from console.planner.plan import plan_drains
from console.planner.refusals import Refusal
from console.planner.roll import RollChoice, RollOptions, RollPlan, plan_roll, wave_destinations
from console.planner.rules import CONFLICT
from console.planner.values import InFlight, Plan, PlannedMove, PlanOptions, Progress
from console.planner.whatif import WhatIf, what_helps

_DECIDED_BY_THE_PLAN = "place-"
"""Codes of placement speak of where VMs are; the plan knows where they will be, and keeps those rules itself."""
WAITED_FOR = frozenset({"cluster-quorum", "cluster-storage-unhealthy"})
"""Codes of the cluster's health: no wave of a roll begins before they are gone."""
_OF_SIGN_IN = ("auth-", "host-unreachable", "host-name-case")
"""Codes, and how codes begin, that make it doubtful whether a host is reached at all."""
_NOT_IN_SERVICE = "host-not-available"
_WAITING = (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING, MoveState.HELD)


def make_plan(
    cluster: Cluster,
    node: HostName,
    options: PlanOptions,
    forecaster: Forecaster,
    findings: Findings,
    progress: Progress | None = None,
) -> Plan:
    """Plan one node's drain, or what is left of it, around its blocking conflicts; name the conflicts of each move.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: the options ask for fewer than one slot.
    """
    return make_joint_plan(cluster, (node,), options, forecaster, findings, progress)


def make_joint_plan(
    cluster: Cluster,
    nodes: Sequence[HostName],
    options: PlanOptions,
    forecaster: Forecaster,
    findings: Findings,
    progress: Progress | None = None,
) -> Plan:
    """Like :func:`make_plan`, for nodes that are emptied together: none takes the VMs of another.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: no node, or the options ask for fewer than one slot.
    """
    barriers = _Barriers.of(findings)
    doubts = _doubts(findings)
    plan = plan_drains(cluster, nodes, options, forecaster, blocked=barriers.refusals, doubts=doubts, progress=progress)
    shown = _by_vm(conflict for conflict in findings.conflicts if _narrow(conflict.subject))
    return replace(plan, moves=tuple(_with_codes(move, [*shown[move.vm.id], *shown[None]]) for move in plan.moves))


def _doubts(findings: Findings) -> Mapping[HostName, int]:
    """Kinds of reasons to think that moves to a host can not sign in: one that fails takes a slot and moves nothing."""
    risks = (each for each in findings.conflicts if each.severity is Severity.RISKS)
    kinds = {(each.subject.destination or each.subject.host, each.code) for each in risks if _is_about_reaching(each)}
    return Counter(host for host, _ in kinds if host is not None)


def _is_about_reaching(conflict: Conflict) -> bool:
    return conflict.code.startswith(_OF_SIGN_IN) and conflict.subject.vm is None


def only(nodes: Sequence[HostName]) -> HostName | None:
    """The node that findings are asked about: the one, or for several the whole cluster."""
    return nodes[0] if len(nodes) == 1 else None


def make_roll(
    cluster: Cluster, nodes: Sequence[HostName], options: RollOptions, forecaster: Forecaster, findings: Findings
) -> RollPlan:
    """Plan the emptying of several nodes in waves, around the blocking conflicts of the whole cluster.

    Raises:
        KeyError: the cluster has no such node.
        ValueError: fewer than one node a wave, or fewer than one slot.
    """
    lasting = _Barriers.of(_lasting(cluster, nodes, findings))
    return plan_roll(cluster, nodes, options, forecaster, blocked=lasting.refusals)


def make_roll_choices(
    cluster: Cluster, nodes: Sequence[HostName], options: RollOptions, forecaster: Forecaster, findings: Findings
) -> tuple[RollChoice, ...]:
    """From the fewest moves to the shortest window: what other waves would cost."""
    lasting = _Barriers.of(_lasting(cluster, nodes, findings))
    return roll_choices(cluster, nodes, options, forecaster, blocked=lasting.refusals)


def _lasting(cluster: Cluster, nodes: Sequence[HostName], findings: Findings) -> Findings:
    """Without what a roll waits for before each wave, and what it ends by itself: nodes that it takes back."""
    paused = {host.name for host in cluster.hosts if host.name in nodes and host.state is NodeState.PAUSED}

    def lasts(conflict: Conflict) -> bool:
        taken_back = conflict.code == _NOT_IN_SERVICE and conflict.subject.destination in paused
        return conflict.code not in WAITED_FOR and not taken_back

    return replace(findings, conflicts=tuple(filter(lasts, findings.conflicts)))


def make_wave_destinations(
    cluster: Cluster,
    wave: Sequence[HostName],
    left: Sequence[HostName],
    emptied: Sequence[HostName],
    options: RollOptions,
    forecaster: Forecaster,
    findings: Findings,
) -> Mapping[VmId, HostName]:
    """Where a wave's VMs go when a roll has come that far, around the blocking conflicts.

    Raises:
        KeyError: the cluster has no such node.
    """
    barriers = _Barriers.of(findings)
    return wave_destinations(cluster, wave, left, emptied, options, forecaster, blocked=barriers.refusals)


def what_would_help(cluster: Cluster, plan: Plan, forecaster: Forecaster, findings: Findings) -> tuple[WhatIf, ...]:
    """Changes that would shorten a plan, the most helpful first, each computed by planning with it."""
    return what_helps(cluster, plan, forecaster, blocked=_Barriers.of(findings).refusals)


def make_return(
    drained: RunState, cluster: Cluster, forecaster: Forecaster, findings: Findings, slots: int | None = None
) -> Plan:
    """Plan how the VMs that a drain moved away come back, around what blocks them.

    That the node takes nothing now does not: the run resumes it first.
    """
    node = drained.node
    others = [
        conflict
        for conflict in findings.conflicts
        if not (conflict.code == _NOT_IN_SERVICE and node in (conflict.subject.host, conflict.subject.destination))
    ]
    barriers = _Barriers.of(replace(findings, conflicts=tuple(others)))
    return plan_return(drained, cluster, forecaster, barriers.sentences, slots=slots)


def progress_of(state: RunState, at: datetime) -> Progress:
    """How far a run has come, as the planner wants to know it.

    Moves that are over, or whose whereabouts are unknown, are not planned again; what runs goes on; the rest keeps
    its destination and its turn wherever both still hold.
    """
    done: set[VmId] = set()
    under_way: list[InFlight] = []
    waiting: dict[VmId, HostName] = {}
    for vm, move in state.moves.items():
        if move.state is MoveState.MOVING and move.destination is not None:
            under_way.append(InFlight(vm, move.destination, _elapsed_s(move, at), move.bytes_sent))
        elif move.state not in _WAITING:
            done.add(vm)
        elif move.destination is not None:
            waiting[vm] = move.destination
    return Progress(frozenset(done), tuple(under_way), waiting, stance_of(state, at))


def _elapsed_s(move: Move, at: datetime) -> float:
    return max(0.0, (at - move.started_at).total_seconds()) if move.started_at is not None else 0.0


@dataclass(frozen=True)
class _Barriers:
    """The blocking conflicts, by the VM that they are about; None holds those about hosts, ways and the cluster."""

    by_vm: Mapping[VmId | None, Sequence[Conflict]]

    @classmethod
    def of(cls, findings: Findings) -> _Barriers:
        return cls(dict(_by_vm(conflict for conflict in findings.conflicts if _forbids(conflict))))

    def refusals(self, vm: VirtualMachine, host: HostName) -> Sequence[Refusal]:
        about = (*self.by_vm.get(vm.id, ()), *self.by_vm.get(None, ()))
        return [
            Refusal(CONFLICT + conflict.code, conflict.message)
            for conflict in about
            if concerns(conflict.subject, vm.id, vm.host, host)
        ]

    def sentences(self, vm: VirtualMachine, host: HostName) -> Sequence[str]:
        return [refusal.text for refusal in self.refusals(vm, host)]


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
