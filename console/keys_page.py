"""The reference of the keys, made from the registry of actions.

python -m console.keys_page > docs/keys.md
"""

from __future__ import annotations

from collections.abc import Iterable

from console.actions import ACTIONS, RESERVED, SCREENS, SWALLOWED, Action, Effect, Scope, key_label

_EFFECTS = {Effect.NONE: "nothing", Effect.REQUEST: "asks the run", Effect.CHANGES: "starts a run"}


def page() -> str:
    """The page as Markdown."""
    parts = [
        "# Keys",
        "",
        "<!-- Made by `python -m console.keys_page > docs/keys.md`; do not edit. -->",
        "",
        "Upper-case letters change the world, lower-case ones do not; `G` only moves the cursor, `+` and `-` only the",
        "number of moves at once, or a replay's speed. In a read-only console the actions that could change anything",
        "do not exist.",
        "Each key can be changed by its id in the table `[keys]` of the configuration, for example",
        '`"run.pause" = "p, f6"`.',
        "",
        *_section("Everywhere", (action for action in ACTIONS if action.scope is Scope.APP)),
        *_section("In lists", (action for action in ACTIONS if action.scope is Scope.GRID)),
    ]
    for screen in sorted(SCREENS):
        parts += _section(f"Screen {screen}", (action for action in ACTIONS if screen in action.screens))
    parts += [
        "## Keys that can not be used",
        "",
        f"`{'`, `'.join(RESERVED)}` always ask to quit. These may never arrive:",
        "",
    ]
    parts += [f"- `{key}`: {why}" for key, why in SWALLOWED.items()]
    return "\n".join(parts) + "\n"


def _section(title: str, actions: Iterable[Action]) -> list[str]:
    rows = [f"| {_keys(action)} | {action.help} | {_EFFECTS[action.effect]} | `{action.id}` |" for action in actions]
    return [f"## {title}", "", "| keys | what it does | changes | id |", "| --- | --- | --- | --- |", *rows, ""]


def _keys(action: Action) -> str:
    return " ".join(f"`{key_label(key)}`" for key in action.keys)


if __name__ == "__main__":
    print(page(), end="")
