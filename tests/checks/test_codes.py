"""Every code fires on its cause, is clean without it, and says unknown where its fact was not read."""

from __future__ import annotations

import pytest

from console.checks.catalogue import CHECKS, Facts, run_checks
from console.checks.registry import Ruling, SitePolicy
from console.checks.values import Findings, Severity
from console.model.cluster import (
    Cluster,
    Contact,
    VmState,
)
from console.model.identity import HostName
from console.model.outlook import Outlook
from console.windows import catalogue
from tests.checks.case import Case
from tests.checks.cases import CASES
from tests.checks.worlds import (
    cluster_of,
    codes,
    damaged,
    outlook_of,
    unknown,
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
