"""What a console that has just opened says of a rolling run that goes on or waits."""

from __future__ import annotations

from console.drain.roll_outlook import standing_of
from console.formatting import plain
from console.journal.trouble import JournalUnusable
from screens.sight import Services


def told_of_roll(services: Services) -> str:
    """A sentence; empty when none is open. Looking gives a roll that lost its process a new one."""
    cluster = services.store.cluster
    try:
        roll = services.sight.newest_roll(cluster.name) if cluster is not None else None
    except (JournalUnusable, OSError):
        return ""  # whoever opens the screen is told why
    if roll is None or roll.closed:
        return ""
    return f"A rolling run is open: {plain(standing_of(roll), 120)}. m shows it."
