"""What a pair of hosts offers: every limit that can decide, named in words."""

from __future__ import annotations

import dataclasses

import pytest

from console.forecast.priors import Priors
from console.forecast.transport import Guest, Path, path_between
from console.model.cluster import (
    ClusterNetwork,
    ClusterSettings,
    Host,
    MigrationTransport,
    NetworkInterface,
    NetworkRole,
)
from console.model.identity import HostName
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


def test_only_adapters_on_networks_that_may_carry_migration_count() -> None:
    """Two adapters of one description, as Windows shows them: the network tells how many of them carry."""
    pair = tuple(make_adapter(name=name, description="fast", rdma_operational=True) for name in ("Move", "Store"))
    ends = [make_host(name, migration_transport=MigrationTransport.SMB, adapters=pair) for name in "AB"]
    networks = (network("Move", 0, True), network("Store", 1, True, migration_excluded=True))
    joined = [NetworkInterface(HostName(host), each.name, "fast", True) for host in ("A", "B") for each in networks]
    alone = make_cluster(ends, 0, networks=networks, interfaces=tuple(joined))
    assert path_between(alone, ends[0], ends[1], PRIORS).line_bytes_per_s == pair[0].link_bytes_per_s
    both = dataclasses.replace(alone, networks=(networks[0], network("Store", 1, True)))
    assert path_between(both, ends[0], ends[1], PRIORS).line_bytes_per_s == 2 * (pair[0].link_bytes_per_s or 0.0)


def test_a_network_that_one_end_has_not_joined_is_a_failed_candidate() -> None:
    ends = [make_host(name, build=20348) for name in "AB"]
    networks = (network("first", 0, True), network("second", 1, True))
    joined = [("A", "first"), ("A", "second"), ("B", "second")]
    interfaces = tuple(NetworkInterface(HostName(host), name, "any", True) for host, name in joined)
    cluster = make_cluster(ends, 0, networks=networks, interfaces=interfaces)
    assert path_between(cluster, ends[0], ends[1], PRIORS).selection_s == 20.0


def test_what_is_set_up_wrongly_stays_at_about_a_gigabit() -> None:
    def tcp(name: str, **adapter: object) -> Host:
        adapters = (make_adapter(**adapter),)  # type: ignore[arg-type]
        return make_host(name, migration_transport=MigrationTransport.TCPIP, adapters=adapters)

    right = tcp("A", vmq_enabled=True, mtu_bytes=9000)
    assert path(right, tcp("B", vmq_enabled=False, mtu_bytes=9000)).rate_bytes_per_s() <= PRIORS.plateau_bytes_per_s
    assert path(right, tcp("B", vmq_enabled=True, mtu_bytes=1500)).rate_bytes_per_s() <= PRIORS.plateau_bytes_per_s
    assert path(right, tcp("B", vmq_enabled=True, mtu_bytes=9000)).rate_bytes_per_s() > PRIORS.plateau_bytes_per_s, (
        "all is well"
    )


def test_encryption_takes_old_hosts_off_rdma_and_costs_new_ones_little() -> None:
    def smb(build: int, encrypts: bool) -> Host:
        return make_host(
            "A", migration_transport=MigrationTransport.SMB, adapters=RDMA, build=build, smb_encrypts=encrypts
        )

    other = make_host("B", migration_transport=MigrationTransport.SMB, adapters=RDMA, build=26100)
    assert not path(smb(17763, True), other).rdma
    assert path(smb(17763, False), other).rdma
    uncapped = make_settings(set_smb_bandwidth_limit=0)
    plain, encrypted = (path(smb(26100, each), other, uncapped).rate_bytes_per_s() for each in (False, True))
    assert 0.9 * plain < encrypted < plain


def test_idle_guests_compress_better_until_the_processors_are_busy() -> None:
    host = make_host("A", migration_transport=MigrationTransport.COMPRESSION)
    cluster = make_cluster([host, make_host("B")], 0)
    idle, busy = (
        path_between(cluster, host, cluster.hosts[1], PRIORS, guest=Guest(idle=each)) for each in (True, False)
    )
    assert idle.rate_bytes_per_s() > busy.rate_bytes_per_s()
    assert idle.rate_bytes_per_s(20) == busy.rate_bytes_per_s(20)
    assert idle.link_weight < busy.link_weight == 1.0, "it leaves more of the wire to others"


def test_a_guest_that_falls_back_does_not_take_the_hosts_transport() -> None:
    smb = make_host("A", migration_transport=MigrationTransport.SMB, adapters=RDMA)
    cluster = make_cluster([smb, dataclasses.replace(smb, name=HostName("B"))], 0)
    found = path_between(cluster, smb, cluster.hosts[1], PRIORS, guest=Guest(falls_back=True))
    assert found.transport is MigrationTransport.COMPRESSION
