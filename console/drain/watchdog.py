"""The watchdog: slow after minutes without progress, stuck after half an hour; a likely cause, and what to try."""

from __future__ import annotations

from console.guard import CSV_LATENCY, HOST_CPU, MISSED_HEARTBEATS
from console.planner.values import Engine

from . import events as ev
from . import move_events as mv
from .commands import CancelMove
from .ending import detach
from .state import Move, MoveState, Pace, Phase, RunState, WhenStuck
from .turn import Turn

OFFERS = (
    "look who owns it, and at the VMMS service and the storage of both hosts",
    "cancel the move; the VM goes on running where it is",
    "wait, and look whether it did not finish after all",
    "force it back to a known good owner with Move-ClusterGroup, which saves the VM",
)
"""What can be done about a stuck move, in this order."""


def watch(turn: Turn) -> None:
    """Give each move in flight its pace; cancel a stuck one where the run was told to."""
    for move in tuple(turn.state.moves.values()):
        if move.state is not MoveState.MOVING or move.queued_by_cluster:
            continue
        silent_s = turn.seconds_since(move.progressed_at)
        if silent_s >= turn.rules.stuck_after_s and move.pace is not Pace.STUCK:
            cause = likely_cause(turn.state, move, silent_s)
            offers = "; ".join(f"{number}. {offer}" for number, offer in enumerate(OFFERS, 1))
            turn.record(mv.MoveStuck(turn.at, move.vm.id, f"{cause}. What can be done, in order: {offers}"))
            _cancel_if_told(turn, move, silent_s)
        elif turn.rules.slow_after_s <= silent_s < turn.rules.stuck_after_s and move.pace is Pace.STEADY:
            turn.record(mv.MoveSlowed(turn.at, move.vm.id, likely_cause(turn.state, move, silent_s)))


def _cancel_if_told(turn: Turn, move: Move, silent_s: float) -> None:
    """Nobody is there to choose: the gentlest of the offers that changes anything, once for each attempt."""
    state = turn.state
    ours = state.engine is Engine.PLANNED and not move.foreign and move.forced_to is None
    if state.when_stuck is WhenStuck.CANCEL and ours and not move.cancelling and not move.cancel_reason:
        why = f"it did not progress for {silent_s / 60:.0f} min, and nobody is there to be asked"
        turn.record(mv.CancelIntended(turn.at, move.vm.id, why))
        turn.ask(CancelMove(move.vm.id))


def leave_if_hopeless(turn: Turn) -> None:
    """A cancel that had no effect for as long again, and nothing else left to do: nobody would ever end this run."""
    state = turn.state
    if state.when_stuck is not WhenStuck.CANCEL or state.phase is not Phase.MOVING:
        return
    left = [move for move in state.moves.values() if not move.state.terminal]
    if left and all(_is_hopeless(turn, move) for move in left):
        names = ", ".join(str(move.vm.name or move.vm.id) for move in left)
        words = f"{names}: neither moved nor let itself be cancelled; it is left to an operator, who may force it back"
        turn.record(ev.Noted(turn.at, words, problem=True))
        detach(turn)


def _is_hopeless(turn: Turn, move: Move) -> bool:
    silent_s = turn.seconds_since(move.progressed_at)
    return move.state is MoveState.MOVING and bool(move.cancel_reason) and silent_s >= 2 * turn.rules.stuck_after_s


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
    if move.rate_bytes_per_s == 0:
        return f"{head} at {move.percent:.0f} %: nothing is sent any more; look at the network between the hosts"
    return f"{head} at {move.percent:.0f} %: the guest may dirty memory faster than it is sent"
