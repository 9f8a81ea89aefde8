"""The port's promises: kinds of move, ranges, words."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.forecast.forecaster import PriorForecaster
from console.forecast.values import Forecaster, MigrationType, MoveForecast
from console.model.cluster import Cluster, MigrationTransport, VirtualMachine, VmState
from console.model.identity import HostName
from console.model.units import GIB
from tests.builders import host_name, make_adapter, make_cluster, make_host, make_vm

HERE, THERE = host_name(1), host_name(2)
CLUSTER = make_cluster(2, 0)


def ask(vm: VirtualMachine, cluster: Cluster = CLUSTER, sharing: int = 1) -> MoveForecast:
    forecaster: Forecaster = PriorForecaster()
    return forecaster.forecast(cluster, vm, THERE, sharing=sharing)


def test_a_running_vm_goes_live_with_a_range_and_a_basis() -> None:
    found = ask(make_vm("app01", HERE, 32))
    assert found.migration_type is MigrationType.LIVE
    assert found.duration_p50_s < found.duration_p90_s
    assert found.blackout_p50_s <= found.blackout_p90_s <= found.duration_p90_s
    assert found.bytes_to_send >= 32 * 1024**3
    assert found.converges
    assert "prior" in found.basis


@pytest.mark.parametrize("state", [VmState.OFF, VmState.SAVED])
def test_without_memory_only_the_ownership_moves(state: VmState) -> None:
    found = ask(make_vm("cold", HERE, 64, state=state))
    assert found.migration_type is MigrationType.OFFLINE
    assert (found.bytes_to_send, found.blackout_p90_s) == (0, 0)
    assert found.duration_p90_s < 10


def test_a_vm_that_always_goes_quick_is_dark_all_the_time() -> None:
    found = ask(make_vm("legacy", HERE, 8, default_move_type=1))
    assert found.migration_type is MigrationType.QUICK
    assert found.blackout_p50_s == found.duration_p50_s


@pytest.mark.parametrize(("line", "rate"), [(125e6, 119e6), (1.25e9, 1.19e9), (12.5e9, 1.7e9), (None, 1.19e9)])
def test_memory_is_saved_as_fast_as_the_hosts_reach_their_storage(line: float | None, rate: float) -> None:
    adapters = (make_adapter("a", link_bytes_per_s=line), make_adapter("b", link_bytes_per_s=50e9, up=False))
    hosts = [make_host(name, adapters=adapters) for name in (HERE, THERE)]
    found = ask(make_vm("legacy", HERE, 8, default_move_type=1), make_cluster(hosts))
    assert found.rate_bytes_per_s == pytest.approx(rate, rel=0.01)
    assert found.duration_p50_s == pytest.approx(2 * 8 * GIB / rate + 5, rel=0.01)


def test_sharing_and_size_and_load_make_it_longer() -> None:
    small, large = ask(make_vm("a", HERE, 4)), ask(make_vm("a", HERE, 64))
    assert small.duration_p50_s < large.duration_p50_s
    assert ask(make_vm("a", HERE, 64), sharing=8).duration_p50_s > large.duration_p50_s
    busy = make_vm("sql01", HERE, 64, cpu_percent=90, processors=32)
    assert ask(busy).duration_p50_s > large.duration_p50_s
    assert "database" in ask(busy).basis


@given(
    st.integers(1, 2000),
    st.sampled_from(["sql", "web", "file", "plain"]),
    st.sampled_from(list(MigrationTransport)),
    st.floats(1e6, 1e10),
    st.floats(1, 50),
)
def test_more_bandwidth_is_never_worse(
    gib: int, name: str, transport: MigrationTransport, link: float, more: float
) -> None:
    vm = make_vm(name, HERE, gib)

    def on(speed: float) -> MoveForecast:
        adapters = (make_adapter(link_bytes_per_s=speed),)
        hosts = [dataclasses.replace(host, adapters=adapters, migration_transport=transport) for host in CLUSTER.hosts]
        return ask(vm, make_cluster(hosts, 0))

    slow, fast = on(link), on(link * more)
    if slow.converges and fast.converges:  # others may end for different reasons; the model's own tests look at those
        assert fast.duration_p50_s <= slow.duration_p50_s * (1 + 1e-9)
        assert fast.blackout_p50_s <= slow.blackout_p50_s * (1 + 1e-9)
        assert fast.blackout_p90_s <= slow.blackout_p90_s * (1 + 1e-9)


def test_an_unknown_destination_is_an_error() -> None:
    with pytest.raises(KeyError):
        PriorForecaster().forecast(CLUSTER, make_vm("a", HERE), HostName("nowhere"))


def test_the_paths_of_another_cluster_are_not_remembered() -> None:
    forecaster, vm = PriorForecaster(), make_vm("a", HERE, 64)
    fast = forecaster.forecast(CLUSTER, vm, THERE)
    blind = make_cluster([dataclasses.replace(host, adapters=()) for host in CLUSTER.hosts], 0)
    assert "assumed" in forecaster.forecast(blind, vm, THERE).basis
    assert "assumed" not in fast.basis
