"""At which rate a pair of hosts can move guest memory, and what holds it back, from the facts of both ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console.model.cluster import (
    Cluster,
    ClusterNetwork,
    ClusterSettings,
    Host,
    MigrationTransport,
    NetworkAdapter,
    NetworkRole,
)

from .priors import Priors, TransportPriors

BUILD_2025 = 26100
"""Windows Server 2025: network selection no longer waits for each failed candidate."""

_FACTOR_WHOLE = 10000
"""SMBBandwidthLimitFactor counts hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class Path:
    """What a pair of hosts offers to moves. Rates are bytes of guest memory per second."""

    transport: MigrationTransport
    rdma: bool
    line_bytes_per_s: float
    """The slower end's line, bytes on the wire."""
    capacity_bytes_per_s: float
    """What all moves of the pair reach together."""
    stream_bytes_per_s: float
    """What one move reaches however few there are."""
    selection_s: float
    """Waiting for network candidates that fail first."""
    held_back_by: str
    """What decides a lone move's rate, in words."""
    line_known: bool = True

    def rate_bytes_per_s(self, sharing: int = 1) -> float:
        """One move's rate while ``sharing`` moves share the path equally.

        Raises:
            ValueError: ``sharing`` is below 1.
        """
        if sharing < 1:
            raise ValueError(f"at least the move itself shares its path, got {sharing}")
        return min(self.capacity_bytes_per_s / sharing, self.stream_bytes_per_s)


def smb_cap_fraction(settings: ClusterSettings, source: Host, destination: Host) -> float | None:
    """The share of the adapters that live migration over SMB may use, or None where no cap works.

    SetSMBBandwidthLimit switches it, SMBBandwidthLimitFactor sizes it; it needs FS-SMBBW on the nodes. A feature
    whose presence is unknown counts as present: the forecast is then the slower one.
    """
    if settings.set_smb_bandwidth_limit != 1 or settings.smb_bandwidth_limit_factor is None:
        return None
    if source.smb_bandwidth_feature is False or destination.smb_bandwidth_feature is False:
        return None
    return min(1.0, settings.smb_bandwidth_limit_factor / _FACTOR_WHOLE)


def failed_candidates(networks: Iterable[ClusterNetwork]) -> int:
    """Networks that a move would try, and fail on, before the first that is up."""
    eligible = [
        network
        for network in networks
        if network.migration_excluded is not True and network.role not in (NetworkRole.NONE, NetworkRole.CLIENT)
    ]
    eligible.sort(
        key=lambda network: (
            network.migration_order if network.migration_order is not None else 1 << 30,
            network.metric if network.metric is not None else 1 << 30,
        )
    )
    failed = 0
    for network in eligible:
        if network.up is not False:
            return failed
        failed += 1
    return failed


def path_between(cluster: Cluster, source: Host, destination: Host, priors: Priors) -> Path:
    """The path from one host to another.

    The transport is the source's setting: it applies to migrations that originate there (Set-VMHost
    -VirtualMachineMigrationPerformanceOption). Unknown means compression, the default since 2012 R2.
    """
    transport = source.migration_transport if source.migration_transport is not None else MigrationTransport.COMPRESSION
    rdma = transport is MigrationTransport.SMB and bool(_rdma(source)) and bool(_rdma(destination))
    prior = _prior(priors, transport, rdma)
    lines = [_line(host, transport, rdma) for host in (source, destination)]
    known = [line for line in lines if line is not None]
    line = min(known) if known else priors.unknown_link_bytes_per_s
    capacity, stream = line * prior.line_share * prior.compression_ratio, prior.stream_ceiling_bytes_per_s
    stream *= prior.compression_ratio
    limits = [(capacity, "the link"), (stream, "what one stream reaches")]
    if transport is MigrationTransport.COMPRESSION:
        ceiling = min(_compressor(source, priors), _compressor(destination, priors))
        limits.append((ceiling, "the processors that compress"))
        capacity = min(capacity, ceiling)
    if transport is MigrationTransport.SMB:
        cap = _smb_cap_bytes_per_s(cluster.settings, source, destination)
        if cap is not None:
            limits.append((cap, "the cluster's SMB bandwidth limit"))
            capacity = min(capacity, cap)
    lone, held_back_by = min(limits, key=lambda limit: limit[0])
    return Path(
        transport, rdma, line, capacity, min(stream, lone), _selection_s(cluster, source, destination, priors),
        held_back_by, len(known) == len(lines),
    )  # fmt: skip


def _prior(priors: Priors, transport: MigrationTransport, rdma: bool) -> TransportPriors:
    if transport is MigrationTransport.SMB:
        return priors.smb_direct if rdma else priors.smb
    return priors.tcp if transport is MigrationTransport.TCPIP else priors.compression


def _up(host: Host) -> list[NetworkAdapter]:
    return [adapter for adapter in host.adapters or () if adapter.up is not False and adapter.link_bytes_per_s]


def _rdma(host: Host) -> list[NetworkAdapter]:
    return [adapter for adapter in _up(host) if adapter.rdma_operational]


def _line(host: Host, transport: MigrationTransport, rdma: bool) -> float | None:
    """Bytes per second on the wire: one adapter for TCP, all of the fastest kind for SMB Multichannel."""
    speeds = [adapter.link_bytes_per_s or 0.0 for adapter in (_rdma(host) if rdma else _up(host))]
    if not speeds:
        return None
    fastest = max(speeds)
    return sum(speed for speed in speeds if speed == fastest) if transport is MigrationTransport.SMB else fastest


def _compressor(host: Host, priors: Priors) -> float:
    """What the host's idle processors compress; unknown processors hold nothing back."""
    if host.logical_processors is None:
        return float("inf")
    idle = max(0.1, 1.0 - (host.cpu_fraction or 0.0))
    return host.logical_processors * idle * priors.compressor_bytes_per_s_per_processor


def _smb_cap_bytes_per_s(settings: ClusterSettings, source: Host, destination: Host) -> float | None:
    """The cap in bytes per second of the slower end's adapters together; None without a cap or without speeds."""
    fraction = smb_cap_fraction(settings, source, destination)
    sums = [sum(adapter.link_bytes_per_s or 0.0 for adapter in _up(host)) for host in (source, destination)]
    known = [total for total in sums if total > 0]
    return None if fraction is None or fraction >= 1.0 or not known else fraction * min(known)


def _selection_s(cluster: Cluster, source: Host, destination: Host, priors: Priors) -> float:
    old = any(host.build is not None and host.build < BUILD_2025 for host in (source, destination))
    return priors.failed_network_s * failed_candidates(cluster.networks) if old else 0.0
