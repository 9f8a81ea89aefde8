"""Following a run from a command: words on stderr, events or a document on stdout, the outcome as exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from console.drain.ending import exit_code
from console.drain.finish import why_no_finish
from console.drain.fold import advance
from console.drain.narrate import line_of
from console.drain.requests import StopRun
from console.drain.state import Move, MoveState, Purpose, RunState
from console.exits import CommandEnded, ExitCode
from console.formatting import plain
from console.journal.codec import document_of
from console.run_documents import run_document
from console.runs import LIFE_S

from .output import narrate, print_document, print_line

if TYPE_CHECKING:
    from console.drain.events import Event
    from console.runs import JournalRun, Runs

LOOK_S = 0.25
"""Real seconds between two looks at the journal."""
SUMMARY_S = 15.0
"""Real seconds between two lines on how far the run is."""
TAKE_OVERS = 3


async def follow(runs: Runs, handle: JournalRun, *, as_json: bool, events: bool, may_stop: bool) -> int:
    """Follow a run to its end; returns its exit code.

    With ``may_stop`` a first Ctrl+C asks the run to stop after what is in flight; a second one, or the first without
    it, leaves: the run goes on in its own process.

    Raises:
        CommandEnded: the runner is lost, or the operator left.
    """
    narrate(f"Run {handle.run}. It goes on without this terminal; drainboard attach {handle.run} rejoins it.")
    view = _View(events)
    with interrupts() as interrupted:
        waited_s = 0.0
        take_overs = 0
        while not view.is_over:
            view.take(handle.news())
            if interrupted():
                _answer_interrupt(handle, view, may_stop)
            await asyncio.sleep(LOOK_S)
            waited_s += LOOK_S
            if waited_s % SUMMARY_S < LOOK_S:
                view.summarise()
            if waited_s % LIFE_S < LOOK_S and not view.is_over and not runs.is_carried_out(handle.run):
                take_overs += 1
                _take_over(runs, handle, take_overs)
    state = runs.state(handle.run)
    if state.node_paused and state.purpose is Purpose.DRAIN:
        node = plain(state.node)
        narrate(f"{node} stays paused and takes no roles until it is resumed: drainboard resume {node}")
    if as_json:
        print_line(run_document(state)) if events else print_document(run_document(state))
    return exit_code(state)


def _take_over(runs: Runs, handle: JournalRun, times: int) -> None:
    if runs.state(handle.run).outcome is not None:
        return
    if times > TAKE_OVERS:
        said = runs.last_words(handle.run)
        text = (
            f"The runner of {handle.run} ended {TAKE_OVERS} times{said}. What moves goes on by itself; see runner.log."
        )
        raise CommandEnded(ExitCode.CONTACT_LOST, text)
    runs.attach(handle.run)
    if times > 1:  # at the very start it may only not have begun yet
        narrate("The runner shows no sign of life; another one takes over.")


def _answer_interrupt(handle: JournalRun, view: _View, may_stop: bool) -> None:
    if may_stop and not view.asked_to_stop:
        view.asked_to_stop = True
        handle.request(StopRun())
        narrate("Stopping after what is in flight. Ctrl+C once more leaves it to the runner.")
        return
    raise CommandEnded(
        ExitCode.INTERRUPTED, f"The run goes on in its own process. Rejoin it: drainboard attach {handle.run}"
    )


class _View:
    """What was shown of the run so far."""

    def __init__(self, events: bool) -> None:
        self.state: RunState | None = None
        self.asked_to_stop = False
        self._events = events
        self._summary = ""

    @property
    def is_over(self) -> bool:
        return self.state is not None and self.state.outcome is not None

    def take(self, news: tuple[Event, ...]) -> None:
        for event in news:
            self.state = advance(self.state, event)
            if self._events:
                print_line(document_of(event))
            line = line_of(self.state, event)
            if line is not None:
                narrate(f"{line.at:%H:%M:%S}  {plain(line.text)}")

    def summarise(self) -> None:
        """One line on how far it is, when that has changed."""
        if self.state is None:
            return
        summary = summary_of(self.state)
        if summary != self._summary:
            self._summary = summary
            narrate(f"{self.state.now:%H:%M:%S}  {summary}")


def summary_of(state: RunState) -> str:
    """ "3 of 10 VMs done, 2 moving (sql-01 43 %, web-02 12 %), finish about 02:14"."""
    done = sum(move.state is MoveState.DONE for move in state.moves.values())
    moving = [move for move in state.moves.values() if move.state is MoveState.MOVING]
    parts = [f"{done} of {len(state.moves)} VMs done"]
    if moving:
        shares = (
            f"{plain(m.vm.name)} {m.percent:.0f} %" if m.percent is not None else plain(m.vm.name) for m in moving
        )
        parts.append(f"{len(moving)} moving ({', '.join(shares)})")
    if unknown := why_no_finish(state):
        parts.append(f"finish not known: {unknown}")
    elif state.forecast_finish_p50_at is not None:
        parts.append(f"finish about {state.forecast_finish_p50_at:%H:%M}")
    return ", ".join(parts)


def _share(move: Move) -> str:
    name = plain(move.vm.name)
    return name if move.percent is None else f"{name} {move.percent:.0f} %"


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Counts Ctrl+C instead of dying of it; the function tells, once each, whether there was one."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield lambda: bool(pressed) and pressed.pop() is not None
    finally:
        signal.signal(signal.SIGINT, before)
