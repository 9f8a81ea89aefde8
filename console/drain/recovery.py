"""After a crash: what an open run's moves really did, told from facts; then the run goes on as before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from console.model.identity import VmId

from . import events as ev
from . import move_events as mv
from .facts import Sight
from .state import Move, MoveState, RunState

_SETTLE = timedelta(seconds=10)


def recover(state: RunState, sights: Iterable[Sight] | None, at: datetime) -> tuple[ev.Event, ...]:
    """The events with which a new runner takes over.

    ``sights`` is a fresh look at every role that may be moving (state MOVING or UNKNOWN); None when nobody answers,
    and a VM that is not among them was not seen. Each is marked as arrived, still moving, back on its source, or
    unknown; nothing is asked of the cluster.
    """
    seen = {sight.vm: sight for sight in sights} if sights is not None else {}
    events: list[ev.Event] = [ev.RunRecovered(at, _note(state, seen))]
    for vm, move in state.moves.items():
        if move.state is MoveState.CHECKING:
            events.append(mv.MoveReturned(at, vm, "the runner was replaced while it was checked"))
        elif state.closing_as is not None:
            continue  # what goes on by itself was given up when the run began to close
        elif move.state is MoveState.MOVING or (move.state is MoveState.UNKNOWN and not move.settled):
            events.extend(_followed(move, seen.get(vm), at))
    for setting in state.settings_changed:
        if setting.pending and not (setting.restored or setting.given_up):
            why = "the runner was replaced while it was set"
            events.append(ev.SettingFailed(at, setting.name, why, may_have_changed=True))
    return tuple(events)


def _note(state: RunState, seen: Mapping[VmId, Sight]) -> str:
    """How far it was, and what became of each move that may have been going on."""
    flying = [move for move in state.moves.values() if move.under_way]
    found = "; ".join(f"{move.vm.name or move.vm.id} {_found(move, seen.get(move.vm.id))}" for move in flying)
    counted = f"{len(flying)} in flight, {len(state.finished)} of {len(state.moves)} finished"
    return f"{counted}. {found}" if found else counted


def _found(move: Move, sight: Sight | None) -> str:
    if move.state is MoveState.CHECKING:
        return "had not started yet"
    if sight is None:
        return "was not seen"
    if sight.owner != move.source and not sight.busy:
        return f"has arrived on {sight.owner}"
    if sight.busy:
        return "waits in the cluster's queue" if sight.queued else "still moves"
    if not move.accepted and not move.foreign:
        return f"is on {move.source}, its start was not carried out"
    return f"is back on {move.source}"


def _followed(move: Move, sight: Sight | None, at: datetime) -> Iterable[ev.Event]:
    vm = move.vm.id
    if move.cancelling:
        yield mv.CancelAnswered(at, vm, False, "the runner was replaced before Windows answered")
    if sight is None:
        if move.state is MoveState.MOVING:
            yield mv.MoveLost(at, vm, "it was not seen after the runner was replaced")
        return
    if move.state is MoveState.UNKNOWN:
        yield mv.MoveFound(at, vm)
    if sight.owner != move.source and not sight.busy:
        yield mv.MoveArrived(at, vm, sight.owner)
    elif not sight.busy and not move.accepted and not move.foreign:
        # Written down and, by all appearances, not sent. Windows gets a moment to show otherwise.
        yield mv.MoveReturned(at, vm, "its start was not carried out", until=at + _SETTLE)
    elif not sight.busy:
        yield mv.MoveSeenBack(at, vm)
