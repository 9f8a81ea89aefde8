"""A run, live or over: what moves, what waits and why, when it ends; and the keys that ask the runner for something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from textual.containers import Container
from textual.widget import Widget

from console.drain import requests
from console.drain.requests import OperatorRequest
from console.drain.state import Move, MoveState, RunState
from console.model.cluster import MigrationTransport
from console.model.identity import VmId
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.choice import Choice, ChoiceScreen
from screens.drawing import Line, wrap
from screens.gauges import gauge_lines, guard_words
from screens.grid import Grid
from screens.lines import Lines, Pager
from screens.messages import Asked, ResultChosen, VmChosen
from screens.run_tables import (
    MoveRow,
    headline,
    log_lines,
    move_detail,
    move_rows,
    run_columns,
    totals,
)
from screens.vm_columns import vm_label

_WAITING = (MoveState.PLANNED, MoveState.QUEUED)
_OVER = (MoveState.FAILED, MoveState.BLOCKED, MoveState.SKIPPED)
MOST_SLOTS = 16


class RunScreen(ConsoleScreen, inherit_bindings=False):
    """Moves at the left, slots, guard and log at the right or behind their digits."""

    NAME = "run"
    TOPICS = Topic.RUN | Topic.CLUSTER
    PANES = ("run-moves", "run-guard", "run-log")
    BINDINGS = screen_bindings("run")

    def headline(self) -> str:
        return f"Run {self.run_state.run}" if self.run_state else "Run"

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
        self.moves.set_items(move_rows(run))
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
            follows = log.scroll_offset.y >= log.max_scroll_y
            log.set_lines(_indented(log_lines(run, width)))
            if follows:
                log.scroll_end(animate=False, immediate=True)
        shown = 2 if guard.has_class("-side") else 3
        self.query_one("#run-side-title", Lines).set_lines([_side_title(shown)])

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

    # -- when a key can be used ----------------------------------------------------------------------------------

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        return {
            "run_on": self._why_over,
            "smb": self._why_no_bandwidth,
            "holdable": lambda: self._unless(
                (*_WAITING, MoveState.HELD), "Only a move that has not started can be held."
            ),
            "retryable": lambda: self._unless(_OVER, "Only a failed, blocked or skipped move can be tried again."),
            "cancellable": lambda: self._unless((MoveState.MOVING,), "Only a move in flight can be cancelled."),
            "skippable": lambda: self._unless(
                (*_WAITING, MoveState.HELD, MoveState.BLOCKED), "It has started already."
            ),
            "ended": lambda: "" if self.run_state and self.run_state.outcome else "The run is still on.",
        }

    def _why_over(self) -> str:
        run = self.run_state
        return "" if run is not None and run.outcome is None else "No run is on."

    def _why_no_bandwidth(self) -> str:
        run, cluster = self.run_state, self.services.store.cluster
        host = cluster.host_by_name.get(run.node) if run and cluster else None
        if host is None or host.migration_transport is not MigrationTransport.SMB:
            return "Bandwidth can be shared out only with the SMB transport; this node uses another one."
        return self._why_over()

    def _unless(self, states: tuple[MoveState, ...], reason: str) -> str:
        if self._why_over():
            return self._why_over()
        return "" if any(move.state in states for move in self._chosen()) else reason

    def _chosen(self) -> list[Move]:
        return [row.move for row in self.moves.marked]

    # -- asking --------------------------------------------------------------------------------------------------

    def _ask(self, *wanted: OperatorRequest) -> None:
        run = self.run_state
        if run is not None:
            for request in wanted:
                self.post_message(Asked(run.run, request))

    def _ask_after(self, title: str, text: str, yes: str, *wanted: OperatorRequest) -> None:
        lines = [((row, ""),) for row in wrap(text, 68)]
        choices = (Choice[bool]("Go back", "nothing is asked", None), Choice(yes, "", True, dangerous=True))
        self.app.push_screen(
            ChoiceScreen[bool](self.services, title, lines, choices),
            lambda answer: self._ask(*wanted) if answer else None,
        )

    def action_run_pause(self) -> None:
        if not self.refused("run.pause") and self.run_state is not None:
            self._ask(requests.ContinueStarts() if self.run_state.paused else requests.PauseStarts())

    def action_run_more(self) -> None:
        self._set_slots(1)

    def action_run_fewer(self) -> None:
        self._set_slots(-1)

    def _set_slots(self, step: int) -> None:
        if not self.refused("run.more") and self.run_state is not None:
            self._ask(requests.SetSlots(max(0, min(MOST_SLOTS, self.run_state.slots + step))))

    def action_run_bandwidth(self) -> None:
        if not self.refused("run.bandwidth"):
            shares = [Choice(f"{share} %", "of the bandwidth", share * 100) for share in (10, 25, 50, 75, 100)]
            choices = (Choice[int]("Go back", "nothing changes", None), *shares)
            self.app.push_screen(
                ChoiceScreen[int](self.services, "Bandwidth share of SMB migrations", (), choices), self._set_bandwidth
            )

    def _set_bandwidth(self, factor: int | None) -> None:
        if factor is not None:
            self._ask(requests.SetBandwidthCap(factor))

    def action_run_hold(self) -> None:
        if not self.refused("run.hold"):
            self._ask(
                *(
                    requests.ReleaseMove(move.vm.id) if move.state is MoveState.HELD else requests.HoldMove(move.vm.id)
                    for move in self._chosen()
                    if move.state in (*_WAITING, MoveState.HELD)
                )
            )

    def action_run_retry(self) -> None:
        if not self.refused("run.retry"):
            self._ask(*(requests.RetryMove(move.vm.id) for move in self._chosen() if move.state in _OVER))

    def action_run_cancel(self) -> None:
        if not self.refused("run.cancel"):
            moving = [move for move in self._chosen() if move.state is MoveState.MOVING]
            names = ", ".join(vm_label(move.vm) for move in moving)
            text = f"{names}: the live migration is cancelled. The VM goes on running on its source."
            self._ask_after(
                "Cancel this move?", text, "Cancel the move", *(requests.CancelMove(m.vm.id) for m in moving)
            )

    def action_run_skip(self) -> None:
        if not self.refused("run.skip"):
            states = (*_WAITING, MoveState.HELD, MoveState.BLOCKED)
            wanted = [move for move in self._chosen() if move.state in states]
            text = (
                f"{', '.join(vm_label(move.vm) for move in wanted)}: stays on the node, which will not be empty then."
            )
            self._ask_after("Leave it where it is?", text, "Leave it", *(requests.SkipMove(m.vm.id) for m in wanted))

    def action_run_stop(self) -> None:
        if not self.refused("run.stop") and self.run_state is not None:
            text = f"{len(self.run_state.in_flight)} in flight are finished, nothing more starts, then the run closes."
            self._ask_after("Stop the drain?", text, "Stop after what is in flight", requests.StopRun())

    def action_run_force(self) -> None:
        if not self.refused("run.force"):
            text = (
                "Ends the run's record and changes nothing on the cluster: what moves goes on by itself, and nobody "
                "verifies it. For a runner that does not answer any more."
            )
            self._ask_after("Close the run's record by force?", text, "Close by force", requests.CloseByForce())

    def action_run_result(self) -> None:
        if not self.refused("run.result"):
            self.post_message(ResultChosen())


def _indented(lines: list[Line]) -> list[Line]:
    return [(("  ", ""), *line) for line in lines]


def _side_title(shown: int) -> Line:
    spans: list[tuple[str, str]] = [("  ", "")]
    for number, name in ((2, "guard"), (3, "log")):
        spans += [(f"{number} ", "text.key"), (f"{name}   ", "text.strong" if number == shown else "text.muted")]
    return tuple(spans)
