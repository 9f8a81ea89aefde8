"""The document of a rolling run, for `roll`, `attach`, `history` and `report`; see docs/command-line.md."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from console.drain.roll_forecast import forecast_ends
from console.drain.roll_outlook import roll_outcome, standing_of
from console.drain.roll_state import RollNode, RollState
from console.formatting import plain

SCHEMA = 1

Document = dict[str, Any]


def roll_run_document(state: RollState) -> Document:
    """Everything that a ticket wants to know of a roll; durations in seconds."""
    waves = [[node.name for node in state.of_wave(wave)] for wave in range(state.waves)]
    foreseen = [node.forecast for node in state.nodes.values() if node.forecast is not None]
    ends = None if state.closed else forecast_ends(state)
    return {
        "schema": SCHEMA,
        "roll": state.roll,
        "cluster": plain(state.cluster),
        "outcome": roll_outcome(state),
        "standing": standing_of(state),
        "continues": state.continues or None,
        "operator": plain(state.operator),
        "order": waves,
        "failback": state.failback,
        "approve": "each" if state.approve else "all",
        "hook": [plain(word) for word in state.hook],
        "moves_planned": state.planned_moves,
        "moves_made": state.moved,
        "window_s": max((each.end_s for each in foreseen), default=None),
        "window_ends_at": _time(state.window_ends_at),
        "window_at_risk": state.window_at_risk,
        "window_closed": state.window_closed,
        "forecast_p50_at": None if ends is None else _time(ends[0]),
        "forecast_p90_at": None if ends is None else _time(ends[1]),
        "started_at": state.created_at.isoformat(),
        "finished_at": _time(state.finished_at),
        "duration_s": None if state.finished_at is None else (state.finished_at - state.created_at).total_seconds(),
        "nodes": [_node(node) for node in state.nodes.values()],
        "consents": [
            {"kind": consent.kind, "subject": consent.subject, "by": plain(consent.by), "at": _time(consent.at)}
            for consent in state.consents
        ],
    }


def _node(node: RollNode) -> Document:
    return {
        "node": node.name,
        "wave": node.wave + 1,
        "stage": node.stage.value,
        "reason": plain(node.reason),
        "moves_planned": None if node.forecast is None else node.forecast.moves,
        "moves_made": node.moved,
        "drain": node.drain,
        "return": node.back,
        "tries": node.tries,
        "hook_exit_status": node.exit_status,
        "hook_told": plain(node.told),
        "started_at": _time(node.began_at),
        "stage_since": _time(node.since),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
