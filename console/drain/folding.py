"""State is what the events add up to: the first one opens it, each other one changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

State = TypeVar("State")
Event = TypeVar("Event")
Opening = TypeVar("Opening")


@dataclass(frozen=True, slots=True)
class Folding(Generic[State, Event, Opening]):
    """How the events of a run, or of a rolling run, add up."""

    what: str
    opening: type[Opening]
    open: Callable[[Opening], State]
    apply: Callable[[State, Event], State]
    """Raises ValueError where it is opened a second time."""

    def advance(self, state: State | None, event: Event) -> State:
        """The state after one more event, or after the first.

        Raises:
            ValueError: the first does not open it, or another one does.
        """
        if state is not None:
            return self.apply(state, event)
        if not isinstance(event, self.opening):
            raise ValueError(f"{self.what} begins with {self.opening.__name__}, not with {type(event).__name__}")
        return self.open(event)

    def fold(self, events: Iterable[Event]) -> State:
        """Add events up from the first.

        Raises:
            ValueError: there is none, or the first does not open it.
        """
        state = reduce(self.advance, events, None)
        if state is None:
            raise ValueError(f"{self.what} without events")
        return state
