"""A report as a file. What is in it comes from events; only this module knows of folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from console.drain.events import Event
from console.model.identity import RunId
from console.private import private_folder

from .facts import report_of
from .formats import Format, render

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def file_name(run: RunId, form: Format) -> str:
    """A run's name may hold a host's, and that is remote text: only what every file system takes is kept."""
    return f"drainboard-{_UNSAFE.sub('-', run).strip('.-') or 'run'}.{form.value}"


def write_report(folder: Path, run: RunId, events: Sequence[Event], form: Format) -> Path:
    """Write the report, over an earlier one of the same run and format; returns the file.

    Raises:
        OSError: the folder can not be made, or the file not be written.
        ValueError: the events are no run.
    """
    try:
        text = render(report_of(events), form)
    except (KeyError, ValueError) as error:
        raise ValueError(f"Run {run} can not be told: its lines in the journal are damaged ({error}).") from None
    private_folder(folder)
    path = folder / file_name(run, form)
    path.write_text(text, encoding="utf-8", newline="")
    return path
