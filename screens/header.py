"""The first and the last line of every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual import events

from console import formatting
from console.actions import Action, key_label
from screens.drawing import Line, Span, between, clip, joined, width_of
from screens.lines import Lines
from screens.sight import Services

_ALWAYS = 90
"""Footer places from here on are kept when the room is short."""


def header_line(services: Services, title: str, width: int) -> Line:
    """Mode badge, cluster, where we are; window countdown, clock, age of the data."""
    mode = services.mode
    left: Line = (
        (f" {mode.upper()} ", f"badge.{mode}"),
        ("  ", ""),
        (formatting.name(services.sight.cluster_name), "text.strong"),
        ("  ", ""),
        (title, "text.muted"),
    )
    right = joined([_window(services, short=width < 100), _clock(services), _age(services)], " · ")
    return between(left, (*right, (" ", "")), width)


def _window(services: Services, *, short: bool) -> Line | None:
    ends_at = services.window_ends_at
    if ends_at is None:
        return None
    left_s = (ends_at - services.now).total_seconds()
    if left_s <= 0:
        return ((f"window closed {formatting.age(-left_s)}", "text.bad"),)
    style = "text.normal" if left_s > 1800 else "text.warning"
    until = "" if short else f"window {formatting.clock_time(ends_at)}, "
    return ((f"{until}{formatting.duration(left_s)} left", style),)


def _clock(services: Services) -> Line:
    return ((formatting.clock_time(services.now, seconds=True), "text.normal"),)


def _age(services: Services) -> Line:
    age_s = services.store.age_s(services.now)
    if age_s is None:
        return (("reading …", "text.muted"),)
    return ((f"read {formatting.age(age_s)}", "text.warning" if services.stale else "text.muted"),)


class HeaderBar(Lines):
    """The header; told to look again once a second."""

    def __init__(self, services: Services, title: Callable[[], str]) -> None:
        super().__init__(services.look, id="header", ground="raised")
        self._services = services
        self._title = title

    def look_again(self) -> None:
        if self.size.width:
            self.set_lines([header_line(self._services, self._title(), self.size.width)])

    def on_resize(self) -> None:
        self.look_again()


class FooterBar(Lines):
    """The keys of this screen that are worth a place; the others are in the help."""

    def __init__(self, services: Services, actions: Iterable[Action], refusal: Callable[[Action], str]) -> None:
        super().__init__(services.look, id="footer", ground="raised")
        self._services = services
        self._actions = sorted((action for action in actions if action.footer), key=lambda action: action.footer)
        self._refusal = refusal
        self._spots: list[tuple[int, int, Action]] = []

    def look_again(self) -> None:
        width = self.size.width
        if not width:
            return
        right = self._unread()
        kept = [(action, self._piece(action)) for action in self._actions if action.footer >= _ALWAYS]
        room = width - width_of(right) - sum(width_of(piece) for _, piece in kept) - 1
        shown: list[tuple[Action, Line]] = []
        for action in self._actions:
            piece = self._piece(action)
            if action.footer < _ALWAYS and width_of(piece) <= room:
                shown.append((action, piece))
                room -= width_of(piece)
        self._place([*shown, *kept])
        line = tuple(span for _, piece in [*shown, *kept] for span in piece)
        self.set_lines([between((*_BLANK, *line), right, width)])

    def _place(self, pieces: list[tuple[Action, Line]]) -> None:
        self._spots, x = [], 1
        for action, piece in pieces:
            self._spots.append((x, x + width_of(piece), action))
            x += width_of(piece)

    def _piece(self, action: Action) -> Line:
        keys = self._services.keys.get(action.id, action.keys)
        refused = bool(self._refusal(action))
        return (
            (key_label(keys[0]), "text.rule" if refused else "text.key"),
            (f" {action.title}  ", "text.rule" if refused else "text.muted"),
        )

    def _unread(self) -> Line:
        unread = self._services.store.unread
        if not unread:
            return _BLANK
        return clip(((f"! {formatting.count(unread, 'problem')} ", "text.warning"),), 20)

    async def on_click(self, event: events.Click) -> None:
        for left, right, action in self._spots:
            if left <= event.x < right:
                await self.run_action(f"screen.{action.method}" if action.screens else f"app.{action.method}")

    def on_resize(self) -> None:
        self.look_again()


_BLANK: tuple[Span, ...] = ((" ", ""),)
