"""The console on screen."""

from __future__ import annotations

import sys

from console.exits import UsageProblem

from .session import explained, opened_site
from .target import Target


def open_console(target: Target, *, read_only: bool, run: str | None = None) -> int:
    """Open the console on a cluster, or on a lab that lasts as long; returns the exit code.

    Raises:
        CommandEnded: there is no terminal, or the cluster can not be opened.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem("The console needs a terminal. Without one use the commands: drainboard --help")
    with opened_site(target) as site, explained():
        from console.screening import run_console

        return run_console(site, read_only=read_only, run=run)
