"""A rolling run's decisions: wave after wave, approved, on a healthy cluster, each node drained, worked on, resumed.

``step_roll(state, signal) -> RollStep``: pure, like a drain's step. The drains themselves are runs of their own; this
only starts and follows them. Resumable at every event: what has to be asked again is derived from the state at each
tick, a hook alone is never run a second time by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from console.model.identity import HostName, RunId

from . import roll_events as re
from .roll_state import RollNode, RollState, Stage, apply_roll
from .roll_window import at_deadline, judged, revised
from .state import Outcome

POLL_S = 5.0


# what the runner is asked


@dataclass(frozen=True, slots=True)
class LookAtDrain:
    """Join the run of that id if the journal has it; else, with ``start``, plan and start it under that id.

    Answer: :class:`DrainSeen`, at every look; with an outcome once it is closed.
    """

    node: HostName
    run: RunId
    start: bool
    back: bool = False
    """The planned failback: the VMs that left the node in this roll return to it."""


@dataclass(frozen=True, slots=True)
class RunHook:
    """Run the program once, with ``DRAINBOARD_NODE`` and ``DRAINBOARD_CLUSTER`` in its environment and no shell.

    Answer: :class:`HookSeen`. After ``timeout_s`` end it with its children and answer without a status.
    """

    node: HostName
    program: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class ResumeNode:
    """Resume-ClusterNode -Failback NoFailback; a second time does no harm. Answer: :class:`ResumeSeen`."""

    node: HostName


@dataclass(frozen=True, slots=True)
class ReadHealth:
    """Quorum, storage (jobs, disks in maintenance, volumes), nodes that are down. Answer: :class:`HealthRead`."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    at: datetime


RollCommand: TypeAlias = LookAtDrain | RunHook | ResumeNode | ReadHealth | LookAgain


# what it tells


@dataclass(frozen=True, slots=True)
class RollTicked:
    at: datetime


@dataclass(frozen=True, slots=True)
class DrainSeen:
    """``outcome`` is None while it goes on; ``refused`` says why it could not even start."""

    at: datetime
    node: HostName
    run: RunId
    outcome: Outcome | None
    refused: str = ""
    moved: int = 0
    ends_p50_at: datetime | None = None
    """While it goes on: when it will be over."""
    ends_p90_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HookSeen:
    at: datetime
    node: HostName
    exit_status: int | None
    told: str = ""


@dataclass(frozen=True, slots=True)
class ResumeSeen:
    """``reason`` is empty when the node is up again."""

    at: datetime
    node: HostName
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HealthRead:
    at: datetime
    well: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approve:
    at: datetime
    by: str
    wave: int


@dataclass(frozen=True, slots=True)
class RetryNode:
    at: datetime
    by: str
    node: HostName


@dataclass(frozen=True, slots=True)
class SkipNode:
    """Go on without it; it stays as it is, and the roll says so."""

    at: datetime
    by: str
    node: HostName


@dataclass(frozen=True, slots=True)
class StopRoll:
    """Nodes that are on their way are brought back into service; no further one begins."""

    at: datetime
    by: str


RollSignal: TypeAlias = (
    RollTicked | DrainSeen | HookSeen | ResumeSeen | HealthRead | Approve | RetryNode | SkipNode | StopRoll
)


@dataclass(frozen=True, slots=True)
class RollStep:
    state: RollState
    events: tuple[re.RollEvent, ...] = ()
    commands: tuple[RollCommand, ...] = ()


@dataclass(slots=True)
class _Turn:
    state: RollState
    at: datetime
    events: list[re.RollEvent] = field(default_factory=list)
    commands: list[RollCommand] = field(default_factory=list)

    def record(self, event: re.RollEvent) -> None:
        self.state = apply_roll(self.state, event)
        self.events.append(event)

    def ask(self, command: RollCommand) -> None:
        if command not in self.commands:
            self.commands.append(command)

    def refuse(self, request: str, reason: str) -> None:
        self.record(re.RollRefused(self.at, request, reason))


def step_roll(state: RollState, signal: RollSignal) -> RollStep:
    """Decide what follows from one signal. A closed roll answers nothing."""
    if state.closed:
        return RollStep(state)
    turn = _Turn(state, max(signal.at, state.now))
    for event in at_deadline(turn.state, turn.at):
        turn.record(event)
    _react(turn, signal)
    _begin_wave(turn)
    for node in tuple(turn.state.nodes.values()):
        _go_on(turn, node)
    if isinstance(signal, RollTicked):
        _look(turn)
    for event in judged(turn.state, turn.at):
        turn.record(event)
    _close(turn)
    return RollStep(turn.state, tuple(turn.events), tuple(turn.commands))


def recover_roll(state: RollState, at: datetime) -> tuple[re.RollEvent, ...]:
    """A new runner takes over: everything is looked at again, but for a hook, whose end nobody saw."""
    events: list[re.RollEvent] = [re.RollRecovered(at)]
    for node in state.nodes.values():
        if node.stage is Stage.SERVICING:
            why = "its runner was lost while the hook ran: look at the node, then try again or skip it"
            events += [re.HookEnded(at, node.name, None, why), re.NodeFailed(at, node.name, why)]
    return tuple(events)


def _react(turn: _Turn, signal: RollSignal) -> None:
    match signal:
        case RollTicked():
            return
        case HealthRead(_, well, reason):
            if (well, reason) != (turn.state.well, turn.state.health):
                turn.record(re.HealthSeen(turn.at, well, reason))
        case DrainSeen():
            _drain_seen(turn, signal)
        case HookSeen():
            _hook_seen(turn, signal)
        case ResumeSeen():
            _resume_seen(turn, signal)
        case _:
            _asked(turn, signal)


def _drain_seen(turn: _Turn, signal: DrainSeen) -> None:
    node = turn.state.nodes.get(signal.node)
    if node is None or (node.stage, signal.run) not in ((Stage.DRAINING, node.drain), (Stage.RETURNING, node.back)):
        return
    if signal.refused:
        turn.record(re.NodeFailed(turn.at, node.name, signal.refused))
    elif signal.outcome is not None:
        _run_ended(turn, node, signal, signal.outcome)
    elif signal.ends_p50_at is not None and signal.ends_p90_at is not None:
        for event in revised(node, turn.at, signal.ends_p50_at, signal.ends_p90_at):
            turn.record(event)


def _run_ended(turn: _Turn, node: RollNode, signal: DrainSeen, outcome: Outcome) -> None:
    back = node.stage is Stage.RETURNING
    ended = re.ReturnEnded if back else re.NodeDrainEnded
    turn.record(ended(turn.at, node.name, outcome, signal.moved))
    if outcome is (Outcome.RETURNED if back else Outcome.DRAINED):
        return
    if not (turn.state.window_closed and outcome is Outcome.WINDOW_CLOSED):
        word = outcome.value.replace("_", " ")
        turn.record(re.NodeFailed(turn.at, node.name, f"run {signal.run} ended as {word}"))
    elif back:
        turn.record(re.ReturnOmitted(turn.at, node.name, "the maintenance window ended before all its VMs were back"))


def _hook_seen(turn: _Turn, signal: HookSeen) -> None:
    node = turn.state.nodes.get(signal.node)
    if node is None or node.stage is not Stage.SERVICING:
        return
    turn.record(re.HookEnded(turn.at, node.name, signal.exit_status, signal.told))
    if signal.exit_status is None:
        turn.record(re.NodeFailed(turn.at, node.name, f"the hook did not end: {signal.told or 'no status'}"))
    elif signal.exit_status != 0:
        turn.record(re.NodeFailed(turn.at, node.name, f"the hook ended with status {signal.exit_status}"))


def _resume_seen(turn: _Turn, signal: ResumeSeen) -> None:
    node = turn.state.nodes.get(signal.node)
    if node is None or node.stage is not Stage.RESUMING:
        return
    if signal.reason:
        turn.record(re.NodeFailed(turn.at, node.name, f"it could not be resumed: {signal.reason}"))
    else:
        turn.record(re.NodeResumed(turn.at, node.name))


def _asked(turn: _Turn, signal: RollSignal) -> None:
    match signal:
        case Approve(_, by, wave):
            if turn.state.waits_for_approval != wave:
                turn.refuse(f"approving wave {wave + 1}", "it is not the one that waits")
            else:
                turn.record(re.WaveApproved(turn.at, wave, by))
        case RetryNode(_, by, name) | SkipNode(_, by, name):
            node = turn.state.nodes.get(name)
            if node is None or node.stage is not Stage.FAILED:
                turn.refuse(
                    f"going on with {name}", "it is not in this roll" if node is None else f"it is {node.stage.value}"
                )
            elif isinstance(signal, RetryNode):
                turn.record(re.NodeRetried(turn.at, name, by))
            else:
                turn.record(re.NodeSkipped(turn.at, name, f"skipped by {by or 'the operator'}: {node.reason}"))
        case StopRoll(_, by):
            if not turn.state.stop_asked:
                turn.record(re.RollStopRequested(turn.at, by))
                for node in turn.state.nodes.values():
                    if node.stage is Stage.WAITING:
                        turn.record(re.NodeSkipped(turn.at, node.name, "not begun: the roll was stopped"))


def hold_reason_of_roll(state: RollState) -> str | None:
    """Why no further wave begins now; None when one may."""
    following = state.began + 1
    if state.stopping:
        return "the maintenance window has ended" if state.window_closed else "the roll was stopped"
    if state.failed:
        return f"{state.failed[0].name} failed: {state.failed[0].reason}"
    open_nodes = [node.name for node in state.nodes.values() if node.wave <= state.began and not node.stage.over]
    if open_nodes:
        return f"{open_nodes[0]} is {state.nodes[open_nodes[0]].stage.value}"
    if following > state.approved:
        return f"wave {following + 1} waits for approval"
    if state.well is None:
        return "the cluster's health has to be read"
    return None if state.well else f"the cluster is not well: {state.health}"


def _under_way(state: RollState) -> tuple[RollNode, ...]:
    """Nodes of the waves that began which are neither over nor stand still."""
    return tuple(
        node
        for node in state.nodes.values()
        if node.wave <= state.began and not node.stage.over and node.stage is not Stage.FAILED
    )


def waits_for_somebody(state: RollState) -> bool:
    """Nothing goes on by itself: the next event is an operator's word. No process has to wait for it."""
    if state.closed or state.stop_asked or _under_way(state):
        return False
    return bool(state.failed) or state.waits_for_approval is not None


def _begin_wave(turn: _Turn) -> None:
    following = turn.state.began + 1
    if following < turn.state.waves and hold_reason_of_roll(turn.state) is None:
        turn.record(re.WaveBegan(turn.at, following))


def _go_on(turn: _Turn, node: RollNode) -> None:
    """The next thing for a node of the waves that began; each effect is asked together with its intent."""
    if node.wave > turn.state.began:
        return
    name = node.name
    if node.stage is Stage.WAITING:
        run = RunId(f"{turn.state.roll}-{name}-{node.tries + 1}")
        turn.record(re.NodeDrainIntended(turn.at, name, run))
        turn.ask(LookAtDrain(name, run, start=True))
    elif node.stage is Stage.DRAINED and turn.state.hook and not turn.state.stopping:
        turn.record(re.HookIntended(turn.at, name))
        turn.ask(RunHook(name, turn.state.hook, turn.state.hook_timeout_s))
    elif node.stage in (Stage.DRAINED, Stage.SERVICED):
        turn.record(re.ResumeIntended(turn.at, name))
        turn.ask(ResumeNode(name))
    elif node.stage is Stage.RESUMED and turn.state.window_closed:
        why = "its VMs stay where they run: the maintenance window ended before they could return"
        turn.record(re.ReturnOmitted(turn.at, name, why))
    elif node.stage is Stage.RESUMED:
        run = RunId(f"{turn.state.roll}-{name}-back-{node.tries}")
        turn.record(re.ReturnIntended(turn.at, name, run))
        turn.ask(LookAtDrain(name, run, start=True, back=True))


def _look(turn: _Turn) -> None:
    """Everything that is on its way is looked at; starting again under the same id starts nothing twice."""
    state = turn.state
    for node in state.nodes.values():
        if node.stage is Stage.DRAINING and node.drain is not None:
            turn.ask(LookAtDrain(node.name, node.drain, start=True))
        elif node.stage is Stage.RETURNING and node.back is not None:
            turn.ask(LookAtDrain(node.name, node.back, start=True, back=True))
        elif node.stage is Stage.RESUMING:
            turn.ask(ResumeNode(node.name))
    if not state.stopping and state.began + 1 < state.waves and not _under_way(state):
        turn.ask(ReadHealth())
    turn.ask(LookAgain(turn.at + timedelta(seconds=POLL_S)))


def _close(turn: _Turn) -> None:
    nodes = turn.state.nodes.values()
    if all(node.stage.over or (turn.state.stop_asked and node.stage is Stage.FAILED) for node in nodes):
        done = sum(node.stage is Stage.DONE for node in nodes)
        turn.record(re.RollClosed(turn.at, done, len(turn.state.nodes) - done, turn.state.stopping))
