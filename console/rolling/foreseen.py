"""What a rolling plan foresees for each node, as the roll's first event keeps it."""

from __future__ import annotations

from console.drain.roll_events import NodeForecast
from console.planner.roll import RollPlan


def forecasts_of(plan: RollPlan) -> list[NodeForecast]:
    found = []
    for wave in plan.waves:
        for node in wave.nodes:
            out = [move for move in wave.moves if not move.back and move.source == node]
            back = sum(move.back and move.destination == node for move in wave.moves)
            empty_s = max((move.end_s for move in out), default=wave.start_s)
            found.append(NodeForecast(node, len(out) + back, wave.start_s, empty_s, wave.end_s))
    return found
