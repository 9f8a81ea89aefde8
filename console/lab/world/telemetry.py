"""Figures that are read and never decide anything: processor load, memory demand, latencies.

Each is a function of the seed, the thing and the moment, so that asking changes nothing.
"""

from __future__ import annotations

import math

from console.lab.world.state import Host, VirtualMachine, VmState, Volume
from console.lab.world.transport import line_bytes_per_s
from console.lab.world.world import World


def _wave(world: World, period_s: float, *what: object) -> float:
    """A smooth figure between -1 and 1 with a phase of its own."""
    phase = world.dice("wave", *what).random() * 2 * math.pi
    return math.sin(2 * math.pi * world.now_s / period_s + phase)


def vm_cpu_percent(world: World, vm: VirtualMachine) -> int:
    """CPUUsage of a guest, 0 to 100."""
    if vm.state is not VmState.RUNNING:
        return 0
    swing = _wave(world, 420.0, vm.id) * 0.4
    return max(0, min(100, round(vm.cpu_base_percent * (1 + swing))))


def vm_demand_bytes(world: World, vm: VirtualMachine) -> int:
    """MemoryDemand of a guest."""
    if not vm.running:
        return 0
    return int(vm.memory_bytes * (0.55 + 0.1 * _wave(world, 1800.0, vm.id, "demand")))


def vm_heartbeat(world: World, vm: VirtualMachine) -> str | None:
    """VMHeartbeatStatus; some seconds pass after an arrival before the guest is heard again."""
    if vm.state is VmState.PAUSED:
        return "Paused"
    if not vm.running:
        return None
    if vm.arrived_s is not None and world.now_s - vm.arrived_s < 4.0:
        return "NoContact"
    return vm.heartbeat


def host_cpu_percent(world: World, host: Host) -> float:
    """Total run time of the logical processors: guests, and the compression of moves."""
    guests = sum(
        vm.processors * vm_cpu_percent(world, vm) / 100 for vm in world.vms_on.get(host.name, {}).values() if vm.running
    )
    compressing = 0.0
    for move in world.pending.values():
        transfer = world.fabric.transfers.get(move.key)
        if transfer is not None:
            costs = dict(transfer.flow.uses)
            compressing += costs.get(f"{host.name}/compression", 0.0) * transfer.rate_bytes_per_s
    per_processor = world.scenario.physics.compression_bytes_per_s_per_processor
    busy = guests * 0.5 + compressing / per_processor + host.logical_processors * 0.02
    return min(100.0, 100.0 * busy / host.logical_processors)


def network_load(world: World, host: Host, network: str) -> float:
    """Share of a host's line that moves take on a network, 0 to 1, the busier direction."""
    line = line_bytes_per_s(host, network)
    if line <= 0:
        return 0.0
    used = {"out": 0.0, "in": 0.0}
    for transfer in world.fabric.transfers.values():
        costs = dict(transfer.flow.uses)
        for direction in used:
            cost = costs.get(f"{host.name}/{network}/{direction}", 0.0)
            used[direction] += cost * transfer.rate_bytes_per_s
    return min(1.0, max(used.values()) / line)


def volume_latency_s(world: World, volume: Volume, host: Host) -> float:
    """Latency of a shared volume as a host sees it; rises when moves crowd the network it shares."""
    shared = world.scenario.csv_shares_network
    load = network_load(world, host, shared) if shared else 0.0
    crowd = 1.0 if load < 0.5 else 1.0 / max(1.05 - load, 0.04)
    redirected = 2.5 if volume.state_by_node.get(host.name, "Direct") != "Direct" else 1.0
    ripple = 1 + 0.1 * _wave(world, 37.0, volume.name, host.name)
    spells = [spell.seconds for spell in world.scenario.slow_storage if spell.begin_s <= world.now_s < spell.end_s]
    return max(volume.latency_s * crowd * redirected, *spells, 0.0) * ripple


def missed_heartbeats(world: World, host: Host) -> int:
    """Heartbeats missed in a row: those of a fault, and those of a crowded shared network."""
    shared = world.scenario.csv_shares_network
    crowded = 3 if shared and network_load(world, host, shared) > 0.97 else 0
    return host.missed_heartbeats + crowded
