"""``drainboard drain``: empties a node without a screen; the same run that the console starts."""

from __future__ import annotations

import click

from .target import ClusterCommand, Target, json_option, target_options


@click.command(name="drain", cls=ClusterCommand)
@click.argument("node")
@target_options
@click.option("--confirm", metavar="NODE", help="The node's name once more; without it nothing is sent.")
@click.option("--allow-interrupt", multiple=True, metavar="VM|all",
              help="Move this VM although that saves it or restarts it.")  # fmt: skip
@click.option("--leave-behind", multiple=True, metavar="VM|all", help="Leave this VM on the node.")
@click.option("--allow-setting", multiple=True, metavar="NAME=VALUE",
              help="Let the run set a cluster setting; it is put back at the end.")  # fmt: skip
@click.option("--slots", type=click.IntRange(1), help="Moves at once; else what the cluster is set to.")
@click.option("--native", is_flag=True, help="Let the cluster's own drain decide; watch it.")
@click.option("--pin", multiple=True, metavar="VM=HOST", help="Choose a VM's destination.")
@click.option("--avoid", multiple=True, metavar="HOST", help="Move nothing to this host.")
@click.option("--parallel-per", type=click.Choice(("node", "pair")),
              help="What MaximumParallelMigrations counts: moves of a node (default) or of a pair.")  # fmt: skip
@click.option("--per-destination", type=click.IntRange(1), help="Moves at once into one destination.")
@click.option("--per-pair", type=click.IntRange(1), help="Moves at once between one pair of hosts.")
@click.option("--cluster-wide", type=click.IntRange(1), help="Moves at once in the whole cluster.")
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
    allow_interrupt: tuple[str, ...],
    leave_behind: tuple[str, ...],
    allow_setting: tuple[str, ...],
    slots: int | None,
    native: bool,
    pin: tuple[str, ...],
    avoid: tuple[str, ...],
    parallel_per: str | None,
    per_destination: int | None,
    per_pair: int | None,
    cluster_wide: int | None,
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
    from console.commands.drained import DrainRequest, drained
    from console.commands.levers import Levers

    wishes = DrainRequest(allow_interrupt, leave_behind, allow_setting, native, not no_pause, when_stuck)
    levers = Levers(
        slots=slots,
        pinned=pin,
        avoided=avoid,
        parallel_per=parallel_per,
        per_destination=per_destination,
        per_pair=per_pair,
        cluster_wide=cluster_wide,
    )
    return drained(target, node, levers, wishes, as_json=as_json, events=events)
