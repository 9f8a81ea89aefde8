"""One line to be typed: what it is, what it may be, and why what was typed is not it."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from screens.drawing import Line, wrap
from screens.leaving import LeftOnce
from screens.lines import Lines
from screens.sight import Services

WIDTH = 72


class EntryScreen(LeftOnce, ModalScreen[str | None], inherit_bindings=False):
    """Dismisses with the text once it is taken, with None when it was given up.

    Args:
        refusal: why a text can not be taken; empty when it can.
    """

    AUTO_FOCUS = "#entry"
    BINDINGS = [("escape", "give_up", "back"), ("ctrl+c", "give_up", "back"), ("ctrl+q", "give_up", "back")]  # noqa: RUF012

    def __init__(
        self, services: Services, title: str, explanation: str, text: str, refusal: Callable[[str], str]
    ) -> None:
        super().__init__()
        self._services = services
        self._title = title
        self._explanation = explanation
        self._text = text
        self._refusal = refusal

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Lines(self._services.look, id="dialog-text", classes="summary")
            yield Input(self._text, id="entry", select_on_focus=False)
            yield Lines(self._services.look, id="dialog-refusal", classes="summary")

    def on_mount(self) -> None:
        lines: list[Line] = [((self._title, "text.strong"),)]
        lines += [((row, "text.muted"),) for row in wrap(self._explanation, WIDTH)]
        self.query_one("#dialog-text", Lines).set_lines(lines)
        self.query_one(Input).cursor_blink = False
        self._say("")

    def _say(self, refusal: str) -> None:
        rows: list[Line] = [((row, "text.bad"),) for row in wrap(refusal, WIDTH)[:3]] if refusal else []
        self.query_one("#dialog-refusal", Lines).set_lines(
            rows
            or [(("enter ", "text.key"), ("takes it  ", "text.muted"), ("esc ", "text.key"), ("back", "text.muted"))]
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        refusal = self._refusal(event.value)
        if refusal:
            self._say(refusal)
        else:
            self.dismiss(event.value)

    def action_give_up(self) -> None:
        self.dismiss(None)
