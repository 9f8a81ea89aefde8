"""Makes Textual's bindings from the registry of actions."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from console.actions import ACTIONS, RESERVED, Action, Scope, key_label


def bindings_of(scope: Scope, screen: str = "") -> list[BindingType]:
    """The bindings of one scope, or of one screen; each carries its action's id so that it can be remapped."""
    return [
        _binding(action)
        for action in ACTIONS
        if action.scope is scope and (scope is not Scope.SCREEN or screen in action.screens)
    ]


def screen_bindings(screen: str) -> list[BindingType]:
    """The bindings of one screen."""
    return bindings_of(Scope.SCREEN, screen)


def _binding(action: Action) -> Binding:
    return Binding(
        ",".join(action.keys),
        f"pane({action.id[-1]})" if action.id.startswith("pane.") else action.method,
        action.title,
        key_display=key_label(action.keys[0]),
        id=action.id,
        priority=any(key in RESERVED for key in action.keys),
        tooltip=action.help,
        show=False,
    )
