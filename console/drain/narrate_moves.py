"""The log's sentences about single moves."""

from __future__ import annotations

from . import move_events as mv
from .state import RunState
from .telling import Told, because, name_of, tell


@tell.register
def _(event: mv.MoveAdded, state: RunState) -> Told:
    return f"{event.move.vm.name or event.move.vm.id} was found on the node and joins the run", False


@tell.register
def _(event: mv.MoveRedirected, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} goes to {event.destination} instead{because(event.reason)}", False


@tell.register
def _(event: mv.MoveKindSeen, state: RunState) -> Told:
    found = "was started since it was planned: it goes live" if event.live else "was shut down since it was planned"
    return f"{name_of(state, event.vm)} {found}", False


@tell.register
def _(event: mv.MoveIntended, state: RunState) -> Told:
    how = "live" if event.live else "saved and restored" if event.quick else "without copying memory"
    return f"{name_of(state, event.vm)} → {event.destination}, {how}", False


@tell.register
def _(event: mv.MoveStartUnanswered, state: RunState) -> Told:
    return f"{name_of(state, event.vm)}: the start was not answered; watching whether it moves", True


@tell.register
def _(event: mv.MoveAdopted, state: RunState) -> Told:
    if not event.reason:
        return f"{name_of(state, event.vm)} is moved by the cluster's own drain", False
    return f"{name_of(state, event.vm)}{because(event.reason)}", True


@tell.register
def _(event: mv.MoveSlowed, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} is slow{because(event.cause)}", True


@tell.register
def _(event: mv.MoveStuck, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} is stuck{because(event.cause)}", True


@tell.register
def _(event: mv.MoveVerified, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} runs on {event.host}" if event.vm_state == 2 else (
        f"{name_of(state, event.vm)} is on {event.host}"
    ), False


@tell.register
def _(event: mv.MoveUnverified, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} could not be verified{because(event.reason)}", True


@tell.register
def _(event: mv.MoveFailed, state: RunState) -> Told:
    move = state.moves[event.vm]
    if move.cancelling and move.cancel_reason and move.cancel_reason in event.reason:
        return f"{name_of(state, event.vm)} is cancelled and runs on {move.source}", True  # why was told before
    return f"{name_of(state, event.vm)} failed{because(event.reason)}", True


@tell.register
def _(event: mv.MoveRetried, state: RunState) -> Told:
    who = "once more by itself" if event.automatic else "once more"
    told = event.reason == state.moves[event.vm].reason
    return f"{name_of(state, event.vm)} is tried {who}{'' if told else because(event.reason)}", False


@tell.register
def _(event: mv.MoveBlocked, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} is blocked{because(event.reason)}", True


@tell.register
def _(event: mv.MoveHeld, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} is held", False


@tell.register
def _(event: mv.MoveReleased, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} is released", False


@tell.register
def _(event: mv.MoveSkipped, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} is skipped{because(event.reason)}", False


@tell.register
def _(event: mv.CancelIntended, state: RunState) -> Told:
    return f"{name_of(state, event.vm)}: cancelling{because(event.reason)}", bool(event.reason)


@tell.register
def _(event: mv.CancelAnswered, state: RunState) -> Told:
    return None if event.accepted else (f"{name_of(state, event.vm)}: not cancelled{because(event.reason)}", True)


@tell.register
def _(event: mv.ForceIntended, state: RunState) -> Told:
    who = event.by or "Operator"
    return f"{who} forces {name_of(state, event.vm)} to {event.host}: Move-ClusterGroup saves and restores it", True


@tell.register
def _(event: mv.ForceAnswered, state: RunState) -> Told:
    return None if event.accepted else (f"{name_of(state, event.vm)}: not forced{because(event.reason)}", True)


@tell.register
def _(event: mv.ActorNamed, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} was taken by {event.who}", True


@tell.register
def _(event: mv.MoveLost, state: RunState) -> Told:
    return f"{name_of(state, event.vm)} is out of sight{because(event.reason)}", True
