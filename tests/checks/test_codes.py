"""Every code fires on its cause, is clean without it, and says unknown where its fact was not read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from console.checks.catalogue import CHECKS, Facts, run_checks
from console.checks.registry import Ruling, SitePolicy
from console.checks.values import Severity
from console.model.cluster import (
    Cluster,
    Contact,
    DrainStatus,
    GroupFlags,
    GroupState,
    Heartbeat,
    Host,
    MigrationAuthentication,
    MigrationTransport,
    NodeState,
    SharedVolume,
    VirtualMachine,
    VmState,
    VolumeState,
)
from console.model.identity import HostName
from tests.builders import make_adapter, make_cluster, make_host, make_settings, make_vm

HOSTS = ("HV01", "HV02", "HV03")


def cluster_of(
    *,
    host: Callable[[Host], Host] = lambda host: host,
    vm: Callable[[VirtualMachine], VirtualMachine] = lambda vm: vm,
    whole: Callable[[Cluster], Cluster] = lambda cluster: cluster,
) -> Cluster:
    """Three healthy hosts and one VM on HV01, with HV01 or the VM changed."""
    owners = frozenset(HostName(name) for name in HOSTS)
    base = make_cluster(hosts=3, vms_per_host=0)
    hosts = (host(make_host("HV01")), *(make_host(name) for name in HOSTS[1:]))
    vms = (vm(make_vm("app", "HV01", possible_owners=owners)),)
    settings = make_settings(auto_balancer_mode=0, maximum_parallel_migrations=2)
    return whole(replace(base, hosts=hosts, vms=vms, settings=settings))


def codes(cluster: Cluster) -> set[str]:
    return {conflict.code for conflict in run_checks(Facts(cluster)).conflicts}


def unknown(cluster: Cluster) -> set[str]:
    return {finding.code for finding in run_checks(Facts(cluster)).unknown}


def with_host(**changes: object) -> Cluster:
    return cluster_of(host=lambda host: replace(host, **changes))  # type: ignore[arg-type]


def with_vm(**changes: object) -> Cluster:
    return cluster_of(vm=lambda vm: replace(vm, **changes))  # type: ignore[arg-type]


def with_settings(**changes: object) -> Cluster:
    return cluster_of(whole=lambda cluster: replace(cluster, settings=replace(cluster.settings, **changes)))  # type: ignore[arg-type]


def every_host(**changes: object) -> Cluster:
    def changed(cluster: Cluster) -> Cluster:
        return replace(cluster, hosts=tuple(replace(host, **changes) for host in cluster.hosts))  # type: ignore[arg-type]

    return cluster_of(whole=changed)


def redirected(cluster: Cluster) -> Cluster:
    volume = SharedVolume("CSV1", HostName("HV01"), ((HostName("HV02"), VolumeState.BLOCK_REDIRECTED),))
    return replace(cluster, volumes=(volume,))


@dataclass(frozen=True)
class Case:
    code: str
    fires: Cluster
    unread: Cluster | None = None


RDMA = (make_adapter(rdma_enabled=True, rdma_operational=True),)
FAST = (make_adapter(link_bytes_per_s=12_500_000_000.0),)

CASES = [
    Case(
        "auth-credssp-credential-guard",
        with_host(migration_authentication=MigrationAuthentication.CREDSSP, credential_guard=True),
        with_host(migration_authentication=None),
    ),
    Case(
        "auth-credssp-before-upgrade",
        with_host(migration_authentication=MigrationAuthentication.CREDSSP, credential_guard=False, build=20348),
    ),
    Case("auth-mixed", with_host(migration_authentication=MigrationAuthentication.CREDSSP)),
    Case("host-migration-disabled", with_host(migration_enabled=False), with_host(migration_enabled=None)),
    Case("host-not-available", with_host(state=NodeState.PAUSED), with_host(state=NodeState.UNKNOWN)),
    Case("host-unreachable", with_host(contact=Contact.SILENT)),
    Case(
        "host-version-older",
        every_host(supported_vm_versions=("8.0", "10.0")),
        with_host(supported_vm_versions=None),
    ),
    Case("vm-checkpoint-merging", with_vm(operational_status=(2, 32772))),
    Case("vm-backing-up", with_vm(operational_status=(2, 32776))),
    Case("vm-storage-migrating", with_vm(operational_status=(2, 32778))),
    Case("vm-already-migrating", with_vm(role_flags=GroupFlags.QUEUED)),
    Case("vm-not-clustered", with_vm(clustered=False)),
    Case("vm-locked", with_vm(role_flags=GroupFlags.LOCKED)),
    Case("vm-quick-migrates", with_vm(default_move_type=1)),
    Case("vm-paused", with_vm(state=VmState.PAUSED)),
    Case("vm-not-running", with_vm(state=VmState.OFF)),
    Case("vm-critical", with_vm(state=VmState.CRITICAL)),
    Case("vm-guest-unhealthy", with_vm(heartbeat=Heartbeat.LOST_COMMUNICATION)),
    Case("role-not-healthy", with_vm(role_state=GroupState.FAILED)),
    Case("role-auto-failback", with_vm(auto_failback=True)),
    Case("vm-too-big", with_vm(processors=512)),
    Case("place-possible-owners", with_vm(possible_owners=frozenset({"HV01", "HV02"})), with_vm(possible_owners=None)),
    Case("place-no-memory", every_host(memory_free_bytes=1), every_host(memory_free_bytes=None)),
    Case("transport-mixed", with_host(migration_transport=MigrationTransport.SMB)),
    Case("transport-tcpip", every_host(migration_transport=MigrationTransport.TCPIP)),
    Case(
        "transport-smb-without-rdma",
        every_host(migration_transport=MigrationTransport.SMB),
        every_host(migration_transport=MigrationTransport.SMB, adapters=None),
    ),
    Case("transport-rdma-unused", every_host(adapters=RDMA)),
    Case(
        "limit-default-on-fast",
        with_settings(maximum_parallel_migrations=1),
        with_settings(maximum_parallel_migrations=None),
    ),
    Case(
        "limit-above-rule",
        with_settings(maximum_parallel_migrations=8),
        with_settings(maximum_parallel_migrations=None),
    ),
    Case("limit-host-ignored", with_host(maximum_virtual_machine_migrations=7)),
    Case(
        "smb-cap-ineffective",
        every_host(migration_transport=MigrationTransport.SMB, smb_bandwidth_feature=False),
        every_host(migration_transport=MigrationTransport.SMB, smb_bandwidth_feature=None),
    ),
    Case("cluster-drain-running", with_host(drain_status=DrainStatus.IN_PROGRESS)),
    Case("cluster-csv-redirected", cluster_of(whole=redirected)),
    Case("cluster-balancer", with_settings(auto_balancer_mode=2), with_settings(auto_balancer_mode=None)),
    Case("cluster-mixed-level", with_host(build=20348)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_fires_on_its_cause_and_carries_evidence_and_a_fix(case: Case) -> None:
    found = [conflict for conflict in run_checks(Facts(case.fires)).conflicts if conflict.code == case.code]
    assert found
    for conflict in found:
        assert conflict.message.endswith((".", ")"))
        assert conflict.evidence
        assert conflict.fix.text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_is_clean_without_the_cause(case: Case) -> None:
    healthy = cluster_of()
    assert case.code not in codes(healthy)
    assert case.code not in unknown(healthy)


@pytest.mark.parametrize("case", [case for case in CASES if case.unread], ids=lambda case: case.code)
def test_is_unknown_where_the_fact_was_not_read(case: Case) -> None:
    assert case.unread is not None
    assert case.code in unknown(case.unread)
    assert case.code not in codes(case.unread)


def test_every_registered_code_has_a_case() -> None:
    assert set(CHECKS) == {case.code for case in CASES}


def test_a_site_can_silence_and_raise_a_code_and_says_why() -> None:
    noisy = with_vm(state=VmState.PAUSED)
    silent = SitePolicy({"vm-paused": (Ruling.SILENCE, "test machines")})
    assert "vm-paused" not in {conflict.code for conflict in run_checks(Facts(noisy), silent).conflicts}
    raised = SitePolicy({"vm-paused": (Ruling.BLOCKS, "policy 7")})
    conflict = next(one for one in run_checks(Facts(noisy), raised).conflicts if one.code == "vm-paused")
    assert conflict.severity is Severity.BLOCKS
    assert "policy 7" in conflict.message


def test_looking_at_one_node_leaves_the_vms_of_others_out() -> None:
    cluster = with_vm(state=VmState.PAUSED)
    findings = run_checks(Facts(cluster, HostName("HV02")))
    assert "vm-paused" not in {conflict.code for conflict in findings.conflicts}
