"""pypsrp, bounded: one WSMan with one RunspacePool, which only its owner thread may touch.

This module and the serializer in it are the only place that knows pypsrp's private parts (0.9): the transport's
``session`` and ``encryption``, the pool's ``_serializer``, ``_fragmenter`` and ``_parse_responses``. It is imported
inside the owner threads, so that the screens do not wait for it.
"""

from __future__ import annotations

import logging
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Callable
from threading import Lock
from typing import Any, ClassVar, TypeAlias

from pypsrp.complex_objects import ListMeta, ObjectMeta, PSInvocationState
from pypsrp.exceptions import WinRMTransportError
from pypsrp.messages import CreatePipeline, Message
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.shell import SignalCode
from pypsrp.wsman import WSMan
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from console.windows.commands import Answer, Cmdlet, Script
from console.wire.decoder import decode
from console.wire.encoding import Strings, add_stages
from console.wire.records import remote_error
from console.wire.remote import Ended
from console.wire.settings import Authentication, Credentials, Target, WireOptions

_STRING_ARRAY = ("System.String[]", "System.Array", "System.Object")
_SHORTEST_POLL_S = 0.5
_NO_INVOCATION_INFO = 0
"""RemoteStreamOptions: records come without the details of their invocation."""

_MOST_KEPT = 512
"""Command messages; a console says some dozens of different things over and over."""

_decoding = Lock()
"""Held while output is decoded: one busy thread at a time leaves the interpreter to the screens in between."""

for _name in ("pypsrp", "spnego", "urllib3", "requests"):
    # They log message bodies, and warnings straight to a terminal that belongs to the screens.
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


_Said: TypeAlias = tuple[tuple[Cmdlet | Script, ...], str | None]
"""A pipeline and the version of the protocol that it is said in."""


class RowSerializer(Serializer):
    """pypsrp's serializer, with our decoder for output and ``String[]`` for parameters.

    It writes a pipeline once and keeps what it wrote: pypsrp needs 10 ms for it, and all hosts are told the same.
    """

    _kept: ClassVar[dict[_Said, bytes]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.saying: _Said | None = None
        """What the next CREATE_PIPELINE says."""

    def serialize(
        self,
        value: Any,
        metadata: ObjectMeta | None = None,
        parent: ET.Element | None = None,
        clear: bool = True,
    ) -> ET.Element | None:
        if isinstance(value, CreatePipeline) and self.saying is not None:
            said, self.saying = self.saying, None
            return self._written_once(said, value)  # type: ignore[return-value] # what packs it takes bytes as they are
        if isinstance(value, Strings):
            name = None if metadata is None else metadata.name
            metadata = ListMeta(name=name, list_value_meta=ObjectMeta("S"), list_types=list(_STRING_ARRAY))
            value = list(value)
        return super().serialize(value, metadata, parent, clear)

    def _written_once(self, said: _Said, value: CreatePipeline) -> bytes:
        written = self._kept.get(said)
        if written is None:
            element = super().serialize(value)
            assert element is not None  # only a stream of no type at all has none
            written = ET.tostring(element, encoding="utf-8")
            if len(self._kept) < _MOST_KEPT:
                self._kept[said] = written
        return written

    def deserialize(self, element: ET.Element | str, metadata: ObjectMeta | None = None, clear: bool = True) -> Any:
        # Only pipeline output arrives as text without a description.
        if isinstance(element, str) and metadata is None and clear:
            return decode(element)
        return super().deserialize(element, metadata, clear)


class _Pool(RunspacePool):
    def __init__(self, connection: WSMan, configuration_name: str) -> None:
        super().__init__(connection, configuration_name=configuration_name)
        self.serializer = RowSerializer()
        self._serializer = self.serializer
        self._fragmenter.serializer = self.serializer

    def _parse_responses(self, responses: bytes, pipeline: PowerShell | None = None) -> list[tuple[int, Any]]:
        with _decoding:
            return super()._parse_responses(responses, pipeline)

    def _process_runspacepool_warning(self, message: Message) -> None:
        """A session's own warning, otherwise printed into the terminal; nothing of ours waits for one."""


class _Transport:
    """pypsrp's HTTP transport under a limit of ours; never sends anything a second time."""

    def __init__(
        self, inner: Any, options: WireOptions, elapsed_s: Callable[[], float], answered: Callable[[], None]
    ) -> None:
        self._inner = inner
        self._options = options
        self._elapsed_s = elapsed_s
        self._answered = answered
        self._until_s = 0.0
        self._signing_in = True
        self._response: Any = None

    @property
    def endpoint(self) -> str:
        return str(self._inner.endpoint)

    def allow(self, seconds: float) -> None:
        """From now on, requests have to be over in so many seconds."""
        self._until_s = self._elapsed_s() + seconds

    def send(self, message: bytes, *, retries_on_read_timeout: int = 0, timeout: object = None) -> bytes:
        """As pypsrp's, except that ``retries_on_read_timeout`` and ``timeout`` are ours to decide."""
        if self._inner.session is None:
            self._inner.session = self._session()
        left_s = max(0.05, self._until_s - self._elapsed_s())
        limits = (min(self._options.connection_timeout_s, left_s), min(self._options.read_timeout_s, left_s))
        try:
            answer: bytes = self._inner.send(message, timeout=limits)
        except WinRMTransportError as error:
            if error.code == 500:
                self._let_in()
            raise
        finally:
            # A sign-in that fails half-way leaves an answer unread, and with it a socket that nobody closes.
            if self._response is not None:
                self._response.close()
                self._response = None
        self._let_in()
        return answer

    def _session(self) -> Any:
        session = self._inner._build_session()
        session.trust_env = False
        for adapter in session.adapters.values():
            adapter.send = self._remembering(adapter.send)
        return session

    def _remembering(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def remembering(*arguments: Any, **options: Any) -> Any:
            self._response = send(*arguments, **options)
            return self._response

        return remembering

    def _let_in(self) -> None:
        if self._signing_in:
            self._signing_in = False
            self._answered()

    def reset(self) -> None:
        """Forget connection and sign-in; the next request makes new ones.

        Message encryption belongs to the connection: without this, a session over http is lost with it.
        """
        self.close()
        self._inner.session = None
        self._inner.encryption = None
        self._signing_in = True

    def close(self) -> None:
        self._inner.close()


class PypsrpPool:
    """See :class:`console.wire.remote.RemotePool`."""

    def __init__(
        self,
        target: Target,
        credentials: Credentials,
        options: WireOptions,
        elapsed_s: Callable[[], float],
        answered: Callable[[], None],
    ) -> None:
        self._options = options
        self._wsman = WSMan(target.address, **_arguments(target, credentials, options))
        self._transport = _Transport(self._wsman.transport, options, elapsed_s, answered)
        self._wsman.transport = self._transport  # type: ignore[assignment] # pypsrp asks for send, close, endpoint
        self._pool = _Pool(self._wsman, options.configuration_name)

    def open(self, limit_s: float) -> None:
        self._transport.allow(limit_s)
        # The node has to give up before we do, or its answer would be taken for silence.
        self._wsman.operation_timeout = max(1, int(min(limit_s, self._options.read_timeout_s)) - 2)
        self._pool.open()

    def prepare(self, pipeline: tuple[Cmdlet | Script, ...]) -> PypsrpPipeline:
        return PypsrpPipeline(self._pool, self._transport, self._options, pipeline)

    def probe(self, limit_s: float) -> bool:
        self._transport.allow(limit_s)
        state = self._pool.shell._get_shell(timeout=max(1, int(limit_s)))
        return state.get("State") != "Disconnected"

    def reset_connection(self) -> None:
        self._transport.reset()

    def close(self, limit_s: float) -> None:
        self._transport.allow(limit_s)
        try:
            self._pool.close()
        finally:
            self._transport.close()


class PypsrpPipeline:
    """See :class:`console.wire.remote.RemotePipeline`."""

    def __init__(
        self, pool: _Pool, transport: _Transport, options: WireOptions, pipeline: tuple[Cmdlet | Script, ...]
    ) -> None:
        self._pool = pool
        self._transport = transport
        self._options = options
        self._powershell = PowerShell(pool)
        self._stages = pipeline
        add_stages(self._powershell, pipeline)

    def begin(self, limit_s: float) -> None:
        self._transport.allow(limit_s)
        self._pool.serializer.saying = (self._stages, self._pool.protocol_version)
        self._powershell.begin_invoke(remote_stream_options=_NO_INVOCATION_INFO)

    def poll(self, limit_s: float) -> bool:
        hold_s = max(_SHORTEST_POLL_S, min(self._options.poll_s, limit_s))
        self._transport.allow(hold_s + min(self._options.silence_s, max(limit_s, _SHORTEST_POLL_S)))
        self._powershell.poll_invoke(timeout=round(hold_s, 3))  # type: ignore[arg-type] # written as PT0.5S
        self._powershell.streams.progress.clear()
        return bool(self._powershell.state != PSInvocationState.RUNNING)

    def ended(self) -> Ended:
        powershell = self._powershell
        return Ended(
            answer=Answer(
                rows=tuple(powershell.output),
                errors=tuple(remote_error(record) for record in powershell.streams.error),
                warnings=tuple(str(record.message or record) for record in powershell.streams.warning),
            ),
            failed=powershell.state == PSInvocationState.FAILED,
            completed=powershell.state == PSInvocationState.COMPLETED,
        )

    def close(self, limit_s: float) -> None:
        self._transport.allow(limit_s)
        powershell = self._powershell
        self._pool.pipelines.pop(powershell.id, None)
        identifier = powershell._command_id or powershell.id
        if powershell.state in (PSInvocationState.RUNNING, PSInvocationState.NOT_STARTED):
            self._pool.shell.signal(SignalCode.PS_CTRL_C, identifier)
        self._pool.shell.signal(SignalCode.TERMINATE, identifier)


def _arguments(target: Target, credentials: Credentials, options: WireOptions) -> dict[str, Any]:
    by_certificate = options.authentication is Authentication.CERTIFICATE
    arguments: dict[str, Any] = {
        "port": target.port,
        "ssl": target.https,
        "auth": options.authentication.value,
        "cert_validation": _authorities(options),
        "encryption": options.encryption.value,
        "no_proxy": True,
        "reconnection_retries": 0,
        "reconnection_backoff": 0.0,
    }
    if by_certificate:
        arguments["certificate_pem"] = _path(credentials.certificate_file)
        arguments["certificate_key_pem"] = _path(credentials.certificate_key_file)
        arguments["certificate_key_password"] = credentials.certificate_key_password
    else:
        arguments["username"] = credentials.username
        arguments["password"] = credentials.password
    return arguments


def _authorities(options: WireOptions) -> str:
    """Always a path: with a mere True, variables of the environment would decide whom we trust."""
    if options.ca_file is not None:
        return str(options.ca_file)
    return ssl.get_default_verify_paths().cafile or DEFAULT_CA_BUNDLE_PATH


def _path(path: object) -> str | None:
    return None if path is None else str(path)
