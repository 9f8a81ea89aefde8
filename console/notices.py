"""What tells of a run's end beyond the screen: the terminal's bell, and a desktop notice where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.drain.state import RunState
from console.formatting import name, plain


@dataclass(frozen=True, slots=True)
class Notices:
    bell: bool
    desktop: bool


NO_NOTICES = Notices(bell=False, desktop=False)

_PROGRAMS = frozenset({"iterm.app", "iterm2", "wezterm", "ghostty"})
"""TERM_PROGRAM, or LC_TERMINAL, which SSH takes along, of terminals that show OSC 9 as a notice."""
_TERMS = ("xterm-kitty", "xterm-ghostty", "wezterm")


def shows_notices(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show OSC 9; a multiplexer in between swallows it."""
    if environment.get("TMUX") or environment.get("STY"):
        return False
    program = environment.get("TERM_PROGRAM") or environment.get("LC_TERMINAL") or ""
    term = environment.get("TERM", "")
    return program.casefold() in _PROGRAMS or term.startswith(_TERMS)


def notice(run: RunState) -> str:
    """OSC 9 with how the run ended: one line, no control character but its own, ended by BEL as all terminals take it.

    It begins with a letter: a digit would be another command to some terminals.
    """
    outcome = run.outcome.value.replace("_", " ") if run.outcome is not None else "on"
    return f"\x1b]9;Drainboard: {plain(name(run.node), 63)} {outcome}\x07"
