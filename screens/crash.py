"""What the console says when it breaks: where, but not with which values. They could hold a password, and names."""

from __future__ import annotations

import sys
import traceback

from rich.text import Text
from textual.app import App

from console.formatting import plain_lines


class DiscreetCrash(App[int]):
    """Textual prints the variables of every frame; this prints the frames alone, and each line made harmless."""

    def _fatal_error(self) -> None:
        self.bell()
        self._exit_renderables.append(Text(crash_text(sys.exc_info()[1])))
        self._close_messages_no_wait()


def crash_text(error: BaseException | None) -> str:
    """The traceback without values."""
    if error is None:
        return "The console broke, and nobody knows why."
    return plain_lines("".join(traceback.format_exception(error)).rstrip("\n"))
