"""A question that only a host's name answers: nothing that was typed ahead, or by habit, gets past it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input

from console import formatting
from console.model.identity import HostName
from screens.columns import Column
from screens.drawing import Line
from screens.grid import Grid
from screens.leaving import LeftOnce
from screens.lines import Lines
from screens.sight import Services

CANCEL = "cancel"
GO = "go"
ROOMY = 38
"""Rows from which on everything is told at length."""

Tell = Callable[[bool], Sequence[Line]]
"""What is about to happen, in lines; True asks for the short form, for a terminal of few rows."""


@dataclass(frozen=True, slots=True)
class Answer:
    key: str
    label: str
    open: bool


class _Choices(Grid[Answer], inherit_bindings=False):
    """Arrows and enter alone: every letter belongs to the name that is being typed."""

    BINDINGS = [  # noqa: RUF012
        ("down", "list_down", "down"),
        ("up", "list_up", "up"),
        ("enter", "list_open", "choose"),
    ]


class TypedScreen(LeftOnce, ModalScreen[bool], inherit_bindings=False):
    """Dismisses with True only after the host's name was typed in full; the cursor starts on *Cancel*.

    Args:
        go: what the confirming answer does, in a few words.
        cancel: what the other one leaves as it is.
    """

    AUTO_FOCUS = None
    BINDINGS = [  # noqa: RUF012
        ("escape", "cancel", "cancel"),
        ("ctrl+c", "cancel", "cancel"),
        ("ctrl+q", "cancel", "cancel"),
        ("tab", "app.focus_next", "next"),
        ("shift+tab", "app.focus_previous", "previous"),
    ]

    def __init__(self, services: Services, node: HostName, tell: Tell, *, go: str, cancel: str) -> None:
        super().__init__()
        self._services = services
        self._node = node
        self._lines = tell
        self._go = go
        self._cancel = cancel
        self.armed = services.settle_s <= 0

    def compose(self) -> ComposeResult:
        look = self._services.look
        grid = _Choices(
            look,
            (Column("answer", "", 40, _answer, grows=1),),
            id="choices",
            key=lambda a: a.key,
            search=lambda a: a.label,
        )
        with Vertical(id="dialog"):
            yield Lines(look, id="dialog-text", classes="summary")
            with Horizontal(id="dialog-typed"):
                yield Lines(look, id="dialog-label", ground="raised")
                yield Input(id="typed", placeholder=formatting.plain(self._node), select_on_focus=False)
            yield grid

    def on_mount(self) -> None:
        self._tell()
        self.query_one("#dialog-label", Lines).set_lines([((" type the host's name: ", "text.key"),)])
        self.query_one(Input).cursor_blink = False
        self._offer()
        self.query_one(Grid).focus()
        if not self.armed:
            self.set_timer(self._services.settle_s, self._arm)

    def on_resize(self) -> None:
        self._tell()

    def _tell(self) -> None:
        short = self.app.size.height < ROOMY
        self.set_class(short, "-short")
        self.query_one("#dialog-text", Lines).set_lines(self._lines(short))

    def _arm(self) -> None:
        self.armed = True

    @property
    def typed_right(self) -> bool:
        """Whether what was typed is the host's name; case does not count, as for Windows."""
        return self.query_one(Input).value.strip().casefold() == self._node.casefold()

    def _offer(self) -> None:
        go = f"Go (enter): {self._go}" if self.typed_right else "Go: type the host's name first"
        grid = self.query_one(Grid)
        grid.styles.height = 3
        grid.set_items((Answer(CANCEL, f"Cancel: {self._cancel}", True), Answer(GO, go, self.typed_right)))

    def on_key(self, event: Key) -> None:
        """Wherever the cursor is, letters are letters of the name."""
        typed = self.query_one(Input)
        if event.is_printable and event.character is not None and not typed.has_focus:
            event.stop()
            event.prevent_default()
            typed.focus()
            typed.insert_text_at_cursor(event.character)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.typed_right:
            self.dismiss(True)
            return
        grid = self.query_one(Grid)
        grid.move_to(CANCEL)
        grid.focus()

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        event.stop()
        if not self.armed:
            return
        if event.row == CANCEL:
            self.dismiss(False)
        elif self.typed_right:
            self.dismiss(True)

    def action_cancel(self) -> None:
        if self.armed:
            self.dismiss(False)


def _answer(answer: Answer, width: int) -> Line:
    style = "text.off" if not answer.open else "text.bad" if answer.key == GO else "text.strong"
    return ((answer.label, style),)
