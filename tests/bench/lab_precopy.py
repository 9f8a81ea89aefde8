"""How far the lab's pre-copy is from 146 real moves. Run ``python tests/bench/lab_precopy.py``; not a test."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.lab.world.rig import Measured, Simulated, measured_moves, score, simulate


def line(what: str, pairs: list[tuple[Measured, Simulated]]) -> str:
    found = score(pairs)
    return (
        f"{what:26} {found.moves:4} moves  median {found.median:6.1%}  p90 {found.p90:6.1%}  bias {found.bias:+6.1%}"
        f"  blackout p90 {found.blackout_p90_s * 1000:4.0f} ms  converges or not {found.judged_alike:6.1%}"
    )


def main() -> None:
    pairs = [(move, simulate(move)) for move in measured_moves()]
    print(line("all", pairs))
    print(line("ended by the stop rule", [pair for pair in pairs if not pair[0].forced]))
    print(line("forced at a count of passes", [pair for pair in pairs if pair[0].forced]))


if __name__ == "__main__":
    main()
