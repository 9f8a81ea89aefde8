"""The roll's own process: started by a console, independent of its terminal, gone while only a person can go on.

Like a run's runner it learns everything on its standard input, the password included.
"""

from __future__ import annotations

import subprocess
import sys

from console.drain.roll_state import RollState
from console.journal.store import Journal
from console.model.identity import HostName, RunId
from console.runner.process import claim
from console.runner.starting import carry_out, complain, start_child
from console.site import Site


def start_roll(site: Site, roll: RunId) -> subprocess.Popen[bytes]:
    """Start the process that carries on (or takes over) a roll of the journal.

    Raises:
        OSError: no process could be started.
    """
    return start_child(site, "console.rolling.process", {"roll": roll})


def main() -> int:
    """Carry on the roll that standard input names; returns an exit code for the log's readers."""
    return carry_out("roll", _carry_on)


async def _carry_on(site: Site, journal: Journal, roll: RunId) -> None:
    """Until it is closed, or waits for somebody; who asks after that finds no process, and starts one."""
    while True:
        state = await _once(site, journal, roll, claim(journal, roll))
        if state.closed or not journal.requests_of(roll):
            return


async def _once(site: Site, journal: Journal, roll: RunId, token: str) -> RollState:
    from console.doors import open_doors, seeds_of
    from console.journal.ledger import rolls_of
    from console.learning import LearningForecaster
    from console.runner.changing import Hands
    from console.runner.control import Circle

    from .executor import RollExecutor
    from .loop import RollRunner
    from .planning import RollPlanner
    from .runs import JournalDrains

    state = rolls_of(journal).load(roll)
    clock = site.clock()
    reader, writer = open_doors(site)
    seeds = tuple(dict.fromkeys((*seeds_of(site.options), *state.nodes)))
    drains = JournalDrains(site, clock, state.operator)

    def hands(node: HostName) -> Hands:
        return Hands(writer, Circle(reader, seeds, node), node)

    planner = RollPlanner(reader, clock, site, LearningForecaster(site.paths))
    executor = RollExecutor(reader, hands, seeds, planner, drains, clock)
    try:
        return await RollRunner(journal, roll, token, executor, clock, complain).go()
    finally:
        drains.close()
        await reader.close()
        await writer.close()


if __name__ == "__main__":
    sys.exit(main())
