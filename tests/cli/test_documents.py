"""The documents carry the fields that scripts rely on, in plain JSON, whatever the cluster holds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from console.checks.values import Conflict, Evidence, Findings, Fix, Severity, Subject, Unknown
from console.documents import check_document, hosts_document, plan_document, vm_state_name, vms_document, windows_name
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import (
    Contact,
    DrainStatus,
    Heartbeat,
    Host,
    MigrationAuthentication,
    MigrationTransport,
    VmState,
)
from console.model.identity import HostName
from console.planner.values import Plan, PlanOptions
from console.planning import make_plan
from tests.builders import READ_AT, make_cluster, make_host, make_vm

HV01 = HostName("HV01")
HOSTILE = "[/b]\x1b[2J\u202e\U0001f600"

HOST_FIELDS = {
    "name", "state", "drain_status", "vms", "memory_bytes", "memory_free_bytes", "logical_processors", "build",
    "migration_transport", "migration_authentication", "winrm_transport", "winrm_authentication", "credential_guard",
    "maximum_virtual_machine_migrations", "link_bytes_per_s", "rdma", "migrations_in_flight", "reachable", "problems",
}  # fmt: skip
VM_FIELDS = {
    "name", "id", "role", "host", "state", "memory_bytes", "processors", "version", "priority", "clustered", "class",
    "status",
}  # fmt: skip
MOVE_FIELDS = {
    "vm", "vm_id", "source", "destination", "start_s", "end_s", "duration_p50_s", "duration_p90_s", "blackout_p50_s",
    "blackout_p90_s", "rate_bytes_per_s", "migration_type", "reason", "conflicts",
}  # fmt: skip
PLAN_FIELDS = {
    "schema", "node", "engine", "moves", "left_behind", "interrupted", "infeasible", "makespan_s", "makespan_p90_s",
    "lower_bound_s", "ratio", "after", "n1_after",
}  # fmt: skip


def planned(findings: Findings | None = None) -> Plan:
    cluster = make_cluster(4, 6)
    return make_plan(cluster, HV01, PlanOptions(), PriorForecaster(), findings or Findings())


def test_hosts_carry_every_promised_field() -> None:
    document = json.loads(json.dumps(hosts_document(make_cluster(), "https", "negotiate")))
    assert (document["schema"], document["cluster"], document["read_at"]) == (1, "CLUSTER1", READ_AT.isoformat())
    assert set(document["hosts"][0]) >= HOST_FIELDS
    assert document["hosts"][0]["state"] == "Up"
    assert document["hosts"][0]["migration_transport"] == "Compression"
    assert document["hosts"][0]["vms"] == 10
    assert document["settings"]["smb_bandwidth_limit_factor"] == 2500


def test_a_silent_host_is_unreachable_and_its_facts_are_null() -> None:
    host = Host(HV01, contact=Contact.SILENT, read_at=None)
    (shown,) = hosts_document(make_cluster((host,), vms=()), "https", "ntlm")["hosts"]
    assert shown["reachable"] is False
    unknown = ("memory_bytes", "link_bytes_per_s", "rdma", "credential_guard", "migrations_in_flight", "read_at")
    assert [shown[name] for name in unknown] == [None] * len(unknown)


def test_vms_carry_every_promised_field_and_their_own_names() -> None:
    cluster = make_cluster(1, vms=(make_vm(HOSTILE, "HV01"), make_vm("sql-1", "HV01", clustered=False)))
    document = json.loads(json.dumps(vms_document(cluster, cluster.vms)))
    assert set(document["vms"][0]) >= VM_FIELDS
    assert document["vms"][0]["name"] == HOSTILE
    assert (document["vms"][1]["class"], document["vms"][1]["role"]) == ("database", None)


def test_a_plan_carries_every_promised_field() -> None:
    document = json.loads(json.dumps(plan_document(planned())))
    assert set(document) >= PLAN_FIELDS
    assert set(document["moves"][0]) >= MOVE_FIELDS
    assert len(document["moves"]) == 6
    assert {move["migration_type"] for move in document["moves"]} == {"live"}
    assert document["makespan_s"] == max(move["end_s"] for move in document["moves"])
    assert {"host", "memory_free_after_bytes"} <= set(document["after"][0])


def test_findings_name_their_subject_evidence_and_fix() -> None:
    vm = make_vm("app", "HV01")
    conflict = Conflict(
        "vm-switch-missing",
        Severity.BLOCKS,
        Subject(vm=vm.ref, destination=HostName("HV02")),
        "no such switch",
        (Evidence("switch", "Compute", HostName("HV02"), READ_AT),),
        Fix("Create it.", "New-VMSwitch", True),
        "Get-VMSwitch",
    )
    findings = Findings((conflict,), (Unknown("cluster-quorum", Subject(), "not read"),))
    document = json.loads(json.dumps(check_document(findings, None)))
    (shown,) = document["conflicts"]
    assert shown["subject"] == {"vm": "app", "vm_id": vm.id, "destination": "HV02"}
    assert shown["evidence"][0]["read_at"] == READ_AT.isoformat()
    assert shown["fix"] == {"text": "Create it.", "powershell": "New-VMSwitch", "needs_vm_off": True}
    assert document["unknown"] == [{"code": "cluster-quorum", "subject": {"cluster": True}, "missing": "not read"}]


@pytest.mark.parametrize(
    ("member", "name"),
    [
        (DrainStatus.NOT_INITIATED, "NotInitiated"),
        (DrainStatus.COMPLETED, "Completed"),
        (MigrationTransport.TCPIP, "TCPIP"),
        (MigrationTransport.SMB, "SMB"),
        (MigrationAuthentication.CREDSSP, "CredSSP"),
        (Heartbeat.OK_APPLICATIONS_HEALTHY, "OkApplicationsHealthy"),
        (VmState.FAST_SAVED, "FastSaved"),
        (None, None),
    ],
)
def test_states_have_windows_own_names(member: DrainStatus | None, name: str | None) -> None:
    assert windows_name(member) == name


def test_a_state_beyond_the_model_keeps_its_own_name_or_number() -> None:
    vm = make_vm("x", "HV01")
    assert vm_state_name(replace(vm, state=VmState.CRITICAL, state_number=32785)) == "RunningCritical"
    assert vm_state_name(replace(vm, state=VmState.UNKNOWN, state_number=32783)) == "32783"


def blocking(subject: Subject, code: str = "cpu-vendor", severity: Severity = Severity.BLOCKS) -> Findings:
    return Findings((Conflict(code, severity, subject, "it cannot", (), Fix(""), "x"),))


def test_no_move_takes_a_way_that_a_conflict_blocks() -> None:
    free = planned()
    first = free.moves[0]
    plan = planned(blocking(Subject(vm=first.vm, destination=first.destination)))
    moved = {move.vm.id: move.destination for move in plan.moves}
    assert moved[first.vm.id] != first.destination
    assert len(moved) == len(free.moves)


def test_a_conflict_of_a_host_blocks_it_as_either_end() -> None:
    assert HostName("HV02") not in {m.destination for m in planned(blocking(Subject(host=HostName("HV02")))).moves}
    as_source = planned(blocking(Subject(host=HV01)))
    assert (len(as_source.moves), len(as_source.infeasible)) == (0, 6)


def test_a_host_to_host_conflict_blocks_only_that_direction() -> None:
    forth = planned(blocking(Subject(host=HV01, destination=HostName("HV02"))))
    assert HostName("HV02") not in {move.destination for move in forth.moves}
    back = planned(blocking(Subject(host=HostName("HV02"), destination=HV01)))
    assert HostName("HV02") in {move.destination for move in back.moves}


def test_where_a_vm_is_now_does_not_block_where_the_plan_puts_it() -> None:
    vm = planned().moves[0].vm
    assert planned(blocking(Subject(vm=vm), code="place-no-memory")).infeasible == ()


def test_a_move_names_the_conflicts_of_its_own_way_only() -> None:
    first = planned().moves[0]
    plan = planned(blocking(Subject(vm=first.vm), "vm-heavy", Severity.ADVICE))
    assert [move.conflicts for move in plan.moves if move.conflicts] == [("vm-heavy",)]
    assert not any(move.conflicts for move in planned(blocking(Subject(host=HV01), "x", Severity.RISKS)).moves)


def test_a_host_with_its_name_only_is_a_valid_document() -> None:
    cluster = make_cluster((make_host("HV01", adapters=(), flags=make_host("x").flags),), vms=())
    assert hosts_document(cluster, "http", "ntlm")["hosts"][0]["rdma"] is False
