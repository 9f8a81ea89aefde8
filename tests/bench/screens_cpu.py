"""What the console costs: start to first paint, idle on a small and a huge cluster, a run of 80 moves on screen.

python -m tests.bench.screens_cpu [SECONDS]
"""

from __future__ import annotations

import statistics
import sys

from tests.bench.screens_terminal import Terminal

STARTS = 5


def first_paint() -> tuple[float, float]:
    """From starting the process to the painted name of the screen: seconds, and processor seconds of it."""
    with Terminal(["-m", "tests.bench.screens_app", "quiet"], 160, 50) as terminal:
        wall_s = terminal.wait_for(lambda painted: b"Board" in painted, 20)
        return wall_s, terminal.cpu_s()


def share(kind: str, seconds: float) -> float:
    """Share of one core, once the start is over."""
    with Terminal(["-m", "tests.bench.screens_app", kind], 160, 50) as terminal:
        terminal.wait_for(lambda painted: b"HV0" in painted, 30)
        terminal.cpu_share(6.0)
        return terminal.cpu_share(seconds)


def main(seconds: float) -> None:
    walls, cpus = zip(*(first_paint() for _ in range(STARTS)), strict=True)
    print(
        f"start to first paint: median {statistics.median(walls):.2f} s, best {min(walls):.2f} s of {STARTS};"
        f" processor {statistics.median(cpus):.2f} s (target ≤ 0.8 s)"
    )
    print(f"idle, 4 hosts and 40 VMs: {share('quiet', seconds) * 100:.1f} % of one core (target ≤ 1 %)")
    print(f"idle, 64 hosts and 8,000 VMs: {share('huge', seconds) * 100:.1f} % of one core (target ≤ 5 %)")
    print(f"a run of 80 moves, every 2 s: {share('run', seconds) * 100:.1f} % of one core (target ≤ 15 %)")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
