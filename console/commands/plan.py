"""``drainboard plan``: what emptying nodes would do and how long it would take; changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from .target import ClusterCommand, Target, json_option, target_options

HEAVY = ("as planned", "first", "last", "alone", "skip")


@click.command(name="plan", cls=ClusterCommand)
@click.argument("nodes", metavar="NODE...", nargs=-1, required=True)
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
@click.option("--transport", type=click.Choice(("tcpip", "compression", "smb")),
              help="Plan as if the nodes moved memory this way.")  # fmt: skip
@click.option("--parallel-per", type=click.Choice(("node", "pair")),
              help="What MaximumParallelMigrations counts: moves of a node (default) or of a pair.")  # fmt: skip
@click.option("--per-destination", type=click.IntRange(1), help="Moves at once into one destination.")
@click.option("--per-pair", type=click.IntRange(1), help="Moves at once between one pair of hosts.")
@click.option("--cluster-wide", type=click.IntRange(1), help="Moves at once in the whole cluster.")
@click.option("--what-helps", is_flag=True, help="Also tell which single changes would shorten the plan most.")
@json_option
def command(
    nodes: tuple[str, ...],
    target: Target,
    snapshot: Path | None,
    slots: int | None,
    smb_cap: float | None,
    pin: tuple[str, ...],
    hold: tuple[str, ...],
    exclude: tuple[str, ...],
    avoid: tuple[str, ...],
    heavy: str | None,
    transport: str | None,
    parallel_per: str | None,
    per_destination: int | None,
    per_pair: int | None,
    cluster_wide: int | None,
    what_helps: bool,
    as_json: bool,
) -> int:
    """Plan how to empty NODE, or several nodes together: then none of them takes the VMs of another. Nothing is
    changed, nobody is asked."""
    from console.commands.levers import Levers
    from console.commands.output import print_document, print_text
    from console.commands.planned import planned
    from console.documents import plan_document
    from console.exits import ExitCode
    from console.formatting import plain

    levers = Levers(
        slots,
        smb_cap,
        pin,
        hold,
        exclude,
        avoid,
        heavy,
        transport,
        parallel_per,
        per_destination,
        cluster_wide,
        per_pair,
    )
    plan, helps = planned(target, snapshot, nodes, levers, what_helps=what_helps)
    if as_json:
        print_document(plan_document(plan, helps if what_helps else None))
    else:
        from console.commands.reports import report_plan

        report_plan(plan)
        for change in helps:
            print_text(f"would help   {plain(change.text)}")
    return int(ExitCode.BLOCKED if plan.infeasible else ExitCode.DONE)
