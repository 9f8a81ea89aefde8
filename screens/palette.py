"""The command palette: the registry's actions, hosts, VMs and themes by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from console import formatting
from console.actions import Scope, actions_on, key_label
from screens.base import ConsoleScreen
from screens.leaving import Palette
from screens.messages import DrainChosen, HostChosen, VmChosen
from screens.sight import Services
from themes.loader import ThemeSpec


def open_palette(
    app: App[Any],
    services: Services,
    screen: ConsoleScreen,
    specs: Iterable[ThemeSpec],
    use_theme: Callable[[ThemeSpec], None],
) -> None:
    """Open it over ``screen``."""
    commands = [*_actions(screen, services), *_themes(specs, use_theme), *_places(app, services)]

    class Commands(Provider):
        """The commands at the time of opening."""

        async def discover(self) -> Hits:
            for name, help, run in commands[:40]:
                yield DiscoveryHit(Content(name), run, text=name, help=help)

        async def search(self, query: str) -> Hits:
            matcher = self.matcher(query)
            for name, help, run in commands:
                score = matcher.match(name)
                if score > 0:
                    yield Hit(score, Content(name), run, text=name, help=help)

    app.push_screen(Palette(providers=[Commands], placeholder="Command, host, VM or theme"))


Command = tuple[str, str, Callable[[], Any]]


def _actions(screen: ConsoleScreen, services: Services) -> Iterable[Command]:
    for action in actions_on(screen.NAME, read_only=services.hand is None):
        if action.scope is Scope.GRID or action.id.startswith("pane.") or action.id == "app.palette":
            continue
        keys = services.keys.get(action.id, action.keys)
        name = f"{action.title}  {key_label(keys[0])}"
        call = f"screen.{action.method}" if action.screens or action.id == "view.back" else f"app.{action.method}"
        reason = screen.refusal(action)
        yield name, reason or action.help, partial(screen.run_action, call)


def _themes(specs: Iterable[ThemeSpec], use_theme: Callable[[ThemeSpec], None]) -> Iterable[Command]:
    for spec in specs:
        yield f"theme {spec.name}", "Draw everything in this theme.", partial(use_theme, spec)


def _places(app: App[Any], services: Services) -> Iterable[Command]:
    cluster = services.store.cluster
    if cluster is None:
        return
    for host in cluster.hosts:
        name = formatting.name(host.name)
        yield f"host {name}", "Open this host.", partial(app.post_message, HostChosen(host.name))
        yield f"plan {name}", "Plan its drain; changes nothing.", partial(app.post_message, DrainChosen(host.name))
    for vm in cluster.vms:
        name = formatting.plain(vm.name, 60) or formatting.UNNAMED
        yield f"vm {name}", f"on {formatting.plain(vm.host)}", partial(app.post_message, VmChosen(vm.id))
