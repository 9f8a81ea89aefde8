"""The way back: the node is resumed, and the VMs that left it return; planned and previewed like a drain."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from console.forecast.values import Forecaster, MigrationType
from console.model.cluster import Cluster, NodeState, VirtualMachine
from console.model.identity import HostName
from console.planner.values import Infeasible, NotMoved, Plan, PlannedMove, PlanOptions

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

    Largest first, as many at once as one node may take part in. What was deleted meanwhile is left out, what is back
    already too; what a conflict keeps away or what does not run live is named and stays where it is.
    """
    node = drained.node
    limit = slots or cluster.settings.maximum_parallel_migrations or 1
    here: list[PlannedMove] = []
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
            here.append(PlannedMove(move.vm, vm.host, node, 0.0, 0.0, vm.memory_bytes, forecast, f"returns to {node}"))
    scheduled = _scheduled(sorted(here, key=lambda item: -item.forecast.duration_p50_s), limit)
    return Plan(
        node=node,
        options=PlanOptions(slots=limit),
        moves=scheduled,
        left_behind=tuple(left),
        interrupted=(),
        infeasible=tuple(infeasible),
        after=(),
        slots=limit,
        makespan_s=max((move.end_s for move in scheduled), default=0.0),
        makespan_p90_s=sum(move.forecast.duration_p90_s for move in scheduled) / limit,
        lower_bound_s=sum(move.forecast.duration_p50_s for move in scheduled) / limit,
        n1_after=None,
    )


def _scheduled(moves: Iterable[PlannedMove], limit: int) -> tuple[PlannedMove, ...]:
    """A list schedule: every move takes part in the one node that all return to."""
    from dataclasses import replace

    free = [0.0] * limit
    placed = []
    for move in moves:
        start = heapq.heappop(free)
        end = start + move.forecast.duration_p50_s
        heapq.heappush(free, end)
        placed.append(replace(move, start_s=start, end_s=end))
    return tuple(placed)


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
