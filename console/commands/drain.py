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

    wishes = DrainRequest(allow_interrupt, leave_behind, allow_setting, native)
    levers = Levers(slots, None, pin, (), (), avoid, None)
    return drained(target, node, levers, wishes, as_json=as_json, events=events)
