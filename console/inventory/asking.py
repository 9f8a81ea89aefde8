"""Asking one host, and telling apart "it does not answer" from "it answers, but not this"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from console.model.failures import Busy, CommandFailed, CommandMissing, Failure, Forbidden, SessionGone, TimedOut
from console.model.identity import HostName
from console.ports import Reader
from console.windows import catalogue
from console.windows.commands import Answer, Call, Row
from console.windows.decode import Problems

T = TypeVar("T")

_ANSWERED = (Forbidden, CommandMissing, CommandFailed)
"""The host is there; this one thing it does not tell."""
_NOT_NOW = (*_ANSWERED, TimedOut, Busy)
"""A single read that failed so says nothing about the others, once a first one has been answered."""

_NOTHING_THERE = ("NoMatchingEventsFound", "CommandNotFoundException")
"""Errors that are an answer: no such event, no such command."""

_ONE_BY_ONE = (catalogue.cluster.VM_RESOURCE_TYPE.id,)
"""Entries that ask for several things by name: an error about one says nothing of the others, which have rows."""

_LONGEST = 200


class Interview:
    """The reads of one host, in order, with what went wrong in sentences.

    The first read decides whether the host answers: any failure of it but a refusal of that very command is raised.
    Later ones are raised only when the contact itself is lost.
    """

    def __init__(self, reader: Reader, host: HostName) -> None:
        self.host = host
        self.answered = False
        self.problems: list[str] = []
        self.unread: set[str] = set()
        """Entries that were not answered, and properties that came damaged; see :attr:`Host.unread`."""
        self.denied: set[str] = set()
        self._reader = reader
        self._timed_out = False

    async def rows(self, call: Call, *, essential: bool = False) -> tuple[Row, ...] | None:
        """The rows, or None when this read was refused or missing, which a problem then says.

        Raises:
            Failure: the host does not answer, or not this read, which is ``essential``.
        """
        if self._timed_out:
            self.unread.add(call.entry)
            return None
        tolerated = () if essential else _NOT_NOW if self.answered else _ANSWERED
        try:
            answer = await self._once_more(call)
        except tolerated as failure:
            self.answered = True
            self._timed_out = isinstance(failure, TimedOut)
            self.unread.add(call.entry)
            if isinstance(failure, Forbidden):
                self.denied.add(call.entry)
            self._note(call, f"{failure.what} {failure.advice}".strip())
            return None
        self.answered = True
        errors = [error for error in answer.errors if not error.identifier.startswith(_NOTHING_THERE)]
        for message in dict.fromkeys(error.message for error in errors):
            self._note(call, message)
            if call.entry not in _ONE_BY_ONE:
                self.unread.add(call.entry)
        return answer.rows

    async def told(
        self, call: Call, decode: Callable[[Sequence[Row], Problems], T], *, essential: bool = False
    ) -> T | None:
        """The decoded answer, or None where there was none.

        Raises:
            Failure: as :meth:`rows`.
        """
        rows = await self.rows(call, essential=essential)
        if rows is None:
            return None
        problems = Problems(f"{self.host}, {call.entry}")
        decoded = decode(rows, problems)
        self.heard(call, problems)
        return decoded

    def heard(self, call: Call, problems: Problems) -> None:
        """Take over what was wrong with an answer."""
        self.problems.extend(problems.sentences())
        self.unread.update(f"{call.entry}.{property}" for property in problems.properties)

    async def _once_more(self, call: Call) -> Answer:
        """A session that has ended is opened again by the next read, so a read may be sent once more."""
        try:
            return await self._reader.read(self.host, call)
        except SessionGone:
            return await self._reader.read(self.host, call)

    def _note(self, call: Call, text: str) -> None:
        line = " ".join(text.split())
        short = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
        self.problems.append(f"{self.host}, {call.entry}: {short}")


_SILENCE = "does not answer:"


def silence(failure: Failure) -> str:
    """Why a host is silent, or can not answer what was asked, for the Problems pane."""
    verb = "can not tell:" if isinstance(failure, _ANSWERED) else _SILENCE
    return f"{failure.host} {verb} {failure.what} {failure.advice}".strip()


def without_silence(problems: Sequence[str]) -> tuple[str, ...]:
    """The problems of a host that answers again."""
    return tuple(problem for problem in problems if _SILENCE not in problem)


def updated(known: Sequence[str], found: Iterable[str], asked: Iterable[str]) -> tuple[str, ...]:
    """What is unread (or denied) after some entries were asked again."""
    again = set(asked)
    return tuple(sorted({*(one for one in known if one.partition(".")[0] not in again), *found}))
