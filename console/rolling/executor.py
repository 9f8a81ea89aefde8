"""From a roll's commands to signals: drains joined or started, the hook, the resume, a look at the cluster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from console.clock import Clock
from console.consents import Consents
from console.drain import rolling as ro
from console.drain.commands import ResumeNode as ResumeCall
from console.drain.facts import Answered
from console.drain.finish import why_no_finish
from console.drain.roll_state import RollState
from console.drain.state import MoveState, Purpose, RunState
from console.inventory.control import Control
from console.inventory.survey import read_nodes
from console.model.cluster import Cluster, NodeState
from console.model.failures import Failure
from console.model.identity import HostName, RunId
from console.planner.values import Plan
from console.ports import Reader
from console.runner.changing import Hands

from .health import read_health
from .hooks import HookResult, run_hook
from .planning import RollPlanner, consents_of, refusal_of

COME_BACK_S = 1800.0
"""How long a node that its hook restarted is waited for."""
UNWELL_AGAIN_S = 30.0
"""Between two looks at a cluster that is not well."""

Hook = Callable[[Sequence[str], Mapping[str, str], float], Awaitable[HookResult]]
Health = Callable[[Sequence[HostName]], Awaitable[str]]


class Drains(Protocol):
    """The runs of the site's journal; see :class:`console.rolling.runs.JournalDrains`."""

    def look(self, run: RunId) -> RunState | None:
        """The run as of its newest event, with a new runner if it had lost its own; None when there is none."""

    def start(self, run: RunId, plan: Plan, cluster: Cluster, consents: Consents, purpose: Purpose) -> None:
        """Write it down under that id and start its runner.

        Raises:
            CommandFailed: another run holds the node.
        """


@dataclass
class RollExecutor:
    """Carries out one command at a time for whoever asks; several may be on their way."""

    reader: Reader
    hands: Callable[[HostName], Hands]
    """What changes the cluster, around one node."""
    seeds: Sequence[HostName]
    planner: RollPlanner
    drains: Drains
    clock: Clock
    hook: Hook = run_hook
    health: Health | None = None
    _unwell: tuple[float, str] | None = field(default=None, init=False)
    """When the cluster was last found not to be well, by elapsed time, and why."""

    async def perform(self, command: ro.RollCommand, state: RollState) -> ro.RollSignal | None:
        """The signal that answers the command; None when there is nothing to say yet."""
        match command:
            case ro.LookAtDrain():
                return await self._look_at(command, state)
            case ro.RunHook(node, program, timeout_s):
                variables = {"DRAINBOARD_NODE": node, "DRAINBOARD_CLUSTER": state.cluster}
                result = await self.hook(program, variables, timeout_s)
                return ro.HookSeen(self.clock.now(), node, result.exit_status, result.told)
            case ro.ResumeNode(node):
                return await self._resume(node, state)
            case ro.ReadHealth():
                return await self._health(state)
            case ro.LookAgain():
                return None

    # drains

    async def _look_at(self, command: ro.LookAtDrain, state: RollState) -> ro.RollSignal | None:
        run = self.drains.look(command.run)
        if run is not None:
            return _seen(command, run, self.clock.now())
        if not command.start:
            return None
        if state.window_closed:
            why = "not started: the maintenance window has ended"
            return ro.DrainSeen(self.clock.now(), command.node, command.run, None, why)
        try:
            refused = await self._start(command, state)
        except Failure as failure:
            if failure.retry_read:
                return None  # nobody answers now: the next look tries again
            refused = f"{failure.what} {failure.advice}".strip()
        return ro.DrainSeen(self.clock.now(), command.node, command.run, None, refused)

    async def _start(self, command: ro.LookAtDrain, state: RollState) -> str:
        """Start the node's drain or return; why not, or nothing."""
        if command.back:
            drained = self.drains.look(state.nodes[command.node].drain or RunId(""))
            if drained is None:
                return "the drain that its VMs left by is not in the journal any more"
            cluster, plan = await self.planner.back(state, command.node, drained)
            self.drains.start(command.run, plan, cluster, Consents(), Purpose.RETURN)
            return ""
        cluster, plan = await self.planner.drain(state, command.node)
        consents = consents_of(state)
        refused = refusal_of(plan, consents)
        if not refused:
            self.drains.start(command.run, plan, cluster, consents, Purpose.DRAIN)
        return refused

    # the node

    async def _resume(self, node: HostName, state: RollState) -> ro.RollSignal | None:
        """Ask, and believe only the node's own state; a node that restarts is waited for."""
        try:
            before = await self._state_of(node)
            if before is NodeState.UP:
                return ro.ResumeSeen(self.clock.now(), node)
            if before is not NodeState.PAUSED:
                return self._still_away(node, before, state)
            reply = await self.hands(node).carry_out(ResumeCall())
            if reply.answered is Answered.REFUSED:
                return ro.ResumeSeen(self.clock.now(), node, reply.reason)
            return ro.ResumeSeen(self.clock.now(), node) if await self._state_of(node) is NodeState.UP else None
        except Failure:
            return None

    async def _state_of(self, node: HostName) -> NodeState:
        nodes = await read_nodes(Control(self.reader, self.seeds))
        return next((host.state for host in nodes if host.name == node), NodeState.UNKNOWN)

    def _still_away(self, node: HostName, seen: NodeState, state: RollState) -> ro.RollSignal | None:
        since = state.nodes[node].since
        now = self.clock.now()
        if since is None or (now - since).total_seconds() < COME_BACK_S:
            return None
        word = seen.name.lower()
        return ro.ResumeSeen(now, node, f"it is {word}, and did not come back within {COME_BACK_S / 60:.0f} minutes")

    # the cluster

    async def _health(self, state: RollState) -> ro.RollSignal | None:
        if self._unwell is not None and self.clock.elapsed_s() - self._unwell[0] < UNWELL_AGAIN_S:
            return None
        coming = tuple(node.name for node in state.of_wave(state.began + 1))
        if self.health is not None:
            reason = await self.health(coming)
        else:
            reason = await read_health(self.reader, self.seeds, self.clock, coming, self.planner.site.check_policy)
        self._unwell = (self.clock.elapsed_s(), reason) if reason else None
        return ro.HealthRead(self.clock.now(), not reason, reason)


def _seen(command: ro.LookAtDrain, run: RunState, at: datetime) -> ro.DrainSeen:
    """A finish that can not be promised (a move is stuck) is not told."""
    told = run.outcome is None and not why_no_finish(run)
    return ro.DrainSeen(
        at,
        command.node,
        command.run,
        run.outcome,
        moved=moved_by(run),
        ends_p50_at=run.forecast_finish_p50_at if told else None,
        ends_p90_at=run.forecast_finish_p90_at if told else None,
    )


def moved_by(run: RunState) -> int:
    """VMs that a run has moved, as far as it has come."""
    return sum(move.state in (MoveState.DONE, MoveState.INTERRUPTED) for move in run.moves.values())
