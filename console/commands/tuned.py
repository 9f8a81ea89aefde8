"""Advice on a cluster that answers or on a snapshot: what the console's advice screen shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.checks.advice import advice_of
from console.checks.values import Findings
from console.model.identity import HostName
from console.planner.values import PlanOptions
from console.planner.whatif import WhatIf

from .checked import check_offline, name_strangers
from .levers import Levers
from .names import find_host
from .planned import instance_from, plan_offline
from .session import read_all, with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations


@dataclass(frozen=True, slots=True)
class Advice:
    """What could be better. ``helps`` is None where no node was named."""

    findings: Findings
    node: HostName | None
    helps: tuple[WhatIf, ...] | None


def tuned(target: Target, snapshot: Path | None, node: str | None) -> Advice:
    """The advice for the cluster and, for one node, what would shorten its drain.

    Raises:
        CommandEnded: no such host, no snapshot, or no connection.
    """
    if snapshot is not None:
        return _offline(snapshot, node)

    async def advise(operations: LiveOperations) -> Advice:
        name_strangers(operations.site.check_policy.rulings)
        if node is None:
            return Advice(advice_of(operations.check(await read_all(operations))), None, None)
        cluster = await operations.read_cluster()
        host = find_host(cluster, node)
        detailed = await operations.read_details(cluster, host)
        plan = operations.plan(detailed, host, PlanOptions())
        return Advice(advice_of(operations.check(detailed, host)), host, operations.what_helps(detailed, plan))

    return with_operations(target, advise)


def _offline(snapshot: Path, node: str | None) -> Advice:
    instance = instance_from(snapshot)
    findings, host = check_offline(instance, node)
    if host is None:
        return Advice(advice_of(findings), None, None)
    _, helps = plan_offline(instance, host, Levers().on(instance.cluster), what_helps=True)
    return Advice(advice_of(findings), host, helps)
