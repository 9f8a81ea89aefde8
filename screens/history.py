"""Every run that the journal knows, newest first; one whose lines are damaged is a row that says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from textual.widget import Widget
from textual.worker import Worker, WorkerState

from console import formatting
from console.drain.events import Event, RunOpened
from console.drain.state import MoveState, RunState
from console.journal.ledger import Damaged, RunListing
from console.model.identity import RunId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.columns import Column, known
from screens.drawing import Line, cut, wrap
from screens.exporting import offer_export
from screens.grid import Grid
from screens.lines import Lines
from screens.messages import Failed, PlayChosen, RunChosen
from screens.run_tables import OUTCOME_WORDS


@dataclass(frozen=True, slots=True)
class Row:
    """One run; of a damaged one only what its first line says."""

    run: RunId
    began_at: datetime | None
    node: str
    operator: str
    state: RunState | None
    damage: str = ""
    """The sentence, of a damaged one."""

    @property
    def outcome(self) -> str:
        if self.state is None:
            return "damaged"
        return "on" if self.state.outcome is None else self.state.outcome.value.replace("_", " ")

    @property
    def took_s(self) -> float | None:
        if self.state is None or self.state.finished_at is None:
            return None
        return (self.state.finished_at - self.state.created_at).total_seconds()

    @property
    def forecast_s(self) -> float | None:
        return None if self.state is None else self.state.forecast_s


class HistoryScreen(ConsoleScreen, inherit_bindings=False):
    """``enter`` opens a run in the screen it was driven from."""

    NAME = "history"
    TITLE = "History"
    TOPICS = Topic.RUN
    PANES = ("runs",)
    BINDINGS = screen_bindings("history")

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.told = ""
        self.runs = Grid[Row](
            look, _columns(), id="runs", key=lambda row: row.run, empty="Reading the journal …",
            search=lambda row: f"{row.run} {row.node} {row.operator} {row.outcome}",
        )  # fmt: skip
        yield Lines(look, id="runs-summary", classes="summary")
        yield self.runs

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read(), group="history", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        listing = await asyncio.to_thread(self.services.sight.runs)
        rows = rows_of(listing)
        self.runs.empty = "No run is in the journal."
        self.runs.set_items(rows)
        drained = sum(row.outcome == "drained" for row in rows)
        damaged = f", {len(listing.damaged)} damaged" if listing.damaged else ""
        self.told = f"  {formatting.count(len(rows), 'run')}, {drained} drained{damaged}"
        self._summarise()

    def _summarise(self) -> None:
        """How many there are; under it what is wrong with the one under the cursor."""
        lines: list[Line] = [((self.told, "text.muted"),)]
        run = self.runs.cursor_item
        if run is not None and run.damage:
            lines += [((text, "text.bad"),) for text in wrap(formatting.plain(run.damage, 600), self.size.width, "  ")]
        self.query_one("#runs-summary", Lines).set_lines(lines)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.runs.empty = "The journal can not be read: ! says why."
            self.runs.redraw()
            self.post_message(Failed("journal", event.worker.error))

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {"exportable": self._why_none, "playable": self._why_not_play}

    def _why_none(self) -> str:
        run = self.runs.cursor_item
        if run is None:
            return "There is no run."
        return "" if run.state is not None else "Its lines are damaged."

    def _why_not_play(self) -> str:
        run = self.runs.cursor_item
        still_on = run is not None and run.state is not None and run.state.outcome is None
        return "It is still on: enter opens it." if still_on else self._why_none()

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self._summarise()
        self.look_again()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        run = self.runs.cursor_item
        if run is not None and run.damage:
            self.post_message(Failed("journal", ValueError(run.damage)))
        elif run is not None and run.state is not None and run.state.outcome is not None:
            self.post_message(PlayChosen(run.run, playing=False))
        else:
            self.post_message(RunChosen(RunId(event.row)))

    def action_replay_play(self) -> None:
        run = self.runs.cursor_item
        if not self.refused("replay.play") and run is not None:
            self.post_message(PlayChosen(run.run))

    def action_report_export(self) -> None:
        run = self.runs.cursor_item
        if not self.refused("report.export") and run is not None and run.state is not None:
            offer_export(self, self.services, run.state)


def rows_of(listing: RunListing) -> list[Row]:
    """Newest first; damaged ones whose beginning is not known come last."""
    rows = [Row(run.run, run.created_at, run.node, run.operator, run) for run in listing.known]
    rows += map(_damaged, listing.damaged)
    return sorted(rows, key=_began_s, reverse=True)


def _damaged(run: Damaged[Event]) -> Row:
    opened = run.opening
    if not isinstance(opened, RunOpened):
        return Row(run.name, None, "", "", None, str(run))
    return Row(run.name, opened.at, opened.node, opened.operator, None, str(run))


def _began_s(row: Row) -> float:
    return row.began_at.timestamp() if row.began_at is not None else 0.0


def _columns() -> tuple[Column[Row], ...]:
    return (
        Column("began", "BEGAN", 16, lambda r, w: formatting.date_time(r.began_at), pinned=True, sort=_began_s),
        Column("node", "NODE", 10, lambda r, w: ((cut(formatting.name(r.node), w), "text.strong"),), grows=1, most=20,
               sort=lambda r: r.node.casefold()),
        Column("outcome", "OUTCOME", 13, _outcome, sort=lambda r: r.outcome),
        Column("moves", "MOVED", 9, lambda r, w: _moved(r.state), right=True),
        Column("took", "TOOK", 11, lambda r, w: formatting.duration(r.took_s), right=True,
               sort=lambda r: known(r.took_s)),
        Column("forecast", "FORECAST", 11, lambda r, w: formatting.duration(r.forecast_s), right=True,
               style="text.muted"),
        Column("operator", "OPERATOR", 12, lambda r, w: formatting.plain(r.operator) or "–", style="text.muted",
               grows=1),
        Column("run", "RUN", 14, lambda r, w: formatting.plain(r.run), style="text.muted", grows=2),
    )  # fmt: skip


def _outcome(row: Row, width: int) -> Line:
    if row.state is None:
        return ((row.outcome.upper(), "text.bad"),)
    style = "state.moving" if row.state.outcome is None else OUTCOME_WORDS[row.state.outcome][1]
    return ((row.outcome, style),)


def _moved(run: RunState | None) -> str:
    if run is None:
        return "–"
    done = sum(move.state in (MoveState.DONE, MoveState.INTERRUPTED) for move in run.moves.values())
    return f"{done} of {len(run.moves)}"
