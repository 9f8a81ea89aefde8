"""What can be told of earlier moves from nothing but when they began, when they were over and how dark it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.forecast.forecaster import PriorForecaster
from console.forecast.history import Learned
from console.forecast.implied import Observation, law_behind
from console.forecast.model import Overheads, PowerLaw, StopRule, precopy
from console.forecast.priors import Priors, Workload
from console.forecast.siblings import shared_rates
from console.model.cluster import VirtualMachine
from console.model.past import FinishedMove, Origin
from console.model.units import GIB
from tests.builders import READ_AT, host_name, make_cluster, make_vm

HERE, THERE, ELSEWHERE = host_name(1), host_name(2), host_name(3)
VMS = tuple(make_vm(f"sql{number}", HERE, 32) for number in range(6))
CLUSTER = make_cluster(3, vms=VMS)
PRIOR = PriorForecaster()
PATH = PRIOR.path(CLUSTER, HERE, THERE)
RATE = 8e8


def logged(vm: VirtualMachine, end_s: float, took_s: float, blackout_s: float = 0.6) -> FinishedMove:
    return FinishedMove(
        vm.id, vm.name, "", HERE, THERE, vm.memory_bytes, READ_AT + timedelta(seconds=end_s), took_s, blackout_s,
        origin=Origin.EVENT_LOG, told_by=THERE,
    )  # fmt: skip


@pytest.mark.parametrize(("first_second", "exponent"), [(2.5e9, 0.7), (4e9, 0.6), (9e8, 0.9)])
def test_the_law_of_a_guest_that_kept_its_link_busy_is_found_and_forecasts_it(
    first_second: float, exponent: float
) -> None:
    law, stop, overheads = PowerLaw(first_second, exponent), StopRule(RATE * 0.5, 10), Overheads(4.0, 1.0, 0.5)
    truth = precopy(64 * GIB, RATE, law, stop, overheads)
    seen = Observation(64 * GIB, RATE, overheads, stop, truth.duration_s, truth.blackout_s)
    found = law_behind([seen] * 3, Priors().dirtying[Workload.DATABASE])
    assert found is not None
    again = precopy(64 * GIB, RATE, found, stop, overheads)
    assert again.duration_s == pytest.approx(truth.duration_s, rel=0.05)
    elsewhere = [precopy(64 * GIB, RATE * 2, each, StopRule(RATE, 10), overheads) for each in (law, found)]
    assert elsewhere[1].duration_s == pytest.approx(elsewhere[0].duration_s, rel=0.35), "also at another rate"


def test_a_slow_path_is_not_taken_for_a_busy_guest() -> None:
    stop, overheads = StopRule(RATE * 0.5, 10), Overheads(4.0, 1.0, 0.5)
    slow = Observation(64 * GIB, RATE, overheads, stop, 400.0, 0.6)
    assert law_behind([slow] * 3, PowerLaw(4e6, 0.45)) is None


def test_a_busy_guest_does_not_make_the_others_slow() -> None:
    busy, calm = VMS[0], VMS[1:]
    rate = PATH.rate_bytes_per_s()
    took = precopy(32 * GIB, rate, PowerLaw(rate, 0.9), StopRule(rate * 0.5, 10), Overheads(3.0, 2.0, 0.8))
    usual = PRIOR.forecast(CLUSTER, calm[0], THERE).duration_p50_s
    moves = [logged(busy, 5000.0 * (1 + day), took.duration_s, took.blackout_s) for day in range(4)]
    moves += [logged(vm, 400_000.0 + 2000 * place, usual) for place, vm in enumerate(calm)]
    informed = PriorForecaster(evidence=Learned(CLUSTER, moves))
    found = informed.forecast(CLUSTER, busy, THERE)
    assert found.duration_p50_s == pytest.approx(took.duration_s, rel=0.12)
    assert not found.converges
    assert informed.forecast(CLUSTER, calm[0], THERE).duration_p50_s == pytest.approx(usual, rel=0.1)


def test_only_those_that_copy_at_the_same_time_share() -> None:
    alone = PATH.rate_bytes_per_s()
    half = PATH.capacity_bytes_per_s / 2
    cases = {
        "one after the other": ((100.0, 50.0), (200.0, 50.0)),
        "one is set up while the other copies its last": ((100.0, 50.0), (145.0, 50.0)),
        "side by side": ((100.0, 50.0), (101.0, 50.0)),
    }
    rates = {}
    for name, spans in cases.items():
        moves = [logged(vm, end_s, took_s) for vm, (end_s, took_s) in zip(VMS, spans, strict=False)]
        rates[name] = shared_rates(moves, [PATH, PATH], 10.0)
    assert rates["one after the other"] == [alone, alone]
    assert rates["one is set up while the other copies its last"] == pytest.approx([alone, alone])
    assert rates["side by side"] == pytest.approx([min(alone, half)] * 2, rel=0.05)


def test_a_move_over_a_slow_line_leaves_the_rest_to_the_one_beside_it() -> None:
    narrow = replace(PATH, capacity_bytes_per_s=PATH.capacity_bytes_per_s / 100, stream_bytes_per_s=RATE / 100)
    wide = replace(PATH, stream_bytes_per_s=PATH.capacity_bytes_per_s)
    beside = [replace(logged(VMS[0], 100.0, 50.0), destination=ELSEWHERE), logged(VMS[1], 100.0, 50.0)]
    slow, fast = shared_rates(beside, [narrow, wide], 10.0)
    assert slow == narrow.rate_bytes_per_s()
    assert fast == pytest.approx(PATH.capacity_bytes_per_s - slow)
