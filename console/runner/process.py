"""The runner's own process: started by a console, independent of it and of its terminal.

It learns everything on its standard input, the password included, so that no secret is in its arguments or
environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from console.clock import Clock, ScaledClock, SystemClock
from console.drain.lease import LeaseTerms
from console.drain.rules import Rules
from console.journal.store import Journal
from console.model.identity import RunId
from console.processes import is_alive
from console.site import Site

from .starting import carry_out, complain, start_child, this_host

LEASE_S = 90.0
"""Real seconds that a lease on a node lasts unless it is renewed."""
ANSWER_S = 75.0
"""Real seconds after which a command counts as unanswered: longer than any deadline of the wire."""
REFUSAL_S = 60.0
"""Real seconds at the least for which a destination may say "not now": a new plan has to be read and made meanwhile."""
GUARD_S = 0.5
"""Real seconds at the least between two readings of the guard: on a fast clock they would crowd out all else."""
SETTLE_S, CONFIRM_S, GLANCE_S = 2.0, 0.2, 0.1
"""Real seconds at the least before a started move may be taken for one that came back, between two such looks, and
between two looks at a move that is about to arrive."""


def start_runner(site: Site, run: RunId) -> subprocess.Popen[bytes]:
    """Start the process that runs (or takes over) a run of the journal.

    Raises:
        OSError: no process could be started.
    """
    return start_child(site, "console.runner.process", {"run": run})


def main() -> int:
    """Run the run that standard input names; returns an exit code for the log's readers."""
    return carry_out("run", _run)


async def _run(site: Site, journal: Journal, run: RunId) -> None:
    from console.doors import open_doors, seeds_of
    from console.journal.ledger import runs_of
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

    token = claim(journal, run)
    state = runs_of(journal).load(run)
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


def claim(journal: Journal, run: RunId) -> str:
    """Become the run's one writer; a process of this machine that has died holds nothing.

    Raises:
        JournalUnusable: another one does.
    """
    beat = journal.runner(run)
    if beat is not None and beat.host == this_host() and not is_alive(beat.pid):
        journal.leave_run(run, beat.token)
    return journal.take_run(run, this_host(), os.getpid(), SystemClock().now())


def _rules(site: Site, clock: Clock, operator: str) -> Rules:
    """Leases and answers take real time, as networks and processes do, however fast a lab's clock runs."""
    speed = max(clock.speed, 1.0) if isinstance(clock, ScaledClock) else 1.0
    terms = LeaseTerms(operator, this_host(), life_s=LEASE_S * speed)
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
        refusal_patience_s=max(rules.refusal_patience_s, REFUSAL_S * speed),
        settle_s=max(rules.settle_s, SETTLE_S * speed),
        confirm_s=max(rules.confirm_s, CONFIRM_S * speed),
        glance_s=max(rules.glance_s, GLANCE_S * speed),
        guard_s=max(rules.guard_s, GUARD_S * speed),
    )


if __name__ == "__main__":
    sys.exit(main())
