"""The prompt of a list's filter: it filters while one types."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from screens.filtering import NO_FILTER, parse_filter
from screens.grid import Grid
from screens.lines import Lines


class FilterBar(Horizontal):
    """One line at the bottom of the body; enter keeps the filter, escape drops it."""

    BINDINGS = [("escape", "drop", "drop"), ("down", "keep", "keep")]  # noqa: RUF012

    def __init__(self, grid: Grid[Any]) -> None:
        super().__init__(id="filter")
        self._grid = grid

    def compose(self) -> ComposeResult:
        label = Lines(self._grid.look, id="filter-label", ground="raised")
        yield label
        yield Input(self._grid.chosen.text, placeholder="text   /regex   !others", id="filter-input")
        yield Lines(self._grid.look, id="filter-count", ground="raised")

    def on_mount(self) -> None:
        if not self.query("#filter-label"):
            return  # its screen was closed before the parts were there
        self.query_one("#filter-label", Lines).set_lines([((" filter ", "text.key"),)])
        box = self.query_one(Input)
        box.cursor_blink = False
        box.focus()
        ahead, entered, _ = self._grid.typed_ahead.partition("\n")
        self._grid.awaits_filter, self._grid.typed_ahead = False, ""
        if ahead:
            box.insert_text_at_cursor(ahead)
            self._grid.set_filter(parse_filter(box.value))
        self._count()
        if entered:
            self.action_keep()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._grid.set_filter(parse_filter(event.value))
        self._count()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def _count(self) -> None:
        chosen = self._grid.chosen
        text = f"{len(self._grid.rows)} of {len(self._grid.items)} "
        style = "text.muted"
        if chosen.error:
            text, style = chosen.error + " ", "text.warning"
        self.query_one("#filter-count", Lines).set_lines([((text, style),)])

    def action_keep(self) -> None:
        self._grid.focus()
        self.remove()

    def action_drop(self) -> None:
        self._grid.set_filter(NO_FILTER)
        self.action_keep()
