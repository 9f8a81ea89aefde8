"""``drainboard plan``: what emptying nodes would do and how long it would take; changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .lever_options import lever_options
from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from .levers import Levers


@click.command(name="plan", cls=ClusterCommand)
@click.argument("nodes", metavar="NODE...", nargs=-1, required=True)
@target_options
@click.option("--from", "snapshot", metavar="SNAPSHOT", type=click.Path(path_type=Path, dir_okay=False),
              help="Plan offline, on a file that `drainboard snapshot` wrote.")  # fmt: skip
@lever_options()
@click.option("--what-helps", is_flag=True, help="Also tell which single changes would shorten the plan most.")
@json_option
def command(
    nodes: tuple[str, ...],
    target: Target,
    snapshot: Path | None,
    levers: Levers,
    what_helps: bool,
    as_json: bool,
) -> int:
    """Plan how to empty NODE, or several nodes together: then none of them takes the VMs of another. Nothing is
    changed, nobody is asked."""
    from console.commands.output import print_document, print_text
    from console.commands.planned import planned
    from console.documents import plan_document
    from console.exits import ExitCode
    from console.formatting import plain

    plan, helps = planned(target, snapshot, nodes, levers, what_helps=what_helps)
    if as_json:
        print_document(plan_document(plan, helps if what_helps else None))
    else:
        from console.commands.reports import report_plan

        report_plan(plan)
        for change in helps:
            print_text(f"would help   {plain(change.text)}")
    return int(ExitCode.BLOCKED if plan.infeasible else ExitCode.DONE)
