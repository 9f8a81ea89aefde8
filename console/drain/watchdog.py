"""The watchdog: slow after minutes without progress, stuck after half an hour; a likely cause, and what to try."""

from __future__ import annotations

from . import move_events as mv
from .guard import CSV_LATENCY, HOST_CPU, MISSED_HEARTBEATS
from .state import Move, MoveState, Pace, RunState
from .turn import Turn

OFFERS = (
    "look who owns it, and at the VMMS service and the storage of both hosts",
    "cancel the move (X)",
    "wait, and look whether it did not finish after all",
    "force it back to a known good owner with Move-ClusterGroup, which saves the VM",
)
"""What can be done about a stuck move, in this order."""


def watch(turn: Turn) -> None:
    """Give each move in flight its pace."""
    for move in tuple(turn.state.moves.values()):
        if move.state is not MoveState.MOVING or move.queued_by_cluster:
            continue
        silent_s = turn.seconds_since(move.progressed_at)
        if silent_s >= turn.rules.stuck_after_s and move.pace is not Pace.STUCK:
            cause = likely_cause(turn.state, move, silent_s)
            turn.record(mv.MoveStuck(turn.at, move.vm.id, f"{cause}. Next: {OFFERS[0]}"))
        elif turn.rules.slow_after_s <= silent_s < turn.rules.stuck_after_s and move.pace is Pace.STEADY:
            turn.record(mv.MoveSlowed(turn.at, move.vm.id, likely_cause(turn.state, move, silent_s)))


def likely_cause(state: RunState, move: Move, silent_s: float) -> str:
    """A sentence on why it may stand still, from what was read (failure phases: Microsoft support KB 4558514)."""
    head = f"no progress for {silent_s / 60:.0f} min"
    values = state.guard.values if state.guard else {}
    if state.guard and state.guard.breached:
        return f"{head}; {state.guard.breached[0]}"
    if values.get(MISSED_HEARTBEATS, 0) > 0:
        return f"{head}; nodes miss heartbeats ({values[MISSED_HEARTBEATS]:.0f})"
    if values.get(CSV_LATENCY, 0) > 0.02:
        return f"{head}; a shared volume answers in {values[CSV_LATENCY] * 1000:.0f} ms"
    if values.get(HOST_CPU, 0) > 0.85:
        return f"{head}; a host's processors are {values[HOST_CPU]:.0%} busy"
    if move.percent is None:
        return f"{head}; the hosts report no progress at all"
    if move.percent < 10:
        return f"{head} below 10 %: the destination may lack a switch or memory"
    if move.percent >= 90:
        return f"{head} near the end: the destination may not take the VM's configuration"
    return f"{head} at {move.percent:.0f} %: the guest may dirty memory faster than it is sent"
