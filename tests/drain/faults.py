"""What can go wrong in the small world: every kind has a name, so that a campaign can count it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from console.drain.rules import AUTHENTICATION, WINDOWS_TRANSIENT
from console.model.identity import HostName, VmId

KNOWN_CODES = (*sorted(WINDOWS_TRANSIENT | AUTHENTICATION), 0x80004005, 0x80072741, 5018, 5058)
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
    cancel_ignored: float = 0.0
    """A cancel is taken and has no effect."""
    other_drain: float | None = None
    """At this moment somebody else starts the cluster's own drain of the node."""
    close_refused: bool = False
    pause_refused: bool = False
    lease_refused: bool = False
    native_leaves: float = 0.0
    """The cluster's own drain leaves a VM where it is."""
    codes: tuple[int, ...] = field(default=KNOWN_CODES)

    def readings(self, at_s: float) -> dict[str, float]:
        """What the guard reads."""
        return {
            "csv latency s": 0.2 if within(self.busy_csv, at_s) else 0.004,
            "redirected io per s": 5000.0 if within(self.redirected, at_s) else 0.0,
            "missed heartbeats": 9.0 if within(self.heartbeats_missed, at_s) else 0.0,
        }


def within(stretches: tuple[Stretch, ...], at_s: float) -> bool:
    return any(start <= at_s < end for start, end in stretches)


def fate_of(draw: float, faults: Faults, *, own: bool) -> str:
    """What becomes of a migration, for a draw between 0 and 1."""
    for name, chance in (
        ("fails", faults.move_fails),
        ("sticks", faults.move_sticks if own else 0.0),
        ("late", faults.move_late),
        ("slow", faults.not_converging),
    ):
        if draw < chance:
            return name
        draw -= chance
    return "arrives"


def _moment(dice: random.Random) -> float:
    return dice.uniform(2.0, 150.0)


def _chance(dice: random.Random) -> float:
    return dice.choice((0.1, 0.3, 0.6))


def _stretch(dice: random.Random, shortest: float, longest: float) -> tuple[Stretch, ...]:
    start = _moment(dice)
    return ((start, start + dice.uniform(shortest, longest)),)


@dataclass(frozen=True)
class Place:
    """What a fault may hit."""

    nodes: list[HostName]
    vms: list[VmId]


def _black_hole(dice: random.Random) -> dict[str, object]:
    stretch = _stretch(dice, 30.0, 120.0)
    return {"silent": stretch, "slow_open": stretch}


def _host_silent(dice: random.Random, place: Place) -> dict[str, object]:
    start = _moment(dice)
    return {"host_silent": ((start, start + dice.uniform(30.0, 500.0), dice.choice(place.nodes[1:])),)}


Maker = Callable[[random.Random, Place], dict[str, object]]

_MAKERS: dict[str, Maker] = {
    "source dies": lambda dice, place: {"node_dies": ((_moment(dice), place.nodes[0]),)},
    "destination dies": lambda dice, place: {"node_dies": ((_moment(dice), place.nodes[1]),)},
    "third host dies": lambda dice, place: {"node_dies": ((_moment(dice), place.nodes[-1]),)},
    "WinRM dies and returns": lambda dice, place: {"silent": _stretch(dice, 5.0, 600.0)},
    "connection cut": lambda dice, place: {"answer_lost": _chance(dice)},
    "black hole": lambda dice, place: _black_hole(dice),
    "sign-in refused": lambda dice, place: {"signed_out_at": _moment(dice)},
    "quota": lambda dice, place: {"quota": _stretch(dice, 10.0, 90.0)},
    "shell gone": lambda dice, place: {"change_lost": _chance(dice)},
    "slow open": lambda dice, place: {"slow_open": _stretch(dice, 30.0, 120.0)},
    "shared volume slow": lambda dice, place: {"busy_csv": _stretch(dice, 10.0, 120.0)},
    "shared volume redirected": lambda dice, place: {"redirected": _stretch(dice, 10.0, 120.0)},
    "heartbeats missed": lambda dice, place: {"heartbeats_missed": _stretch(dice, 10.0, 120.0)},
    "move sticks": lambda dice, place: {"move_sticks": _chance(dice) / 3},
    "move fails": lambda dice, place: {"move_fails": _chance(dice)},
    "does not converge": lambda dice, place: {"not_converging": _chance(dice)},
    "arrives late": lambda dice, place: {"move_late": _chance(dice) / 2},
    "moved by another": lambda dice, place: {"foreign": _chance(dice) / 2},
    "destination fills up": lambda dice, place: {"fills_up": ((_moment(dice), dice.choice(place.nodes[1:])),)},
    "quorum shaken": lambda dice, place: {"no_quorum": _stretch(dice, 10.0, 60.0)},
    "clock jumps": lambda dice, place: {"clock_jumps": ((_moment(dice), dice.choice((-3600.0, 3600.0))),)},
    "journal disk full": lambda dice, place: {"disk_full": _stretch(dice, 5.0, 60.0)},
    "host silent after arrival": _host_silent,
    "guest heartbeat never back": lambda dice, place: {"heartbeat_never": frozenset({dice.choice(place.vms)})},
    "drain flag refused": lambda dice, place: {"close_refused": True},
    "pause refused": lambda dice, place: {"pause_refused": True},
    "cancel has no effect": lambda dice, place: {"cancel_ignored": 0.7, "move_sticks": 0.3},
    "drained by another": lambda dice, place: {"other_drain": _moment(dice)},
    "lease refused": lambda dice, place: {"lease_refused": True},
}
KINDS = tuple(_MAKERS)


def draw(dice: random.Random, nodes: list[HostName], vms: list[VmId]) -> tuple[Faults, list[str]]:
    """None to four kinds at once."""
    faults = Faults()
    kinds = dice.sample(KINDS, dice.choice((0, 1, 1, 2, 2, 3, 4)))
    for kind in kinds:
        for name, value in _MAKERS[kind](dice, Place(nodes, vms)).items():
            before = getattr(faults, name)
            both = (*before, *value) if isinstance(before, tuple) and isinstance(value, tuple) else value
            setattr(faults, name, both)
    return faults, kinds
