"""One owner thread for one session: asyncio on the outside, a queue in between, blocking calls on the inside.

pypsrp is not safe for threads, not even to stop a pipeline, so nothing but its owner ever touches a session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from console.model.failures import EndpointMissing, Failure, Refused, SessionGone, SignInRefused, Unreachable
from console.model.identity import HostName
from console.windows.commands import Answer, Call, Effect
from console.wire.conversation import Cancelled, Conversation
from console.wire.encoding import check
from console.wire.failures import not_sent

CLOSE_S = 10.0
"""Longer than ending a session may take; a thread that hangs in a socket is left to end by itself."""


@dataclass(eq=False, slots=True)
class _Request:
    call: Call
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Answer]
    cancelled: Event = field(default_factory=Event)

    def resolve(self, answer: Answer | None, error: BaseException | None) -> None:
        """From the owner thread: hand over what came of it. Nobody may be left to take it."""
        with suppress(RuntimeError):  # the loop is closed: whoever asked is gone
            self.loop.call_soon_threadsafe(self._settle, answer, error)

    def _settle(self, answer: Answer | None, error: BaseException | None) -> None:
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        elif answer is not None:
            self.answer.set_result(answer)


@dataclass(frozen=True, slots=True)
class _Stop:
    loop: asyncio.AbstractEventLoop
    ended: asyncio.Future[None]

    def done(self) -> None:
        """From the owner thread, as its last act."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class HostSession:
    """A node's session as tasks see it. Calls are answered one after the other, in their order."""

    def __init__(self, host: HostName, conversation: Conversation) -> None:
        self.host = host
        self._conversation = conversation
        self._queue: SimpleQueue[_Request | _Stop | Callable[[], None]] = SimpleQueue()
        self._thread: Thread | None = None
        self._starting = Lock()
        self._closing = Event()
        self._current: _Request | None = None

    async def ask(self, call: Call) -> Answer:
        """Send a call and wait for what comes of it.

        When the wait is cancelled, a read is stopped and a change goes on unheard.

        Raises:
            Failure: one of the tree.
            ValueError: a parameter is not what it says it is.
        """
        for part in (call, *call.pipeline):
            for parameter in part.arguments if isinstance(part, Call) else part.parameters:
                check(parameter)
        if self._closing.is_set():
            raise SessionGone(self.host, "The console is closing.", entry=call.entry)
        loop = asyncio.get_running_loop()
        request = _Request(call, loop, loop.create_future())
        self._start()
        self._queue.put(request)
        try:
            return await request.answer
        finally:
            request.cancelled.set()

    def renew(self) -> None:
        """New credentials are in place: forget the session and the refusal that belong to the old ones."""
        with self._starting:
            if self._thread is None:
                self._conversation.renew()
            else:
                self._queue.put(self._conversation.renew)

    async def close(self) -> None:
        """End the session and its thread; what still waits fails with SessionGone."""
        self._closing.set()
        current = self._current
        if current is not None:
            current.cancelled.set()
        if self._thread is None or not self._thread.is_alive():
            return
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        self._queue.put(_Stop(loop, ended))
        with suppress(TimeoutError):
            await asyncio.wait_for(ended, CLOSE_S)
            self._thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._own, name=f"wire {self.host}", daemon=True)
                self._thread.start()

    # ---- on the owner thread -------------------------------------------------------------------------------------

    def _own(self) -> None:
        while not isinstance(work := self._queue.get(), _Stop):
            if isinstance(work, _Request):
                self._serve(work)
            else:
                work()
        self._conversation.close()
        stops = [work, *self._fail_waiting(SessionGone(self.host, "The console is closing."))]
        for stop in stops:
            stop.done()

    def _serve(self, request: _Request) -> None:
        if self._closing.is_set():
            self._fail(request, SessionGone(self.host, "The console is closing."))
            return
        if request.cancelled.is_set():
            return
        self._current = request
        try:
            request.resolve(self._conversation.perform(request.call, request.cancelled), None)
        except Cancelled:
            self._fail(request, SessionGone(self.host, "The question was given up."))
        except Failure as failure:
            if not self._conversation.is_open and isinstance(
                failure, Unreachable | SignInRefused | Refused | EndpointMissing
            ):
                # Before anybody hears of it: what is asked afterwards, with new credentials, is not ours to fail.
                self._fail_waiting(failure)
            request.resolve(None, failure)
        except Exception as error:  # the border: a thread that dies would leave everybody waiting
            request.resolve(None, error)
        finally:
            self._current = None
        self._conversation.tidy()

    def _fail_waiting(self, failure: Failure) -> list[_Stop]:
        """Nobody who waits needs to find out for himself that there is no session. Everything else stays queued, and
        so does what waits for new credentials."""
        others: list[_Request | _Stop | Callable[[], None]] = []
        renewed = False
        with suppress(Empty):
            while True:
                work = self._queue.get_nowait()
                if isinstance(work, _Request) and (not renewed or self._closing.is_set()):
                    self._fail(work, failure)
                else:
                    others.append(work)
                    renewed = renewed or not isinstance(work, _Request | _Stop)
        for work in others:
            self._queue.put(work)
        return [work for work in others if isinstance(work, _Stop)]

    def _fail(self, request: _Request, failure: Failure) -> None:
        entry = request.call.entry
        own = type(failure)(self.host, failure.what, failure.advice, code=failure.code, entry=entry)
        request.resolve(None, not_sent(own) if request.call.effect is Effect.CHANGES else own)
