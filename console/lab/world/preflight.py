"""Why a move would fail while it is set up: what Hyper-V finds at the destination (Microsoft KB 4558514)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.lab.world.state import Host, NodeState, VirtualMachine

if TYPE_CHECKING:
    from console.lab.world.world import World


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HRESULT and Hyper-V's sentence, where it has one of its own."""

    hresult: int
    text: str = ""


def setup_refusal(world: World, vm: VirtualMachine, source: Host, destination: Host) -> Refusal | None:
    """The first thing that stops this VM from going there now, or None."""
    return _sign_in(world, source, destination) or placement_refusal(world, vm, source, destination)


def placement_refusal(world: World, vm: VirtualMachine, source: Host, destination: Host) -> Refusal | None:
    """As :func:`setup_refusal`, without what the cluster does not know when it chooses a node."""
    for check in (_reach, _devices, _processor, _memory):
        refusal = check(world, vm, source, destination)
        if refusal is not None:
            return refusal
    return None


def _sign_in(world: World, source: Host, destination: Host) -> Refusal | None:
    by_credssp = "CredSSP" in (source.migration_authentication, destination.migration_authentication)
    guarded = source.credential_guard or destination.credential_guard
    return Refusal(0x8009030E) if world.scenario.credssp_fails and by_credssp and guarded else None


def _reach(world: World, vm: VirtualMachine, source: Host, destination: Host) -> Refusal | None:
    if destination.state is NodeState.DOWN:
        return Refusal(0x8007274C)
    if not (source.migration_enabled and destination.migration_enabled):
        return Refusal(0x80004005, f"'{destination.name}' has disabled the listener for Virtual Machine migration.")
    return None


def _devices(world: World, vm: VirtualMachine, source: Host, destination: Host) -> Refusal | None:
    if vm.assigned_device:
        return Refusal(0x80004005, f"'{vm.name}' has an assigned device and can not be live migrated.")
    if vm.switch and vm.switch not in destination.switches:
        return Refusal(0x80004005, f"Could not find Ethernet switch '{vm.switch}'.")
    if vm.version not in destination.vm_versions:
        return Refusal(0x80004005, f"The virtual machine's version {vm.version} is not supported on this host.")
    if any(not disk.path.startswith(("C:\\ClusterStorage\\", "\\\\")) for disk in vm.disks):
        return Refusal(0x80070490, f"The virtual hard disk of '{vm.name}' is not on shared storage.")
    if vm.dvd_kind == "PassThrough" or (vm.dvd_path and not vm.dvd_path.startswith(("C:\\ClusterStorage\\", "\\\\"))):
        return Refusal(0xC03A0014)
    if vm.san and vm.san not in destination.sans:
        return Refusal(0x80004005, f"Virtual SAN '{vm.san}' was not found on the destination.")
    if vm.gpu_partition and not any(gpu.name == vm.gpu_partition and gpu.free > 0 for gpu in destination.gpus):
        return Refusal(0x80004005, f"No partition of a compatible GPU is free on '{destination.name}'.")
    return None


def _processor(world: World, vm: VirtualMachine, source: Host, destination: Host) -> Refusal | None:
    if not vm.running:
        return None
    same_vendor = source.processor_manufacturer == destination.processor_manufacturer
    if same_vendor and not vm.required_features & ~destination.processor_features:
        return None
    return Refusal(
        0x80004005,
        f"The virtual machine '{vm.name}' is using processor-specific features not supported on physical computer"
        f" '{destination.name}'.",
    )


def _memory(world: World, vm: VirtualMachine, source: Host, destination: Host) -> Refusal | None:
    if vm.held_bytes > world.free_bytes(destination.name):
        return Refusal(0x800705AA, f"Not enough memory in the system to start the virtual machine {vm.name}.")
    return None
