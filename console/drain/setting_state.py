"""A cluster setting that a run changes, with consent, and has to put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SettingChange:
    name: str
    before: str
    after: str
    restored: bool = False
    """It has its earlier value again, or never lost it."""
    given_up: bool = False
    """The run could not put it back: ``before`` has to be set by hand."""
    touched: bool = False
    """At least one change went through, or may have."""
    wanted: str = ""
    """What the operator wants; ``after`` is what the guard makes of it."""
    in_force: str = ""
    """What was last known to be set."""
    pending: bool = False
    """A change is on its way."""
    asked_at: datetime | None = None
    """When it was last changed."""
    by_guard: bool = False
    """The last change was the guard's."""
    lowered: int = 0
    """How often the guard turned it down."""
