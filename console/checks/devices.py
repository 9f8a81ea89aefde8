"""Conflicts of a VM's devices and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from console.model.cluster import Host, VirtualMachine, VmState
from console.model.details import VmDetails

from .registry import Check, Facts, Family, Finding, check, host_evidence, on_host, quoted, vm_evidence
from .values import Fix, Severity, Subject

Fact = TypeVar("Fact")

CHECKPOINT_AGE = timedelta(days=3)
"""Older checkpoints are worth a word before maintenance."""

RECOVERY = 1
"""SnapshotType of what a backup leaves (reflected module)."""
ISO, PASS_THROUGH_DVD = 1, 2
PERSISTENT_MEMORY_CONTROLLER = 2
RESYNCHRONISING, REPLICATION_CRITICAL = 11, 3


def details_of(
    facts: Facts, this: Check, what: str, fact: Callable[[VmDetails], Fact | None]
) -> Iterator[tuple[VirtualMachine, Fact] | Finding]:
    """Each clustered VM with the fact; one *unknown* for all VMs together of which it was not read."""
    unread = []
    for vm in facts.clustered_vms():
        value = fact(vm.details) if vm.details else None
        if value is None:
            unread.append(vm)
        else:
            yield vm, value
    if unread:
        names = ", ".join(vm.name or vm.id for vm in unread[:3]) + (" …" if len(unread) > 3 else "")
        subject = Subject(vm=unread[0].ref) if len(unread) == 1 else Subject()
        yield this.unknown(subject, f"{what} of {len(unread)} VMs was not read: {names}.")


def shared_path(path: str) -> bool:
    """Whether every node sees this path: a Cluster Shared Volume or an SMB share."""
    lowered = path.lower().replace("/", "\\")
    return lowered.startswith("\\\\") or lowered[1:].startswith(":\\clusterstorage\\")


@check(
    "vm-dda",
    Severity.BLOCKS,
    Family.MACHINE,
    "A discretely assigned device pins the VM to its host",
    "Live Migration Internals and Tuning, GPU partitioning; Get-VMAssignableDevice",
    reads=("vm-assigned-devices.VMId",),
)
def assigned_device(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Get-VMAssignableDevice", lambda details: details.assigned_devices):
        if not isinstance(item, tuple):
            yield item
        elif item[1] and item[0].state is not VmState.OFF:
            vm, devices = item
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} holds a device of its host ({devices[0]}): it can not move live, "
                "and the cluster's own drain would restart it.",
                vm_evidence(vm, "Get-VMAssignableDevice", ", ".join(devices)),
                Fix(
                    "Shut it down for the window, or leave it behind: it stops with the node.",
                    f"Stop-VM {on_host(vm.host)} -Name {quoted(vm.name)}",
                    needs_vm_off=True,
                ),
            )


@check(
    "vm-switch-missing",
    Severity.BLOCKS,
    Family.MACHINE,
    "A connected adapter's switch is not on the destination",
    "Microsoft support 4558514: 21502 below 10 %, 33012",
    reads=("vm-adapters.VMId", "vm-adapters.SwitchName", "vm-adapters.Connected", "switches.Name"),
)
def switch_missing(facts: Facts, this: Check) -> Iterator[Finding]:
    for host in facts.hosts():
        if host.switches is None:
            yield this.unknown(
                Subject(destination=host.name), f"{host.name}: its switches (Get-VMSwitch) were not read."
            )
    lacking: dict[str, list[Host]] = {}
    for item in details_of(facts, this, "Get-VMNetworkAdapter", lambda details: details.adapters):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, adapters = item
        for name in {adapter.switch_name: None for adapter in adapters if adapter.connected and adapter.switch_name}:
            if name not in lacking:
                told = [host for host in facts.hosts() if host.switches is not None]
                lacking[name] = [host for host in told if name not in (host.switches or ())]
            for host in lacking[name]:
                if host.name != vm.host:
                    yield this.conflict(
                        Subject(vm=vm.ref, destination=host.name),
                        f"{host.name} has no switch named {name}, to which {vm.name} is connected.",
                        host_evidence(host, "Get-VMSwitch", ", ".join(host.switches or ()) or "none"),
                        Fix(
                            f"Create it there, with exactly this name; this shows how it is on {vm.host}.",
                            f"Get-VMSwitch {on_host(vm.host)} | Where-Object -Property Name -EQ -Value {quoted(name)}",
                        ),
                    )


@check(
    "vm-local-storage",
    Severity.BLOCKS,
    Family.MACHINE,
    "A disk or file of the VM is not on shared storage",
    "Get-VMHardDiskDrive Path, DiskNumber; Get-VM ConfigurationLocation, SmartPagingFilePath",
    reads=(
        "vm-disks.VMId",
        "vm-disks.Path",
        "vm-disks.DiskNumber",
        "vm-settings.Id",
        "vm-settings.ConfigurationLocation",
        "vm-settings.SmartPagingFilePath",
    ),
)
def local_storage(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Get-VMHardDiskDrive", lambda details: details.disks):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, disks = item
        details = vm.details or VmDetails()
        files = [disk.path for disk in disks if disk.path and not disk.pass_through]
        files += [path for path in (details.configuration_path, details.smart_paging_path) if path]
        local = [path for path in files if not shared_path(path)]
        look = f"Get-VMHardDiskDrive {on_host(vm.host)} -VMName {quoted(vm.name)}"
        if local:
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} uses {local[0]}, which only {vm.host} has.",
                vm_evidence(vm, "Path", "; ".join(local)),
                Fix("Move its storage to a Cluster Shared Volume before the window.", look),
            )
        elif any(disk.pass_through for disk in disks):
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} uses a pass-through disk; whether other nodes reach it can not be read from here.",
                vm_evidence(vm, "DiskNumber", "a pass-through disk"),
                Fix(
                    "Copy it into a VHDX on a Cluster Shared Volume, or shut the VM down for the window. Where the "
                    "LUN is on every node and a disk of the role, lower this code for the site.",
                    look,
                ),
            )


@check(
    "vm-local-media",
    Severity.BLOCKS,
    Family.MACHINE,
    "An ISO on a local path, or a pass-through DVD",
    "Get-VMDvdDrive DvdMediaType ISO 1, PassThrough 2; 0xC03A0014",
    reads=("vm-optical-drives.VMId", "vm-optical-drives.Path", "vm-optical-drives.DvdMediaType"),
)
def local_media(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Get-VMDvdDrive", lambda details: details.optical_drives):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, drives = item
        for drive in drives:
            if drive.media == PASS_THROUGH_DVD or (drive.media == ISO and not shared_path(drive.path)):
                yield this.conflict(
                    Subject(vm=vm.ref, host=vm.host),
                    f"{vm.name} has {drive.path or 'the physical DVD drive'} inserted, which only {vm.host} has.",
                    vm_evidence(vm, "Get-VMDvdDrive Path", drive.path),
                    Fix(
                        "Eject it, unless somebody is installing from it.",
                        f"Get-VMDvdDrive {on_host(vm.host)} -VMName {quoted(vm.name)} | Set-VMDvdDrive -Path $null",
                    ),
                )


@check(
    "vm-checkpoints",
    Severity.ADVICE,
    Family.MACHINE,
    "Checkpoints older than three days",
    "Get-VMSnapshot CreationTime",
    reads=("vm-checkpoints.VMId", "vm-checkpoints.CreationTime"),
)
def old_checkpoints(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Get-VMSnapshot", lambda details: details.checkpoints):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, checkpoints = item
        dated = [(one.created_at, one.kind == RECOVERY) for one in checkpoints if one.created_at is not None]
        oldest, recovery = min(dated, default=(facts.now, False))
        if facts.now - oldest > CHECKPOINT_AGE:
            word = "checkpoint of a backup (SnapshotType Recovery)" if recovery else "checkpoint"
            whose = "the backup's operators" if recovery else "its owner"
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} has a {word} that is {(facts.now - oldest).days} days old.",
                vm_evidence(vm, "CreationTime", oldest.isoformat()),
                Fix(
                    f"Ask {whose}. Removing it merges its disks, which can take hours of I/O: not in the window.",
                    f"Get-VMSnapshot {on_host(vm.host)} -VMName {quoted(vm.name)}",
                ),
            )


@check(
    "vm-persistent-memory",
    Severity.BLOCKS,
    Family.MACHINE,
    "A persistent-memory device: such a VM can not move live",
    "Get-VMHardDiskDrive ControllerType PMEM 2; windowsserverdocs, persistent memory devices for Hyper-V VMs",
    reads=("vm-disks.VMId", "vm-disks.ControllerType"),
)
def persistent_memory(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Get-VMHardDiskDrive", lambda details: details.disks):
        if not isinstance(item, tuple):
            yield item
        elif item[0].state is not VmState.OFF and any(
            disk.controller_type == PERSISTENT_MEMORY_CONTROLLER for disk in item[1]
        ):
            vm = item[0]
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} has a persistent-memory device: Windows does not move such a VM live.",
                vm_evidence(vm, "ControllerType", "PMEM"),
                Fix(
                    "Shut it down for the window.",
                    f"Stop-VM {on_host(vm.host)} -Name {quoted(vm.name)}",
                    needs_vm_off=True,
                ),
            )


@check(
    "vm-vtpm-guardian",
    Severity.RISKS,
    Family.MACHINE,
    "A virtual TPM or shielding: its key-protector certificates have to be on the destination",
    "Get-VMSecurity TpmEnabled, Shielded",
    reads=(
        "vm-security-settings.InstanceID",
        "vm-security-settings.TpmEnabled",
        "vm-security-settings.ShieldingRequested",
    ),
)
def virtual_tpm(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Get-VMSecurity", lambda details: details.security):
        if not isinstance(item, tuple):
            yield item
        elif item[1].tpm_enabled or item[1].shielded:
            vm = item[0]
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} {'is shielded' if item[1].shielded else 'has a virtual TPM'}: it moves only to nodes with "
                "the certificates of its key protector, and which have them can not be read from here.",
                vm_evidence(vm, "TpmEnabled", item[1].tpm_enabled),
                Fix(
                    "Make sure that every node has them: a host guardian service, or the guardian's certificates "
                    "imported.",
                    f"Get-VMSecurity {on_host(vm.host)} -VMName {quoted(vm.name)}",
                ),
            )


@check(
    "vm-nested",
    Severity.RISKS,
    Family.MACHINE,
    "The VM exposes virtualisation extensions",
    "Get-VMProcessor ExposeVirtualizationExtensions",
    reads=("vm-processors.VMId", "vm-processors.ExposeVirtualizationExtensions"),
)
def nested(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "Get-VMProcessor", lambda details: details.processor):
        if not isinstance(item, tuple):
            yield item
        elif item[1].exposes_virtualization:
            vm = item[0]
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} sees the processor's virtualisation extensions and may run VMs of its own.",
                vm_evidence(vm, "ExposeVirtualizationExtensions", True),
                Fix("Shut down the VMs inside it before it moves, or leave it out of the drain."),
            )


@check(
    "vm-replica",
    Severity.RISKS,
    Family.MACHINE,
    "Replication is resynchronising or critical",
    "ReplicationState Resynchronizing 11; ReplicationHealth Critical 3",
    reads=("vm-settings.Id", "vm-settings.ReplicationState", "vm-settings.ReplicationHealth"),
)
def replica(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in details_of(facts, this, "The state of the replication", _replication):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, (state, health) = item
        critical = health == REPLICATION_CRITICAL
        if critical or state == RESYNCHRONISING:
            word = "critical" if critical else "resynchronising"
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"The replication of {vm.name} is {word}.",
                vm_evidence(vm, "ReplicationHealth", word),
                Fix(
                    "Mend or finish the replication first.",
                    f"Get-VMReplication {on_host(vm.host)} -VMName {quoted(vm.name)}",
                ),
            )


def _replication(details: VmDetails) -> tuple[int | None, int | None] | None:
    """(state, health), None when neither is known."""
    known = (details.replication_state, details.replication_health)
    return None if known == (None, None) else known
