"""When will a rolling run be over? What is out, learnt from the nodes that are done, and then what is to come."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from console.model.identity import RunId

from .roll_state import RollNode, RollState, Stage
from .state import RunState

_PACE = (0.5, 3.0)
"""How far what was measured may bend what was foreseen."""
SPREAD = 0.2
"""How much longer than foreseen a node takes at worst (p90), as a share, before its own run says so; ours."""

NO_DRAINS: Mapping[RunId, RunState] = {}


def forecast_end(state: RollState, drains: Mapping[RunId, RunState] = NO_DRAINS) -> datetime | None:
    """When the whole roll will be over, approvals given at once; None when nobody foresaw anything.

    Args:
        drains: the runs of the nodes that are out, as far as they are known; without them what the roll noted counts.
    """
    ends = forecast_ends(state, drains)
    return None if ends is None else ends[0]


def forecast_ends(
    state: RollState, drains: Mapping[RunId, RunState] = NO_DRAINS, now: datetime | None = None
) -> tuple[datetime, datetime] | None:
    """p50 and p90 of the end, approvals given at once; None when nobody foresaw anything.

    Nodes are late independently of one another, so that what they may be late adds up by squares.

    Args:
        now: from when on what is to come is counted; by default from the newest event.
    """
    if state.closed:
        return (state.finished_at, state.finished_at) if state.finished_at else None
    if any(node.forecast is None for node in state.nodes.values()):
        return None
    pace = pace_of(state)
    end = max(now, state.now) if now is not None else state.now
    late_s2 = 0.0
    for wave in range(state.waves):
        nodes = [node for node in state.of_wave(wave) if not node.stage.over]
        if not nodes or (state.stopping and wave > state.began):
            continue
        if wave > state.began:
            length_s = pace * max(_length_s(node) for node in nodes)
            end += timedelta(seconds=length_s)
            late_s2 += (SPREAD * length_s) ** 2
        else:
            ends = [_ends_of(node, drains, end, pace) for node in nodes]
            late_s2 += max((worst - middle).total_seconds() for middle, worst in ends) ** 2
            end = max(middle for middle, _ in ends)
    return end, end + timedelta(seconds=math.sqrt(late_s2))


def pace_of(state: RollState) -> float:
    """What the nodes that are done took, over what was foreseen for them; 1 before the first."""
    done = [node for node in state.nodes.values() if node.stage is Stage.DONE and node.began_at and node.since]
    foreseen_s = sum(_length_s(node) for node in done)
    if foreseen_s <= 0:
        return 1.0
    took_s = sum((node.since - node.began_at).total_seconds() for node in done if node.since and node.began_at)
    return min(max(took_s / foreseen_s, _PACE[0]), _PACE[1])


def _length_s(node: RollNode) -> float:
    return 0.0 if node.forecast is None else node.forecast.end_s - node.forecast.start_s


def _ends_of(node: RollNode, drains: Mapping[RunId, RunState], now: datetime, pace: float) -> tuple[datetime, datetime]:
    assert node.forecast is not None, "asked only of foreseen nodes"
    run = drains.get(node.drain) if node.drain is not None and node.stage is Stage.DRAINING else None
    p50_at = node.ends_p50_at if run is None else run.forecast_finish_p50_at
    p90_at = node.ends_p90_at if run is None else run.forecast_finish_p90_at
    if node.stage is Stage.DRAINING and p50_at is not None:
        rest = timedelta(seconds=node.forecast.end_s - node.forecast.empty_s)
        middle = max(now, p50_at)
        return middle + rest, max(middle, p90_at or middle) + rest
    if node.stage is Stage.RETURNING and p50_at is not None:
        middle = max(now, p50_at)
        return middle, max(middle, p90_at or middle)
    length = timedelta(seconds=pace * _length_s(node))
    middle = max(now, (node.began_at or now) + length)
    return middle, middle + SPREAD * length
