"""A plan from a cluster that answers or from a snapshot: the same facts give the same plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.checks.catalogue import Facts, run_checks
from console.forecast.forecaster import PriorForecaster
from console.model.cluster import Cluster
from console.model.identity import HostName
from console.planner.values import Plan, PlanOptions
from console.planning import make_plan
from console.snapshot import read_snapshot

from .levers import Levers
from .names import find_host
from .session import explained, with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations


def planned(target: Target, snapshot: Path | None, node: str, levers: Levers) -> Plan:
    """The plan for one node.

    Raises:
        CommandEnded: no such host or VM, no snapshot, or no connection.
    """
    if snapshot is None:

        async def plan_live(operations: LiveOperations) -> Plan:
            cluster = await operations.read_cluster()
            host = find_host(cluster, node)
            options = levers.on(cluster)
            return operations.plan(await operations.read_details(cluster, host), host, options)

        return with_operations(target, plan_live)
    with explained():
        cluster = read_snapshot(snapshot)
    return plan_offline(cluster, find_host(cluster, node), levers.on(cluster))


def plan_offline(cluster: Cluster, node: HostName, options: PlanOptions) -> Plan:
    """The plan of a cluster that is only known from its snapshot."""
    return make_plan(cluster, node, options, PriorForecaster(), run_checks(Facts(cluster, node)))
