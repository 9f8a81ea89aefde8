"""``drainboard roll``: empties node after node, works on each and takes it back; or only plans that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .consents import consent_options
from .grouped import grouped
from .lever_options import lever_options
from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from .consents import Agreed
    from .levers import Levers, Way
    from .rolling import Asked, Work


def _way(wave: int | None, failback: bool | None, service: float | None) -> Way:
    from .levers import Way

    return Way(wave, failback, None if service is None else service * 60)


def _work(hook: str | None, hook_timeout: float | None) -> Work:
    from .rolling import Work

    return Work(hook, None if hook_timeout is None else hook_timeout * 60)


def _asked(approve: str | None, retry: tuple[str, ...], skip: tuple[str, ...], stop: bool) -> Asked:
    from .rolling import Asked

    return Asked(retry, skip, stop, approve)


_way_options = grouped("way", _way, {
    "wave": click.option("--wave", type=click.IntRange(1),
                         help="Nodes emptied at the same time, where room and fault domains allow it (1)."),
    "failback": click.option(
        "--failback/--follow", default=None,
        help="Give every node its VMs back before the next one; else that one is emptied into it."),
    "service": click.option("--service", type=click.FloatRange(0), metavar="MINUTES",
                            help="What is done to an empty node takes this long (for the forecast)."),
})  # fmt: skip
_work_options = grouped("work", _work, {
    "hook": click.option("--hook", metavar="COMMAND",
                         help="Run this for each empty node: program and arguments, no shell; '' runs nothing."),
    "hook_timeout": click.option(
        "--hook-timeout", type=click.FloatRange(1), metavar="MINUTES",
        help="After that the hook and its children are ended, and the roll stands (60)."),
})  # fmt: skip
_asked_options = grouped("asked", _asked, {
    "approve": click.option(
        "--approve", type=click.Choice(["each", "all"]),
        help="Ask before each further wave, or for none; else each on a terminal, all without one."),
    "retry": click.option("--retry", multiple=True, metavar="NODE",
                          help="Of the open roll: try a failed node again."),
    "skip": click.option("--skip", multiple=True, metavar="NODE",
                         help="Of the open roll: go on without a failed node."),
    "stop": click.option("--stop", is_flag=True,
                         help="Of the open roll: bring back what is out, begin nothing more."),
})  # fmt: skip


@click.command(name="roll", cls=ClusterCommand)
@click.argument("nodes", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All nodes of the cluster.")
@target_options
@click.option("--confirm", metavar="CLUSTER",
              help="The cluster's name: carry it out. A lab needs none; without it the plan is shown.")  # fmt: skip
@click.option("--plan", "plan_only", is_flag=True, help="Only plan, in a lab too.")
@click.option("--from", "snapshot", metavar="SNAPSHOT", type=click.Path(path_type=Path, dir_okay=False),
              help="Plan offline, on a file that `drainboard snapshot` wrote.")  # fmt: skip
@_way_options
@_work_options
@consent_options
@lever_options("slots", "excluded", "avoided")
@_asked_options
@click.option("--anew", is_flag=True, help="Begin with all nodes again, also after a roll that was stopped half-way.")
@json_option
def command(
    nodes: tuple[str, ...],
    every: bool,
    target: Target,
    confirm: str | None,
    plan_only: bool,
    snapshot: Path | None,
    way: Way,
    work: Work,
    agreed: Agreed,
    levers: Levers,
    asked: Asked,
    anew: bool,
    as_json: bool,
) -> int:
    """Empty NODES one after the other, or all: each is drained, worked on (--hook) and taken back into service.

    Carried out in a lab, and elsewhere with --confirm CLUSTER; else only planned. --json prints the plan, unless
    --confirm is given. The roll lives in a process of its own; the same command again goes on with an open roll,
    and with the rest of one that was stopped. Without NODES it goes on with the open roll. Ctrl+C stops after the
    nodes that are out; pressed twice it leaves the roll to itself. What is not said here is as the configuration's
    table [clusters.NAME.roll] has it.
    """
    from .rolling import RollRequest, continued, rolled_out

    offline = plan_only or snapshot is not None
    if (nodes and every) or not (nodes or every or not offline):
        raise click.UsageError("Name the nodes, or say --all.")
    if asked.any and (nodes or every or offline):
        raise click.UsageError("--retry, --skip and --stop are for the open roll: name no nodes with them.")
    if not nodes and not every:
        return continued(target, asked, as_json=as_json)
    carried_out = confirm is not None or (target.scenario is not None and not as_json)
    if offline and confirm is not None:
        raise click.UsageError("--confirm carries the roll out; --plan and --from only plan.")
    if offline or not carried_out:
        return _planned(target, snapshot, nodes, levers, way, as_json=as_json)
    request = RollRequest(nodes, levers, way, confirm, work, agreed, anew)
    return rolled_out(target, request, asked, as_json=as_json)


def _planned(
    target: Target,
    snapshot: Path | None,
    nodes: tuple[str, ...],
    levers: Levers,
    way: Way,
    *,
    as_json: bool,
) -> int:
    from console.documents import roll_document
    from console.exits import ExitCode

    from .output import narrate, print_document
    from .planned import rolled
    from .reports import report_roll_plan

    cluster, plan, choices = rolled(target, snapshot, nodes, levers, way)
    if as_json:
        print_document(roll_document(cluster, plan, choices))
    else:
        report_roll_plan(plan, choices)
        if snapshot is None:
            narrate(f"Nothing was sent. To do it, add --confirm {cluster.name}.")
    return int(ExitCode.BLOCKED if plan.infeasible else ExitCode.DONE)
