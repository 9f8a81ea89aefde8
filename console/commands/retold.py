"""A run's events on their way to a terminal, paced by a clock."""

from __future__ import annotations

from collections.abc import Sequence

from console.clock import Clock, SystemClock, sleep_for
from console.drain.events import Event, RunOpened
from console.drain.fold import apply, open_run
from console.drain.narrate import line_of
from console.exits import UsageProblem
from console.formatting import plain
from console.journal.codec import document_of

from .output import narrate, print_line, print_text

LONGEST_WAIT_S = 5.0
"""Real seconds: a run that stood still for an hour is not waited for."""


async def retell(events: Sequence[Event], *, speed: float | None, as_json: bool, clock: Clock | None = None) -> int:
    """Print the events' sentences, or with ``as_json`` the events; returns 0.

    Raises:
        UsageProblem: the events are no run.
    """
    first = events[0] if events else None
    if not isinstance(first, RunOpened):
        raise UsageProblem("Its lines are damaged: the first one does not open a run.")
    pace = clock or SystemClock()
    state = open_run(first)
    before = first.at
    _tell(first, [line.text for line in state.log], as_json)
    for event in events[1:]:
        if speed is not None:
            gap_s = max(0.0, (event.at - before).total_seconds()) / speed
            await sleep_for(pace, min(gap_s, LONGEST_WAIT_S))
        before = event.at
        line = line_of(state, event)
        state = apply(state, event)
        _tell(event, [line.text] if line is not None else [], as_json)
    if state.outcome is None:
        narrate("The run is still open: its newest event was the last one told.")
    return 0


def _tell(event: Event, sentences: Sequence[str], as_json: bool) -> None:
    if as_json:
        print_line(document_of(event))
        return
    for sentence in sentences:
        print_text(f"{event.at.astimezone():%H:%M:%S}  {plain(sentence)}")
