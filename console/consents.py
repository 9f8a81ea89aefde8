"""What the operator agreed to before a run."""

from __future__ import annotations

from dataclasses import dataclass

EVERY = "all"
"""In the place of VM ids: every VM that the plan names."""


@dataclass(frozen=True, slots=True)
class Consents:
    """Ids of VMs, and settings as typed or shown."""

    interrupt: frozenset[str] = frozenset()
    """VM ids, or :data:`EVERY`."""
    leave_behind: frozenset[str] = frozenset()
    settings: tuple[tuple[str, int], ...] = ()
    """(name, value) of the cluster settings that the run may change and must restore."""
