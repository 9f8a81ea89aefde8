"""Which adapters carry migration between two hosts: those on the cluster networks that may be used for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from console.model.cluster import Cluster, ClusterNetwork, Host, NetworkAdapter, NetworkRole
from console.model.identity import HostName


@dataclass(frozen=True)
class Carriers:
    """The networks of one cluster as moves try them, and who joins them by what."""

    networks: tuple[ClusterNetwork, ...]
    """Eligible ones, by rank, then by metric."""
    joined: Mapping[tuple[HostName, str], frozenset[str]] | None
    """Descriptions of the adapters by which a host joins a network, those that are up; None: not read."""

    @classmethod
    def of(cls, cluster: Cluster) -> Carriers:
        eligible = [
            network
            for network in cluster.networks
            if network.migration_excluded is not True and network.role not in (NetworkRole.NONE, NetworkRole.CLIENT)
        ]
        eligible.sort(key=_turn)
        if cluster.interfaces is None:
            return cls(tuple(eligible), None)
        joined: dict[tuple[HostName, str], set[str]] = {}
        for each in cluster.interfaces:
            if each.up is not False:
                joined.setdefault((each.host, each.network), set()).add(each.adapter)
        return cls(tuple(eligible), {place: frozenset(adapters) for place, adapters in joined.items()})

    def failed(self, source: Host, destination: Host) -> int:
        """Networks that a move would try, and fail on, before the first that both hosts can use."""
        for failed, network in enumerate(self.networks):
            if self._usable(network, source, destination):
                return failed
        return len(self.networks)

    def of_pair(self, source: Host, destination: Host) -> tuple[list[NetworkAdapter], list[NetworkAdapter]]:
        """Each end's adapters on the network that the cluster will take, and those of other eligible networks that
        are as good, over which SMB Multichannel spreads; all that are up where networks tell nothing of adapters.

        An adapter that is not among the host's physical ones (a virtual one over a team) says nothing of the line.
        """
        usable = [network.name for network in self.networks if self._usable(network, source, destination)]
        ends = _working(source), _working(destination)
        chosen = tuple(self._on(host, usable[:1], own) for host, own in zip((source, destination), ends, strict=True))
        if not all(chosen):
            return ends
        everywhere = tuple(self._on(host, usable, own) for host, own in zip((source, destination), ends, strict=True))
        source_side, destination_side = (_alike(*pair) for pair in zip(chosen, everywhere, strict=True))
        return source_side, destination_side

    def _on(self, host: Host, networks: list[str], own: list[NetworkAdapter]) -> list[NetworkAdapter]:
        """As many adapters of each description as the networks are joined by: not every description is unique.

        Among equal ones, those that are called like the network come first, then the fastest.
        """
        called = {name.casefold() for name in networks}
        likely = sorted(own, key=lambda each: (each.name.casefold() not in called, -(each.link_bytes_per_s or 0.0)))
        wanted = Counter(name for network in networks for name in (self.joined or {}).get((host.name, network), ()))
        found: list[NetworkAdapter] = []
        for adapter in likely:
            if wanted[adapter.description] > 0:
                wanted[adapter.description] -= 1
                found.append(adapter)
        return found

    def _usable(self, network: ClusterNetwork, source: Host, destination: Host) -> bool:
        if network.up is False:
            return False
        joined = self.joined
        return not joined or ((source.name, network.name) in joined and (destination.name, network.name) in joined)


def _alike(chosen: list[NetworkAdapter], others: list[NetworkAdapter]) -> list[NetworkAdapter]:
    kinds = {(adapter.link_bytes_per_s, adapter.rdma_operational) for adapter in chosen}
    return [adapter for adapter in others if (adapter.link_bytes_per_s, adapter.rdma_operational) in kinds]


def _turn(network: ClusterNetwork) -> tuple[int, int]:
    last = 1 << 30
    return (
        network.migration_order if network.migration_order is not None else last,
        network.metric if network.metric is not None else last,
    )


def _working(host: Host) -> list[NetworkAdapter]:
    return [adapter for adapter in host.adapters or () if adapter.up is not False and adapter.link_bytes_per_s]
