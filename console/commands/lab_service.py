"""Serving a lab until somebody ends it: an interrupt, or the last process that needs it."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from console.exits import ExitCode, UsageProblem
from console.jea.files import export
from console.jea.writing import write
from console.lab.serve import ScenarioError, serve
from console.processes import is_alive

from .output import print_line

LOOK_S = 1.0
"""Between two looks at the runners that keep a lab alive; real time."""


def serve_lab(
    scenario: str, seed: int, speed: float | None, port: int | None, *, tied: bool, endpoint: str | None = None
) -> int:
    """Serve a scenario; prints one JSON line when it can be reached.

    Every host has this console's constrained endpoints installed; the config names ``endpoint``, or the default one.

    With ``tied`` it lasts as long as standard input is open, and then as long as one of the processes runs whose
    ids were written there, a line each.

    Raises:
        UsageProblem: no such scenario, or the port is taken.
    """
    with (
        tempfile.TemporaryDirectory(prefix="drainboard-lab-", ignore_cleanup_errors=True) as folder,
        suppress(KeyboardInterrupt),
    ):
        write(Path(folder) / "endpoints", export())
        asyncio.run(_serve(scenario, seed, speed, port, Path(folder), tied=tied, endpoint=endpoint))
    return int(ExitCode.DONE)


async def _serve(
    scenario: str, seed: int, speed: float | None, port: int | None, folder: Path, *, tied: bool, endpoint: str | None
) -> None:
    try:
        lab = await serve(
            scenario,
            seed=seed,
            speed=speed,
            port=port,
            directory=folder,
            sessions=folder / "endpoints",
            endpoint=endpoint,
        )
    except (ScenarioError, OSError) as error:
        raise UsageProblem(f"The lab can not be served: {error}") from None
    try:
        print_line({**lab.ready})
        await (_as_long_as_needed() if tied else _until_interrupted())
    finally:
        await lab.close()


async def _until_interrupted() -> None:
    ended = asyncio.Event()
    if sys.platform != "win32":  # there an interrupt ends the loop itself
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()


async def _as_long_as_needed() -> None:
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()
    runners: list[int] = []

    def listen() -> None:
        for line in sys.stdin.buffer:
            with suppress(ValueError):
                runners.append(int(line))
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=listen, daemon=True).start()
    await closed.wait()
    await asyncio.to_thread(_outlive, runners)


def _outlive(runners: list[int]) -> None:
    while any(is_alive(pid) for pid in runners):
        time.sleep(LOOK_S)
