"""Runs as consoles see them: the journal's events, folded as they come."""

from __future__ import annotations

from console.drain.events import Event, RunOpened
from console.drain.fold import apply, open_run
from console.drain.state import RunState
from console.model.identity import RunId

from .store import Journal


class RunFollower:
    """Folds a run's events incrementally; :meth:`poll` reads only what is new."""

    def __init__(self, journal: Journal, run: RunId) -> None:
        self.run = run
        self._journal = journal
        self._seq = 0
        self._state: RunState | None = None

    @property
    def seq(self) -> int:
        """The number of the newest event folded; 0 before the first."""
        return self._seq

    @property
    def state(self) -> RunState:
        """The run as of the newest event folded.

        Raises:
            KeyError: the journal holds no such run (yet).
        """
        if self._state is None:
            raise KeyError(self.run)
        return self._state

    def poll(self) -> tuple[Event, ...]:
        """Fold what is new and return it."""
        new = self._journal.events(self.run, self._seq)
        for recorded in new:
            self._state = self._next(recorded.event)
            self._seq = recorded.seq
        return tuple(recorded.event for recorded in new)

    def _next(self, event: Event) -> RunState:
        if self._state is not None:
            return apply(self._state, event)
        if not isinstance(event, RunOpened):
            raise ValueError(f"run {self.run} does not begin with RunOpened")
        return open_run(event)


def load_run(journal: Journal, run: RunId) -> RunState:
    """The run as of its newest event.

    Raises:
        KeyError: the journal holds no such run.
    """
    follower = RunFollower(journal, run)
    follower.poll()
    return follower.state
