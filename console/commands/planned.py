"""A plan from a cluster that answers or from a snapshot: the same facts give the same plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.checks.catalogue import Facts, run_checks
from console.exits import UsageProblem
from console.model.cluster import Cluster
from console.model.identity import HostName
from console.planner.roll import RollChoice, RollOptions, RollPlan
from console.planner.values import Plan, PlanOptions
from console.planner.whatif import WhatIf
from console.planning import make_joint_plan, make_roll, make_roll_choices, only, what_would_help
from console.rolling.defaults import RollDefaults
from console.snapshot import read_snapshot
from console.snapshot_reading import Instance

from .levers import Levers, Way
from .names import find_hosts
from .output import narrate
from .session import explained, read_all, with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations


def planned(
    target: Target, snapshot: Path | None, nodes: Sequence[str], levers: Levers, *, what_helps: bool = False
) -> tuple[Plan, tuple[WhatIf, ...]]:
    """The plan for one node, or for several that are emptied together, and, where asked for, what would help it most.

    Raises:
        CommandEnded: no such host or VM, no snapshot, or no connection.
    """
    if snapshot is not None:
        instance = instance_from(snapshot)
        narrate(_rests_on(instance))
        first, *others = find_hosts(instance.cluster, nodes)
        options = levers.on(instance.cluster)
        return plan_offline(instance, first, options, together_with=others, what_helps=what_helps)

    async def plan_live(operations: LiveOperations) -> tuple[Plan, tuple[WhatIf, ...]]:
        cluster = await operations.read_cluster()
        hosts = find_hosts(cluster, nodes)
        options = levers.on(cluster)
        for host in hosts:
            cluster = await operations.read_details(cluster, host)
        plan = operations.plan_together(cluster, hosts, options)
        return plan, operations.what_helps(cluster, plan) if what_helps else ()

    return with_operations(target, plan_live)


def rolled(
    target: Target, snapshot: Path | None, nodes: tuple[str, ...], levers: Levers, way: Way
) -> tuple[Cluster, RollPlan, tuple[RollChoice, ...]]:
    """The rolling plan, and what other waves would cost; no nodes stand for all.

    Raises:
        CommandEnded: no such host or VM, no snapshot, or no connection.
    """
    if snapshot is not None:
        instance = instance_from(snapshot)
        narrate(_rests_on(instance))
        cluster = instance.cluster
        return _roll_offline(instance, _nodes(cluster, nodes), way.over(RollDefaults()).with_plan(levers.on(cluster)))

    async def roll_live(operations: LiveOperations) -> tuple[Cluster, RollPlan, tuple[RollChoice, ...]]:
        cluster = await read_all(operations)
        options = way.over(operations.rolling.defaults).with_plan(levers.on(cluster))
        return cluster, *operations.roll(cluster, _nodes(cluster, nodes), options)

    return with_operations(target, roll_live)


def _rests_on(instance: Instance) -> str:
    """On what the forecasts of a file rest, in a sentence."""
    past = instance.cluster.past
    count = 0 if past is None else len(past.moves)
    if not count:
        return "Forecast from priors: the snapshot holds no earlier moves, from which a plan learns."
    return f"Forecast from the {count} earlier move{'s' * (count != 1)} that the snapshot holds, as the live plan was."


def instance_from(snapshot: Path) -> Instance:
    """The file's instance; what meant nothing in it is said on stderr.

    Raises:
        CommandEnded: no such file, or it does not fit the schema.
    """
    with explained():
        instance = read_snapshot(snapshot)
    for note in instance.notes:
        narrate(f"{snapshot.name}: {note}")
    return instance


def plan_offline(
    instance: Instance,
    node: HostName,
    levers: PlanOptions,
    *,
    together_with: Sequence[HostName] = (),
    what_helps: bool = False,
) -> tuple[Plan, tuple[WhatIf, ...]]:
    """The plan of a cluster that is only known from its snapshot."""
    cluster, forecaster, nodes = instance.cluster, instance.forecaster(), (node, *together_with)
    findings = run_checks(Facts(cluster, only(nodes)), instance.policy)
    plan = make_joint_plan(cluster, nodes, instance.options_of(levers), forecaster, findings)
    return plan, what_would_help(cluster, plan, forecaster, findings) if what_helps else ()


def _roll_offline(
    instance: Instance, nodes: tuple[HostName, ...], options: RollOptions
) -> tuple[Cluster, RollPlan, tuple[RollChoice, ...]]:
    cluster, forecaster = instance.cluster, instance.forecaster()
    findings = run_checks(Facts(cluster, None), instance.policy)
    asked = options.with_plan(instance.options_of(options.plan))
    return (
        cluster,
        make_roll(cluster, nodes, asked, forecaster, findings),
        make_roll_choices(cluster, nodes, asked, forecaster, findings),
    )


def _nodes(cluster: Cluster, typed: tuple[str, ...]) -> tuple[HostName, ...]:
    nodes = find_hosts(cluster, typed) or tuple(host.name for host in cluster.hosts)
    if len(nodes) < 1:
        raise UsageProblem("The cluster has no hosts.")
    return nodes
