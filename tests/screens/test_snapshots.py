"""The main screens as they look, in a few sizes and themes. A changed picture needs a sentence why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import DrainboardApp
from console.clock import ManualClock
from tests.screens.driving import until
from tests.screens.scenes import SCENES, night_of

PICTURES = [
    ("board", (80, 24), "dark", False),
    ("board", (120, 40), "dark", False),
    ("board", (80, 24), "light", False),
    ("board-read-only", (80, 24), "high-contrast", False),
    ("board-stale", (80, 24), "dark", False),
    ("loading", (80, 24), "dark", False),
    ("plan", (80, 24), "dark", False),
    ("plan", (120, 40), "dark", False),
    ("plan", (200, 60), "dark", False),
    ("confirm", (80, 24), "dark", False),
    ("run-trouble", (80, 24), "dark", False),
    ("run-trouble", (120, 40), "deuteranopia", False),
    ("run-trouble", (80, 24), "sixteen", True),
    ("drained", (80, 24), "dark", False),
    ("blocked", (80, 24), "tritanopia", False),
    ("hand-over", (80, 24), "dark", False),
    ("return", (80, 24), "dark", False),
    ("replay-paused", (80, 24), "dark", False),
    ("rolling-waits", (80, 24), "dark", False),
    ("rolling-failed", (120, 40), "dark", False),
    ("rolling-late", (80, 24), "dark", False),
    ("roll-start", (80, 24), "dark", False),
    ("quit", (80, 24), "sixteen", True),
    ("reading", (80, 24), "dark", False),
    ("matrix", (80, 24), "dark", False),
    ("doctor", (80, 24), "dark", False),
    ("hostile", (80, 24), "mono", False),
]


IDS = [f"{name}-{width}x{height}-{theme}" for name, (width, height), theme, _ in PICTURES]


@pytest.mark.parametrize(("name", "size", "theme", "ascii"), PICTURES, ids=IDS)
def test_it_looks_as_it_did(
    snap_compare: Callable[..., bool], name: str, size: tuple[int, int], theme: str, ascii: bool
) -> None:
    scene = SCENES[name]
    operations = night_of(scene)
    app = DrainboardApp(
        operations,
        theme=theme,
        ascii=ascii,
        window_ends_at=operations.window_ends_at,
        settle_s=0.0,
        least_wait_s=0.0,
        pace=ManualClock(),
    )

    async def play(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.store.findings is not None or operations.read_error is not None)
        await scene.drive(operations, (app, pilot))

    assert snap_compare(app, terminal_size=size, run_before=play)
