"""A full inventory of a served lab, by the road that a real cluster takes: how long, and whose processor time it was.

Run ``python tests/bench/inventory.py [scenario] [--profile FILE]``; ``huge`` (64 hosts, 8,000 VMs) by default. The lab
runs in a process of its own on the same machine. Seconds of processor time do not depend on what else runs; those of
the wall do. Not a test.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from console.doors import open_reader, seeds_of
from console.inventory.reading import read_cluster
from console.model.cluster import Cluster
from console.site import Site, find_site
from console.wire import pool

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def processor_s(process: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


class Decoding:
    """Counts what the decoder gets and what it costs."""

    def __init__(self, decode: Callable[[str], Any]) -> None:
        self._decode = decode
        self.objects = 0
        self.characters = 0
        self.spent_s = 0.0

    def __call__(self, document: str) -> Any:
        started_s = time.thread_time()
        try:
            return self._decode(document)
        finally:
            self.spent_s += time.thread_time() - started_s
            self.objects += 1
            self.characters += len(document)


def serve(scenario: str) -> tuple[subprocess.Popen[str], dict[str, Any], float]:
    """A lab that serves, its line, and how long it took to be ready."""
    started_s = time.perf_counter()
    command = [sys.executable, "-m", "console.cli", "lab", "--serve", "--scenario", scenario, "--speed", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    return process, json.loads(line), time.perf_counter() - started_s


async def read(site: Site) -> Cluster:
    """One inventory, sessions opened and closed."""
    reader = open_reader(site)
    try:
        return await read_cluster(reader, seeds_of(site.options), site.clock())
    finally:
        await reader.close()


def measure(scenario: str, profile: AbstractContextManager[Any]) -> None:
    """Serve, read, print."""
    process, ready, ready_s = serve(scenario)
    try:
        print(f"lab ready after {ready_s:.1f} s, of which {processor_s(process.pid):.1f} s on a processor")
        site = find_site(Path(ready["config"]), None, lambda cluster, options: SecretStr(ready["password"]))
        decoding = Decoding(pool.decode)
        setattr(pool, "decode", decoding)  # noqa: B010  # the name is imported there
        lab_s, own_s, wall_s = processor_s(process.pid), time.process_time(), time.perf_counter()
        with profile:
            cluster = asyncio.run(read(site))
        wall_s, own_s = time.perf_counter() - wall_s, time.process_time() - own_s
        lab_s = processor_s(process.pid) - lab_s
        print(f"{len(cluster.hosts)} hosts, {len(cluster.vms)} VMs in {wall_s:.1f} s")
        print(f"processor: lab {lab_s:.1f} s, console {own_s:.1f} s, of which decoding {decoding.spent_s:.1f} s")
        print(f"{decoding.objects} objects, {decoding.characters / 1e6:.1f} million characters")
        print(f"console's memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
        problems = sorted({problem for host in cluster.hosts for problem in host.problems})
        print(f"hosts that answered: {sum(host.contact.name == 'ANSWERING' for host in cluster.hosts)}")
        print("\n".join(problems[:5]))
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default="huge")
    parser.add_argument("--profile", type=Path, help="where the profile of the event loop's thread goes")
    arguments = parser.parse_args()
    profiler = cProfile.Profile() if arguments.profile else None
    measure(arguments.scenario, nullcontext() if profiler is None else profiler)
    if profiler is not None:
        profiler.dump_stats(arguments.profile)


if __name__ == "__main__":
    main()
