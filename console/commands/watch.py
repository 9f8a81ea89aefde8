"""``drainboard watch``: the console, only to look; safe to leave open on a wall."""

from __future__ import annotations

import click

from .target import ClusterCommand, Target, target_options


@click.command(name="watch", cls=ClusterCommand)
@target_options
def command(target: Target) -> int:
    """Open the console without anything in it that could change the cluster."""
    from .console import open_console

    return open_console(target, read_only=True)
