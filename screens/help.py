"""Every key of the screen that one came from, made from the registry."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from console.actions import Action, Effect, Scope, actions_on, key_label
from console.store import Topic
from screens.base import ConsoleScreen
from screens.drawing import Line, wrap
from screens.lines import Pager
from screens.sight import Services

_EFFECTS = {Effect.REQUEST: "asks the run", Effect.CHANGES: "changes the world"}

_ROOM_FOR_IDS = 100
_ID = 22


class HelpScreen(ConsoleScreen, inherit_bindings=False):
    """The help of one screen."""

    NAME = "help"
    PANES = ("reading",)

    def __init__(self, services: Services, screen: str) -> None:
        super().__init__(services)
        self.of = screen

    def headline(self) -> str:
        return f"Keys of {self.of}"

    def body(self) -> Iterable[Widget]:
        yield Pager(self.services.look, id="reading")

    def show(self, changed: Topic) -> None:
        self.query_one(Pager).set_lines(help_lines(self.of, self.services, self.app.size.width))


def help_lines(screen: str, services: Services, width: int) -> list[Line]:
    """The actions of a screen by where they work, with keys, sentence, effect and the id for the configuration."""
    actions = list(actions_on(screen, read_only=services.hand is None))
    lines: list[Line] = []
    for title, scope in (("THIS SCREEN", Scope.SCREEN), ("LISTS", Scope.GRID), ("EVERYWHERE", Scope.APP)):
        group = [action for action in actions if action.scope is scope]
        if group:
            lines += [
                (),
                ((f"  {title}", "text.heading"),),
                *(line for action in group for line in _lines(action, services, width)),
            ]
    lines += [
        (),
        (("  Upper-case letters change the world, lower-case ones do not;", "text.muted"),),
        (
            (
                "  G only moves the cursor, + and - only slots or a replay's speed. Keys can be changed by id.",
                "text.muted",
            ),
        ),
    ]
    if services.hand is None:
        lines.append((("  This console is read-only: what could change anything is not there.", "text.warning"),))
    return lines


def _lines(action: Action, services: Services, width: int) -> list[Line]:
    """One action; its id for the configuration where there is room for it."""
    keys = services.keys.get(action.id, action.keys)
    label = "  ".join(key_label(key) for key in keys)
    effect = _EFFECTS.get(action.effect, "")
    named = width >= _ROOM_FOR_IDS
    room = max(20, width - 20 - (_ID if named else 0) - (len(effect) + 2 if effect else 0))
    first, *rest = wrap(action.help, room) or [""]
    head: Line = (
        (f"  {label:<16}", "text.key"),
        (f"{first:<{room}}" if named or effect else first, ""),
        (f"  {effect}" if effect else "", "text.warning"),
    )
    if named:
        head = (*head, (f"  {action.id}", "text.muted"))
    return [head, *(((" " * 18 + row, ""),) for row in rest)]
