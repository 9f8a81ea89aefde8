"""Cluster-wide rows that only conflicts rest on: quorum, storage health, Network ATC, delegation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from console.model.facts import AccessRule, Delegation, DelegationEntry, Quorum, QuorumKind, StorageJob, VirtualDisk
from console.windows.commands import ObjectText, Row

from .values import Problems, Reader

T = TypeVar("T")


def quorum(rows: Sequence[Row], problems: Problems) -> Quorum | None:
    """Get-ClusterQuorum; without a witness its resource is null."""
    if not rows:
        problems.add("the answer", "is empty")
        return None
    read = Reader(rows[0], problems)
    resource = read.value("QuorumResource", nullable=True)
    kind = read.enum("QuorumType", QuorumKind)
    if "QuorumResource" not in rows[0] or not isinstance(resource, str | ObjectText | None):
        problems.add("QuorumResource", "names nothing")
        return None
    named = resource.text if isinstance(resource, ObjectText) else resource
    return Quorum(kind, bool(named))


_ALLOW = 0
"""AccessControlType."""
_FULL = 2
"""ClusterRights."""


def access(rows: Sequence[Row], problems: Problems) -> tuple[AccessRule, ...] | None:
    """Get-ClusterAccess; None when a rule could not be read."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        identity, kind, rights = (
            read.name("IdentityReference"),
            read.number("AccessControlType"),
            read.number("ClusterRights"),
        )
        known = identity is not None and kind is not None and rights is not None
        found.append(AccessRule(identity or "", kind == _ALLOW, rights == _FULL) if known else None)
    return _all(found)


def storage_jobs(rows: Sequence[Row], problems: Problems) -> tuple[StorageJob, ...] | None:
    """MSFT_StorageJob; None when the state of one could not be read."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        state = read.number("JobState")
        job = (
            None
            if state is None
            else StorageJob(read.text("Name", nullable=True) or "", state, read.size("PercentComplete", nullable=True))
        )
        found.append(job)
    return _all(found)


def virtual_disks(rows: Sequence[Row], problems: Problems) -> tuple[VirtualDisk, ...] | None:
    """MSFT_VirtualDisk; None when the health of one could not be read."""
    found = []
    for row in rows:
        read = Reader(row, problems)
        health = read.number("HealthStatus")
        found.append(None if health is None else VirtualDisk(read.text("FriendlyName", nullable=True) or "", health))
    return _all(found)


def network_intents(rows: Sequence[Row], problems: Problems) -> int:
    """Get-NetIntentStatus: how many rows."""
    return len(rows)


def delegations(rows: Sequence[Row], problems: Problems) -> Mapping[str, Delegation]:
    """Get-ADComputer, by the computer's name in small letters; without the attribute it may delegate to none."""
    found: dict[str, Delegation] = {}
    for row in rows:
        read = Reader(row, problems)
        name, principals = read.name("Name"), read.names("msDS-AllowedToDelegateTo")
        if name is not None and principals is not None:
            entries = tuple(entry for text in principals if (entry := _entry(text)) is not None)
            found[name.casefold()] = Delegation(entries, read.truth("TrustedToAuthForDelegation", nullable=True))
    return found


def _entry(principal: str) -> DelegationEntry | None:
    """ "cifs/HV02.corp.example", also with a port or an instance behind it."""
    service, _, rest = principal.partition("/")
    host = rest.partition("/")[0].partition(":")[0]
    short, dot, _ = host.partition(".")
    return DelegationEntry(service, short, bool(dot)) if service and short else None


def _all(items: Sequence[T | None]) -> tuple[T, ...] | None:
    known = tuple(item for item in items if item is not None)
    return known if len(known) == len(items) else None
