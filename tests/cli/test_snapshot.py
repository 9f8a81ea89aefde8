"""A snapshot holds everything that was read, and a redacted one nothing that tells whose it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from console.forecast.priors import workload_of
from console.model.cluster import Cluster, Host, NodeFlags, NodeState, VirtualMachine, VmState
from console.model.details import Disk, VmDetails
from console.model.identity import HostName, RoleName, VmId, VmRef
from console.snapshot import SnapshotUnreadable, parse_snapshot, read_snapshot, schema, snapshot_of
from tests.builders import make_cluster, make_host, make_vm

HOSTILE = "[/b] \x1b[2J \u202eexe.\U0001f600 " + "x" * 200


def telltale() -> Cluster:
    """A cluster in which every name holds the word ``acme``."""
    details = VmDetails(
        disks=(Disk("C:\\ClusterStorage\\acme-volume\\acme-sql\\acme disk.vhdx", False),),
        missing=(("switches", "acme said no"),),
        configuration_path="C:\\ClusterStorage\\acme-volume\\acme-sql",
    )
    ref = VmRef(VmId("11111111-2222-3333-4444-555555555555"), "acme-sql", RoleName("acme-role"))
    vm = make_vm("acme-sql", "acme-hv1", ref=ref, details=details, anti_affinity=("acme-class",), status="acme ok")
    hosts = (
        make_host("acme-hv1", fault_domain="acme-rack", problems=("acme is down",), switches=("acme-switch",)),
        make_host("acme-hv2", flags=NodeFlags.ISOLATED | NodeFlags.AVOID_PLACEMENT, state=NodeState.PAUSED),
    )
    owners = frozenset({HostName("acme-hv1"), HostName("acme-hv2")})
    return make_cluster(hosts, vms=(replace(vm, possible_owners=owners),), name="acme-prod", problems=("acme!",))


def as_text(cluster: Cluster, *, redact: bool = False) -> str:
    return json.dumps(snapshot_of(cluster, redact=redact))


@pytest.mark.parametrize("cluster", [make_cluster(), telltale(), make_cluster(0, 0), make_cluster(12, 20, seed=7)])
def test_a_cluster_comes_back_as_it_was(cluster: Cluster) -> None:
    assert parse_snapshot(as_text(cluster), "x") == cluster


def test_unknown_stays_unknown_and_is_written_as_null() -> None:
    silent = Host(HostName("HV01"), contact=make_host("x").contact, read_at=None)
    document = snapshot_of(make_cluster((silent,), vms=()))
    assert document["cluster"]["hosts"][0]["memory_bytes"] is None
    assert parse_snapshot(json.dumps(document), "x").hosts == (silent,)


def test_hostile_names_survive() -> None:
    cluster = make_cluster(1, vms=(make_vm(HOSTILE, "HV01"), make_vm("", "HV01")))
    assert parse_snapshot(as_text(cluster), "x") == cluster


def test_a_redacted_snapshot_holds_none_of_the_old_names() -> None:
    text = as_text(telltale(), redact=True)
    assert "acme" not in text
    assert "11111111-2222" not in text


def test_redaction_keeps_what_a_plan_depends_on() -> None:
    original = replace(telltale(), vms=(*telltale().vms, make_vm("acme-a", "acme-hv2", state=VmState.OFF)))
    shown = parse_snapshot(as_text(original, redact=True), "x")
    assert [facts(vm) for vm in shown.vms] == [facts(vm) for vm in original.vms]
    assert [len(shown.vms_on(host.name)) for host in shown.hosts] == [1, 1]
    assert shown.vms[0].possible_owners == frozenset(host.name for host in shown.hosts)
    assert [host.name for host in shown.hosts] == sorted(host.name for host in shown.hosts)
    details = shown.vms[0].details
    assert details is not None
    assert details.disks is not None
    assert details.disks[0].path.startswith(f"{details.configuration_path}\\")
    assert details.disks[0].path.startswith("C:\\ClusterStorage\\")
    assert details.disks[0].path.endswith(".vhdx")


def facts(vm: VirtualMachine) -> tuple[object, ...]:
    return (vm.memory_bytes, vm.state, vm.clustered, vm.priority, vm.version, workload_of(vm))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("no json", "not a snapshot"),
        ("[]", "not a snapshot"),
        ("{}", "not a snapshot"),
        ('{"schema": 2}', "schema 2"),
        ('{"schema": 1, "made_by": "x", "is_redacted": false, "cluster": {"name": "c"}}', "cluster.read_at"),
    ],
)
def test_what_is_no_snapshot_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(SnapshotUnreadable, match=word):
        parse_snapshot(text, "x.json")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SnapshotUnreadable, match=r"absent\.json"):
        read_snapshot(tmp_path / "absent.json")


def test_the_schema_says_the_units() -> None:
    text = json.dumps(schema())
    assert "memory_free_bytes" in text
    assert "link_bytes_per_s" in text
