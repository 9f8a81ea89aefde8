"""Rows of the Cluster Shared Volumes into facts."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.cluster import SharedVolume, VolumeState
from console.model.identity import HostName
from console.windows.commands import Row

from .values import Problems, Reader


def volume_states(rows: Sequence[Row], problems: Problems) -> dict[str, list[tuple[HostName, VolumeState]]]:
    """Get-ClusterSharedVolumeState, by the volume's resource."""
    found: dict[str, list[tuple[HostName, VolumeState]]] = {}
    for row in rows:
        read = Reader(row, problems)
        name, node, state = read.name("Name"), read.name("Node"), read.enum("StateInfo", VolumeState)
        if name is not None and node is not None and state is not None:
            found.setdefault(name, []).append((HostName(node), state))
    return found


def redirection_reasons(rows: Sequence[Row], problems: Problems) -> dict[str, list[tuple[HostName, int]]]:
    """FileSystemRedirectedIOReason of Get-ClusterSharedVolumeState, by the volume's resource; 0 is no reason."""
    found: dict[str, list[tuple[HostName, int]]] = {}
    for row in rows:
        read = Reader(row, problems)
        reason = read.number("FileSystemRedirectedIOReason", nullable=True, signed=False)
        name, node = read.name("Name"), read.name("Node")
        if name is not None and node is not None and reason:
            found.setdefault(name, []).append((HostName(node), reason))
    return found


def shared_volumes(rows: Sequence[Row], states: Sequence[Row], problems: Problems) -> tuple[SharedVolume, ...]:
    """Get-ClusterSharedVolume with Get-ClusterSharedVolumeState, joined by the resource's name."""
    by_name, reasons = volume_states(states, problems), redirection_reasons(states, problems)
    found = []
    for row in rows:
        read = Reader(row, problems)
        name, owner = read.name("Name"), read.name("OwnerNode", nullable=True)
        if name is not None:
            found.append(
                SharedVolume(
                    name=name,
                    coordinator=None if owner is None else HostName(owner),
                    states=tuple(by_name.get(name, ())),
                    redirected_for=tuple(reasons.get(name, ())),
                )
            )
    return tuple(found)
