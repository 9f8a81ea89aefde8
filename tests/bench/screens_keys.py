"""How fast the console answers a hand: from a key's byte to the first painted byte, with 8,000 VMs listed.

python -m tests.bench.screens_keys
"""

from __future__ import annotations

import statistics
import time

from tests.bench.screens_terminal import Terminal

KEYS = 300
PATTERN = "jjjjjkkGgjjj\x04\x15"
"""Down, up, last, first, half a page down and up."""


def latencies(keys: int = KEYS) -> tuple[list[float], float]:
    """Milliseconds of each key, and the mean of the processor's, which no other load on the machine can change."""
    taken = []
    with Terminal(["-m", "tests.bench.screens_app", "huge"], 160, 50) as terminal:
        terminal.wait_for(lambda painted: b"HV64" in painted or b"HV20" in painted, 30)
        terminal.drain(2.0)
        terminal.press("v")
        terminal.drain(1.5)
        before_s = terminal.cpu_s()
        for number in range(keys):
            began = time.perf_counter()
            terminal.press(PATTERN[number % len(PATTERN)])
            if terminal.read(1.0):
                taken.append((time.perf_counter() - began) * 1000)
            terminal.drain(0.02)
        cpu_ms = (terminal.cpu_s() - before_s) / keys * 1000
    return taken, cpu_ms


def main() -> None:
    taken, cpu_ms = latencies()
    taken.sort()
    p99 = taken[min(len(taken) - 1, round(len(taken) * 0.99))]
    print("slowest, ms:", " ".join(f"{ms:.0f}" for ms in taken[-8:]))
    print(
        f"{len(taken)} keys with 8,000 VMs listed at 160×50: median {statistics.median(taken):.1f} ms, p99 {p99:.1f} ms"
        f" (target ≤ 50 ms), processor {cpu_ms:.1f} ms a key"
    )


if __name__ == "__main__":
    main()
