"""A pseudo-terminal to run a console in: keys in, what is painted out, and the processor time that it took."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType

ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LINES": "", "COLUMNS": ""}


class Terminal:
    """One console in a terminal of its own size; ends it when left. Works where there are pseudo-terminals."""

    def __init__(self, arguments: Sequence[str], width: int, height: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT and name != "NO_COLOR"}
        environment = kept | {name: value for name, value in ENVIRONMENT.items() if value}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment, close_fds=True
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read(self, timeout_s: float) -> bytes:
        """What is painted next, or nothing within the time."""
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        return os.read(self._master, 1 << 16) if ready else b""

    def wait_for(self, seen: Callable[[bytes], bool], timeout_s: float) -> float:
        """Read until it was seen; the time since the start, seconds."""
        painted, end = b"", time.perf_counter() + timeout_s
        while not seen(painted):
            left = end - time.perf_counter()
            if left <= 0:
                raise TimeoutError(f"not painted within {timeout_s} s: {painted[-400:]!r}")
            painted += self.read(left)
        return time.perf_counter() - self.began

    def drain(self, seconds: float) -> None:
        """Read away what is painted within the next seconds; a clock on screen never leaves it quiet."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def cpu_s(self) -> float:
        """Processor seconds of the console so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_share(self, seconds: float) -> float:
        """Share of one core over the next seconds; what is painted is read away."""
        before = self.cpu_s()
        self.drain(seconds)
        return (self.cpu_s() - before) / seconds
