"""Arrived is not done: success needs the owner, the role, the VM and its heartbeat."""

from __future__ import annotations

from console.model.cluster import GroupState
from console.model.identity import HostName, VmId

from . import move_events as mv
from .commands import ReadBlackout, VerifyArrival
from .facts import HEARTBEAT_WELL, PAUSED, REST_OFF, RUNNING, Arrival
from .signals import ArrivalRead, BlackoutRead
from .state import Move, MoveState
from .turn import Turn


def arrived(turn: Turn, vm: VmId, host: HostName, *, late: bool = False) -> None:
    """The cluster names ``host`` as the owner: look closer."""
    turn.record(mv.MoveArrived(turn.at, vm, host, late))
    turn.ask(VerifyArrival(vm, host))


def on_arrival(turn: Turn, signal: ArrivalRead) -> None:
    """Verified, not yet, or not at all."""
    move = turn.move(signal.vm)
    if move is None or move.destination != signal.host or not _waits_for_verification(move):
        return
    waited_s = turn.seconds_since(move.arrived_at)
    if signal.arrival is None:
        if move.state is MoveState.VERIFYING and waited_s >= turn.rules.host_patience_s:
            why = f"its role is on {signal.host}, but the host does not answer: {signal.reason}"
            turn.record(mv.MoveUnverified(turn.at, signal.vm, why))
        return
    if signal.arrival.owner not in (signal.host, move.source):
        arrived(turn, signal.vm, signal.arrival.owner)
        return
    missing = _missing(move, signal.arrival)
    if missing is None:
        _verified(turn, move, signal.host, signal.arrival)
    elif waited_s >= turn.rules.heartbeat_patience_s:
        turn.record(mv.MoveFailed(turn.at, signal.vm, f"arrived on {signal.host}, but {missing}"))


def _waits_for_verification(move: Move) -> bool:
    return move.state is MoveState.VERIFYING or (move.state is MoveState.UNKNOWN and move.settled)


def _verified(turn: Turn, move: Move, host: HostName, arrival: Arrival) -> None:
    vm = move.vm.id
    turn.record(mv.MoveVerified(turn.at, vm, host, arrival.vm_state, arrival.heartbeat))
    if move.live and move.started_at is not None:
        turn.ask(ReadBlackout(vm, host, move.started_at))


def _missing(move: Move, arrival: Arrival) -> str | None:
    """What is not yet as it was before the move; None when all is."""
    if arrival.owner != move.destination:
        return f"its role went back to {arrival.owner}"
    if move.vm_state in REST_OFF:
        return None
    if arrival.role_state is not GroupState.ONLINE:
        return f"its role is {arrival.role_state.name.lower().replace('_', ' ')}"
    if arrival.vm_state not in (RUNNING, move.vm_state if move.vm_state == PAUSED else RUNNING):
        return f"the VM does not run (state {arrival.vm_state})"
    if move.heartbeat in HEARTBEAT_WELL and arrival.heartbeat not in HEARTBEAT_WELL:
        return "its heartbeat did not come back"
    return None


def on_blackout(turn: Turn, signal: BlackoutRead) -> None:
    if turn.move(signal.vm) is not None:
        turn.record(mv.BlackoutMeasured(turn.at, signal.vm, signal.blackout_s))


def verify_again(turn: Turn) -> None:
    """Ask for every arrival that is not verified, also for those given up as unknown: late is better."""
    for vm, move in turn.state.moves.items():
        if move.destination is not None and _waits_for_verification(move):
            turn.ask(VerifyArrival(vm, move.destination))
