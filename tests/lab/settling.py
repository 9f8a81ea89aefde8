"""Waiting for what other tasks and threads are about to do, without guessing how long it takes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable


async def settles(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Come back as soon as something holds; TimeoutError when it never does."""
    async with asyncio.timeout(timeout_s):
        for _ in itertools.count():
            if condition():
                return
            await asyncio.sleep(0.002)
