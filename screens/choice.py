"""A question with a few answers; the first one changes nothing and is where the cursor starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from screens.columns import Column
from screens.drawing import Line, cut
from screens.grid import Grid
from screens.leaving import LeftOnce
from screens.lines import Lines
from screens.sight import Services

V = TypeVar("V")


@dataclass(frozen=True)
class Choice(Generic[V]):
    """One answer; ``value`` None is the way back."""

    label: str
    explanation: str
    value: V | None
    dangerous: bool = False


class ChoiceScreen(LeftOnce, ModalScreen[V | None], Generic[V], inherit_bindings=False):
    """Dismisses with the answer's value. Keys do nothing for the first moments, so that nothing typed ahead answers."""

    AUTO_FOCUS = None
    BINDINGS = [("escape", "go_back", "back"), ("ctrl+c", "go_back", "back"), ("ctrl+q", "go_back", "back")]  # noqa: RUF012

    def __init__(self, services: Services, title: str, lines: Sequence[Line], choices: Sequence[Choice[V]]) -> None:
        super().__init__()
        self._services = services
        self._title = title
        self._lines = tuple(lines)
        self._choices = tuple(choices)
        self.armed = services.settle_s <= 0

    def compose(self) -> ComposeResult:
        look = self._services.look
        grid = Grid[Choice[V]](
            look,
            (
                Column("answer", "", 22, _label, grows=1, most=34),
                Column("explanation", "", 30, lambda c, w: ((cut(c.explanation, w), "text.muted"),), grows=3),
            ),
            id="choices",
            key=lambda choice: choice.label,
            search=lambda choice: choice.label,
        )
        with Vertical(id="dialog"):
            yield Lines(look, id="dialog-text", classes="summary")
            yield grid

    def on_mount(self) -> None:
        heading: Line = ((self._title, "text.strong"),)
        self.query_one("#dialog-text", Lines).set_lines([heading, (), *self._lines] if self._lines else [heading])
        grid = self.query_one(Grid)
        grid.set_items(self._choices)
        grid.styles.height = len(self._choices) + 1
        grid.focus()
        if not self.armed:
            self.set_timer(self._services.settle_s, self._arm)

    def _arm(self) -> None:
        self.armed = True

    def action_go_back(self) -> None:
        if self.armed:
            self.dismiss(None)

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        event.stop()
        if self.armed:
            self.dismiss(next(choice.value for choice in self._choices if choice.label == event.row))


def _label(choice: Choice[V], width: int) -> Line:
    return ((cut(choice.label, width), "text.bad" if choice.dangerous else "text.strong"),)
