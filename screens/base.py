"""What every screen shares: header, footer, the way back, panes, the filter prompt and hearing from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from console.actions import BY_ID, BY_METHOD, Action, Effect, Scope, actions_on
from console.store import Topic
from screens.drawing import Line
from screens.filtering import NO_FILTER
from screens.grid import Grid
from screens.header import FooterBar, HeaderBar
from screens.lines import Lines
from screens.sight import Services

_OF_LISTS = (Grid.CursorMoved, Grid.RowOpened, Grid.MarksChanged, Grid.Filtered, Grid.FilterWanted)
LEAST_WIDTH = 60
LEAST_HEIGHT = 16


class ConsoleScreen(Screen[None], inherit_bindings=False):
    """A screen of the console. Subclasses give a name, a body and how to fill it."""

    NAME: ClassVar[str] = ""
    TITLE: ClassVar[str] = ""
    TOPICS: ClassVar[Topic] = Topic.CLUSTER
    PANES: ClassVar[tuple[str, ...]] = ()
    """Ids of the widgets that the digits go to."""
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-thin"), (LEAST_WIDTH, "-narrow"), (110, "-wide"), (170, "-huge"),
    ]  # fmt: skip
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-flat"), (LEAST_HEIGHT, "-short"), (34, "-tall"),
    ]  # fmt: skip

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self._leave: Callable[[], None] | None = None
        self._pending = Topic.ALL
        self._was_stale = False
        self._furnished = False

    # -- for subclasses ------------------------------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        """The widgets between header and footer."""
        raise AssertionError(f"{type(self).__name__} has no body")

    def show(self, changed: Topic) -> None:
        """Fill the widgets from the store; called when something changed and when the screen comes back."""

    def look_anew(self) -> None:
        """Everything is read again because somebody asked for it: also what only this screen reads."""

    def headline(self) -> str:
        """Where we are, for the header."""
        return self.TITLE

    def reasons(self) -> Mapping[str, Callable[[], str]]:
        """For each predicate of the registry: why the action can not run now, empty when it can."""
        return {}

    # -- life ----------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield HeaderBar(self.services, self.headline)
        yield Container(*self.body(), id="body")
        actions = actions_on(self.NAME, read_only=self.services.hand is None)
        yield FooterBar(self.services, actions, self.refusal, self.offered, self.title_of)
        yield Lines(self.services.look, id="too-small")

    @property
    def stands(self) -> bool:
        """Whether its widgets are there: a key can close a screen before they are, and the clock still ticks then.

        Those at the top are there before those inside of them, which only the mounting of the screen waits for.
        """
        return self._furnished and bool(self.query("#too-small"))

    @property
    def seen(self) -> bool:
        """Whether it is on top, but for a question that may be open over it. Textual counts screens further down as
        current too, and paints everything again for each of their changes."""
        return next(s for s in reversed(self.app.screen_stack) if not isinstance(s, ModalScreen)) is self

    def refill(self, changed: Topic) -> None:
        """Show again, for calls that were put off: by then the screen may be gone."""
        if self.stands:
            self.show(changed)

    def check_message_enabled(self, message: Message) -> bool:
        """What lists still had to say when their screen was closed is not heard."""
        if isinstance(message, _OF_LISTS) and not self.stands:
            return False
        return super().check_message_enabled(message)

    def on_mount(self) -> None:
        self._furnished = all(self.query(f"#{id}") for id in self.PANES)
        self._leave = self.services.store.subscribe(self.TOPICS | Topic.PROBLEMS, self._heard)
        if self.PANES and self.stands:
            self.show_pane(1)

    def on_unmount(self) -> None:
        if self._leave is not None:
            self._leave()

    def on_screen_resume(self) -> None:
        if not self.stands:
            return
        changed, self._pending = self._pending, Topic(0)
        self.show(changed | self.TOPICS)
        self.look_again()

    def on_resize(self) -> None:
        if not self.stands:
            return
        size = self.app.size
        self.query_one("#too-small", Lines).set_lines(too_small(size.width, size.height))

    def _heard(self, changed: Topic) -> None:
        if not (self.seen and self.stands):
            self._pending |= changed
            return
        if changed & self.TOPICS:
            self.show(changed)
        self.look_again()

    def look_again(self) -> None:
        """Header and footer as of now; once a second, and after every change."""
        self.query_one(HeaderBar).look_again()
        self.query_one(FooterBar).look_again()
        if self.services.stale != self._was_stale:
            self._was_stale = self.services.stale
            self.aged()

    def aged(self) -> None:
        """The data has become too old, or is fresh again: rows are greyed or take their colours."""
        for grid in self.query(Grid):
            grid.refresh()

    def title_of(self, action: Action) -> str:
        """What the footer calls an action here."""
        return action.title

    def offered(self, action: Action) -> bool:
        """Whether an action means anything here: the ones of a list where a list has the focus."""
        if action.id == f"go.{self.NAME}" or (action.id == "go.run" and self.services.store.run is None):
            return False
        if action.scope is not Scope.GRID:
            return True
        grid = self.focused
        if not isinstance(grid, Grid):
            return False
        return grid.markable or action.id != "list.mark"

    def on_descendant_focus(self) -> None:
        if not self.stands:
            return
        self.query_one(FooterBar).look_again()

    # -- actions -------------------------------------------------------------------------------------------------

    def refusal(self, action: Action) -> str:
        """Why an action can not run now; empty when it can."""
        question = self.reasons().get(action.predicate)
        return question() if question is not None else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        known = BY_METHOD.get(action)
        if known is None:
            return True
        return not (known.effect is not Effect.NONE and self.services.hand is None)

    def refused(self, id: str) -> bool:
        """Say why an action can not run now; False when it can."""
        reason = self.refusal(BY_ID[id])
        if reason:
            self.tell(reason)
        return bool(reason)

    def tell(self, text: str, severity: Any = "information") -> None:
        """A courtesy that passes by."""
        self.notify(text, severity=severity, timeout=5, markup=False)

    def action_pane(self, number: int) -> None:
        if 1 <= number <= len(self.PANES):
            self.show_pane(number)

    def show_pane(self, number: int) -> None:
        """Bring a pane forward where only one has room, and go to it."""
        for position, id in enumerate(self.PANES, 1):
            pane = self.query_one(f"#{id}")
            pane.set_class(position == number, "-shown")
            if position == number:
                pane.focus()

    def action_view_back(self) -> None:
        for grid in self.query(Grid):
            if grid.chosen.text:
                grid.set_filter(NO_FILTER)
                self.look_again()
                return
        self.leave()

    def leave(self) -> None:
        """Close this screen; the first one stays."""
        if len(self.app.screen_stack) > 1 and self in self.app.screen_stack:
            self.dismiss(None)

    def on_grid_filter_wanted(self, event: Grid.FilterWanted) -> None:
        from screens.filter_bar import FilterBar

        grid = self.query_one(f"#{event.grid}", Grid)
        if self.query(FilterBar):
            grid.awaits_filter, grid.typed_ahead = False, ""
        else:
            self.query_one("#body").mount(FilterBar(grid))


def too_small(width: int, height: int) -> list[Line]:
    """What a terminal below the floor says."""
    rows: list[Line] = [()] * max(0, (height - 3) // 2)
    for text, style in (
        ("Too small", "text.warning"),
        ("Drainboard needs 80 × 24.", "text.normal"),
        (f"This terminal has {width} × {height}.", "text.muted"),
    ):
        rows.append(((" " * max(0, (width - len(text)) // 2), ""), (text, style)))
    return rows
