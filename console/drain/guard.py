"""What the guard's readings become in a run: events. The law, which plans foresee too, is in ``console.guard``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.guard import Lines, Stance, Verdict, crossed, judged

from .events import Event, GuardBreached, GuardCalmed, GuardRaised, GuardRead
from .state import RunState


def judge(state: RunState, lines: Lines, at: datetime, values: Mapping[str, float]) -> tuple[Event, ...]:
    """The events that follow from new readings; a reading that told nothing neither breaches nor calms."""
    read = GuardRead(at, dict(values))
    broken = crossed(lines, values)
    if not values:
        return (read,)
    verdict, allowed = judged(lines, stance_of(state, at), max(state.slots, 1), over=bool(broken))
    match verdict:
        case Verdict.BREACHED:
            return (read, GuardBreached(at, broken, allowed))
        case Verdict.CALMED:
            return (read, GuardCalmed(at, allowed))
        case Verdict.RAISED:
            return (read, GuardRaised(at, allowed))
        case Verdict.STEADY:
            return (read,)


def stance_of(state: RunState, at: datetime) -> Stance:
    """Where the run's guard stands; until it has spoken it allows what the operator does."""
    reading = state.guard
    changed_at = reading.changed_at if reading is not None else None
    return Stance(
        state.guard_slots or max(state.slots, 1),
        reading is not None and reading.holding,
        (at - changed_at).total_seconds() if changed_at is not None else None,
    )
