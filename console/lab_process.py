"""The lab as a child process: started, waited for, and gone when nobody needs it any more, however we end.

The child watches its standard input. It stays until that is closed, which the system does for us even when this
process is killed, and after that as long as one of the processes runs that were announced to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import SecretStr

from console.configuration.secrets import without_passwords
from console.exits import CommandEnded, ExitCode
from console.site import Site, find_site

START_LIMIT_S = 60.0
"""For the child to say that it is ready."""


@dataclass(frozen=True, slots=True)
class LabSettings:
    """Which world to start; None takes the lab's own default."""

    scenario: str
    seed: int | None = None
    speed: float | None = None

    def arguments(self) -> list[str]:
        given = {"--seed": self.seed, "--speed": self.speed}
        options = [f"{name}={value}" for name, value in given.items() if value is not None]
        return ["lab", "--serve", "--tied", f"--scenario={self.scenario}", *options]


@contextlib.contextmanager
def started_lab(settings: LabSettings, narrate: Callable[[str], None]) -> Iterator[Site]:
    """A site whose cluster lasts as long as the context, and as long as the runs started on it.

    Raises:
        CommandEnded: the lab did not start; its own words are in the text.
    """
    narrate(f"Starting the lab ({settings.scenario}) …")
    child = subprocess.Popen(
        [sys.executable, "-m", "console.cli", *settings.arguments()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=without_passwords(os.environ),
        **_detached(),
    )
    try:
        yield _site(_ready(child), child)
    finally:
        _let_go(child)


def _detached() -> dict[str, Any]:
    """Ctrl+C in our terminal is for us alone."""
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}


def _ready(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The ready line; whatever the child says on stderr is kept for the case that there is none."""
    said: list[bytes] = []
    listener = threading.Thread(target=_drain, args=(child.stderr, said), daemon=True)
    listener.start()
    limit = threading.Timer(START_LIMIT_S, child.kill)
    limit.start()
    try:
        assert child.stdout is not None, "asked for a pipe"
        line = child.stdout.readline()
    finally:
        limit.cancel()
    try:
        ready = json.loads(line)
    except ValueError:
        child.kill()
        child.wait()
        listener.join(1.0)
        words = b"".join(said).decode(errors="replace").strip() or "it said nothing"
        raise CommandEnded(ExitCode.USAGE, f"The lab did not start: {words}") from None
    assert isinstance(ready, dict), "the lab prints one JSON object"
    return ready


def _drain(stream: IO[bytes] | None, kept: list[bytes]) -> None:
    """Read to the end, so that the child never waits for us; keep only the beginning."""
    for line in stream or ():
        if len(kept) < 200:
            kept.append(line)


def _site(ready: dict[str, Any], child: subprocess.Popen[bytes]) -> Site:
    def keep_for(pid: int) -> None:
        assert child.stdin is not None, "asked for a pipe"
        with contextlib.suppress(OSError):
            child.stdin.write(f"{pid}\n".encode())
            child.stdin.flush()

    password = SecretStr(ready["password"])
    return find_site(Path(ready["config"]), None, lambda cluster, options: password, on_runner_started=keep_for)


def _let_go(child: subprocess.Popen[bytes]) -> None:
    """Close the child's standard input; it ends by itself, at once unless a run still needs it."""
    for stream in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
