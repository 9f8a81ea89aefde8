"""Labs of one host that start and stop with a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.clock import ManualClock
from console.lab.endpoint.faults import FaultBoard
from console.lab.endpoint.server import LabServer
from console.lab.endpoint.traits import Traits
from tests.lab.endpoint.support import HOST, PASSWORD, READER, USER, Lab, StartLab, TinyEngine


@pytest.fixture
async def start_lab(tmp_path: Path) -> AsyncIterator[StartLab]:
    """Start labs; they stop with the test."""
    servers: list[LabServer] = []

    async def start(traits: Traits | None = None, **options: Any) -> Lab:
        engine, clock, faults = TinyEngine(), ManualClock(), FaultBoard()
        server = LabServer(
            {HOST: engine},
            users={USER: PASSWORD, READER: PASSWORD},
            read_only_users=[READER],
            clock=clock,
            directory=tmp_path,
            traits=traits or Traits(),
            faults=faults,
            **options,
        )
        servers.append(server)
        (listener,) = await server.start()
        return Lab(server, listener, engine, clock, faults, tmp_path)

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def lab(start_lab: StartLab) -> Lab:
    """A lab with Windows' own habits."""
    return await start_lab()
