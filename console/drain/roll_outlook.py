"""What is said of a rolling run: how it ended or what it waits for, when it will end, and each event as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import singledispatch

from console.formatting import count
from console.model.identity import RunId

from . import roll_events as re
from .roll_state import RollNode, RollState, Stage
from .rolling import hold_reason_of_roll, waits_for_somebody
from .state import RunState

DONE, STOPPED, INCOMPLETE = "done", "stopped", "incomplete"
_EXIT_CODES = {DONE: 0, INCOMPLETE: 1, STOPPED: 4}
_PACE = (0.5, 3.0)
"""How far what was measured may bend what was foreseen."""


def roll_outcome(state: RollState) -> str | None:
    """``done``, ``stopped`` or ``incomplete`` (nodes were left out); None while it is open."""
    if not state.closed:
        return None
    if not state.left:
        return DONE
    return STOPPED if state.stopping else INCOMPLETE


def roll_exit_code(state: RollState) -> int:
    """0 all done, 1 some nodes left out, 4 stopped by the operator; an open one that a failure holds is 1, else 130."""
    outcome = roll_outcome(state)
    if outcome is None:
        return 1 if state.failed else 130
    return _EXIT_CODES[outcome]


def standing_of(state: RollState) -> str:
    """What it does or waits for, in a few words."""
    outcome = roll_outcome(state)
    if outcome is not None:
        return {DONE: "every node is done", STOPPED: "stopped", INCOMPLETE: "ended; some nodes were left out"}[outcome]
    if state.stopping:
        return "stopping: what is out comes back, nothing more begins"
    if state.began + 1 >= state.waves and not state.failed:
        return ", ".join(f"{n.name}: {n.stage.value}" for n in state.nodes.values() if not n.stage.over) or "ending"
    return hold_reason_of_roll(state) or "the next wave begins"


def forecast_end(state: RollState, drains: Mapping[RunId, RunState]) -> datetime | None:
    """When the whole roll will be over, approvals given at once; None when nobody foresaw anything.

    Args:
        drains: the runs of the nodes that are out, as far as they are known.
    """
    if state.closed:
        return state.finished_at
    if any(node.forecast is None for node in state.nodes.values()):
        return None
    pace = pace_of(state)
    end = state.now
    for wave in range(state.waves):
        nodes = [node for node in state.of_wave(wave) if not node.stage.over]
        if not nodes or (state.stopping and wave > state.began):
            continue
        if wave > state.began:
            end += timedelta(seconds=pace * max(_length_s(node) for node in nodes))
        else:
            end = max(_end_of(node, drains, end, pace) for node in nodes)
    return end


def pace_of(state: RollState) -> float:
    """What the nodes that are done took, over what was foreseen for them; 1 before the first."""
    done = [node for node in state.nodes.values() if node.stage is Stage.DONE and node.began_at and node.since]
    foreseen_s = sum(_length_s(node) for node in done)
    if foreseen_s <= 0:
        return 1.0
    took_s = sum((node.since - node.began_at).total_seconds() for node in done if node.since and node.began_at)
    return min(max(took_s / foreseen_s, _PACE[0]), _PACE[1])


def _length_s(node: RollNode) -> float:
    return 0.0 if node.forecast is None else node.forecast.end_s - node.forecast.start_s


def _end_of(node: RollNode, drains: Mapping[RunId, RunState], now: datetime, pace: float) -> datetime:
    assert node.forecast is not None, "asked only of foreseen nodes"
    run = drains.get(node.drain) if node.drain is not None else None
    if node.stage is Stage.DRAINING and run is not None and run.forecast_finish_p50_at is not None:
        rest_s = node.forecast.end_s - node.forecast.empty_s
        return max(now, run.forecast_finish_p50_at) + timedelta(seconds=rest_s)
    began = node.began_at or now
    return max(now, began + timedelta(seconds=pace * _length_s(node)))


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
    return f"{event.node} is in service again ({_done(state)} of {len(state.nodes)} done)."


@sentence_of.register
def _(event: re.ReturnIntended, state: RollState) -> str:
    return f"{event.node}: its VMs return."


@sentence_of.register
def _(event: re.ReturnEnded, state: RollState) -> str:
    return f"{event.node}: {event.outcome.value.replace('_', ' ')}, {count(event.moved, 'VM')} moved."


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
