"""What performance counters are made of: input and output of shared volumes, SMB, network ports."""

from __future__ import annotations

from dataclasses import dataclass

from console.lab.world import telemetry
from console.lab.world.facts import VolumeCounter
from console.lab.world.state import Host, NodeState, Transport, Volume
from console.lab.world.world import World

READS_PER_S_AND_VM, WRITES_PER_S_AND_VM = 35.0, 22.0
METADATA_PER_S = 4.0
"""Reads and writes of the file system itself, on every node."""
BYTES_PER_OPERATION = 32768
_DIRECT = "Direct"


def running_on(world: World, host: Host, volume: Volume) -> int:
    """How many VMs run on the host from the volume."""
    prefix = f"{volume.path}\\"
    here = world.vms_on.get(host.name, {}).values()
    return sum(1 for vm in here if vm.running and any(disk.path.startswith(prefix) for disk in vm.disks))


def rates_per_s(world: World, host: Host, volume: Volume) -> tuple[float, float]:
    """Reads and writes a second."""
    vms = running_on(world, host, volume)
    return METADATA_PER_S + vms * READS_PER_S_AND_VM, METADATA_PER_S + vms * WRITES_PER_S_AND_VM


def volume_counter(world: World, host: Host, volume: Volume) -> VolumeCounter:
    """The raw counters now.

    They go on from where they were last read, at the latency of now: asking again at the same moment changes nothing,
    and the mean between two readings is the latency at the second.
    """
    counter = world.facts.volume_counters.setdefault((host.name, volume.name), VolumeCounter())
    seconds = world.now_s - counter.at_s
    if seconds > 0:
        reads, writes = (rate * seconds for rate in rates_per_s(world, host, volume))
        latency = telemetry.volume_latency_s(world, volume, host)
        counter.at_s = world.now_s
        counter.reads += reads
        counter.writes += writes
        counter.read_s += reads * latency
        counter.write_s += writes * latency
        if volume.state_by_node.get(host.name, _DIRECT) != _DIRECT:
            counter.redirected += reads + writes
    return counter


@dataclass(frozen=True, slots=True)
class Traffic:
    """Migration bytes a second of one host on one network."""

    sent_bytes_per_s: float
    received_bytes_per_s: float


def traffic(world: World, host: Host, network: str) -> Traffic:
    rates = {"out": 0.0, "in": 0.0}
    for transfer in world.fabric.transfers.values():
        costs = dict(transfer.flow.uses)
        for direction in rates:
            rates[direction] += costs.get(f"{host.name}/{network}/{direction}", 0.0) * transfer.rate_bytes_per_s
    return Traffic(rates["out"], rates["in"])


STALLS_BEGIN_AT = 0.9
"""Share of a line above which SMB waits for credits."""
STALLS_PER_S = 400.0
"""Of a line that is full."""


def credit_stalls_per_s(world: World, host: Host) -> float:
    """Where migrations crowd the network of the shared volumes, SMB to the volumes' coordinators stalls."""
    shared = world.scenario.csv_shares_network
    load = telemetry.network_load(world, host, shared) if shared else 0.0
    return max(0.0, (load - STALLS_BEGIN_AT) / (1 - STALLS_BEGIN_AT)) * STALLS_PER_S


@dataclass(frozen=True, slots=True)
class Share:
    """One SMB share that the host's SMB client uses."""

    name: str
    bytes_per_s: float
    stalls_per_s: float


def shares(world: World, host: Host) -> list[Share]:
    """The shared volumes' root at each other node that coordinates one."""
    others = sorted({volume.coordinator for volume in world.volumes.values()} - {host.name})
    stalls = credit_stalls_per_s(world, host) / len(others) if others else 0.0
    return [
        Share(f"\\\\{node}\\ClusterStorage$", _redirected_bytes_per_s(world, host, node), stalls) for node in others
    ]


def _redirected_bytes_per_s(world: World, host: Host, coordinator: str) -> float:
    total = METADATA_PER_S * BYTES_PER_OPERATION
    for volume in world.volumes.values():
        if volume.coordinator == coordinator and volume.state_by_node.get(host.name, _DIRECT) != _DIRECT:
            total += sum(rates_per_s(world, host, volume)) * BYTES_PER_OPERATION
    return total


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the cluster's heartbeats from one node to another."""

    name: str
    missing: int
    limit: int


def routes(world: World, host: Host) -> list[Route]:
    """One for each other node on each network that the cluster itself uses."""
    missing = telemetry.missed_heartbeats(world, host)
    found = []
    for other in world.hosts.values():
        for adapter in other.adapters if other.name != host.name else ():
            network = world.networks.get(adapter.network)
            local = next((each.address for each in host.adapters if each.network == adapter.network), "")
            if network is None or network.role not in ("Cluster", "ClusterAndClient"):
                continue
            crosses = bool(host.site and other.site and host.site != other.site)
            limit = world.settings["CrossSiteThreshold" if crosses else "SameSubnetThreshold"]
            lost = limit if other.state is NodeState.DOWN else missing
            found.append(Route(f"{local}:~3343~-{adapter.address}:~3343~", lost, limit))
    return found


def uses_smb_direct(world: World, host: Host, network: str) -> bool:
    """Whether moves on this network go by RDMA."""
    ports = [adapter for adapter in host.adapters if adapter.network == network]
    return host.migration_transport is Transport.SMB and any(port.rdma and port.rdma_operational for port in ports)
