"""What operators ask of a run that goes on. Each request becomes its own event, or a refusal with its reason."""

from __future__ import annotations

from datetime import timedelta
from functools import singledispatch

from console.model.identity import VmId
from console.planner.values import Engine

from . import events as ev
from . import move_events as mv
from . import requests as rq
from .commands import CancelMove, ForceOwner, StopNativeDrain
from .ending import close_by_force, detach, skip_the_rest
from .handing_over import hand_over
from .limits import WAITING
from .settings import SMB_FACTOR, ask_for
from .signals import Requested
from .state import Move, MoveState, Pace, Phase, Purpose
from .turn import Turn

_WORDS = {
    rq.PauseStarts: "pausing starts",
    rq.ContinueStarts: "continuing",
    rq.SetSlots: "changing the slots",
    rq.SetBandwidthCap: "changing the bandwidth share",
    rq.HoldMove: "holding",
    rq.ReleaseMove: "releasing",
    rq.RetryMove: "trying again",
    rq.CancelMove: "cancelling",
    rq.ForceBack: "forcing back",
    rq.SkipMove: "skipping",
    rq.StopRun: "stopping",
    rq.DetachRun: "detaching",
    rq.CloseByForce: "closing by force",
    rq.HandOver: "handing over",
}

MAXIMUM_SLOTS = 64


def on_request(turn: Turn, signal: Requested) -> None:
    """Follow the request or say why not."""
    closing = turn.state.closing_as is not None
    if closing and not isinstance(signal.request, rq.CloseByForce):
        _refuse(turn, signal, "the run is closing")
        return
    why = _obey(signal.request, turn, signal.by)
    if why is not None:
        _refuse(turn, signal, why)


def _refuse(turn: Turn, signal: Requested, why: str) -> None:
    words = _WORDS[type(signal.request)]
    vm: VmId | None = getattr(signal.request, "vm", None)
    move = turn.move(vm) if vm else None
    name = f" {move.vm.name or move.vm.id}" if move else ""
    turn.record(ev.RequestRefused(turn.at, f"{words}{name}", why))


@singledispatch
def _obey(request: object, turn: Turn, by: str) -> str | None:
    """Follow one kind of request; returns why not, or None."""
    raise TypeError(f"not a request: {type(request).__name__}")


@_obey.register
def _(request: rq.PauseStarts, turn: Turn, by: str) -> str | None:
    if not turn.state.paused:
        turn.record(ev.StartsPaused(turn.at, by))
    return None


@_obey.register
def _(request: rq.ContinueStarts, turn: Turn, by: str) -> str | None:
    if turn.state.paused:
        turn.record(ev.StartsContinued(turn.at, by))
    return None


@_obey.register
def _(request: rq.SetSlots, turn: Turn, by: str) -> str | None:
    if not 0 <= request.slots <= MAXIMUM_SLOTS:
        return f"{request.slots} is not between 0 and {MAXIMUM_SLOTS}"
    if request.slots != turn.state.slots:
        turn.record(ev.SlotsChanged(turn.at, request.slots, by))
    return None


@_obey.register
def _(request: rq.SetBandwidthCap, turn: Turn, by: str) -> str | None:
    if not turn.state.smb_transport:
        return "live migration does not use SMB here, so the SMB limit would not bind it"
    if not 1 <= request.factor <= 10_000:
        return f"{request.factor} is not between 1 and 10000 hundredths of a percent"
    return ask_for(turn, SMB_FACTOR, str(request.factor))


@_obey.register
def _(request: rq.HoldMove, turn: Turn, by: str) -> str | None:
    move = turn.move(request.vm)
    if move is None:
        return "no such VM in this run"
    if move.state not in (*WAITING, MoveState.CHECKING):
        return f"it is {move.state.value}"
    turn.record(mv.MoveHeld(turn.at, request.vm))
    return None


@_obey.register
def _(request: rq.ReleaseMove, turn: Turn, by: str) -> str | None:
    move = turn.move(request.vm)
    if move is None or move.state is not MoveState.HELD:
        return "it is not held"
    turn.record(mv.MoveReleased(turn.at, request.vm))
    return None


@_obey.register
def _(request: rq.RetryMove, turn: Turn, by: str) -> str | None:
    move = turn.move(request.vm)
    why = _not_to_retry(turn, move)
    if move is None or why is not None:
        return why or "no such VM in this run"
    if request.destination == move.source:
        return f"{move.source} is where it is"
    if turn.state.purpose is Purpose.RETURN and request.destination not in (None, turn.state.node):
        return f"it returns to {turn.state.node} or stays where it is"
    reason = f"asked by {by}" if by else ""
    waits = turn.state.purpose is Purpose.DRAIN
    until = turn.at + timedelta(seconds=turn.rules.replan_patience_s) if waits else None
    turn.record(mv.MoveRetried(turn.at, request.vm, None, False, reason, until))
    turn.replan(request.vm, request.destination)
    return None


def _not_to_retry(turn: Turn, move: Move | None) -> str | None:
    if move is None:
        return "no such VM in this run"
    if turn.state.stopping or turn.state.window_closed or turn.state.lease.lost_to:
        return "nothing more starts in this run"
    if turn.state.phase is not Phase.MOVING:
        return f"the run is {turn.state.phase.value}"
    if move.state not in (MoveState.FAILED, MoveState.BLOCKED, MoveState.SKIPPED):
        return f"it is {move.state.value}"
    if move.quick and not _interruption_allowed(turn, move):
        return "it would be interrupted, and nobody consented to that"
    return None


def _interruption_allowed(turn: Turn, move: Move) -> bool:
    subjects = {consent.subject for consent in turn.state.consents if consent.kind == "interrupt"}
    return bool(subjects & {"all", move.vm.id, move.vm.name})


@_obey.register
def _(request: rq.CancelMove, turn: Turn, by: str) -> str | None:
    move = turn.move(request.vm)
    if move is None:
        return "no such VM in this run"
    if move.state is not MoveState.MOVING:
        return f"it is {move.state.value}"
    if move.cancelling:
        return "it is being cancelled already"
    turn.record(mv.CancelIntended(turn.at, request.vm))
    turn.ask(CancelMove(request.vm))
    return None


@_obey.register
def _(request: rq.ForceBack, turn: Turn, by: str) -> str | None:
    """The last of what the watchdog offers; the others come first."""
    move = turn.move(request.vm)
    if move is None or move.vm.role is None:
        return "no such VM in this run"
    if move.state is not MoveState.MOVING:
        return f"it is {move.state.value}"
    if move.pace is not Pace.STUCK:
        return "only a stuck move is forced back; wait, or cancel it first"
    if move.forced_to is not None:
        return f"it is being forced to {move.forced_to} already"
    host = request.host or move.source
    turn.record(mv.ForceIntended(turn.at, request.vm, host, by))
    turn.ask(ForceOwner(request.vm, move.vm.role, host))
    return None


@_obey.register
def _(request: rq.SkipMove, turn: Turn, by: str) -> str | None:
    move = turn.move(request.vm)
    if move is None:
        return "no such VM in this run"
    if move.state not in (*WAITING, MoveState.CHECKING, MoveState.HELD, MoveState.FAILED, MoveState.BLOCKED):
        return f"it is {move.state.value}"
    turn.record(mv.MoveSkipped(turn.at, request.vm, f"skipped by {by or 'the operator'}"))
    return None


@_obey.register
def _(request: rq.StopRun, turn: Turn, by: str) -> str | None:
    if turn.state.stopping:
        return None
    turn.record(ev.StopRequested(turn.at, by))
    skip_the_rest(turn, "not started: the run was stopped")
    if turn.state.engine is Engine.NATIVE and turn.state.phase is Phase.MOVING and not turn.state.foreign_drain:
        turn.ask(StopNativeDrain())
    return None


@_obey.register
def _(request: rq.DetachRun, turn: Turn, by: str) -> str | None:
    turn.record(ev.Detached(turn.at, by))
    detach(turn)
    return None


@_obey.register
def _(request: rq.CloseByForce, turn: Turn, by: str) -> str | None:
    close_by_force(turn, by)
    return None


@_obey.register
def _(request: rq.HandOver, turn: Turn, by: str) -> str | None:
    return hand_over(turn, by, request)
