"""The state of a rolling run, as its events add up to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import singledispatch

from console.model.identity import HostName, RunId, VmId

from . import roll_events as re
from .folding import Folding
from .state import Consent, Outcome

CUT_SHORT = "the maintenance window ended before it was empty"


class Stage(Enum):
    """Where a node is on its way; in this order."""

    WAITING = "waiting"
    DRAINING = "draining"
    DRAINED = "drained"
    SERVICING = "hook running"
    SERVICED = "ready to resume"
    RESUMING = "resuming"
    RESUMED = "resumed"
    RETURNING = "VMs return"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def over(self) -> bool:
        return self in (Stage.DONE, Stage.SKIPPED)


@dataclass(frozen=True, slots=True)
class RollNode:
    name: HostName
    wave: int
    stage: Stage = Stage.WAITING
    failed_at: Stage = Stage.WAITING
    """The stage that is tried again after a failure."""
    reason: str = ""
    drain: RunId | None = None
    back: RunId | None = None
    tries: int = 0
    exit_status: int | None = None
    told: str = ""
    since: datetime | None = None
    """When this stage began."""
    began_at: datetime | None = None
    """When its first drain was intended."""
    moved: int = 0
    """VMs that its drains and its return have moved, as far as they have ended."""
    forecast: re.NodeForecast | None = None
    ends_p50_at: datetime | None = None
    """When the run that is on for it will be over, as last told."""
    ends_p90_at: datetime | None = None
    cut_short: bool = False
    """The window ended before it was empty: it goes back into service without its hook."""


@dataclass(frozen=True, slots=True)
class RollState:
    roll: RunId
    cluster: str
    nodes: Mapping[HostName, RollNode]
    waves: int
    failback: bool
    approve: bool
    hook: tuple[str, ...]
    hook_timeout_s: float
    operator: str
    created_at: datetime
    now: datetime
    approved: int = 0
    """The highest wave that may begin."""
    began: int = -1
    well: bool | None = None
    """The cluster's health as last read; None before the first look, and after a recovery."""
    health: str = ""
    stop_asked: bool = False
    closed: bool = False
    finished_at: datetime | None = None
    consents: tuple[Consent, ...] = ()
    slots: int | None = None
    excluded: tuple[VmId, ...] = ()
    avoided: tuple[HostName, ...] = ()
    continues: str = ""
    window_ends_at: datetime | None = None
    window_at_risk: bool = False
    """The forecast's p90 ends after the window."""
    window_closed: bool = False

    @property
    def stopping(self) -> bool:
        """Nothing more begins: somebody asked for that, or the window has ended. A later roll goes on with the rest."""
        return self.stop_asked or self.window_closed

    def of_wave(self, wave: int) -> tuple[RollNode, ...]:
        return tuple(node for node in self.nodes.values() if node.wave == wave)

    @property
    def failed(self) -> tuple[RollNode, ...]:
        return tuple(node for node in self.nodes.values() if node.stage is Stage.FAILED)

    @property
    def moved(self) -> int:
        return sum(node.moved for node in self.nodes.values())

    @property
    def planned_moves(self) -> int:
        """What the rolling plan needed; 0 when the roll was opened without one."""
        return sum(node.forecast.moves for node in self.nodes.values() if node.forecast is not None)

    @property
    def left(self) -> tuple[HostName, ...]:
        """Nodes that still have to be done: also those that a stop brought back before their hook had run."""
        hook = bool(self.hook)
        return tuple(
            node.name
            for node in self.nodes.values()
            if node.stage is not Stage.DONE or (hook and node.exit_status != 0)
        )

    @property
    def waits_for_approval(self) -> int | None:
        """The wave that somebody has to approve before the roll goes on; None when none has to."""
        if self.closed or self.stopping or self.began + 1 >= self.waves or self.approved > self.began:
            return None
        return self.began + 1 if all(node.stage.over for node in self.of_wave(self.began)) else None


def open_roll(event: re.RollOpened) -> RollState:
    foreseen = {each.node: each for each in event.forecast}
    nodes = {
        name: RollNode(name, wave, forecast=foreseen.get(name))
        for wave, names in enumerate(event.waves)
        for name in names
    }
    return RollState(
        roll=event.roll,
        cluster=event.cluster,
        nodes=nodes,
        waves=len(event.waves),
        failback=event.failback,
        approve=event.approve,
        hook=event.hook,
        hook_timeout_s=event.hook_timeout_s,
        operator=event.operator,
        created_at=event.at,
        now=event.at,
        approved=0 if event.approve else len(event.waves),
        consents=event.consents,
        slots=event.slots,
        excluded=event.excluded,
        avoided=event.avoided,
        continues=event.continues,
        window_ends_at=event.window_ends_at,
    )


def apply_roll(state: RollState, event: re.RollEvent) -> RollState:
    """The state after one more event.

    Raises:
        ValueError: the roll is opened a second time.
        KeyError: a node that is not in it.
    """
    return replace(_changed(event, state), now=max(state.now, event.at))


_FOLDING = Folding("a rolling run", re.RollOpened, open_roll, apply_roll)
advance_roll = _FOLDING.advance
fold_roll = _FOLDING.fold


def _node(state: RollState, name: HostName, at: datetime, stage: Stage, **changes: object) -> RollState:
    """A new stage: what was foreseen of the run before it is of no use any more."""
    changes = {"ends_p50_at": None, "ends_p90_at": None, **changes}
    node = replace(state.nodes[name], stage=stage, since=at, **changes)  # type: ignore[arg-type]
    return replace(state, nodes={**state.nodes, name: node})


@singledispatch
def _changed(event: object, state: RollState) -> RollState:
    raise ValueError(f"not an event of an open rolling run: {type(event).__name__}")


@_changed.register
def _(event: re.WaveApproved, state: RollState) -> RollState:
    return replace(state, approved=max(state.approved, event.wave))


@_changed.register
def _(event: re.WaveBegan, state: RollState) -> RollState:
    """The next wave needs a look at the cluster of its own."""
    return replace(state, began=event.wave, well=None, health="")


@_changed.register
def _(event: re.NodeDrainIntended, state: RollState) -> RollState:
    node = state.nodes[event.node]
    began_at = node.began_at or event.at
    changes = {"drain": event.run, "reason": "", "tries": node.tries + 1, "began_at": began_at, "cut_short": False}
    return _node(state, event.node, event.at, Stage.DRAINING, **changes)


@_changed.register
def _(event: re.NodeForecastRevised, state: RollState) -> RollState:
    node = replace(state.nodes[event.node], ends_p50_at=event.p50_at, ends_p90_at=event.p90_at)
    return replace(state, nodes={**state.nodes, event.node: node})


@_changed.register
def _(event: re.NodeDrainEnded, state: RollState) -> RollState:
    """A drain that the window cut short is no failure: its node comes back, and is done another time."""
    cut = state.window_closed and event.outcome is Outcome.WINDOW_CLOSED
    stage = Stage.DRAINED if event.outcome is Outcome.DRAINED else Stage.SERVICED if cut else Stage.DRAINING
    moved = state.nodes[event.node].moved + event.moved
    return _node(state, event.node, event.at, stage, moved=moved, cut_short=cut, reason=CUT_SHORT if cut else "")


@_changed.register
def _(event: re.HookIntended, state: RollState) -> RollState:
    return _node(state, event.node, event.at, Stage.SERVICING, exit_status=None, told="")


@_changed.register
def _(event: re.HookEnded, state: RollState) -> RollState:
    stage = Stage.SERVICED if event.exit_status == 0 else Stage.SERVICING
    return _node(state, event.node, event.at, stage, exit_status=event.exit_status, told=event.told)


@_changed.register
def _(event: re.ResumeIntended, state: RollState) -> RollState:
    return _node(state, event.node, event.at, Stage.RESUMING)


@_changed.register
def _(event: re.NodeResumed, state: RollState) -> RollState:
    if state.nodes[event.node].cut_short:
        return _node(state, event.node, event.at, Stage.SKIPPED)
    return _node(state, event.node, event.at, Stage.RESUMED if state.failback else Stage.DONE)


@_changed.register
def _(event: re.ReturnIntended, state: RollState) -> RollState:
    return _node(state, event.node, event.at, Stage.RETURNING, back=event.run)


@_changed.register
def _(event: re.ReturnEnded, state: RollState) -> RollState:
    stage = Stage.DONE if event.outcome is Outcome.RETURNED else Stage.RETURNING
    return _node(state, event.node, event.at, stage, moved=state.nodes[event.node].moved + event.moved)


@_changed.register
def _(event: re.ReturnOmitted, state: RollState) -> RollState:
    return _node(state, event.node, event.at, Stage.DONE, reason=event.reason)


@_changed.register
def _(event: re.NodeFailed, state: RollState) -> RollState:
    at_stage = state.nodes[event.node].stage
    return _node(state, event.node, event.at, Stage.FAILED, failed_at=at_stage, reason=event.reason)


_AGAIN = {
    Stage.DRAINING: Stage.WAITING,
    Stage.SERVICING: Stage.DRAINED,
    Stage.RESUMING: Stage.SERVICED,
    Stage.RETURNING: Stage.RESUMED,
}


@_changed.register
def _(event: re.NodeRetried, state: RollState) -> RollState:
    """After the window a drain is not begun again: its node is only brought back."""
    failed_at = state.nodes[event.node].failed_at
    if state.window_closed and failed_at is Stage.DRAINING:
        return _node(state, event.node, event.at, Stage.SERVICED, cut_short=True, reason=CUT_SHORT)
    return _node(state, event.node, event.at, _AGAIN.get(failed_at, failed_at), reason="")


@_changed.register
def _(event: re.NodeSkipped, state: RollState) -> RollState:
    return _node(state, event.node, event.at, Stage.SKIPPED, reason=event.reason)


@_changed.register
def _(event: re.HealthSeen, state: RollState) -> RollState:
    return replace(state, well=event.well, health=event.reason)


@_changed.register
def _(event: re.RollStopRequested, state: RollState) -> RollState:
    return replace(state, stop_asked=True)


@_changed.register
def _(event: re.RollWindowAtRisk, state: RollState) -> RollState:
    return replace(state, window_at_risk=True)


@_changed.register
def _(event: re.RollWindowSafe, state: RollState) -> RollState:
    return replace(state, window_at_risk=False)


@_changed.register
def _(event: re.RollWindowClosed, state: RollState) -> RollState:
    return replace(state, window_closed=True)


@_changed.register
def _(event: re.RollRefused, state: RollState) -> RollState:
    return state


@_changed.register
def _(event: re.RollRecovered, state: RollState) -> RollState:
    """What was read before is old; a hook's end that nobody saw is told by :func:`..rolling.recover_roll`."""
    return replace(state, well=None)


@_changed.register
def _(event: re.RollClosed, state: RollState) -> RollState:
    return replace(state, closed=True, finished_at=event.at)
