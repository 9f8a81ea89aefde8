"""The hook: a program that is run for each empty node, without a shell, ended with its children when it takes too long.

It runs in real time whatever clock the cluster lives by: programs know no other.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from console.configuration.secrets import without_passwords
from console.formatting import plain

GRACE_S = 5.0
"""Real seconds between asking a program to end and ending it."""
TOLD = 500
"""Characters of what it printed last."""
_MOST_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class HookResult:
    """``exit_status`` is None when it did not end in time or could not be started."""

    exit_status: int | None
    told: str = ""


async def run_hook(program: Sequence[str], variables: Mapping[str, str], timeout_s: float) -> HookResult:
    """Run it once to its end."""
    try:
        process = await asyncio.create_subprocess_exec(
            *program,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**without_passwords(os.environ), **variables},
            **_group_of_its_own(),
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return HookResult(None, f"{plain(program[0])} could not be started: {reason}")
    tail = bytearray()
    reading = asyncio.create_task(_read(process, tail))
    try:
        status = await asyncio.wait_for(process.wait(), timeout_s)
    except TimeoutError:
        await _end(process)
        await _rest(reading)
        return HookResult(None, f"it did not end within {timeout_s:g} s and was ended. {_last_words(tail)}".strip())
    except asyncio.CancelledError:
        reading.cancel()
        raise
    await _rest(reading)
    return HookResult(status, _last_words(tail))


def _group_of_its_own() -> dict[str, Any]:
    """So that its children can be ended with it, and no Ctrl+C of a terminal reaches it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


async def _read(process: Process, tail: bytearray) -> None:
    assert process.stdout is not None, "asked for a pipe"
    while chunk := await process.stdout.read(4096):
        tail += chunk
        del tail[:-_MOST_READ]


async def _rest(reading: asyncio.Task[None]) -> None:
    """A child that it left running may hold the pipe open: what was read until then is enough."""
    with suppress(TimeoutError):
        await asyncio.wait_for(reading, 1.0)


async def _end(process: Process) -> None:
    _signal(process, "SIGTERM")
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE_S)
    _signal(process, "SIGKILL")
    await process.wait()


def _signal(process: Process, name: str) -> None:
    """To the program and all its children."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, getattr(signal, name))


def _last_words(tail: bytes | bytearray) -> str:
    text = tail.decode(errors="replace").strip()
    return plain(" ".join(text[-TOLD:].split()), TOLD)
