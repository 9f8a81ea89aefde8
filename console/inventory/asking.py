"""Asking one host, and telling apart "it does not answer" from "it answers, but not this"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from console.model.failures import Busy, CommandFailed, CommandMissing, Failure, Forbidden, SessionGone, TimedOut
from console.model.identity import HostName
from console.ports import Reader
from console.windows.commands import Answer, Call, Row
from console.windows.decode import Problems

T = TypeVar("T")

_ANSWERED = (Forbidden, CommandMissing, CommandFailed)
"""The host is there; this one thing it does not tell."""
_NOT_NOW = (*_ANSWERED, TimedOut, Busy)
"""A single read that failed so says nothing about the others, once a first one has been answered."""

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
        self._reader = reader
        self._timed_out = False

    async def rows(self, call: Call, *, essential: bool = False) -> tuple[Row, ...] | None:
        """The rows, or None when this read was refused or missing, which a problem then says.

        Raises:
            Failure: the host does not answer, or not this read, which is ``essential``.
        """
        if self._timed_out:
            return None
        tolerated = () if essential else _NOT_NOW if self.answered else _ANSWERED
        try:
            answer = await self._once_more(call)
        except tolerated as failure:
            self.answered = True
            self._timed_out = isinstance(failure, TimedOut)
            self._note(call, f"{failure.what} {failure.advice}".strip())
            return None
        self.answered = True
        for message in dict.fromkeys(error.message for error in answer.errors):
            self._note(call, message)
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
        self.problems.extend(problems.sentences())
        return decoded

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
