"""Every run that the journal knows, newest first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from textual.widget import Widget
from textual.worker import Worker, WorkerState

from console import formatting
from console.drain.state import MoveState, RunState
from console.model.identity import RunId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.columns import Column, known
from screens.drawing import Line, cut
from screens.exporting import offer_export
from screens.grid import Grid
from screens.lines import Lines
from screens.messages import Failed, PlayChosen, RunChosen
from screens.run_tables import OUTCOME_WORDS


class HistoryScreen(ConsoleScreen, inherit_bindings=False):
    """``enter`` opens a run in the screen it was driven from."""

    NAME = "history"
    TITLE = "History"
    TOPICS = Topic.RUN
    PANES = ("runs",)
    BINDINGS = screen_bindings("history")

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.runs = Grid[RunState](
            look, _columns(), id="runs", key=lambda run: run.run, empty="Reading the journal …",
            search=lambda run: f"{run.run} {run.node} {run.operator} {_outcome_word(run)}",
        )  # fmt: skip
        yield Lines(look, id="runs-summary", classes="summary")
        yield self.runs

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read(), group="history", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        runs = await asyncio.to_thread(self.services.sight.runs)
        self.runs.empty = "No run is in the journal."
        self.runs.set_items(runs)
        drained = sum(run.outcome is not None and run.outcome.value == "drained" for run in runs)
        text = f"  {formatting.count(len(runs), 'run')}, {drained} drained"
        self.query_one("#runs-summary", Lines).set_lines([((text, "text.muted"),)])

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.runs.empty = "The journal can not be read: ! says why."
            self.runs.redraw()
            self.post_message(Failed("journal", event.worker.error))

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"exportable": self._why_none, "playable": self._why_not_play}

    def _why_none(self) -> str:
        return "" if self.runs.cursor_item is not None else "There is no run."

    def _why_not_play(self) -> str:
        run = self.runs.cursor_item
        still_on = run is not None and run.outcome is None
        return "It is still on: enter opens it." if still_on else self._why_none()

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self.look_again()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        run = self.runs.cursor_item
        if run is not None and run.outcome is not None:
            self.post_message(PlayChosen(run.run, playing=False))
        else:
            self.post_message(RunChosen(RunId(event.row)))

    def action_replay_play(self) -> None:
        run = self.runs.cursor_item
        if not self.refused("replay.play") and run is not None:
            self.post_message(PlayChosen(run.run))

    def action_report_export(self) -> None:
        run = self.runs.cursor_item
        if not self.refused("report.export") and run is not None:
            offer_export(self, self.services, run)


def _columns() -> tuple[Column[RunState], ...]:
    return (
        Column("began", "BEGAN", 16, lambda r, w: formatting.date_time(r.created_at), pinned=True,
               sort=lambda r: r.created_at.timestamp()),
        Column("node", "NODE", 10, lambda r, w: ((cut(formatting.name(r.node), w), "text.strong"),), grows=1, most=20,
               sort=lambda r: r.node.casefold()),
        Column("outcome", "OUTCOME", 13, _outcome, sort=_outcome_word),
        Column("moves", "MOVED", 9, lambda r, w: f"{_done(r)} of {len(r.moves)}", right=True),
        Column("took", "TOOK", 11, lambda r, w: formatting.duration(_took_s(r)), right=True,
               sort=lambda r: known(_took_s(r))),
        Column("forecast", "FORECAST", 11, lambda r, w: formatting.duration(r.forecast_s), right=True,
               style="text.muted"),
        Column("operator", "OPERATOR", 12, lambda r, w: formatting.plain(r.operator) or "–", style="text.muted",
               grows=1),
        Column("run", "RUN", 14, lambda r, w: formatting.plain(r.run), style="text.muted", grows=2),
    )  # fmt: skip


def _outcome_word(run: RunState) -> str:
    return "on" if run.outcome is None else run.outcome.value.replace("_", " ")


def _outcome(run: RunState, width: int) -> Line:
    style = "state.moving" if run.outcome is None else OUTCOME_WORDS[run.outcome][1]
    return ((_outcome_word(run), style),)


def _done(run: RunState) -> int:
    return sum(move.state in (MoveState.DONE, MoveState.INTERRUPTED) for move in run.moves.values())


def _took_s(run: RunState) -> float | None:
    return None if run.finished_at is None else (run.finished_at - run.created_at).total_seconds()
