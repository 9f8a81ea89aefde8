"""Starting: slots refill one by one as each frees; nothing starts that was not re-read a moment before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from console.model.cluster import GroupState
from console.planner.values import OFFLINE_AT_ONCE

from . import move_events as mv
from .adopting import adopt
from .arrivals import arrived
from .commands import CheckMove, StartMove
from .facts import PAUSED, REST_OFF, RUNNING, CheckFacts
from .limits import WAITING, hold_reason, offline_reason, wait_reason
from .native import join_drain
from .signals import CheckRead
from .state import Move, MoveState, Purpose, RunState
from .turn import Turn


def start_what_may(turn: Turn) -> None:
    """Take a slot for every waiting move that may start, in planned order; the next ones learn why they wait. VMs that
    are off wait in a line of their own."""
    hold = hold_reason(turn.state, turn.at)
    waiting = [move for move in turn.state.moves.values() if move.state in WAITING]
    _start(turn, [move for move in waiting if not move.offline], hold, _slots_are_taken)
    _start(turn, [move for move in waiting if move.offline], hold, _enough_are_off)


def _slots_are_taken(state: RunState) -> bool:
    return state.occupied_slots >= state.allowed_slots


def _enough_are_off(state: RunState) -> bool:
    return state.offline_under_way >= OFFLINE_AT_ONCE


def _start(turn: Turn, line: Sequence[Move], hold: str | None, full: Callable[[RunState], bool]) -> None:
    told = 0
    in_hand: list[CheckRead] = []
    for planned in line:
        vm = planned.vm.id
        if told >= max(turn.state.slots, 1) and (hold or full(turn.state)):
            break
        why = hold or wait_reason(turn.state, planned, turn.at)
        if why is None and planned.destination is not None:
            turn.record(mv.MoveChecked(turn.at, vm, planned.destination))
            check = turn.checked.pop(vm, None)
            if check is not None and check.facts is not None and check.destination == planned.destination:
                in_hand.append(check)
            else:
                turn.ask(CheckMove(vm, planned.destination))
        elif hold is None and planned.destination is None and not _waits_for_plan(turn, planned):
            turn.record(mv.MoveBlocked(turn.at, vm, planned.reason or "it has no destination"))
        elif why is not None and told < max(turn.state.slots, 1):
            told += 1
            if (planned.state, planned.reason) != (MoveState.QUEUED, why):
                turn.record(mv.MoveQueued(turn.at, vm, why))
    for check in in_hand:
        on_check(turn, check)


def _waits_for_plan(turn: Turn, move: Move) -> bool:
    return move.not_before is not None and turn.at < move.not_before


def give_back_checks(turn: Turn) -> None:
    """While nothing may start, nothing is kept half-way."""
    why = hold_reason(turn.state, turn.at)
    if why is None:
        return
    for vm, move in tuple(turn.state.moves.items()):
        if move.state is MoveState.CHECKING:
            turn.record(mv.MoveReturned(turn.at, vm, why))


def ask_again(turn: Turn) -> None:
    """A check that was never answered (the runner was replaced, the answer was lost) is asked once more."""
    for vm, move in turn.state.moves.items():
        late = turn.seconds_since(move.checking_since) >= turn.rules.check_patience_s
        if move.state is MoveState.CHECKING and move.destination is not None and late:
            turn.ask(CheckMove(vm, move.destination))


def on_check(turn: Turn, signal: CheckRead) -> None:
    """The last look before a start: start, wait, go elsewhere, or block."""
    move = turn.move(signal.vm)
    if move is None or move.state is not MoveState.CHECKING or move.destination != signal.destination:
        return
    if signal.facts is None:
        _return(turn, move, f"could not be re-read: {signal.reason}")
        return
    move = _as_found(turn, move, signal.facts)
    why = _stale(turn, move) or hold_reason(turn.state, turn.at) or wait_reason(turn.state, move, turn.at)
    until = None
    if why is None and move.quick and signal.facts.vm_state in REST_OFF:  # nothing is left to be saved
        why, until = offline_reason(turn.state, move), turn.at + timedelta(seconds=turn.rules.check_again_s)
    if why is not None:
        turn.record(mv.MoveReturned(turn.at, move.vm.id, why, until=until))
    elif signal.facts.node_draining and turn.state.purpose is Purpose.DRAIN:
        join_drain(turn)
    elif not _taken_by_others(turn, move, signal.facts):
        _start_or_not(turn, move, signal.facts)


def _as_found(turn: Turn, move: Move, facts: CheckFacts) -> Move:
    """A VM that was started or shut down since the plan goes another way, and counts against other limits."""
    known = facts.vm_state in (RUNNING, PAUSED) or facts.vm_state in REST_OFF
    off = facts.vm_state in REST_OFF
    if move.quick or not known or off is move.offline:
        return move
    turn.record(mv.MoveKindSeen(turn.at, move.vm.id, live=not off))
    return turn.state.moves[move.vm.id]


def _stale(turn: Turn, move: Move) -> str | None:
    """The answer may have waited while this machine slept."""
    age_s = turn.seconds_since(move.checking_since)
    return f"its check took {age_s:.0f} s; it is checked anew" if age_s > turn.rules.check_valid_s else None


def _return(turn: Turn, move: Move, why: str) -> None:
    """Not now: look again in a moment, but not for ever."""
    if turn.seconds_since(move.refused_since) >= turn.rules.refusal_patience_s:
        turn.record(mv.MoveBlocked(turn.at, move.vm.id, why))
        return
    turn.record(mv.MoveReturned(turn.at, move.vm.id, why, until=turn.at + timedelta(seconds=turn.rules.check_again_s)))


def _taken_by_others(turn: Turn, move: Move, facts: CheckFacts) -> bool:
    """Something else moved it or is moving it: adopt the fact, never ask a second time."""
    vm = move.vm.id
    if facts.owner != move.source:
        adopt(turn, move, facts.owner, f"moved to {facts.owner} by something else")
        if not facts.busy:
            arrived(turn, vm, facts.owner)
        return True
    if facts.busy:
        adopt(turn, move, None, "something else is moving it")
        return True
    return False


def _start_or_not(turn: Turn, move: Move, facts: CheckFacts) -> None:
    vm, destination = move.vm.id, move.destination
    if destination is None:
        return
    state = facts.vm_state if facts.vm_state is not None else move.vm_state
    if facts.locked:
        turn.record(mv.MoveBlocked(turn.at, vm, "its role is locked from moving; unlock it and try again"))
    elif facts.role_state in (GroupState.FAILED, GroupState.UNKNOWN):
        turn.record(mv.MoveBlocked(turn.at, vm, f"its role is {facts.role_state.name.lower()} on {facts.owner}"))
    elif not _fits(turn, move, facts):
        _elsewhere(turn, move, facts)
    elif state in (RUNNING, PAUSED) or state in REST_OFF:
        running = state not in REST_OFF
        quick = running and move.quick
        turn.record(mv.MoveIntended(turn.at, vm, destination, running and not quick, quick, state))
        turn.ask(StartMove(vm, destination, running and not quick, quick))
    else:
        _return(turn, move, f"the VM is in between (state {state}); waiting until it runs or is off")


def _fits(turn: Turn, move: Move, facts: CheckFacts) -> bool:
    if not facts.destination_accepts:
        return False
    if facts.destination_free_bytes is None or facts.vm_state in REST_OFF:
        return True
    reserve = turn.state.memory_reserve_fraction * (facts.destination_memory_bytes or 0)
    promised = sum(
        other.memory_bytes
        for other in turn.state.moves.values()
        if other.state is MoveState.CHECKING
        and not other.offline
        and other.destination == move.destination
        and other.vm != move.vm
    )
    need = facts.memory_bytes or move.memory_bytes
    return facts.destination_free_bytes - promised - reserve >= need


def _elsewhere(turn: Turn, move: Move, facts: CheckFacts) -> None:
    """The destination does not take it now: plan what is left anew, once for each refusal."""
    why = facts.destination_why_not or f"{move.destination} has not enough free memory now"
    _return(turn, move, why)
    turn.replan(move.vm.id)
