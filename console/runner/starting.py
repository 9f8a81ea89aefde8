"""How a console starts a process that outlives it, and what such a process needs to say of itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import IO, Any

from console.clock import SystemClock
from console.configuration.secrets import without_passwords
from console.private import open_log
from console.site import Site

_LONGEST_LOG_BYTES = 1_000_000


def start_child(site: Site, module: str, order: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start ``python -m module`` with the site's name and password, and ``order``, on its standard input.

    Raises:
        OSError: no process could be started.
    """
    told = {
        "configuration": str(site.paths.configuration.absolute()),
        "cluster": site.name,
        "password": None if site.password is None else site.password.get_secret_value(),
        **order,
    }
    with _log(site) as log:
        child = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=without_passwords(os.environ),
            **_detached(),
        )
    assert child.stdin is not None, "asked for a pipe"
    with child.stdin as stdin:
        stdin.write(json.dumps(told).encode())
    site.on_runner_started(child.pid)
    return child


def _log(site: Site) -> IO[bytes]:
    """Where the process writes what it can not write to the journal; begun anew when it has grown."""
    return open_log(site.paths.state / "runner.log", _LONGEST_LOG_BYTES)


def _detached() -> dict[str, Any]:
    """A session of its own: no hang-up and no Ctrl+C of our terminal reaches it."""
    if os.name == "nt":
        flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        return {"creationflags": flags}
    return {"start_new_session": True}


def this_host() -> str:
    return socket.gethostname()


def complain(text: str) -> None:
    """A line in the log."""
    print(f"{SystemClock().now().isoformat(timespec='seconds')} {text}", file=sys.stderr, flush=True)
