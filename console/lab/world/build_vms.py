"""Make the VMs of a world: the drawn ones and those with traits of their own, with their roles."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from console.lab.world import outcome_log
from console.lab.world.law import PowerLaw
from console.lab.world.moving import Move, MoveKind
from console.lab.world.sizes import behaviour, draw_size, draw_workload
from console.lab.world.spec import ScenarioError, VmSpec
from console.lab.world.state import (
    Checkpoint,
    Group,
    GroupState,
    Resource,
    VirtualDisk,
    VirtualMachine,
    VmState,
    new_id,
)
from console.lab.world.world import World
from console.model.units import GIB, MIB, UNSET

_PREFIXES = {"idle": "util", "web": "web", "file": "file", "database": "sql"}


def add_drawn_vms(world: World, random: Random) -> None:
    """As many on every host, sizes and behaviour drawn."""
    spec, number = world.scenario.vms, 0
    for host in world.hosts:
        for _ in range(spec.per_host):
            number += 1
            size = draw_size(random, spec.memory_scale)
            memory = min(size.memory_bytes, int(spec.maximum_memory_gib * GIB))
            kind = draw_workload(random)
            how = behaviour(kind, memory, random)
            vm = VirtualMachine(
                id=new_id(random),
                name=f"{_PREFIXES[kind]}-{number:04d}",
                host=host,
                memory_bytes=memory,
                processors=size.processors,
                law=how.law,
                workload=kind,
                compression_ratio=how.compression_ratio,
                cpu_base_percent=how.cpu_percent,
                version=spec.version,
                compatibility_enabled=spec.compatibility != "off",
                compatibility_mode=spec.compatibility if spec.compatibility != "off" else "MinimumFeatureSet",
                started_s=-random.uniform(1, 90) * 86400,
            )
            if random.random() < spec.off_share:
                vm.state = VmState.OFF
            priority = 1000 if random.random() < spec.low_priority_share else 2000
            _furnish(world, vm, random)
            _replicate(world, vm)
            add_role(world, vm, priority, random)


def _furnish(world: World, vm: VirtualMachine, random: Random) -> None:
    """Disks and paths on a shared volume, features of the processor it was started on."""
    volumes = list(world.volumes.values())
    root = random.choice(volumes).path if volumes else "\\\\FS01\\VMS"
    folder = f"{root}\\{vm.name}"
    vm.configuration_path = vm.smart_paging_path = folder
    vm.disks = [VirtualDisk(f"{folder}\\{vm.name}.vhdx", 127 * GIB)]
    host = world.hosts[vm.host]
    if host.switches and vm.switch not in host.switches:
        vm.switch = host.switches[0]
    vm.required_features = 0xFFFF if vm.compatibility_enabled else host.processor_features


def add_role(world: World, vm: VirtualMachine, priority: int, random: Random) -> Group:
    """The VM as a clustered role: a group with its two resources."""
    world.add_vm(vm)
    state = GroupState.ONLINE if vm.running else GroupState.OFFLINE
    group = Group(new_id(random), vm.name, "VirtualMachine", vm.host, state, vm.id, priority=priority)
    world.add_group(group)
    private: dict[str, object] = {"VmID": str(vm.id), "DefaultMoveType": UNSET, "OfflineAction": 1, "CheckHeartbeat": 1}
    world.add_resource(
        Resource(new_id(random), f"Virtual Machine {vm.name}", "Virtual Machine", group.id, parameters=private)
    )
    name = f"Virtual Machine Configuration {vm.name}"
    world.add_resource(
        Resource(new_id(random), name, "Virtual Machine Configuration", group.id, parameters={"VmID": str(vm.id)})
    )
    return group


def add_special_vm(world: World, spec: VmSpec, random: Random) -> None:
    """One with traits of its own.

    Raises:
        ScenarioError: its host is not there, or lacks what it needs.
    """
    host = world.hosts.get(spec.host)
    if host is None:
        raise ScenarioError(f"vm {spec.name}: there is no host {spec.host}")
    memory = int(spec.memory_gib * GIB)
    how = behaviour(spec.workload, memory, random)
    law = how.law
    if spec.dirty_first_second_mib is not None:
        law = PowerLaw(spec.dirty_first_second_mib * MIB, spec.dirty_exponent)
    vm = VirtualMachine(
        new_id(random), spec.name, host.name, memory, spec.processors, law, spec.workload, how.compression_ratio
    )
    vm.state, vm.clustered, vm.cpu_base_percent = VmState(spec.state), spec.clustered, how.cpu_percent
    vm.version = spec.version or world.scenario.vms.version
    vm.compatibility_enabled = spec.compatibility != "off"
    vm.compatibility_mode = spec.compatibility if vm.compatibility_enabled else "MinimumFeatureSet"
    _furnish(world, vm, random)
    _traits(world, vm, spec, random)
    _replicate(world, vm)
    if not spec.clustered:
        world.add_vm(vm)
        return
    _role_traits(world, add_role(world, vm, spec.priority, random), spec, random)


def _traits(world: World, vm: VirtualMachine, spec: VmSpec, random: Random) -> None:
    vm.heartbeat, vm.nested, vm.tpm, vm.shielded = spec.heartbeat, spec.nested, spec.tpm, spec.shielded
    vm.replication, vm.replication_health = spec.replication, spec.replication_health
    vm.secondary_status, vm.assigned_device, vm.san = spec.status, spec.assigned_device, spec.san
    vm.dvd_path, vm.dvd_kind = spec.dvd, "PassThrough" if spec.dvd_pass_through else "ISO" if spec.dvd else "None"
    vm.gpu_outgoing = spec.gpu_outgoing
    if spec.switch is not None:
        vm.switch = spec.switch
    if spec.required_features is not None:
        vm.required_features = spec.required_features
    if spec.local_disk:
        vm.disks.append(VirtualDisk(f"D:\\VMs\\{vm.name}\\data.vhdx", 500 * GIB))
    if spec.persistent_memory:
        vm.disks.append(VirtualDisk(f"{vm.configuration_path}\\{vm.name}.vhdpmem", 16 * GIB, "PMEM"))
    if spec.past_failure:
        _remember_failure(world, vm, spec.past_failure)
    if spec.pass_through_disk:
        vm.disks.append(VirtualDisk("", 2048 * GIB, disk_number=3))
    for number in range(spec.checkpoints):
        created = -86400.0 * 20 * (number + 1)
        vm.checkpoints.append(Checkpoint(f"Before change {number + 1}", new_id(random), "Standard", created))
    if spec.gpu_partition:
        gpus = world.hosts[vm.host].gpus
        if not gpus:
            raise ScenarioError(f"vm {vm.name}: {vm.host} has no partitionable GPU")
        vm.gpu_partition = gpus[0].name
        gpus[0].free -= 1


def _replicate(world: World, vm: VirtualMachine) -> None:
    if world.scenario.vms.replicated and vm.replication == "Disabled":
        vm.replication, vm.replication_health = "Replicating", "Normal"


def _remember_failure(world: World, vm: VirtualMachine, hresult: int) -> None:
    """The events of a move that failed two days before the world begins."""
    other = next((name for name in world.hosts if name != vm.host), vm.host)
    move = Move(0, vm.id, vm.id, vm.host, other, MoveKind.LIVE, "user", 0.0, hresult=hresult)
    move.message = outcome_log.message_of(hresult)
    now_s, world.now_s = world.now_s, -2 * 86400.0
    outcome_log.failed(world, vm.name, str(vm.id).upper(), move)
    world.now_s = now_s


def _role_traits(world: World, group: Group, spec: VmSpec, random: Random) -> None:
    group.locked, group.anti_affinity = spec.locked, tuple(spec.anti_affinity)
    group.auto_failback, group.preferred_owners = int(spec.auto_failback), tuple(spec.preferred_owners)
    for resource in world.resources_in(group.id):
        if spec.possible_owners is not None:
            resource.possible_owners = tuple(spec.possible_owners)
        if spec.move_type == "quick" and resource.kind == "Virtual Machine":
            resource.parameters["DefaultMoveType"] = 1
    if spec.role_state is not None:
        group.state = GroupState(spec.role_state)
    if spec.second_vm and group.vm is not None:
        _second_vm(world, group, world.vms[group.vm], random)


def _second_vm(world: World, group: Group, first: VirtualMachine, random: Random) -> None:
    """Another VM in the same role."""
    second = replace(first, id=new_id(random), name=f"{first.name}-2", disks=[], checkpoints=[])
    second.configuration_path = second.smart_paging_path = f"{first.configuration_path}-2"
    second.disks = [VirtualDisk(f"{second.configuration_path}\\{second.name}.vhdx", 127 * GIB)]
    world.add_vm(second)
    private: dict[str, object] = {"VmID": str(second.id), "DefaultMoveType": UNSET}
    resource = f"Virtual Machine {second.name}"
    world.add_resource(Resource(new_id(random), resource, "Virtual Machine", group.id, parameters=private))
