"""How the events of the cluster's settings change a run's state."""

from __future__ import annotations

from functools import singledispatch

from console.planner.values import SlotReading

from . import setting_events as se
from .evolve import evolve
from .setting_state import SettingChange
from .state import RunState


def apply_to_settings(state: RunState, event: se.SettingEvent) -> RunState:
    """The state after the event."""
    return _changed(event, state)


@singledispatch
def _changed(event: object, state: RunState) -> RunState:
    raise TypeError(f"not an event of a setting: {type(event).__name__}")


def _with_setting(
    state: RunState, name: str, *, touched: bool = False, restored: bool = False, given_up: bool = False
) -> RunState:
    """The named setting with the given marks added; whatever was on its way has been answered."""

    def marked(setting: SettingChange) -> SettingChange:
        return evolve(
            setting,
            touched=setting.touched or touched,
            restored=setting.restored or restored,
            given_up=setting.given_up or given_up,
            in_force=setting.after if touched else setting.in_force,
            pending=False,
        )

    changed = tuple(marked(setting) if setting.name == name else setting for setting in state.settings_changed)
    return evolve(state, settings_changed=changed)


@_changed.register
def _(event: se.SettingIntended, state: RunState) -> RunState:
    """The first ``before`` of a name is the original; later changes keep it."""
    earlier = next((setting for setting in state.settings_changed if setting.name == event.name), None)
    original = earlier.before if earlier else event.before
    others = tuple(setting for setting in state.settings_changed if setting.name != event.name)
    change = SettingChange(
        event.name,
        original,
        event.after,
        touched=earlier is not None and earlier.touched,
        wanted=earlier.wanted if earlier is not None and event.by_guard else event.after,
        in_force=earlier.in_force if earlier is not None else event.before,
        pending=True,
        asked_at=event.at,
        by_guard=event.by_guard,
        lowered=(earlier.lowered if earlier is not None else 0) + _turned_down(earlier, event),
    )
    intended = evolve(state, settings_changed=(*others, change))
    lower = _is_lower(state, event.name, event.after)
    return _with_limit(intended, event.name, event.after) if lower else intended


def _turned_down(earlier: SettingChange | None, event: se.SettingIntended) -> bool:
    return event.by_guard and earlier is not None and int(event.after) < int(earlier.after)


def _is_lower(state: RunState, name: str, value: str) -> bool:
    """A lower limit holds from the moment it may be in force, a higher one from when it certainly is."""
    return name == "MaximumParallelMigrations" and value.isdecimal() and int(value) < state.per_node_limit


@_changed.register
def _(event: se.SettingChanged, state: RunState) -> RunState:
    changed = _with_setting(state, event.name, touched=True)
    value = next((setting.after for setting in changed.settings_changed if setting.name == event.name), None)
    return _with_limit(changed, event.name, value)


def _with_limit(state: RunState, name: str, value: str | None) -> RunState:
    """One setting is also a limit of the run's own."""
    if name != "MaximumParallelMigrations" or value is None or not value.isdecimal():
        return state
    return evolve(state, per_node_limit=int(value))


@_changed.register
def _(event: se.SettingFailed, state: RunState) -> RunState:
    if event.may_have_changed:
        return _with_setting(state, event.name, touched=True)
    change = next((setting for setting in state.settings_changed if setting.name == event.name), None)
    if change is None:
        return state
    if change.touched:  # one of several: what was set before still holds
        kept = evolve(change, after=change.in_force, pending=False)
        settings = tuple(kept if setting is change else setting for setting in state.settings_changed)
        return evolve(state, settings_changed=settings)
    return _with_limit(_with_setting(state, event.name, restored=True), event.name, change.before)


@_changed.register
def _(event: se.SettingRestored, state: RunState) -> RunState:
    changed = _with_setting(state, event.name, restored=True)
    value = next((setting.before for setting in changed.settings_changed if setting.name == event.name), None)
    return _with_limit(changed, event.name, value)


@_changed.register
def _(event: se.ParallelMeaningSeen, state: RunState) -> RunState:
    """The stricter reading binds at once; the looser one is the configuration's to choose."""
    stricter = event.counts is SlotReading.NODE
    per = SlotReading.NODE if stricter else state.parallel_per
    return evolve(state, parallel_per=per, parallel_seen=event.counts)


@_changed.register
def _(event: se.SettingNotRestored, state: RunState) -> RunState:
    return _with_setting(state, event.name, given_up=True)
