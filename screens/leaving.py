"""Screens that are left once, however fast a key comes twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import work
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.screen import Screen

if TYPE_CHECKING:
    _Base = Screen[Any]
else:
    _Base = object


class LeftOnce(_Base):
    """A second Enter that was on its way when the first one closed the screen finds it gone, and does nothing; so does
    one that finds another screen on top.

    Textual would hand over the answer twice, and take away whatever screen is below, or on top.
    """

    _has_left = False

    def dismiss(self, result: Any = None) -> AwaitComplete:
        if self._has_left or not self.is_active:
            return AwaitComplete()
        self._has_left = True
        return super().dismiss(result)


class Palette(LeftOnce, CommandPalette):
    """Textual's, left once; what its parts still had to say when they were gone is not heard."""

    def _watch__list_visible(self) -> None:
        if self.query(CommandList):
            super()._watch__list_visible()

    async def _watch__show_busy(self) -> None:
        if self.query(CommandList):
            await super()._watch__show_busy()

    def _action_command_list(self, action: str) -> None:
        found = self.query(CommandList)
        if found and found.first().scrollable_content_region:  # turning a page needs lines, and they need room
            super()._action_command_list(action)

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        """The search begins a moment after it was asked for: by then the list may be gone."""
        if self.query(CommandList):
            search: Any = CommandPalette._gather_commands
            await search.__wrapped__(self, search_value)
