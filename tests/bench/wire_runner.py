"""The product's runner, as ``tests.bench.wire_campaign`` starts it; what it is to run comes on its standard input.

``--lease S`` lets its leases last so many real seconds. ``--set-clock AFTER BY`` sets this machine's wall clock, as the
runner sees it, by so many seconds after so many real ones; elapsed time goes on as before.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime, timedelta

from console.clock import ScaledClock
from console.runner import process


def set_clock(after_s: float, by_s: float) -> None:
    """From then on the wall clock is another one."""
    begun_s, usual = time.monotonic(), ScaledClock.now

    def now(self: ScaledClock) -> datetime:
        is_set = time.monotonic() - begun_s >= after_s
        return usual(self) + timedelta(seconds=by_s if is_set else 0.0)

    ScaledClock.now = now  # type: ignore[method-assign] # the one clock of a runner in a lab


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lease", type=float)
    parser.add_argument("--set-clock", nargs=2, type=float, metavar=("AFTER", "BY"))
    given = parser.parse_args()
    if given.lease is not None:
        process.LEASE_S = given.lease
    if given.set_clock is not None:
        set_clock(*given.set_clock)
    return process.main()


if __name__ == "__main__":
    sys.exit(main())
