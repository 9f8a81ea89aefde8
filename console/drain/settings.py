"""Cluster settings that a run may change with consent, and has to put back.

The old value is in the journal before the new one is set.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import events as ev
from .commands import ReadSetting, SetSetting
from .facts import Answered
from .setting_state import SettingChange
from .signals import SettingAnswered, SettingRead
from .state import RunState
from .turn import Turn

PARALLEL_MIGRATIONS = "MaximumParallelMigrations"
SMB_FACTOR = "SMBBandwidthLimitFactor"
AUTO_BALANCER = "AutoBalancerMode"
"""0 lets the cluster move nothing by itself while the run goes on."""
CHANGEABLE = (PARALLEL_MIGRATIONS, SMB_FACTOR, AUTO_BALANCER)
"""Properties of Get-Cluster that a run knows how to set (uint32)."""


def settings_of(typed: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """``NAME=VALUE`` as pairs.

    Raises:
        ValueError: a setting that no run changes, or a value that is no whole number; with a sentence.
    """
    known = {name.casefold(): name for name in CHANGEABLE}
    found = []
    for text in typed:
        name, _, value = text.partition("=")
        if name.casefold() not in known:
            raise ValueError(f"{text}: a run can change {' and '.join(CHANGEABLE)} only.")
        if not (value.isascii() and value.isdigit()):
            raise ValueError(f"{text}: the value is a whole number, such as {known[name.casefold()]}=2.")
        found.append((known[name.casefold()], int(value)))
    return tuple(found)


def consented(state: RunState) -> dict[str, str]:
    """Setting name → value that the operator allowed at the start."""
    pairs = [consent.subject.partition("=") for consent in state.consents if consent.kind == "setting"]
    return {name: value for name, _, value in pairs if name in CHANGEABLE}


def change_at_start(turn: Turn) -> None:
    """Set what was consented to: read the old value first; its answer goes on."""
    touched = {setting.name for setting in turn.state.settings_changed}
    for name in consented(turn.state):
        if name not in touched:
            turn.ask(ReadSetting(name))


def settings_pending(state: RunState) -> bool:
    """Whether a consented setting is neither set nor refused yet; starts wait for it."""
    known = {setting.name: setting for setting in state.settings_changed}
    return any(
        name not in known or not (known[name].touched or known[name].restored or known[name].given_up)
        for name in consented(state)
    )


def ask_for(turn: Turn, name: str, value: str) -> str | None:
    """The operator wants another value; why not, or None when it is on its way."""
    if name not in consented(turn.state):
        return f"changing {name} was not consented to when the run began"
    earlier = next((setting for setting in turn.state.settings_changed if setting.name == name), None)
    if earlier is None or earlier.restored or earlier.given_up:
        return f"{name} could not be changed before"
    if earlier.pending:
        return f"{name} is being changed just now"
    turn.record(ev.SettingIntended(turn.at, name, earlier.before, value))
    turn.ask(SetSetting(name, value, earlier.before))
    return None


def on_setting_read(turn: Turn, signal: SettingRead) -> None:
    if turn.state.closing_as is not None:
        _restoring_read(turn, signal)
        return
    wanted = consented(turn.state).get(signal.name)
    if wanted is None or any(setting.name == signal.name for setting in turn.state.settings_changed):
        return
    why = _not_to_change(signal, wanted)
    before = signal.value or "" if signal.original is None else signal.original
    turn.record(ev.SettingIntended(turn.at, signal.name, before, wanted))
    if why is not None:
        turn.record(ev.SettingFailed(turn.at, signal.name, why))
    else:
        turn.ask(SetSetting(signal.name, wanted, before))


def _not_to_change(signal: SettingRead, wanted: str) -> str | None:
    """A run that was never finished left ``original`` behind: its value is the one to put back, not today's."""
    if signal.value is None:
        return f"its value could not be read: {signal.reason}"
    if signal.held_by:
        return f"run {signal.held_by} has changed it to {signal.value} and still goes on"
    if signal.value == wanted and signal.original is None:
        return "it has this value already"
    return None


def on_setting_answered(turn: Turn, signal: SettingAnswered) -> None:
    change = next((setting for setting in turn.state.settings_changed if setting.name == signal.name), None)
    if change is None or change.restored or change.given_up:
        return
    if turn.state.closing_as is not None and not change.pending:
        if signal.value == change.before:
            _restored_or_not(turn, change, signal)
        return
    if signal.reply.done:
        turn.record(ev.SettingChanged(turn.at, signal.name))
    else:
        unknown = signal.reply.answered is Answered.UNANSWERED
        turn.record(ev.SettingFailed(turn.at, signal.name, signal.reply.reason, may_have_changed=unknown))
    if turn.state.closing_as is not None:
        restore(turn, first=True)


def unrestored(state: RunState) -> tuple[SettingChange, ...]:
    return tuple(setting for setting in state.settings_changed if not setting.restored and not setting.given_up)


def restore(turn: Turn, *, first: bool) -> None:
    """Put back what was changed: set at once when closing begins, afterwards read and set again what is not back. A
    change that is still on its way is answered first: two at once could land in either order."""
    late = turn.seconds_since(turn.state.closing_since) >= turn.rules.settings_patience_s
    for setting in unrestored(turn.state):
        if late:
            turn.record(ev.SettingNotRestored(turn.at, setting.name, "the cluster did not take it in time"))
        elif setting.pending:
            continue
        elif first:
            turn.ask(SetSetting(setting.name, setting.before))
        else:
            turn.ask(ReadSetting(setting.name))


def give_up_all(turn: Turn, why: str) -> None:
    for setting in unrestored(turn.state):
        turn.record(ev.SettingNotRestored(turn.at, setting.name, why))


def _restored_or_not(turn: Turn, change: SettingChange, signal: SettingAnswered) -> None:
    if signal.reply.done:
        turn.record(ev.SettingRestored(turn.at, change.name))
    elif signal.reply.answered is Answered.REFUSED:
        turn.record(ev.SettingNotRestored(turn.at, change.name, signal.reply.reason))


def _restoring_read(turn: Turn, signal: SettingRead) -> None:
    change = next((setting for setting in unrestored(turn.state) if setting.name == signal.name), None)
    if change is None or signal.value is None:
        return
    if signal.value == change.before:
        turn.record(ev.SettingRestored(turn.at, change.name))
    else:
        turn.ask(SetSetting(change.name, change.before))
