"""How a console starts a process that outlives it, and what such a process needs to say of itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import IO, Any

from pydantic import SecretStr

from console.clock import SystemClock
from console.configuration.problems import ConfigurationError
from console.configuration.secrets import without_passwords
from console.exits import CommandEnded, ExitCode
from console.journal.store import Journal
from console.journal.trouble import JournalUnusable
from console.model.identity import RunId
from console.private import open_log
from console.site import Site, find_site

_LOG = "runner.log"
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


def carry_out(kind: str, work: Callable[[Site, Journal, RunId], Coroutine[None, None, None]]) -> int:
    """The whole of such a process: ``work`` on what standard input names under ``kind``; returns the exit code for the
    log's readers."""
    order = json.loads(sys.stdin.buffer.read())
    password = order["password"]
    secret = None if password is None else SecretStr(password)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        site = find_site(Path(order["configuration"]), order["cluster"], lambda cluster, options: secret)
        with Journal.open(site.paths.journal) as journal:
            asyncio.run(work(site, journal, RunId(order[kind])))
    except (ConfigurationError, CommandEnded, JournalUnusable, PermissionError) as error:
        complain(f"{kind} {order[kind]}: {error}")
        return int(ExitCode.USAGE)
    return int(ExitCode.DONE)


def _log(site: Site) -> IO[bytes]:
    """Where the process writes what it can not write to the journal; begun anew when it has grown."""
    return open_log(site.paths.state / _LOG, _LONGEST_LOG_BYTES)


def last_words(site: Site, name: str) -> str:
    """What the processes of a run or roll said of it last in their log; empty where they said nothing."""
    try:
        lines = (site.paths.state / _LOG).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(" ")[2] for line in reversed(lines) if name in line), "")


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
