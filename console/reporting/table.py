"""The report as CSV: one row a VM, numbers in bytes and seconds, times with their offset."""

from __future__ import annotations

import csv
import io
import re

from console.formatting import plain

from .facts import RunReport

HEADINGS = (
    "run",
    "node",
    "vm",
    "vm_id",
    "source",
    "destination",
    "state",
    "started_at",
    "finished_at",
    "duration_s",
    "forecast_p50_s",
    "forecast_p90_s",
    "blackout_s",
    "blackout_forecast_s",
    "memory_bytes",
    "sent_bytes",
    "attempts",
    "moved_by_another",
    "reason",
)
_FORMULA = re.compile(r"(^|[,;|])(?=[ \"']*[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a formula could begin, also in full-width signs: at the start of a cell, and after each sign that a spreadsheet
of another country takes for the end of one."""


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", plain(text))


def table(report: RunReport) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    state = report.state
    for move in state.moves.values():
        cells: tuple[object, ...] = (
            safe(state.run),
            safe(state.node),
            safe(move.vm.name),
            safe(move.vm.id),
            safe(move.source),
            safe(move.destination or ""),
            move.state.value,
            move.started_at.isoformat() if move.started_at else None,
            move.finished_at.isoformat() if move.finished_at else None,
            move.duration_s,
            move.forecast_p50_s,
            move.forecast_p90_s,
            move.blackout_s,
            move.blackout_forecast_s,
            move.memory_bytes,
            move.bytes_sent,
            move.attempts,
            "yes" if move.foreign else "no",
            safe(move.reason),
        )
        writer.writerow(cells)
    return stream.getvalue()
