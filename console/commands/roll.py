"""``drainboard roll``: a plan for emptying node after node; changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.planner.roll import RollChoice, RollPlan


@click.command(name="roll", cls=ClusterCommand)
@click.argument("nodes", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All nodes of the cluster.")
@target_options
@click.option("--from", "snapshot", metavar="SNAPSHOT", type=click.Path(path_type=Path, dir_okay=False),
              help="Plan offline, on a file that `drainboard snapshot` wrote.")  # fmt: skip
@click.option("--wave", type=click.IntRange(1), default=1, show_default=True,
              help="Nodes emptied at the same time, where room and fault domains allow it.")  # fmt: skip
@click.option("--failback", is_flag=True, help="Give every node its VMs back before the next one.")
@click.option("--service", type=click.FloatRange(0), default=0.0, metavar="MINUTES",
              help="What is done to an empty node takes this long.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1), help="Moves at once on one node; else what the cluster is set to.")
@click.option("--exclude", multiple=True, metavar="VM", help="Leave a VM behind.")
@click.option("--avoid", multiple=True, metavar="HOST", help="Move nothing to this host.")
@json_option
def command(
    nodes: tuple[str, ...],
    every: bool,
    target: Target,
    snapshot: Path | None,
    wave: int,
    failback: bool,
    service: float,
    slots: int | None,
    exclude: tuple[str, ...],
    avoid: tuple[str, ...],
    as_json: bool,
) -> int:
    """Plan how to empty NODES one after the other, or all; nothing is changed, nobody is asked."""
    from console.documents import roll_document
    from console.exits import ExitCode
    from console.planner.roll import RollOptions

    from .levers import Levers
    from .output import print_document
    from .planned import rolled

    if bool(nodes) == every:
        raise click.UsageError("Name the nodes, or say --all.")
    levers = Levers(slots=slots, excluded=exclude, avoided=avoid)
    options = RollOptions(wave=wave, failback=failback, service_s=service * 60)
    cluster, plan, choices = rolled(target, snapshot, nodes, levers, options)
    if as_json:
        print_document(roll_document(cluster, plan, choices))
    else:
        _report(plan, choices)
    return int(ExitCode.BLOCKED if plan.infeasible else ExitCode.DONE)


def _report(plan: RollPlan, choices: Sequence[RollChoice]) -> None:
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
