"""``drainboard attach``: rejoin a run, on screen or following its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from console.composition import LiveOperations


@click.command(name="attach", cls=ClusterCommand)
@click.argument("run", required=False)
@target_options
@click.option("--follow", is_flag=True, help="Print what happens instead of opening the console.")
@click.option("--events", is_flag=True, help="With --json: the run's events as JSON Lines, the document last.")
@click.option("--hand-over", is_flag=True, help="Let the cluster's own drain do the rest, and follow it.")
@click.option("--cancel", metavar="VM", help="Cancel this VM's move; it goes on running where it is.")
@click.option("--force-back", metavar="VM[=HOST]",
              help="Force a stuck move's VM to its source, or HOST, by Move-ClusterGroup: SAVES it.")  # fmt: skip
@click.option("--confirm", metavar="NODE",
              help="With --hand-over and --force-back: the run's node; without it nothing is sent.")  # fmt: skip
@click.option(
    "--anyway", is_flag=True, help="With --hand-over: also though it moves VMs that this run leaves, or saves some."
)
@json_option
def command(
    run: str | None,
    target: Target,
    follow: bool,
    events: bool,
    hand_over: bool,
    cancel: str | None,
    force_back: str | None,
    confirm: str | None,
    anyway: bool,
    as_json: bool,
) -> int:
    """Rejoin RUN, also a rolling one, or the newest that is open, or see how the newest ended.

    A run that lost its process gets a new one and goes on. With --hand-over the rest of it is handed to the cluster's
    own drain; without --confirm what that would do is told, and nothing is sent. --cancel and --force-back are what
    can be done about a stuck move, in this order.
    """
    import sys

    if hand_over:
        from .handed import handed_over

        return handed_over(target, run, confirm=confirm, anyway=anyway, as_json=as_json, events=events)
    if force_back is not None or cancel is not None:
        from .asked import asked

        return asked(target, run, cancel=cancel, force_back=force_back, confirm=confirm, as_json=as_json, events=events)
    if confirm is not None or anyway:
        raise click.UsageError("--confirm goes with --hand-over or --force-back, --anyway with --hand-over.")

    if not (follow or as_json or events) and sys.stdin.isatty() and sys.stdout.isatty():
        from .console import open_console

        return open_console(target, read_only=False, run=run)
    from console.runs import choose_run

    from .followed import follow as follow_run
    from .rolling import watched
    from .session import with_operations

    async def work(operations: LiveOperations) -> int:
        rolled = await watched(operations, run, as_json=as_json)
        if rolled is not None:
            return rolled
        chosen = choose_run(operations.runs(), run)
        handle = operations.attach(chosen)
        return await follow_run(operations.run_book, handle, as_json=as_json, events=events, may_stop=False)

    return with_operations(target, work, read_only=False)
