"""What the guard's readings become in a run: events. The law, which plans foresee too, is in ``console.guard``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.guard import FREE_MEMORY, Lines, Stance, Verdict, crossed, judged

from .commands import SetSetting
from .events import Event, GuardBreached, GuardCalmed, GuardRaised, GuardRead
from .limits import fence_reason
from .setting_events import SettingIntended
from .setting_state import SettingChange
from .settings import SMB_FACTOR
from .state import Phase, RunState
from .turn import Turn

LEVER_REST_S = 20.0
"""Between two changes of a setting by the guard: the cluster has to take it and the readings have to show it."""
_STEPS_UP = 4
"""Additive steps from the value before the run to what was consented to."""


def on_readings(turn: Turn, values: Mapping[str, float]) -> None:
    """What new readings bring about: starts held or let go, and the lever that was consented to."""
    lines = turn.rules.guard
    if lines is None:
        return
    for event in judge(turn.state, lines, turn.at, values):
        turn.record(event)
    if values:
        _pull_lever(turn, lines, values)


def _pull_lever(turn: Turn, lines: Lines, values: Mapping[str, float]) -> None:
    """The share of the links that SMB may take: down by half on a breach, up by steps when it has been calm."""
    change = next((setting for setting in turn.state.settings_changed if setting.name == SMB_FACTOR), None)
    if change is None or not _may_change(turn, change):
        return
    value = _wanted_now(turn, change, lines, values)
    if value is not None and value != int(change.after):
        turn.record(SettingIntended(turn.at, SMB_FACTOR, change.before, str(value), by_guard=True))
        turn.ask(SetSetting(SMB_FACTOR, str(value), change.before))


def _may_change(turn: Turn, change: SettingChange) -> bool:
    state = turn.state
    numbers = all(text.isdecimal() for text in (change.before, change.after, change.wanted))
    ours = change.touched and not (change.pending or change.restored or change.given_up)
    out_of_hand = state.detached or state.window_closed or state.contact_lost_at is not None
    going = state.phase is Phase.MOVING and not out_of_hand
    rested = turn.seconds_since(change.asked_at) >= LEVER_REST_S
    return state.smb_transport and numbers and ours and going and rested and fence_reason(state, turn.at) is None


def _wanted_now(turn: Turn, change: SettingChange, lines: Lines, values: Mapping[str, float]) -> int | None:
    """Never below what was found before the run, nor above what the operator wants."""
    ceiling, value = int(change.wanted), int(change.after)
    floor = min(int(change.before), ceiling)
    if crossed(lines, {name: reading for name, reading in values.items() if name != FREE_MEMORY}):
        return max(floor, value // 2)
    reading = turn.state.guard
    if reading is None or reading.breached or reading.holding or value >= ceiling:
        return None
    still_s = turn.seconds_since(reading.changed_at) if reading.changed_at is not None else 0.0
    if min(still_s, turn.seconds_since(change.asked_at)) < lines.calm_s:
        return None
    return min(ceiling, value + max(1, (ceiling - floor) // _STEPS_UP))


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
