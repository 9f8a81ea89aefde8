"""Every code fires on its cause, is clean without it, and says unknown where its fact was not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.checks.catalogue import CHECKS, Facts, run_checks
from console.checks.registry import Ruling, SitePolicy
from console.checks.values import Findings, Severity
from console.model.cluster import (
    AffinityRule,
    Cluster,
    Contact,
    GroupState,
    MigrationAuthentication,
    Role,
    VmState,
)
from console.model.details import GpuPartition
from console.model.facts import PartitionableGpu
from console.model.identity import HostName, RoleName
from console.model.outlook import Outlook
from console.windows import catalogue
from tests.builders import READ_AT
from tests.checks.case import Case
from tests.checks.cases import CASES
from tests.checks.worlds import (
    cluster_of,
    codes,
    damaged,
    every_host,
    outlook_of,
    together,
    unknown,
    with_details,
    with_host,
    with_vm,
)

EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)


def findings_of(case: Case, cluster: Cluster, outlook: Outlook | None) -> Findings:
    return run_checks(Facts(cluster, outlook=outlook, account="CORP\\operator"))


@EVERY
def test_fires_on_its_cause_and_carries_evidence_and_a_fix(case: Case) -> None:
    outlook = case.outlook(case.fires)
    found = [one for one in findings_of(case, case.fires, outlook).conflicts if one.code == case.code]
    assert found
    for conflict in found:
        assert conflict.message.endswith((".", ")"))
        assert conflict.evidence
        assert all(one.what and one.value for one in conflict.evidence)
        assert conflict.fix.text


@EVERY
def test_is_clean_without_the_cause(case: Case) -> None:
    healthy = cluster_of()
    assert case.code not in codes(healthy)
    assert case.code not in unknown(healthy)


@EVERY
def test_is_unknown_where_the_fact_was_not_read(case: Case) -> None:
    if case.code == "host-unreachable":
        return  # silence is itself the fact
    if case.unread is not None:
        outlook = outlook_of(case.unread) if case.needs_outlook else None
        assert case.code in {one.code for one in findings_of(case, case.unread, outlook).unknown}
        assert case.code not in {one.code for one in findings_of(case, case.unread, outlook).conflicts}
    for need in CHECKS[case.code].reads:
        assert case.code in unknown(damaged(cluster_of(), (need,))), need
        assert case.code in unknown(damaged(cluster_of(), (need.partition(".")[0],))), need
    assert case.unread is not None or CHECKS[case.code].reads


def test_a_host_that_never_answered_leaves_its_codes_unknown() -> None:
    silent = with_host(contact=Contact.NEVER)
    left = {code for code, entry in CHECKS.items() if any(not _of_cluster(need) for need in entry.reads)}
    assert left <= unknown(silent)


def _of_cluster(need: str) -> bool:
    return need.partition(".")[0] in {entry.id for entry in catalogue.cluster.ENTRIES}


def test_every_registered_code_has_a_case() -> None:
    assert sorted(CHECKS) == sorted(case.code for case in CASES)


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


def test_a_move_that_ended_well_since_the_start_disproves_credential_guard() -> None:
    credssp = {"migration_authentication": MigrationAuthentication.CREDSSP, "credential_guard": True}
    spared = with_host(**credssp, started_at=READ_AT - timedelta(days=9), arrived_at=READ_AT - timedelta(days=1))
    found = {one.severity for one in run_checks(Facts(spared)).conflicts if one.code == "auth-credssp-credential-guard"}
    assert found == {Severity.ADVICE}
    before = with_host(**credssp, started_at=READ_AT - timedelta(days=1), arrived_at=READ_AT - timedelta(days=9))
    found = {one.severity for one in run_checks(Facts(before)).conflicts if one.code == "auth-credssp-credential-guard"}
    assert found == {Severity.BLOCKS}


def _ways(cluster: Cluster, code: str) -> set[str]:
    found = (one for one in run_checks(Facts(cluster)).conflicts if one.code == code)
    return {one.subject.destination or "" for one in found}


def test_a_gpu_partition_goes_only_where_the_same_gpu_is() -> None:
    model = "VEN_10DE&DEV_25B6"
    cluster = with_details(gpu_partitions=(GpuPartition("path", True, model),))
    gpus = [(model, 16), (model, 16), (model, 8)]
    hosts = tuple(
        replace(host, gpus=(PartitionableGpu("path", kind, count),))
        for host, (kind, count) in zip(cluster.hosts, gpus, strict=True)
    )
    assert _ways(replace(cluster, hosts=hosts), "vm-gpu-p") == {"HV03"}
    bare = (hosts[0], replace(hosts[1], gpus=()), hosts[1])
    assert "HV02" in _ways(replace(cluster, hosts=bare), "vm-gpu-p")
    unread = replace(cluster, hosts=(hosts[0], replace(hosts[1], gpus=None), hosts[2]))
    assert "vm-gpu-p" in unknown(unread)


def test_a_virtual_san_has_to_be_on_the_destination() -> None:
    cluster = with_details(fibre_channel_sans=("SAN-A",))
    hosts = (*cluster.hosts[:2], replace(cluster.hosts[2], virtual_sans=("SAN-A",)))
    assert _ways(replace(cluster, hosts=hosts), "vm-fibre-channel") == {"", "HV02"}


def test_a_broken_affinity_rule_is_named() -> None:
    cluster = cluster_of(whole=together)
    names = tuple(RoleName(vm.name) for vm in cluster.vms)
    calm = replace(cluster, vms=tuple(replace(vm, anti_affinity=()) for vm in cluster.vms))
    assert "place-affinity" not in codes(calm)
    ruled = replace(calm, affinity_rules=(AffinityRule("Apart", 4, True, names),))
    assert "place-affinity" in codes(ruled)
    assert "place-affinity" not in codes(replace(calm, affinity_rules=(AffinityRule("Near", 2, True, names),)))
    assert "place-affinity" in unknown(replace(calm, affinity_rules=None))


def test_a_functional_level_that_was_never_raised_is_named() -> None:
    upgraded = every_host(highest_level=12)
    assert "cluster-mixed-level" not in codes(upgraded)
    behind = replace(upgraded, settings=replace(upgraded.settings, functional_level=11))
    assert "cluster-mixed-level" in codes(behind)


def _with_role(name: str, group_type: int) -> Cluster:
    role = Role(RoleName(name), group_type, HostName("HV01"), GroupState.OFFLINE, False)
    return replace(cluster_of(), roles=(role,))


@pytest.mark.parametrize(
    ("name", "group_type", "told"),
    [
        ("zz-drainboard-HV02-7", 9999, [(Severity.RISKS, "HV02")]),
        ("Patches", 117, [(Severity.ADVICE, None)]),
        ("zz-drainboard-HV02-A-7", 9999, []),
        ("File server", 100, []),
    ],
)
def test_a_lease_and_an_updater_are_told(name: str, group_type: int, told: list[tuple[Severity, str | None]]) -> None:
    findings = run_checks(Facts(_with_role(name, group_type)))
    found = [one for one in findings.conflicts if one.code == "cluster-drain-running"]
    assert [(one.severity, one.subject.host) for one in found] == told
    other = run_checks(Facts(_with_role(name, group_type), HostName("HV03"))).conflicts
    assert not [one for one in other if one.code == "cluster-drain-running" and one.severity is Severity.RISKS]
