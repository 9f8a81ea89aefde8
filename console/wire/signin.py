"""Keeps a wrong password from locking the account out.

A domain counts refused sign-ins over all nodes together. Until one node has accepted the credentials, only two may be
asked; when both refuse, none is asked again before new credentials are given. One refusal alone may be that node's own
trouble, and then the others show that the password is right.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from threading import Condition

from console.model.failures import SignInRefused

MOST_REFUSALS = 2
PATIENCE_S = 3.0
"""A node that has not answered for so long no longer holds up the others."""


class SignInGate:
    """Shared by every session that uses the same credentials; called from their threads."""

    def __init__(self, elapsed_s: Callable[[], float]) -> None:
        self._elapsed_s = elapsed_s
        self._changed = Condition()
        self._tickets = itertools.count()
        self._reset()

    def _reset(self) -> None:
        self._proven = False
        self._refusals: list[SignInRefused] = []
        self._trying: dict[int, float] = {}

    def renew(self) -> None:
        """New credentials: everything is open again."""
        with self._changed:
            self._reset()
            self._changed.notify_all()

    def refusal(self) -> SignInRefused | None:
        """The refusal that keeps everybody out, if there is one."""
        with self._changed:
            return self._refusals[-1] if self._closed() else None

    def enter(self) -> int | None:
        """Wait for a turn to sign in. Gives the ticket to :meth:`leave` with, None when the gate is closed."""
        with self._changed:
            while not self._proven:
                if self._closed():
                    return None
                started_s = self._active()
                if len(started_s) + len(self._refusals) < MOST_REFUSALS:
                    break
                self._changed.wait(max(0.01, min(started_s) + PATIENCE_S - self._elapsed_s()))
            ticket = next(self._tickets)
            self._trying[ticket] = self._elapsed_s()
            return ticket

    def leave(self, ticket: int) -> None:
        """The attempt is over, whatever came of it."""
        with self._changed:
            self._trying.pop(ticket, None)
            self._changed.notify_all()

    def accepted(self) -> None:
        """A node has let us in: the credentials are right."""
        with self._changed:
            self._proven = True
            self._refusals.clear()
            self._changed.notify_all()

    def refused(self, failure: SignInRefused) -> None:
        """A node has not."""
        with self._changed:
            self._proven = False
            self._refusals.append(failure)
            self._changed.notify_all()

    def _closed(self) -> bool:
        return len(self._refusals) >= MOST_REFUSALS

    def _active(self) -> list[float]:
        oldest = self._elapsed_s() - PATIENCE_S
        return [started_s for started_s in self._trying.values() if started_s > oldest]
