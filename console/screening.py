"""From a site to the console on screen."""

from __future__ import annotations

import os

from console.app import DrainboardApp
from console.composition import LiveOperations
from console.exits import UsageProblem
from console.journal.ledger import RunListing
from console.journal.trouble import JournalUnusable
from console.model.identity import RunId
from console.notices import Notices, shows_notices
from console.runs import choose_run
from console.site import Site


def run_console(site: Site, *, read_only: bool, run: str | None = None) -> int:
    """Run the console until it is left; returns the exit code."""
    configuration = site.configuration
    operations = LiveOperations(site, read_only=read_only)
    runs = _runs(operations)
    chosen = choose_run(runs, run) if run else _unfinished(runs)
    opening = site.opening(operations.clock.now())
    app = DrainboardApp(
        operations,
        keys=configuration.keys,
        theme=site.theme,
        ascii=configuration.ascii,
        window_ends_at=None if opening is None else opening.ends_at,
        run=chosen,
        guard=site.guard,
        notices=_notices(site),
        troubles=[str(damaged) for damaged in runs.perhaps_open],
    )
    return app.run() or 0


def _notices(site: Site) -> Notices:
    wanted = site.configuration.notifications
    desktop = shows_notices(os.environ) if wanted.desktop is None else wanted.desktop
    return Notices(wanted.bell, desktop)


def _runs(operations: LiveOperations) -> RunListing:
    try:
        return operations.runs()
    except JournalUnusable as trouble:
        raise UsageProblem(str(trouble)) from None


def _unfinished(runs: RunListing) -> RunId | None:
    """A run that this journal has not seen closed: whoever opens the console should see it first."""
    return next((state.run for state in runs.known if state.outcome is None), None)
