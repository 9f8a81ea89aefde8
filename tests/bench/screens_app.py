"""The console that the benchmarks of the screens watch: a synthetic cluster, real time, a real terminal.

python -m tests.bench.screens_app quiet|huge|run
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta

from console.app import DrainboardApp
from console.clock import SystemClock
from console.inventory.progress import Told
from console.model.cluster import Cluster
from console.model.identity import HostName, RunId
from console.planner.values import Plan, PlanOptions
from tests.builders import make_cluster
from tests.screens.fakes import FakeOperations, FakeRun, plan_of

UPDATE_S = 2.0
SIZES = {"quiet": (4, 10), "huge": (64, 125), "run": (8, 80)}


class RealTime(FakeOperations):
    """The fake on the machine's clock; a re-reading makes every VM anew, as one over the wire does."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.clock = SystemClock()  # type: ignore[assignment]
        self.rolling.clock = self.clock  # type: ignore[assignment]
        self.window_ends_at = self.clock.now() + timedelta(hours=2)

    async def read_cluster(self, told: Told | None = None) -> Cluster:
        return await asyncio.to_thread(self._read)

    async def refresh(self, cluster: Cluster) -> Cluster:
        return await asyncio.to_thread(self._read)

    def _read(self) -> Cluster:
        now = self.clock.now()
        vms = tuple(replace(vm, read_at=now) for vm in self.cluster.vms)
        hosts = tuple(replace(host, read_at=now) for host in self.cluster.hosts)
        self.cluster = replace(self.cluster, vms=vms, hosts=hosts, read_at=now)
        return self.cluster


class Steady(FakeRun):
    """A run whose state changes every two seconds, as a runner's does."""

    def _step(self) -> None:
        if int(self._stepped_s) % UPDATE_S == 0:
            for _ in range(int(UPDATE_S)):
                super()._step()


def a_run(operations: RealTime, plan: Plan) -> RunId:
    run = RunId("bench")
    operations.handles[run] = Steady(run, plan, operations.clock, operations.window_ends_at, 8)
    return run


def main(kind: str) -> int:
    hosts, vms = SIZES[kind]
    cluster = make_cluster(hosts, vms, name=kind.upper(), vm_memory_gib=(64.0, 96.0, 160.0), host_memory_gib=16384)
    operations = RealTime(cluster)
    run = None
    if kind == "run":
        run = a_run(operations, plan_of(cluster, HostName("HV01"), PlanOptions(slots=8)))
    app = DrainboardApp(operations, run=run, window_ends_at=operations.window_ends_at)
    return app.run() or 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
