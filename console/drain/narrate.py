"""The log's sentences: one line for an event that a person wants to read about, none for the rest.

Names come from Windows and are hostile text; whatever shows a line passes it through the edge's cleaning.
"""

from __future__ import annotations

from functools import singledispatch

from console.model.identity import VmId

from . import events as ev
from . import lease_events as le
from . import move_events as mv
from .state import LogLine, Outcome, Purpose, RunState


def line_of(state: RunState, event: ev.Event) -> LogLine | None:
    """The sentence for the event, told from the state before it."""
    told = _tell(event, state)
    if told is None:
        return None
    text, problem = told
    return LogLine(event.at, text, problem)


Told = tuple[str, bool] | None


def _name(state: RunState, vm: VmId) -> str:
    move = state.moves.get(vm)
    return (move.vm.name or move.vm.id) if move else vm


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


@singledispatch
def _tell(event: object, state: RunState) -> Told:
    return None


@_tell.register
def _(event: ev.RunOpened, state: RunState) -> Told:
    by = f" by {event.operator}" if event.operator else ""
    what = "drain" if event.purpose is Purpose.DRAIN else "return to"
    return f"Run {event.run} opened{by}: {what} {event.node}, {len(event.moves)} VMs, {event.slots} at once", False


@_tell.register
def _(event: ev.NodeClaimed, state: RunState) -> Told:
    if event.already_paused:
        return f"{state.node} was paused already and stays so", False
    return None


@_tell.register
def _(event: ev.NodeRefused, state: RunState) -> Told:
    return f"{state.node} can not be drained{_because(event.reason)}", True


@_tell.register
def _(event: ev.NodePaused, state: RunState) -> Told:
    return f"{state.node} is paused: nothing new lands on it", False


@_tell.register
def _(event: ev.PauseFailed, state: RunState) -> Told:
    return f"{state.node} could not be paused{_because(event.reason)}", True


@_tell.register
def _(event: ev.OwnedMoved, state: RunState) -> Told:
    to = f" to {event.destination}" if event.destination else ""
    return f"{event.kind.value.capitalize()} {event.name} moved{to}", False


@_tell.register
def _(event: ev.OwnedMoveFailed, state: RunState) -> Told:
    return f"{event.kind.value.capitalize()} {event.name} did not move{_because(event.reason)}", True


@_tell.register
def _(event: ev.ContactLost, state: RunState) -> Told:
    return f"Contact lost{_because(event.reason)}; what moves goes on, nothing new starts", True


@_tell.register
def _(event: ev.ContactRegained, state: RunState) -> Told:
    return "Contact regained", False


@_tell.register
def _(event: ev.SlotsChanged, state: RunState) -> Told:
    return f"{event.by or 'Operator'} set {event.slots} at once", False


@_tell.register
def _(event: ev.StartsPaused, state: RunState) -> Told:
    return f"{event.by or 'Operator'} paused starts", False


@_tell.register
def _(event: ev.StartsContinued, state: RunState) -> Told:
    return f"{event.by or 'Operator'} let starts go on", False


@_tell.register
def _(event: ev.RequestRefused, state: RunState) -> Told:
    return f"{event.request} refused{_because(event.reason)}", True


@_tell.register
def _(event: ev.StopRequested, state: RunState) -> Told:
    return f"{event.by or 'Operator'} stopped the run: what is in flight finishes, nothing more starts", False


@_tell.register
def _(event: ev.Detached, state: RunState) -> Told:
    return f"{event.by or 'Operator'} detached: what moves goes on by itself, the rest does not start", False


@_tell.register
def _(event: ev.CloseForced, state: RunState) -> Told:
    return f"{event.by or 'Operator'} closed the run by force; nothing is changed on the cluster", True


@_tell.register
def _(event: ev.WindowClosed, state: RunState) -> Told:
    return "The window ended: nothing new starts, what is in flight finishes", True


@_tell.register
def _(event: ev.GuardBreached, state: RunState) -> Told:
    return f"Guard holds new starts: {'; '.join(event.lines)}", True


@_tell.register
def _(event: ev.GuardCalmed, state: RunState) -> Told:
    return f"Calm again: {event.slots} at once", False


@_tell.register
def _(event: ev.SettingChanged, state: RunState) -> Told:
    change = next((setting for setting in state.settings_changed if setting.name == event.name), None)
    values = f" from {change.before} to {change.after}" if change else ""
    return f"{event.name} changed{values}", False


@_tell.register
def _(event: ev.SettingFailed, state: RunState) -> Told:
    return f"{event.name} not changed{_because(event.reason)}", True


@_tell.register
def _(event: ev.SettingRestored, state: RunState) -> Told:
    return f"{event.name} is back to {_before(state, event.name)}", False


@_tell.register
def _(event: ev.SettingNotRestored, state: RunState) -> Told:
    return f"{event.name} is NOT back to {_before(state, event.name)}{_because(event.reason)}", True


def _before(state: RunState, name: str) -> str:
    return next((setting.before for setting in state.settings_changed if setting.name == name), "its earlier value")


@_tell.register
def _(event: ev.NodeVerifiedEmpty, state: RunState) -> Told:
    return f"{state.node} is empty: no group, no shared volume, no core group is left", False


@_tell.register
def _(event: ev.NodeNotEmpty, state: RunState) -> Told:
    shown = ", ".join(event.left[:5]) + (f" and {len(event.left) - 5} more" if len(event.left) > 5 else "")
    return f"Still on {state.node}: {shown}", True


@_tell.register
def _(event: ev.DrainFlagSet, state: RunState) -> Told:
    return f"The cluster shows {state.node} as drained", False


@_tell.register
def _(event: ev.DrainFlagRefused, state: RunState) -> Told:
    return (
        f"{state.node} is empty and paused, but the cluster did not take the drain flag{_because(event.reason)}",
        True,
    )


@_tell.register
def _(event: ev.RunRecovered, state: RunState) -> Told:
    return f"A new runner took over{_because(event.note)}", False


@_tell.register
def _(event: ev.Noted, state: RunState) -> Told:
    return event.text, event.problem


@_tell.register
def _(event: ev.RunClosed, state: RunState) -> Told:
    return f"Run closed: {event.outcome.value.replace('_', ' ')}", event.outcome not in (
        Outcome.DRAINED,
        Outcome.RETURNED,
    )


@_tell.register
def _(event: mv.MoveAdded, state: RunState) -> Told:
    return f"{event.move.vm.name or event.move.vm.id} was found on the node and joins the run", False


@_tell.register
def _(event: mv.MoveRedirected, state: RunState) -> Told:
    return f"{_name(state, event.vm)} goes to {event.destination} instead{_because(event.reason)}", False


@_tell.register
def _(event: mv.MoveIntended, state: RunState) -> Told:
    how = "live" if event.live else "saved and restored" if event.quick else "without copying memory"
    return f"{_name(state, event.vm)} → {event.destination}, {how}", False


@_tell.register
def _(event: mv.MoveStartUnanswered, state: RunState) -> Told:
    return f"{_name(state, event.vm)}: the start was not answered; watching whether it moves", True


@_tell.register
def _(event: mv.MoveAdopted, state: RunState) -> Told:
    return f"{_name(state, event.vm)}{_because(event.reason)}", True


@_tell.register
def _(event: mv.MoveSlowed, state: RunState) -> Told:
    return f"{_name(state, event.vm)} is slow{_because(event.cause)}", True


@_tell.register
def _(event: mv.MoveStuck, state: RunState) -> Told:
    return f"{_name(state, event.vm)} is stuck{_because(event.cause)}", True


@_tell.register
def _(event: mv.MoveVerified, state: RunState) -> Told:
    return f"{_name(state, event.vm)} runs on {event.host}" if event.vm_state == 2 else (
        f"{_name(state, event.vm)} is on {event.host}"
    ), False


@_tell.register
def _(event: mv.MoveUnverified, state: RunState) -> Told:
    return f"{_name(state, event.vm)} could not be verified{_because(event.reason)}", True


@_tell.register
def _(event: mv.MoveFailed, state: RunState) -> Told:
    return f"{_name(state, event.vm)} failed{_because(event.reason)}", True


@_tell.register
def _(event: mv.MoveRetried, state: RunState) -> Told:
    who = "once more by itself" if event.automatic else "once more"
    return f"{_name(state, event.vm)} is tried {who}{_because(event.reason)}", False


@_tell.register
def _(event: mv.MoveBlocked, state: RunState) -> Told:
    return f"{_name(state, event.vm)} is blocked{_because(event.reason)}", True


@_tell.register
def _(event: mv.MoveHeld, state: RunState) -> Told:
    return f"{_name(state, event.vm)} is held", False


@_tell.register
def _(event: mv.MoveReleased, state: RunState) -> Told:
    return f"{_name(state, event.vm)} is released", False


@_tell.register
def _(event: mv.MoveSkipped, state: RunState) -> Told:
    return f"{_name(state, event.vm)} is skipped{_because(event.reason)}", False


@_tell.register
def _(event: mv.CancelIntended, state: RunState) -> Told:
    return f"{_name(state, event.vm)}: cancelling", False


@_tell.register
def _(event: mv.CancelAnswered, state: RunState) -> Told:
    return None if event.accepted else (f"{_name(state, event.vm)}: not cancelled{_because(event.reason)}", True)


@_tell.register
def _(event: mv.MoveLost, state: RunState) -> Told:
    return f"{_name(state, event.vm)} is out of sight{_because(event.reason)}", True


@_tell.register
def _(event: le.LeaseConfirmed, state: RunState) -> Told:
    return None if state.lease.held else (f"The lease {event.name} on {state.node} is ours", False)


@_tell.register
def _(event: le.LeaseWaited, state: RunState) -> Told:
    return f"{event.name} names no owner yet; waiting whether its console completes it", True


@_tell.register
def _(event: le.LeaseMissing, state: RunState) -> Told:
    return f"The lease {state.lease.name} is gone; nothing starts until there is one again", True


@_tell.register
def _(event: le.LeaseLost, state: RunState) -> Told:
    return f"{event.held_by} holds {state.node} now; what moves is followed, nothing more starts", True


@_tell.register
def _(event: le.LeaseUnavailable, state: RunState) -> Told:
    return (
        f"This cluster takes no lease{_because(event.reason)}. Nothing but the node's own state keeps a second "
        f"console away from {state.node}",
        True,
    )


@_tell.register
def _(event: le.TimeSkipped, state: RunState) -> Told:
    if event.seconds < 0:
        return f"The clock was set back by {-event.seconds:.0f} s", True
    return f"{event.seconds:.0f} s went by unseen: this machine slept, or its clock was set", True


@_tell.register
def _(event: le.EngineChanged, state: RunState) -> Told:
    return f"{event.by or 'Operator'}: {event.reason}", True


@_tell.register
def _(event: le.NodeResumed, state: RunState) -> Told:
    return f"{state.node} is up again: VMs may return", False


@_tell.register
def _(event: le.ResumeFailed, state: RunState) -> Told:
    return f"{state.node} could not be resumed{_because(event.reason)}", True


@_tell.register
def _(event: le.WindowAtRisk, state: RunState) -> Told:
    late = f"{event.late_s / 60:.0f} min" if event.late_s >= 60 else f"{event.late_s:.0f} s"
    return f"It may not fit the window: by the forecast's p90 it ends {late} too late", True


@_tell.register
def _(event: le.WindowSafe, state: RunState) -> Told:
    return "By the forecast it fits the window again", False
