"""The way back: the node is resumed, and the VMs that left it return; planned and previewed like a drain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from console.forecast.values import Forecaster, MigrationType
from console.model.cluster import Cluster, NodeState, VirtualMachine
from console.model.identity import HostName
from console.planner.moves import makespan_p90_s
from console.planner.places import Choice
from console.planner.timing import Timed, time_moves
from console.planner.values import Infeasible, NotMoved, Plan, PlannedMove, PlanOptions, SiteLimits

from . import lease_events as le
from .commands import ReadNode, ResumeNode
from .ending import finish
from .facts import Answered, NodeFacts
from .settings import change_at_start
from .signals import ResumeAnswered
from .state import MoveState, Outcome, Phase, RunState
from .turn import Turn

Blocked = Callable[[VirtualMachine, HostName], Sequence[str]]
"""The sentences of the conflicts that block a VM's way to a host; empty when none does."""

_LEFT = (MoveState.DONE, MoveState.INTERRUPTED)


def plan_return(
    drained: RunState, cluster: Cluster, forecaster: Forecaster, blocked: Blocked, *, slots: int | None = None
) -> Plan:
    """A plan for the VMs that a drain moved away, from where they are now back to its node.

    As many at once as one node may take part in, in the order that is over first, timed as a drain is: while one is
    not copying, the others have the link. What was deleted meanwhile is left out, what is back already too; what a
    conflict keeps away or what does not run live is named and stays where it is.
    """
    node = drained.node
    limit = slots or cluster.settings.maximum_parallel_migrations or 1
    home: list[Choice] = []
    left: list[NotMoved] = []
    infeasible: list[Infeasible] = []
    for move in drained.moves.values():
        vm = cluster.vm_by_id.get(move.vm.id)
        if move.state not in _LEFT or vm is None or vm.host == node:
            continue
        why = tuple(blocked(vm, node))
        forecast = forecaster.forecast(cluster, vm, node, sharing=limit)
        if why:
            infeasible.append(Infeasible(move.vm, "; ".join(why)))
        elif forecast.migration_type is MigrationType.QUICK:
            left.append(NotMoved(move.vm, "it would be saved and restored to return; it stays where it runs"))
        else:
            home.append(Choice(vm, node, f"returns to {node}"))
    timed = time_moves(cluster, home, _levers(limit), forecaster, effort=_EFFORT)
    moves = tuple(sorted(_planned(timed, cluster, forecaster, limit), key=lambda move: move.start_s))
    return Plan(
        node=node,
        options=PlanOptions(slots=limit),
        moves=moves,
        left_behind=tuple(left),
        interrupted=(),
        infeasible=tuple(infeasible),
        after=(),
        slots=limit,
        makespan_s=timed.makespan_s,
        makespan_p90_s=makespan_p90_s(timed.makespan_s, moves, limit),
        lower_bound_s=timed.lower_bound_s,
        n1_after=None,
    )


_EFFORT = 4000
"""Moves simulated to better the order, some 0.1 s."""


def _levers(limit: int) -> PlanOptions:
    """Every move takes part in the one node that all return to, whatever other hosts may do at once."""
    return PlanOptions(slots=limit, limits=SiteLimits(per_destination=limit))


def _planned(timed: Timed, cluster: Cluster, forecaster: Forecaster, limit: int) -> Iterator[PlannedMove]:
    """Each with the duration that it has among the others."""
    for choice, slot in zip(timed.choices, timed.slots, strict=True):
        shared = forecaster.forecast(cluster, choice.vm, choice.host, sharing=limit)
        duration_s = slot.end_s - slot.start_s
        worse = shared.duration_p90_s / shared.duration_p50_s if shared.duration_p50_s > 0 else 1.0
        forecast = replace(shared, duration_p50_s=duration_s, duration_p90_s=duration_s * worse)
        yield PlannedMove(
            choice.vm.ref, choice.vm.host, choice.host, slot.start_s, slot.end_s, choice.vm.memory_bytes, forecast,
            choice.reason,
        )  # fmt: skip


# in the run


def resume(turn: Turn) -> None:
    """Ask once; a second time does no harm, so that a new runner may ask again."""
    if turn.state.pause_asked_at is None:
        turn.record(le.ResumeIntended(turn.at))
        turn.ask(ResumeNode())


def on_resumed(turn: Turn, signal: ResumeAnswered) -> None:
    if turn.state.phase is not Phase.RESUMING:
        return
    if signal.reply.done:
        _resumed(turn)
    elif signal.reply.answered is Answered.REFUSED:
        _resume_failed(turn, signal.reply.reason)
    else:
        turn.ask(ReadNode())


def was_it_resumed(turn: Turn, node: NodeFacts) -> None:
    """Its answer is outstanding or lost: the node itself tells."""
    if node.state is NodeState.UP:
        _resumed(turn)
    elif turn.seconds_since(turn.state.pause_asked_at) >= turn.rules.pause_patience_s:
        _resume_failed(turn, "the node is not up and nothing answered")


def _resumed(turn: Turn) -> None:
    turn.record(le.NodeResumed(turn.at))
    change_at_start(turn)


def _resume_failed(turn: Turn, reason: str) -> None:
    turn.record(le.ResumeFailed(turn.at, reason))
    finish(turn, Outcome.FAILED, f"not started: {turn.state.node} could not be resumed")
