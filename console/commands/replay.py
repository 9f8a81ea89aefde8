"""``drainboard replay``: a run of the past, told again in its own time or faster; asks no cluster, changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from .history import JOURNAL
from .target import ClusterCommand, Target, json_option, target_options


@click.command(name="replay", cls=ClusterCommand)
@click.argument("run")
@target_options
@JOURNAL
@click.option("--speed", type=click.FloatRange(0.1, 100_000), metavar="X", help="So many times as fast as it was.")
@json_option
def command(run: str, target: Target, journal: Path | None, speed: float | None, as_json: bool) -> int:
    """Tell RUN again: at once, or with --speed as it happened. With --json its events as JSON Lines."""
    import asyncio

    from console.journal.ledger import runs_of

    from .past import find_run, opened_journal
    from .retold import retell

    with opened_journal(target, journal) as opened:
        chosen = find_run(opened, run)
        events = runs_of(opened).events(chosen)
    return asyncio.run(retell(events, speed=speed, as_json=as_json))
