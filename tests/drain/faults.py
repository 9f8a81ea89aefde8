"""What can go wrong in the small world: every kind has a name, so that a campaign can count it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from console.drain.rules import AUTHENTICATION, WINDOWS_TRANSIENT
from console.model.identity import HostName, VmId

KNOWN_CODES = tuple(sorted(WINDOWS_TRANSIENT | AUTHENTICATION)) + (0x80004005, 0x80072741, 5018, 5058)
"""Every code that the rules know, and some that they do not."""

Stretch = tuple[float, float]


@dataclass
class Faults:
    """Chances, each between 0 and 1, and where a fault belongs to a moment, seconds from the start."""

    move_fails: float = 0.0
    move_sticks: float = 0.0
    move_late: float = 0.0
    """Looks failed, at rest on its source, and arrives after all."""
    not_converging: float = 0.0
    """One pass after the other, the percentage stands still; it arrives in the end."""
    answer_lost: float = 0.0
    """A change is carried out and nobody learns it: the connection was cut."""
    change_lost: float = 0.0
    """A change never arrives, and nobody learns that either: the shell was gone."""
    foreign: float = 0.0
    """At a look, another tool starts a move."""
    silent: tuple[Stretch, ...] = ()
    """Stretches in which no node answers."""
    signed_out_at: float | None = None
    """From here on every sign-in is refused: the password was changed."""
    quota: tuple[Stretch, ...] = ()
    """Changes are refused for a quota, checks are not answered."""
    slow_open: tuple[Stretch, ...] = ()
    """Every answer takes half a minute."""
    no_quorum: tuple[Stretch, ...] = ()
    """Starts are refused, nobody else takes roles."""
    node_dies: tuple[tuple[float, HostName], ...] = ()
    host_silent: tuple[tuple[float, float, HostName], ...] = ()
    busy_csv: tuple[Stretch, ...] = ()
    redirected: tuple[Stretch, ...] = ()
    heartbeats_missed: tuple[Stretch, ...] = ()
    fills_up: tuple[tuple[float, HostName], ...] = ()
    clock_jumps: tuple[tuple[float, float], ...] = ()
    """At a moment the run's clock is set by so many seconds."""
    disk_full: tuple[Stretch, ...] = ()
    """The journal takes nothing: whatever was decided waits."""
    heartbeat_never: frozenset[VmId] = frozenset()
    close_refused: bool = False
    pause_refused: bool = False
    lease_refused: bool = False
    native_leaves: float = 0.0
    """The cluster's own drain leaves a VM where it is."""
    codes: tuple[int, ...] = field(default=KNOWN_CODES)


def within(stretches: tuple[Stretch, ...], at_s: float) -> bool:
    return any(start <= at_s < end for start, end in stretches)


def _stretch(dice: random.Random, shortest: float, longest: float) -> tuple[Stretch, ...]:
    start = dice.uniform(2.0, 150.0)
    return ((start, start + dice.uniform(shortest, longest)),)


KINDS = (
    "source dies",
    "destination dies",
    "third host dies",
    "WinRM dies and returns",
    "connection cut",
    "black hole",
    "sign-in refused",
    "quota",
    "shell gone",
    "slow open",
    "shared volume slow",
    "shared volume redirected",
    "heartbeats missed",
    "move sticks",
    "move fails",
    "does not converge",
    "arrives late",
    "moved by another",
    "destination fills up",
    "quorum shaken",
    "clock jumps",
    "journal disk full",
    "host silent after arrival",
    "guest heartbeat never back",
    "drain flag refused",
    "pause refused",
    "lease refused",
)


def draw(dice: random.Random, nodes: list[HostName], vms: list[VmId]) -> tuple[Faults, list[str]]:
    """None to four kinds at once."""
    faults = Faults()
    kinds = dice.sample(KINDS, dice.choice((0, 1, 1, 2, 2, 3, 4)))
    for kind in kinds:
        _set(faults, kind, dice, nodes, vms)
    return faults, kinds


def _set(faults: Faults, kind: str, dice: random.Random, nodes: list[HostName], vms: list[VmId]) -> None:
    moment = dice.uniform(2.0, 150.0)
    chance = dice.choice((0.1, 0.3, 0.6))
    match kind:
        case "source dies":
            faults.node_dies += ((moment, nodes[0]),)
        case "destination dies" | "third host dies":
            faults.node_dies += ((moment, nodes[1 if kind.startswith("d") else -1]),)
        case "WinRM dies and returns":
            faults.silent += _stretch(dice, 5.0, 600.0)
        case "connection cut":
            faults.answer_lost = chance
        case "black hole":
            faults.silent += _stretch(dice, 30.0, 120.0)
            faults.slow_open += faults.silent[-1:]
        case "sign-in refused":
            faults.signed_out_at = moment
        case "quota":
            faults.quota += _stretch(dice, 10.0, 90.0)
        case "shell gone":
            faults.change_lost = chance
        case "slow open":
            faults.slow_open += _stretch(dice, 30.0, 120.0)
        case "shared volume slow":
            faults.busy_csv += _stretch(dice, 10.0, 120.0)
        case "shared volume redirected":
            faults.redirected += _stretch(dice, 10.0, 120.0)
        case "heartbeats missed":
            faults.heartbeats_missed += _stretch(dice, 10.0, 120.0)
        case _:
            _set_more(faults, kind, dice, nodes, vms, moment, chance)


def _set_more(
    faults: Faults,
    kind: str,
    dice: random.Random,
    nodes: list[HostName],
    vms: list[VmId],
    moment: float,
    chance: float,
) -> None:
    match kind:
        case "move sticks":
            faults.move_sticks = chance / 3
        case "move fails":
            faults.move_fails = chance
        case "does not converge":
            faults.not_converging = chance
        case "arrives late":
            faults.move_late = chance / 2
        case "moved by another":
            faults.foreign = chance / 2
        case "destination fills up":
            faults.fills_up += ((moment, dice.choice(nodes[1:])),)
        case "quorum shaken":
            faults.no_quorum += _stretch(dice, 10.0, 60.0)
        case "clock jumps":
            faults.clock_jumps += ((moment, dice.choice((-3600.0, 3600.0))),)
        case "journal disk full":
            faults.disk_full += _stretch(dice, 5.0, 60.0)
        case "host silent after arrival":
            faults.host_silent += ((moment, moment + dice.uniform(30.0, 500.0), dice.choice(nodes[1:])),)
        case "guest heartbeat never back":
            faults.heartbeat_never |= {dice.choice(vms)}
        case "drain flag refused":
            faults.close_refused = True
        case "pause refused":
            faults.pause_refused = True
        case "lease refused":
            faults.lease_refused = True
