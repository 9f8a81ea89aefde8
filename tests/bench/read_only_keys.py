"""Random keys against a console that only looks: ``python -m tests.bench.read_only_keys [--keys N] [--armed]``.

The product's own console, its own operations and wire, on a lab that is served; in the journal is an open run whose
runner was killed, so that the run's screens have something to offer. Keys come in batches: all of the registry but the
one that quits, printable ones, arrows, and now and then a node's name and Enter. Then the lab's ``/world`` is asked
whether any host was told to change anything.

``--armed`` presses the same keys in a console that may, to show that they would have.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr
from textual import events

from console.actions import ACTIONS, Effect
from console.app import DrainboardApp
from console.composition import open_operations
from console.site import find_site
from tests.bench.real_kills import NODE, Journal, console_of
from tests.cli.served import Served, served

BATCH = 50
QUITS = "app.quit"
KEYS = [key for action in ACTIONS if action.id != QUITS for key in action.keys]
CHANGING = [key for action in ACTIONS if action.effect is not Effect.NONE for key in action.keys]
OTHERS = ["tab", "shift+tab", "left", "right", "up", "down", "enter", "escape", "space", "delete", "9", "0", "x", "y"]


def batch(dice: random.Random, size: int) -> list[str]:
    """Keys by name; one in forty times a whole word that a confirmation asks for."""
    keys: list[str] = []
    while len(keys) < size:
        if dice.random() < 0.025:
            keys += ["d", "D", *NODE, "enter"]
        else:
            keys.append(dice.choice(dice.choice((KEYS, CHANGING, OTHERS))))
    return keys[:size]


def orphaned_run(lab: Served) -> None:
    """A run that is open and that nobody carries out."""
    console = console_of(lab, "drain", NODE, "--confirm", NODE)
    journal = Journal(Path(lab.config).parent)
    while not journal.has("MoveStarted"):
        time.sleep(0.05)
    console.kill()
    console.communicate()
    end_runner(lab)
    time.sleep(1.0)


def end_runner(lab: Served) -> None:
    pid = Journal(Path(lab.config).parent).runner()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


async def press(lab: Served, keys: int, *, armed: bool, seed: int) -> int:
    """How often the console had to be opened; it should be once."""
    dice = random.Random(seed)
    site = find_site(Path(lab.config), None, lambda cluster, options: SecretStr(lab.password))
    pressed = consoles = 0
    async with open_operations(site, read_only=not armed) as operations:
        while pressed < keys:
            app = DrainboardApp(operations, run=operations.open_runs()[0].run, settle_s=0.0, least_wait_s=0.0)
            consoles += 1
            async with app.run_test(size=(120, 40)) as pilot:
                while app.store.findings is None:
                    await pilot.pause(0.05)
                while pressed < keys and app.is_running:
                    for key in batch(dice, min(BATCH, keys - pressed)):
                        app.post_message(events.Key(key, key if len(key) == 1 else None))
                    await pilot.pause()
                    pressed += min(BATCH, keys - pressed)
    return consoles


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--armed", action="store_true", help="in a console that may change something")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, served("quiet", Path(home), speed=20.0) as lab:
        orphaned_run(lab)
        before, read = lab.changing_commands(), lab.commands()
        began = time.monotonic()
        consoles = asyncio.run(press(lab, given.keys, armed=given.armed, seed=given.seed))
        changed = lab.changing_commands() - before
        reads = lab.commands() - read - changed
        if given.armed:
            end_runner(lab)
        print(
            f"{given.keys} keys in {time.monotonic() - began:.0f} s, {consoles} console(s) opened: {reads} reading and"
            f" {changed} changing commands reached the hosts"
        )
    return 1 if bool(changed) is not given.armed else 0


if __name__ == "__main__":
    sys.exit(main())
