"""The first and the last line of every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual import events

from console import formatting
from console.actions import Action, Effect, Scope, key_label
from console.drain.finish import why_no_finish
from console.drain.roll_forecast import forecast_ends
from console.drain.roll_state import RollState, Stage
from console.drain.state import MoveState, Pace
from screens.drawing import Line, Span, between, clip, joined, width_of
from screens.lines import Lines
from screens.sight import Services

_ALWAYS = 90
"""Footer places from here on are kept when the room is short."""


def header_line(services: Services, title: str, width: int) -> Line:
    """Mode badge, cluster, where we are; window countdown, clock, age of the data."""
    short = width < _ROOMY
    left: Line = (*_badge(services), ("  ", ""), (formatting.name(services.cluster_name), "text.strong"))
    busy = services.open_roll is not None or services.live_run is not None
    age = None if short and busy and not services.stale else _age(services)
    parts = [_trouble(services), _finish(services), _window(services, short=short), _clock(services, short=short), age]
    right = (*joined(parts, " · "), (" ", ""))
    room = width - width_of(left) - width_of(right) - 3
    if room >= min(_LEAST_TITLE, width_of([(title, "")])):
        left = (*left, ("  ", ""), (title, "text.muted"))
    return between(left, right, width)


_BADGES = {"replay": "badge.read-only"}
_ROOMY = 100
_LEAST_TITLE = 8
"""A title of which less than this would be left says nothing; its room is given to the others."""


def _badge(services: Services) -> Line:
    """What this console is, and what goes on: a rolling run stands before the drain that is a part of it."""
    mode, roll = services.mode, services.open_roll
    if roll is None:
        return ((f" {mode.upper()} ", _BADGES.get(mode, f"badge.{mode}")),)
    words = rolling_words(roll)
    if mode == "read-only":
        return ((" READ-ONLY ", "badge.read-only"), (f" {words}", "text.strong"))
    return ((f" {words} ", "badge.live"),)


def rolling_words(roll: RollState) -> str:
    """``ROLLING HV03 2/12``: the node that is out, and how many are done of how many."""
    out = [node.name for node in roll.nodes.values() if node.wave <= roll.began and not node.stage.over]
    done = sum(node.stage is Stage.DONE for node in roll.nodes.values())
    if roll.failed:
        what = f"ROLL STANDS {formatting.name(roll.failed[0].name)}"
    elif roll.waits_for_approval is not None:
        what = "ROLL WAITS"
    else:
        more = f"+{len(out) - 1}" if len(out) > 1 else ""
        what = " ".join(["ROLLING", *([formatting.name(out[0]) + more] if out else [])])
    return f"{what} {done}/{len(roll.nodes)}"


def _trouble(services: Services) -> Line | None:
    """How many moves stand still and will not go on by themselves, or are not seen: on every screen."""
    run = services.live_run
    runs = {run.run: run} if run is not None else {}
    moves = [move for each in {**services.store.roll_drains, **runs}.values() for move in each.moves.values()]
    ill = sum(move.state in _ILL or move.pace is Pace.STUCK for move in moves)
    return ((f"{ill} {'needs' if ill == 1 else 'need'} a look", "text.bad"),) if ill else None


_ILL = (MoveState.FAILED, MoveState.BLOCKED, MoveState.UNKNOWN)


def _finish(services: Services) -> Line | None:
    """While a run is on its end is forecast on every screen; of a rolling run the end of the whole."""
    if services.open_roll is not None:
        return _finish_of_roll(services, services.open_roll)
    run = services.live_run
    if run is None or run.forecast_finish_p50_at is None:
        return None
    unknown = why_no_finish(run)
    if unknown:
        return ((f"finish not known: {unknown}", "text.bad"),)
    ends_at = run.window_ends_at or services.window_ends_at
    worst = run.forecast_finish_p90_at or run.forecast_finish_p50_at
    style = "text.strong" if ends_at is None or worst <= ends_at else "text.warning"
    whose = f"{formatting.name(run.node)} " if services.mode == "replay" else ""
    return ((f"{whose}finish {formatting.clock_time(run.forecast_finish_p50_at)}", style),)


def _finish_of_roll(services: Services, roll: RollState) -> Line | None:
    """None while it waits for somebody: only the operator knows."""
    ends = forecast_ends(roll, services.store.roll_drains, services.now)
    if ends is None or roll.failed or roll.waits_for_approval is not None:
        return None
    late = services.window_ends_at is not None and ends[1] > services.window_ends_at
    return ((f"roll ends {formatting.clock_time(ends[0])}", "text.warning" if late else "text.strong"),)


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


def _clock(services: Services, *, short: bool) -> Line:
    seconds = not short or services.live_run is None
    return ((formatting.clock_time(services.now, seconds=seconds), "text.normal"),)


def _age(services: Services) -> Line | None:
    if services.mode == "replay":
        return None
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
    """The keys of this screen that are worth a place; the others are in the help.

    Args:
        refusal: why an action can not run now; such a one is greyed, and its key says the reason.
        offered: whether an action means anything where the focus is.
        title_of: what an action is called here.
    """

    def __init__(
        self,
        services: Services,
        actions: Iterable[Action],
        refusal: Callable[[Action], str],
        offered: Callable[[Action], bool],
        title_of: Callable[[Action], str] = lambda action: action.title,
    ) -> None:
        super().__init__(services.look, id="footer", ground="raised")
        self._services = services
        self._actions = sorted((action for action in actions if action.footer), key=lambda action: action.footer)
        self._refusal = refusal
        self._offered = offered
        self._title_of = title_of
        self._spots: list[tuple[int, int, Action]] = []

    def look_again(self) -> None:
        width = self.size.width
        if not width:
            return
        right = self._unread()
        pieces = [(group, self._piece(group)) for group in self._groups()]
        kept = [entry for entry in pieces if entry[0][0].footer >= _ALWAYS]
        room = width - width_of(right) - sum(width_of(piece) for _, piece in kept) - 2
        shown: list[tuple[list[Action], Line]] = []
        for group, piece in pieces:
            if group[0].footer < _ALWAYS and width_of(piece) <= room:
                shown.append((group, piece))
                room -= width_of(piece)
        self._place([*shown, *kept])
        line = tuple(span for _, piece in [*shown, *kept] for span in piece)
        self.set_lines([between((*_BLANK, *line), right, width)])

    def _groups(self) -> list[list[Action]]:
        """Neighbours with one title share a place: ``+ - slots``."""
        groups: list[list[Action]] = []
        for action in self._actions:
            if not self._offered(action) or (action.effect is Effect.NONE and self._refusal(action)):
                continue
            if groups and self._title_of(groups[-1][0]) == self._title_of(action):
                groups[-1].append(action)
            else:
                groups.append([action])
        return groups

    def _place(self, pieces: list[tuple[list[Action], Line]]) -> None:
        self._spots, x = [], 1
        for group, piece in pieces:
            for action, (text, _) in zip(group, piece, strict=False):
                self._spots.append((x, x + width_of([(text, "")]), action))
                x += width_of([(text, "")])
            left, _, last = self._spots[-1]
            x += width_of(piece[len(group) :])
            self._spots[-1] = (left, x, last)

    def _piece(self, group: list[Action]) -> Line:
        refused = bool(self._refusal(group[0]))
        keys = (self._services.keys.get(action.id, action.keys)[0] for action in group)
        return (
            *((f"{key_label(key)} ", "text.off" if refused else "text.key") for key in keys),
            (f"{self._title_of(group[0])}  ", "text.off" if refused else "text.muted"),
        )

    def _unread(self) -> Line:
        unread = self._services.store.unread
        if not unread:
            return _BLANK
        return clip(((f"! {formatting.count(unread, 'problem')} ", "text.warning"),), 20)

    async def on_click(self, event: events.Click) -> None:
        for left, right, action in self._spots:
            if left <= event.x < right:
                place = {Scope.SCREEN: "screen.", Scope.APP: "app."}.get(action.scope, "focused.")
                await self.run_action(place + action.method)

    def on_resize(self) -> None:
        self.look_again()


_BLANK: tuple[Span, ...] = ((" ", ""),)
