"""Make a world out of a scenario and a seed."""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import datetime
from random import Random

from console.lab.world.build_vms import add_drawn_vms, add_special_vm
from console.lab.world.facts import AccessRule, Repair
from console.lab.world.moving import Trouble
from console.lab.world.spec import HostSpec, NamedHostSpec, NetworkSpec, Scenario, ScenarioError
from console.lab.world.state import (
    Adapter,
    AffinityRule,
    Gpu,
    Group,
    GroupState,
    Host,
    Network,
    NodeState,
    Resource,
    Transport,
    Volume,
    new_id,
)
from console.lab.world.transport import refresh_capacities
from console.lab.world.world import CLUSTER_DEFAULTS, MOVE_TYPE_THRESHOLD_DEFAULT, World
from console.model.units import GIB

RULE_NUMBERS = {"SameFaultDomain": 1, "SameNode": 2, "DifferentFaultDomain": 3, "DifferentNode": 4}
FLAG_NUMBERS = {"isolated": 1, "quarantined": 2, "avoid-placement": 32}
"""Bits of a node's StatusInformation."""
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
    _volume_states(world)
    _facts(world)
    _core_groups(world, random)
    add_drawn_vms(world, random)
    for spec in scenario.vm:
        add_special_vm(world, spec, random)
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
            spec.name, new_id(random), spec.address, spec.prefix, spec.role, spec.metric, spec.state, spec.routed
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
        adapters = _told_apart([adapter for spec in scenario.networks for adapter in _adapters(spec, number)])
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
            description=spec.description,
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


def _told_apart(adapters: list[Adapter]) -> list[Adapter]:
    """Windows numbers the adapters of one kind in a host: the second is described as "… #2"."""
    seen: Counter[str] = Counter()
    for adapter in adapters:
        seen[adapter.description] += 1
        if (number := seen[adapter.description]) > 1:
            adapter.description += f" #{number}"
    return adapters


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
    if spec.flags is not None:
        host.flags = sum(FLAG_NUMBERS[flag] for flag in set(spec.flags))
    if spec.migration_transport is not None:
        host.migration_transport = Transport(spec.migration_transport)
    _apply_versions(host, spec)
    if spec.gpu is not None:
        count = spec.gpu_partitions or 0
        host.gpus = [Gpu(spec.gpu, count, count)] if spec.gpu and count else []


def _apply_versions(host: Host, spec: HostSpec) -> None:
    if spec.build is not None:
        host.vm_versions = VERSIONS_BY_BUILD.get(spec.build, host.vm_versions)
    if spec.vm_versions is not None:
        host.vm_versions = tuple(spec.vm_versions)


def _apply_adapters(host: Host, spec: NamedHostSpec) -> None:
    for name in ("vmq", "jumbo_bytes", "driver_version", "driver_date", "driver_provider", "rdma_operational"):
        value = getattr(spec, name)
        if value is not None:
            for adapter in host.adapters:
                if name != "rdma_operational" or adapter.rdma:
                    setattr(adapter, name, value)
    for adapter in host.adapters:
        if adapter.network in spec.gbps:
            adapter.bits_per_s = int(spec.gbps[adapter.network] * 1e9)
        if adapter.network in spec.networks_down:
            adapter.up = False
    known = {adapter.network for adapter in host.adapters}
    unknown = sorted({*spec.gbps, *spec.networks_down} - known)
    if unknown:
        raise ScenarioError(f"host {host.name}: there is no network {', '.join(unknown)}")


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
    everywhere = tuple(scenario.hosts.missing_modules or ())
    facts.missing_modules = dict.fromkeys(world.hosts, everywhere)
    facts.smb_reservation_percent = scenario.smb_reservation_percent
    if scenario.access:
        facts.access = tuple(AccessRule(rule.identity, rule.rights) for rule in scenario.access)
    facts.missing_modules = {spec.name: tuple(spec.missing_modules) for spec in scenario.host if spec.missing_modules}
    facts.directory_answers, facts.witness = scenario.directory_answers, scenario.witness
    if scenario.storage_repair_s:
        facts.repairs = {name: Repair(0.0, scenario.storage_repair_s) for name in world.volumes}
    for spec in scenario.host:
        if spec.missing_modules is not None:
            facts.missing_modules[spec.name] = tuple(spec.missing_modules)


def _volume_states(world: World) -> None:
    for spec in world.scenario.volume_states:
        if spec.volume is not None and spec.volume not in world.volumes:
            raise ScenarioError(f"volume_states: there is no volume {spec.volume}")
        if spec.host is not None and spec.host not in world.hosts:
            raise ScenarioError(f"volume_states: there is no host {spec.host}")
        nodes = list(world.hosts) if spec.host is None else [spec.host]
        for volume in world.volumes.values():
            if spec.volume in (None, volume.name):
                volume.state_by_node |= dict.fromkeys(nodes, spec.state)


def _core_groups(world: World, random: Random) -> None:
    last = list(world.hosts)[-1]
    for name, kind in (("Cluster Group", "Cluster"), ("Available Storage", "AvailableStorage")):
        state = GroupState.ONLINE if kind == "Cluster" else GroupState.OFFLINE
        group = Group(new_id(random), name, kind, last, state, core=True)
        world.add_group(group)
        if kind == "Cluster":
            for resource, type_name in (("Cluster Name", "Network Name"), ("Cluster IP Address", "IP Address")):
                world.add_resource(Resource(new_id(random), resource, type_name, group.id, core=True))
    for name, kind in world.scenario.other_roles.items():
        world.add_group(Group(new_id(random), name, kind, next(iter(world.hosts))))


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
                if world.scenario.full:
                    break
                raise ScenarioError(f"{host} can not be emptied: no room for {vm.name} anywhere else")
            taken, name = roomiest[0]
            heapq.heapreplace(roomiest, (taken + vm.held_bytes, name))
