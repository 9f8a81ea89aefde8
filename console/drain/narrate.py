"""The log's sentences: one line for an event that a person wants to read about, none for the rest.

Names come from Windows and are hostile text; whatever shows a line passes it through the edge's cleaning.
"""

from __future__ import annotations

from . import events as ev
from . import lease_events as le
from . import narrate_moves as narrate_moves  # registers its sentences
from .state import LogLine, Outcome, Purpose, RunState
from .telling import Told, because, tell


def line_of(state: RunState, event: ev.Event) -> LogLine | None:
    """The sentence for the event, told from the state before it."""
    told = tell(event, state)
    if told is None:
        return None
    text, problem = told
    return LogLine(event.at, text, problem)


@tell.register
def _(event: ev.RunOpened, state: RunState) -> Told:
    by = f" by {event.operator}" if event.operator else ""
    what = "drain" if event.purpose is Purpose.DRAIN else "return to"
    aim = f", all to {event.native_target} by the cluster's own drain" if event.native_target else ""
    size = f"{len(event.moves)} VMs, {event.slots} at once"
    return f"Run {event.run} opened{by}: {what} {event.node}, {size}{aim}", False


@tell.register
def _(event: ev.NodeClaimed, state: RunState) -> Told:
    if event.already_paused:
        return f"{state.node} was paused already and stays so", False
    return None


@tell.register
def _(event: ev.NodeRefused, state: RunState) -> Told:
    return f"{state.node} can not be drained{because(event.reason)}", True


@tell.register
def _(event: ev.NodePaused, state: RunState) -> Told:
    return f"{state.node} is paused: nothing new lands on it", False


@tell.register
def _(event: ev.PauseFailed, state: RunState) -> Told:
    return f"{state.node} could not be paused{because(event.reason)}", True


@tell.register
def _(event: ev.OwnedMoved, state: RunState) -> Told:
    to = f" to {event.destination}" if event.destination else ""
    return f"{event.kind.value.capitalize()} {event.name} moved{to}", False


@tell.register
def _(event: ev.OwnedMoveFailed, state: RunState) -> Told:
    return f"{event.kind.value.capitalize()} {event.name} did not move{because(event.reason)}", True


@tell.register
def _(event: ev.ContactLost, state: RunState) -> Told:
    return f"Contact lost{because(event.reason)}; what moves goes on, nothing new starts", True


@tell.register
def _(event: ev.ContactRegained, state: RunState) -> Told:
    return "Contact regained", False


@tell.register
def _(event: ev.SlotsChanged, state: RunState) -> Told:
    return f"{event.by or 'Operator'} set {event.slots} at once", False


@tell.register
def _(event: ev.StartsPaused, state: RunState) -> Told:
    return f"{event.by or 'Operator'} paused starts", False


@tell.register
def _(event: ev.StartsContinued, state: RunState) -> Told:
    return f"{event.by or 'Operator'} let starts go on", False


@tell.register
def _(event: ev.RequestRefused, state: RunState) -> Told:
    return f"{event.request} refused{because(event.reason)}", True


@tell.register
def _(event: ev.StopRequested, state: RunState) -> Told:
    return f"{event.by or 'Operator'} stopped the run: what is in flight finishes, nothing more starts", False


@tell.register
def _(event: ev.Detached, state: RunState) -> Told:
    return f"{event.by or 'Operator'} detached: what moves goes on by itself, the rest does not start", False


@tell.register
def _(event: ev.CloseForced, state: RunState) -> Told:
    return f"{event.by or 'Operator'} closed the run by force; nothing is changed on the cluster", True


@tell.register
def _(event: ev.WindowClosed, state: RunState) -> Told:
    return "The window ended: nothing new starts, what is in flight finishes", True


@tell.register
def _(event: ev.GuardBreached, state: RunState) -> Told:
    if state.guard is not None and state.guard.holding and len(event.lines) <= len(state.guard.breached):
        return None  # it goes on, and was told when it began
    return f"Guard holds new starts: {'; '.join(event.lines)}", True


@tell.register
def _(event: ev.GuardCalmed, state: RunState) -> Told:
    return f"Calm again: {event.slots} at once", False


@tell.register
def _(event: ev.SettingChanged, state: RunState) -> Told:
    change = next((setting for setting in state.settings_changed if setting.name == event.name), None)
    if change is None:
        return f"{event.name} changed", False
    if change.by_guard:
        down = int(change.after) < int(change.in_force)
        way = "down" if down else "up again"
        return f"Guard turns {event.name} {way} from {change.in_force} to {change.after}", down
    return f"{event.name} changed from {change.before} to {change.after}", False


@tell.register
def _(event: ev.SettingFailed, state: RunState) -> Told:
    return f"{event.name} not changed{because(event.reason)}", True


@tell.register
def _(event: ev.SettingRestored, state: RunState) -> Told:
    return f"{event.name} is back to {_before(state, event.name)}", False


@tell.register
def _(event: ev.SettingNotRestored, state: RunState) -> Told:
    return f"{event.name} is NOT back to {_before(state, event.name)}{because(event.reason)}", True


@tell.register
def _(event: ev.ParallelMeaningSeen, state: RunState) -> Told:
    return event.words, False


def _before(state: RunState, name: str) -> str:
    return next((setting.before for setting in state.settings_changed if setting.name == name), "its earlier value")


@tell.register
def _(event: ev.NodeVerifiedEmpty, state: RunState) -> Told:
    return f"{state.node} is empty: no group, no shared volume, no core group is left", False


@tell.register
def _(event: ev.NodeNotEmpty, state: RunState) -> Told:
    shown = ", ".join(event.left[:5]) + (f" and {len(event.left) - 5} more" if len(event.left) > 5 else "")
    return f"Still on {state.node}: {shown}", True


@tell.register
def _(event: ev.DrainFlagSet, state: RunState) -> Told:
    return f"The cluster shows {state.node} as drained", False


@tell.register
def _(event: ev.DrainFlagRefused, state: RunState) -> Told:
    return (
        f"{state.node} is empty and paused, but the cluster did not take the drain flag{because(event.reason)}",
        True,
    )


@tell.register
def _(event: ev.RunRecovered, state: RunState) -> Told:
    return f"A new runner took over{because(event.note)}", False


@tell.register
def _(event: ev.Noted, state: RunState) -> Told:
    return event.text, event.problem


@tell.register
def _(event: ev.RunClosed, state: RunState) -> Told:
    return f"Run closed: {event.outcome.value.replace('_', ' ')}", event.outcome not in (
        Outcome.DRAINED,
        Outcome.RETURNED,
    )


@tell.register
def _(event: le.LeaseConfirmed, state: RunState) -> Told:
    return None if state.lease.held else (f"The lease {event.name} on {state.node} is ours", False)


@tell.register
def _(event: le.LeaseWaited, state: RunState) -> Told:
    return f"{event.name} names no owner yet; waiting whether its console completes it", True


@tell.register
def _(event: le.LeaseMissing, state: RunState) -> Told:
    return f"The lease {state.lease.name} is gone; nothing starts until there is one again", True


@tell.register
def _(event: le.LeaseLost, state: RunState) -> Told:
    return f"{event.held_by} holds {state.node} now; what moves is followed, nothing more starts", True


@tell.register
def _(event: le.LeaseUnavailable, state: RunState) -> Told:
    return (
        f"This cluster takes no lease{because(event.reason)}. Nothing but the node's own state keeps a second "
        f"console away from {state.node}",
        True,
    )


@tell.register
def _(event: le.TimeSkipped, state: RunState) -> Told:
    if event.seconds < 0:
        return f"The clock was set back by {-event.seconds:.0f} s", True
    return f"{event.seconds:.0f} s went by unseen: this machine slept, or its clock was set", True


@tell.register
def _(event: le.EngineChanged, state: RunState) -> Told:
    return f"{event.by or 'Operator'}: {event.reason}", True


@tell.register
def _(event: le.RedundancyLost, state: RunState) -> Told:
    shown = ", ".join(event.disks[:3]) + (f" and {len(event.disks) - 3} more" if len(event.disks) > 3 else "")
    return f"While {state.node} is paused {shown} miss a copy: no other node may be lost before it is resumed", True


@tell.register
def _(event: le.ForeignDrainJoined, state: RunState) -> Told:
    return (
        f"Another drain of {state.node} was begun beside this run (Cluster-Aware Updating, Failover Cluster Manager or "
        "a colleague): the run watches it and starts no single moves",
        True,
    )


@tell.register
def _(event: le.NodeResumed, state: RunState) -> Told:
    return f"{state.node} is up again: VMs may return", False


@tell.register
def _(event: le.ResumeFailed, state: RunState) -> Told:
    return f"{state.node} could not be resumed{because(event.reason)}", True


@tell.register
def _(event: le.WindowAtRisk, state: RunState) -> Told:
    late = f"{event.late_s / 60:.0f} min" if event.late_s >= 60 else f"{event.late_s:.0f} s"
    return f"It may not fit the window: by the forecast's p90 it ends {late} too late", True


@tell.register
def _(event: le.WindowSafe, state: RunState) -> Told:
    return "By the forecast it fits the window again", False
