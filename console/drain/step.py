"""The run's decisions: ``step(state, signal) -> Step(state, events, commands)``. No clock, no I/O.

What a signal brings about is recorded as events, and state is changed by events alone. What has to be read again
is derived from the state at every tick, so that a runner that takes over only has to let time go on; what changes
the world is asked for exactly once, together with its intent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import singledispatch

from console.planner.values import Engine

from . import events as ev
from . import lease_events as le
from . import move_events as mv
from . import signals as sg
from .adopting import adopt
from .arrivals import on_arrival, on_blackout, verify_again
from .commands import ReadGuard, ReadNode, ReadProgress
from .ending import all_settled, close_if_restored, finish, lose_the_followed, skip_the_rest
from .facts import Answered
from .following import fail, on_cause, on_progress, on_silence
from .glances import checks_ahead, flying, glance, wait
from .guard import on_readings
from .leasing import ask_when_due, has_to_wait, on_lease, on_lease_created, on_lease_written
from .native import follow_native, on_native
from .obey import on_request
from .outlook import revise
from .phases import begin_verification, enter, on_close, on_node, on_owned, on_pause, on_replanned, on_storage
from .returning import on_resumed
from .rules import Rules
from .settings import change_at_start, on_setting_answered, on_setting_read, restore, settings_pending
from .starts import ask_again, give_back_checks, on_check, start_what_may
from .state import MoveState, Outcome, Phase, RunState
from .turn import Step, Turn
from .watchdog import leave_if_hopeless, watch

MOVE_IN_PROGRESS = frozenset({5908, 5959, 0x80071714, 0x80071747})
"""ERROR_CLUSTER_GROUP_MOVING and ERROR_CLUSTER_GROUP_QUEUED: something else moves this role already."""


def step(state: RunState, signal: sg.Signal, rules: Rules) -> Step:
    """Decide what follows from one signal. An ended run answers nothing."""
    if state.phase is Phase.ENDED:
        return Step(state)
    # A clock that was set back without a word: time stands still for the run until it has caught up.
    at = signal.at if isinstance(signal, sg.TimeSkipped) else max(signal.at, state.now)
    turn = Turn(state, at, rules)
    _react(signal, turn)
    _advance(turn)
    return turn.step()


@singledispatch
def _react(signal: object, turn: Turn) -> None:
    raise TypeError(f"not a signal: {type(signal).__name__}")


_react.register(sg.Requested, lambda signal, turn: on_request(turn, signal))
_react.register(sg.NodeRead, lambda signal, turn: on_node(turn, signal))
_react.register(sg.ReadFailed, lambda signal, turn: on_silence(turn, signal))
_react.register(sg.PauseAnswered, lambda signal, turn: on_pause(turn, signal))
_react.register(sg.ResumeAnswered, lambda signal, turn: on_resumed(turn, signal))
_react.register(sg.CheckRead, lambda signal, turn: on_check(turn, signal))
_react.register(sg.ProgressRead, lambda signal, turn: on_progress(turn, signal))
_react.register(sg.CauseFound, lambda signal, turn: on_cause(turn, signal))
_react.register(sg.ArrivalRead, lambda signal, turn: on_arrival(turn, signal))
_react.register(sg.BlackoutRead, lambda signal, turn: on_blackout(turn, signal))
_react.register(sg.Replanned, lambda signal, turn: on_replanned(turn, signal))
_react.register(sg.OwnedAnswered, lambda signal, turn: on_owned(turn, signal))
_react.register(sg.CloseAnswered, lambda signal, turn: on_close(turn, signal))
_react.register(sg.NativeAnswered, lambda signal, turn: on_native(turn, signal))
_react.register(sg.StorageRead, lambda signal, turn: on_storage(turn, signal))
_react.register(sg.SettingRead, lambda signal, turn: on_setting_read(turn, signal))
_react.register(sg.SettingAnswered, lambda signal, turn: on_setting_answered(turn, signal))
_react.register(sg.LeaseRead, lambda signal, turn: on_lease(turn, signal))
_react.register(sg.LeaseCreated, lambda signal, turn: on_lease_created(turn, signal))
_react.register(sg.LeaseWritten, lambda signal, turn: on_lease_written(turn, signal))


@_react.register
def _(signal: sg.StartAnswered, turn: Turn) -> None:
    """Started, refused, or nobody knows; the last is followed and never sent again."""
    move = turn.move(signal.vm)
    if move is None or move.state is not MoveState.MOVING or move.foreign:
        return
    reply = signal.reply
    if reply.done:
        turn.record(mv.MoveStarted(turn.at, signal.vm))
    elif reply.answered is Answered.UNANSWERED:
        turn.record(mv.MoveStartUnanswered(turn.at, signal.vm, reply.reason))
    elif reply.code in MOVE_IN_PROGRESS:
        adopt(turn, move, None, "something else is moving it")
    else:
        fail(turn, move, reply.reason, reply.code)


@_react.register
def _(signal: sg.CancelReplied, turn: Turn) -> None:
    move = turn.move(signal.vm)
    if move is None or not move.cancelling:
        return
    # 5023 (INVALID_STATE): nothing was pending any more; the next poll tells where the VM is.
    accepted = signal.reply.answered is not Answered.REFUSED or signal.reply.code in (5023, 0x8007139F)
    turn.record(mv.CancelAnswered(turn.at, signal.vm, accepted, signal.reply.reason))


@_react.register
def _(signal: sg.ForceReplied, turn: Turn) -> None:
    move = turn.move(signal.vm)
    if move is not None and move.forced_to is not None:
        accepted = signal.reply.answered is not Answered.REFUSED
        turn.record(mv.ForceAnswered(turn.at, signal.vm, accepted, signal.reply.reason))


@_react.register
def _(signal: sg.ActorFound, turn: Turn) -> None:
    move = turn.move(signal.vm)
    if move is not None and signal.who:
        turn.record(mv.ActorNamed(turn.at, signal.vm, signal.who))


@_react.register
def _(signal: sg.GuardMeasured, turn: Turn) -> None:
    on_readings(turn, signal.values)


@_react.register
def _(signal: sg.TimeSkipped, turn: Turn) -> None:
    turn.record(le.TimeSkipped(turn.at, signal.seconds))
    ask_when_due(turn)


@_react.register
def _(signal: sg.Ticked, turn: Turn) -> None:
    """Time alone: the window, the patience, and every read that is due."""
    if _window_ends_now(turn):
        turn.record(ev.WindowClosed(turn.at))
        skip_the_rest(turn, "not started: the window ended")
    lost_s = turn.seconds_since(turn.state.contact_lost_at)
    claiming = turn.state.phase is Phase.CLAIMING
    patience_s = turn.rules.claim_patience_s if claiming else turn.rules.contact_patience_s
    if lost_s >= patience_s and turn.state.closing_as is None:
        lose_the_followed(turn, "contact was not regained")
        finish(turn, Outcome.CONTACT_LOST, "not started: contact was lost")
        return
    if signal.poll_at is not None and turn.at < signal.poll_at:
        glance(turn, signal.poll_at)
        return
    _ask_what_is_due(turn)
    watch(turn)
    leave_if_hopeless(turn)
    if turn.state.phase is Phase.ENDED:
        return
    revise(turn)
    turn.ask(wait(turn, _next_look(turn)))


_BEFORE_A_START = (Phase.CLAIMING, Phase.PAUSING, Phase.RESUMING, Phase.MOVING)


def _window_ends_now(turn: Turn) -> bool:
    state = turn.state
    if state.window_ends_at is None or state.window_closed or turn.at < state.window_ends_at:
        return False
    return state.phase in _BEFORE_A_START


def _ask_what_is_due(turn: Turn) -> None:
    state = turn.state
    if state.closing_as is None:
        ask_when_due(turn)
    if _guard_is_due(turn):
        turn.ask(ReadGuard())
    if state.phase is Phase.CLAIMING:
        if not has_to_wait(turn):
            turn.ask(ReadNode())
    elif state.phase in (Phase.PAUSING, Phase.RESUMING):
        _due_while_pausing(turn)
    elif state.phase is Phase.MOVING:
        _due_while_moving(turn)
    elif state.phase is Phase.VERIFYING:
        verify_again(turn)
        turn.ask(ReadNode())
    elif state.closing_as is not None:
        restore(turn, first=False)
    else:
        turn.ask(ReadNode())


def _due_while_pausing(turn: Turn) -> None:
    if turn.state.pause_asked_at is None:
        enter(turn)
    else:
        turn.ask(ReadNode())


def _due_while_moving(turn: Turn) -> None:
    state = turn.state
    moving = tuple(move.vm.id for move in flying(state))
    if moving:
        turn.ask(ReadProgress(moving, checks_ahead(turn)))
    elif state.contact_lost_at is not None:
        turn.ask(ReadNode())
    elif any(state.foreign_in_flight.values()):
        turn.ask(ReadProgress(()))  # others' migrations hold slots: whether they still do has to be seen
    ask_again(turn)
    verify_again(turn)
    change_at_start(turn)
    follow_native(turn)


def _guard_is_due(turn: Turn) -> bool:
    """From the claim on, and while all moves are held: the first start, and one that is released, find a reading."""
    if turn.rules.guard is None or turn.state.phase not in _BEFORE_A_START:
        return False
    reading = turn.state.guard
    return reading is None or not 0 <= turn.seconds_since(reading.read_at) < turn.rules.guard_s


def _next_look(turn: Turn) -> datetime:
    """Soon, as long as anything is under way, or waits for the guard to see calm."""
    holding = turn.state.guard is not None and turn.state.guard.holding
    busy = (
        holding
        or turn.state.phase is not Phase.MOVING
        or any(move.under_way or move.state is MoveState.VERIFYING for move in turn.state.moves.values())
    )
    return turn.at + timedelta(seconds=turn.rules.poll_s if busy else turn.rules.idle_s)


def _advance(turn: Turn) -> None:
    """Whatever the state allows now, whichever signal brought it there."""
    if turn.state.phase is Phase.CLOSING:
        close_if_restored(turn)
        return
    if turn.state.phase in (Phase.CLAIMING, Phase.PAUSING, Phase.RESUMING):
        if turn.state.stopping or turn.state.window_closed:
            outcome = Outcome.STOPPED if turn.state.stopping else Outcome.WINDOW_CLOSED
            finish(turn, outcome, "not started: the run ended before it began")
        return
    if turn.state.phase is not Phase.MOVING:
        return
    give_back_checks(turn)
    if turn.state.stopping or turn.state.window_closed or turn.state.lease.lost_to:
        skip_the_rest(turn, "not started: the run ends")
    elif turn.state.engine is Engine.PLANNED and not settings_pending(turn.state):
        start_what_may(turn)
    if all_settled(turn.state) and not _native_goes_on(turn):
        begin_verification(turn)


def _native_goes_on(turn: Turn) -> bool:
    state = turn.state
    return state.engine is Engine.NATIVE and state.native_ended_at is None and not state.stopping
