"""A list for thousands of rows: drawn line by line, keyed by id, painting only what changed.

Its rows are values, its columns functions; filter and order work on the values, never on widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.actions import Scope
from screens.bindings import bindings_of
from screens.columns import GAP, Cell, Column, Layout, Order, arrange, lay_out, next_order
from screens.drawing import TRACK, clip, fit
from screens.filtering import NO_FILTER, Filter
from screens.lines import WholeCells
from screens.paint import Look

T = TypeVar("T")
GUTTER = 2
"""Cells at the left: the mark and a blank."""


class Grid(ScrollView, Generic[T], can_focus=True, inherit_bindings=False):
    """A list with a header line, a row cursor, marks, filter, order and columns that scroll sideways."""

    BINDINGS = bindings_of(Scope.GRID)

    @dataclass
    class CursorMoved(Message):
        """The cursor is on another row; ``row`` is its id, empty when there is none."""

        grid: str
        row: str

    @dataclass
    class RowOpened(Message):
        grid: str
        row: str

    @dataclass
    class MarksChanged(Message):
        grid: str
        marks: frozenset[str]

    @dataclass
    class FilterWanted(Message):
        grid: str

    @dataclass
    class Filtered(Message):
        """Other rows are shown than before."""

        grid: str

    def __init__(
        self,
        look: Look,
        columns: Sequence[Column[T]],
        *,
        id: str,
        key: Callable[[T], str],
        search: Callable[[T], str],
        row_style: Callable[[T], str] = lambda _: "",
        empty: str = "Nothing here.",
        markable: bool = False,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.look = look
        self.columns = tuple(columns)
        self.order = Order()
        self.chosen: Filter = NO_FILTER
        self.marks: frozenset[str] = frozenset()
        self.rows: list[T] = []
        """What is shown, after filter and order."""
        self.markable = markable
        self.awaits_filter = False
        """Whether its filter was asked for and the prompt is not there yet."""
        self.typed_ahead = ""
        """What was typed since."""
        self.empty = empty
        self._key = key
        self._search = search
        self._row_style = row_style
        self._items: Sequence[T] = ()
        self._cursor = 0
        self._cursor_key = ""
        self._sideways = 0
        self._columns_seen: tuple[tuple[int, int], Layout[T]] | None = None
        self._version = look.version

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def items(self) -> Sequence[T]:
        """Everything that was given, before the filter."""
        return self._items

    @property
    def cursor_item(self) -> T | None:
        return self.rows[self._cursor] if 0 <= self._cursor < len(self.rows) else None

    @property
    def cursor_key(self) -> str:
        return self._cursor_key

    @property
    def marked(self) -> list[T]:
        """The marked rows, or the one under the cursor when nothing is marked."""
        if self.marks:
            return [item for item in self._items if self._key(item) in self.marks]
        return [] if self.cursor_item is None else [self.cursor_item]

    def set_items(self, items: Sequence[T]) -> None:
        """Show these; the cursor stays on the same id."""
        self._items = items
        self._rearrange()

    def set_columns(self, columns: Sequence[Column[T]]) -> None:
        """Show other columns; everything is drawn again."""
        self.columns = tuple(columns)
        self._columns_seen = None
        self.refresh()

    def set_filter(self, chosen: Filter) -> None:
        """Show only what matches."""
        self.chosen = chosen
        self._rearrange()
        self.post_message(self.Filtered(self.id or ""))

    def set_marks(self, marks: frozenset[str]) -> None:
        self.marks = marks
        self.refresh()
        self.post_message(self.MarksChanged(self.id or "", marks))

    def move_to(self, key: str) -> bool:
        """Put the cursor on the row with this id; False when it is not shown."""
        for index, item in enumerate(self.rows):
            if self._key(item) == key:
                self._move(index)
                return True
        return False

    def redraw(self) -> None:
        """Paint everything again, after a change of theme or of what the columns draw from."""
        self._columns_seen = None
        self.refresh()

    def _rearrange(self) -> None:
        before = self.rows
        self.rows = arrange(self._items, self.columns, self.order, self.chosen, self._search)
        self._reseat()
        if len(before) != len(self.rows):
            self.virtual_size = Size(self.size.width, len(self.rows) + 1)
            self.refresh()
            self._follow()
        else:
            self._paint_differences(before)

    def _reseat(self) -> None:
        """Keep the cursor on its id; when that is gone, near where it was."""
        old_key = self._cursor_key
        here = self.cursor_item
        if here is None or self._key(here) != old_key:
            found = next((i for i, item in enumerate(self.rows) if self._key(item) == old_key), None)
            self._cursor = max(0, min(self._cursor if found is None else found, len(self.rows) - 1))
        self._announce()

    def _paint_differences(self, before: list[T]) -> None:
        if self._version != self.look.version:
            self._version = self.look.version
            self.refresh()
            return
        top = self.scroll_offset.y
        for row in range(top, min(len(self.rows), top + self.size.height)):
            old, new = before[row], self.rows[row]
            if old is not new and old != new:
                self._paint_row(row)

    def _paint_row(self, row: int) -> None:
        y = row - self.scroll_offset.y + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # -- the hand ------------------------------------------------------------------------------------------------

    def action_list_down(self) -> None:
        self._move(self._cursor + 1)

    def action_list_up(self) -> None:
        self._move(self._cursor - 1)

    def action_list_page_down(self) -> None:
        self._move(self._cursor + max(1, self.size.height - 2))

    def action_list_page_up(self) -> None:
        self._move(self._cursor - max(1, self.size.height - 2))

    def action_list_first(self) -> None:
        self._move(0)

    def action_list_last(self) -> None:
        self._move(len(self.rows) - 1)

    def action_list_left(self) -> None:
        self._shift(-1)

    def action_list_right(self) -> None:
        self._shift(1)

    def action_list_open(self) -> None:
        if self.cursor_item is not None:
            self.post_message(self.RowOpened(self.id or "", self._cursor_key))

    def action_list_mark(self) -> None:
        if self.markable and self.cursor_item is not None:
            self.set_marks(self.marks ^ {self._cursor_key})
            self._move(self._cursor + 1)

    def action_list_sort(self) -> None:
        self.sort_by(next_order(self.columns, self.order))

    def action_list_filter(self) -> None:
        self.awaits_filter = hasattr(self.screen, "on_grid_filter_wanted")  # a question has no prompt
        self.post_message(self.FilterWanted(self.id or ""))

    def sort_by(self, order: Order) -> None:
        """Order the rows; the cursor stays on its id."""
        self.order = order
        self._rearrange()
        self.refresh()
        self._follow()

    def _move(self, row: int) -> None:
        row = max(0, min(row, len(self.rows) - 1))
        if row == self._cursor:
            return
        old, self._cursor = self._cursor, row
        self._announce()
        self._paint_row(old)
        self._paint_row(row)
        self._follow()

    def _announce(self) -> None:
        item = self.cursor_item
        key = "" if item is None else self._key(item)
        if key != self._cursor_key:
            self._cursor_key = key
            self.post_message(self.CursorMoved(self.id or "", key))

    def _follow(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height - 1)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)

    def _shift(self, columns: int) -> None:
        layout = self._laid_out()
        if (columns > 0 and layout.hidden_after) or (columns < 0 and layout.hidden_before):
            self._sideways += columns
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self._sort_at(event.x)
            return
        row = event.y - 1 + self.scroll_offset.y
        if row < len(self.rows):
            if row == self._cursor and event.chain == 2:
                self.action_list_open()
            self._move(row)

    def _sort_at(self, x: int) -> None:
        left = GUTTER
        for column, width in self._laid_out().columns:
            if left <= x < left + width and column.sort:
                self.sort_by(Order(column.key, self.order.key == column.key and not self.order.reverse))
                return
            left += width + GAP

    def on_mount(self) -> None:
        if self.look.ascii:
            self.vertical_scrollbar.renderer = WholeCells  # type: ignore[misc]

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.rows) + 1)
        self._follow()

    def on_focus(self) -> None:
        self._paint_row(self._cursor)

    def on_blur(self) -> None:
        self._paint_row(self._cursor)

    # -- the eye -------------------------------------------------------------------------------------------------

    def _laid_out(self) -> Layout[T]:
        key = (self.scrollable_content_region.width, self._sideways)
        if self._columns_seen is None or self._columns_seen[0] != key:
            layout = lay_out(self.columns, self._sideways, key[0] - GUTTER - 1)
            self._columns_seen = (key, layout)
        return self._columns_seen[1]

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self._header()
        row = y - 1 + self.scroll_offset.y
        if row >= len(self.rows):
            return self._vacant(y)
        return self._row(row)

    def _vacant(self, y: int) -> Strip:
        base = self.look.style("text.normal")
        if y != 2 or self.rows:
            return Strip.blank(self.size.width, base)
        text = f"Nothing matches {self.chosen.text}" if self.chosen.active else self.empty
        segment = Segment(" " * GUTTER + self.look.words(text), self.look.style("text.muted"))
        return Strip([segment]).adjust_cell_length(self.size.width, base)

    def _header(self) -> Strip:
        style, glyphs = self.look.style("text.heading"), self.look.glyphs
        layout = self._laid_out()
        parts = [glyphs.before if layout.hidden_before else " ", " "]
        for column, width in layout.columns:
            title = column.heading(width) if column.heading else column.title
            if column.key == self.order.key:
                title += " " + (glyphs.descending if self.order.reverse else glyphs.ascending)
            parts.append(fit(title, width, right=column.right) + " " * GAP)
        text = self.look.words("".join(parts))
        if layout.hidden_after:
            text = set_cell_size(text, self.scrollable_content_region.width - 1) + glyphs.after
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)

    def _row(self, row: int) -> Strip:
        item = self.rows[row]
        ground = "base" if row != self._cursor else "cursor" if self.has_focus else "cursor-idle"
        row_style = self._row_style(item)
        base = self.look.style(row_style or "text.normal", ground)
        marked = self._key(item) in self.marks
        segments = [Segment(f"{self.look.glyphs.mark if marked else ' '} ", self.look.style("text.accent", ground))]
        blank = Segment(" " * GAP, base)
        columns = self._laid_out().columns
        for index, (column, width) in enumerate(columns):
            rest = sum(cells + GAP for _, cells in columns[index:]) - GAP
            across = column.span(item, rest) if column.span else None
            if across is not None:
                segments += self._cell(replace(column, right=False), across, rest, row_style, ground)
                break
            segments += self._cell(column, column.cell(item, width), width, row_style, ground)
            segments.append(blank)
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _cell(self, column: Column[T], cell: Cell, width: int, row_style: str, ground: str) -> list[Segment]:
        style = self.look.style
        if isinstance(cell, str):
            chosen: Style = style(row_style or column.style or "text.normal", ground)
            return [Segment(self.look.words(fit(cell, width, right=column.right)), chosen)]
        spans = clip(cell, width)
        segments = [
            Segment(self.look.words(text), style(_tinted(name, row_style) or column.style or "text.normal", ground))
            for text, name in spans
            if text
        ]
        room = width - sum(cell_len(text) for text, _ in spans)
        if room > 0:
            pad = Segment(" " * room, style(row_style or "text.normal", ground))
            segments = [pad, *segments] if column.right else [*segments, pad]
        return segments


def _tinted(name: str, row_style: str) -> str:
    """A row's own style takes every colour of its cells but a bar's empty track."""
    return name if not row_style or name == TRACK else row_style
