"""Findings from a cluster that answers or from a snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from console.checks.catalogue import CHECKS, Facts, run_checks
from console.checks.values import Findings
from console.configuration.problems import nearest
from console.diagnose.outlook import outlook_of
from console.model.identity import HostName
from console.snapshot import read_snapshot
from console.snapshot_reading import Instance

from .names import find_host
from .output import narrate
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
        return _checked_offline(snapshot, node)

    async def check_live(operations: LiveOperations) -> tuple[Findings, HostName | None]:
        name_strangers(operations.site.check_policy.rulings)
        if node is None:
            return operations.check(await read_all(operations)), None
        cluster = await operations.read_cluster()
        host = find_host(cluster, node)
        return operations.check(await operations.read_details(cluster, host), host), host

    return with_operations(target, check_live)


def _checked_offline(snapshot: Path, node: str | None) -> tuple[Findings, HostName | None]:
    with explained():
        instance = read_snapshot(snapshot)
    return check_offline(instance, node)


def check_offline(instance: Instance, node: str | None) -> tuple[Findings, HostName | None]:
    """The conflicts of a cluster that is only known from its snapshot.

    Raises:
        UsageProblem: no such host.
    """
    name_strangers(instance.policy.rulings)
    cluster = instance.cluster
    host = None if node is None else find_host(cluster, node)
    outlook = outlook_of(cluster, host, instance.forecaster())
    return run_checks(Facts(cluster, host, outlook), instance.policy), host


def name_strangers(codes: Iterable[str]) -> None:
    """Say which codes of the site's policy are none: a typing error would silence nothing."""
    for code in codes:
        if code not in CHECKS:
            close = nearest(code, CHECKS)
            hint = f" Did you mean {close}?" if close else ""
            narrate(f"The configuration rules on {code!r}, and there is no such conflict.{hint}")
