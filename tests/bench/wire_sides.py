"""One console's side of a drain over the wire: its configuration, its journal, and its runner as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from console.composition import LiveOperations
from console.drain.events import Event
from console.drain.opening import consent_entries, open_event
from console.drain.state import Phase
from console.journal.ledger import runs_of
from console.journal.store import Journal
from console.lab.serve import ServedLab
from console.model.failures import Failure
from console.model.identity import HostName, RunId
from console.planner.values import PlanOptions
from console.site import find_site

NODE = HostName("HV01")
SETTING = ("MaximumParallelMigrations", 3)
AGAIN_S = 0.5
MOST_STARTS = 5
"""A runner that ends without its run having ended is started again, so often."""


class Side:
    """Whoever drains the node from one machine.

    Args:
        lease_s: real seconds that its lease lasts; the product's own without.
    """

    def __init__(self, lab: ServedLab, folder: Path, run: str, lease_s: float | None) -> None:
        self._lab, self._folder, self._run, self._lease_s = lab, folder, RunId(run), lease_s
        self._config = folder / "config.toml"
        self._process: Process | None = None
        self._starts = 0
        self.problems: list[str] = []

    async def open(self) -> None:
        """Read, plan, and write the run down; as often as it takes while the wire fails."""
        self._furnish()
        secret = SecretStr(self._lab.ready["password"])
        site = find_site(self._config, None, lambda cluster, options: secret)
        while True:
            operations = LiveOperations(site, read_only=True)
            try:
                cluster = await operations.read_cluster()
                plan = operations.plan(cluster, NODE, PlanOptions())
                break
            except Failure:
                await asyncio.sleep(AGAIN_S)
            finally:
                await operations.close()
        at = site.clock().now()
        consents = consent_entries(interrupt=["all"], settings=[SETTING], by="bench", at=at)
        with Journal.open(self._journal) as journal:
            event = open_event(plan, cluster, run=self._run, at=at, operator=self._run, consents=consents)
            runs_of(journal).append(self._run, [event])

    def _furnish(self) -> None:
        self._folder.mkdir()
        lab = Path(self._lab.ready["config"]).read_text("utf-8")
        self._config.write_text(f"{lab}\n[journal]\npath = 'run.sqlite'\n", "utf-8")

    @property
    def _journal(self) -> Path:
        return self._folder / "run.sqlite"

    async def start(self, set_clock: tuple[float, float] | None = None) -> None:
        """The runner, or the next one."""
        self._starts += 1
        order = {
            "configuration": str(self._config),
            "cluster": "lab",
            "password": self._lab.ready["password"],
            "run": self._run,
        }
        options = [] if self._lease_s is None else ["--lease", str(self._lease_s)]
        options += [] if set_clock is None else ["--set-clock", *map(str, set_clock)]
        with (self._folder / "runner.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.wire_runner", *options, stdin=PIPE, stdout=log, stderr=log,
                env={**os.environ, "HOME": str(self._folder)},
            )  # fmt: skip
        assert self._process.stdin is not None, "asked for a pipe"
        self._process.stdin.write(json.dumps(order).encode())
        self._process.stdin.close()

    async def end(self) -> None:
        """Until the run has ended; another runner takes over from one that was killed."""
        while self._process is not None:
            code = await self._process.wait()
            if self._is_over():
                return
            if code >= 0:
                self.problems.append(f"{self._run}: the runner ended with {code}: {self._last_words()}")
            if self._starts == MOST_STARTS:
                return
            await self.start()

    def _is_over(self) -> bool:
        with Journal.open(self._journal, read_only=True) as journal:
            return runs_of(journal).load(self._run).phase is Phase.ENDED

    def _last_words(self) -> str:
        lines = (self._folder / "runner.log").read_text("utf-8").splitlines()
        return " | ".join(lines[-3:])

    def events(self) -> tuple[Event, ...]:
        """What its journal holds; nothing where it never began."""
        if not self._journal.exists():
            return ()
        with Journal.open(self._journal, read_only=True) as journal:
            return runs_of(journal).events(self._run)

    def strike(self) -> None:
        """SIGKILL: whoever waits for the end starts the next one."""
        self._send(signal.SIGKILL)

    def suspend(self) -> None:
        self._send(signal.SIGSTOP)

    def wake(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, what: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):  # it has ended
                self._process.send_signal(what)

    async def kill(self) -> None:
        """Whatever is left of it."""
        if self._process is not None and self._process.returncode is None:
            self._send(signal.SIGKILL)
            await self._process.wait()
