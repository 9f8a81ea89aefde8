"""A fix fits the cluster that it is told for: what the nodes know, what a VM's state allows, who owns the setting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.checks.catalogue import Facts, run_checks
from console.checks.values import Conflict, Severity
from console.model.cluster import Cluster, GroupState, Heartbeat, NodeFlags, NodeState, VmState
from console.model.details import Checkpoint, CompatibilityVector, Disk, ProcessorSettings
from tests.builders import READ_AT
from tests.checks.worlds import (
    DYNAMIC,
    HEALTHY,
    LONG_AGO,
    STATIC,
    cluster_of,
    every_host,
    mixed_hardware,
    outlook_of,
    with_details,
    with_host,
    with_processor,
    with_vm,
)


def found(cluster: Cluster, code: str) -> list[Conflict]:
    return [one for one in run_checks(Facts(cluster, outlook=outlook_of(cluster))).conflicts if one.code == code]


def of_version(cluster: Cluster, version: str) -> Cluster:
    return replace(cluster, vms=tuple(replace(vm, version=version) for vm in cluster.vms))


@pytest.mark.parametrize(
    ("build", "version", "mode"),
    [
        (26100, "12.0", " -CompatibilityForMigrationMode CommonClusterFeatureSet"),
        (26100, "9.0", " -CompatibilityForMigrationMode MinimumFeatureSet"),
        (20348, "10.0", " -CompatibilityForMigrationMode MinimumFeatureSet"),
        (17763, "9.0", ""),
    ],
)
def test_compatibility_is_turned_on_in_a_mode_that_every_node_knows(build: int, version: str, mode: str) -> None:
    cluster = of_version(mixed_hardware(with_host(build=build)), version)
    (conflict,) = found(cluster, "cpu-compat-off-mixed")
    assert conflict.fix.powershell.endswith(f"-CompatibilityForMigrationEnabled $true{mode}")


def misfit(state: VmState, settings: ProcessorSettings) -> Cluster:
    poor = every_host(compatibility_vectors=(CompatibilityVector(1, 2, 0b0011), CompatibilityVector(2, 0, 4)))
    details = replace(HEALTHY, processor=settings)
    return replace(poor, vms=tuple(replace(vm, state=state, details=details) for vm in poor.vms))


def test_a_vm_with_compatibility_on_takes_a_start_from_off() -> None:
    off, on = ProcessorSettings(False, STATIC, False), ProcessorSettings(True, DYNAMIC, False)
    assert "Set-VMProcessor" in found(misfit(VmState.RUNNING, off), "cpu-features")[0].fix.powershell
    assert found(misfit(VmState.RUNNING, on), "cpu-features")[0].fix.powershell.startswith("Stop-VM")


def test_a_saved_vm_fits_no_other_processor_and_is_never_told_to_lose_its_state() -> None:
    for cluster, code in (
        (misfit(VmState.SAVED, ProcessorSettings(False, STATIC, False)), "cpu-features"),
        (_saved(with_host(processor_manufacturer="AuthenticAMD")), "cpu-vendor"),
    ):
        conflicts = found(cluster, code)
        assert conflicts
        assert {one.fix.powershell for one in conflicts} == {""}
        assert "Start it where it is" in conflicts[0].fix.text
    assert not found(_with_state(with_host(processor_manufacturer="AuthenticAMD"), VmState.OFF), "cpu-vendor")


def _saved(cluster: Cluster) -> Cluster:
    return _with_state(cluster, VmState.SAVED)


def _with_state(cluster: Cluster, state: VmState) -> Cluster:
    return replace(cluster, vms=tuple(replace(vm, state=state) for vm in cluster.vms))


def test_nobody_is_told_to_turn_compatibility_off_in_the_midst_of_an_upgrade() -> None:
    assert found(with_processor(True, STATIC), "cpu-compat-on-homogeneous")
    assert not found(with_processor(True, STATIC, old_node=True), "cpu-compat-on-homogeneous")


@pytest.mark.parametrize(
    ("state", "flags", "word", "line"),
    [
        (NodeState.PAUSED, NodeFlags.NORMAL, "paused", "Resume-ClusterNode"),
        (NodeState.DOWN, NodeFlags.QUARANTINED, "quarantined", "Start-ClusterNode"),
        (NodeState.UP, NodeFlags.ISOLATED, "isolated", ""),
        (NodeState.UP, NodeFlags.AVOID_PLACEMENT, "avoided by placement", ""),
        (NodeState.DOWN, NodeFlags.NORMAL, "down", ""),
    ],
)
def test_a_node_that_takes_no_roles_is_called_what_it_is(
    state: NodeState, flags: NodeFlags, word: str, line: str
) -> None:
    cluster = cluster_of(host=lambda host: replace(host, state=state, flags=flags))
    (conflict,) = found(cluster, "host-not-available")
    assert conflict.message == f"HV01 takes no roles: it is {word}."
    assert conflict.fix.powershell.split(" ")[0] == line


@pytest.mark.parametrize(
    ("heartbeat", "severity"), [(Heartbeat.NO_CONTACT, Severity.ADVICE), (Heartbeat.LOST_COMMUNICATION, Severity.RISKS)]
)
def test_a_guest_that_never_had_a_heartbeat_is_only_advice(heartbeat: Heartbeat, severity: Severity) -> None:
    assert [one.severity for one in found(with_vm(heartbeat=heartbeat), "vm-guest-unhealthy")] == [severity]


def test_a_role_is_not_unhealthy_because_its_vm_is_off() -> None:
    partly = {"role_state": GroupState.PARTIAL_ONLINE}
    assert not found(with_vm(state=VmState.OFF, **partly), "role-not-healthy")
    assert found(with_vm(**partly), "role-not-healthy")
    assert found(with_vm(state=VmState.OFF, role_state=GroupState.FAILED), "role-not-healthy")


@pytest.mark.parametrize(("owners", "severity"), [((), Severity.ADVICE), (("HV01",), Severity.RISKS)])
def test_a_failback_to_nowhere_is_only_advice(owners: tuple[str, ...], severity: Severity) -> None:
    cluster = with_vm(auto_failback=True, preferred_owners=owners)
    assert [one.severity for one in found(cluster, "role-auto-failback")] == [severity]


def test_a_pass_through_disk_is_not_said_to_be_on_one_host_only() -> None:
    (conflict,) = found(with_details(disks=(Disk("", True, 1),)), "vm-local-storage")
    assert "which only" not in conflict.message
    both = with_details(disks=(Disk("", True, 1), Disk("D:\\data.vhdx", False, 1)))
    assert "which only HV01 has" in found(both, "vm-local-storage")[0].message


def test_a_checkpoint_that_a_backup_left_is_called_so() -> None:
    (left,) = found(with_details(checkpoints=(Checkpoint("b", LONG_AGO, 1),)), "vm-checkpoints")
    assert "backup" in left.message
    assert "backup's operators" in left.fix.text
    (own,) = found(
        with_details(checkpoints=(Checkpoint("b", LONG_AGO, 0), Checkpoint("c", READ_AT, 1))), "vm-checkpoints"
    )
    assert "backup" not in own.message
