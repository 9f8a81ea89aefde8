"""The events that a plan's run would have left behind, for replays: every move takes what was forecast."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.drain import events as ev
from console.drain import move_events as mv
from console.drain.opening import open_event
from console.drain.state import Outcome
from console.model.cluster import Cluster
from console.model.identity import RunId
from console.planner.values import Plan

STRIDE_S = 10.0


def events_of(run: RunId, plan: Plan, cluster: Cluster, at: datetime) -> tuple[ev.Event, ...]:
    """From the opening to the verified end; read from the guard and from every move each ten seconds."""
    told: list[ev.Event] = [ev.NodeClaimed(at), ev.PauseIntended(at), ev.NodePaused(at)]
    for move in plan.moves:
        vm, host = move.vm.id, move.destination
        start, end = (at + timedelta(seconds=1 + s) for s in (move.start_s, move.end_s))
        told += [mv.MoveChecked(start, vm, host), mv.MoveIntended(start, vm, host, True, False, 2)]
        told.append(mv.MoveStarted(start, vm))
        length_s = move.end_s - move.start_s
        for step in range(1, int(length_s // STRIDE_S) + 1):
            gone_s = step * STRIDE_S
            rate = move.forecast.rate_bytes_per_s / plan.slots
            told.append(mv.MoveProgressed(start + timedelta(seconds=gone_s), vm, gone_s / length_s * 100, 1, rate))
        told += [mv.MoveArrived(end, vm, host), mv.MoveVerified(end, vm, host, 2, 6)]
        told.append(mv.BlackoutMeasured(end, vm, move.forecast.blackout_p50_s))
    over = at + timedelta(seconds=1 + plan.makespan_s)
    for step in range(int(plan.makespan_s // STRIDE_S)):
        moment = at + timedelta(seconds=2 + step * STRIDE_S)
        told.append(ev.GuardRead(moment, {"csv latency s": 0.008 + step % 7 / 800, "host cpu fraction": 0.4}))
        told.append(ev.ForecastRevised(moment, over, over + timedelta(seconds=60)))
    told += [ev.VerificationBegan(over), ev.NodeVerifiedEmpty(over), ev.DrainFlagIntended(over), ev.DrainFlagSet(over)]
    told += [ev.ClosingBegan(over, Outcome.DRAINED), ev.RunClosed(over, Outcome.DRAINED)]
    opened = open_event(plan, cluster, run=run, at=at, operator="operator", consents=())
    return (opened, *sorted(told, key=lambda event: event.at))
