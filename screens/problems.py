"""Errors stay here until they were read."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from console import formatting
from console.store import Topic
from screens.base import ConsoleScreen
from screens.bindings import screen_bindings
from screens.drawing import Line, wrap
from screens.lines import Pager


class ProblemsScreen(ConsoleScreen, inherit_bindings=False):
    """Newest first; leaving the screen marks them read."""

    NAME = "problems"
    TITLE = "Problems"
    TOPICS = Topic.PROBLEMS
    PANES = ("reading",)
    BINDINGS = screen_bindings("problems")

    def body(self) -> Iterable[Widget]:
        yield Pager(self.services.look, id="reading")

    def show(self, changed: Topic) -> None:
        width = max(40, self.app.size.width - 6)
        lines: list[Line] = [()]
        for problem in self.services.store.problems:
            times = f"  {problem.times} times" if problem.times > 1 else ""
            lines.append(
                (
                    ("  ", ""),
                    ("  " if problem.read else "! ", "text.warning"),
                    (formatting.clock_time(problem.last_at, seconds=True), "text.muted"),
                    (f"  {formatting.name(problem.source)}", "text.strong"),
                    (times, "text.muted"),
                )
            )
            style = "text.muted" if problem.read else ""
            lines += [((row, style),) for row in wrap(formatting.plain(problem.text), width, "    ")]
            lines.append(())
        self.query_one(Pager).set_lines(lines if len(lines) > 1 else [(), (("  No problems.", "text.muted"),)])

    def on_unmount(self) -> None:
        super().on_unmount()
        self.services.store.mark_problems_read()

    def action_view_copy(self) -> None:
        texts = [f"{problem.source}: {problem.text}" for problem in self.services.store.problems]
        self.app.copy_to_clipboard("\n".join(formatting.plain(text) for text in texts))
        self.tell(f"{formatting.count(len(texts), 'problem')} copied, if the terminal allows it.")
