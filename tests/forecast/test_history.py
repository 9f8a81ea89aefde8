"""What a site's own moves make of its forecasts."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.forecast.forecaster import PriorForecaster
from console.forecast.history import Learned
from console.forecast.priors import Priors
from console.model.cluster import Cluster, VirtualMachine
from console.model.identity import HostName
from console.model.past import FinishedMove, Pass
from console.model.units import GIB
from tests.builders import READ_AT, host_name, make_cluster, make_vm

HERE, THERE, ELSEWHERE = host_name(1), host_name(2), host_name(3)
VMS = tuple(make_vm(f"app{number:02d}", HERE, (4, 8, 16, 32)[number % 4]) for number in range(24))
CLUSTER: Cluster = make_cluster(4, vms=VMS)
PRIOR = PriorForecaster()


def at(minutes: float) -> datetime:
    return READ_AT + timedelta(minutes=minutes)


def finished(
    vm: VirtualMachine,
    duration_s: float,
    minutes: float = 0.0,
    *,
    run: str = "r1",
    destination: HostName = THERE,
    blackout_s: float = 0.5,
    passes: tuple[Pass, ...] = (),
) -> FinishedMove:
    return FinishedMove(
        vm.id,
        vm.name,
        run,
        HERE,
        destination,
        vm.memory_bytes,
        at(minutes),
        duration_s,
        blackout_s,
        float(vm.memory_bytes),
        passes=passes,
    )


def truth_s(vm: VirtualMachine, overhead_s: float, rate: float) -> float:
    return overhead_s + vm.memory_bytes / rate


def history(overhead_s: float = 12.0, factor: float = 0.5, noise: float = 0.03) -> list[FinishedMove]:
    chance = random.Random(4)
    rate = PRIOR.path(CLUSTER, HERE, THERE).rate_bytes_per_s() * factor
    return [
        finished(
            vm, truth_s(vm, overhead_s, rate) * chance.uniform(1 - noise, 1 + noise), 20 * number, run=f"r{number // 6}"
        )
        for number, vm in enumerate(VMS[:-4])
    ]


@pytest.mark.parametrize(("overhead_s", "factor"), [(12, 0.5), (3, 1.2), (50, 0.9), (6, 0.1)])
def test_overhead_and_rate_of_a_site_are_found(overhead_s: float, factor: float) -> None:
    site = Learned(CLUSTER, history(overhead_s, factor)).site
    assert site.moves == 20
    assert site.overhead_s == pytest.approx(overhead_s, rel=0.2, abs=1)
    assert site.rate_factor == pytest.approx(factor, rel=0.2)


@pytest.mark.parametrize("vm", VMS[-4:], ids=lambda vm: f"{vm.memory_bytes // GIB} GiB")
def test_a_vm_that_never_moved_profits_from_the_others(vm: VirtualMachine) -> None:
    found = PriorForecaster(evidence=Learned(CLUSTER, history())).forecast(CLUSTER, vm, THERE)
    rate = PRIOR.path(CLUSTER, HERE, THERE).rate_bytes_per_s() * 0.5
    assert found.duration_p50_s == pytest.approx(truth_s(vm, 12, rate), rel=0.12)
    assert found.duration_p90_s / found.duration_p50_s < Priors().duration_p90_factor
    assert "earlier moves" in found.basis


def test_a_vm_keeps_its_own_blackouts_and_pace() -> None:
    slow = VMS[0]
    moves = [*history(), *(finished(slow, 200.0, 60 + each, blackout_s=4.0, run=f"s{each}") for each in range(6))]
    learned = Learned(CLUSTER, moves)
    found = PriorForecaster(evidence=learned).forecast(CLUSTER, slow, THERE)
    assert found.duration_p50_s == pytest.approx(200, rel=0.2)
    assert found.blackout_p50_s == 4.0
    assert found.blackout_p50_s <= found.blackout_p90_s <= found.duration_p90_s
    assert "of this VM" in found.basis
    assert learned.about(slow.id, PRIOR.path(CLUSTER, HERE, THERE), HERE, THERE).moves == 7


def test_three_moves_of_the_run_that_goes_on_rescale_its_rest() -> None:
    usual = history(noise=0.01)
    late = [
        finished(vm, move.duration_s * 1.6, 90, run="now")
        for vm, move in zip(VMS, usual, strict=False)
        if move.duration_s
    ][:4]
    vm = VMS[-1]
    within, outside = (
        PriorForecaster(evidence=Learned(CLUSTER, [*usual, *late], run=run)).forecast(CLUSTER, vm, THERE)
        for run in ("now", "")
    )
    assert within.duration_p50_s > outside.duration_p50_s * 1.2
    assert "of this run" in within.basis


def test_dirtying_is_taken_from_a_vms_own_passes() -> None:
    vm = VMS[0]
    passes = (Pass(30.0, 6e9), Pass(5.0, 2.5e9))
    found = Learned(CLUSTER, [finished(vm, 60, passes=passes)])
    correction = found.correction(vm.id, PRIOR.path(CLUSTER, HERE, THERE), HERE, THERE)
    assert correction.dirtying is not None
    assert correction.dirtying.distinct_bytes(5.0) == pytest.approx(2.5e9)


def test_without_moves_nothing_changes_and_unknown_hosts_count_for_nothing() -> None:
    gone = finished(VMS[0], 500, destination=HostName("long-gone"))
    for moves in ([], [gone]):
        informed = PriorForecaster(evidence=Learned(CLUSTER, moves))
        assert informed.forecast(CLUSTER, VMS[0], THERE) == PRIOR.forecast(CLUSTER, VMS[0], THERE)


def test_a_slow_pair_does_not_spoil_the_others() -> None:
    moves = history(noise=0.01)
    moves += [finished(vm, 300, 500 + 10 * n, run=f"t{n}", destination=ELSEWHERE) for n, vm in enumerate(VMS[:12])]
    informed = PriorForecaster(evidence=Learned(CLUSTER, moves))
    good, bad = (informed.forecast(CLUSTER, VMS[-1], host).duration_p50_s for host in (THERE, ELSEWHERE))
    assert bad > 2 * good


@given(st.lists(st.tuples(st.floats(1e-3, 1e6), st.integers(0, 2**45), st.integers(1, 20)), max_size=30))
def test_any_history_gives_a_usable_forecast(rows: list[tuple[float, int, int]]) -> None:
    moves = [
        FinishedMove(VMS[0].id, "a", "r", HERE, THERE, memory, at(number), seconds, None, None, sharing)
        for number, (seconds, memory, sharing) in enumerate(rows)
    ]
    found = PriorForecaster(evidence=Learned(CLUSTER, moves)).forecast(CLUSTER, VMS[0], THERE)
    assert 0 < found.duration_p50_s <= found.duration_p90_s < float("inf")


def test_what_makes_idle_guests_quick_is_not_counted_twice() -> None:
    idle = tuple(make_vm(f"vm{number:02d}", HERE, 32, cpu_percent=0) for number in range(6))
    cluster = make_cluster(4, vms=idle)
    took_s = PRIOR.forecast(cluster, idle[0], THERE).duration_p50_s
    moves = [finished(vm, took_s, number) for number, vm in enumerate(idle)]
    found = PriorForecaster(evidence=Learned(cluster, moves)).forecast(cluster, idle[0], THERE)
    assert found.duration_p50_s == pytest.approx(took_s, rel=0.1)
