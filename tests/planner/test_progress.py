"""From a run's state to the planner's: what is over, what is under way, what is still to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console.checks.values import Findings
from console.drain.fold import fold
from console.drain.opening import open_event
from console.drain.state import MoveState, RunState
from console.forecast.forecaster import PriorForecaster
from console.model.identity import RunId
from console.planner.values import PlanOptions
from console.planning import make_plan, progress_of
from tests.builders import READ_AT, host_name, make_cluster

HV01 = host_name(1)


def test_a_run_half_way_is_planned_on_from_its_state() -> None:
    cluster = make_cluster(4, 6, seed=2)
    plan = make_plan(cluster, HV01, PlanOptions(), PriorForecaster(), Findings())
    opened = fold([open_event(plan, cluster, run=RunId("r"), at=READ_AT)])
    done, going, *waiting = opened.moves.values()
    state: RunState = replace(
        opened,
        moves={
            **opened.moves,
            done.vm.id: replace(done, state=MoveState.DONE),
            going.vm.id: replace(going, state=MoveState.MOVING, started_at=READ_AT, bytes_sent=10**9),
            waiting[0].vm.id: replace(waiting[0], state=MoveState.FAILED),
        },
    )
    progress = progress_of(state, READ_AT + timedelta(seconds=5))
    assert progress.done == {done.vm.id, waiting[0].vm.id}
    (flight,) = progress.in_flight
    assert (flight.vm, flight.elapsed_s, flight.bytes_sent) == (going.vm.id, 5.0, 10**9)
    assert list(progress.destinations) == [move.vm.id for move in waiting[1:]]
    rest = make_plan(cluster, HV01, PlanOptions(), PriorForecaster(), Findings(), progress)
    assert [move.vm.id for move in rest.in_flight] == [going.vm.id]
    assert {move.vm.id: move.destination for move in rest.moves} == dict(progress.destinations)
