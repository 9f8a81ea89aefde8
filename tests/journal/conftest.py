"""A small run to write down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.drain import events as ev
from console.drain import move_events as mv
from console.drain.state import Move, MoveState, Outcome
from console.model.identity import HostName, RoleName, RunId, VmId, VmRef
from console.planner.values import Engine

START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
RUN = RunId("run-1")
VM = VmId("00000000-0000-0000-0000-000000000001")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def opened(run: RunId = RUN, seconds: float = 0) -> ev.RunOpened:
    move = Move(
        vm=VmRef(VM, "sql-[01]", RoleName("sql-[01]")),
        source=HostName("HV01"),
        destination=HostName("HV02"),
        state=MoveState.PLANNED,
        memory_bytes=8 * 1024**3,
        forecast_p50_s=12.0,
        forecast_p90_s=18.0,
        blackout_forecast_s=1.0,
    )
    return ev.RunOpened(
        at(seconds), run, "lab", HostName("HV01"), Engine.PLANNED, (move,), slots=2, per_node_limit=2, forecast_s=12.0
    )


def short_run() -> list[ev.Event]:
    host = HostName("HV02")
    return [
        opened(),
        ev.NodeClaimed(at(1)),
        ev.PauseIntended(at(1)),
        ev.NodePaused(at(2)),
        mv.MoveChecked(at(2), VM, host),
        mv.MoveIntended(at(3), VM, host, live=True, quick=False, vm_state=2),
        mv.MoveStarted(at(3), VM),
        mv.MoveProgressed(at(5), VM, percent=40.0),
        mv.MoveArrived(at(15), VM, host),
        mv.MoveVerified(at(16), VM, host, vm_state=2, heartbeat=6),
        mv.BlackoutMeasured(at(17), VM, 0.5),
        ev.VerificationBegan(at(18)),
        ev.NodeVerifiedEmpty(at(19)),
        ev.DrainFlagIntended(at(19)),
        ev.DrainFlagSet(at(20)),
        ev.ClosingBegan(at(20), Outcome.DRAINED),
        ev.RunClosed(at(20), Outcome.DRAINED),
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"
