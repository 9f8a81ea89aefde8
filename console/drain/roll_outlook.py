"""What is said of a rolling run: how it ended or what it waits for, and each event as a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from console.formatting import count, duration

from . import roll_events as re
from .roll_state import RollNode, RollState, Stage, apply_roll, open_roll
from .rolling import hold_reason_of_roll, waits_for_somebody
from .state import LogLine

DONE, STOPPED, INCOMPLETE, WINDOW_CLOSED = "done", "stopped", "incomplete", "window_closed"
_EXIT_CODES = {DONE: 0, INCOMPLETE: 1, STOPPED: 4, WINDOW_CLOSED: 8}
_ENDED = {
    DONE: "every node is done",
    STOPPED: "stopped",
    INCOMPLETE: "ended; some nodes were left out",
    WINDOW_CLOSED: "the maintenance window ended first",
}


def roll_outcome(state: RollState) -> str | None:
    """``done``, ``stopped``, ``window_closed`` or ``incomplete`` (nodes were left out); None while it is open."""
    if not state.closed:
        return None
    if not state.left:
        return DONE
    if state.window_closed:
        return WINDOW_CLOSED
    return STOPPED if state.stopping else INCOMPLETE


def roll_exit_code(state: RollState) -> int:
    """0 all done, 1 some nodes left out, 4 stopped by the operator, 8 the window ended first; an open one that a
    failure holds is 1, else 130."""
    outcome = roll_outcome(state)
    if outcome is None:
        return 1 if state.failed else 130
    return _EXIT_CODES[outcome]


def standing_of(state: RollState) -> str:
    """What it does or waits for, in a few words."""
    outcome = roll_outcome(state)
    if outcome is not None:
        return _ENDED[outcome]
    if state.stopping and (state.stop_asked or not state.failed):
        why = "the maintenance window has ended" if state.window_closed else "stopping"
        return f"{why}: what is out comes back, nothing more begins"
    if state.began + 1 >= state.waves and not state.failed:
        return ", ".join(f"{n.name}: {n.stage.value}" for n in state.nodes.values() if not n.stage.over) or "ending"
    return hold_reason_of_roll(state) or "the next wave begins"


# events as sentences


@singledispatch
def sentence_of(event: object, state: RollState) -> str:
    """An event for a log; ``state`` is the one after it. Empty: not worth a line."""
    return ""


@sentence_of.register
def _(event: re.RollOpened, state: RollState) -> str:
    rest = f", the rest of {event.continues}" if event.continues else ""
    moves = f", {count(state.planned_moves, 'move')} foreseen" if state.planned_moves else ""
    nodes = count(len(state.nodes), "node")
    return f"Roll {event.roll} over {nodes} in {count(len(event.waves), 'wave')}{moves}{rest}."


@sentence_of.register
def _(event: re.WaveApproved, state: RollState) -> str:
    return f"Wave {event.wave + 1} was approved by {event.by or 'somebody'}."


@sentence_of.register
def _(event: re.WaveBegan, state: RollState) -> str:
    names = ", ".join(node.name for node in state.of_wave(event.wave))
    return f"Wave {event.wave + 1} of {state.waves} begins: {names}."


@sentence_of.register
def _(event: re.NodeDrainEnded, state: RollState) -> str:
    return f"{event.node}: {event.outcome.value.replace('_', ' ')}, {count(event.moved, 'VM')} moved."


@sentence_of.register
def _(event: re.HookIntended, state: RollState) -> str:
    return f"{event.node}: the hook runs."


@sentence_of.register
def _(event: re.HookEnded, state: RollState) -> str:
    status = "no exit status" if event.exit_status is None else f"exit status {event.exit_status}"
    told = f": {event.told}" if event.told else ""
    return f"{event.node}: the hook ended with {status}{told}."


@sentence_of.register
def _(event: re.NodeResumed, state: RollState) -> str:
    cut = " without having been emptied" if state.nodes[event.node].cut_short else ""
    return f"{event.node} is in service again{cut} ({_done(state)} of {len(state.nodes)} done)."


@sentence_of.register
def _(event: re.ReturnIntended, state: RollState) -> str:
    return f"{event.node}: its VMs return."


@sentence_of.register
def _(event: re.ReturnEnded, state: RollState) -> str:
    return f"{event.node}: {event.outcome.value.replace('_', ' ')}, {count(event.moved, 'VM')} moved."


@sentence_of.register
def _(event: re.ReturnOmitted, state: RollState) -> str:
    return f"{event.node} is in service, but {event.reason}."


@sentence_of.register
def _(event: re.NodeFailed, state: RollState) -> str:
    return f"{event.node} FAILED: {event.reason}. The roll stands until somebody decides."


@sentence_of.register
def _(event: re.NodeRetried, state: RollState) -> str:
    return f"{event.node} is tried again by {event.by or 'somebody'}."


@sentence_of.register
def _(event: re.NodeSkipped, state: RollState) -> str:
    return f"{event.node} is left out: {event.reason}."


@sentence_of.register
def _(event: re.HealthSeen, state: RollState) -> str:
    return "The cluster is well." if event.well else f"No further node begins: {event.reason}."


@sentence_of.register
def _(event: re.RollStopRequested, state: RollState) -> str:
    return f"{event.by or 'Somebody'} stops the roll: what is out comes back, nothing more begins."


@sentence_of.register
def _(event: re.RollWindowAtRisk, state: RollState) -> str:
    return f"It may end {duration(event.late_s)} after the maintenance window; no node begins after the window's end."


@sentence_of.register
def _(event: re.RollWindowSafe, state: RollState) -> str:
    return "It fits the maintenance window again."


@sentence_of.register
def _(event: re.RollWindowClosed, state: RollState) -> str:
    return "The maintenance window has ended: what moves finishes, what is out comes back, nothing more begins."


@sentence_of.register
def _(event: re.RollRefused, state: RollState) -> str:
    return f"Refused: {event.request}: {event.reason}."


@sentence_of.register
def _(event: re.RollRecovered, state: RollState) -> str:
    """Worth a line only where something was on its way: what waits for somebody has no process meanwhile."""
    return "" if waits_for_somebody(state) else "Taken over: everything is looked at again."


@sentence_of.register
def _(event: re.RollClosed, state: RollState) -> str:
    return f"Ended: {count(event.done, 'node')} done, {event.skipped} not, {count(state.moved, 'VM')} moved."


def _done(state: RollState) -> int:
    return sum(node.stage is Stage.DONE for node in state.nodes.values())


def stage_words(node: RollNode) -> str:
    """ "draining", "failed: the hook ended with status 3"."""
    return f"{node.stage.value}: {node.reason}" if node.reason else node.stage.value


_TROUBLE = (re.NodeFailed, re.RollRefused, re.RollWindowAtRisk, re.RollWindowClosed)


class RollLog:
    """A rolling run's events as sentences, taken as they come."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self._state: RollState | None = None

    def take(self, events: Iterable[re.RollEvent]) -> None:
        """Events that follow those that were taken before."""
        for event in events:
            if self._state is not None:
                self._state = apply_roll(self._state, event)
            elif isinstance(event, re.RollOpened):
                self._state = open_roll(event)
            else:
                continue
            text = sentence_of(event, self._state)
            if text:
                ill = isinstance(event, _TROUBLE) or (isinstance(event, re.HealthSeen) and not event.well)
                self.lines.append(LogLine(event.at, text, ill))
