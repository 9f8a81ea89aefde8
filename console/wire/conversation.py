"""The rules of talking to one node, without threads and without pypsrp.

A conversation opens its session when it is first needed and again when it ended; follows each pipeline up to our own
deadline; goes on after a lost connection where that is safe; and never sends a command that changes anything twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import NoReturn, Protocol

from console.model.failures import Failure, ProtocolBroken, SessionGone, SignInRefused, TimedOut, Unreachable
from console.model.identity import HostName
from console.windows.commands import Answer, Call, Effect
from console.wire.encoding import stages
from console.wire.failures import certainly_refused, classify, is_connection_trouble, not_sent, outcome_unknown
from console.wire.records import failed
from console.wire.remote import RemotePipeline, RemotePool
from console.wire.settings import WireOptions
from console.wire.signin import SignInGate

TIDY_S = 3.0
"""For freeing a pipeline, asking whether a session is there, or ending one."""
PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Between attempts to hear more of a pipeline over a new connection."""
_UNAUTHORIZED = frozenset((401, 1326))
"""Codes under which the other side has counted a refused sign-in."""


class MakePool(Protocol):
    """Makes a pool that tells ``answered`` once the node has let us in."""

    def __call__(self, answered: Callable[[], None]) -> RemotePool: ...


class Cancelled(Exception):
    """Nobody waits for this answer any more."""


class Conversation:
    """One node, one session; only its owner thread calls it.

    ``elapsed_s`` is real time, because sockets live in it. ``pause`` waits so many seconds; true when the caller
    should give up.
    """

    def __init__(
        self,
        host: HostName,
        make_pool: MakePool,
        gate: SignInGate,
        options: WireOptions,
        elapsed_s: Callable[[], float],
        pause: Callable[[Event, float], bool] = Event.wait,
    ) -> None:
        self._host = host
        self._make_pool = make_pool
        self._gate = gate
        self._options = options
        self._elapsed_s = elapsed_s
        self._pause = pause
        self._pool: RemotePool | None = None
        self._refusal: SignInRefused | None = None
        self._leftovers: list[RemotePipeline] = []

    @property
    def is_open(self) -> bool:
        """Whether there is a session, as far as we know."""
        return self._pool is not None

    def perform(self, call: Call, cancelled: Event) -> Answer:
        """Ask once; a read whose session is found to be gone is asked once more, in what is left of its time.

        Raises:
            Failure: one of the tree. After TimedOut and SessionGone of a change nobody knows whether it ran; after
                any other it did not, or Windows says so.
            Cancelled: a read was given up. A change goes on to its end.
        """
        until_s = None
        if call.effect is Effect.CHANGES:
            cancelled = Event()
        else:
            with suppress(SessionGone):
                self._ready(call)
                until_s = self._elapsed_s() + call.deadline_s
                return self._run(call, until_s, cancelled)
        self._ready(call)
        return self._run(call, until_s or self._elapsed_s() + call.deadline_s, cancelled)

    def tidy(self) -> None:
        """Free what is over on the node. Nobody waits for it, so a failure only leaves it for the next time."""
        try:
            self._settle()
        except Exception:  # the border: only a lost connection gets here
            if self._pool is not None:
                self._pool.reset_connection()

    def renew(self) -> None:
        """New credentials: forget the refusal and the session that was opened with the old ones."""
        self._refusal = None
        self._discard()

    def close(self) -> None:
        """End the session."""
        self._discard()

    # ---- before --------------------------------------------------------------------------------------------------

    def _ready(self, call: Call) -> None:
        """Have a session that can be used now.

        Raises:
            Failure: there is none; for a change it says that nothing was sent.
        """
        try:
            self._check_sign_in()
            if self._pool is not None and (call.effect is Effect.CHANGES or self._leftovers):
                self._prove(call)
            if self._pool is None:
                self._check_sign_in()
                self._open()
        except Failure as failure:
            failure.entry = call.entry
            raise (not_sent(failure) if call.effect is Effect.CHANGES else failure) from None

    def _check_sign_in(self) -> None:
        if self._refusal is not None:
            raise self._again(self._refusal)
        shut = self._gate.refusal()
        if shut is not None and self._pool is None:
            raise self._shut_out(shut)

    def _again(self, refusal: SignInRefused) -> SignInRefused:
        return SignInRefused(self._host, refusal.what, refusal.advice, code=refusal.code)

    def _shut_out(self, refusal: SignInRefused) -> SignInRefused:
        what = f"The sign-in was refused by {refusal.host}, so it was not tried here: the account could be locked out."
        return SignInRefused(self._host, what, refusal.advice, code=refusal.code)

    def _open(self) -> None:
        ticket = self._gate.enter()
        if ticket is None:
            shut = self._gate.refusal()
            raise self._shut_out(shut or SignInRefused(self._host, ""))
        try:
            pool = self._make_pool(self._gate.accepted)
            try:
                pool.open(self._options.open_timeout_s)
            except BaseException:
                self._end(pool)
                raise
            self._pool = pool
        except Exception as error:  # the border: whatever the libraries raise is read by the classifier
            self._raise_not_opened(error)
        finally:
            self._gate.leave(ticket)

    def _raise_not_opened(self, error: Exception) -> NoReturn:
        failure = self._classified(error)
        if isinstance(failure, SessionGone):
            failure = Unreachable(self._host, failure.what, "Check that WinRM runs on the node.", code=failure.code)
        raise failure from None

    def _prove(self, call: Call) -> None:
        """Make sure, before a change is sent into it, that the session is there; lose it when it is not."""
        limit_s = min(TIDY_S, call.deadline_s / 2)
        for attempt in range(2):
            try:
                if self._leftovers:
                    self._settle(limit_s)
                if self._pool is not None and call.effect is Effect.CHANGES and not self._pool.probe(TIDY_S):
                    self._discard()
                return
            except Exception as error:  # the border
                self._after_failed_proof(error, last=attempt == 1)

    def _after_failed_proof(self, error: Exception, *, last: bool) -> None:
        failure = self._classified(error)
        if is_connection_trouble(error) and self._pool is not None:
            self._pool.reset_connection()
            if last:
                raise failure from None
        elif isinstance(failure, SessionGone | ProtocolBroken):
            self._discard()
        elif isinstance(failure, SignInRefused | TimedOut):
            raise failure from None

    # ---- the pipeline --------------------------------------------------------------------------------------------

    def _run(self, call: Call, until_s: float, cancelled: Event) -> Answer:
        changes = call.effect is Effect.CHANGES
        pipeline = self._begin(call, until_s, changes)
        self._leftovers.append(pipeline)
        try:
            self._follow(pipeline, until_s, cancelled, changes)
            ended = pipeline.ended()
        except Cancelled:
            raise
        except Exception as error:  # the border
            failure = self._classified(error, call.entry)
            if isinstance(failure, SessionGone | ProtocolBroken) and not is_connection_trouble(error):
                self._discard()
            raise (outcome_unknown(failure) if changes else failure) from None
        if ended.failed and ended.answer.errors:
            raise failed(ended.answer.errors[-1], self._host, call.entry)
        if not ended.completed:
            gone = SessionGone(self._host, "The command was stopped on the node.", "", entry=call.entry)
            raise outcome_unknown(gone) if changes else gone
        return ended.answer

    def _begin(self, call: Call, until_s: float, changes: bool) -> RemotePipeline:
        """Send it, once."""
        pool = self._pool
        if pool is None:
            raise SessionGone(self._host, "The remote session has ended.", entry=call.entry)
        try:
            pipeline = pool.prepare(stages(call, constrained=self._options.constrained))
        except LookupError as error:
            raise classify(error, self._host, entry=call.entry, endpoint=self._options.configuration_name) from None
        try:
            pipeline.begin(max(0.1, until_s - self._elapsed_s()))
        except Exception as error:  # the border
            self._raise_not_begun(error, pipeline, call.entry, changes)
        return pipeline

    def _raise_not_begun(self, error: Exception, pipeline: RemotePipeline, entry: str, changes: bool) -> NoReturn:
        failure = self._classified(error, entry)
        certain = certainly_refused(error)
        if not certain:
            self._leftovers.append(pipeline)
        if is_connection_trouble(error) and self._pool is not None:
            self._pool.reset_connection()
        elif isinstance(failure, SessionGone | ProtocolBroken):
            self._discard()
        if changes:
            raise (not_sent(failure) if certain else outcome_unknown(failure)) from None
        raise failure from None

    def _follow(self, pipeline: RemotePipeline, until_s: float, cancelled: Event, changes: bool) -> None:
        """Take output until the pipeline is over; over new connections when one is lost.

        Receiving again is safe: a node keeps what it could not deliver, and nothing runs because of it.
        """
        troubles = 0
        while True:
            if cancelled.is_set():
                raise Cancelled
            left_s = until_s - self._elapsed_s()
            if left_s <= 0:
                raise self._late(troubles)
            polled_s = self._elapsed_s()
            try:
                if pipeline.poll(left_s):
                    return
                troubles = 0
            except Exception as error:  # the border: only a lost connection is survived
                troubles = self._survived(error, troubles, changes)
                self._pause(cancelled, min(left_s, PAUSES_S[min(troubles, len(PAUSES_S)) - 1]))
                continue
            if self._elapsed_s() - polled_s < 0.02:
                # A node that answers at once with nothing would keep a processor busy.
                self._pause(cancelled, 0.05)

    def _survived(self, error: Exception, troubles: int, changes: bool) -> int:
        """The count of troubles in a row, after one more; a read gives up sooner than a change."""
        if not is_connection_trouble(error) or (troubles == len(PAUSES_S) and not changes) or self._pool is None:
            raise error
        self._pool.reset_connection()
        return troubles + 1

    def _late(self, troubles: int) -> TimedOut:
        what = "The connection was lost and did not come back in time." if troubles else "The command took too long."
        return TimedOut(self._host, what, "The node may be very busy; look at it, and try again later.")

    # ---- afterwards ----------------------------------------------------------------------------------------------

    def _settle(self, limit_s: float = TIDY_S) -> None:
        """Free every pipeline that is over or given up; raises what a lost connection raises."""
        while self._leftovers and self._pool is not None:
            try:
                self._leftovers[0].close(limit_s)
            except Exception as error:  # the border
                if is_connection_trouble(error):
                    raise
                self._classified(error)
                self._discard()
                return
            self._leftovers.pop(0)

    def _classified(self, error: Exception, entry: str = "") -> Failure:
        failure = classify(error, self._host, entry=entry, endpoint=self._options.configuration_name)
        if isinstance(failure, SignInRefused) and failure.code in _UNAUTHORIZED:
            self._refusal = failure
            self._gate.refused(failure)
        return failure

    def _discard(self) -> None:
        pool, self._pool = self._pool, None
        self._leftovers.clear()
        if pool is not None:
            self._end(pool)

    def _end(self, pool: RemotePool) -> None:
        # Whatever is wrong with it is why it is given up; the node ends it by itself after its idle time.
        with suppress(Exception):
            pool.close(TIDY_S)
