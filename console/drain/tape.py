"""A run that is told again: its state at any moment of its own time, from its events. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from .events import Event, RunOpened
from .fold import apply, open_run
from .state import RunState


class Tape:
    """A run's events, played from wherever one likes; forward it folds only what is new.

    Raises:
        ValueError: the events are no run.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        if not events or not isinstance(events[0], RunOpened):
            raise ValueError("its lines are damaged: the first one does not open a run")
        self._opened = events[0]
        self._events = tuple(events)
        # A clock that was set back must not hide what came after it.
        self._moments: list[datetime] = []
        for event in events:
            self._moments.append(max(event.at, self._moments[-1]) if self._moments else event.at)
        self._state = open_run(self._opened)
        self._told = 1

    @property
    def began_at(self) -> datetime:
        return self._moments[0]

    @property
    def ended_at(self) -> datetime:
        """The moment of the newest event."""
        return self._moments[-1]

    @property
    def length_s(self) -> float:
        return (self.ended_at - self.began_at).total_seconds()

    def at(self, moment: datetime) -> RunState:
        """The run as it was then; before its beginning, as it was opened."""
        wanted = max(1, bisect_right(self._moments, moment))
        if wanted < self._told:
            self._state, self._told = open_run(self._opened), 1
        for event in self._events[self._told : wanted]:
            self._state = apply(self._state, event)
        self._told = wanted
        return self._state
