"""What can be chosen before a rolling run begins: each option with its words, its value and how it is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from console import formatting
from console.drain.settings import CHANGEABLE, PARALLEL_MIGRATIONS, settings_of
from console.model.identity import VmId
from console.planner.roll import RollOptions, RollPlan
from console.planner.values import PlanOptions
from console.rolling.defaults import RollDefaults
from console.rolling.needs import Need, NeedKind, agreed
from console.rolling.wishes import RollWishes, program_of, written
from screens.helps import MOST_SLOTS

MOST_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen so far; it begins as the configuration has it."""

    hook: str = ""
    """As it is typed."""
    hook_timeout_s: float = 3600.0
    service_s: float = 0.0
    failback: bool = False
    approve: bool = True
    wave: int = 1
    slots: int | None = None
    settings: tuple[tuple[str, int], ...] = ()

    def options(self, excluded: frozenset[VmId]) -> RollOptions:
        """For the planner; a limit that the drains set is the one to plan with."""
        limit = dict(self.settings).get(PARALLEL_MIGRATIONS)
        slots = max(limit, 1) if self.slots is None and limit is not None else self.slots
        return RollOptions(PlanOptions(slots=slots, excluded=excluded), self.wave, self.failback, self.service_s)

    def wishes(self, needs: tuple[Need, ...], ids: frozenset[VmId], continues: str) -> RollWishes:
        """For the journal.

        Raises:
            ValueError: the hook can not be run.
        """
        stays = {need.vm.id for need in needs if need.kind is not NeedKind.INTERRUPT}
        return RollWishes(
            consents=agreed(needs, ids, self.settings),
            approve=self.approve,
            hook=program_of(self.hook),
            hook_timeout_s=self.hook_timeout_s,
            excluded=tuple(sorted(ids & stays)),
            continues=continues,
        )


def choices_of(defaults: RollDefaults) -> Choices:
    return Choices(
        hook=defaults.hook,
        hook_timeout_s=defaults.hook_timeout_s,
        service_s=defaults.service_s,
        failback=defaults.failback,
        approve=defaults.approve is not False,
        wave=defaults.wave,
    )


@dataclass(frozen=True)
class Option:
    """A row: typed when it has ``typed``, else ``enter`` turns it round."""

    key: str
    title: str
    shown: Callable[[Choices, RollPlan | None], str]
    help: str
    typed: Callable[[Choices, str], Choices] | None = None
    """Raises ValueError with a sentence."""
    text: Callable[[Choices], str] = lambda choices: ""
    turned: Callable[[Choices], Choices] = lambda choices: choices


def options_of_roll() -> tuple[Option, ...]:
    """In the order of a roll's life."""
    return (
        Option(
            "hook", "hook at each node", lambda c, p: formatting.plain(c.hook) or "nothing is run",
            "A program on this machine and its arguments, run once for each empty node, without a shell; "
            "DRAINBOARD_NODE names the node. Its exit status decides whether the roll goes on. Empty: nothing is run.",
            _hook, lambda c: c.hook,
        ),
        Option(
            "timeout", "hook time-out", lambda c, p: formatting.duration(c.hook_timeout_s) if c.hook else "no hook",
            "Minutes after which the hook and its children are ended; the roll then stands until you decide.",
            lambda c, text: replace(c, hook_timeout_s=_minutes(text, 1) * 60), lambda c: f"{c.hook_timeout_s / 60:g}",
        ),
        Option(
            "service", "work at a node takes", lambda c, p: formatting.duration(c.service_s),
            "Minutes that the work on an empty node takes, for the forecast alone.",
            lambda c, text: replace(c, service_s=_minutes(text, 0) * 60), lambda c: f"{c.service_s / 60:g}",
        ),
        Option(
            "way", "VMs of a done node",
            lambda c, p: "go back to it before the next (failback)" if c.failback else "stay; the next node fills it",
            "enter turns it round. Stay: each node empties into the one before it, about one move a VM. Failback: "
            "two moves a VM, and afterwards everything is where it was.",
            turned=lambda c: replace(c, failback=not c.failback),
        ),
        Option(
            "approve", "each further node",
            lambda c, p: "waits for your approval (A)" if c.approve else "begins by itself",
            "enter turns it round. With or without approval none begins before quorum and storage were read as well.",
            turned=lambda c: replace(c, approve=not c.approve),
        ),
        Option(
            "wave", "nodes at a time", _wave,
            "How many nodes are out together, where room and fault domains allow it.",
            lambda c, text: replace(c, wave=_number(text, 1, MOST_SLOTS)), lambda c: str(c.wave),
        ),
        Option(
            "slots", "moves at once", lambda c, p: "as the cluster allows" if c.slots is None else f"{c.slots} a node",
            "At most so many moves at once on one node; empty: as MaximumParallelMigrations allows.",
            lambda c, text: replace(c, slots=_number(text, 1, MOST_SLOTS) if text.strip() else None),
            lambda c: "" if c.slots is None else str(c.slots),
        ),
        Option(
            "settings", "cluster settings", lambda c, p: written(c.settings) or "none changes",
            f"NAME=VALUE, parted by blanks: {', '.join(CHANGEABLE)}. Each drain sets them and puts them back at its "
            "end; to type them is your consent. Empty: none changes.",
            lambda c, text: replace(c, settings=settings_of(text.split())), lambda c: written(c.settings),
        ),
    )  # fmt: skip


def _hook(choices: Choices, text: str) -> Choices:
    program_of(text)
    return replace(choices, hook=text.strip())


def _wave(choices: Choices, plan: RollPlan | None) -> str:
    widest = plan.widest_wave if plan is not None else choices.wave
    return f"{choices.wave}, but at most {widest} can be out" if choices.wave > widest else str(choices.wave)


def _minutes(text: str, least: float) -> float:
    try:
        minutes = float(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{formatting.plain(text)!r} is no number of minutes.") from None
    if not least <= minutes <= MOST_MINUTES:
        raise ValueError(f"It has to be from {least:g} to {MOST_MINUTES} minutes (a week).")
    return minutes


def _number(text: str, least: int, most: int) -> int:
    if not (text.strip().isascii() and text.strip().isdigit() and least <= int(text) <= most):
        raise ValueError(f"A whole number from {least} to {most}, please.")
    return int(text)
