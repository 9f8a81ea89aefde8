"""The pure rooms stay pure: importing one loads neither Textual nor pypsrp, and a question of help loads nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE_ROOMS = ("model", "windows", "checks", "forecast", "planner", "drain", "journal", "inventory")


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(answer.stdout.splitlines()[-1].split())


def modules_of(room: str) -> list[str]:
    files = sorted((ROOT / "console" / room).rglob("*.py"))
    return [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files if file.name != "__init__.py"]


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_a_pure_room_loads_neither_textual_nor_pypsrp(room: str) -> None:
    names = modules_of(room)
    loaded = loaded_after("".join(f"import {name}\n" for name in names) or f"import console.{room}")
    assert "console" in loaded
    assert not loaded & {"textual", "pypsrp", "requests"}
