"""From a site to the console on screen."""

from __future__ import annotations

from console.app import run_app
from console.composition import LiveOperations
from console.model.identity import RunId
from console.site import Site


def run_console(site: Site, *, read_only: bool, run: str | None = None) -> int:
    """Run the console until it is left; returns the exit code."""
    configuration = site.configuration
    operations = LiveOperations(site, read_only=read_only)
    opening = site.opening(operations.clock.now())
    return run_app(
        operations,
        keys=configuration.keys,
        theme=site.theme,
        ascii=configuration.ascii,
        window_ends_at=None if opening is None else opening.ends_at,
        run=None if run is None else RunId(run),
    )
