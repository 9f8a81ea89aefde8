"""A widget that shows prepared lines: headers, summaries, side panels and reading views are all one of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip

from console.actions import Scope
from screens.bindings import bindings_of
from screens.drawing import Line
from screens.paint import Look


class WholeCells(ScrollBarRender):
    """A scrollbar without half-filled cells, for terminals without box glyphs."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * len(ScrollBarRender.VERTICAL_BARS)


class Lines(ScrollView, can_focus=False, inherit_bindings=False):
    """Draws lines as they are: no markup, no wrapping, only what differs is painted again."""

    def __init__(self, look: Look, *, id: str | None = None, classes: str | None = None, ground: str = "base") -> None:
        super().__init__(id=id, classes=classes)
        self.look = look
        self.ground = ground
        self.lines: tuple[Line, ...] = ()
        self._version = look.version

    def on_mount(self) -> None:
        if self.look.ascii:
            self.vertical_scrollbar.renderer = WholeCells  # type: ignore[misc]

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these from now on."""
        old, self.lines = self.lines, tuple(lines)
        width = self.scrollable_content_region.width
        if len(old) != len(self.lines) or self._version != self.look.version:
            self._version = self.look.version
            self.virtual_size = Size(width, len(self.lines))
            self.refresh(layout=self.styles.auto_dimensions)
            return
        top = self.scroll_offset.y
        for row, (before, now) in enumerate(zip(old, self.lines, strict=True)):
            if before != now:
                self.refresh(Region(0, row - top, self.size.width, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        line = self.lines[row] if row < len(self.lines) else ()
        base = self.look.style("text.normal", self.ground)
        segments = [Segment(self.look.words(text), self.look.style(style, self.ground)) for text, style in line if text]
        return Strip(segments).adjust_cell_length(self.size.width, base)


class Pager(Lines, can_focus=True, inherit_bindings=False):
    """Lines that can be scrolled with the same keys as a list."""

    BINDINGS = bindings_of(Scope.GRID)
    _follows = True
    """Whether the end is in sight: it stays so as lines come in, until somebody scrolls back."""

    def set_tail(self, lines: Sequence[Line]) -> None:
        """Show these; whoever looked at the end sees the new one."""
        follows = self._follows
        self.set_lines(lines)
        if follows:
            self.scroll_end(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._follows = new_value >= self.max_scroll_y

    def action_list_down(self) -> None:
        self.scroll_relative(y=1, animate=False, immediate=True)

    def action_list_up(self) -> None:
        self.scroll_relative(y=-1, animate=False, immediate=True)

    def action_list_page_down(self) -> None:
        self.scroll_relative(y=max(1, self.size.height - 2), animate=False, immediate=True)

    def action_list_page_up(self) -> None:
        self.scroll_relative(y=-max(1, self.size.height - 2), animate=False, immediate=True)

    def action_list_first(self) -> None:
        self.scroll_to(y=0, animate=False, immediate=True)

    def action_list_last(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in ("list_open", "list_mark", "list_sort", "list_filter", "list_left", "list_right")
