"""The maintenance window of a rolling run: warn early, begin nothing after its end, let finish what moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from . import roll_events as re
from .roll_forecast import forecast_ends
from .roll_state import RollNode, RollState, Stage

_WORTH_TELLING_S = 30.0
_SPARE_S = 120.0
"""Before the window's end; a forecast that wavers around it would warn again and again."""


def at_deadline(state: RollState, at: datetime) -> Iterator[re.RollEvent]:
    """What the window's end means, once."""
    if state.window_ends_at is None or state.window_closed or at < state.window_ends_at:
        return
    yield re.RollWindowClosed(at)
    for node in state.nodes.values():
        if node.stage is Stage.WAITING:
            yield re.NodeSkipped(at, node.name, "not begun: the maintenance window ended")


def judged(state: RollState, at: datetime) -> Iterator[re.RollEvent]:
    """Warn while there is time to do something; take the warning back only when there is some to spare."""
    late_s = lateness_s(state, at)
    if late_s is None or state.stopping:
        return
    if late_s > 0 and not state.window_at_risk:
        yield re.RollWindowAtRisk(at, late_s)
    elif late_s < -_SPARE_S and state.window_at_risk:
        yield re.RollWindowSafe(at)


def lateness_s(state: RollState, at: datetime) -> float | None:
    """How long after the window the forecast's p90 ends; negative: so long before. None without either."""
    ends = None if state.window_ends_at is None or state.closed else forecast_ends(state, now=at)
    return None if ends is None or state.window_ends_at is None else (ends[1] - state.window_ends_at).total_seconds()


def revised(node: RollNode, at: datetime, p50_at: datetime, p90_at: datetime) -> Iterator[re.RollEvent]:
    """A new forecast of the run that is on for a node, when it differs enough from the one that was told."""
    told = node.ends_p50_at
    if told is None or abs((p50_at - told).total_seconds()) >= _WORTH_TELLING_S:
        yield re.NodeForecastRevised(at, node.name, p50_at, p90_at)
