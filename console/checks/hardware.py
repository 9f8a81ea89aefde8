"""Conflicts of hardware that a VM shares with its host: GPU partitions and virtual Fibre Channel."""

from __future__ import annotations

from collections.abc import Iterator

from console.model.cluster import Host, VirtualMachine, VmState
from console.model.details import GpuPartition

from .devices import details_of
from .processor import version_of
from .registry import Check, Facts, Family, Finding, check, host_evidence, on_host, quoted, untold, vm_evidence
from .values import Fix, Severity, Subject

GPU_VERSION = (12, 0)
"""Configuration version from which a GPU partition moves live."""
_BY_HAND = (
    "GPU partitions also take the same GPU driver on both hosts and processors whose IOMMU tracks DMA writes; neither "
    "is among the facts that can be read. Compare them by hand."
)


@check(
    "vm-gpu-p",
    Severity.BLOCKS,
    Family.MACHINE,
    "A GPU partition that can not leave by live migration, or that the destination can not take",
    "Get-VMGpuPartitionAdapter SupportsOutgoingLiveMigration; windowsserverdocs, GPU partitioning",
    reads=(
        "vm-gpu-partitions.VMId",
        "vm-gpu-partitions.InstancePath",
        "vm-gpu-partitions.SupportsOutgoingLiveMigration",
        "vms.Version",
    ),
)
def gpu_partition(facts: Facts, this: Check) -> Iterator[Finding]:
    movable: list[tuple[VirtualMachine, tuple[GpuPartition, ...]]] = []
    for item in details_of(facts, this, "Get-VMGpuPartitionAdapter", lambda details: details.gpu_partitions):
        if not isinstance(item, tuple):
            yield item
        elif (pinned := _pinned(this, *item)) is not None:
            yield pinned
        elif item[1]:
            movable.append(item)
    if movable:
        yield from untold(this, (host for host in facts.hosts() if host.gpus is None), "Get-VMHostPartitionableGpu")
        yield this.unknown(Subject(), _BY_HAND)
    for vm, partitions in movable:
        source = facts.cluster.host_by_name.get(vm.host)
        for host in facts.destinations(vm):
            if host.gpus is None or not (why := _can_not_take(source, host, partitions)):
                continue
            models = ", ".join(gpu.model for gpu in host.gpus) or "none"
            yield this.conflict(
                Subject(vm=vm.ref, destination=host.name),
                f"{host.name} can not take the GPU partition of {vm.name}: {why}.",
                host_evidence(host, "Get-VMHostPartitionableGpu", models),
                Fix("Choose a host with the same GPUs, cut into as many partitions."),
            )


def _pinned(this: Check, vm: VirtualMachine, partitions: tuple[GpuPartition, ...]) -> Finding | None:
    """Why the VM can not leave whatever the destination; None when it could."""
    subject = Subject(vm=vm.ref, host=vm.host)
    answers = [partition.supports_outgoing_live_migration for partition in partitions]
    if vm.state is VmState.OFF:
        return None
    if False in answers:
        return this.conflict(
            subject,
            f"The GPU partition of {vm.name} does not support leaving by live migration.",
            vm_evidence(vm, "SupportsOutgoingLiveMigration", False),
            Fix(
                "Shut it down for the window.",
                f"Stop-VM {on_host(vm.host)} -Name {quoted(vm.name)}",
                needs_vm_off=True,
            ),
        )
    if None in answers:
        return this.unknown(Subject(vm=vm.ref), f"{vm.name}: SupportsOutgoingLiveMigration was not read.")
    if answers and vm.version is not None and version_of(vm) < GPU_VERSION:
        return this.conflict(
            subject,
            f"{vm.name} has a GPU partition and version {vm.version}: it takes 12.0 to move live.",
            vm_evidence(vm, "Version", vm.version),
            Fix(
                "Upgrade its version once every node is 2025: there is no way back.",
                f"Update-VMVersion {on_host(vm.host)} -Name {quoted(vm.name)}",
                needs_vm_off=True,
            ),
        )
    return None


def _can_not_take(source: Host | None, host: Host, partitions: tuple[GpuPartition, ...]) -> str:
    """Why the host's GPUs do not do; empty when they do, or when the models can not be told from the paths."""
    for model in {partition.model: None for partition in partitions if partition.model}:
        theirs = [gpu for gpu in host.gpus or () if gpu.model == model]
        if not theirs:
            return "it has no GPU of the same model"
        ours = {gpu.partition_count for gpu in (source.gpus if source else None) or () if gpu.model == model}
        counts = {gpu.partition_count for gpu in theirs}
        if ours and None not in ours | counts and not ours & counts:
            return "its GPUs are cut into another number of partitions"
        if all(gpu.free_memory_bytes == 0 for gpu in theirs):
            return "no partition is free"
    return ""


@check(
    "vm-fibre-channel",
    Severity.RISKS,
    Family.MACHINE,
    "A virtual Fibre Channel adapter: its virtual SAN has to be there, and both sets of names zoned",
    "Live Migration Internals and Tuning, VM gets stuck; Get-VMFibreChannelHba, Get-VMSan",
    reads=("vm-fibre-channel.VMId", "vm-fibre-channel.SanName"),
)
def fibre_channel(facts: Facts, this: Check) -> Iterator[Finding]:
    holders: list[tuple[VirtualMachine, tuple[str, ...]]] = []
    for item in details_of(facts, this, "Get-VMFibreChannelHba", lambda details: details.fibre_channel_sans):
        if not isinstance(item, tuple):
            yield item
        elif item[1]:
            holders.append(item)
    if holders:
        yield from untold(this, (host for host in facts.hosts() if host.virtual_sans is None), "Get-VMSan")
    for vm, sans in holders:
        yield this.conflict(
            Subject(vm=vm.ref, host=vm.host),
            f"{vm.name} has a virtual Fibre Channel adapter on {sans[0]}: both sets of its names have to be zoned "
            "for each destination. The zoning can not be read from here.",
            vm_evidence(vm, "SanName", ", ".join(sans) or "none"),
            Fix(
                "Check the zoning of both sets of WWNs (A and B) for every node.",
                f"Get-VMFibreChannelHba {on_host(vm.host)} -VMName {quoted(vm.name)}",
            ),
        )
        for host in facts.destinations(vm):
            missing = [san for san in sans if san not in (host.virtual_sans if host.virtual_sans is not None else sans)]
            if missing:
                yield this.conflict(
                    Subject(vm=vm.ref, destination=host.name),
                    f"{host.name} has no virtual SAN named {missing[0]}, which {vm.name} needs.",
                    host_evidence(host, "Get-VMSan", ", ".join(host.virtual_sans or ()) or "none"),
                    Fix(
                        f"Make the virtual SAN there, with the same name; this shows how it is on {vm.host}.",
                        f"Get-VMSan {on_host(vm.host)}",
                    ),
                    Severity.BLOCKS,
                )
