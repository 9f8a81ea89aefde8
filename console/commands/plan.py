"""``drainboard plan``: what emptying a node would do and how long it would take; changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from .target import ClusterCommand, Target, json_option, target_options

HEAVY = ("as planned", "first", "last", "alone", "skip")


@click.command(name="plan", cls=ClusterCommand)
@click.argument("node")
@target_options
@click.option("--from", "snapshot", metavar="SNAPSHOT", type=click.Path(path_type=Path, dir_okay=False),
              help="Plan offline, on a file that `drainboard snapshot` wrote.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1), help="Moves at once on one node; else what the cluster is set to.")
@click.option("--smb-cap", type=click.FloatRange(0, 100, min_open=True), metavar="PERCENT",
              help="Plan as if SMB migrations could use this share of the network.")  # fmt: skip
@click.option("--pin", multiple=True, metavar="VM=HOST", help="Choose a VM's destination.")
@click.option("--hold", multiple=True, metavar="VM", help="Plan a VM, but start it only when released.")
@click.option("--exclude", multiple=True, metavar="VM", help="Leave a VM behind.")
@click.option("--avoid", multiple=True, metavar="HOST", help="Move nothing to this host.")
@click.option("--heavy", type=click.Choice(HEAVY), help="When the VMs that dominate the drain move.")
@json_option
def command(
    node: str,
    target: Target,
    snapshot: Path | None,
    slots: int | None,
    smb_cap: float | None,
    pin: tuple[str, ...],
    hold: tuple[str, ...],
    exclude: tuple[str, ...],
    avoid: tuple[str, ...],
    heavy: str | None,
    as_json: bool,
) -> int:
    """Plan how to empty NODE; nothing is changed, nobody is asked."""
    from console.commands.levers import Levers
    from console.commands.output import print_document
    from console.commands.planned import planned
    from console.documents import plan_document
    from console.exits import ExitCode

    levers = Levers(slots, smb_cap, pin, hold, exclude, avoid, heavy)
    plan = planned(target, snapshot, node, levers)
    if as_json:
        print_document(plan_document(plan))
    else:
        from console.commands.reports import report_plan

        report_plan(plan)
    return int(ExitCode.BLOCKED if plan.infeasible else ExitCode.DONE)
