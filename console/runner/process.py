"""The runner's own process: started by a console, independent of it and of its terminal.

It learns everything on its standard input, the password included, so that no secret is in its arguments or
environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pydantic import SecretStr

from console.clock import Clock, ScaledClock, SystemClock
from console.configuration.problems import ConfigurationError
from console.drain.lease import LeaseTerms
from console.drain.rules import Rules
from console.exits import CommandEnded, ExitCode
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import RunId
from console.site import Site, find_site

LEASE_S = 90.0
"""Real seconds that a lease on a node lasts unless it is renewed."""
ANSWER_S = 75.0
"""Real seconds after which a command counts as unanswered: longer than any deadline of the wire."""
SETTLE_S, CONFIRM_S, GLANCE_S = 2.0, 0.2, 0.1
"""Real seconds at the least before a started move may be taken for one that came back, between two such looks, and
between two looks at a move that is about to arrive."""
_LONGEST_LOG_BYTES = 1_000_000


def start_runner(site: Site, run: RunId) -> subprocess.Popen[bytes]:
    """Start the process that runs (or takes over) a run of the journal.

    Raises:
        OSError: no process could be started.
    """
    order = {
        "configuration": str(site.paths.configuration.absolute()),
        "cluster": site.name,
        "run": run,
        "password": None if site.password is None else site.password.get_secret_value(),
    }
    with _log(site) as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "console.runner.process"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            **_detached(),
        )
    assert child.stdin is not None, "asked for a pipe"
    with child.stdin as stdin:
        stdin.write(json.dumps(order).encode())
    site.on_runner_started(child.pid)
    return child


def _log(site: Site) -> IO[bytes]:
    """Where the process writes what it can not write to the journal; begun anew when it has grown."""
    site.paths.state.mkdir(parents=True, exist_ok=True)
    path = site.paths.state / "runner.log"
    grown = path.exists() and path.stat().st_size > _LONGEST_LOG_BYTES
    return path.open("wb" if grown else "ab")


def _detached() -> dict[str, Any]:
    """A session of its own: no hang-up and no Ctrl+C of our terminal reaches it."""
    if os.name == "nt":
        flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        return {"creationflags": flags}
    return {"start_new_session": True}


def main() -> int:
    """Run the run that standard input names; returns an exit code for the log's readers."""
    order = json.loads(sys.stdin.buffer.read())
    password = order["password"]
    secret = None if password is None else SecretStr(password)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        site = find_site(Path(order["configuration"]), order["cluster"], lambda cluster, options: secret)
        with Journal.open(site.paths.journal) as journal:
            asyncio.run(_run(site, journal, RunId(order["run"])))
    except (ConfigurationError, CommandEnded, JournalUnusable, PermissionError) as error:
        complain(f"run {order['run']}: {error}")
        return int(ExitCode.USAGE)
    return int(ExitCode.DONE)


async def _run(site: Site, journal: Journal, run: RunId) -> None:
    from console.doors import open_doors, seeds_of
    from console.journal.live import load_run
    from console.learning import LearningForecaster

    from .actors import Actors
    from .carrying import Executor
    from .changing import Hands
    from .control import Circle
    from .leasing import Leases
    from .looking import Lookout
    from .loop import Runner
    from .replanning import FreshPlanner
    from .sensing import Sensors

    token = journal.take_run(run, _this_host(), os.getpid(), SystemClock().now())
    state = load_run(journal, run)
    clock = site.clock()
    reader, writer = open_doors(site)
    known = (*seeds_of(site.options), *(move.destination for move in state.moves.values() if move.destination))
    circle = Circle(reader, known, state.node)
    hands = Hands(writer, circle, state.node)
    leases = Leases(reader, circle, hands, clock, run)
    executor = Executor(
        Lookout(reader, circle, clock, state.node),
        hands,
        Sensors(reader, clock),
        leases,
        FreshPlanner(reader, clock, site, LearningForecaster(site.paths, run)),
        Actors(reader, circle, leases, clock),
        clock,
    )
    try:
        await Runner(journal, run, token, executor, clock, _rules(site, clock, state.operator), complain).go()
    finally:
        await reader.close()
        await writer.close()


def _rules(site: Site, clock: Clock, operator: str) -> Rules:
    """Leases and answers take real time, as networks and processes do, however fast a lab's clock runs."""
    speed = max(clock.speed, 1.0) if isinstance(clock, ScaledClock) else 1.0
    terms = LeaseTerms(operator, _this_host(), life_s=LEASE_S * speed)
    watchdog = site.options.watchdog
    rules = Rules(
        lease=terms,
        guard=site.guard,
        slow_after_s=watchdog.slow_after_minutes * 60,
        stuck_after_s=watchdog.stuck_after_minutes * 60,
    )
    return replace(
        rules,
        check_patience_s=ANSWER_S * speed,
        settle_s=max(rules.settle_s, SETTLE_S * speed),
        confirm_s=max(rules.confirm_s, CONFIRM_S * speed),
        glance_s=max(rules.glance_s, GLANCE_S * speed),
    )


def _this_host() -> str:
    import socket

    return socket.gethostname()


def complain(text: str) -> None:
    """A line in the runner's log."""
    print(f"{SystemClock().now().isoformat(timespec='seconds')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
