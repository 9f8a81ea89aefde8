"""What the site's configuration lets a rolling run begin with."""

from __future__ import annotations

from dataclasses import dataclass

from console.planner.roll import RollOptions

HOOK_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class RollDefaults:
    """Each can be said otherwise when a roll begins."""

    hook: str = ""
    """As it is typed."""
    hook_timeout_s: float = HOOK_TIMEOUT_S
    service_s: float = 0.0
    wave: int = 1
    failback: bool = False
    approve: bool | None = None
    """None: whoever begins it says so, else each wave is approved."""


def options_of(defaults: RollDefaults) -> RollOptions:
    """The plan's part of them."""
    return RollOptions(wave=defaults.wave, failback=defaults.failback, service_s=defaults.service_s)
