"""Conflicts of what happened to a VM before: backups, failed moves, storage on the move, shared roles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from console.model.cluster import VirtualMachine
from console.model.details import VmDetails
from console.model.identity import HostName, RoleName

from .devices import details_of
from .machine import STORAGE_MIGRATING, label
from .reads import ROLE
from .registry import Check, Facts, Family, Finding, check, listed, on_host, quoted, resource_of, vm_evidence
from .values import Evidence, Fix, Severity, Subject

NO_MAPPING = 0x80070534
"""No mapping between account names and security IDs was done."""
SAVED_WITHIN = timedelta(days=1)
"""A checkpoint, backup or replica older than this does not count before maintenance."""
REPLICATING = 4


@check(
    "role-multiple-vms",
    Severity.BLOCKS,
    Family.MACHINE,
    "More than one VM in one role",
    "event 21124; Get-ClusterResource OwnerGroup, reflected module",
    reads=ROLE,
)
def several_vms(facts: Facts, this: Check) -> Iterator[Finding]:
    by_role: dict[RoleName, list[VirtualMachine]] = {}
    for vm in facts.cluster.vms:
        if vm.ref.role is not None:
            by_role.setdefault(vm.ref.role, []).append(vm)
    for role, vms in by_role.items():
        here = [vm for vm in vms if facts.node in (None, vm.host)]
        for vm in here if len(vms) > 1 else ():
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{label(vm)} shares the role {role} with {listed(label(one) for one in vms if one is not vm)}: "
                "the cluster refuses to move it live.",
                vm_evidence(vm, "VMs in the role", ", ".join(label(one) for one in vms)),
                Fix("Give each VM a role of its own.", f"Get-ClusterGroup -Name {quoted(role)} | Get-ClusterResource"),
            )


@check(
    "storage-migrations-in-window",
    Severity.RISKS,
    Family.MACHINE,
    "Storage of some VM is on the move on a path that the drain needs",
    "Live Migration Internals and Tuning, storage live migration during peak hours; VMOperationalStatus 32778/32779",
    reads=("vms.OperationalStatus",),
)
def storage_on_the_move(facts: Facts, this: Check) -> Iterator[Finding]:
    moving = [vm for vm in facts.cluster.vms if any(number in STORAGE_MIGRATING for number in vm.operational_status)]
    if not moving:
        return
    yield this.conflict(
        Subject(),
        f"The storage of {listed(label(vm) for vm in moving)} is on the move: every VM on the same paths is slower, "
        "and so is a drain.",
        tuple(Evidence("OperationalStatus", label(vm), vm.host, vm.read_at) for vm in moving[:5]),
        Fix("Wait for it. Plan storage migrations outside the window, throttled and not all at once."),
    )


@check(
    "vm-owner-sid",
    Severity.RISKS,
    Family.MACHINE,
    "A move failed because the account that made the VM can not be resolved any more",
    "0x80070534 in 21024 and 1106; supportability guide, no mapping between account names and security IDs",
    reads=("migration-events.Value",),
)
def owner_unknown(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Events of failed migrations", lambda details: details.failures):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, failures = item
        seen = next((failure for failure in failures if failure.code == NO_MAPPING), None)
        if seen is not None:
            when = f" on {seen.at.date().isoformat()}" if seen.at else ""
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"A move of {label(vm)} failed{when} with 0x80070534: the account that created or imported it is gone.",
                vm_evidence(vm, f"event {seen.event}", "0x80070534"),
                Fix(
                    "Update the nodes. Until then this has it saved, moved and restored, while its guest stands "
                    "still; set it back to 4294967295 afterwards.",
                    f"{resource_of(vm)} | Set-ClusterParameter -Name DefaultMoveType -Value 1",
                ),
            )


@check(
    "vm-recent-backup",
    Severity.ADVICE,
    Family.MACHINE,
    "No checkpoint, backup or replica of the last day is known",
    "Live Migration Internals and Tuning, mistakes; Get-VMSnapshot CreationTime, ReplicationState",
    reads=(
        "vm-checkpoints.VMId",
        "vm-checkpoints.CreationTime",
        "vm-settings.Id",
        "vm-settings.ReplicationState",
    ),
)
def recent_backup(facts: Facts, this: Check) -> Iterator[Finding]:
    bare: dict[HostName, list[VirtualMachine]] = {}
    for item in details_of(facts, this, "Get-VMSnapshot", lambda details: details.checkpoints):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, checkpoints = item
        latest = max((one.created_at for one in checkpoints if one.created_at is not None), default=None)
        saved = latest is not None and facts.now - latest <= SAVED_WITHIN
        if not saved and (vm.details or VmDetails()).replication_state != REPLICATING:
            bare.setdefault(vm.host, []).append(vm)
    for host, vms in bare.items():
        names = listed(label(vm) for vm in vms)
        yield this.conflict(
            Subject(vm=vms[0].ref, host=host) if len(vms) == 1 else Subject(host=host),
            f"No checkpoint, backup or replica of the last day is known of {names}. Backup products that leave no "
            "trace on the host are not seen.",
            vm_evidence(vms[0], "newest checkpoint", "none of the last day"),
            Fix("Make sure that there is a backup.", f"Get-VMSnapshot {on_host(host)} -VMName {quoted(vms[0].name)}"),
        )
