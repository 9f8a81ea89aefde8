"""The document of a run, as ``drain`` and ``attach`` print it; see docs/command-line.md."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from console.drain.setting_state import SettingChange
from console.drain.state import Consent, Move, MoveState, OwnedItem, RunState
from console.formatting import plain

SCHEMA = 1

Document = dict[str, Any]


def run_document(state: RunState) -> Document:
    """Everything that a ticket wants to know of a run; durations in seconds, sizes in bytes."""
    return {
        "schema": SCHEMA,
        "run": state.run,
        "cluster": plain(state.cluster),
        "node": state.node,
        "engine": state.engine.value,
        "outcome": None if state.outcome is None else state.outcome.value,
        "verified_empty": state.verified_empty,
        "drain_flag": state.drain_flag,
        "operator": plain(state.operator),
        "consents": [_consent(consent) for consent in state.consents],
        "moves": [_move(move, closed=state.outcome is not None) for move in state.moves.values()],
        "owned": [_owned(item) for item in state.owned],
        "degraded_disks": [plain(name) for name in state.degraded_disks],
        "left_on_node": [plain(name) for name in state.left_on_node],
        "started_at": _time(state.created_at),
        "finished_at": _time(state.finished_at),
        "forecast_s": state.forecast_s,
        "window_ends_at": _time(state.window_ends_at),
        "settings_changed": [
            _setting(change) for change in state.settings_changed if change.touched or change.given_up
        ],
        "held_by": plain(state.held_by) or None,
    }


def _move(move: Move, *, closed: bool) -> Document:
    unknown_at_close = closed and move.state is MoveState.UNKNOWN
    return {
        "vm": plain(move.vm.name),
        "vm_id": move.vm.id,
        "source": move.source,
        "destination": move.destination,
        "state": "unknown-at-close" if unknown_at_close else move.state.value,
        "reason": plain(move.reason),
        "attempts": move.attempts,
        "started_at": _time(move.started_at),
        "duration_s": move.duration_s,
        "forecast_s": move.forecast_p50_s,
        "blackout_s": move.blackout_s,
        "bytes": move.bytes_sent,
        "memory_bytes": move.memory_bytes,
    }


def _consent(consent: Consent) -> Document:
    return {"kind": consent.kind, "subject": consent.subject, "by": plain(consent.by), "at": _time(consent.at)}


def _setting(change: SettingChange) -> Document:
    return {
        "name": change.name,
        "from": change.before,
        "to": change.wanted or change.after,
        "now": change.before if change.restored else change.after,
        "turned_down": change.lowered,
        "restored": change.restored,
    }


def _owned(item: OwnedItem) -> Document:
    return {
        "kind": item.kind.value,
        "name": plain(item.name),
        "state": item.state.value,
        "destination": item.destination,
        "reason": plain(item.reason),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
