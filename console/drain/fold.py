"""State is what the events add up to: ``fold(journal) == live state``, at every instant.

The runner itself changes its state through :func:`apply` only, so a replay can not differ from what was.
"""

from __future__ import annotations

from datetime import timedelta
from functools import singledispatch

from console.planner.values import Engine

from . import events as ev
from .evolve import evolve
from .fold_lease import apply_to_right
from .fold_moves import apply_to_move
from .fold_settings import apply_to_settings
from .folding import Folding
from .lease_events import LeaseEvent
from .move_events import ForceIntended, MoveAdded, MoveEvent
from .narrate import line_of
from .setting_events import SettingEvent
from .state import Consent, GuardReading, MoveState, OwnedItem, OwnedKind, Phase, Purpose, RunState


def open_run(event: ev.RunOpened) -> RunState:
    """The state that a run begins with."""
    state = RunState(
        run=event.run,
        cluster=event.cluster,
        node=event.node,
        engine=event.engine,
        phase=Phase.CLAIMING,
        moves={move.vm.id: move for move in event.moves},
        slots=event.slots,
        created_at=event.at,
        now=event.at,
        window_ends_at=event.window_ends_at,
        forecast_s=event.forecast_s,
        forecast_finish_p50_at=event.at + timedelta(seconds=event.forecast_s),
        forecast_finish_p90_at=event.at + timedelta(seconds=max(event.forecast_s, event.forecast_p90_s)),
        consents=event.consents,
        operator=event.operator,
        per_node_limit=event.per_node_limit,
        destination_limit=event.destination_limit,
        memory_reserve_fraction=event.memory_reserve_fraction,
        pause_node=event.pause_node,
        smb_transport=event.smb_transport,
        busy_fraction=event.busy_fraction,
        purpose=event.purpose,
        pair_limit=event.pair_limit,
        cluster_limit=event.cluster_limit,
        parallel_per=event.parallel_per,
        when_stuck=event.when_stuck,
        native_target=event.native_target,
    )
    line = line_of(state, event)
    return state if line is None else evolve(state, log=(line,))


def apply(state: RunState, event: ev.Event) -> RunState:
    """The state after one more event.

    Raises:
        ValueError: the run is opened a second time.
    """
    if isinstance(event, ev.RunOpened):
        raise ValueError(f"run {state.run} is open already")
    if isinstance(event, MoveEvent):
        changed = _of_move(state, event)
    elif isinstance(event, SettingEvent):
        changed = apply_to_settings(state, event)
    elif isinstance(event, LeaseEvent):
        changed = apply_to_right(state, event)
    else:
        changed = _changed(event, state)
    now = max(changed.now, event.at)
    line = line_of(state, event)
    return evolve(changed, now=now) if line is None else evolve(changed, now=now, log=(*changed.log, line))


_FOLDING = Folding("a run", ev.RunOpened, open_run, apply)
advance = _FOLDING.advance
fold = _FOLDING.fold


def _of_move(state: RunState, event: MoveEvent) -> RunState:
    if isinstance(event, MoveAdded):
        phase = Phase.MOVING if state.phase is Phase.VERIFYING else state.phase
        return evolve(state, moves={**state.moves, event.move.vm.id: event.move}, phase=phase)
    moves = dict(state.moves)
    moves[event.vm] = apply_to_move(moves[event.vm], event)
    if isinstance(event, ForceIntended):
        consent = Consent("interrupt", event.vm, event.by, event.at)
        return evolve(state, moves=moves, consents=(*state.consents, consent))
    return evolve(state, moves=moves)


@singledispatch
def _changed(event: object, state: RunState) -> RunState:
    raise TypeError(f"not an event of a run: {type(event).__name__}")


@_changed.register
def _(event: ev.NodeClaimed, state: RunState) -> RunState:
    paused = event.already_paused
    if state.purpose is Purpose.RETURN:
        return evolve(state, phase=Phase.RESUMING if paused else Phase.MOVING, node_paused=paused)
    if paused or not state.pause_node:
        return evolve(state, phase=Phase.MOVING, node_paused=paused)
    return evolve(state, phase=Phase.PAUSING)


@_changed.register
def _(event: ev.NodeRefused, state: RunState) -> RunState:
    return evolve(state, held_by=event.held_by)


@_changed.register
def _(event: ev.PauseIntended, state: RunState) -> RunState:
    return evolve(state, phase=Phase.PAUSING, pause_asked_at=event.at)


@_changed.register
def _(event: ev.NodePaused, state: RunState) -> RunState:
    return evolve(state, phase=Phase.MOVING if state.phase is Phase.PAUSING else state.phase, node_paused=True)


@_changed.register
def _(event: ev.PauseFailed, state: RunState) -> RunState:
    return state


def _with_item(state: RunState, changed: OwnedItem) -> RunState:
    keep = tuple(changed if _key(item) == _key(changed) else item for item in state.owned)
    known = any(_key(item) == _key(changed) for item in state.owned)
    return evolve(state, owned=keep if known else (*keep, changed))


def _key(item: OwnedItem) -> tuple[OwnedKind, str]:
    return item.kind, item.name


@_changed.register
def _(event: ev.OwnedFound, state: RunState) -> RunState:
    return evolve(state, owned=event.items)


@_changed.register
def _(event: ev.RolesFound, state: RunState) -> RunState:
    return evolve(state, roles_added_for=(*state.roles_added_for, *event.names))


@_changed.register
def _(event: ev.OwnedMoveIntended, state: RunState) -> RunState:
    return _with_item(state, OwnedItem(event.kind, event.name, MoveState.MOVING, event.destination))


@_changed.register
def _(event: ev.OwnedMoved, state: RunState) -> RunState:
    return _with_item(state, OwnedItem(event.kind, event.name, MoveState.DONE, event.destination))


@_changed.register
def _(event: ev.OwnedMoveFailed, state: RunState) -> RunState:
    return _with_item(state, OwnedItem(event.kind, event.name, MoveState.FAILED, reason=event.reason))


@_changed.register
def _(event: ev.ContactLost, state: RunState) -> RunState:
    return evolve(state, contact_lost_at=event.at)


@_changed.register
def _(event: ev.ContactRegained, state: RunState) -> RunState:
    return evolve(state, contact_lost_at=None)


@_changed.register
def _(event: ev.ForeignMigrationsSeen, state: RunState) -> RunState:
    return evolve(state, foreign_in_flight=dict(event.counts))


@_changed.register
def _(event: ev.SlotsChanged, state: RunState) -> RunState:
    guard_slots = None if state.guard_slots is None else min(state.guard_slots, max(event.slots, 1))
    return evolve(state, slots=event.slots, guard_slots=guard_slots)


@_changed.register
def _(event: ev.StartsPaused, state: RunState) -> RunState:
    return evolve(state, paused=True)


@_changed.register
def _(event: ev.StartsContinued, state: RunState) -> RunState:
    return evolve(state, paused=False)


@_changed.register
def _(event: ev.RequestRefused, state: RunState) -> RunState:
    return state


@_changed.register
def _(event: ev.StopRequested, state: RunState) -> RunState:
    return evolve(state, stopping=True)


@_changed.register
def _(event: ev.Detached, state: RunState) -> RunState:
    return evolve(state, detached=True)


@_changed.register
def _(event: ev.CloseForced, state: RunState) -> RunState:
    return evolve(state, forced=True, stopping=True)


@_changed.register
def _(event: ev.WindowClosed, state: RunState) -> RunState:
    return evolve(state, window_closed=True)


@_changed.register
def _(event: ev.GuardRead, state: RunState) -> RunState:
    before = state.guard
    reading = GuardReading(
        event.at,
        dict(event.values),
        before.breached if before else (),
        before.holding if before else False,
        before.changed_at if before else event.at,
    )
    return evolve(state, guard=reading)


@_changed.register
def _(event: ev.GuardBreached, state: RunState) -> RunState:
    values = state.guard.values if state.guard else {}
    guard = GuardReading(event.at, values, event.lines, True, event.at)
    return evolve(state, guard=guard, guard_slots=event.slots)


@_changed.register
def _(event: ev.GuardCalmed, state: RunState) -> RunState:
    values = state.guard.values if state.guard else {}
    return evolve(state, guard=GuardReading(event.at, values, (), False, event.at), guard_slots=event.slots)


@_changed.register
def _(event: ev.GuardRaised, state: RunState) -> RunState:
    guard = evolve(state.guard, changed_at=event.at) if state.guard else None
    return evolve(state, guard=guard, guard_slots=event.slots)


@_changed.register
def _(event: ev.ForecastRevised, state: RunState) -> RunState:
    return evolve(state, forecast_finish_p50_at=event.finish_p50_at, forecast_finish_p90_at=event.finish_p90_at)


@_changed.register
def _(event: ev.VerificationBegan, state: RunState) -> RunState:
    return evolve(state, phase=Phase.VERIFYING, verifying_since=event.at, left_on_node=(), late_ones_seen=False)


@_changed.register
def _(event: ev.LateOnesSeen, state: RunState) -> RunState:
    return evolve(state, late_ones_seen=True)


@_changed.register
def _(event: ev.NodeVerifiedEmpty, state: RunState) -> RunState:
    return evolve(state, verified_empty=True, left_on_node=())


@_changed.register
def _(event: ev.NodeNotEmpty, state: RunState) -> RunState:
    return evolve(state, verified_empty=False, left_on_node=event.left)


@_changed.register
def _(event: ev.DrainFlagIntended, state: RunState) -> RunState:
    return evolve(state, phase=Phase.CLOSING, closing_since=event.at)


@_changed.register
def _(event: ev.DrainFlagSet, state: RunState) -> RunState:
    return evolve(state, drain_flag=True)


@_changed.register
def _(event: ev.DrainFlagRefused, state: RunState) -> RunState:
    return evolve(state, drain_flag=False)


@_changed.register
def _(event: ev.NativeDrainIntended, state: RunState) -> RunState:
    return evolve(state, phase=Phase.MOVING, pause_asked_at=event.at)


@_changed.register
def _(event: ev.NativeDrainRead, state: RunState) -> RunState:
    ended = event.at if event.status in (2, 3) else None
    return evolve(state, native_status=event.status, node_paused=True, native_ended_at=ended)


@_changed.register
def _(event: ev.ClosingBegan, state: RunState) -> RunState:
    return evolve(state, phase=Phase.CLOSING, closing_as=event.outcome, closing_since=event.at)


@_changed.register
def _(event: ev.RunRecovered, state: RunState) -> RunState:
    """Pausing, the native drain and the drain flag may be asked again: a second time does no harm."""
    state = evolve(state, lease=evolve(state.lease, confirmed_at=None, asked_at=None))
    unsure = state.phase in (Phase.PAUSING, Phase.RESUMING) or (
        state.engine is Engine.NATIVE and state.native_status is None
    )
    if unsure:
        return evolve(state, pause_asked_at=None)
    if state.phase is Phase.CLOSING and state.closing_as is None:
        return evolve(state, phase=Phase.VERIFYING, verifying_since=event.at, drain_flag=None, late_ones_seen=False)
    return state


@_changed.register
def _(event: ev.Noted, state: RunState) -> RunState:
    return state


@_changed.register
def _(event: ev.RunClosed, state: RunState) -> RunState:
    left = event.left_on_node or state.left_on_node
    return evolve(state, phase=Phase.ENDED, outcome=event.outcome, finished_at=event.at, left_on_node=left)
