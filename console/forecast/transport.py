"""At which rate a pair of hosts can move guest memory, and what holds it back, from the facts of both ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.model.cluster import (
    Cluster,
    ClusterSettings,
    Host,
    MigrationTransport,
    NetworkAdapter,
)

from .carriers import Carriers
from .priors import Priors, TransportPriors

BUILD_2022 = 20348
"""Windows Server 2022: SMB Direct can encrypt; before it, encryption takes SMB off RDMA."""
BUILD_2025 = 26100
"""Windows Server 2025: network selection no longer waits for each failed candidate."""

_FACTOR_WHOLE = 10000
"""SMBBandwidthLimitFactor counts hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class Guest:
    """What of a VM decides its path."""

    idle: bool = False
    """Its memory compresses better than that of others."""
    falls_back: bool = False
    """Moves by TCP/IP with compression, whatever its host is set to."""


ANY_GUEST = Guest()


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
    link_weight: float = 1.0
    """How much of a shared link one byte takes, beside those of other guests."""

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


def path_between(
    cluster: Cluster,
    source: Host,
    destination: Host,
    priors: Priors,
    carriers: Carriers | None = None,
    guest: Guest = ANY_GUEST,
) -> Path:
    """The path from one host to another.

    The transport is the source's setting: it applies to migrations that originate there (Set-VMHost
    -VirtualMachineMigrationPerformanceOption). Unknown means compression, the default since 2012 R2.

    Args:
        carriers: of this cluster, where many pairs are asked about.
        guest: what of the VM decides its path.
    """
    carriers = carriers or Carriers.of(cluster)
    transport = transport_of(source, guest)
    ends = carriers.of_pair(source, destination)
    encrypted, rdma = _smb_way(transport, source, destination, ends)
    prior = _prior(priors, transport, rdma)
    lines = [_line(adapters, transport, rdma, priors) for adapters in ends]
    known = [line for line in lines if line is not None]
    line = min(known) if known else priors.unknown_link_bytes_per_s
    smaller = priors.idle_compression if transport is MigrationTransport.COMPRESSION and guest.idle else 1.0
    share = prior.line_share * (priors.encrypted_share if encrypted else 1.0)
    ratio = prior.compression_ratio
    link, stream = line * share * ratio * smaller, prior.stream_ceiling_bytes_per_s * ratio * smaller
    limits = [(link, "the link"), (stream, "what one stream reaches")]
    if _frames_differ(*ends):
        limits.append((priors.plateau_bytes_per_s * ratio, "jumbo frames that differ along the path"))
    ceilings = _ceilings(cluster.settings, transport, source, destination, priors)
    lone, held_back_by = min([*limits, *ceilings], key=lambda limit: limit[0])
    capacity = min(link, *(rate for rate, _ in ceilings)) if ceilings else link
    return Path(
        transport, rdma, line, capacity, min(stream, lone), _selection_s(carriers, source, destination, priors),
        held_back_by, len(known) == len(lines), 1.0 / smaller,
    )  # fmt: skip


def _smb_way(
    transport: MigrationTransport, source: Host, destination: Host, ends: Iterable[Sequence[NetworkAdapter]]
) -> tuple[bool, bool]:
    """Whether the path is encrypted, and whether it is RDMA; both are ways of SMB alone."""
    if transport is not MigrationTransport.SMB:
        return False, False
    encrypted = bool(source.smb_encrypts or destination.smb_encrypts)
    plain_only = encrypted and any(host.build is not None and host.build < BUILD_2022 for host in (source, destination))
    return encrypted, all(map(_rdma, ends)) and not plain_only


def _ceilings(
    settings: ClusterSettings, transport: MigrationTransport, source: Host, destination: Host, priors: Priors
) -> list[tuple[float, str]]:
    """What holds all moves of the pair together, besides the link."""
    if transport is MigrationTransport.COMPRESSION:
        return [(min(_compressor(source, priors), _compressor(destination, priors)), "the processors that compress")]
    cap = _smb_cap_bytes_per_s(settings, source, destination) if transport is MigrationTransport.SMB else None
    return [] if cap is None else [(cap, "the cluster's SMB bandwidth limit")]


def transport_of(source: Host, guest: Guest = ANY_GUEST) -> MigrationTransport:
    """What carries a move that begins on this host."""
    if guest.falls_back or source.migration_transport is None:
        return MigrationTransport.COMPRESSION
    return source.migration_transport


def _prior(priors: Priors, transport: MigrationTransport, rdma: bool) -> TransportPriors:
    if transport is MigrationTransport.SMB:
        return priors.smb_direct if rdma else priors.smb
    return priors.tcp if transport is MigrationTransport.TCPIP else priors.compression


def _up(host: Host) -> list[NetworkAdapter]:
    return [adapter for adapter in host.adapters or () if adapter.up is not False and adapter.link_bytes_per_s]


def _rdma(adapters: Iterable[NetworkAdapter]) -> list[NetworkAdapter]:
    return [adapter for adapter in adapters if adapter.rdma_operational]


def _frames_differ(one: Iterable[NetworkAdapter], other: Iterable[NetworkAdapter]) -> bool:
    sizes = {adapter.mtu_bytes for adapter in (*one, *other)}
    return len(sizes) > 1 and None not in sizes


def _line(
    adapters: Sequence[NetworkAdapter], transport: MigrationTransport, rdma: bool, priors: Priors
) -> float | None:
    """Bytes per second on the wire: one adapter for TCP, all of the fastest kind for SMB Multichannel."""
    speeds = [_carries(adapter, priors) for adapter in (_rdma(adapters) if rdma else adapters)]
    if not speeds:
        return None
    fastest = max(speeds)
    return sum(speed for speed in speeds if speed == fastest) if transport is MigrationTransport.SMB else fastest


def _carries(adapter: NetworkAdapter, priors: Priors) -> float:
    speed = adapter.link_bytes_per_s or 0.0
    return min(speed, priors.plateau_bytes_per_s) if adapter.vmq_enabled is False else speed


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


def _selection_s(carriers: Carriers, source: Host, destination: Host, priors: Priors) -> float:
    old = any(host.build is not None and host.build < BUILD_2025 for host in (source, destination))
    return priors.failed_network_s * carriers.failed(source, destination) if old else 0.0
