"""``drainboard roll``: empties node after node, works on each and takes it back; or only plans that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.planner.roll import RollChoice, RollPlan

    from .levers import Levers, Way


@click.command(name="roll", cls=ClusterCommand)
@click.argument("nodes", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All nodes of the cluster.")
@target_options
@click.option("--confirm", metavar="CLUSTER",
              help="The cluster's name: carry it out. A lab needs none; without it the plan is shown.")  # fmt: skip
@click.option("--plan", "plan_only", is_flag=True, help="Only plan, in a lab too.")
@click.option("--from", "snapshot", metavar="SNAPSHOT", type=click.Path(path_type=Path, dir_okay=False),
              help="Plan offline, on a file that `drainboard snapshot` wrote.")  # fmt: skip
@click.option("--wave", type=click.IntRange(1),
              help="Nodes emptied at the same time, where room and fault domains allow it (1).")  # fmt: skip
@click.option("--failback/--follow", default=None,
              help="Give every node its VMs back before the next one; else that one is emptied into it.")  # fmt: skip
@click.option("--service", type=click.FloatRange(0), metavar="MINUTES",
              help="What is done to an empty node takes this long (for the forecast).")  # fmt: skip
@click.option("--hook", metavar="COMMAND",
              help="Run this for each empty node: program and arguments, no shell; '' runs nothing.")  # fmt: skip
@click.option("--hook-timeout", type=click.FloatRange(1), metavar="MINUTES",
              help="After that the hook and its children are ended, and the roll stands (60).")  # fmt: skip
@click.option("--approve", type=click.Choice(["each", "all"]),
              help="Ask before each further wave, or for none; else each on a terminal, all without one.")  # fmt: skip
@click.option("--allow-interrupt", multiple=True, metavar="VM|all",
              help="Move this VM although that saves it or restarts it.")  # fmt: skip
@click.option("--leave-behind", multiple=True, metavar="VM|all", help="Leave this VM on its node.")
@click.option("--allow-setting", multiple=True, metavar="NAME=VALUE",
              help="Let each drain set a cluster setting; it is put back at its end.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1), help="Moves at once on one node; else what the cluster is set to.")
@click.option("--exclude", multiple=True, metavar="VM", help="Leave a VM behind.")
@click.option("--avoid", multiple=True, metavar="HOST", help="Move nothing to this host.")
@click.option("--retry", "retry", multiple=True, metavar="NODE", help="Of the open roll: try a failed node again.")
@click.option("--skip", multiple=True, metavar="NODE", help="Of the open roll: go on without a failed node.")
@click.option("--stop", is_flag=True, help="Of the open roll: bring back what is out, begin nothing more.")
@click.option("--anew", is_flag=True, help="Begin with all nodes again, also after a roll that was stopped half-way.")
@json_option
def command(
    nodes: tuple[str, ...],
    every: bool,
    target: Target,
    confirm: str | None,
    plan_only: bool,
    snapshot: Path | None,
    wave: int | None,
    failback: bool | None,
    service: float | None,
    hook: str | None,
    hook_timeout: float | None,
    approve: str | None,
    allow_interrupt: tuple[str, ...],
    leave_behind: tuple[str, ...],
    allow_setting: tuple[str, ...],
    slots: int | None,
    exclude: tuple[str, ...],
    avoid: tuple[str, ...],
    retry: tuple[str, ...],
    skip: tuple[str, ...],
    stop: bool,
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
    from .levers import Levers, Way
    from .rolling import Asked, RollRequest, continued, rolled_out

    levers = Levers(slots=slots, excluded=exclude, avoided=avoid)
    way = Way(wave, failback, None if service is None else service * 60)
    asked = Asked(retry, skip, stop, approve)
    offline = plan_only or snapshot is not None
    if (nodes and every) or not (nodes or every or not offline):
        raise click.UsageError("Name the nodes, or say --all.")
    if asked.any and (nodes or every or offline):
        raise click.UsageError("--retry, --skip and --stop are for the open roll: name no nodes with them.")
    if not nodes and not every:
        return continued(target, asked, as_json=as_json)
    carried_out = confirm is not None or (target.scenario is not None and not as_json)
    if offline or not carried_out:
        if confirm is not None:
            raise click.UsageError("--confirm carries the roll out; --plan and --from only plan.")
        return _planned(target, snapshot, nodes, levers, way, as_json=as_json)
    request = RollRequest(
        nodes, levers, way, confirm, hook, None if hook_timeout is None else hook_timeout * 60, approve,
        (allow_interrupt, leave_behind, allow_setting), anew,
    )  # fmt: skip
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

    cluster, plan, choices = rolled(target, snapshot, nodes, levers, way)
    if as_json:
        print_document(roll_document(cluster, plan, choices))
    else:
        report(plan, choices)
        if snapshot is None:
            narrate(f"Nothing was sent. To do it, add --confirm {cluster.name}.")
    return int(ExitCode.BLOCKED if plan.infeasible else ExitCode.DONE)


def report(plan: RollPlan, choices: Sequence[RollChoice]) -> None:
    """The plan as a table, with what other waves would cost."""
    from console.formatting import count, duration, name, plain

    from .output import print_table, print_text

    spare = {True: "yes", False: "NO", None: "not known"}
    print_table(
        (">start", ">empty", ">end", "nodes", ">moves", "one more may fail"),
        [
            (
                duration(wave.start_s),
                duration(wave.empty_at_s),
                duration(wave.end_s),
                plain(", ".join(wave.nodes), 60),
                str(len(wave.moves)),
                spare[wave.n1],
            )
            for wave in plan.waves
        ],
    )
    for left in plan.left_behind:
        print_text(f"left behind  {name(left.vm.name)}: {plain(left.reason)}")
    for bad in plan.infeasible:
        print_text(f"impossible   {name(bad.vm.name)}: {plain(bad.reason)}")
    for note in plan.notes:
        print_text(f"note         {plain(note)}")
    for choice in choices:
        how = f"waves of {choice.wave}" + (", each node gets its VMs back" if choice.failback else "")
        over = f"; {count(choice.left_over, 'VM')} find no place" if choice.left_over else ""
        print_text(f"choice       {how}: {choice.moves_per_vm:.2f} moves a VM, {duration(choice.window_s)}{over}")
    print_text(
        f"{count(plan.vms, 'VM')}, {plan.moves_per_vm:.3f} moves each (not below {plan.lower_bound_moves:.3f}), "
        f"done after {duration(plan.window_s)}."
    )
