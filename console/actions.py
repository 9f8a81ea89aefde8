"""The one registry of actions: bindings, footer, help, palette, key remapping and the read-only filter come from it.

A letter means the same everywhere. Upper-case letters change the world, lower-case ones do not; ``G`` (only the
cursor) and ``+``/``-`` (only slots, and the speed of a replay) are the named exceptions. This module knows no widget.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Effect(Enum):
    """What pressing the key can do to the world."""

    NONE = "none"
    REQUEST = "request"
    """Asks a running drain for something, through the journal."""
    CHANGES = "changes-the-world"
    """Starts something that was not running."""


class Scope(Enum):
    """Where an action is bound: everywhere, inside every list, inside the reading views, or on the named screens."""

    APP = "app"
    GRID = "grid"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing an operator can do."""

    id: str
    title: str
    """Two words at most: the footer's."""
    help: str
    """One sentence: the help's and the palette's."""
    keys: tuple[str, ...]
    """As Textual names them; the first one is shown."""
    screens: frozenset[str] = frozenset()
    """Names of the screens that have it; empty for the scopes that every screen shares."""
    scope: Scope = Scope.SCREEN
    effect: Effect = Effect.NONE
    predicate: str = ""
    """Name of the question that a screen answers before it may run; the answer is the reason why not."""
    footer: int = 0
    """Place in the footer, 1 first; 0 is not shown there."""

    @property
    def method(self) -> str:
        """The action as a method's name, without Textual's ``action_``."""
        return self.id.replace(".", "_").replace("-", "_")


def _app(id: str, title: str, help: str, *keys: str, footer: int = 0) -> Action:
    return Action(id, title, help, keys, scope=Scope.APP, footer=footer)


def _grid(id: str, title: str, help: str, *keys: str, footer: int = 0) -> Action:
    return Action(id, title, help, keys, scope=Scope.GRID, footer=footer)


def _on(screens: str, id: str, title: str, help: str, *keys: str, footer: int = 0, predicate: str = "") -> Action:
    return Action(id, title, help, keys, frozenset(screens.split()), predicate=predicate, footer=footer)


def _ask(id: str, title: str, help: str, *keys: str, footer: int = 0, predicate: str = "run_on") -> Action:
    return Action(id, title, help, keys, frozenset({"run"}), effect=Effect.REQUEST, predicate=predicate, footer=footer)


_THREE = "plan run replay conflicts doctor"
"""Screens with three panes and more."""

ACTIONS: tuple[Action, ...] = (
    _app("app.help", "help", "Every key of this screen and what it does.", "question_mark", "f1", footer=90),
    _app("app.palette", "find", "Find any command, host, VM or theme by name.", "colon", "ctrl+p", footer=91),
    _app("app.quit", "quit", "Leave; with a run on it asks what shall become of it.", "ctrl+q", "ctrl+c"),
    _app("app.refresh", "refresh", "Read the cluster again now.", "f5", "ctrl+r"),
    _app("go.board", "board", "Every host in a row.", "f2"),
    _app("go.vms", "VMs", "Every VM of the cluster.", "v", footer=41),
    _app("go.conflicts", "conflicts", "What would block, interrupt or endanger a move, with the fix.", "c", footer=40),
    _app("go.tuning", "advice", "Settings that would make moves faster or safer.", "u"),
    _app(
        "go.run",
        "run",
        "The run that is on, or the last one opened; from one that has ended, its result.",
        "r",
        footer=39,
    ),
    _app("go.runs", "history", "All runs, newest first.", "a", footer=42),
    _app("go.rolling", "rolling", "Node after node: where a rolling run stands, what it waits for, its end.", "m"),
    _app("go.doctor", "doctor", "Can this console reach, sign in, read and move? Host by host, with the fix.", "i"),
    _app("go.problems", "problems", "Errors stay here until they are read.", "exclamation_mark"),
    _app("view.back", "back", "Close this screen, a filter first.", "escape", "backspace"),
    _grid("list.down", "down", "Next row.", "j", "down"),
    _grid("list.up", "up", "Previous row.", "k", "up"),
    _grid("list.left", "left", "Columns to the left.", "h", "left"),
    _grid("list.right", "right", "Columns to the right.", "l", "right"),
    _grid("list.first", "first", "First row.", "g", "home"),
    _grid("list.last", "last", "Last row; moves only the cursor.", "G", "end"),
    _grid("list.page-down", "page down", "One page down.", "ctrl+d", "pagedown"),
    _grid("list.page-up", "page up", "One page up.", "ctrl+u", "pageup"),
    _grid("list.open", "open", "Look into the row.", "enter", footer=10),
    _grid("list.mark", "mark", "Mark the row; in a list of consents, agree to it.", "space", footer=32),
    _grid("list.sort", "sort", "Sort by the next column, then the other way round.", "s", footer=31),
    _grid(
        "list.filter",
        "filter",
        "Filter: plain text; a leading / for a regular expression; a leading ! for all others.",
        "slash",
        footer=30,
    ),
    _on(
        "board host vms plan return run replay conflicts doctor roll-start",
        "pane.1",
        "pane 1",
        "Go to the first pane.",
        "1",
    ),
    _on(
        "board host vms plan return run replay conflicts doctor roll-start",
        "pane.2",
        "pane 2",
        "Go to the second pane.",
        "2",
    ),
    _on(_THREE, "pane.3", "pane 3", "Go to the third pane.", "3"),
    _on("plan", "pane.4", "pane 4", "Go to the fourth pane.", "4"),
    _on("board host", "plan.open", "plan drain", "Plan the drain of this host; changes nothing.", "d", footer=2),
    _on("plan", "plan.commands", "commands", "The exact commands that this plan would send.", "w", footer=4),
    _on("plan return", "plan.more", "slots", "One more move at once.", "plus", footer=5),
    _on("plan return", "plan.fewer", "slots", "One move fewer at once.", "minus", footer=6),
    _on(
        "plan",
        "plan.bandwidth",
        "bandwidth",
        "Share of the bandwidth, for the SMB transport only.",
        "b",
        footer=11,
        predicate="plan_smb",
    ),
    _on("plan", "plan.hold", "hold", "Plan the VM but do not start it until released.", "z", footer=7),
    _on("plan", "plan.exclude", "leave", "Leave the VM where it is, or take it in again.", "x", footer=8),
    _on("plan", "plan.pin", "to", "Choose the VM's destination: the next host, then free again.", "t", footer=9),
    _on("plan", "plan.avoid", "avoid", "Let the VM's destination take nothing; again to allow it.", "n"),
    _on("plan", "plan.heavy", "heavy", "Heavy VMs: as planned, first, last, alone, skipped.", "o"),
    _on("plan", "plan.free", "reset", "Forget every change made to the plan.", "f"),
    Action(
        "drain.go",
        "GO",
        "Start the drain, after its host's name was typed.",
        ("D",),
        frozenset({"plan"}),
        effect=Effect.CHANGES,
        predicate="may_go",
        footer=3,
    ),
    _ask(
        "run.pause",
        "pause",
        "Start nothing new, or go on; what moves is not touched.",
        "P",
        footer=2,
        predicate="steerable",
    ),
    _ask("run.more", "slots", "One more move at once.", "plus", footer=6, predicate="steerable"),
    _ask(
        "run.fewer", "slots", "One move fewer at once; nothing is cancelled.", "minus", footer=7, predicate="steerable"
    ),
    _ask("run.bandwidth", "bandwidth", "Bandwidth share of SMB migrations.", "B", footer=10, predicate="smb"),
    _ask("run.hold", "hold", "Hold a move that has not started, or release it.", "H", footer=4, predicate="holdable"),
    _ask("run.retry", "retry", "Try a failed or blocked move again.", "T", footer=9, predicate="retryable"),
    _ask("run.cancel", "cancel", "Cancel the move in flight; asks first.", "X", footer=5, predicate="cancellable"),
    _ask("run.skip", "leave", "Leave this VM where it is; asks first.", "L", predicate="skippable"),
    _ask("run.stop", "stop", "Finish what is in flight, start nothing more; asks first.", "S", footer=3),
    _ask(
        "run.hand-over",
        "hand over",
        "Let the cluster's own drain do the rest, after the host's name was typed.",
        "N",
        predicate="handable",
        footer=8,
    ),
    _ask("run.force", "force close", "Close the run's record, change nothing on the cluster; asks first.", "F"),
    Action(
        "roll.approve",
        "approve",
        "Begin the next wave, or choose how a new rolling run goes; nothing begins before a node's name was typed.",
        ("A",),
        frozenset({"rolling", "roll-start"}),
        effect=Effect.CHANGES,
        predicate="roll_may_go",
        footer=1,
    ),
    *(
        Action(
            id, title, help, (key,), frozenset({"rolling"}), effect=Effect.REQUEST, predicate=predicate, footer=place
        )
        for id, title, help, key, predicate, place in (
            (
                "roll.stop",
                "stop",
                "Bring back the nodes that are out, begin no further one; asks first.",
                "S",
                "roll_on",
                2,
            ),
            ("roll.retry", "retry", "Try a failed node again.", "T", "roll_failed", 3),
            ("roll.skip", "leave", "Go on without a failed node; asks first.", "L", "roll_failed", 4),
        )
    ),
    Action(
        "drain.resume",
        "resume",
        "Take the node back into service and bring its VMs back: shows the plan first, then asks for its name.",
        ("R",),
        frozenset({"drained", "return"}),
        effect=Effect.CHANGES,
        predicate="may_resume",
        footer=1,
    ),
    _on(
        "run replay drained history conflicts",
        "report.export",
        "export",
        "Write the run's report, or the conflicts that are listed, into a file: Markdown, HTML, JSON or CSV.",
        "e",
        predicate="exportable",
        footer=14,
    ),
    _on(
        "run replay drained history",
        "replay.play",
        "play",
        "Play a run that has ended again, from its journal; in a replay: pause, or go on.",
        "p",
        predicate="playable",
        footer=3,
    ),
    _on("replay", "replay.faster", "speed", "The replay runs faster.", "plus", footer=4),
    _on("replay", "replay.slower", "speed", "The replay runs slower.", "minus", footer=5),
    _on(
        "plan conflicts doctor commands vm problems",
        "view.copy",
        "copy",
        "Copy to the clipboard of the terminal.",
        "y",
        footer=20,
    ),
)

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}
BY_METHOD: Mapping[str, Action] = {action.method: action for action in ACTIONS}

SCREENS = frozenset().union(*(action.screens for action in ACTIONS))

SWALLOWED: Mapping[str, str] = {
    "ctrl+z": "the shell suspends the program on it",
    "ctrl+s": "many terminals stop their output on it",
    "ctrl+i": "terminals send it as tab",
    "ctrl+m": "terminals send it as enter",
    "ctrl+j": "terminals send it as enter",
    "ctrl+h": "terminals send it as backspace",
    "ctrl+question_mark": "terminals send it as backspace",
    "ctrl+left_square_bracket": "terminals send it as escape",
    "ctrl+enter": "many terminals send it as enter",
    "shift+enter": "many terminals send it as enter",
    "ctrl+shift+enter": "many terminals send it as enter",
    "ctrl+a": "screen takes it as its prefix",
    "ctrl+b": "tmux takes it as its prefix",
    "ctrl+backslash": "the terminal kills the program on it",
}
RESERVED = ("ctrl+q", "ctrl+c")
"""Always ask to quit: nothing else may take them."""

_WORDS: Mapping[str, str] = {
    "+": "plus", "-": "minus", "/": "slash", ":": "colon", "?": "question_mark", "!": "exclamation_mark",
    ".": "full_stop", ",": "comma", ";": "semicolon", "*": "asterisk", "=": "equals_sign", "<": "less_than_sign",
    ">": "greater_than_sign", "[": "left_square_bracket", "]": "right_square_bracket", "_": "underscore",
    "@": "at", "#": "number_sign", "$": "dollar_sign", "%": "percent_sign", "&": "ampersand", "(": "left_parenthesis",
    ")": "right_parenthesis", "'": "apostrophe", '"': "quotation_mark", "\\": "backslash", "|": "vertical_line",
    "~": "tilde", "`": "grave_accent", "^": "circumflex_accent", "{": "left_curly_bracket",
    "}": "right_curly_bracket", " ": "space",
}  # fmt: skip
_NAMED = (
    frozenset(_WORDS.values())
    | {"enter", "escape", "backspace", "delete", "insert", "tab", "home", "end", "pageup", "pagedown"}
    | {"up", "down", "left", "right"}
    | frozenset(f"f{number}" for number in range(1, 25))
)
_SHOWN: Mapping[str, str] = {word: character for character, word in _WORDS.items() if character != " "} | {
    "escape": "esc", "pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓", "left": "←", "right": "→",
}  # fmt: skip


def parse_key(text: str) -> str | None:
    """One key as people write it (``+``, ``D``, ``ctrl+x``, ``f6``) as Textual names it; None when it is none."""
    text = text.strip()
    if text in _WORDS:
        return _WORDS[text]
    *modifiers, key = text.rsplit("+") if not text.endswith("++") else (*text[:-2].split("+"), "+")
    if any(modifier not in ("ctrl", "shift", "alt") for modifier in modifiers) or len(set(modifiers)) < len(modifiers):
        return None
    key = _WORDS.get(key, key)
    if not (key in _NAMED or (len(key) == 1 and key.isalnum())):
        return None
    if modifiers == ["shift"] and len(key) == 1 and key.isalpha():
        return key.upper()
    return "+".join((*modifiers, key))


def parse_keys(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Several keys, parted by commas or blanks: the parsed ones and the texts that are no keys."""
    texts = [part for part in (text.split() if "," not in text else text.split(",")) if part.strip()]
    pairs = [(part.strip(), parse_key(part)) for part in texts]
    return tuple(key for _, key in pairs if key), tuple(part for part, key in pairs if not key)


def key_label(key: str) -> str:
    """A key as the footer shows it."""
    return "^" + key.removeprefix("ctrl+") if key.startswith("ctrl+") else _SHOWN.get(key, key)


def effective_keys(overrides: Mapping[str, str] | None = None) -> dict[str, tuple[str, ...]]:
    """Every action's keys after remapping; an override replaces all of an action's keys."""
    keys = {action.id: action.keys for action in ACTIONS}
    for id, text in (overrides or {}).items():
        if id in keys:
            parsed, _ = parse_keys(text)
            keys[id] = parsed or keys[id]
    return keys


def actions_on(screen: str, *, read_only: bool = False) -> Iterator[Action]:
    """What can be done on one screen, its own actions first; in read-only what could change anything is absent."""
    own = [action for action in ACTIONS if screen in action.screens]
    shared = [action for action in ACTIONS if action.scope is not Scope.SCREEN]
    return (action for action in own + shared if not (read_only and action.effect is not Effect.NONE))


def validate_keys(overrides: Mapping[str, str]) -> list[str]:
    """Every problem of a remapping at once, as sentences; empty when it can be used.

    Unknown ids (with the nearest name), texts that are no keys, keys that terminals or shells swallow, keys that
    always quit, upper case for what changes nothing and the other way round, and clashes within a screen.
    """
    problems: list[str] = []
    for id, text in overrides.items():
        if id not in BY_ID:
            problems.append(_unknown(id))
        else:
            problems += _bad_keys(BY_ID[id], text)
    return problems + _clashes(effective_keys(overrides))


def _unknown(id: str) -> str:
    near = difflib.get_close_matches(id, BY_ID, n=1, cutoff=0.4)
    return f"{id}: there is no such action" + (f"; did you mean {near[0]}?" if near else ".")


def _bad_keys(action: Action, text: str) -> Iterable[str]:
    keys, unparsable = parse_keys(text)
    yield from (f"{action.id}: {part!r} is not a key." for part in unparsable)
    if not keys and not unparsable:
        yield f"{action.id}: no key is given."
    for key in keys:
        if key in RESERVED and action.id != "app.quit":
            yield f"{action.id}: {key} always quits and can not be taken."
        if key in SWALLOWED:
            yield f"{action.id}: {key} may never arrive, {SWALLOWED[key]}."
        if len(key) == 1 and key.isalpha() and key.isupper() != (action.effect is not Effect.NONE) and key != "G":
            rule = "lower-case letters change nothing" if key.islower() else "upper-case letters change the world"
            yield f"{action.id}: {key} breaks the rule that {rule}."


def _clashes(keys: Mapping[str, tuple[str, ...]]) -> list[str]:
    found: dict[tuple[str, str, str], set[str]] = {}
    for screen in sorted(SCREENS):
        taken: dict[str, str] = {}
        for action in actions_on(screen):
            for key in keys[action.id]:
                other = taken.setdefault(key, action.id)
                if other != action.id:
                    found.setdefault((key, other, action.id), set()).add(screen)
    return [
        f"{key} is taken twice on {', '.join(sorted(screens))}: by {first} and by {second}."
        for (key, first, second), screens in found.items()
    ]
