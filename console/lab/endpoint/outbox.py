"""What waits for a client's Receive, and what was sent and may have to be sent again.

A client can lose its connection while a Receive is pending or its answer under way. Output therefore leaves the
outbox only when the client has shown that it arrived: by its next request on the same connection. When that
connection has died instead, or the same request comes again (pypsrp repeats a Receive that timed out, letter by
letter), the same output is delivered again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class Carrier(Protocol):
    """The connection that an answer travels on."""

    @property
    def ended(self) -> bool: ...

    def listen(self, listener: Callable[[], None]) -> None: ...

    def forget(self, listener: Callable[[], None]) -> None: ...


class Wake(Enum):
    """Why a wait is over."""

    READY = auto()
    TIMED_OUT = auto()
    SUPERSEDED = auto()
    """A newer Receive waits for the same output."""
    CLIENT_GONE = auto()
    ABANDONED = auto()
    """The command, or its shell, was closed meanwhile."""


@dataclass(slots=True)
class Delivery:
    """Fragments on their way to a client."""

    carrier: Carrier
    message_id: str
    fragments: list[bytes]


class Outbox:
    """The output of one command, or of the pool itself."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._delivery: Delivery | None = None
        self._finished = False
        self._waiter: asyncio.Future[Wake] | None = None

    @property
    def ready(self) -> bool:
        """Whether a Receive can be answered now."""
        return bool(self._waiting) or self._finished

    @property
    def exhausted(self) -> bool:
        """Whether everything has been handed to a carrier, and no more will come."""
        return self._finished and not self._waiting

    def put(self, fragments: Iterable[bytes]) -> None:
        """Add the fragments of one message."""
        self._waiting.extend(fragments)
        self._wake(Wake.READY)

    def finish(self) -> None:
        """No more will come."""
        self._finished = True
        self._wake(Wake.READY)

    def abandon(self) -> None:
        """Nobody will want the rest: whoever still waits is told."""
        self._wake(Wake.ABANDONED)

    def begin(self, carrier: Carrier, message_id: str) -> None:
        """A Receive came: settle what became of the delivery before it."""
        self._wake(Wake.SUPERSEDED)
        before, self._delivery = self._delivery, None
        if before is None:
            return
        lost = before.carrier.ended and before.carrier is not carrier
        if lost or before.message_id == message_id:
            self._waiting.extendleft(reversed(before.fragments))

    def take(self, budget: int, carrier: Carrier, message_id: str, *, one_message: bool = False) -> list[bytes]:
        """Fragments of at most ``budget`` bytes together, but at least one where there is any."""
        taken: list[bytes] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0]) <= budget):
            fragment = self._waiting.popleft()
            taken.append(fragment)
            size += len(fragment)
            if one_message and fragment[16] & 2:
                break
        if taken:
            self._delivery = Delivery(carrier, message_id, taken)
        return taken

    def arrived(self, carrier: Carrier) -> None:
        """The client spoke again on this connection: what went out on it has arrived."""
        if self._delivery is not None and self._delivery.carrier is carrier:
            self._delivery = None

    async def wait(self, carrier: Carrier, timeout_s: float) -> Wake:
        """Wait for output, for at most so many seconds of real time: the client's socket counts those."""
        if self.ready:
            return Wake.READY
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Wake] = loop.create_future()
        self._waiter = waiter

        def gone() -> None:
            _settle(waiter, Wake.CLIENT_GONE)

        timer = loop.call_later(timeout_s, _settle, waiter, Wake.TIMED_OUT)
        carrier.listen(gone)
        try:
            return await waiter
        finally:
            timer.cancel()
            carrier.forget(gone)
            if self._waiter is waiter:
                self._waiter = None

    def _wake(self, reason: Wake) -> None:
        if self._waiter is not None:
            _settle(self._waiter, reason)
            self._waiter = None


def _settle(waiter: asyncio.Future[Wake], reason: Wake) -> None:
    if not waiter.done():
        waiter.set_result(reason)
