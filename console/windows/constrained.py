"""Which functions the console's own endpoints offer."""

from __future__ import annotations

from .catalogue import ENTRIES, Entry
from .commands import Effect
from .modules import MODULE_OF


def offered(effect: Effect) -> tuple[Entry, ...]:
    """The entries of one effect that need a function of their own: a restricted session has Get-Command itself."""
    return tuple(
        entry for entry in ENTRIES.values() if entry.effect is effect and entry.constrained_function not in MODULE_OF
    )


def functions(effect: Effect) -> tuple[str, ...]:
    """Their functions' names."""
    return tuple(entry.constrained_function for entry in offered(effect))
