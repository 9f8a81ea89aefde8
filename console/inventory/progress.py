"""How far the reading of a cluster is: told while it goes on, so that nobody waits before a silent screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.model.failures import CommandFailed, CommandMissing, Forbidden
from console.model.identity import HostName
from console.ports import Reader
from console.windows.commands import Answer, Call


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """Hosts by whether they have answered anything yet, and the answers of all of them together."""

    answering: int
    silent: tuple[HostName, ...]
    """Given up."""
    waiting: tuple[HostName, ...]
    """Asked, and nothing heard so far."""
    answers: int
    questions: int
    """How many answers the hosts that are not silent give in all."""

    @property
    def hosts(self) -> int:
        return self.answering + len(self.silent) + len(self.waiting)


Told = Callable[[ReadingProgress], None]
"""Hears of each step, on the loop that reads."""


class Count:
    """Counts answers as they come in, and tells each time.

    Args:
        questions: how many one host is asked.
    """

    def __init__(self, hosts: Iterable[HostName], questions: int, told: Told | None) -> None:
        self._answers = dict.fromkeys(hosts, 0)
        self._silent: dict[HostName, None] = {}
        self._questions = questions
        self._told = told
        self._tell()

    def heard(self, host: HostName) -> None:
        """One answer, a refusal too."""
        self._answers[host] = min(self._questions, self._answers.get(host, 0) + 1)
        self._tell()

    def finished(self, host: HostName, *, answers: bool) -> None:
        """The host is through, or was given up."""
        if answers:
            self._answers[host] = self._questions
        else:
            self._silent[host] = None
        self._tell()

    def _tell(self) -> None:
        if self._told is None:
            return
        spoken = {host: count for host, count in self._answers.items() if host not in self._silent}
        self._told(
            ReadingProgress(
                answering=sum(count > 0 for count in spoken.values()),
                silent=tuple(self._silent),
                waiting=tuple(host for host, count in spoken.items() if not count),
                answers=sum(spoken.values()),
                questions=self._questions * len(spoken),
            )
        )


class CountedReader:
    """A reader whose answers are counted."""

    def __init__(self, reader: Reader, count: Count) -> None:
        self._reader = reader
        self._count = count

    async def read(self, host: HostName, call: Call) -> Answer:
        """See :meth:`console.ports.Reader.read`."""
        try:
            answer = await self._reader.read(host, call)
        except (Forbidden, CommandMissing, CommandFailed):
            self._count.heard(host)
            raise
        self._count.heard(host)
        return answer
