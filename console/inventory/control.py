"""The node that answers for the whole cluster, and the next one when it falls silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from console.model.cluster import Cluster, Contact, Host, NodeState
from console.model.failures import Failure, SignInRefused
from console.model.identity import HostName
from console.ports import Reader
from console.windows.commands import Call, Row
from console.windows.decode import Problems

from .asking import Interview, silence

T = TypeVar("T")


class Control:
    """Asks the first candidate that answers; one that stops answering is left for the rest of this reading."""

    def __init__(self, reader: Reader, candidates: Iterable[HostName]) -> None:
        self._reader = reader
        self._candidates = list(dict.fromkeys(candidates))
        self._interview: Interview | None = None
        self.silent: dict[HostName, str] = {}
        """Candidates that did not answer, and why."""
        self._problems: list[str] = []
        self._unread: set[str] = set()

    @property
    def node(self) -> HostName | None:
        """The node that answers now."""
        return None if self._interview is None else self._interview.host

    @property
    def problems(self) -> tuple[str, ...]:
        current = [] if self._interview is None else self._interview.problems
        return (*self._problems, *current)

    @property
    def unread(self) -> frozenset[str]:
        """See :attr:`Cluster.unread`; what a later candidate answered is read."""
        return frozenset(self._unread | (set() if self._interview is None else self._interview.unread))

    @property
    def denied(self) -> frozenset[str]:
        return frozenset() if self._interview is None else frozenset(self._interview.denied)

    def also(self, candidates: Iterable[HostName]) -> None:
        """More nodes to fall back to, in order."""
        self._candidates.extend(name for name in candidates if name not in self._candidates)

    async def told(
        self, call: Call, decode: Callable[[Sequence[Row], Problems], T], *, essential: bool = False
    ) -> T | None:
        """The cluster's answer, decoded; None when it refused this one read.

        An ``essential`` read that one candidate refuses is asked of the next.

        Raises:
            Failure: no candidate answers, or one refused the sign-in (which is never tried again elsewhere: the
                account could be locked out).
        """
        while True:
            interview = self._interview or self._next()
            self._interview = interview
            try:
                return await interview.told(call, decode, essential=essential)
            except SignInRefused:
                raise
            except Failure as failure:
                self.silent[interview.host] = silence(failure)
                self._problems.extend(interview.problems)
                self._unread |= interview.unread
                self._interview = None
                if not self._left():
                    raise

    def _left(self) -> list[HostName]:
        return [name for name in self._candidates if name not in self.silent]

    def _next(self) -> Interview:
        if not self._candidates:
            raise ValueError("there is no node to ask")
        return Interview(self._reader, self._left()[0])


def control_order(cluster: Cluster) -> tuple[HostName, ...]:
    """Whom to ask about the whole cluster: nodes that answered last, first those that are Up and not drained."""
    return tuple(host.name for host in sorted(cluster.hosts, key=_fitness))


def _fitness(host: Host) -> tuple[bool, bool]:
    return (host.contact is not Contact.ANSWERING, host.state is not NodeState.UP)
