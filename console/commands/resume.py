"""``drainboard resume``: takes a drained node back into service and brings its VMs back by plan."""

from __future__ import annotations

import click

from .target import ClusterCommand, Target, json_option, target_options


@click.command(name="resume", cls=ClusterCommand)
@click.argument("node")
@target_options
@click.option("--confirm", metavar="NODE", help="The node's name once more; without it only the plan is shown.")
@click.option("--slots", type=click.IntRange(1), help="Moves at once; else what the cluster is set to.")
@click.option("--events", is_flag=True, help="With --json: the run's events as JSON Lines, the document last.")
@json_option
def command(node: str, target: Target, confirm: str | None, slots: int | None, events: bool, as_json: bool) -> int:
    """Resume NODE and bring back the VMs that its last drain moved away, live and by plan.

    Without --confirm nothing is sent: the plan of the return is shown.
    """
    if confirm is not None and confirm.casefold() != node.casefold():
        raise click.UsageError(f"{node} is not resumed with --confirm {confirm}. Nothing was sent.")
    from console.commands.resumed import resumed

    return resumed(target, node, slots, confirmed=confirm is not None, as_json=as_json, events=events)
