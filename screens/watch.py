"""Keeps the store fresh: reads the cluster and the run in turn, on the operations' own clock. Knows no widget."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from console.checks.values import Conflict, Findings
from console.clock import sleep_for
from console.drain.state import RunState
from console.model.cluster import Cluster
from console.model.failures import Failure
from console.model.identity import HostName, RunId
from screens.sight import STALE_AFTER_S, RunSight, Services

IDLE_POLL_S = 10.0
RUN_POLL_S = 2.0
STATE_POLL_S = 0.5
IDLE_ROLL_TURNS = 6
"""Looks at a run until one is for a rolling run, while none is open."""
FULL_READ_S = 300.0
"""A light re-read can not see everything: a full one comes this often."""
LEAST_WAIT_S = 0.25
"""Real seconds between two looks, however fast the clock of a lab runs."""


_MIGRATING = "vm-already-migrating"


class Watcher:
    """Two loops; whatever goes wrong in them becomes a problem and the next turn comes all the same.

    Args:
        report: told of what went wrong, by source and error.
        least_wait_s: real seconds between two turns at the least.
    """

    def __init__(
        self, services: Services, report: Callable[[str, BaseException], None], least_wait_s: float = LEAST_WAIT_S
    ) -> None:
        self.run: RunSight | None = None
        self._services = services
        self._report = report
        self._least_wait_s = least_wait_s
        self._wake = asyncio.Event()
        self._full_at_s: float | None = None
        self._wanted: set[HostName | None] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin, on the running loop."""
        self._spawn(self._cluster_loop())
        self._spawn(self._run_loop())

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def follow(self, run: RunId) -> None:
        """Look at this run from now on."""
        self.run = self._services.sight.attach(run)
        self.look_at_run()

    def look_at_run(self) -> None:
        """Take the run's newest state now."""
        if self.run is not None:
            try:
                self._services.store.put_run(self.run.state())
            except Exception as error:  # the border to the journal: a locked or full file must not end the console
                self._report(f"run {self.run.run}", error)

    def _look_at_roll(self) -> None:
        """Take the rolling run's newest state."""
        try:
            self._services.look_at_roll()
        except Exception as error:  # the border to the journal: see above
            self._report("rolling run", error)

    def read_now(self) -> None:
        """Do not wait for the next turn; everything is read."""
        self._full_at_s = None
        self._wake.set()

    def want_details(self, node: HostName | None) -> None:
        """From now on also read the finer facts of this node's VMs (None: of all), at once and after each full
        reading."""
        if not {node, None} & self._wanted:
            self._wanted.add(node)
            self._wake.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cluster_loop(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._read()
            except Exception as error:  # the border to the cluster: a failed reading must not end the console
                self._report(self._services.sight.cluster_name, error)
            store = self._services.store
            await self._pause(RUN_POLL_S if store.run_is_on or store.roll_drains else IDLE_POLL_S)

    async def _read(self) -> None:
        began_s = self._services.sight.clock.elapsed_s()
        await self._read_once(began_s)
        took_s = self._services.sight.clock.elapsed_s() - began_s
        # A lab whose clock runs fast, or a large cluster, takes long by that clock: its data is not old for that.
        self._services.stale_after_s = max(STALE_AFTER_S, 3 * (took_s + IDLE_POLL_S))

    async def _read_once(self, now_s: float) -> None:
        sight, store = self._services.sight, self._services.store
        if store.cluster is None or self._full_at_s is None or now_s - self._full_at_s >= FULL_READ_S:
            cluster = await sight.read_cluster(store.put_reading)
            self._full_at_s = now_s
            store.detailed.clear()
            if store.cluster is None:
                store.put_cluster(cluster)
                await self._check(cluster)
            await self._take(await self._with_details(cluster))
        elif self._wanted - store.detailed:
            await self._take(await self._with_details(store.cluster))
        else:
            store.put_cluster(await sight.refresh(store.cluster))

    async def _with_details(self, cluster: Cluster) -> Cluster:
        """The cluster with the finer facts that were asked for; of all VMs in one go where all were."""
        detailed = self._services.store.detailed
        for node in {None} if None in self._wanted else self._wanted - detailed:
            cluster = await self._services.sight.read_details(cluster, node)
        detailed |= self._wanted
        return cluster

    async def _take(self, cluster: Cluster) -> None:
        if cluster is not self._services.store.cluster:
            self._services.store.put_cluster(cluster)
            await self._check(cluster)

    async def _check(self, cluster: Cluster) -> None:
        findings = await asyncio.to_thread(self._services.sight.check, cluster)
        self._services.store.put_findings(without_own(findings, self._services.live_run), cluster.read_at)

    async def _run_loop(self) -> None:
        for turn in itertools.count():
            self.look_at_run()
            if self._services.store.open_roll is not None or turn % IDLE_ROLL_TURNS == 0:
                self._look_at_roll()
            await asyncio.gather(sleep_for(self._services.sight.clock, STATE_POLL_S), asyncio.sleep(self._least_wait_s))

    async def _pause(self, seconds: float) -> None:
        waits = [
            asyncio.ensure_future(sleep_for(self._services.sight.clock, seconds)),
            asyncio.ensure_future(self._wake.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        await asyncio.sleep(self._least_wait_s)


def without_own(findings: Findings, run: RunState | None) -> Findings:
    """A VM that the run itself moves is not in anybody's way."""
    if run is None:
        return findings

    def own(conflict: Conflict) -> bool:
        vm = conflict.subject.vm
        return conflict.code == _MIGRATING and vm is not None and vm.id in run.moves

    return replace(findings, conflicts=tuple(conflict for conflict in findings.conflicts if not own(conflict)))


def words_of(error: BaseException) -> str:
    """An error as a sentence for the Problems pane."""
    if isinstance(error, Failure):
        return str(error)
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
