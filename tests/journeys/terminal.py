"""A real terminal: tmux runs the console, keys go in, the screen is read as text."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cli.served import surroundings

LOOK_S = 0.1


class Terminal:
    """One tmux session on a server of its own."""

    def __init__(self, home: Path, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self._socket = home / f"tmux-{uuid.uuid4().hex[:8]}"
        self._home = home

    def start(self, arguments: Sequence[str], password: str | None) -> None:
        """Run a drainboard command; when it ends its exit code is shown."""
        command = shlex.join([sys.executable, "-m", "console.cli", *arguments])
        shell = f"{command}; echo; echo ended with $?; exec sleep 600"
        environment = surroundings(self._home, TERM="xterm-256color", LANG="C.UTF-8", SHELL="/bin/sh")
        if password is not None:
            environment["DRAINBOARD_PASSWORD"] = password
        self._tmux(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            str(self.columns),
            "-y",
            str(self.rows),
            shell,
            env=environment,
        )

    def keys(self, *names: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait_for(self, *texts: str, within_s: float = 60.0) -> str:
        """The screen, once all of the texts are on it.

        Raises:
            AssertionError: they did not come in time; with the screen as it is.
        """
        until = time.monotonic() + within_s
        while True:
            screen = self.screen()
            if all(text in screen for text in texts):
                return screen
            if time.monotonic() > until or "ended with" in screen:
                missing = [text for text in texts if text not in screen]
                raise AssertionError(f"{missing} did not come (within {within_s:.0f} s):\n{screen}")
            time.sleep(LOOK_S)

    def close(self) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False)

    def _tmux(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *arguments], capture_output=True, text=True, check=True, env=env
        )
        return done.stdout


@contextmanager
def terminal(home: Path, columns: int, rows: int, *arguments: str, password: str | None = None) -> Iterator[Terminal]:
    """A terminal with a drainboard command in it; both end with the context."""
    opened = Terminal(home, columns, rows)
    opened.start(arguments, password)
    try:
        yield opened
    finally:
        opened.close()
