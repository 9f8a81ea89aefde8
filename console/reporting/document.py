"""The report as a JSON document: the run's own document, with what only its events know."""

from __future__ import annotations

from typing import Any

from console.formatting import plain
from console.run_documents import run_document

from .facts import RunReport


def report_document(report: RunReport) -> dict[str, Any]:
    """Durations in seconds, sizes in bytes, times ISO 8601; the fields of ``drain --json`` and these."""
    told = report.accuracy
    return {
        **run_document(report.state),
        "duration_s": report.duration_s,
        "starts": report.starts,
        "events": report.events,
        "forecast": {
            "compared_moves": told.moves,
            "median_ratio": told.median_ratio,
            "within_p90": told.within_p90,
        },
        "settings_not_restored": [
            {"name": change.name, "value": change.before} for change in report.state.settings_changed if change.given_up
        ],
        "guard": {
            "breaches": [
                {"at": breach.at.isoformat(), "lines": [plain(line) for line in breach.lines], "slots": breach.slots}
                for breach in report.breaches
            ],
            "readings": {
                name: [[item.at.isoformat(), item.value] for item in values] for name, values in report.readings.items()
            },
        },
        "engine_changes": [
            {
                "at": change.at.isoformat(),
                "engine": change.engine.value,
                "by": plain(change.by),
                "reason": change.reason,
            }
            for change in report.handovers
        ],
        "log": [
            {"at": line.at.isoformat(), "text": plain(line.text), "problem": line.problem} for line in report.state.log
        ],
    }
