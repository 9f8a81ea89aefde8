"""Deaths of real processes: ``python -m tests.bench.real_kills [--cases N] [--scenario NAME]``.

Each case serves a lab, starts ``drainboard drain`` and ends its runner with SIGKILL when the journal holds a drawn
number of events, in every second case its console too, and up to twice more while others take over. Then
``drainboard attach`` has to finish the run. What is asked afterwards is asked of the lab's own ``/world``: nobody is
left on the node, nobody was moved twice, nobody runs less than before, settings are as they were, no lease is left.

``--seed N`` runs one case alone and tells its journal.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.served import Served, served, surroundings

SPEED = 20.0
NODE = "HV01"
SETTING = ("MaximumParallelMigrations", "3")
PATIENCE_S = 120.0
TERMINAL = {"done", "blocked", "failed", "skipped", "interrupted", "left-behind", "unknown-at-close"}


@dataclass
class Case:
    """What one case went through, and what should not have been."""

    seed: int
    runner_deaths: int = 0
    console_deaths: int = 0
    restarts: int = 0
    died_in: list[str] = field(default_factory=list)
    """The newest event when the runner died."""
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Journal:
    """A look into the journal's file from outside, by nothing but its tables."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.sqlite"

    def _rows(self, question: str) -> list[tuple[Any, ...]]:
        if not self._path.exists():
            return []
        try:
            connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=1.0)
            try:
                return connection.execute(question).fetchall()
            finally:
                connection.close()
        except sqlite3.OperationalError:  # it is being created, or written
            return []

    def events(self) -> int:
        rows = self._rows("SELECT count(*) FROM events")
        return int(rows[0][0]) if rows else 0

    def newest(self) -> str:
        rows = self._rows("SELECT body FROM events ORDER BY seq DESC LIMIT 1")
        return str(json.loads(rows[0][0]).get("type", "?")) if rows else ""

    def has(self, kind: str) -> bool:
        """Whether an event of that kind was written down."""
        return bool(self._rows(f'SELECT 1 FROM events WHERE body LIKE \'{{"type":"{kind}"%\' LIMIT 1'))

    def is_over(self) -> bool:
        return self.has("RunClosed")

    def runner(self) -> int | None:
        rows = self._rows("SELECT pid FROM runners LIMIT 1")
        return int(rows[0][0]) if rows else None


def one(seed: int, scenario: str, home: Path) -> Case:
    dice = random.Random(seed)
    case = Case(seed)
    began = time.monotonic()
    with served(scenario, home, speed=SPEED) as lab:
        before = lab.world()
        lab.throw(kind="setting", name=SETTING[0], value=2)
        before["settings"][SETTING[0]] = 2
        journal = Journal(Path(lab.config).parent)
        consent = ("--allow-setting", "=".join(SETTING)) if dice.random() < 0.5 else ()
        console = console_of(lab, "drain", NODE, "--confirm", NODE, *consent)
        killed: set[int] = set()
        at = 0
        for _ in range(dice.choice((1, 1, 2, 3))):
            at += dice.randint(1, 60)
            _kill_runner(case, journal, console, at, killed)
            if console.poll() is None and seed % 2:
                console.kill()
                console.wait()
                case.console_deaths += 1
            if console.poll() is not None and not journal.is_over():
                console.communicate()
                console = console_of(lab, "attach", "--follow")
                case.restarts += 1
        _finish(case, lab, console, before)
    case.seconds = time.monotonic() - began
    return case


def console_of(lab: Served, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "console.cli", *arguments, "--config", lab.config],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=lab.home,
        env=surroundings(lab.home, DRAINBOARD_PASSWORD=lab.password),
    )


def _kill_runner(case: Case, journal: Journal, console: subprocess.Popen[str], at: int, killed: set[int]) -> None:
    """End the runner at the first look that finds ``at`` more events than when it took over."""
    end = time.monotonic() + PATIENCE_S
    begun = journal.events()
    while time.monotonic() < end and not journal.is_over() and console.poll() is None:
        pid = journal.runner()
        if pid is not None and pid not in killed and journal.events() >= min(at, begun + at):
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
            case.runner_deaths += 1
            case.died_in.append(journal.newest())
            return
        time.sleep(0.003)


def _finish(case: Case, lab: Served, console: subprocess.Popen[str], before: dict[str, Any]) -> None:
    """A console that still watches ends with the run; then the product's own command tells how it ended."""
    try:
        _, words = console.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        console.kill()
        case.problems.append("the console did not come to an end")
        return
    if console.returncode != 0:
        case.problems.append(f"the console ended with {console.returncode}: {words.strip().splitlines()[-3:]}")
    done = lab.run("attach", "--json")
    if done.returncode != 0:
        case.problems.append(f"attach ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return
    case.problems += [*_document(json.loads(done.stdout), before), *_world(lab.world(), before)]


def _document(document: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Every VM in exactly one terminal state, and no setting left as it should not be."""
    here = {vm["id"] for vm in before["vms"] if vm["host"] == NODE}
    told = Counter(move["vm_id"] for move in document["moves"])
    said = [f"{vm} stands {count} times in the document" for vm, count in told.items() if count != 1]
    said += [f"{vm} is missing from the document" for vm in here - set(told)]
    for move in document["moves"]:
        if move["state"] not in TERMINAL:
            said.append(f"{move['vm']} ended as {move['state']}")
        elif move["state"] != "done":
            said.append(f"{move['vm']} is {move['state']}: {move['reason']}")
    if document["outcome"] != "drained":
        said.append(f"the run ended as {document['outcome']}")
    said += [f"{item['name']} was not put back" for item in document["settings_changed"] if not item["restored"]]
    return said


def _world(world: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """What the lab's own book says."""
    was = {vm["id"]: vm for vm in before["vms"]}
    said = [f"{vm['name']} is still on {NODE}" for vm in world["vms"] if vm["host"] == NODE]
    said += [f"{vm['name']} is lost" for key, vm in was.items() if key not in {each["id"] for each in world["vms"]}]
    said += [
        f"{vm['name']} was {was[vm['id']]['state']} and is {vm['state']}"
        for vm in world["vms"]
        if vm["state"] != was[vm["id"]]["state"]
    ]
    moved = Counter(move["vm"] for move in world["moves"] if move["vm"])
    said += [f"{vm} was moved {count} times" for vm, count in moved.items() if count != 1]
    said += [f"a limit was broken: {each}" for each in world["limits"]["violations"]]
    said += [
        f"{name} was {value} and is {world['settings'][name]}"
        for name, value in before["settings"].items()
        if world["settings"][name] != value
    ]
    leases = [group["name"] for group in world["groups"] if group["name"].startswith(f"zz-drainboard-{NODE}".lower())]
    said += [f"the lease {name} is left" for name in leases]
    host = next(host for host in world["hosts"] if host["name"] == NODE)
    if (host["state"], host["drain_status"]) != ("Paused", "Completed"):
        said.append(f"{NODE} is {host['state']}, its drain {host['drain_status']}")
    return said


def report(cases: list[Case]) -> int:
    print("seed  runner  console  restarts  seconds  died after")
    for case in cases:
        line = f"{case.seed:4} {case.runner_deaths:7} {case.console_deaths:8} {case.restarts:9} {case.seconds:8.1f}"
        print(f"{line}  {', '.join(case.died_in)}")
        for problem in case.problems:
            print(f"      VIOLATION {problem}\n      python -m tests.bench.real_kills --seed {case.seed}")
    runners, consoles = sum(case.runner_deaths for case in cases), sum(case.console_deaths for case in cases)
    broken = sum(len(case.problems) for case in cases)
    restarts = sum(case.restarts for case in cases)
    print(f"{len(cases)} drains, {runners} runners and {consoles} consoles killed, {restarts} restarts by hand")
    print(f"{broken} violations")
    return 1 if broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--scenario", default="quiet")
    parser.add_argument("--seed", type=int, help="this case alone")
    given = parser.parse_args()
    seeds = [given.seed] if given.seed is not None else range(given.first, given.first + given.cases)
    cases = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as home:
            case = one(seed, given.scenario, Path(home))
            if given.seed is not None:
                log = Path(home) / ".local" / "state" / "drainboard" / "runner.log"
                print(log.read_text() if log.exists() else "no runner.log")
        cases.append(case)
        print(f"seed {seed}: {len(case.problems)} violations, {case.seconds:.1f} s", file=sys.stderr, flush=True)
    return report(cases)


if __name__ == "__main__":
    sys.exit(main())
