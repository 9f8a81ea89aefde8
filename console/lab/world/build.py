"""Make a world out of a scenario and a seed."""

from __future__ import annotations

import heapq
from datetime import datetime
from random import Random

from console.lab.world.facts import Repair
from console.lab.world.law import PowerLaw
from console.lab.world.moving import Trouble
from console.lab.world.sizes import behaviour, draw_size, draw_workload
from console.lab.world.spec import HostSpec, NamedHostSpec, NetworkSpec, Scenario, ScenarioError, VmSpec
from console.lab.world.state import (
    Adapter,
    AffinityRule,
    Checkpoint,
    Gpu,
    Group,
    GroupState,
    Host,
    Network,
    NodeState,
    Resource,
    Transport,
    VirtualDisk,
    VirtualMachine,
    VmState,
    Volume,
    new_id,
)
from console.lab.world.transport import refresh_capacities
from console.lab.world.world import CLUSTER_DEFAULTS, MOVE_TYPE_THRESHOLD_DEFAULT, World
from console.model.units import GIB, MIB, UNSET

RULE_NUMBERS = {"SameFaultDomain": 1, "SameNode": 2, "DifferentFaultDomain": 3, "DifferentNode": 4}
VERSIONS_BY_BUILD = {
    17763: ("5.0", "6.2", "7.0", "7.1", "8.0", "9.0"),
    20348: ("8.0", "8.1", "8.2", "8.3", "9.0", "9.1", "9.2", "9.3", "10.0"),
    26100: ("8.0", "8.1", "8.2", "8.3", "9.0", "9.1", "9.2", "9.3", "10.0", "11.0", "12.0"),
}


def build_world(scenario: Scenario, seed: int, epoch: datetime) -> World:
    """The world at moment 0.

    Raises:
        ScenarioError: the scenario contradicts itself, or a host could not be emptied for want of memory.
    """
    world = World(scenario, seed, epoch)
    random = world.dice("build")
    world.cluster_id = new_id(random)
    _settings(world)
    _networks(world, random)
    _hosts(world)
    _volumes(world, random)
    _facts(world)
    _core_groups(world, random)
    _drawn_vms(world, random)
    for spec in scenario.vm:
        _special_vm(world, spec, random)
    _rules(world)
    _troubles(world)
    refresh_capacities(world)
    _check_memory(world)
    return world


def _settings(world: World) -> None:
    for name, value in world.scenario.settings.items():
        if name not in CLUSTER_DEFAULTS:
            raise ScenarioError(f"settings: {name} is not a cluster property that the lab knows")
        world.settings[name] = value
    world.vm_type_parameters = {
        "MigrationExcludeNetworks": "",
        "MigrationNetworkOrder": "",
        "MoveTypeThreshold": MOVE_TYPE_THRESHOLD_DEFAULT,
        **world.scenario.virtual_machine_parameters,
    }


def _networks(world: World, random: Random) -> None:
    for spec in world.scenario.networks:
        world.networks[spec.name] = Network(
            spec.name, new_id(random), spec.address, spec.prefix, spec.role, spec.metric, "Up", spec.routed
        )
    excluded = [str(world.networks[spec.name].id) for spec in world.scenario.networks if spec.excluded]
    if excluded:
        world.vm_type_parameters["MigrationExcludeNetworks"] = ";".join(excluded)


def _hosts(world: World) -> None:
    scenario = world.scenario
    own = {spec.name: spec for spec in scenario.host}
    names = [f"HV{number:02d}" for number in range(1, scenario.host_count + 1)]
    unknown = sorted(set(own) - set(names))
    if unknown:
        raise ScenarioError(f"host: {', '.join(unknown)} is not one of {names[0]} to {names[-1]}")
    for number, name in enumerate(names, start=1):
        adapters = [adapter for spec in scenario.networks for adapter in _adapters(spec, number)]
        host = Host(name, number, 256 * GIB, 8 * GIB, 64, adapters, registry_name=name)
        _apply(host, scenario.hosts)
        if name in own:
            _apply(host, own[name])
            _apply_adapters(host, own[name])
        world.hosts[name] = host


def _adapters(spec: NetworkSpec, number: int) -> list[Adapter]:
    prefix = spec.address.rsplit(".", 1)[0]
    return [
        Adapter(
            name=spec.name if spec.adapters == 1 else f"{spec.name} {index + 1}",
            description=spec.description if index == 0 else f"{spec.description} #{index + 1}",
            network=spec.name,
            bits_per_s=int(spec.gbps * 1e9),
            rdma=spec.rdma,
            rdma_operational=spec.rdma,
            vmq=spec.vmq,
            jumbo_bytes=spec.jumbo_bytes,
            address=f"{prefix}.{10 + number + 100 * index}",
        )
        for index in range(spec.adapters)
    ]


_DIRECT = (
    "logical_processors", "build", "site", "processor_manufacturer", "processor_name", "processor_features",
    "migration_enabled", "migration_authentication", "maximum_migrations", "credential_guard", "smb_bandwidth_feature",
    "smb_encryption", "switches", "sans", "system_drive", "registry_name", "delegation", "winrm",
)  # fmt: skip


def _apply(host: Host, spec: HostSpec) -> None:
    for name in _DIRECT:
        value = getattr(spec, name)
        if value is not None:
            setattr(host, name, list(value) if isinstance(value, list) else value)
    if spec.memory_gib is not None:
        host.memory_bytes = int(spec.memory_gib * GIB)
    if spec.reserve_gib is not None:
        host.reserve_bytes = int(spec.reserve_gib * GIB)
    if spec.state is not None:
        host.state = NodeState(spec.state)
    if spec.migration_transport is not None:
        host.migration_transport = Transport(spec.migration_transport)
    if spec.build is not None:
        host.vm_versions = VERSIONS_BY_BUILD.get(spec.build, host.vm_versions)
    if spec.vm_versions is not None:
        host.vm_versions = tuple(spec.vm_versions)
    if spec.gpu is not None:
        count = spec.gpu_partitions or 0
        host.gpus = [Gpu(spec.gpu, count, count)] if spec.gpu and count else []


def _apply_adapters(host: Host, spec: NamedHostSpec) -> None:
    for name in ("vmq", "jumbo_bytes", "driver_version", "driver_date", "driver_provider", "rdma_operational"):
        value = getattr(spec, name)
        if value is not None:
            for adapter in host.adapters:
                if name != "rdma_operational" or adapter.rdma:
                    setattr(adapter, name, value)


def _volumes(world: World, random: Random) -> None:
    spec, names = world.scenario.volumes, list(world.hosts)
    for number in range(1, spec.count + 1):
        name = f"Cluster Disk {number}"
        world.volumes[name] = Volume(
            name=name,
            id=new_id(random),
            coordinator=names[(number - 1) % len(names)],
            path=f"C:\\ClusterStorage\\Volume{number}",
            size_bytes=int(spec.size_gib * GIB),
            free_bytes=int(spec.free_gib * GIB),
            latency_s=world.scenario.csv_latency_s,
        )


def _facts(world: World) -> None:
    scenario, facts = world.scenario, world.facts
    facts.intents = tuple(scenario.network_intents)
    facts.smb_reservation_percent = scenario.smb_reservation_percent
    facts.directory_answers, facts.witness = scenario.directory_answers, scenario.witness
    if scenario.storage_repair_s:
        facts.repairs = {name: Repair(0.0, scenario.storage_repair_s) for name in world.volumes}


def _core_groups(world: World, random: Random) -> None:
    last = list(world.hosts)[-1]
    for name, kind in (("Cluster Group", "Cluster"), ("Available Storage", "AvailableStorage")):
        state = GroupState.ONLINE if kind == "Cluster" else GroupState.OFFLINE
        group = Group(new_id(random), name, kind, last, state, core=True)
        world.add_group(group)
        if kind == "Cluster":
            for resource, type_name in (("Cluster Name", "Network Name"), ("Cluster IP Address", "IP Address")):
                world.add_resource(Resource(new_id(random), resource, type_name, group.id, core=True))


_PREFIXES = {"idle": "util", "web": "web", "file": "file", "database": "sql"}


def _drawn_vms(world: World, random: Random) -> None:
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
            _role(world, vm, priority, random)


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


def _role(world: World, vm: VirtualMachine, priority: int, random: Random) -> Group:
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


def _special_vm(world: World, spec: VmSpec, random: Random) -> None:
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
    if not spec.clustered:
        world.add_vm(vm)
        return
    _role_traits(world, _role(world, vm, spec.priority, random), spec, random)


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


def _role_traits(world: World, group: Group, spec: VmSpec, random: Random) -> None:
    group.locked, group.anti_affinity = spec.locked, tuple(spec.anti_affinity)
    group.auto_failback, group.preferred_owners = int(spec.auto_failback), tuple(spec.preferred_owners)
    for resource in world.resources_in(group.id):
        if spec.possible_owners is not None:
            resource.possible_owners = tuple(spec.possible_owners)
        if spec.move_type == "quick" and resource.kind == "Virtual Machine":
            resource.parameters["DefaultMoveType"] = 1
    if spec.second_vm:
        name = f"Virtual Machine {spec.name}-2"
        world.add_resource(Resource(new_id(random), name, "Virtual Machine", group.id))


def _rules(world: World) -> None:
    world.rules = [
        AffinityRule(rule.name, RULE_NUMBERS[rule.kind], rule.enabled, tuple(rule.groups))
        for rule in world.scenario.rules
    ]
    known = {group.name for group in world.groups.values()}
    for rule in world.rules:
        missing = sorted(set(rule.groups) - known)
        if missing:
            raise ScenarioError(f"rules: {rule.name} names {', '.join(missing)}, and there is no such role")


def _troubles(world: World) -> None:
    by_name = {vm.name: vm for vm in world.vms.values()}
    for spec in world.scenario.troubles:
        if spec.vm not in by_name:
            raise ScenarioError(f"troubles: there is no VM {spec.vm}")
        world.troubles[by_name[spec.vm].id] = Trouble(spec.kind, spec.percent, spec.hresult, spec.times)


def _check_memory(world: World) -> None:
    """Every host that is up can be emptied into the free memory of the others, biggest VM first."""
    free_bytes = {name: world.free_bytes(name) for name in world.hosts}
    up = [host.name for host in world.up_hosts()]
    for host in world.hosts:
        if free_bytes[host] < 0:
            raise ScenarioError(f"{host} holds more guest memory than it has")
        roomiest = [(-free_bytes[name], name) for name in up if name != host]
        heapq.heapify(roomiest)
        for vm in sorted(world.vms_on.get(host, {}).values(), key=lambda vm: -vm.held_bytes):
            if not roomiest or -roomiest[0][0] < vm.held_bytes:
                raise ScenarioError(f"{host} can not be emptied: no room for {vm.name} anywhere else")
            taken, name = roomiest[0]
            heapq.heapreplace(roomiest, (taken + vm.held_bytes, name))
