"""A drain from the command line: the plan, the consents that it needs, the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.checks.hosts import lacking_commands
from console.consents import EVERY, Consents
from console.drain.settings import PARALLEL_MIGRATIONS
from console.drain.state import Purpose, WhenStuck
from console.exits import CommandEnded, ExitCode, UsageProblem
from console.formatting import plain
from console.journal.trouble import JournalUnusable
from console.model.cluster import Cluster
from console.model.failures import CommandFailed
from console.model.identity import HostName, VmId
from console.planner.sorting import aimed
from console.planner.values import Engine, Plan, PlanOptions
from console.runs import Manner
from console.windows.modules import OPERATE_ENDPOINT, PLAIN_ENDPOINT

from .consents import Agreed
from .followed import follow
from .levers import Levers
from .names import find_host
from .output import narrate
from .session import with_operations
from .target import Target

if TYPE_CHECKING:
    from console.composition import LiveOperations
    from console.runs import JournalRun


@dataclass(frozen=True, slots=True)
class DrainRequest:
    """A drain as it was typed."""

    levers: Levers
    agreed: Agreed
    native: bool = False
    pause_node: bool = True
    when_stuck: str | None = None
    aim: str | None = None
    """Where a native drain sends everything."""


def drained(target: Target, node: str, wishes: DrainRequest, *, as_json: bool, events: bool) -> int:
    """Plan, start and follow a drain; returns its exit code.

    Raises:
        CommandEnded: it can not start: names, consents, another run, no connection.
    """

    async def work(operations: LiveOperations) -> int:
        cluster = await operations.read_cluster()
        host = find_host(cluster, node)
        consents = wishes.agreed.on(cluster)
        options = aimed_options(_options(wishes, cluster, consents), cluster, host, wishes.aim)
        cluster = await operations.read_details(cluster, host)
        require_endpoint(operations, cluster, host)
        plan = operations.plan(cluster, host, options)
        plan = _left_by_consent(plan, operations, cluster, consents)
        require_consents(plan, consents)
        manner = Manner(wishes.pause_node, when_stuck(operations, wishes.when_stuck))
        handle = await start(operations, plan, consents, Purpose.DRAIN, manner)
        return await follow(operations.run_book, handle, as_json=as_json, events=events, may_stop=True)

    return with_operations(target, work, read_only=False)


def require_endpoint(operations: LiveOperations, cluster: Cluster, node: HostName) -> None:
    """Say once that the endpoint is for looking only, rather than of every VM that no host can take it.

    Raises:
        CommandEnded: it offers nothing that a run needs.
    """
    endpoint = operations.site.options.endpoint
    if endpoint != PLAIN_ENDPOINT and lacking_commands(cluster.host_by_name[node]):
        raise CommandEnded(
            ExitCode.BLOCKED,
            f"Nothing was sent: {plain(endpoint)} on {plain(node)} lets this console look, not move.\n"
            f"Name one that does as the cluster's endpoint, such as {OPERATE_ENDPOINT} (drainboard jea export).",
        )


def when_stuck(operations: LiveOperations, typed: str | None) -> WhenStuck:
    """What was typed, else what the site wants; else nobody is there to be asked."""
    if typed is not None:
        return WhenStuck(typed)
    return operations.site.when_stuck or WhenStuck.CANCEL


async def start(
    operations: LiveOperations, plan: Plan, consents: Consents, purpose: Purpose, manner: Manner
) -> JournalRun:
    """Start a run for a plan.

    Raises:
        CommandEnded: read-only, another run holds the node, or it could not be written down.
    """
    try:
        return await operations.start_run(plan, consents, purpose, manner)
    except PermissionError as error:
        raise UsageProblem(f"Nothing was sent: {error}. Remove read_only from the configuration to drain.") from None
    except CommandFailed as failure:
        raise CommandEnded(ExitCode.HELD_BY_ANOTHER, f"{failure.what} {failure.advice}") from None
    except JournalUnusable as trouble:
        raise CommandEnded(ExitCode.USAGE, f"The run was not started: {trouble}") from None


def with_limit(options: PlanOptions, settings: tuple[tuple[str, int], ...]) -> PlanOptions:
    """A limit that the run will set is the one to plan with, where no slots were typed."""
    limit = dict(settings).get(PARALLEL_MIGRATIONS)
    return options if limit is None or options.slots is not None else replace(options, slots=max(limit, 1))


def _options(wishes: DrainRequest, cluster: Cluster, consents: Consents) -> PlanOptions:
    options = with_limit(wishes.levers.on(cluster), consents.settings)
    left = frozenset(VmId(vm) for vm in consents.leave_behind - {EVERY})
    engine = Engine.NATIVE if wishes.native else Engine.PLANNED
    return replace(options, engine=engine, excluded=options.excluded | left)


def aimed_options(options: PlanOptions, cluster: Cluster, node: HostName, typed: str | None) -> PlanOptions:
    """The options with the target that was typed.

    Raises:
        CommandEnded: the cluster has no such node, or the cluster's drain would refuse it (5005).
    """
    if typed is None:
        return options
    target = find_host(cluster, typed)
    if target == node:
        raise UsageProblem(f"{target} is the node that is drained. Name another one as --target.")
    host = cluster.host_by_name[target]
    if not host.accepts_vms:
        state = host.state.name.lower() if host.state is not None else "not known"
        raise CommandEnded(
            ExitCode.BLOCKED, f"{target} takes no roles now: it is {state}. Resume it, or name another --target."
        )
    return aimed(options, cluster, target)


def _left_by_consent(plan: Plan, operations: LiveOperations, cluster: Cluster, consents: Consents) -> Plan:
    """``--leave-behind all`` covers what has no place, too: it is planned as left behind."""
    if EVERY not in consents.leave_behind or not plan.infeasible:
        return plan
    stay = frozenset(item.vm.id for item in plan.infeasible)
    return operations.plan(cluster, plan.node, replace(plan.options, excluded=plan.options.excluded | stay))


def require_consents(plan: Plan, consents: Consents) -> None:
    """Whether everything that would not go over live, or not at all, was agreed to.

    Raises:
        CommandEnded: with the list of what was not, and how to agree to it.
    """
    lines: list[str] = []
    for item in plan.infeasible:
        lines.append(f"  {plain(item.vm.name)}: {plain(item.reason)}")
    if lines:
        lines = ["No host takes these VMs:", *lines, "Mend that, or leave them: --leave-behind VM (or all)"]
    interrupted = [item for item in plan.interrupted if not _covers(consents.interrupt, item.vm.id)]
    if interrupted:
        lines.append("These VMs would be interrupted:")
        lines += [f"  {plain(item.vm.name)}: {plain(item.how)}" for item in interrupted]
        lines.append("Agree with --allow-interrupt VM (or all), or leave them: --leave-behind VM")
    left = [item for item in plan.left_behind if not _covers(consents.leave_behind, item.vm.id)]
    if left:
        lines.append("These VMs would stay behind:")
        lines += [f"  {plain(item.vm.name)}: {plain(item.reason)}" for item in left]
        lines.append("Agree with --leave-behind VM (or all)")
    if lines:
        raise CommandEnded(ExitCode.BLOCKED, "\n".join([*lines, f"{plan.node} was not touched."]))
    narrate(f"{plan.node}: {len(plan.moves)} moves, about {plan.makespan_s / 60:.0f} min, {plan.slots} at once.")
    if plan.options.engine is Engine.NATIVE:
        narrate(plan.notes[-1])


def _covers(consented: frozenset[str], vm: VmId) -> bool:
    return EVERY in consented or str(vm) in consented
