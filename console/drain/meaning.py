"""What MaximumParallelMigrations counts on this cluster, learnt from what the cluster runs and what it lets wait.

Microsoft's reference says: the migrations that one node takes part in. Some sites read it per pair of nodes. The
configuration chooses, and the group's *Queued* flag (StatusInformation 4) shows whether it chose well.
"""

from __future__ import annotations

from collections import Counter

from console.model.identity import HostName
from console.planner.values import SlotReading

from .setting_events import ParallelMeaningSeen
from .state import Move, MoveState, RunState
from .turn import Turn

_NAME = "MaximumParallelMigrations"


def learn(turn: Turn) -> None:
    """Tell it once, as soon as it shows; a reading that proves too loose is given up at once."""
    if turn.state.parallel_seen is not None:
        return
    evidence = _waits_per_node(turn.state)
    if evidence:
        turn.record(ParallelMeaningSeen(turn.at, SlotReading.NODE, evidence))
        return
    evidence = _runs_per_pair(turn.state)
    if evidence:
        turn.record(ParallelMeaningSeen(turn.at, SlotReading.PAIR, evidence))


def _waits_per_node(state: RunState) -> str:
    """A move waits in the cluster's queue although its pair has room, and one of its ends has none."""
    if state.parallel_per is not SlotReading.PAIR:
        return ""
    running = [move for move in state.moves.values() if _runs(move)]
    at_node = _at_nodes(state, running)
    for move in state.moves.values():
        if move.state is not MoveState.MOVING or not move.queued_by_cluster or move.destination is None:
            continue
        ends = {move.source, move.destination}
        between = sum({other.source, other.destination} == ends for other in running)
        full = next((node for node in (move.source, move.destination) if at_node[node] >= state.per_node_limit), None)
        if full is not None and between < state.per_node_limit:
            return (
                f"{full} takes part in {at_node[full]} and the cluster lets the next one wait, although only {between} "
                f"of them go between {move.source} and {move.destination}"
            )
    return ""


def _runs_per_pair(state: RunState) -> str:
    """More run on one node than the limit, and nothing waits."""
    if state.parallel_per is SlotReading.PAIR or any(move.queued_by_cluster for move in state.moves.values()):
        return ""
    running = [move for move in state.moves.values() if _runs(move)]
    at_node = _at_nodes(state, running)
    full = next((node for node, count in at_node.items() if count > state.per_node_limit), None)
    if full is None or not any(full in (move.source, move.destination) for move in running):
        return ""
    return f"{full} takes part in {at_node[full]} and the cluster lets none wait, with {_NAME} {state.per_node_limit}"


def _runs(move: Move) -> bool:
    """Seen to copy: a percentage is told of it, and it does not wait."""
    return move.state is MoveState.MOVING and move.live and not move.queued_by_cluster and bool(move.percent)


def _at_nodes(state: RunState, running: list[Move]) -> Counter[HostName]:
    count: Counter[HostName] = Counter(state.foreign_in_flight)
    for move in running:
        count.update(node for node in (move.source, move.destination) if node is not None)
    return count
