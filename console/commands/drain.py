"""``drainboard drain``: empties a node without a screen; the same run that the console starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .consents import consent_options
from .lever_options import lever_options
from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from .consents import Agreed
    from .levers import Levers


@click.command(name="drain", cls=ClusterCommand)
@click.argument("node")
@target_options
@click.option("--confirm", metavar="NODE", help="The node's name once more; without it nothing is sent.")
@consent_options
@lever_options("slots", "pinned", "avoided", "parallel_per", "per_destination", "per_pair", "cluster_wide")
@click.option("--native", is_flag=True, help="Let the cluster's own drain decide; watch it.")
@click.option("--target", "aim", metavar="NODE", help="With --native: send everything to this node.")
@click.option("--no-pause", is_flag=True, help="Do not pause NODE: roles may land on it meanwhile.")
@click.option("--when-stuck", type=click.Choice(("cancel", "ask")),
              help="A move without progress for half an hour: cancel it and try it once elsewhere (default), or only "
                   "offer what can be done.")  # fmt: skip
@click.option("--events", is_flag=True, help="With --json: the run's events as JSON Lines, the document last.")
@json_option
def command(
    node: str,
    target: Target,
    confirm: str | None,
    agreed: Agreed,
    levers: Levers,
    native: bool,
    aim: str | None,
    no_pause: bool,
    when_stuck: str | None,
    events: bool,
    as_json: bool,
) -> int:
    """Empty NODE by live migration, in a process of its own that outlives this terminal.

    Ctrl+C stops after what is in flight; pressed twice it leaves the run to itself.
    """
    if confirm is None or confirm.casefold() != node.casefold():
        said = "without --confirm" if confirm is None else f"with --confirm {confirm}"
        raise click.UsageError(f"{node} is not drained {said}: write --confirm {node}. Nothing was sent.")
    if aim is not None and not native:
        raise click.UsageError("--target goes with --native. A planned drain has --pin VM=NODE and --avoid NODE.")
    from .drained import DrainRequest, drained

    wishes = DrainRequest(levers, agreed, native, not no_pause, when_stuck, aim)
    return drained(target, node, wishes, as_json=as_json, events=events)
