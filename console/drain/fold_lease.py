"""How the events around a run's right to go on change its state."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import singledispatch

from console.planner.values import Engine

from . import lease_events as le
from .evolve import evolve
from .state import Consent, LeaseState, Move, Phase, RunState


def apply_to_right(state: RunState, event: le.LeaseEvent) -> RunState:
    """The state after the event."""
    return _changed(event, state)


@singledispatch
def _changed(event: object, state: RunState) -> RunState:
    raise TypeError(f"not an event of a run's right to go on: {type(event).__name__}")


def _with_lease(state: RunState, lease: LeaseState) -> RunState:
    return evolve(state, lease=lease)


@_changed.register
def _(event: le.LeaseIntended, state: RunState) -> RunState:
    asked = evolve(state.lease, name=event.name, generation=event.generation, id="", held=False, asked_at=event.at)
    return _with_lease(state, asked)


@_changed.register
def _(event: le.LeaseCreated, state: RunState) -> RunState:
    created = evolve(state.lease, name=event.name, generation=event.generation, id=event.id)
    created = evolve(created, asked_at=None, answered_at=event.at)
    return _with_lease(state, created)


@_changed.register
def _(event: le.LeaseNotCreated, state: RunState) -> RunState:
    return _with_lease(state, evolve(state.lease, asked_at=None, answered_at=event.at, id="", held=False))


@_changed.register
def _(event: le.LeaseConfirmed, state: RunState) -> RunState:
    held = LeaseState(
        event.name, event.generation, event.id, True, event.expires_at, event.seen_at, event.life_s, event.left_s
    )
    return _with_lease(state, held)


@_changed.register
def _(event: le.LeaseWaited, state: RunState) -> RunState:
    return _with_lease(state, evolve(state.lease, waits_for=event.name, waits_since=event.at))


@_changed.register
def _(event: le.LeaseMissing, state: RunState) -> RunState:
    return _with_lease(state, evolve(state.lease, held=False, id="", confirmed_at=None, expires_at=None))


@_changed.register
def _(event: le.LeaseLost, state: RunState) -> RunState:
    lost = evolve(state.lease, held=False, lost_to=event.held_by, confirmed_at=None)
    return evolve(state, lease=lost, held_by=event.held_by)


@_changed.register
def _(event: le.LeaseUnavailable, state: RunState) -> RunState:
    return _with_lease(state, evolve(state.lease, unavailable=event.reason, asked_at=None, life_s=0.0))


@_changed.register
def _(event: le.EngineChanged, state: RunState) -> RunState:
    native = event.engine is Engine.NATIVE
    asked = None if native else state.pause_asked_at
    return evolve(
        state,
        engine=event.engine,
        handed_over=native,
        foreign_drain=False,
        pause_asked_at=asked,
        native_status=None,
        native_ended_at=None,
        consents=(*state.consents, *(Consent("interrupt", vm, event.by, event.at) for vm in event.interrupts)),
    )


@_changed.register
def _(event: le.TimeSkipped, state: RunState) -> RunState:
    """Every patience starts from a moment that moves with the gap; the lease has to be read again."""
    gap = timedelta(seconds=event.seconds)
    guard = state.guard
    return evolve(
        state,
        moves={vm: _move_later(move, gap) for vm, move in state.moves.items()},
        lease=evolve(state.lease, confirmed_at=None, waits_since=_later(state.lease.waits_since, gap)),
        guard=evolve(guard, changed_at=_later(guard.changed_at, gap)) if guard is not None else None,
        now=event.at,
        contact_lost_at=_later(state.contact_lost_at, gap),
        pause_asked_at=_later(state.pause_asked_at, gap),
        verifying_since=_later(state.verifying_since, gap),
        closing_since=_later(state.closing_since, gap),
        native_ended_at=_later(state.native_ended_at, gap),
    )


def _later(moment: datetime | None, gap: timedelta) -> datetime | None:
    return None if moment is None else moment + gap


def _move_later(move: Move, gap: timedelta) -> Move:
    if move.state.terminal:
        return move
    return evolve(
        move,
        progressed_at=_later(move.progressed_at, gap),
        checking_since=_later(move.checking_since, gap),
        not_before=_later(move.not_before, gap),
        refused_since=_later(move.refused_since, gap),
        arrived_at=_later(move.arrived_at, gap),
        seen_back_at=_later(move.seen_back_at, gap),
    )


@_changed.register
def _(event: le.ForeignDrainJoined, state: RunState) -> RunState:
    return evolve(state, engine=Engine.NATIVE, handed_over=True, foreign_drain=True, pause_asked_at=event.at)


@_changed.register
def _(event: le.RedundancyLost, state: RunState) -> RunState:
    return evolve(state, degraded_disks=event.disks)


@_changed.register
def _(event: le.ResumeIntended, state: RunState) -> RunState:
    return evolve(state, phase=Phase.RESUMING, pause_asked_at=event.at)


@_changed.register
def _(event: le.NodeResumed, state: RunState) -> RunState:
    return evolve(state, phase=Phase.MOVING, node_paused=False)


@_changed.register
def _(event: le.ResumeFailed, state: RunState) -> RunState:
    return state


@_changed.register
def _(event: le.WindowAtRisk, state: RunState) -> RunState:
    return evolve(state, window_at_risk=True)


@_changed.register
def _(event: le.WindowSafe, state: RunState) -> RunState:
    return evolve(state, window_at_risk=False)
