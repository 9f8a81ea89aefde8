"""The plan's levers as options of a command, handed to it as one ``levers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .grouped import grouped

if TYPE_CHECKING:
    from collections.abc import Callable

    from .grouped import Function
    from .levers import Levers

HEAVY = ("as planned", "first", "last", "alone", "skip")

_OPTIONS = {
    "slots": click.option(
        "--slots", type=click.IntRange(1), help="Moves at once on one node; else what the cluster is set to."),
    "smb_cap_percent": click.option(
        "--smb-cap", "smb_cap_percent", type=click.FloatRange(0, 100, min_open=True), metavar="PERCENT",
        help="Plan as if SMB migrations could use this share of the network."),
    "pinned": click.option("--pin", "pinned", multiple=True, metavar="VM=HOST", help="Choose a VM's destination."),
    "held": click.option(
        "--hold", "held", multiple=True, metavar="VM", help="Plan a VM, but start it only when released."),
    "excluded": click.option("--exclude", "excluded", multiple=True, metavar="VM", help="Leave a VM behind."),
    "avoided": click.option("--avoid", "avoided", multiple=True, metavar="HOST", help="Move nothing to this host."),
    "heavy": click.option("--heavy", type=click.Choice(HEAVY), help="When the VMs that dominate the drain move."),
    "transport": click.option("--transport", type=click.Choice(("tcpip", "compression", "smb")),
                              help="Plan as if the nodes moved memory this way."),
    "parallel_per": click.option(
        "--parallel-per", type=click.Choice(("node", "pair")),
        help="What MaximumParallelMigrations counts: moves of a node (default) or of a pair."),
    "per_destination": click.option(
        "--per-destination", type=click.IntRange(1), help="Moves at once into one destination."),
    "per_pair": click.option(
        "--per-pair", type=click.IntRange(1), help="Moves at once between one pair of hosts."),
    "cluster_wide": click.option(
        "--cluster-wide", type=click.IntRange(1), help="Moves at once in the whole cluster."),
}  # fmt: skip


def lever_options(*names: str) -> Callable[[Function], Function]:
    """Give a command these levers, by the fields of :class:`Levers`; every one without names."""
    return grouped("levers", _levers, {name: _OPTIONS[name] for name in names or _OPTIONS})


def _levers(**typed: Any) -> Levers:
    from .levers import Levers

    return Levers(**typed)
