"""How fast one move can go: the network the cluster picks, the transport's ceiling, what it shares with others.

The figures are the world's own, in the neighbourhood of what is published: one TCP stream does not fill 10 GbE,
compression costs processor time, SMB Direct comes close to the line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.lab.world.fluid import Flow
from console.lab.world.state import Adapter, Host, Network, NodeState, Transport, VirtualMachine
from console.model.units import bits_to_bytes_per_s

if TYPE_CHECKING:
    from console.lab.world.world import World

TCP_EFFICIENCY = 0.94
RDMA_EFFICIENCY = 0.93
SMB_TCP_EFFICIENCY = 0.91
ENCRYPTION_EFFICIENCY = 0.96
SMB_TCP_STREAMS = 3
"""Multichannel without RDMA opens several connections."""
PLATEAU_BYTES_PER_S = 125e6
"""What a 25 GbE adapter carries with VMQ off or jumbo frames that differ along the path: about 1 Gbit/s."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The network a move will use."""

    network: Network
    failed_candidates: int


@dataclass(frozen=True, slots=True)
class Path:
    """What a move may use: wire bytes throughout."""

    flow: Flow
    transport: Transport
    ratio: float
    """Bytes of guest memory that one byte on the wire carries."""


def adapters_on(host: Host, network: str) -> list[Adapter]:
    return [adapter for adapter in host.adapters if adapter.network == network and adapter.up]


def line_bytes_per_s(host: Host, network: str) -> float:
    """What a host's adapters on a network carry in one direction."""
    total = 0.0
    for adapter in adapters_on(host, network):
        line = bits_to_bytes_per_s(adapter.bits_per_s)
        total += line if adapter.vmq else min(line, PLATEAU_BYTES_PER_S)
    return total


def _split(value: object) -> list[str]:
    return [part for part in str(value or "").lower().split(";") if part]


def candidates(world: World) -> list[Network]:
    """Networks eligible for live migration, best first: by MigrationNetworkOrder, then by metric."""
    excluded = set(_split(world.vm_type_parameters.get("MigrationExcludeNetworks")))
    order = _split(world.vm_type_parameters.get("MigrationNetworkOrder"))
    rank = {identifier: index for index, identifier in enumerate(order)}
    eligible = [
        network
        for network in world.networks.values()
        if str(network.id) not in excluded and network.role in ("Cluster", "ClusterAndClient")
    ]
    return sorted(eligible, key=lambda network: (rank.get(str(network.id), len(rank)), network.metric, network.name))


def choose_network(world: World, source: Host, destination: Host) -> Choice | None:
    """The first candidate on which both ends are up; None when there is none."""
    for failed, network in enumerate(candidates(world)):
        if _usable(network, source, destination):
            return Choice(network, failed)
    return None


def _usable(network: Network, source: Host, destination: Host) -> bool:
    if network.state != "Up" or not adapters_on(source, network.name) or not adapters_on(destination, network.name):
        return False
    crosses = network.routed and source.site != destination.site
    return not (crosses and (source.old or destination.old))


def effective_transport(source: Host, vm: VirtualMachine) -> Transport:
    """The source's setting decides; a GPU partition falls back to compression."""
    return Transport.COMPRESSION if vm.gpu_partition else source.migration_transport


def path_of(world: World, vm: VirtualMachine, source: Host, destination: Host, network: str) -> Path:
    """The ceiling and the shared resources of one move."""
    transport = effective_transport(source, vm)
    ceiling, efficiency = _ceiling(world, transport, source, destination, network)
    ratio = vm.compression_ratio if transport is Transport.COMPRESSION else 1.0
    uses = [
        (f"{source.name}/{network}/out", 1 / efficiency),
        (f"{destination.name}/{network}/in", 1 / efficiency),
    ]
    if transport is Transport.COMPRESSION:
        uses += [(f"{source.name}/compression", ratio), (f"{destination.name}/compression", ratio * 0.4)]
    if transport is Transport.SMB:
        uses += [(f"{source.name}/smb/out", 1.0), (f"{destination.name}/smb/in", 1.0)]
    uses += [(f"link/{name}", 1 / efficiency) for name in _links(world, source, destination)]
    if _mtu_differs(source, destination, network):
        ceiling = min(ceiling, PLATEAU_BYTES_PER_S)
    return Path(Flow(ceiling, tuple(uses)), transport, ratio)


def _ceiling(world: World, transport: Transport, source: Host, destination: Host, network: str) -> tuple[float, float]:
    stream = world.scenario.physics.tcp_stream_bytes_per_s
    if transport is not Transport.SMB:
        return stream, TCP_EFFICIENCY
    encrypted = source.smb_encryption or destination.smb_encryption
    direct = _rdma(source, network) and _rdma(destination, network)
    if direct and encrypted and min(source.build, destination.build) < 20348:
        direct = False
    efficiency = (RDMA_EFFICIENCY if direct else SMB_TCP_EFFICIENCY) * (ENCRYPTION_EFFICIENCY if encrypted else 1.0)
    return (math.inf if direct else stream * SMB_TCP_STREAMS), efficiency


def _rdma(host: Host, network: str) -> bool:
    found = adapters_on(host, network)
    return bool(found) and all(adapter.rdma and adapter.rdma_operational for adapter in found)


def _mtu_differs(source: Host, destination: Host, network: str) -> bool:
    sizes = {adapter.jumbo_bytes for host in (source, destination) for adapter in adapters_on(host, network)}
    return len(sizes) > 1


def _links(world: World, source: Host, destination: Host) -> list[str]:
    pair = {source.site, destination.site}
    return [link.name for link in world.scenario.links if len(pair) == 2 and set(link.between) == pair]


def refresh_capacities(world: World) -> None:
    """Write what every shared resource carries into the fabric; call after a setting or a state changed."""
    fabric = world.fabric
    for host in world.hosts.values():
        alive = host.state is not NodeState.DOWN
        for network in world.networks.values():
            line = line_bytes_per_s(host, network.name) if alive and network.state == "Up" else 0.0
            fabric.set_capacity(f"{host.name}/{network.name}/out", line)
            fabric.set_capacity(f"{host.name}/{network.name}/in", line)
        per_processor = world.scenario.physics.compression_bytes_per_s_per_processor
        fabric.set_capacity(f"{host.name}/compression", per_processor * host.logical_processors)
        cap = smb_cap_bytes_per_s(world, host)
        for direction in ("out", "in"):
            fabric.set_capacity(f"{host.name}/smb/{direction}", math.inf if cap is None else cap)
    for link in world.scenario.links:
        fabric.set_capacity(f"link/{link.name}", bits_to_bytes_per_s(link.gbps * 1e9))


def smb_cap_bytes_per_s(world: World, host: Host) -> float | None:
    """SMBBandwidthLimitFactor of the node's physical adapters together; None where the cap does not act."""
    if not host.smb_bandwidth_feature or world.settings["SetSMBBandwidthLimit"] != 1:
        return None
    total = sum(bits_to_bytes_per_s(adapter.bits_per_s) for adapter in host.adapters if adapter.up)
    return total * world.settings["SMBBandwidthLimitFactor"] / 10000
