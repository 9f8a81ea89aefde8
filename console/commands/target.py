"""Which cluster a command is about: ``--cluster``, ``--lab`` and ``--config``, the same on every command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import click

from .grouped import grouped

DEFAULT_SCENARIO = "quiet"


@dataclass(frozen=True, slots=True)
class Target:
    """What was typed; nothing is read or started yet."""

    cluster: str | None = None
    scenario: str | None = None
    config: Path | None = None
    seed: int | None = None
    speed: float | None = None

    def over(self, other: Target) -> Target:
        """This one, with what it leaves open taken from ``other``."""
        return replace(
            self,
            cluster=self.cluster or other.cluster,
            scenario=self.scenario or other.scenario,
            config=self.config or other.config,
        )


class ClusterCommand(click.Command):
    """A command that takes the three options. ``--lab HV01`` leaves HV01 to the command: it is no scenario."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        takes_names = any(isinstance(parameter, click.Argument) for parameter in self.params)
        return super().parse_args(ctx, name_the_scenario(args) if takes_names else args)


def name_the_scenario(args: Sequence[str]) -> list[str]:
    """Write out the scenario that a bare ``--lab`` before another argument stands for."""
    named: list[str] = []
    for position, argument in enumerate(args):
        if argument == "--":
            return [*named, *args[position:]]
        following = args[position + 1] if position + 1 < len(args) else "-"
        is_bare = argument == "--lab" and not following.startswith("-") and not is_scenario(following)
        named.append(f"--lab={DEFAULT_SCENARIO}" if is_bare else argument)
    return named


def is_scenario(word: str) -> bool:
    """Whether a word names a scenario that comes with the lab, or a scenario file."""
    return word in own_scenarios() or word.endswith(".toml")


@cache
def own_scenarios() -> frozenset[str]:
    """The names of the lab's own scenarios, from its files' names alone: asking the lab would load it."""
    return frozenset(_scenario_names(resources.files("console.lab") / "scenarios", ""))


def _scenario_names(folder: Any, prefix: str) -> list[str]:
    names: list[str] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            names += _scenario_names(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".toml"):
            names.append(prefix + entry.name.removesuffix(".toml"))
    return names


def _target(cluster: str | None, lab: str | None, config: Path | None) -> Target:
    if cluster and lab:
        raise click.UsageError("--cluster and --lab exclude each other.")
    return Target(cluster, lab, config).over(_outer())


def _outer() -> Target:
    """What was typed before the command's name."""
    outer = click.get_current_context().find_object(Target)
    return outer or Target()


_CLUSTER = click.option("--cluster", metavar="NAME", help="A cluster of the configuration.")
_LAB = click.option(
    "--lab",
    metavar="[SCENARIO]",
    is_flag=False,
    flag_value=DEFAULT_SCENARIO,
    help=f"A simulated cluster of its own for this command instead ({DEFAULT_SCENARIO}).",
)
_CONFIG = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration, instead of the user's own.",
)
target_options = grouped("target", _target, {"cluster": _CLUSTER, "lab": _LAB, "config": _CONFIG})
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
