"""A lab as a process of its own, and drainboard commands as processes, as a person would start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Served:
    """A served lab, by the line that it printed when it was ready."""

    ready: dict[str, Any]
    home: Path

    @property
    def config(self) -> str:
        return str(self.ready["config"])

    @property
    def password(self) -> str:
        return str(self.ready["password"])

    def world(self) -> dict[str, Any]:
        """The truth behind the wire."""
        with urllib.request.urlopen(f"{self.ready['control']}/world", timeout=20) as answer:
            document: dict[str, Any] = json.load(answer)
        return document

    def changing_commands(self) -> int:
        """How many commands that change something any host was ever told."""
        return sum(entry["changing"] for entry in self.world()["commands"])

    def commands(self) -> int:
        """How many commands of any kind any host was ever told."""
        return sum(entry["changing"] + entry["reading"] for entry in self.world()["commands"])

    def throw(self, **fault: object) -> None:
        """Throw a fault."""
        body = json.dumps(fault).encode()
        request = urllib.request.Request(f"{self.ready['control']}/fault", data=body, method="POST")
        urllib.request.urlopen(request, timeout=20).close()

    def run(self, *arguments: str, password: str | None = None) -> subprocess.CompletedProcess[str]:
        """One drainboard command on this lab's configuration."""
        secret = self.password if password is None else password
        return drainboard(*arguments, "--config", self.config, home=self.home, DRAINBOARD_PASSWORD=secret)


def drainboard(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """One drainboard command with a home of its own."""
    return subprocess.run(
        [sys.executable, "-m", "console.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=150,
        cwd=home,
        env=surroundings(home, **environment),
        check=False,
    )


def surroundings(home: Path, **more: str) -> dict[str, str]:
    """The environment of a process that shares nothing with the user who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DRAINBOARD", "XDG_"))}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), **more}


@contextmanager
def served(scenario: str, home: Path, *, speed: float = 60.0) -> Iterator[Served]:
    """A served lab that ends with the context."""
    process = subprocess.Popen(
        [sys.executable, "-m", "console.cli", "lab", "--serve", "--scenario", scenario, "--speed", str(speed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=home,
        env=surroundings(home),
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            assert process.stderr is not None
            raise AssertionError(f"the lab did not start: {process.stderr.read().decode()}")
        yield Served(json.loads(line), home)
    finally:
        process.terminate()
        process.communicate(timeout=30)
