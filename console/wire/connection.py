"""The two doors to Windows: a reader for everybody, a writer for those who may change something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from console.clock import Clock, SystemClock, sleep_for
from console.model.failures import Busy, Unreachable
from console.model.identity import HostName
from console.windows.commands import Answer, Call, Effect
from console.wire.conversation import Conversation
from console.wire.remote import RemotePool
from console.wire.session import HostSession
from console.wire.settings import Authentication, Credentials, Encryption, Target, WireOptions
from console.wire.signin import SignInGate

__all__ = [
    "Authentication",
    "Credentials",
    "Encryption",
    "Target",
    "WireOptions",
    "WireReader",
    "WireWriter",
    "connect_reader",
    "connect_writer",
]

FIRST_BACK_OFF_S = 0.5
LONGEST_BACK_OFF_S = 15.0
"""PowerShell's own client doubles its waits up to about this on the same codes."""

PoolFactory = Callable[[Target, Credentials, WireOptions, Callable[[], float], Callable[[], None]], RemotePool]


def pypsrp_pool(
    target: Target,
    credentials: Credentials,
    options: WireOptions,
    elapsed_s: Callable[[], float],
    answered: Callable[[], None],
) -> RemotePool:
    """The real thing; imported here, because it takes a tenth of a second and only owner threads need it."""
    from console.wire.pool import PypsrpPool

    return PypsrpPool(target, credentials, options, elapsed_s, answered)


class _Sessions:
    """One session for each node, all with the same credentials; nothing is opened before it is needed."""

    def __init__(
        self,
        targets: Iterable[Target],
        credentials: Credentials,
        options: WireOptions,
        gate: SignInGate | None,
        factory: PoolFactory,
    ) -> None:
        # Deadlines are real time even in a lab that runs faster: they bound sockets.
        self._elapsed_s = SystemClock().elapsed_s
        self._credentials = credentials
        self._options = options
        self._factory = factory
        self._sessions: dict[HostName, HostSession] = {}
        self.gate = gate or SignInGate(self._elapsed_s)
        for target in targets:
            self.add(target)

    def add(self, target: Target) -> None:
        """Make one more node known; one that is known already stays as it is.

        Raises:
            ValueError: the kind of sign-in does not go with the transport, or lacks something.
        """
        check_sign_in(target, self._credentials, self._options)
        if target.host not in self._sessions:
            make_pool = partial(self._make_pool, target)
            conversation = Conversation(target.host, make_pool, self.gate, self._options, self._elapsed_s)
            self._sessions[target.host] = HostSession(target.host, conversation)

    def _make_pool(self, target: Target, answered: Callable[[], None]) -> RemotePool:
        return self._factory(target, self._credentials, self._options, self._elapsed_s, answered)

    def of(self, host: HostName) -> HostSession:
        if host not in self._sessions:
            raise Unreachable(host, "No address is known for this node.", "Add it to the configuration.")
        return self._sessions[host]

    def renew(self, credentials: Credentials) -> None:
        """Sign in anew everywhere, with other credentials."""
        self._credentials = credentials
        self.gate.renew()
        for session in self._sessions.values():
            session.renew()

    async def close(self) -> None:
        """End every session and its thread."""
        await asyncio.gather(*(session.close() for session in self._sessions.values()))


class WireReader:
    """See :class:`console.ports.Reader`."""

    def __init__(self, sessions: _Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    @property
    def gate(self) -> SignInGate:
        """What keeps a wrong password from being tried everywhere; a writer should share it."""
        return self._sessions.gate

    async def read(self, host: HostName, call: Call) -> Answer:
        """Ask one host; wait and ask again while it is too busy, as long as the call's deadline.

        Raises:
            Failure: one of the tree in :mod:`console.model.failures`.
            ValueError: the call changes something, or a parameter is not what it says it is.
        """
        if call.effect is not Effect.READS:
            raise ValueError(f"{call.entry} changes something: a reader does not send it")
        session = self._sessions.of(host)
        for delay_s in _back_off(call.deadline_s):
            try:
                return await session.ask(call)
            except Busy:
                await sleep_for(self._clock, delay_s)
        return await session.ask(call)

    def add(self, target: Target) -> None:
        """Make one more node known.

        Raises:
            ValueError: the kind of sign-in does not go with the transport.
        """
        self._sessions.add(target)

    def renew(self, credentials: Credentials) -> None:
        """Use other credentials from now on; a refused sign-in is tried again."""
        self._sessions.renew(credentials)

    async def close(self) -> None:
        """End every session and its thread."""
        await self._sessions.close()


class WireWriter:
    """See :class:`console.ports.Writer`: the only way a changing call can be sent, and never twice."""

    def __init__(self, sessions: _Sessions) -> None:
        self._sessions = sessions

    async def change(self, host: HostName, call: Call) -> Answer:
        """Tell one host.

        Raises:
            Failure: one of the tree. After TimedOut and SessionGone nobody knows whether it ran; after any other
                it did not run, or Windows said what is wrong.
            ValueError: the call only reads, or a parameter is not what it says it is.
        """
        if call.effect is not Effect.CHANGES:
            raise ValueError(f"{call.entry} only reads: ask a reader")
        return await self._sessions.of(host).ask(call)

    def add(self, target: Target) -> None:
        """Make one more node known.

        Raises:
            ValueError: the kind of sign-in does not go with the transport.
        """
        self._sessions.add(target)

    def renew(self, credentials: Credentials) -> None:
        """Use other credentials from now on; a refused sign-in is tried again."""
        self._sessions.renew(credentials)

    async def close(self) -> None:
        """End every session and its thread."""
        await self._sessions.close()


def connect_reader(
    targets: Iterable[Target],
    credentials: Credentials,
    options: WireOptions,
    clock: Clock,
    *,
    factory: PoolFactory = pypsrp_pool,
) -> WireReader:
    """A reader for these nodes. Nothing is opened before the first question.

    ``clock`` is the world's, for waiting while a node is busy; deadlines are real time.

    Raises:
        ValueError: the kind of sign-in does not go with the transport, or lacks something.
    """
    return WireReader(_Sessions(targets, credentials, options, None, factory), clock)


def connect_writer(
    targets: Iterable[Target],
    credentials: Credentials,
    options: WireOptions,
    *,
    gate: SignInGate | None = None,
    factory: PoolFactory = pypsrp_pool,
) -> WireWriter:
    """A writer for these nodes, with sessions of its own: a long change never delays what is being watched.

    ``gate`` is the reader's, so that both together try a wrong password no more often than one.

    Raises:
        ValueError: the kind of sign-in does not go with the transport, or lacks something.
    """
    return WireWriter(_Sessions(targets, credentials, options, gate, factory))


def check_sign_in(target: Target, credentials: Credentials, options: WireOptions) -> None:
    """Whether a kind of sign-in can work at all.

    Raises:
        ValueError: it can not; the text says what is missing.
    """
    kind = options.authentication
    if kind is Authentication.CERTIFICATE:
        if not target.https:
            raise ValueError("sign-in by certificate needs https")
        if credentials.certificate_file is None or credentials.certificate_key_file is None:
            raise ValueError("sign-in by certificate needs the files of the certificate and of its key")
        return
    encrypted = options.encryption is Encryption.ALWAYS or (not target.https and options.encryption is Encryption.AUTO)
    if kind is Authentication.BASIC and encrypted:
        raise ValueError("basic sign-in can not encrypt messages: use https")
    anonymous = credentials.username is None or credentials.password is None
    if kind in (Authentication.BASIC, Authentication.CREDSSP) and anonymous:
        raise ValueError(f"{kind.value} sign-in needs account and password")


def _back_off(deadline_s: float) -> Iterator[float]:
    """Waits that double, as long as they fit into a call's deadline together."""
    delay_s = FIRST_BACK_OFF_S
    left_s = deadline_s
    while delay_s <= left_s:
        yield delay_s
        left_s -= delay_s
        delay_s = min(delay_s * 2, LONGEST_BACK_OFF_S)
