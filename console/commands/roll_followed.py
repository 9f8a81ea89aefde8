"""Following a roll from a command: words on stderr, questions on a terminal, a document or a table at the end."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from console.drain.roll_forecast import forecast_ends
from console.drain.roll_outlook import roll_exit_code, sentence_of, stage_words, standing_of
from console.drain.roll_requests import ApproveWave, LeaveNode, RollRequest, StopRolling, TryNodeAgain
from console.drain.roll_state import RollState, Stage, advance_roll
from console.drain.rolling import waits_for_somebody
from console.drain.state import RunState
from console.exits import CommandEnded, ExitCode
from console.formatting import duration, name, plain
from console.model.identity import RunId
from console.roll_documents import roll_run_document
from console.runs import LIFE_S

from .followed import LOOK_S, SUMMARY_S, TAKE_OVERS, interrupts, summary_of
from .output import narrate, print_document, print_table

if TYPE_CHECKING:
    from console.composition import LiveOperations
    from console.drain.roll_events import RollEvent
    from console.rolling.book import RollBook, RollHandle

PATIENCE_S = 3.0
"""Real seconds in which a request is answered before the roll counts as standing."""


async def follow_roll(
    operations: LiveOperations,
    book: RollBook,
    handle: RollHandle,
    *,
    approve: str,
    as_json: bool,
    was_asked: bool = False,
    may_stop: bool = True,
) -> int:
    """Follow a roll to its end, or until it stands and nobody here can decide; returns the exit code.

    Args:
        approve: ``each`` asks on the terminal, ``all`` approves by itself, ``wait`` leaves it to another console.

    Raises:
        CommandEnded: its process is lost, or the operator left.
    """
    narrate(f"Roll {handle.name}. It goes on without this terminal; drainboard roll rejoins it.")
    following = _Following(operations, book, handle, approve, may_stop)
    if was_asked:
        await asyncio.sleep(PATIENCE_S)
    with interrupts() as interrupted:
        waited_s = 0.0
        while not following.is_over:
            following.take(handle.news())
            if interrupted():
                following.interrupted()
            if await following.stands(interrupted):
                break
            await asyncio.sleep(LOOK_S)
            waited_s += LOOK_S
            if waited_s % SUMMARY_S < LOOK_S:
                following.summarise()
            if waited_s % LIFE_S < LOOK_S:
                following.keep_alive()
    state = handle.now()
    print_document(roll_run_document(state)) if as_json else report_roll(state)
    return roll_exit_code(state)


class _Following:
    """What was shown of the roll so far, and what was answered."""

    def __init__(
        self, operations: LiveOperations, book: RollBook, handle: RollHandle, approve: str, may_stop: bool
    ) -> None:
        self.state: RollState | None = None
        self._operations = operations
        self._book = book
        self._handle = handle
        self._approve = approve
        self._may_stop = may_stop
        self._stopping = False
        self._told_wait = ""
        self._summary = ""
        self._take_overs = 0

    @property
    def is_over(self) -> bool:
        return self.state is not None and self.state.closed

    def take(self, news: tuple[RollEvent, ...]) -> None:
        for event in news:
            self._take_overs = 0
            self.state = advance_roll(self.state, event)
            text = sentence_of(event, self.state)
            if text:
                narrate(f"{event.at:%H:%M:%S}  {plain(text)}")

    def interrupted(self) -> None:
        if self._may_stop and not self._stopping:
            self._stopping = True
            self._ask(StopRolling())
            narrate("Stopping after the nodes that are out. Ctrl+C once more leaves that to the roll's own process.")
            return
        raise CommandEnded(
            ExitCode.INTERRUPTED,
            f"The roll goes on in its own process. Rejoin it: drainboard attach {self._handle.name}",
        )

    async def stands(self, interrupted: Callable[[], bool]) -> bool:
        """Ask or answer what the roll waits for; True when it waits and nobody here can decide."""
        state = self.state
        if state is None or not waits_for_somebody(state):
            self._told_wait = ""
            return False
        standing = standing_of(state)
        if standing == self._told_wait:  # asked once already; the answer is on its way, or somebody else has to
            return bool(state.failed) and self._approve != "each"
        self._told_wait = standing
        wave = state.waits_for_approval
        if state.failed:
            return await self._decide(state, interrupted)
        if wave is not None and self._approve == "all":
            self._ask(ApproveWave(wave))
        elif wave is not None and self._approve == "each":
            names = ", ".join(node.name for node in state.of_wave(wave))
            answer = await _question(f"{standing}: {names}. Begin it? [y/N, s stops the roll] ", interrupted)
            self._ask(ApproveWave(wave)) if answer == "y" else self._wait_or_stop(answer)
        else:
            narrate(f"{standing}: press A on the rolling screen, or drainboard roll --approve all.")
        return False

    def _wait_or_stop(self, answer: str) -> None:
        if answer == "s":
            self._stopping = True
            self._ask(StopRolling())
            return
        raise CommandEnded(ExitCode.INTERRUPTED, "The roll waits. Go on with it: drainboard roll")

    async def _decide(self, state: RollState, interrupted: Callable[[], bool]) -> bool:
        node = state.failed[0]
        narrate(f"{node.name} failed: {plain(node.reason)}")
        if self._approve != "each":
            narrate(f"The roll stands. Go on with drainboard roll --retry {node.name}, --skip {node.name} or --stop.")
            return True
        answer = await _question("Try again, skip the node, or stop the roll? [t/k/s, else it waits] ", interrupted)
        if answer not in ("t", "k"):
            self._wait_or_stop(answer)
        else:
            self._ask(TryNodeAgain(node.name) if answer == "t" else LeaveNode(node.name))
        return False

    def _ask(self, request: RollRequest) -> None:
        self._book.request(self._handle.name, request)

    def keep_alive(self) -> None:
        if self.is_over or not self._book.keep_on(self._handle.name):
            return
        self._take_overs += 1
        if self._take_overs > TAKE_OVERS:
            text = f"The process of roll {self._handle.name} ended {TAKE_OVERS} times; see runner.log."
            raise CommandEnded(ExitCode.CONTACT_LOST, text)
        if self._take_overs > 1:
            narrate("The roll's process shows no sign of life; another one takes over.")

    def summarise(self) -> None:
        """One line on how far it is, when that has changed."""
        if self.state is None or self.is_over:
            return
        drains = self._operations.rolling.drains_of(self.state)
        summary = summary_of_roll(self.state, drains)
        if summary != self._summary:
            self._summary = summary
            narrate(f"{self._operations.clock.now():%H:%M:%S}  {summary}")


def summary_of_roll(state: RollState, drains: Mapping[RunId, RunState]) -> str:
    """ "3 of 12 nodes done, 203 of 780 moves; HV09: 12 of 66 VMs done, 2 moving; end about 05:12"."""
    done = sum(node.stage is Stage.DONE for node in state.nodes.values())
    planned = f" of {state.planned_moves}" if state.planned_moves else ""
    parts = [f"{done} of {len(state.nodes)} nodes done, {state.moved}{planned} moves"]
    parts += [f"{plain(run.node)}: {summary_of(run)}" for run in drains.values()]
    if not drains:
        parts.append(plain(standing_of(state)))
    ends = forecast_ends(state, drains)
    if ends is not None:
        parts.append(f"end about {ends[0]:%H:%M}{_against(state.window_ends_at, ends)}")
    return "; ".join(parts)


def _against(window_ends_at: datetime | None, ends: tuple[datetime, datetime]) -> str:
    """Whether that is in time."""
    if window_ends_at is None or ends[1] <= window_ends_at:
        return ""
    word = "after" if ends[0] > window_ends_at else "perhaps after"
    return f", {word} the window, which ends at {window_ends_at:%H:%M}"


def report_roll(state: RollState) -> None:
    """How each node went."""
    print_table(
        ("node", ">wave", ">moved", ">planned", ">took", ">hook", ">tries", "stage"),
        [
            (
                name(node.name),
                str(node.wave + 1),
                str(node.moved),
                "" if node.forecast is None else str(node.forecast.moves),
                duration((node.since - node.began_at).total_seconds()) if node.since and node.began_at else "",
                "" if node.exit_status is None else str(node.exit_status),
                str(node.tries),
                plain(stage_words(node)),
            )
            for node in state.nodes.values()
        ],
    )
    planned = f" of {state.planned_moves} planned" if state.planned_moves else ""
    narrate(f"Roll {state.roll}: {plain(standing_of(state))}; {state.moved}{planned} moves made.")


async def _question(text: str, interrupted: Callable[[], bool]) -> str:
    """One letter from the terminal; Ctrl+C leaves, and the thread that still reads dies with us."""
    answers: SimpleQueue[str] = SimpleQueue()

    def ask() -> None:
        answers.put(sys.stdin.readline().strip().casefold()[:1])

    sys.stderr.write(text)
    sys.stderr.flush()
    Thread(target=ask, daemon=True).start()
    for _ in itertools.count():
        if not answers.empty():
            break
        if interrupted():
            raise CommandEnded(ExitCode.INTERRUPTED, "\nThe roll waits. Go on with it: drainboard roll")
        await asyncio.sleep(LOOK_S)
    return answers.get()
