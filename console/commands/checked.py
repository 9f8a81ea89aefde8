"""Findings from a cluster that answers or from a snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.checks.catalogue import Facts, run_checks
from console.checks.values import Findings
from console.model.identity import HostName
from console.snapshot import read_snapshot

from .names import find_host
from .session import explained, read_all, with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations


def checked(target: Target, snapshot: Path | None, node: str | None) -> tuple[Findings, HostName | None]:
    """The conflicts of the cluster, or of emptying one node, and that node by its proper name.

    Raises:
        CommandEnded: no such host, no snapshot, or no connection.
    """
    if snapshot is not None:
        with explained():
            instance = read_snapshot(snapshot)
        host = None if node is None else find_host(instance.cluster, node)
        return run_checks(Facts(instance.cluster, host), instance.policy), host

    async def check_live(operations: LiveOperations) -> tuple[Findings, HostName | None]:
        if node is None:
            return operations.check(await read_all(operations)), None
        cluster = await operations.read_cluster()
        host = find_host(cluster, node)
        return operations.check(await operations.read_details(cluster, host), host), host

    return with_operations(target, check_live)
