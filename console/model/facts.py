"""Facts that only conflicts rest on: quorum, storage, delegation, GPUs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class QuorumKind(IntEnum):
    """ClusterQuorumType."""

    UNKNOWN = 0
    MAJORITY = 1
    DISK_ONLY = 2


@dataclass(frozen=True, slots=True)
class Quorum:
    """Get-ClusterQuorum."""

    kind: QuorumKind | None
    witness: bool
    """A witness is configured."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Get-ClusterAccess."""

    identity: str
    """Account or group, as DOMAIN\\name."""
    allows: bool
    full: bool
    """Full control; else read access."""


@dataclass(frozen=True, slots=True)
class StorageJob:
    """MSFT_StorageJob."""

    name: str
    state: int
    """2 new, 3 starting, 4 running, 5 suspended, 6 shutting down, 7 completed, 8 terminated, 9 killed, 10 exception."""
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class VirtualDisk:
    """MSFT_VirtualDisk."""

    name: str
    health: int
    """0 healthy, 1 warning, 2 unhealthy, 5 unknown."""


@dataclass(frozen=True, slots=True)
class DelegationEntry:
    """One service principal that a computer account may delegate to: "cifs/HV02.corp.example"."""

    service: str
    target: str
    """The host's short name."""
    qualified: bool
    """The entry names the host with its domain."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """A computer account's constrained delegation (msDS-AllowedToDelegateTo)."""

    entries: tuple[DelegationEntry, ...]
    any_protocol: bool | None
    """TrustedToAuthForDelegation: also for sign-ins that are not Kerberos."""


@dataclass(frozen=True, slots=True)
class PartitionableGpu:
    """Get-VMHostPartitionableGpu."""

    name: str
    """The device's path."""
    model: str
    """Vendor and device in the path: "VEN_10DE&DEV_25B6"; empty when the path has none."""
    partition_count: int | None
    free_memory_bytes: int | None = None
    partition_memory_bytes: int | None = None
    """What the smallest partition takes."""
