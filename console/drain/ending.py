"""How a run ends: every VM in one terminal state, settings back, one outcome and one exit code."""

from __future__ import annotations

from . import events as ev
from . import move_events as mv
from .commands import RemoveLease
from .settings import give_up_all, restore, unrestored
from .state import Consent, Move, MoveState, Outcome, Phase, Purpose, RunState
from .turn import Turn

_NOT_STARTED = (MoveState.PLANNED, MoveState.QUEUED, MoveState.CHECKING, MoveState.HELD)
_FOLLOWED = (MoveState.MOVING, MoveState.VERIFYING)

_BACK = frozenset({MoveState.DONE, MoveState.INTERRUPTED, MoveState.LEFT_BEHIND})

EXIT_CODES = {
    Outcome.DRAINED: 0,
    Outcome.RETURNED: 0,
    Outcome.FAILED: 1,
    Outcome.BLOCKED: 3,
    Outcome.STOPPED: 4,
    Outcome.DETACHED: 5,
    Outcome.WINDOW_CLOSED: 8,
    Outcome.CONTACT_LOST: 9,
}


def all_settled(state: RunState) -> bool:
    """Nothing is to be started and nothing to be followed; a held VM is not settled."""
    return all(
        move.state.terminal or (move.state is MoveState.UNKNOWN and move.settled) for move in state.moves.values()
    )


def skip_the_rest(turn: Turn, why: str) -> None:
    """What has not started does not start any more."""
    for vm, move in tuple(turn.state.moves.items()):
        if move.state in _NOT_STARTED:
            turn.record(mv.MoveSkipped(turn.at, vm, why))


def lose_the_followed(turn: Turn, why: str) -> None:
    """What moves goes on by itself and nobody watches: unknown at close."""
    for vm, move in tuple(turn.state.moves.items()):
        if move.state in _FOLLOWED:
            turn.record(mv.MoveLost(turn.at, vm, why))


def finish(turn: Turn, outcome: Outcome, why: str) -> None:
    """Begin to close: put settings back first, where there are any."""
    skip_the_rest(turn, why or f"not started: the run ended ({outcome.value.replace('_', ' ')})")
    turn.record(ev.ClosingBegan(turn.at, outcome))
    restore(turn, first=True)
    close_if_restored(turn)


def close_if_restored(turn: Turn) -> None:
    state = turn.state
    if state.phase is Phase.CLOSING and state.closing_as is not None and not unrestored(state):
        turn.record(ev.RunClosed(turn.at, state.closing_as, state.left_on_node))
        give_lease_back(turn)


def give_lease_back(turn: Turn) -> None:
    """Whoever comes next has not to wait. A lost lease is not ours to remove, and force changes nothing."""
    lease = turn.state.lease
    if lease.id and not lease.lost_to and not turn.state.forced:
        turn.ask(RemoveLease(lease.name, lease.id))


def detach(turn: Turn) -> None:
    """Leave at once; nothing is cancelled."""
    skip_the_rest(turn, "not started: the run was detached")
    lose_the_followed(turn, "still moving when the run was detached; it goes on by itself")
    finish(turn, Outcome.DETACHED, "")


def close_by_force(turn: Turn, by: str) -> None:
    """End the record at once; the cluster is left exactly as it is."""
    turn.record(ev.CloseForced(turn.at, by))
    flying = any(move.under_way or move.state in _FOLLOWED for move in turn.state.moves.values())
    skip_the_rest(turn, "not started: the run was closed by force")
    lose_the_followed(turn, "still moving when the run was closed by force")
    give_up_all(turn, "the run was closed by force")
    lost = turn.state.contact_lost_at is not None
    outcome = Outcome.CONTACT_LOST if lost else Outcome.DETACHED if flying else Outcome.STOPPED
    turn.record(ev.ClosingBegan(turn.at, outcome))
    turn.record(ev.RunClosed(turn.at, outcome, turn.state.left_on_node))


def settled_outcome(state: RunState) -> Outcome:
    """The outcome of a run whose node was verified."""
    states = {move.state for move in state.moves.values()}
    if MoveState.UNKNOWN in states:
        return Outcome.CONTACT_LOST
    if state.verified_empty:
        return Outcome.DRAINED
    if state.purpose is Purpose.RETURN and states <= _BACK:
        return Outcome.RETURNED if _all_home(state) else Outcome.FAILED
    if MoveState.FAILED in states:
        return Outcome.FAILED
    if state.lease.lost_to:
        return Outcome.BLOCKED
    if state.stopping:
        return Outcome.STOPPED
    if state.window_closed and MoveState.SKIPPED in states:
        return Outcome.WINDOW_CLOSED
    if MoveState.BLOCKED in states:
        return Outcome.BLOCKED
    if MoveState.SKIPPED in states:
        return Outcome.STOPPED
    return Outcome.DRAINED if _only_chosen_are_left(state) else Outcome.FAILED


def _all_home(state: RunState) -> bool:
    """False when something else moved a VM to yet another node."""
    staying = MoveState.LEFT_BEHIND
    return all(move.destination == state.node for move in state.moves.values() if move.state is not staying)


def _only_chosen_are_left(state: RunState) -> bool:
    staying = {move.vm.role for move in state.moves.values() if move.state is MoveState.LEFT_BEHIND}
    return set(state.left_on_node) <= {role for role in staying if role}


def consented(consents: tuple[Consent, ...], kind: str, move: Move) -> bool:
    """Whether the operator agreed to this for this VM: by id, by name, or for all."""
    subjects = {consent.subject for consent in consents if consent.kind == kind}
    return bool(subjects & {"all", move.vm.id, move.vm.name})


def exit_code(state: RunState) -> int:
    """The process exit code of a run: 0 all done, 1 some failed, 3 blocked, 4 stopped, 5 detached with moves running,
    6 another holds the node, 7 could not connect, 8 the window closed first, 9 contact lost with moves running,
    130 not closed."""
    if state.outcome is None:
        return 130
    if state.held_by:
        return 6
    if state.outcome is Outcome.CONTACT_LOST and not any(
        move.attempts or move.foreign for move in state.moves.values()
    ):
        return 7
    if state.outcome is Outcome.DRAINED:
        left = (move for move in state.moves.values() if move.state is MoveState.LEFT_BEHIND)
        return 0 if all(consented(state.consents, "leave-behind", move) for move in left) else 3
    return EXIT_CODES[state.outcome]
