"""What a test of one code needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.model.cluster import Cluster
from console.model.outlook import Outlook
from tests.checks.worlds import outlook_of


@dataclass(frozen=True)
class Case:
    code: str
    fires: Cluster
    unread: Cluster | None = None
    """Where the fact is not there; without one, the properties that the code rests on did not come."""
    outlook: Callable[[Cluster], Outlook] = outlook_of
    needs_outlook: bool = True
    """Whether ``unread`` is looked at with a forecast; without one is the point of the codes that rest on it."""
