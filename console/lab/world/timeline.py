"""Appointments of the world, kept in order of their moments."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Appointment:
    """Something that will happen; :meth:`cancel` makes it not happen."""

    __slots__ = ("action", "cancelled")

    def __init__(self, action: Callable[[], None]) -> None:
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Timeline:
    """A heap of appointments; equal moments keep the order in which they were made."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._heap: list[tuple[float, int, Appointment]] = []

    def at(self, moment_s: float, action: Callable[[], None]) -> Appointment:
        appointment = Appointment(action)
        heapq.heappush(self._heap, (moment_s, next(self._order), appointment))
        return appointment

    def next_s(self) -> float | None:
        """The earliest moment that still stands."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Callable[[], None]:
        """Take the earliest one; only after :meth:`next_s` gave a moment."""
        return heapq.heappop(self._heap)[2].action
