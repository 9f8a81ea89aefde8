"""What a pair of hosts offers: every limit that can decide, named in words."""

from __future__ import annotations

import dataclasses

import pytest

from console.forecast.priors import Priors
from console.forecast.transport import Path, path_between
from console.model.cluster import ClusterNetwork, ClusterSettings, Host, MigrationTransport, NetworkRole
from tests.builders import LINK_25GBE, make_adapter, make_cluster, make_host, make_settings

PRIORS = Priors()
RDMA = (make_adapter("p1", rdma_enabled=True, rdma_operational=True),)


def path(source: Host, destination: Host, settings: ClusterSettings | None = None) -> Path:
    cluster = make_cluster([source, destination], 0, settings=settings)
    return path_between(cluster, source, destination, PRIORS)


def test_one_tcp_stream_does_not_fill_the_link_and_ten_share_it_equally() -> None:
    host = make_host("A", migration_transport=MigrationTransport.TCPIP)
    found = path(host, make_host("B"))
    assert found.rate_bytes_per_s(1) == pytest.approx(425e6)
    assert found.rate_bytes_per_s(10) == pytest.approx(LINK_25GBE * 0.95 / 10)
    assert found.held_back_by == "what one stream reaches"


def test_the_slower_end_decides() -> None:
    host = make_host("A", migration_transport=MigrationTransport.TCPIP)
    slow = make_host("B", adapters=(make_adapter(link_bytes_per_s=125e6),))
    assert path(host, slow).rate_bytes_per_s() == pytest.approx(125e6 * 0.95)
    assert path(host, slow).held_back_by == "the link"


def test_compression_moves_more_memory_than_the_wire_carries_until_the_processors_are_busy() -> None:
    idle, busy = make_host("A", cpu_fraction=0.0), make_host("A", cpu_fraction=0.97, logical_processors=16)
    assert path(idle, make_host("B")).rate_bytes_per_s() == pytest.approx(2 * 425e6)
    slow = path(busy, make_host("B"))
    assert slow.rate_bytes_per_s() < 425e6
    assert slow.held_back_by == "the processors that compress"


def test_a_dead_adapter_carries_nothing() -> None:
    adapters = (make_adapter("p1", link_bytes_per_s=125e6), make_adapter("p2", up=False))
    host = make_host("A", migration_transport=MigrationTransport.TCPIP, adapters=adapters)
    assert path(host, make_host("B")).line_bytes_per_s == 125e6


def test_rdma_needs_both_ends_and_smb() -> None:
    smb = make_host("A", migration_transport=MigrationTransport.SMB, adapters=RDMA)
    assert path(smb, make_host("B", adapters=RDMA)).rdma
    assert not path(smb, make_host("B")).rdma
    assert not path(make_host("A", adapters=RDMA), make_host("B", adapters=RDMA)).rdma


@pytest.mark.parametrize(
    ("settings", "share"),
    [({}, 0.25), ({"smb_bandwidth_limit_factor": 5000}, 0.5), ({"set_smb_bandwidth_limit": 0}, 0.92)],
)
def test_the_smb_cap_counts_only_while_it_is_on(settings: dict[str, int], share: float) -> None:
    source, destination = (make_host(name, migration_transport=MigrationTransport.SMB, adapters=RDMA) for name in "AB")
    assert path(source, destination, make_settings(**settings)).rate_bytes_per_s() == pytest.approx(LINK_25GBE * share)


def test_the_smb_cap_needs_its_feature_and_its_transport() -> None:
    without = [
        make_host(name, migration_transport=MigrationTransport.SMB, adapters=RDMA, smb_bandwidth_feature=False)
        for name in "AB"
    ]
    assert path(without[0], without[1]).rate_bytes_per_s() == pytest.approx(LINK_25GBE * 0.92)
    assert path(make_host("A"), make_host("B")) == path(
        make_host("A"), make_host("B"), make_settings(set_smb_bandwidth_limit=0)
    )


def test_an_unknown_link_is_assumed_and_said_so() -> None:
    found = path(make_host("A", adapters=None), make_host("B", adapters=None))
    assert not found.line_known
    assert found.line_bytes_per_s == 1.25e9


def network(name: str, order: int | None, up: bool, **overrides: object) -> ClusterNetwork:
    values = ClusterNetwork(name, name, NetworkRole.CLUSTER, up, 100, None, False, order)
    return dataclasses.replace(values, **overrides)  # type: ignore[arg-type]


def test_failed_candidates_cost_twenty_seconds_each_before_2025_only() -> None:
    networks = (
        network("dead", 0, False),
        network("dead too", 1, False),
        network("excluded", 2, False, migration_excluded=True),
        network("good", 3, True),
        network("after", 4, False),
    )
    for build, seconds in ((20348, 40.0), (26100, 0.0)):
        source, destination = make_host("A", build=build), make_host("B", build=build)
        cluster = make_cluster([source, destination], 0, networks=networks)
        assert path_between(cluster, source, destination, PRIORS).selection_s == seconds


def test_nobody_shares_with_less_than_himself() -> None:
    with pytest.raises(ValueError, match="at least the move itself"):
        path(make_host("A"), make_host("B")).rate_bytes_per_s(0)
