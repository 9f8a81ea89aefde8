"""Conflicts of a VM's own state and of its role."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import GroupFlags, GroupState, Heartbeat, VirtualMachine, VmState
from console.model.units import UNSET

from .reads import ROLE
from .registry import Check, Facts, Family, Finding, check, listed, on_host, quoted, resource_of, vm_evidence
from .values import Fix, Severity, Subject

QUICK = 1
"""DefaultMoveType 1: always quick migration (VmMigrationType Quick)."""

MERGING = {
    32768: "creating a checkpoint",
    32770: "deleting a checkpoint",
    32772: "merging disks after a checkpoint",
    23769: "applying a checkpoint",
    32769: "applying a checkpoint",
}
MIGRATING = 32774
BACKING_UP = 32776
STOPPED = (VmState.OFF, VmState.SAVED, VmState.FAST_SAVED)
"""Of such a VM the configuration resource may be online and the VM's own offline: a partly online role, and well."""
STORAGE_MIGRATING = (32778, 32779)


def _subject(vm: VirtualMachine) -> Subject:
    return Subject(vm=vm.ref, host=vm.host)


def label(vm: VirtualMachine) -> str:
    return vm.name or f"the VM without a name ({vm.id})"


@check(
    "vm-checkpoint-merging",
    Severity.BLOCKS,
    Family.MACHINE,
    "A checkpoint is being created, applied, deleted or merged",
    "VMOperationalStatus 32768 to 32772, reflected module",
    reads=("vms.OperationalStatus",),
)
def checkpoint_merging(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.vms():
        busy = next((number for number in vm.operational_status if number in MERGING), None)
        if busy is not None:
            yield this.conflict(
                _subject(vm),
                f"{label(vm)} is {MERGING[busy]}: it can not move until that is done.",
                vm_evidence(vm, "OperationalStatus", busy),
                Fix("Wait until it is done; the console looks again before it starts the move."),
            )


@check(
    "vm-backing-up",
    Severity.BLOCKS,
    Family.MACHINE,
    "A backup of the VM is in progress",
    "VMOperationalStatus BackingUpVirtualMachine 32776, reflected module",
    reads=("vms.OperationalStatus",),
)
def backing_up(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.vms():
        if BACKING_UP in vm.operational_status:
            yield this.conflict(
                _subject(vm),
                f"{label(vm)} is being backed up.",
                vm_evidence(vm, "OperationalStatus", BACKING_UP),
                Fix("Wait for the backup, or pause the backup job for the window."),
            )


@check(
    "vm-storage-migrating",
    Severity.BLOCKS,
    Family.MACHINE,
    "A storage migration of this VM is in flight",
    "VMOperationalStatus StorageMigrationPhaseOne/Two 32778/32779, reflected module",
    reads=("vms.OperationalStatus",),
)
def storage_migrating(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.vms():
        if any(number in STORAGE_MIGRATING for number in vm.operational_status):
            yield this.conflict(
                _subject(vm),
                f"The storage of {label(vm)} is being migrated.",
                vm_evidence(vm, "OperationalStatus", "storage migration"),
                Fix("Wait until the storage migration is done."),
            )


@check(
    "vm-already-migrating",
    Severity.BLOCKS,
    Family.MACHINE,
    "The VM is already migrating or queued for a move",
    "VMOperationalStatus 32774; group StatusInformation bit 4, reflected module",
    reads=("vms.OperationalStatus", "groups.StatusInformation", *ROLE),
)
def already_migrating(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.clustered_vms():
        queued = bool(vm.role_flags & GroupFlags.QUEUED)
        if MIGRATING not in vm.operational_status and not queued:
            continue
        word = "queued for a move" if queued else "already migrating"
        yield this.conflict(
            _subject(vm),
            f"{label(vm)} is {word}; something else started it.",
            vm_evidence(vm, "StatusInformation" if queued else "OperationalStatus", word),
            Fix(
                "Let it finish. When it makes no progress for 30 minutes, cancel it: it goes on running where it is.",
                f"Move-ClusterVirtualMachineRole -VMId {quoted(vm.id)} -Cancel",
            ),
        )


@check(
    "vm-not-clustered",
    Severity.INTERRUPTS,
    Family.MACHINE,
    "The VM is on the node but is not a clustered role: a drain leaves it behind",
    "Get-VM IsClustered, reflected module",
    reads=("vms.IsClustered",),
)
def not_clustered(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.vms():
        if not vm.clustered:
            yield this.conflict(
                _subject(vm),
                f"{label(vm)} is not a clustered role. A drain leaves it on {vm.host}, and patching would stop it.",
                vm_evidence(vm, "IsClustered", False),
                Fix(
                    "Make it a clustered role where its files are on shared storage; else shut it down for the window.",
                    f"Add-ClusterVirtualMachineRole -VMId {quoted(vm.id)}",
                ),
            )


@check(
    "vm-locked",
    Severity.BLOCKS,
    Family.MACHINE,
    "The role is locked against moves",
    "Get-ClusterGroup LockedFromMoving / StatusInformation bit 1, reflected module",
    reads=("groups.StatusInformation", "groups.LockedFromMoving", *ROLE),
)
def locked(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.clustered_vms():
        if vm.role_flags & GroupFlags.LOCKED:
            role = vm.ref.role or vm.name
            yield this.conflict(
                _subject(vm),
                f"The role of {label(vm)} is locked: the cluster refuses to move it.",
                vm_evidence(vm, "StatusInformation", "Locked"),
                Fix(
                    "Ask who locked it (often a backup or replication product); unlock it only when they are done.",
                    f"(Get-ClusterGroup -Name {quoted(role)}).LockedFromMoving = 0",
                ),
            )


@check(
    "vm-quick-migrates",
    Severity.ADVICE,
    Family.MACHINE,
    "The cluster's own drain would save and restore this VM instead of moving it live",
    "DefaultMoveType 1, or Priority below MoveTypeThreshold (resource type Virtual Machine)",
    reads=("vm-resource-type.Name", "vm-resource-type.Value", "groups.Priority", *ROLE),
)
def quick_migrates(facts: Facts, this: Check) -> Iterator[Finding]:
    threshold = facts.cluster.settings.move_type_threshold
    if threshold is None:
        yield this.unknown(Subject(), "MoveTypeThreshold (resource type Virtual Machine) was not told.")
    for vm in facts.clustered_vms():
        if vm.default_move_type == QUICK:
            yield this.conflict(
                _subject(vm),
                f"{label(vm)} is set to quick migration. That may be a deliberate workaround (0x80070534): "
                "ask before it is moved live.",
                vm_evidence(vm, "DefaultMoveType", QUICK),
                Fix(
                    "When nobody needs it any more, follow the cluster's rule again.",
                    f"{resource_of(vm)} | Set-ClusterParameter -Name DefaultMoveType -Value {UNSET}",
                ),
                Severity.RISKS,
            )
        elif threshold is not None and vm.priority is not None and vm.priority < threshold:
            role = vm.ref.role or vm.name
            yield this.conflict(
                _subject(vm),
                f"The priority of {label(vm)} ({vm.priority}) is below the cluster's threshold for live migration "
                f"({threshold}): the cluster's own drain would save and restore it. This console asks for a live move.",
                vm_evidence(vm, "Priority", vm.priority),
                Fix(
                    "Raise the role's priority to medium.",
                    f"(Get-ClusterGroup -Name {quoted(role)}).Priority = 2000",
                ),
            )


@check(
    "vm-paused",
    Severity.ADVICE,
    Family.MACHINE,
    "The VM is paused: it moves and stays paused",
    "VMState Paused 9, reflected module",
    reads=("vms.State",),
)
def paused(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.vms():
        if vm.state is VmState.PAUSED:
            yield this.conflict(
                _subject(vm),
                f"{label(vm)} is paused. It moves and stays paused.",
                vm_evidence(vm, "State", "Paused"),
                Fix("Resume it if it should run.", f"Resume-VM {on_host(vm.host)} -Name {quoted(vm.name)}"),
            )


@check(
    "vm-not-running",
    Severity.ADVICE,
    Family.MACHINE,
    "The VM is off or saved: ownership moves, no memory is copied",
    "VMState Off 3, Saved 6, reflected module",
    reads=("vms.State",),
)
def not_running(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.clustered_vms():
        if vm.state in STOPPED:
            word = "off" if vm.state is VmState.OFF else "saved"
            yield this.conflict(
                _subject(vm),
                f"{label(vm)} is {word}: only its ownership moves.",
                vm_evidence(vm, "State", word),
                Fix("Nothing to do."),
            )


@check(
    "vm-critical",
    Severity.BLOCKS,
    Family.MACHINE,
    "The VM is in a critical state: its storage is not there",
    "VMState …Critical 32785 to 32796, reflected module",
    reads=("vms.State",),
)
def critical(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.vms():
        if vm.state is VmState.CRITICAL:
            yield this.conflict(
                _subject(vm),
                f"{label(vm)} is in a critical state: Hyper-V lost its storage.",
                vm_evidence(vm, "State", vm.state_number),
                Fix("Bring its volume back first.", "Get-ClusterSharedVolumeState"),
            )


@check(
    "vm-guest-unhealthy",
    Severity.RISKS,
    Family.MACHINE,
    "No heartbeat from a running guest; only advice where it never gave one since its start",
    "VMHeartbeatStatus NoContact 2, Error 3, LostCommunication 4, reflected module",
    reads=("vms.Heartbeat", "vms.State"),
)
def guest_unhealthy(facts: Facts, this: Check) -> Iterator[Finding]:
    bad = (Heartbeat.NO_CONTACT, Heartbeat.ERROR, Heartbeat.LOST_COMMUNICATION)
    silent = [vm for vm in facts.vms() if vm.state is VmState.RUNNING and vm.heartbeat is None]
    if silent:
        subject = Subject(vm=silent[0].ref) if len(silent) == 1 else Subject()
        yield this.unknown(subject, f"The heartbeat of {listed(label(vm) for vm in silent)} was not told.")
    for vm in facts.vms():
        if vm.state is VmState.RUNNING and vm.heartbeat in bad:
            yield from _silent_guest(this, vm, vm.heartbeat)


def _silent_guest(this: Check, vm: VirtualMachine, heartbeat: Heartbeat) -> Iterator[Finding]:
    """A guest that never answered often has no integration services; one that fell silent is worth a look."""
    never = heartbeat is Heartbeat.NO_CONTACT
    yield this.conflict(
        _subject(vm),
        f"{label(vm)} {'has given no' if never else 'lost its'} heartbeat"
        f"{' since it started' if never else ''}: after the move nobody can tell whether it is well.",
        vm_evidence(vm, "Heartbeat", heartbeat.name),
        Fix(
            "Look at the guest before the window.",
            f"Get-VMIntegrationService {on_host(vm.host)} -VMName {quoted(vm.name)}",
        ),
        Severity.ADVICE if never else None,
    )


@check(
    "role-not-healthy",
    Severity.BLOCKS,
    Family.MACHINE,
    "The role is Failed, partially online or pending before anything starts",
    "ClusterGroupState, reflected module",
    reads=("groups.State", *ROLE),
)
def role_not_healthy(facts: Facts, this: Check) -> Iterator[Finding]:
    bad = (GroupState.FAILED, GroupState.PARTIAL_ONLINE, GroupState.PENDING)
    for vm in facts.clustered_vms():
        moving = MIGRATING in vm.operational_status or bool(vm.role_flags & GroupFlags.QUEUED)
        stopped = vm.role_state is GroupState.PARTIAL_ONLINE and vm.state in STOPPED
        if vm.role_state in bad and not moving and not stopped:
            role = vm.ref.role or vm.name
            yield this.conflict(
                _subject(vm),
                f"The role of {label(vm)} is {vm.role_state.name.lower().replace('_', ' ')}.",
                vm_evidence(vm, "State of the role", vm.role_state.name),
                Fix("Find out why, and bring it online first.", f"Get-ClusterGroup -Name {quoted(role)}"),
            )


@check(
    "role-auto-failback",
    Severity.RISKS,
    Family.MACHINE,
    "The role would fail back by itself after the node resumes; only advice where it prefers no node",
    "Get-ClusterGroup AutoFailbackType 1, reflected module",
    reads=("groups.AutoFailbackType", *ROLE),
)
def auto_failback(facts: Facts, this: Check) -> Iterator[Finding]:
    for vm in facts.clustered_vms():
        if vm.auto_failback:
            role = vm.ref.role or vm.name
            yield this.conflict(
                _subject(vm),
                f"The role of {label(vm)} fails back by itself once a preferred node is up again, outside of any plan.",
                vm_evidence(vm, "AutoFailbackType", 1),
                Fix(
                    "Prevent it if the return should be planned; set it back to 1 afterwards.",
                    f"(Get-ClusterGroup -Name {quoted(role)}).AutoFailbackType = 0",
                ),
                Severity.ADVICE if vm.preferred_owners == () else None,
            )
