"""Would the processor fit? Answered from documented vectors, never from model names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from console.model.cluster import Host, VirtualMachine, VmState
from console.model.details import CompatibilityMode, CompatibilityVector, HostVerdict, ProcessorSettings
from console.model.vectors import failing_vectors

from .reads import COMPATIBILITY
from .registry import (
    Check,
    Facts,
    Family,
    Finding,
    check,
    host_evidence,
    listed,
    on_host,
    quoted,
    untold,
    vm_evidence,
)
from .values import Evidence, Fix, Severity, Subject

BUILD_2022, BUILD_2025 = 20348, 26100
COMMON_SET_VERSION = (10, 0)
"""Configuration version from which CommonClusterFeatureSet holds (windowsserverdocs)."""


def _processor(vm: VirtualMachine) -> ProcessorSettings | None:
    return vm.details.processor if vm.details else None


def _with_processor(facts: Facts, this: Check) -> Iterator[tuple[VirtualMachine, ProcessorSettings] | Finding]:
    """Each VM whose processor settings were read; one *unknown* for all the others together."""
    unread = []
    for vm in facts.clustered_vms():
        settings = _processor(vm)
        if settings is None or settings.compatibility_enabled is None:
            unread.append(vm)
        else:
            yield vm, settings
    if unread:
        names = ", ".join(vm.name or vm.id for vm in unread[:3]) + (" …" if len(unread) > 3 else "")
        yield this.unknown(
            Subject(vm=unread[0].ref) if len(unread) == 1 else Subject(),
            f"The processor settings (Get-VMProcessor) of {len(unread)} VMs were not read: {names}.",
        )


def _identical(hosts: tuple[Host, ...]) -> bool | None:
    """Whether all hosts have the same processor; None when one was not read."""
    if any(host.processor_name is None for host in hosts):
        return None
    return len({(host.processor_manufacturer, host.processor_name) for host in hosts}) <= 1


def _set_mode(vm: VirtualMachine, enabled: bool, mode: str = "") -> str:
    switch = "$true" if enabled else "$false"
    line = f"Set-VMProcessor {on_host(vm.host)} -VMName {quoted(vm.name)} -CompatibilityForMigrationEnabled {switch}"
    return line + (f" -CompatibilityForMigrationMode {mode}" if mode else "")


def _turned_on(facts: Facts, vm: VirtualMachine) -> str:
    """The line that turns compatibility on, in the richest mode that every node knows.

    The common set takes 2025 on all nodes and version 10.0; Windows Server 2022 takes only MinimumFeatureSet, and
    older modules do not know the parameter (windowsserverdocs, processor compatibility; reflected module of 2019).
    """
    builds = [host.build or 0 for host in facts.hosts()]
    if min(builds) >= BUILD_2025 and version_of(vm) >= COMMON_SET_VERSION:
        return _set_mode(vm, True, "CommonClusterFeatureSet")
    return _set_mode(vm, True, "MinimumFeatureSet" if min(builds) >= BUILD_2022 else "")


_SAVED = (VmState.SAVED, VmState.FAST_SAVED)
_START_FIRST = Fix(
    "Start it where it is and shut it down, then move it. Deleting its saved state would lose what its memory held."
)


@check(
    "cpu-vendor",
    Severity.BLOCKS,
    Family.PROCESSOR,
    "Intel and AMD: running or saved VMs never cross",
    "windowsserverdocs, processor compatibility; Win32_Processor.Manufacturer",
    reads=("processors.Manufacturer", "vms.State"),
)
def vendor(facts: Facts, this: Check) -> Iterator[Finding]:
    by_name = facts.cluster.host_by_name
    unread = [host for host in facts.hosts() if host.processor_manufacturer is None]
    yield from untold(this, unread, "Win32_Processor")
    makers = {host.processor_manufacturer for host in facts.hosts()} - {None}
    if len(makers) < 2:
        return
    others = {
        maker: [host for host in facts.hosts() if host.processor_manufacturer not in (None, maker)] for maker in makers
    }
    for vm in facts.clustered_vms():
        source = by_name.get(vm.host)
        if source is None or source.processor_manufacturer is None or not (vm.running or vm.state in _SAVED):
            continue
        word = "runs" if vm.running else "was saved"
        fix = Fix(
            "Shut it down, move it, start it again; compatibility mode does not help between vendors.",
            f"Stop-VM {on_host(vm.host)} -Name {quoted(vm.name)}",
            needs_vm_off=True,
        )
        for host in others[source.processor_manufacturer]:
            yield this.conflict(
                Subject(vm=vm.ref, destination=host.name),
                f"{vm.name} {word} on {source.processor_manufacturer}; {host.name} is {host.processor_manufacturer}.",
                host_evidence(source, "Manufacturer", source.processor_manufacturer)
                + host_evidence(host, "Manufacturer", host.processor_manufacturer),
                fix if vm.running else _START_FIRST,
            )


@check(
    "cpu-features",
    Severity.BLOCKS,
    Family.PROCESSOR,
    "The vectors of a running or saved VM do not fit the host's",
    "GetSystemCompatibilityVectors and the ten documented comparisons (Msvm_CompatibilityVector)",
    reads=(
        "vm-vectors.VMId",
        "vm-vectors.VectorId",
        "vm-vectors.CompareOperation",
        "vm-vectors.CompatibilityInfo",
        "host-vectors.VectorId",
        "host-vectors.CompareOperation",
        "host-vectors.CompatibilityInfo",
        "vms.State",
    ),
)
def features(facts: Facts, this: Check) -> Iterator[Finding]:
    yield from untold(this, (host for host in facts.hosts() if host.compatibility_vectors is None), "The vectors")
    held = [vm for vm in facts.clustered_vms() if vm.running or vm.state in _SAVED]
    unread = [vm for vm in held if vm.running and (vm.details is None or vm.details.vectors is None)]
    if unread:
        subject = Subject(vm=unread[0].ref) if len(unread) == 1 else Subject()
        names = listed(vm.name or vm.id for vm in unread)
        yield this.unknown(subject, f"The compatibility vectors of {names} were not read.")
    kinds = _kinds_of_hosts(facts.hosts())
    known: dict[Vectors, list[tuple[Vectors, list[Host]]]] = {}
    for vm in held:
        vectors = vm.details.vectors if vm.details else None
        if vectors is None:
            continue
        if vectors not in known:
            judged = ((failing_vectors(vectors, theirs), hosts) for theirs, hosts in kinds)
            known[vectors] = [(failing, hosts) for failing, hosts in judged if failing]
        for failing, hosts in known[vectors]:
            yield from _misfits(facts, this, vm, failing, hosts)


Vectors: TypeAlias = tuple[CompatibilityVector, ...]


def _kinds_of_hosts(hosts: tuple[Host, ...]) -> list[tuple[Vectors, list[Host]]]:
    """Hosts that offer the same together: a cluster has few kinds of processors."""
    kinds: dict[Vectors, list[Host]] = {}
    for host in hosts:
        if host.compatibility_vectors is not None:
            kinds.setdefault(host.compatibility_vectors, []).append(host)
    return list(kinds.items())


def _misfits(facts: Facts, this: Check, vm: VirtualMachine, failing: Vectors, hosts: list[Host]) -> Iterator[Finding]:
    vectors = ", ".join(str(vector.vector_id) for vector in failing)
    evidence = vm_evidence(vm, "Msvm_CompatibilityVector", vectors)
    fix = _fitting(facts, vm)
    for host in hosts:
        if host.name != vm.host:
            yield this.conflict(
                Subject(vm=vm.ref, destination=host.name),
                f"{vm.name} uses processor features that {host.name} does not offer (compatibility vector {vectors}).",
                evidence + _in_words(vm, host),
                fix,
            )


def _fitting(facts: Facts, vm: VirtualMachine) -> Fix:
    """A VM takes its features when it starts: a mode that is on already takes a start from off, not a restart."""
    if not vm.running:
        return _START_FIRST
    settings = _processor(vm)
    if settings is not None and settings.compatibility_enabled:
        return Fix(
            "It took its features when it was started: shut it down and start it again, so that it takes what the "
            "nodes have in common now. If it differs then too, compare BIOS settings and microcode.",
            f"Stop-VM {on_host(vm.host)} -Name {quoted(vm.name)}",
            needs_vm_off=True,
        )
    return Fix("Shut it down, turn processor compatibility on, start it again.", _turned_on(facts, vm), True)


def _in_words(vm: VirtualMachine, host: Host) -> tuple[Evidence, ...]:
    """What the host itself said about taking the VM, where it was asked."""
    verdicts = vm.details.verdicts if vm.details else ()
    return tuple(_told(verdict) for verdict in verdicts if verdict.host == host.name)


def _told(verdict: HostVerdict) -> Evidence:
    value = " ".join(verdict.reasons) or ("compatible" if verdict.compatible else "not compatible, no reason given")
    return Evidence("CheckSystemCompatibilityInfo", value, verdict.host, verdict.read_at)


@check(
    "cpu-compat-off-mixed",
    Severity.RISKS,
    Family.PROCESSOR,
    "Compatibility is off in a cluster whose hosts differ",
    "Live Migration Internals and Tuning, processor compatibility: the failure that nobody tests for",
    reads=(*COMPATIBILITY, "processors.Name"),
)
def off_in_mixed(facts: Facts, this: Check) -> Iterator[Finding]:
    if _identical(facts.hosts()) is not False:
        return
    for item in _with_processor(facts, this):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, settings = item
        if not settings.compatibility_enabled:
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} sees every feature of its host while the hosts differ: a move may be refused.",
                vm_evidence(vm, "CompatibilityForMigrationEnabled", False),
                Fix("Turn compatibility on.", _turned_on(facts, vm), needs_vm_off=True),
            )


@check(
    "cpu-static-on-2025",
    Severity.ADVICE,
    Family.PROCESSOR,
    "MinimumFeatureSet where every node is 2025 and the VM could use the richer common set",
    "Live Migration Internals and Tuning, practical guidance; dynamic processor compatibility needs version 10.0",
    reads=(
        *COMPATIBILITY,
        "vm-processors.CompatibilityForMigrationMode",
        "vms.Version",
        "operating-system.BuildNumber",
    ),
)
def static_on_2025(facts: Facts, this: Check) -> Iterator[Finding]:
    if any(host.build is None or host.build < BUILD_2025 for host in facts.hosts()):
        return
    for item in _with_processor(facts, this):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, settings = item
        yield from _mode_unread(this, vm, settings)
        static = settings.compatibility_mode is CompatibilityMode.MINIMUM_FEATURE_SET
        if settings.compatibility_enabled and static and version_of(vm) >= COMMON_SET_VERSION:
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} is held to the fixed minimum feature set; every node could give it the common set.",
                vm_evidence(vm, "CompatibilityForMigrationMode", "MinimumFeatureSet"),
                Fix(
                    "Use the common set from its next downtime on.",
                    _set_mode(vm, True, "CommonClusterFeatureSet"),
                    needs_vm_off=True,
                ),
            )


def version_of(vm: VirtualMachine) -> tuple[int, int]:
    """The configuration version as numbers; (0, 0) when it was not read or can not be."""
    major, _, minor = (vm.version or "").partition(".")
    return (int(major), int(minor) if minor.isdigit() else 0) if major.isdigit() else (0, 0)


@check(
    "cpu-dynamic-old-version",
    Severity.RISKS,
    Family.PROCESSOR,
    "CommonClusterFeatureSet on a VM older than version 10.0: silently the fixed set",
    "windowsserverdocs, dynamic processor compatibility mode",
    reads=(*COMPATIBILITY, "vm-processors.CompatibilityForMigrationMode", "vms.Version"),
)
def dynamic_on_old_version(facts: Facts, this: Check) -> Iterator[Finding]:
    for item in _with_processor(facts, this):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, settings = item
        yield from _mode_unread(this, vm, settings)
        if _dynamic(settings) and vm.version is not None and version_of(vm) < COMMON_SET_VERSION:
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} asks for the common feature set, but version {vm.version} gets the fixed one.",
                vm_evidence(vm, "Version", vm.version),
                Fix(
                    "Upgrade its version once every node is 2025 and the functional level was raised: there is no way "
                    "back, and older nodes can not run it any more.",
                    f"Update-VMVersion {on_host(vm.host)} -Name {quoted(vm.name)}",
                    needs_vm_off=True,
                ),
            )


def _mode_unread(this: Check, vm: VirtualMachine, settings: ProcessorSettings) -> Iterator[Finding]:
    """Compatibility is on, and which kind was not told: modules before 2022 do not know the mode."""
    if settings.compatibility_enabled and settings.compatibility_mode is None:
        yield this.unknown(Subject(vm=vm.ref), f"{vm.name}: CompatibilityForMigrationMode was not told.")


def _dynamic(settings: ProcessorSettings) -> bool:
    return bool(settings.compatibility_enabled) and (
        settings.compatibility_mode is CompatibilityMode.COMMON_CLUSTER_FEATURE_SET
    )


@check(
    "cpu-dynamic-old-node",
    Severity.RISKS,
    Family.PROCESSOR,
    "CommonClusterFeatureSet while the cluster has a node older than 2025",
    "Live Migration Internals and Tuning, dynamic processor compatibility is new in 2025",
    reads=(*COMPATIBILITY, "vm-processors.CompatibilityForMigrationMode", "operating-system.BuildNumber"),
)
def dynamic_with_old_node(facts: Facts, this: Check) -> Iterator[Finding]:
    older = next((host for host in facts.hosts() if host.build is not None and host.build < BUILD_2025), None)
    if older is None:
        return
    for item in _with_processor(facts, this):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, settings = item
        yield from _mode_unread(this, vm, settings)
        if _dynamic(settings):
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} uses the common feature set, which {older.name} (build {older.build}) does not know.",
                host_evidence(older, "BuildNumber", older.build),
                Fix(
                    "Use the minimum set until every node is 2025.",
                    _set_mode(vm, True, "MinimumFeatureSet"),
                    needs_vm_off=True,
                ),
            )


@check(
    "cpu-compat-on-homogeneous",
    Severity.ADVICE,
    Family.PROCESSOR,
    "Compatibility is on though all hosts have the same processor and the same Windows",
    "Live Migration Internals and Tuning, practical guidance: homogeneous cluster, leave it disabled",
    reads=(*COMPATIBILITY, "processors.Name", "operating-system.BuildNumber"),
)
def on_in_homogeneous(facts: Facts, this: Check) -> Iterator[Finding]:
    builds = {host.build for host in facts.hosts()}
    if not _identical(facts.hosts()) or len(builds) > 1:
        return
    for item in _with_processor(facts, this):
        if not isinstance(item, tuple):
            yield item
            continue
        vm, settings = item
        if settings.compatibility_enabled:
            yield this.conflict(
                Subject(vm=vm.ref, host=vm.host),
                f"{vm.name} gives up processor features though all hosts have the same processor.",
                vm_evidence(vm, "CompatibilityForMigrationEnabled", True),
                Fix(
                    "Turn it off at its next downtime, if no other hardware is planned.",
                    _set_mode(vm, False),
                    needs_vm_off=True,
                ),
            )
