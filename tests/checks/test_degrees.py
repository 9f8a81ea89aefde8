"""How bad something is depends on the cluster it is found in: no alarm for what is normal there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.checks.catalogue import Facts, run_checks
from console.checks.values import Conflict, Severity
from console.model.cluster import (
    Cluster,
    DrainStatus,
    GroupState,
    NetworkRole,
    NodeState,
    Role,
    SharedVolume,
    VolumeState,
)
from console.model.facts import Quorum, QuorumKind, StorageJob
from console.model.identity import HostName, RoleName
from console.model.units import GIB
from tests.builders import make_adapter, make_vm
from tests.checks.more_cases import capped, spaces_direct, tight, two_votes
from tests.checks.worlds import (
    HEALTHY,
    HOSTS,
    cluster_of,
    every_host,
    outlook_of,
    slow_network_first,
    together,
    unknown,
    with_adapter,
    with_host,
    with_settings,
)

OWNERS = frozenset(HostName(name) for name in HOSTS)


def found(cluster: Cluster, code: str, node: str | None = None) -> list[Conflict]:
    facts = Facts(cluster, None if node is None else HostName(node), outlook_of(cluster))
    return [one for one in run_checks(facts).conflicts if one.code == code]


def severities(cluster: Cluster, code: str, node: str | None = None) -> list[Severity]:
    return [one.severity for one in found(cluster, code, node)]


def set_to(cluster: Cluster, **changes: object) -> Cluster:
    return replace(cluster, settings=replace(cluster.settings, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("free", "level", "severity"),
    [
        (400, 1, Severity.ADVICE),
        (200, 1, Severity.RISKS),
        (300, 1, Severity.ADVICE),
        (300, 3, Severity.RISKS),
        (60, 1, Severity.RISKS),
        (None, 1, Severity.RISKS),
    ],
)
def test_the_balancer_is_a_risk_only_where_a_node_comes_near_its_threshold(
    free: int | None, level: int, severity: Severity
) -> None:
    cluster = every_host(memory_bytes=512 * GIB, memory_free_bytes=None if free is None else free * GIB)
    assert severities(set_to(cluster, auto_balancer_mode=2, auto_balancer_level=level), "cluster-balancer") == [
        severity
    ]


def test_a_clean_shutdown_keeps_the_quorum_where_it_is_dynamic() -> None:
    fixed = cluster_of(whole=two_votes)
    assert severities(fixed, "cluster-quorum", "HV01") == [Severity.BLOCKS]
    (conflict,) = found(set_to(fixed, dynamic_quorum=True), "cluster-quorum", "HV01")
    assert conflict.severity is Severity.RISKS
    assert "clean shutdown" in conflict.message
    two = replace(fixed, quorum=Quorum(QuorumKind.MAJORITY, True))
    witnessed = replace(two, hosts=tuple(replace(host, dynamic_weight=1) for host in two.hosts))
    assert severities(set_to(witnessed, dynamic_quorum=True, witness_weight=1), "cluster-quorum", "HV01") == [
        Severity.ADVICE
    ]


@pytest.mark.parametrize(
    ("state", "reason", "word"),
    [
        (VolumeState.FILE_SYSTEM_REDIRECTED, 32, ""),
        (VolumeState.FILE_SYSTEM_REDIRECTED, 33, "an operator asked for it"),
        (VolumeState.FILE_SYSTEM_REDIRECTED, 2, "filter"),
        (VolumeState.FILE_SYSTEM_REDIRECTED, 0, ""),
        (VolumeState.PAUSED, 0, "paused"),
        (VolumeState.DIRECT, 0, ""),
    ],
)
def test_a_volume_that_refs_redirects_is_well_and_one_that_a_filter_redirects_is_not(
    state: VolumeState, reason: int, word: str
) -> None:
    host = HostName("HV02")
    volume = SharedVolume(
        "CSV1", HostName("HV01"), ((host, state),), redirected_for=((host, reason),) if reason else ()
    )
    conflicts = found(cluster_of(whole=lambda cluster: replace(cluster, volumes=(volume,))), "cluster-csv-redirected")
    assert len(conflicts) == bool(word)
    assert all(word in one.message for one in conflicts)


def test_a_drain_that_failed_before_is_told_where_it_left_the_node_paused() -> None:
    failed = with_host(drain_status=DrainStatus.FAILED, state=NodeState.PAUSED)
    (conflict,) = found(failed, "cluster-drain-running")
    assert conflict.severity is Severity.ADVICE
    assert "paused with 1 clustered VM" in conflict.message
    assert not found(with_host(drain_status=DrainStatus.FAILED), "cluster-drain-running")


def test_many_repairs_are_told_once() -> None:
    jobs = (*(StorageJob("Repair", 4, 40) for _ in range(3)), StorageJob("Optimize", 4, 1))
    (conflict,) = found(cluster_of(whole=spaces_direct(storage_jobs=jobs)), "cluster-storage-unhealthy")
    assert "(3 × Repair, Optimize)" in conflict.message


def test_a_fallback_network_that_clients_reach_is_only_advice() -> None:
    def opened(cluster: Cluster, ranks: tuple[int, int]) -> Cluster:
        roles = (NetworkRole.CLUSTER, NetworkRole.CLUSTER_AND_CLIENT)
        networks = tuple(
            replace(one, role=role, migration_excluded=False, migration_order=rank)
            for one, role, rank in zip(cluster.networks, roles, ranks, strict=True)
        )
        return replace(cluster, networks=networks)

    assert severities(opened(cluster_of(), (0, 1)), "network-not-isolated") == [Severity.ADVICE]
    assert severities(opened(cluster_of(), (1, 0)), "network-not-isolated") == [Severity.RISKS]


def test_vmq_matters_from_ten_gigabit_on() -> None:
    assert found(with_adapter(vmq_enabled=False, link_bytes_per_s=1.25e9), "network-vmq")
    assert not found(with_adapter(vmq_enabled=False, link_bytes_per_s=125e6), "network-vmq")


def on_a_switch(uplinks: tuple[str, ...] | None) -> Cluster:
    cluster = every_host(uplinks=uplinks, adapters=(make_adapter("pNIC1", vmq_enabled=False), make_adapter("pNIC2")))
    virtual = "Hyper-V Virtual Ethernet Adapter #2"
    return replace(cluster, interfaces=tuple(replace(one, adapter=virtual) for one in cluster.interfaces or ()))


def test_the_adapters_under_a_switch_carry_what_goes_over_it() -> None:
    known = on_a_switch(("25 GbE Adapter pNIC1", "25 GbE Adapter pNIC2"))
    assert {one.subject.host for one in found(known, "network-vmq")} == set(HOSTS)
    assert "network-vmq" not in unknown(known)
    assert not found(on_a_switch(None), "network-vmq")
    for code in ("network-vmq", "network-driver", "network-mtu", "network-wrong", "network-shared-with-csv"):
        assert code in unknown(on_a_switch(None))


@pytest.mark.parametrize(
    ("cluster", "code"),
    [
        (every_host(adapters=(make_adapter(rdma_enabled=True, rdma_operational=True),)), "transport-rdma-unused"),
        (with_settings(maximum_parallel_migrations=8), "limit-above-rule"),
        (with_settings(maximum_parallel_migrations=1), "limit-default-on-fast"),
        (cluster_of(whole=slow_network_first), "network-wrong"),
    ],
)
def test_what_network_atc_owns_is_changed_there(cluster: Cluster, code: str) -> None:
    assert all("Set-" in one.fix.powershell or ").M" in one.fix.powershell for one in found(cluster, code))
    conflicts = found(replace(cluster, network_intents=3), code)
    assert conflicts
    assert {one.fix.powershell for one in conflicts} == {"Get-NetIntent -GlobalOverrides"}


def test_a_cap_that_costs_little_is_not_worth_a_word() -> None:
    cluster = capped()
    costly = run_checks(Facts(cluster, outlook=tight(cluster))).conflicts
    cheap = replace(tight(cluster), finish_by_cap=((0.25, 168.0), (0.5, 162.0), (0.75, 160.0), (1.0, 160.0)))
    assert "smb-cap-tight" in {one.code for one in costly}
    assert "smb-cap-tight" not in {one.code for one in run_checks(Facts(cluster, outlook=cheap)).conflicts}


def test_nodes_older_than_the_update_are_not_told_to_install_it() -> None:
    missing = with_settings(has_migration_controls=False)
    assert "Install the updates" in found(missing, "smb-controls-absent")[0].fix.text
    old = set_to(with_host(build=17763), has_migration_controls=False)
    assert "Install the updates" not in found(old, "smb-controls-absent")[0].fix.text


def test_roles_that_share_a_node_against_a_class_do_not_block_the_drain_that_parts_them() -> None:
    enforced = set_to(cluster_of(whole=together), enforced_anti_affinity=True)
    (conflict,) = found(enforced, "place-affinity")
    assert conflict.severity is Severity.RISKS
    assert "does not come back" in conflict.message


def loaded(*sizes: tuple[str, float], free: float = 100) -> Cluster:
    vms = tuple(
        make_vm(f"vm{n}", host, gib, possible_owners=OWNERS, details=HEALTHY) for n, (host, gib) in enumerate(sizes)
    )
    return replace(every_host(memory_bytes=512 * GIB, memory_free_bytes=int(free * GIB)), vms=vms)


def test_the_loss_of_a_host_is_judged_with_the_vms_that_the_drain_brings_there() -> None:
    cluster = loaded(("HV01", 90), ("HV02", 20), ("HV03", 20))
    assert not found(cluster, "place-breaks-n1")
    (conflict,) = found(cluster, "place-breaks-n1", "HV01")
    assert conflict.message.startswith("Once HV01 is empty, the cluster can not lose ")
    assert not found(loaded(("HV01", 30), ("HV02", 20), ("HV03", 20)), "place-breaks-n1", "HV01")


def test_a_vm_that_is_off_needs_no_memory_when_its_host_dies() -> None:
    cluster = loaded(("HV01", 10), ("HV02", 400), ("HV03", 10))
    assert found(cluster, "place-breaks-n1")
    off = tuple(replace(vm, state=type(vm.state).OFF) if vm.host == "HV02" else vm for vm in cluster.vms)
    assert not found(replace(cluster, vms=off), "place-breaks-n1")


def test_a_role_that_is_no_vm_is_told_to_whoever_empties_its_node() -> None:
    owned = (("FS01", 100), ("SOFS", 114), ("Cluster Group", 1), ("zz-drainboard-HV01-3", 9999))
    roles = tuple(Role(RoleName(name), kind, HostName("HV01"), GroupState.ONLINE, kind == 1) for name, kind in owned)
    cluster = cluster_of(whole=lambda cluster: replace(cluster, roles=roles))
    (conflict,) = found(cluster, "role-other", "HV01")
    assert conflict.severity is Severity.RISKS
    assert "FS01, a file server" in conflict.message
    assert severities(cluster, "role-other") == [Severity.ADVICE]
    assert not found(cluster, "role-other", "HV02")
