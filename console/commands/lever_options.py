"""The plan's levers as options of a command, handed to it as one ``levers``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from .levers import Levers

Function = TypeVar("Function", bound=Callable[..., Any])

HEAVY = ("as planned", "first", "last", "alone", "skip")

_OPTIONS = (
    click.option("--slots", type=click.IntRange(1), help="Moves at once on one node; else what the cluster is set to."),
    click.option("--smb-cap", type=click.FloatRange(0, 100, min_open=True), metavar="PERCENT",
                 help="Plan as if SMB migrations could use this share of the network."),
    click.option("--pin", multiple=True, metavar="VM=HOST", help="Choose a VM's destination."),
    click.option("--hold", multiple=True, metavar="VM", help="Plan a VM, but start it only when released."),
    click.option("--exclude", multiple=True, metavar="VM", help="Leave a VM behind."),
    click.option("--avoid", multiple=True, metavar="HOST", help="Move nothing to this host."),
    click.option("--heavy", type=click.Choice(HEAVY), help="When the VMs that dominate the drain move."),
    click.option("--transport", type=click.Choice(("tcpip", "compression", "smb")),
                 help="Plan as if the nodes moved memory this way."),
    click.option("--parallel-per", type=click.Choice(("node", "pair")),
                 help="What MaximumParallelMigrations counts: moves of a node (default) or of a pair."),
    click.option("--per-destination", type=click.IntRange(1), help="Moves at once into one destination."),
    click.option("--cluster-wide", type=click.IntRange(1), help="Moves at once in the whole cluster."),
)  # fmt: skip


def lever_options(function: Function) -> Function:
    """Give a command every lever."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, levers=_levers(kwargs), **kwargs)

    wrapper.__name__ = function.__name__
    wrapper.__doc__ = function.__doc__
    chosen: Any = wrapper
    chosen.__click_params__ = list(getattr(function, "__click_params__", ()))
    for option in reversed(_OPTIONS):
        chosen = option(chosen)
    return chosen  # type: ignore[no-any-return]


def _levers(typed: dict[str, Any]) -> Levers:
    """Takes the levers out of what was typed."""
    from .levers import Levers

    names = ("slots", "smb_cap", "pin", "hold", "exclude", "avoid", "heavy", "transport", "parallel_per",
             "per_destination", "cluster_wide")  # fmt: skip
    return Levers(*(typed.pop(name) for name in names))
