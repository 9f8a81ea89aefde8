"""The long fault campaign: ``python -m tests.bench.campaign [--drains N] [--kills N] [--races N]``.

Prints drains, faults by kind, invariant violations, VMs lost, settings not restored. One seed alone:
``--seed N [--cut EVENTS | --race]`` prints its log, its faults and what the judge says.

``--processes N``, ``--wire N`` and ``--keys N`` go on with what virtual time can not show: real processes that are
killed, drains over the real protocol, random keys in a console that only looks.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.drain.drawn import Drawn, draw_drain
from tests.drain.race import draw_race

BLOCK = 50
_BEYOND = {
    "processes": ("real_kills", "--cases"),
    "wire": ("wire_campaign", "--drains"),
    "keys": ("read_only_keys", "--keys"),
}
"""Option → module and its own option."""


@dataclass
class Tally:
    """What many drains add up to."""

    drains: int = 0
    kills: int = 0
    races: int = 0
    both_at_once: int = 0
    events: int = 0
    vms: int = 0
    lost: int = 0
    unrestored: int = 0
    reported: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in ("drains", "kills", "races", "events", "vms", "lost", "unrestored", "reported"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.kinds += other.kinds
        self.outcomes += other.outcomes
        self.failures += other.failures

    def count(self, seed: int, drawn: Drawn, how: str) -> None:
        """Run one drain and count what became of it."""
        campaign = drawn.campaign
        state = campaign.run()
        self.drains += 1
        self.events += len(campaign.journal)
        self.vms += len(state.moves)
        self.lost += campaign.judge.lost_vms
        self.unrestored += campaign.judge.unrestored
        self.reported += campaign.judge.reported
        self.kinds.update(drawn.kinds)
        self.outcomes[state.outcome.value if state.outcome else "open"] += 1
        self.failures += [_replayed(problem, seed, how) for problem in campaign.problems]


def _replayed(problem: str, seed: int, how: str) -> str:
    return f"{problem}\n    python -m tests.bench.campaign --seed {seed}{how}"


def drains(first: int) -> Tally:
    tally = Tally()
    for seed in range(first, first + BLOCK):
        tally.count(seed, draw_drain(seed), "")
    return tally


def kills(first: int) -> Tally:
    """The journal is cut at some event, and a new runner finishes the run."""
    tally = Tally()
    for seed in range(first, first + BLOCK):
        cut = random.Random(seed).randint(1, 150)
        drawn = draw_drain(seed, kill_after_events=cut)
        tally.count(seed, drawn, f" --cut {cut}")
        tally.kills += drawn.campaign.deaths
    return tally


def races(first: int) -> Tally:
    tally = Tally()
    for seed in range(first, first + BLOCK):
        race = draw_race(seed)
        race.run()
        tally.races += 1
        tally.failures += [_replayed(problem, seed, " --race") for problem in race.problems]
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drains", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=1_000, help="deaths at journal boundaries, at least")
    parser.add_argument("--races", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, help="run this one alone and print its log")
    parser.add_argument("--cut", type=int, help="with --seed: the runner dies when the journal holds so many events")
    parser.add_argument("--race", action="store_true", help="with --seed: two consoles")
    for option, (module, _) in _BEYOND.items():
        parser.add_argument(
            f"--{option}", type=int, default=0, metavar="N", help=f"then tests.bench.{module} with so many"
        )
    given = parser.parse_args()
    if given.seed is not None:
        return one(given.seed, given.cut, given.race)
    codes = [many(given.drains, given.kills, given.races, given.jobs)]
    for option, (module, flag) in _BEYOND.items():
        if amount := getattr(given, option):
            codes.append(beyond(module, flag, amount))
    return max(codes)


def beyond(module: str, flag: str, amount: int) -> int:
    """Another part of the campaign, in a process of its own; its exit code."""
    print(f"--- python -m tests.bench.{module} {flag} {amount}", flush=True)
    return subprocess.run([sys.executable, "-m", f"tests.bench.{module}", flag, str(amount)], check=False).returncode


def many(wanted: int, deaths: int, pairs: int, jobs: int) -> int:
    total, began = Tally(), time.perf_counter()
    work = [(drains, first) for first in range(0, wanted, BLOCK)]
    # A drain may end before its cut: a quarter more seeds than deaths.
    work += [(kills, 1_000_000 + first) for first in range(0, deaths + deaths // 4, BLOCK)]
    work += [(races, first) for first in range(0, pairs, BLOCK)]
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for part in [pool.submit(kind, first) for kind, first in work]:
            total.add(part.result())
    report(total, time.perf_counter() - began)
    return 1 if total.failures else 0


def report(total: Tally, seconds: float) -> None:
    print(f"drains                  {total.drains:>8}   in {seconds:.0f} s, {total.drains / seconds * 60:.0f} a minute")
    print(f"VMs                     {total.vms:>8}")
    print(f"journal events          {total.events:>8}")
    print(f"kills at a boundary     {total.kills:>8}")
    print(f"two-console races       {total.races:>8}")
    print("outcomes                " + ", ".join(f"{name} {count}" for name, count in total.outcomes.most_common()))
    print("faults thrown")
    for kind, count in total.kinds.most_common():
        print(f"  {kind:<28} {count:>6}")
    print(f"invariant violations    {len(total.failures):>8}")
    print(f"VMs lost                {total.lost:>8}")
    print(f"settings not restored   {total.unrestored:>8}   (reported by name and value: {total.reported})")
    for failure in total.failures[:20]:
        print(f"FAILED {failure}")


def one(seed: int, cut: int | None, race: bool) -> int:
    if race:
        pair = draw_race(seed)
        states = pair.run()
        problems = pair.problems
    else:
        drawn = draw_drain(seed, kill_after_events=cut)
        states = [drawn.campaign.run()]
        problems = drawn.campaign.problems
        print("faults: " + (", ".join(drawn.kinds) or "none"))
        print(drawn.campaign.world.faults)
    for state in states:
        print(f"--- {state.run}")
        for line in state.log:
            print(f"{line.at:%H:%M:%S.%f} {'!' if line.problem else ' '} {line.text}")
        for move in state.moves.values():
            print(f"    {move.vm.name}: {move.state.value} {move.reason}")
    for problem in problems:
        print(f"VIOLATION {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
