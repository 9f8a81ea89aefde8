"""What is read while moves run, as values. Sources: windows-monitoring notes carried in the docstrings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.model.cluster import MigrationProgress
from console.model.identity import HostName
from console.windows.commands import Row

from .values import Problems, Reader

MIGRATING = 32774
"""VMOperationalStatus.MigratingVirtualMachine."""

_INSTANCE_SUFFIX = ":VM Live Migration"
JOB_MOVES = frozenset((305, 306))
"""Msvm_MigrationJob.JobType: moving the VM, moving the VM and its storage."""

_DONE = frozenset((7, 32768))
"""JobState: completed, completed with warnings."""
_OVER = _DONE | {8, 9, 10}
"""…, terminated, killed, exception."""


@dataclass(frozen=True, slots=True)
class MigrationJob:
    """Msvm_MigrationJob, on the host that a VM leaves."""

    id: str
    virtual_system: str
    """The VM's name or GUID: Windows does not promise which."""
    destination: HostName | None
    percent: float | None
    state: int | None
    job_type: int | None
    error_code: int | None
    error: str
    """Windows' own words, localised: for display only."""
    cancellable: bool | None
    started_at: datetime | None

    @property
    def over(self) -> bool:
        return self.state in _OVER

    @property
    def succeeded(self) -> bool:
        """Ended well: a completed state alone is not enough, its error code must be 0 too."""
        return self.state in _DONE and self.error_code == 0


@dataclass(frozen=True, slots=True)
class VolumeCounters:
    """One reading of a shared volume's raw counters; two of them make a latency."""

    name: str
    frequency: int
    """Ticks a second."""
    read_ticks: int
    reads: int
    write_ticks: int
    writes: int
    redirected: int | None
    """Redirected reads and writes so far."""
    pauses: int | None

    def read_latency_s(self, before: VolumeCounters) -> float | None:
        """Mean seconds a read took since ``before``; None when there was none, or the counters began anew."""
        return _mean_s(self.read_ticks - before.read_ticks, self.reads - before.reads, self.frequency)

    def write_latency_s(self, before: VolumeCounters) -> float | None:
        """Mean seconds a write took since ``before``."""
        return _mean_s(self.write_ticks - before.write_ticks, self.writes - before.writes, self.frequency)


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """Consecutive cluster heartbeats that a host misses on one route, and how many are allowed."""

    name: str
    missing: int
    limit: int | None


def of_resource(data: int | None) -> MigrationProgress | None:
    """ResourceSpecificData1 of a VM's resource: the operational status in the upper half, percent in the lowest byte.

    None when the VM does not migrate, or when nothing could be read (undocumented: always with a second source).
    """
    if data is None or data >> 32 != MIGRATING:
        return None
    percent = data & 0xFF
    return MigrationProgress(percent=float(percent) if percent <= 100 else None)


def counters(rows: Sequence[Row], problems: Problems) -> dict[str, MigrationProgress]:
    """Progress by VM name; a name that two migrations share is left out, for nobody could tell them apart."""
    found: dict[str, MigrationProgress] = {}
    twice: set[str] = set()
    for row in rows:
        read = Reader(row, problems)
        instance = read.text("Name")
        if instance is None or instance == "_Total":
            continue
        name = instance.removesuffix(_INSTANCE_SUFFIX)
        if name in found:
            twice.add(name)
        found[name] = _counter(read)
    return {name: progress for name, progress in found.items() if name not in twice}


def _counter(read: Reader) -> MigrationProgress:
    blackout = read.size("TransferPassIsblackout")
    smb, compressed, plain = (
        read.size(name, nullable=True)
        for name in ("SMBTransportBytesSent", "CompressorCompressedBytesSent", "MemoryWalkerUncompressedBytesSent")
    )
    tcp_rate, smb_rate = (
        read.size(name, nullable=True) for name in ("TCPTransportBytesSentPersec", "SMBTransportBytesSentPersec")
    )
    rates = [rate for rate in (tcp_rate, smb_rate) if rate is not None]
    return MigrationProgress(
        pass_number=read.size("TransferPassNumber"),
        dirty_pages=read.size("TransferpassDirtyPageCount"),
        rate_bytes_per_s=float(max(rates)) if rates else None,
        bytes_sent=smb or _total(compressed, plain),
        blackout=None if blackout is None else blackout != 0,
        cpu_cap=read.size("TransferpassCPUCap", nullable=True),
    )


def _total(compressed: int | None, plain: int | None) -> int | None:
    known = [part for part in (compressed, plain) if part is not None]
    return sum(known) if known else None


def jobs(rows: Sequence[Row], problems: Problems) -> tuple[MigrationJob, ...]:
    """Every migration job that the host tells of, ended ones for five minutes too."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        system = read.text("VirtualSystemName", nullable=True)
        if system is None:
            continue
        destination = read.text("DestinationHost", nullable=True)
        percent = read.size("PercentComplete")
        found.append(
            MigrationJob(
                id=read.text("InstanceID", nullable=True) or "",
                virtual_system=system,
                destination=HostName(destination) if destination else None,
                percent=None if percent is None else float(min(percent, 100)),
                state=read.number("JobState"),
                job_type=read.number("JobType"),
                error_code=read.number("ErrorCode", nullable=True),
                error=read.text("ErrorSummaryDescription", nullable=True)
                or read.text("ErrorDescription", nullable=True)
                or "",
                cancellable=read.truth("Cancellable", nullable=True),
                started_at=read.moment("StartTime", nullable=True),
            )
        )
    return tuple(found)


def volume_counters(rows: Sequence[Row], problems: Problems) -> dict[str, VolumeCounters]:
    """By the volume's instance name; a row with a gap in it is left out."""
    found: dict[str, VolumeCounters] = {}
    for row in rows:
        read = Reader(row, problems)
        name, frequency = read.text("Name"), read.size("Frequency_PerfTime")
        ticks = [read.size(f"{kind}Latency{part}") for kind in ("Read", "Write") for part in ("", "_Base")]
        read_ticks, reads, write_ticks, writes = ticks
        if name is None or name == "_Total" or not frequency:
            continue
        if read_ticks is None or reads is None or write_ticks is None or writes is None:
            continue
        found[name] = VolumeCounters(
            name=name,
            frequency=frequency,
            read_ticks=read_ticks,
            reads=reads,
            write_ticks=write_ticks,
            writes=writes,
            redirected=_total(
                read.size("RedirectedReads", nullable=True), read.size("RedirectedWrites", nullable=True)
            ),
            pauses=read.size("VolumePauseCountTotal", nullable=True),
        )
    return found


def heartbeats(rows: Sequence[Row], problems: Problems) -> tuple[Heartbeats, ...]:
    """One a route to another node."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        name, missing = read.text("Name"), read.size("Missingheartbeats")
        if name is not None and missing is not None:
            found.append(Heartbeats(name, missing, read.size("Missingheartbeatslimit", nullable=True)))
    return tuple(found)


def smb_stalls_per_s(rows: Sequence[Row], problems: Problems) -> float | None:
    """Credit stalls a second over all shares; None when no share told."""
    stalls = [Reader(row, problems).size("CreditStallsPersec") for row in rows if row.get("Name") != "_Total"]
    known = [count for count in stalls if count is not None]
    return float(sum(known)) if known else None


def _mean_s(ticks: int, operations: int, frequency: int) -> float | None:
    if operations <= 0 or ticks < 0:
        return None
    return ticks / frequency / operations
