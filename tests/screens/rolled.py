"""Rolling runs without a cluster: events that a test makes happen, and what a console asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from console.clock import ManualClock
from console.drain import roll_events as re
from console.drain.roll_outlook import RollLog
from console.drain.roll_requests import RollRequest, signal_of
from console.drain.roll_state import RollState, apply_roll, fold_roll
from console.drain.rolling import step_roll
from console.drain.state import LogLine, Outcome, RunState
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.planner.roll import RollOptions, RollPlan, plan_roll
from console.rolling.book import opening_of
from console.rolling.defaults import RollDefaults
from console.rolling.wishes import RollWishes

ROLL = RunId("20260101-020000-roll-7a3c")


def roll_plan_of(cluster: Cluster, nodes: Sequence[HostName] = (), options: RollOptions | None = None) -> RollPlan:
    """All nodes, or these."""
    chosen = nodes or tuple(host.name for host in cluster.hosts)
    return plan_roll(cluster, chosen, options or RollOptions(), PriorForecaster())


class FakeRolling:
    """See :class:`console.operations.Rolling`."""

    def __init__(self, clock: ManualClock, changes: list[object]) -> None:
        self.clock = clock
        self.changes = changes
        self.state: RollState | None = None
        self.drains: dict[RunId, RunState] = {}
        self.log = RollLog()
        self.defaults = RollDefaults()
        self.wishes: RollWishes | None = None
        """What the last roll was begun with."""

    def newest(self, cluster: str) -> RollState | None:
        return self.state

    def log_of(self, roll: RunId) -> tuple[LogLine, ...]:
        return tuple(self.log.lines)

    def drains_of(self, roll: RollState) -> Mapping[RunId, RunState]:
        return self.drains

    def start(self, plan: RollPlan, cluster: Cluster, wishes: RollWishes) -> RunId:
        self.changes.append(("start_roll", wishes.continues))
        self.wishes = wishes
        self.open(plan, wishes)
        return ROLL

    def ask(self, roll: RunId, request: RollRequest) -> None:
        self.changes.append(request)
        assert self.state is not None
        taken = step_roll(self.state, signal_of(request, self.clock.now(), "operator"))
        self.state = taken.state
        self.log.take(taken.events)

    def open(self, plan: RollPlan, wishes: RollWishes) -> None:
        opening = opening_of(plan, "PRODUCTION-01", wishes, ROLL, self.clock.now(), "operator@ops")
        self.state = fold_roll([opening])
        self.log = RollLog()
        self.log.take([opening])

    def happen(self, *events: re.RollEvent) -> None:
        for event in events:
            assert self.state is not None
            self.state = apply_roll(self.state, event)
            self.log.take([event])

    def drained(self, node: HostName, at: datetime, minutes: float, *, hook: int | None = None) -> datetime:
        """A wave of one node that went well; the moment of its end."""
        assert self.state is not None
        roll_node = self.state.nodes[node]
        foreseen = roll_node.forecast
        end = at + timedelta(minutes=minutes)
        self.happen(
            re.HealthSeen(at, True),
            re.WaveBegan(at, roll_node.wave),
            re.NodeDrainIntended(at, node, RunId(f"{ROLL}-{node}-1")),
            re.NodeDrainEnded(end, node, Outcome.DRAINED, foreseen.moves if foreseen else 0),
        )
        if hook is not None:
            self.happen(re.HookIntended(end, node), re.HookEnded(end, node, hook, "patched"))
        if hook in (None, 0):
            self.happen(re.ResumeIntended(end, node), re.NodeResumed(end, node))
        else:
            self.happen(re.NodeFailed(end, node, f"the hook ended with status {hook}"))
        return end
