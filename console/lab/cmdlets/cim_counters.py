"""Performance counters of one host, as WMI shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.lab.cmdlets.cim import provides
from console.lab.cmdlets.cim_host import CIMV2, Port, ports
from console.lab.cmdlets.cim_virtual import guests
from console.lab.cmdlets.invocation import Scope
from console.lab.cmdlets.objects import CimShape
from console.lab.world import facts_counters, progress, telemetry
from console.lab.world.facts import VolumeCounter
from console.lab.world.facts_counters import Route, Share
from console.lab.world.progress import Counters
from console.lab.world.state import Host, Transport, VirtualMachine, Volume
from console.model.units import MIB

TICKS_PER_S = 10_000_000
"""Frequency_PerfTime: what QueryPerformanceFrequency gives on current systems."""
_ALL = 2**32
_FORMATTED, _RAW = "Win32_PerfFormattedData", "Win32_PerfRawData"


# -- live migrations ------------------------------------------------------------------------------------------------


def _sent(counters: Counters, *transports: Transport) -> bool:
    return counters.at_source and Transport(counters.move.transport) in transports


def _at_source(value: Callable[[Counters], float]) -> Callable[[Scope, Counters], int]:
    return lambda _, c: int(value(c)) if c.at_source else 0


def _when(value: Callable[[Counters], float], *transports: Transport) -> Callable[[Scope, Counters], int]:
    return lambda _, c: int(value(c)) if _sent(c, *transports) else 0


def _received(value: Callable[[Counters], float], *transports: Transport) -> Callable[[Scope, Counters], int]:
    return lambda _, c: int(value(c)) if not c.at_source and Transport(c.move.transport) in transports else 0


_TCP = (Transport.TCPIP, Transport.COMPRESSION)

MIGRATION: CimShape[Counters] = CimShape(
    CIMV2,
    f"{_FORMATTED}_LmPerfProvider_HyperVVMLiveMigration",
    {
        "Name": lambda _, c: f"{c.vm.name}:VM Live Migration",
        "TransferPassNumber": _at_source(lambda c: c.pass_number),
        "TransferpassDirtyPageCount": _at_source(lambda c: c.dirty_pages),
        "TransferPassIsblackout": _at_source(lambda c: c.blackout),
        "TransferpassCPUCap": _at_source(lambda c: c.move.cpu_cap),
        "MemoryWalkerBytesReadPersec": _at_source(lambda c: c.rate_bytes_per_s * c.move.ratio),
        "MemoryWalkerUncompressedBytesSent": _when(lambda c: c.memory_bytes, Transport.TCPIP, Transport.SMB),
        "MemoryWalkerUncompressedBytesSentPersec": _when(lambda c: c.rate_bytes_per_s, Transport.TCPIP, Transport.SMB),
        "MemoryWalkerBytesSentforCompression": _when(lambda c: c.memory_bytes, Transport.COMPRESSION),
        "MemoryWalkerBytesSentforCompressionPersec": _when(
            lambda c: c.rate_bytes_per_s * c.move.ratio, Transport.COMPRESSION
        ),
        "CompressorCompressedBytesSent": _when(lambda c: c.wire_bytes, Transport.COMPRESSION),
        "CompressorCompressedBytesSentPersec": _when(lambda c: c.rate_bytes_per_s, Transport.COMPRESSION),
        "TCPTransportBytesSentPersec": _when(lambda c: c.rate_bytes_per_s, *_TCP),
        "TCPTransportBytesReceivedPersec": _received(lambda c: c.rate_bytes_per_s, *_TCP),
        "SMBTransportBytesSent": _when(lambda c: c.wire_bytes, Transport.SMB),
        "SMBTransportBytesSentPersec": _when(lambda c: c.rate_bytes_per_s, Transport.SMB),
        "ReceiverBytesWrittenPersec": _received(lambda c: c.rate_bytes_per_s * c.move.ratio, *Transport),
        "ReceiverCompressedBytesReceivedPersec": _received(lambda c: c.rate_bytes_per_s, Transport.COMPRESSION),
        "ReceiverDecompressedBytesPersec": _received(
            lambda c: c.rate_bytes_per_s * c.move.ratio, Transport.COMPRESSION
        ),
        "ReceiverUncompressedBytesReceivedPersec": _received(lambda c: c.rate_bytes_per_s, Transport.TCPIP),
    },
)
"""Instances exist while a migration carries memory; the walker, compressor and transport count at the source, the
receiver at the destination."""


@provides(MIGRATION)
def _migrations(scope: Scope) -> Iterable[Counters]:
    return progress.counters_on(scope.world, scope.host.name)


# -- shared volumes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VolumeHere:
    """A shared volume as this host uses it."""

    host: Host
    volume: Volume

    @property
    def name(self) -> str:
        return self.volume.path.rpartition("\\")[2]


def _counter(scope: Scope, here: VolumeHere) -> VolumeCounter:
    return facts_counters.volume_counter(scope.world, here.host, here.volume)


def _redirected(scope: Scope, here: VolumeHere) -> int:
    return int(_counter(scope, here).redirected / 2)


def _now_ticks(scope: Scope, _: object) -> int:
    return int(scope.world.now_s * TICKS_PER_S)


VOLUME_RAW: CimShape[VolumeHere] = CimShape(
    CIMV2,
    f"{_RAW}_CsvFsPerfProvider_ClusterCSVFileSystem",
    {
        "Name": lambda _, v: v.name,
        "Frequency_PerfTime": lambda _, v: TICKS_PER_S,
        "Frequency_Sys100NS": lambda _, v: TICKS_PER_S,
        "Timestamp_PerfTime": _now_ticks,
        "Timestamp_Sys100NS": _now_ticks,
        "Reads": lambda s, v: int(_counter(s, v).reads),
        "Writes": lambda s, v: int(_counter(s, v).writes),
        "ReadsPersec": lambda s, v: int(_counter(s, v).reads),
        "WritesPersec": lambda s, v: int(_counter(s, v).writes),
        "ReadLatency": lambda s, v: int(_counter(s, v).read_s * TICKS_PER_S) % _ALL,
        "ReadLatency_Base": lambda s, v: int(_counter(s, v).reads) % _ALL,
        "WriteLatency": lambda s, v: int(_counter(s, v).write_s * TICKS_PER_S) % _ALL,
        "WriteLatency_Base": lambda s, v: int(_counter(s, v).writes) % _ALL,
        "RedirectedReads": _redirected,
        "RedirectedWrites": _redirected,
        "VolumePauseCountTotal": lambda _, v: 0,
        "VolumePauseCountDisk": lambda _, v: 0,
        "VolumePauseCountNetwork": lambda _, v: 0,
        "VolumePauseCountOther": lambda _, v: 0,
    },
)

VOLUME_FORMATTED: CimShape[VolumeHere] = CimShape(
    CIMV2,
    f"{_FORMATTED}_CsvFsPerfProvider_ClusterCSVFileSystem",
    {
        "Name": lambda _, v: v.name,
        "ReadsPersec": lambda s, v: int(facts_counters.rates_per_s(s.world, v.host, v.volume)[0]),
        "WritesPersec": lambda s, v: int(facts_counters.rates_per_s(s.world, v.host, v.volume)[1]),
        "ReadLatency": lambda s, v: int(telemetry.volume_latency_s(s.world, v.volume, v.host)),
        "WriteLatency": lambda s, v: int(telemetry.volume_latency_s(s.world, v.volume, v.host)),
        "RedirectedReads": _redirected,
        "RedirectedWrites": _redirected,
        "VolumePauseCountTotal": lambda _, v: 0,
    },
)
"""Latencies are whole seconds here, as Windows rounds them."""


@provides(VOLUME_RAW)
def _volumes(scope: Scope) -> Iterable[VolumeHere]:
    return [VolumeHere(scope.host, volume) for volume in scope.world.volumes.values()]


provides(VOLUME_FORMATTED)(_volumes)

# -- networks -------------------------------------------------------------------------------------------------------

HEARTBEATS: CimShape[Route] = CimShape(
    CIMV2,
    f"{_FORMATTED}_NetFtPerfProvider_ClusterNetFtHeartbeats",
    {
        "Name": lambda _, r: r.name,
        "Missingheartbeats": lambda _, r: r.missing,
        "Missingheartbeatslimit": lambda _, r: r.limit,
    },
)


@provides(HEARTBEATS)
def _routes(scope: Scope) -> Iterable[Route]:
    return facts_counters.routes(scope.world, scope.host)


SHARES: CimShape[Share] = CimShape(
    CIMV2,
    f"{_FORMATTED}_Counters_SMBClientShares",
    {
        "Name": lambda _, s: s.name,
        "CreditStallsPersec": lambda _, s: round(s.stalls_per_s),
        "DataBytesPersec": lambda _, s: int(s.bytes_per_s),
        "DataRequestsPersec": lambda _, s: int(s.bytes_per_s / facts_counters.BYTES_PER_OPERATION),
    },
)


@provides(SHARES)
def _shares(scope: Scope) -> Iterable[Share]:
    each = facts_counters.shares(scope.world, scope.host)
    total = Share("_Total", sum(share.bytes_per_s for share in each), sum(share.stalls_per_s for share in each))
    return [total, *each]


def _sent_now(scope: Scope, port: Port) -> int:
    return int(facts_counters.traffic(scope.world, port.host, port.adapter.network).sent_bytes_per_s)


def _received_now(scope: Scope, port: Port) -> int:
    return int(facts_counters.traffic(scope.world, port.host, port.adapter.network).received_bytes_per_s)


def _instance(_: Scope, port: Port) -> str:
    """Counter instances write brackets for parentheses and an underscore for a hash sign."""
    return port.adapter.description.translate(str.maketrans("()#", "[]_"))


INTERFACES: CimShape[Port] = CimShape(
    CIMV2,
    f"{_FORMATTED}_Tcpip_NetworkInterface",
    {
        "Name": _instance,
        "BytesSentPersec": _sent_now,
        "BytesReceivedPersec": _received_now,
        "BytesTotalPersec": lambda s, p: _sent_now(s, p) + _received_now(s, p),
        "CurrentBandwidth": lambda _, p: p.adapter.bits_per_s if p.adapter.up else 0,
    },
)
"""RDMA passes by TCP/IP: such traffic is counted by the RDMA set instead."""


@provides(INTERFACES)
def _by_tcp(scope: Scope) -> Iterable[Port]:
    return [port for port in ports(scope) if not _by_rdma_too(scope, port)]


RDMA: CimShape[Port] = CimShape(
    CIMV2,
    f"{_FORMATTED}_Counters_RDMAActivity",
    {
        "Name": _instance,
        "RDMAOutboundBytesPersec": _sent_now,
        "RDMAInboundBytesPersec": _received_now,
        "RDMAActiveConnections": lambda s, p: 2 if _sent_now(s, p) or _received_now(s, p) else 0,
        "RDMAFailedConnectionAttempts": lambda _, p: 0,
        "RDMAConnectionErrors": lambda _, p: 0,
        "RDMACompletionQueueErrors": lambda _, p: 0,
    },
)


def _by_rdma_too(scope: Scope, port: Port) -> bool:
    return facts_counters.uses_smb_direct(scope.world, port.host, port.adapter.network)


@provides(RDMA)
def _by_rdma(scope: Scope) -> Iterable[Port]:
    return [port for port in ports(scope) if port.adapter.rdma and port.adapter.rdma_operational]


# -- memory ---------------------------------------------------------------------------------------------------------

DYNAMIC_MEMORY: CimShape[VirtualMachine] = CimShape(
    CIMV2,
    f"{_FORMATTED}_BalancerStats_HyperVDynamicMemoryVM",
    {
        "Name": lambda _, v: v.name,
        "PhysicalMemory": lambda _, v: v.held_bytes // MIB,
        "GuestVisiblePhysicalMemory": lambda _, v: v.held_bytes // MIB,
        "CurrentPressure": lambda s, v: 100 * telemetry.vm_demand_bytes(s.world, v) // max(v.held_bytes, 1),
        "AveragePressure": lambda s, v: 100 * telemetry.vm_demand_bytes(s.world, v) // max(v.held_bytes, 1),
    },
)


@provides(DYNAMIC_MEMORY)
def _running(scope: Scope) -> Iterable[VirtualMachine]:
    return [vm for vm in guests(scope) if vm.running]
