"""``drainboard attach``: rejoin a run, on screen or following its words, or ask it for what a stuck move needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from .grouped import grouped
from .target import ClusterCommand, Target, json_option, target_options

if TYPE_CHECKING:
    from console.composition import LiveOperations


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the run besides looking at it."""

    hand_over: bool
    cancel: str | None
    force_back: str | None
    confirm: str | None
    anyway: bool

    @property
    def of_a_move(self) -> bool:
        return self.cancel is not None or self.force_back is not None


def _demand(hand_over: bool, cancel: str | None, force_back: str | None, confirm: str | None, anyway: bool) -> Demand:
    demand = Demand(hand_over, cancel, force_back, confirm, anyway)
    if (confirm is not None or anyway) and not (hand_over or demand.of_a_move):
        raise click.UsageError("--confirm goes with --hand-over or --force-back, --anyway with --hand-over.")
    return demand


_demand_options = grouped("demand", _demand, {
    "hand_over": click.option("--hand-over", is_flag=True,
                              help="Let the cluster's own drain do the rest, and follow it."),
    "cancel": click.option("--cancel", metavar="VM", help="Cancel this VM's move; it goes on running where it is."),
    "force_back": click.option(
        "--force-back", metavar="VM[=HOST]",
        help="Force a stuck move's VM to its source, or HOST, by Move-ClusterGroup: SAVES it."),
    "confirm": click.option(
        "--confirm", metavar="NODE",
        help="With --hand-over and --force-back: the run's node; without it nothing is sent."),
    "anyway": click.option(
        "--anyway", is_flag=True,
        help="With --hand-over: also though it moves VMs that this run leaves, or saves some."),
})  # fmt: skip


@click.command(name="attach", cls=ClusterCommand)
@click.argument("run", required=False)
@target_options
@click.option("--follow", is_flag=True, help="Print what happens instead of opening the console.")
@click.option("--events", is_flag=True, help="With --json: the run's events as JSON Lines, the document last.")
@_demand_options
@json_option
def command(run: str | None, target: Target, follow: bool, events: bool, demand: Demand, as_json: bool) -> int:
    """Rejoin RUN, also a rolling one, or the newest that is open, or see how the newest ended.

    A run that lost its process gets a new one and goes on. With --hand-over the rest of it is handed to the cluster's
    own drain; without --confirm what that would do is told, and nothing is sent. --cancel and --force-back are what
    can be done about a stuck move, in this order.
    """
    if demand.hand_over:
        from .handed import handed_over

        return handed_over(target, run, confirm=demand.confirm, anyway=demand.anyway, as_json=as_json, events=events)
    if demand.of_a_move:
        from .asked import asked

        return asked(
            target, run, cancel=demand.cancel, force_back=demand.force_back, confirm=demand.confirm,
            as_json=as_json, events=events,
        )  # fmt: skip
    if not (follow or as_json or events) and sys.stdin.isatty() and sys.stdout.isatty():
        from .console import open_console

        return open_console(target, read_only=False, run=run)
    return _followed(target, run, as_json=as_json, events=events)


def _followed(target: Target, run: str | None, *, as_json: bool, events: bool) -> int:
    from console.runs import choose_run

    from .followed import follow
    from .rolling import watched
    from .session import with_operations

    async def work(operations: LiveOperations) -> int:
        rolled = await watched(operations, run, as_json=as_json)
        if rolled is not None:
            return rolled
        handle = operations.attach(choose_run(operations.runs(), run))
        return await follow(operations.run_book, handle, as_json=as_json, events=events, may_stop=False)

    return with_operations(target, work, read_only=False)
