"""What a run looks like, live or replayed: what moves, what waits and why, when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from textual.containers import Container
from textual.widget import Widget

from console import formatting
from console.actions import Action
from console.drain.state import MoveState, Purpose, RunState
from console.model.identity import VmId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.drawing import Line
from screens.exporting import offer_export
from screens.gauges import gauge_lines, guard_words
from screens.grid import Grid
from screens.lines import Lines, Pager
from screens.messages import ResultChosen, VmChosen
from screens.run_tables import (
    MoveRow,
    headline,
    log_lines,
    move_detail,
    move_rows,
    run_columns,
    totals,
)


class RunView(ConsoleScreen, inherit_bindings=False):
    """Moves at the left, slots, guard and log at the right or behind their digits. It has no way to ask for anything:
    the screen of a run that is on adds that, the one of a replay does not."""

    TOPICS = Topic.RUN | Topic.CLUSTER
    PANES = ("run-moves", "run-guard", "run-log")
    _shown_purpose = Purpose.DRAIN

    def headline(self) -> str:
        run = self.run_state
        if run is None:
            return "Run"
        return f"{'Return' if run.purpose is Purpose.RETURN else 'Drain'} of {formatting.name(run.node)}"

    @property
    def run_state(self) -> RunState | None:
        """The newest state of the run."""
        return self.services.store.run

    def body(self) -> Iterable[Widget]:
        look = self.services.look
        self.moves = Grid[MoveRow](
            look, run_columns(look), id="run-moves", key=lambda r: r.move.vm.id, markable=True, classes="pane",
            search=lambda r: f"{r.move.vm.name} {r.move.destination} {r.move.state.value} {r.move.reason}",
            row_style=lambda r: "text.muted" if r.move.state is MoveState.DONE else "", empty="No run is open.",
        )  # fmt: skip
        yield Lines(look, id="run-head", classes="section")
        yield Container(Lines(look, id="run-totals"), Lines(look, id="run-gauges"), id="run-top")
        yield Lines(look, id="run-tabs", classes="section")
        side = Container(
            Lines(look, id="run-side-title", classes="section"),
            Pager(look, id="run-guard", classes="pane"),
            Pager(look, id="run-log", classes="pane"),
            id="run-side",
        )
        yield Container(self.moves, side, id="run-panes")
        yield Lines(look, id="run-detail", classes="detail")

    def show(self, changed: Topic) -> None:
        run = self.run_state
        if run is None or not changed & (Topic.RUN | Topic.PROBLEMS):
            return
        look, width = self.services.look, self.size.width
        if run.purpose is not self._shown_purpose:
            self._shown_purpose = run.purpose
            self.moves.set_columns(run_columns(look, run.purpose))
        watched = self.moves.cursor_item
        self.moves.set_items(move_rows(run))
        if watched is not None and not watched.move.state.terminal and _is_done(run, watched):
            self.moves.action_list_first()  # it went to the end of the list; what still moves is at its beginning
        self.query_one("#run-head", Lines).set_lines([headline(run, look, width)])
        bars, gauges = self.query_one("#run-totals", Lines), self.query_one("#run-gauges", Lines)
        bars.set_lines(totals(run, look, bars.size.width or width))
        if gauges.display:
            gauges.set_lines(self._gauges(run, gauges.size.width))
        self._show_side(run)
        self._show_detail()

    def _gauges(self, run: RunState, width: int) -> list[Line]:
        store, services = self.services.store, self.services
        return gauge_lines(run, store.rate_history, store.guard_history, services.guard, services.look, width)

    def _show_side(self, run: RunState) -> None:
        guard, log = self.query_one("#run-guard", Pager), self.query_one("#run-log", Pager)
        width = (log.size.width or guard.size.width or self.size.width) - 2
        if guard.display:
            guard.set_lines(_indented([*self._gauges(run, width), (), *guard_words(run, width)]))
        if log.display:
            log.set_tail(_indented(log_lines(run.log, width)))
        shown = 2 if guard.has_class("-side") else 3
        self.query_one("#run-side-title", Lines).set_lines([_tabs(run, (2, 3), shown)])
        front = next(n for n, id in enumerate(self.PANES, 1) if self.query_one(f"#{id}").has_class("-shown") or n == 3)
        self.query_one("#run-tabs", Lines).set_lines([_tabs(run, (1, 2, 3), front)])

    def show_pane(self, number: int) -> None:
        """The moves stay where there is room for a second pane below or beside them."""
        for position, id in enumerate(self.PANES, 1):
            pane = self.query_one(f"#{id}")
            pane.set_class(position == number, "-shown")
            if number > 1:
                pane.set_class(position == number, "-side")
            if position == number:
                pane.focus()
        self.call_after_refresh(self.refill, Topic.ALL)

    def on_mount(self) -> None:
        super().on_mount()
        if self.stands:
            self.query_one("#run-log").add_class("-side")

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self.refill, Topic.ALL)

    def _show_detail(self) -> None:
        self.query_one("#run-detail", Lines).set_lines(move_detail(self.moves.cursor_item, self.size.width))

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self._show_detail()
        self.look_again()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        self.post_message(VmChosen(VmId(event.row)))

    # -- what can be done with any run ---------------------------------------------------------------------------

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {
            "exportable": lambda: "" if self.run_state else "No run is open.",
            "playable": lambda: "" if self.has_ended else "A run can be played again once it has ended.",
        }

    @property
    def has_ended(self) -> bool:
        run = self.run_state
        return run is not None and run.outcome is not None

    def offered(self, action: Action) -> bool:
        return self.has_ended if action.id == "go.run" else super().offered(action)

    def title_of(self, action: Action) -> str:
        return "result" if action.id == "go.run" else super().title_of(action)

    def show_result(self) -> None:
        """How the run ended; that it has not yet, while it is on."""
        run = self.run_state
        if run is None or run.outcome is None:
            self.tell("It has not ended yet." if run is not None else "No run is open.")
        else:
            self.post_message(ResultChosen(run))

    def action_report_export(self) -> None:
        if not self.refused("report.export") and self.run_state is not None:
            offer_export(self, self.services, self.run_state)


def _is_done(run: RunState, row: MoveRow) -> bool:
    return run.moves[row.move.vm.id].state is MoveState.DONE if row.move.vm.id in run.moves else False


def _indented(lines: list[Line]) -> list[Line]:
    return [(("  ", ""), *line) for line in lines]


def _tabs(run: RunState, numbers: Iterable[int], shown: int) -> Line:
    """Which pane is which; of one that is not seen that something there wants to be."""
    holds = run.guard is not None and run.guard.holding
    names = {1: f"moves {len(run.moves)}", 2: "guard HOLDS starts" if holds else "guard", 3: "log"}
    spans: list[tuple[str, str]] = [("  ", "")]
    for number in numbers:
        style = "text.strong" if number == shown else "text.warning" if number == 2 and holds else "text.muted"
        spans += [(f"{number} ", "text.key"), (f"{names[number]}   ", style)]
    return tuple(spans)
