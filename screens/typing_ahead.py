"""What is typed right after ``/`` belongs to the filter, also while its prompt is not there yet.

A slow line hands over several keys at once. Without this the letters after the slash would be commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key
from textual.widgets import Input

from screens.grid import Grid

if TYPE_CHECKING:
    from textual.widget import Widget


class TypedAhead:
    """Mixed into the app. A printable key that gets as far as the app was not heard by the prompt it was meant for."""

    if TYPE_CHECKING:

        @property
        def focused(self) -> Widget | None: ...

    def on_key(self, event: Key) -> None:
        box = self.focused
        text = "\n" if event.key == "enter" else event.character if event.is_printable else None
        if text is None:
            return
        if isinstance(box, Grid) and box.awaits_filter:
            box.typed_ahead += text
        elif isinstance(box, Input) and text != "\n":
            box.insert_text_at_cursor(text)
        else:
            return
        event.stop()
        event.prevent_default()
