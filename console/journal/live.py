"""Runs as consoles see them: the journal's events, folded as they come."""

from __future__ import annotations

from console.drain.events import Event, RunOpened
from console.drain.fold import apply, open_run
from console.drain.state import RunState
from console.model.identity import RunId

from .store import Journal
from .trouble import JournalUnusable, Trouble


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
        """Fold what is new and return it.

        Raises:
            JournalUnusable: lines are missing, or one can not follow the others. What was folded before stays.
        """
        new = self._journal.events(self.run, self._seq)
        for recorded in new:
            if recorded.seq != self._seq + 1:
                raise self._damaged(f"event {self._seq + 1} of run {self.run} is missing")
            try:
                self._state = self._next(recorded.event)
            except (KeyError, ValueError) as error:
                words = f"event {recorded.seq} of run {self.run} does not follow from those before it"
                raise self._damaged(words) from error
            self._seq = recorded.seq
        return tuple(recorded.event for recorded in new)

    def _next(self, event: Event) -> RunState:
        if self._state is not None:
            return apply(self._state, event)
        if not isinstance(event, RunOpened):
            raise ValueError("the first one does not open it")
        return open_run(event)

    def _damaged(self, words: str) -> JournalUnusable:
        return JournalUnusable(self._journal.path, Trouble.CORRUPT, words)


def load_run(journal: Journal, run: RunId) -> RunState:
    """The run as of its newest event.

    Raises:
        KeyError: the journal holds no such run.
    """
    follower = RunFollower(journal, run)
    follower.poll()
    return follower.state
