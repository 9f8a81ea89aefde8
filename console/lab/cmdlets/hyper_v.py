"""The Hyper-V module's reads: VMs on this host, their parts, the host itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from console.lab.cmdlets import errors, vm_shapes
from console.lab.cmdlets.invocation import Handler, Invocation, answers, is_wild, matches
from console.lab.cmdlets.objects import Shape
from console.lab.cmdlets.vm_shapes import Part, San, SupportedVersion, Switch
from console.lab.engine import PsObject, PsValue
from console.lab.world.state import Group, Resource, VirtualMachine


def vms_here(call: Invocation) -> list[VirtualMachine]:
    """The VMs on this host, by name."""
    return sorted(call.world.vms_on.get(call.scope.host.name, {}).values(), key=lambda vm: (vm.name, str(vm.id)))


def by_name(call: Invocation, patterns: list[str]) -> list[VirtualMachine]:
    here, found = vms_here(call), []
    for pattern in patterns:
        some = [vm for vm in here if matches(pattern, vm.name)]
        if not some and not is_wild(pattern):
            call.error(errors.vm_not_found(call.cmdlet, pattern))
        found += some
    return found


@answers("Get-VM")
def get_vm(call: Invocation) -> Iterable[PsValue]:
    identifier = call.arguments.get("Id")
    if isinstance(identifier, UUID):
        found = [vm for vm in vms_here(call) if vm.id == identifier]
        if not found:
            call.error(errors.vm_not_found(call.cmdlet, str(identifier), "id"))
    elif call.texts("Name") is not None:
        found = by_name(call, call.texts("Name") or [])
    elif call.has_input or "ClusterObject" in call.arguments:
        found = _of_cluster_objects(call)
    else:
        found = vms_here(call)
    return [vm_shapes.VM.make(call.scope, vm) for vm in found]


def _of_cluster_objects(call: Invocation) -> list[VirtualMachine]:
    given = call.arguments.get("ClusterObject")
    things = [value.instance for value in (*call.input, given) if isinstance(value, PsObject)]
    groups = [thing for thing in things if isinstance(thing, Group)]
    groups += [call.world.groups[thing.group] for thing in things if isinstance(thing, Resource)]
    found = [call.world.vms[group.vm] for group in groups if group.vm is not None]
    return [vm for vm in found if vm.host == call.scope.host.name]


def _vms_asked(call: Invocation) -> list[VirtualMachine]:
    """VMs by -VMName, -VM or the pipeline."""
    given = call.arguments.get("VM")
    values = [*call.input, *(given if isinstance(given, list) else [])]
    found = [
        value.instance for value in values if isinstance(value, PsObject) and isinstance(value.instance, VirtualMachine)
    ]
    return found + by_name(call, call.texts("VMName") or [])


def _parts(shape: Shape[Part], of: Callable[[VirtualMachine], Iterable[object]]) -> Handler:
    def answer(call: Invocation) -> Iterable[PsValue]:
        for vm in _vms_asked(call):
            for thing in of(vm):
                yield shape.make(call.scope, Part(vm, thing))

    return answer


_ONE = (None,)
answers("Get-VMProcessor")(_parts(vm_shapes.PROCESSOR, lambda vm: _ONE))
answers("Get-VMHardDiskDrive")(_parts(vm_shapes.DISK, lambda vm: vm.disks))
answers("Get-VMDvdDrive")(_parts(vm_shapes.DVD, lambda vm: _ONE if vm.dvd_kind != "None" or vm.generation == 2 else ()))
answers("Get-VMNetworkAdapter")(_parts(vm_shapes.ADAPTER, lambda vm: _ONE))
answers("Get-VMSnapshot")(_parts(vm_shapes.CHECKPOINT, lambda vm: vm.checkpoints))
answers("Get-VMGpuPartitionAdapter")(_parts(vm_shapes.GPU_PARTITION, lambda vm: _ONE if vm.gpu_partition else ()))
answers("Get-VMAssignableDevice")(_parts(vm_shapes.ASSIGNED_DEVICE, lambda vm: _ONE if vm.assigned_device else ()))
answers("Get-VMFibreChannelHba")(_parts(vm_shapes.FIBRE_CHANNEL, lambda vm: _ONE if vm.san else ()))
answers("Get-VMSecurity")(_parts(vm_shapes.SECURITY, lambda vm: _ONE))


@answers("Get-VMHost")
def get_vm_host(call: Invocation) -> Iterable[PsValue]:
    return [vm_shapes.HOST.make(call.scope, call.scope.host)]


@answers("Get-VMHostSupportedVersion")
def get_supported_version(call: Invocation) -> Iterable[PsValue]:
    versions = call.scope.host.vm_versions
    highest = max(versions, key=lambda text: tuple(int(part) for part in text.split(".")))
    wanted = [version for version in versions if not call.flag("Default") or version == highest]
    return [
        vm_shapes.SUPPORTED_VERSION.make(call.scope, SupportedVersion(version, version == highest))
        for version in wanted
    ]


@answers("Get-VMSwitch")
def get_vm_switch(call: Invocation) -> Iterable[PsValue]:
    pattern = call.text("Name") or "*"
    host = call.scope.host
    return [vm_shapes.SWITCH.make(call.scope, Switch(host, name)) for name in host.switches if matches(pattern, name)]


@answers("Get-VMSan")
def get_vm_san(call: Invocation) -> Iterable[PsValue]:
    return [vm_shapes.SAN.make(call.scope, San(name)) for name in call.scope.host.sans]


@answers("Get-VMHostPartitionableGpu", "Get-VMPartitionableGpu")
def get_partitionable_gpu(call: Invocation) -> Iterable[PsValue]:
    return [vm_shapes.GPU.make(call.scope, gpu) for gpu in call.scope.host.gpus]
