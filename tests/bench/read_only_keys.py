"""Random keys against a console that only looks: ``python -m tests.bench.read_only_keys [--keys N] [--armed]``.

The product's own console, its own operations and wire, on a lab that is served; in the journal is an open run whose
runner was killed, so that the run's screens have something to offer. Keys come in batches: all of the registry but the
one that quits, printable ones, arrows, and now and then a node's name and Enter. Some batches are followed by all
that the screens owe to them; others come four in a row before anything is painted, faster than anybody types. Then the
lab's ``/world`` is asked whether any host was told to change anything.

``--armed`` presses the same keys in a console that may, to show that they would have; what was started then is
stopped, and journal and world are asked whether any promise was broken.
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
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from textual import events
from textual.pilot import Pilot

from console.actions import ACTIONS, Effect
from console.app import DrainboardApp
from console.composition import open_operations
from console.drain.requests import StopRun
from console.drain.state import MoveState, Phase
from console.journal.ledger import runs_of
from console.journal.store import Journal as Store
from console.site import find_site
from tests.bench.real_kills import NODE, Journal, console_of
from tests.cli.served import Served, served

SPEED = 5.0
SIZE = (120, 40)
BATCH, HASTE = 50, 4
"""Keys in a batch; batches of a hasty burst."""
HASTY = 1 / 3
"""How often it is one: then two keys of three are pressed in haste."""
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


@dataclass
class Pressed:
    """What the keys met."""

    consoles: int = 0
    """How often one had to be opened: the palette knows a way to leave."""
    screens: Counter[str] = field(default_factory=Counter)
    """Which screen was on top after each batch."""


async def press(lab: Served, keys: int, *, armed: bool, seed: int) -> Pressed:
    """Press so many, in as many consoles as that takes."""
    dice = random.Random(seed)
    site = find_site(Path(lab.config), None, lambda cluster, options: SecretStr(lab.password))
    left, pressed = keys, Pressed()
    async with open_operations(site, read_only=not armed) as operations:
        while left > 0:
            app = DrainboardApp(operations, run=operations.runs().known[0].run, settle_s=0.0)
            pressed.consoles += 1
            async with app.run_test(size=SIZE) as pilot:
                while app.store.findings is None:
                    await pilot.pause(0.05)
                while left > 0 and app.is_running:
                    hasty = dice.random() < HASTY
                    with app.batch_update() if hasty else nullcontext():
                        for _ in range(HASTE if hasty else 1):
                            left -= await _batch(app, pilot, batch(dice, min(BATCH, left)))
                            pressed.screens[type(app.screen).__name__.removesuffix("Screen")] += 1
                    await pilot.pause(0)
    return pressed


async def _batch(app: DrainboardApp, pilot: Pilot[Any], keys: list[str]) -> int:
    """Press them and wait until every widget has taken what came to it; the wire goes on by itself meanwhile."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))
    await pilot.pause(0)
    return len(keys)


def end_all(lab: Served) -> None:
    """Ask every run that was started to stop, and see each to its end."""
    with Store.open(Path(lab.config).parent / "journal.sqlite") as journal:
        states = [runs_of(journal).load(run) for run in runs_of(journal).names()]
        still = [state.run for state in states if state.phase is not Phase.ENDED]
        for run in still:
            runs_of(journal).ask(run, StopRun(), "bench")
    for run in still:
        lab.run("attach", run, "--follow")


def broken(lab: Served, before: dict[str, Any]) -> list[str]:
    """What should not have been, by the journal and by the lab's own book."""
    with Store.open(Path(lab.config).parent / "journal.sqlite", read_only=True) as journal:
        states = [runs_of(journal).load(run) for run in runs_of(journal).names()]
    said = [f"{state.run} is {state.phase.value}" for state in states if state.phase is not Phase.ENDED]
    said += [
        f"{state.run}: {move.vm.name} ended as {move.state.value}"
        for state in states
        for move in state.moves.values()
        if not (move.state.terminal or move.state is MoveState.UNKNOWN)
    ]
    after = lab.world()
    reported = {change.name for state in states for change in state.settings_changed if change.given_up}
    said += [
        f"{name} was {value}, is {after['settings'][name]}, and nobody says so"
        for name, value in before["settings"].items()
        if after["settings"][name] != value and name not in reported
    ]
    return [*said, *_of_world(before, after)]


def _of_world(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Nobody is lost, stopped, or asked to move while it moves; no limit was broken; no lease is left."""
    there = {vm["id"]: vm["state"] for vm in after["vms"]}
    said = [f"a limit was broken: {each}" for each in after["limits"]["violations"]]
    for vm in before["vms"]:
        if there.get(vm["id"]) != vm["state"]:
            said.append(f"{vm['name']} was {vm['state']} and is {there.get(vm['id'], 'lost')}")
    free_s: dict[str, float] = {}
    for move in sorted(after["moves"], key=lambda move: float(move["requested_s"])):
        if move["requested_s"] < free_s.get(move["vm_id"], 0.0):
            said.append(f"{move['vm']} was asked to move while it moved")
        free_s[move["vm_id"]] = move["ended_s"] or float("inf")
    return said + [
        f"the lease {g['name']} is left" for g in after["groups"] if g["name"].startswith("zz-drainboard-hv")
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--armed", action="store_true", help="in a console that may change something")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    again = f"python -m tests.bench.read_only_keys --armed --keys {given.keys} --seed {given.seed}"
    with tempfile.TemporaryDirectory() as home, served("quiet", Path(home), speed=SPEED) as lab:
        world = lab.world()
        orphaned_run(lab)
        before, read = lab.changing_commands(), lab.commands()
        began, processor_s = time.monotonic(), time.process_time()
        pressed = asyncio.run(press(lab, given.keys, armed=given.armed, seed=given.seed))
        took_s, processor_s = time.monotonic() - began, time.process_time() - processor_s
        changed = lab.changing_commands() - before
        reads = lab.commands() - read - changed
        problems: list[str] = []
        if given.armed:
            end_all(lab)
            problems = broken(lab, world)
    print(
        f"{given.keys} keys in {took_s:.0f} s ({processor_s:.0f} s of processor time), {pressed.consoles} console(s)"
        f" opened: {reads} reading and {changed} changing commands reached the hosts"
    )
    print("  on top: " + ", ".join(f"{name} {count}" for name, count in pressed.screens.most_common()))
    if given.armed:
        print(f"{len(problems)} promises broken")
    for problem in problems:
        print(f"FAILED {problem}\n    {again}")
    return 1 if problems or bool(changed) is not given.armed else 0


if __name__ == "__main__":
    sys.exit(main())
