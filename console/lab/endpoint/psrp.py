"""One runspace pool's conversation: psrpcore negotiates, this module frames.

psrpcore is asked for the control messages only (capabilities, opening, keys, runspace counts, attaching). What
pipelines put out is written by our own writer, an order of magnitude faster; both share one counter of object ids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID
from xml.etree.ElementTree import ParseError

from psrpcore import (
    GetAvailableRunspacesEvent,
    PSRPCoreError,
    PSRPEvent,
    PSRPPayload,
    ResetRunspaceStateEvent,
    ServerRunspacePool,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore.types import PSSecureString, PSVersion

from console.lab.endpoint.framing import (
    BYTE_ORDER_MARK,
    NO_PIPELINE,
    Defragmenter,
    FramingError,
    Message,
    MessageType,
    message_header,
    split,
)

_CALL_ID = re.compile(rb'N="CI"')


class ProtocolError(Exception):
    """The client broke the protocol."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message for the client, framed."""

    type: int
    fragments: tuple[bytes, ...]


class _Pool(ServerRunspacePool):
    """psrpcore's pool, with its cipher in reach."""

    def decrypt(self, encrypted: str) -> str:
        return str(PSSecureString(encrypted, self._cipher).decrypt())


class Conversation:
    """The protocol state of one runspace pool."""

    def __init__(self, *, byte_order_mark: bool) -> None:
        self._pool = _Pool(application_private_data={"PSVersionTable": {"PSVersion": PSVersion("5.1")}})
        self._defragmenter = Defragmenter()
        self._mark = BYTE_ORDER_MARK if byte_order_mark else b""
        self._object_id = 0
        self._fed = 0
        self._headers: dict[tuple[int, UUID], bytes] = {}

    @property
    def pool_id(self) -> UUID:
        """The client's name for the pool; all zero before SESSION_CAPABILITY."""
        return self._pool.runspace_pool_id

    @property
    def max_runspaces(self) -> int:
        """How many pipelines may run at once."""
        return max(1, self._pool.max_runspaces)

    def decrypt(self, encrypted: str) -> str:
        """The text of a SecureString, after the key exchange."""
        return self._pool.decrypt(encrypted)

    def receive(self, data: bytes) -> list[Message]:
        """Take fragments, return the messages that are whole.

        Raises:
            ProtocolError: bad framing.
        """
        try:
            return self._defragmenter.feed(data)
        except FramingError as failure:
            raise ProtocolError(str(failure)) from failure

    def control(self, message: Message, *, free_runspaces: int) -> list[Sent]:
        """Let psrpcore answer a control message.

        Raises:
            ProtocolError: it is not one, or not now.
        """
        # pypsrp writes the call id of SET_MAX and SET_MIN as CI, psrpcore looks for ci.
        clixml = _CALL_ID.sub(b'N="ci"', message.clixml)
        fixed = Message(message.type, message.pool_id, message.pipeline_id, clixml).pack(to_server=True)
        self._fed += 1
        self._pool.receive_data(PSRPPayload(b"".join(split(self._fed, fixed)), StreamType.default, None))
        try:
            event = self._pool.next_event()
            if event is not None:
                self._answer(event, free_runspaces)
        except (PSRPCoreError, AttributeError, ValueError, KeyError, ParseError) as failure:
            raise ProtocolError(f"Message 0x{message.type:08X}: {failure}") from failure
        return self._drain()

    def attach(self) -> None:
        """Get ready for another client's SESSION_CAPABILITY and CONNECT_RUNSPACEPOOL.

        Raises:
            ProtocolError: the pool is not open.
        """
        try:
            self._pool.disconnect()
            self._pool.connect()
        except PSRPCoreError as failure:
            raise ProtocolError(str(failure)) from failure
        self._defragmenter = Defragmenter()

    def capability(self) -> Sent:
        """SESSION_CAPABILITY with the pool's id, for an attaching client; psrpcore sends none then."""
        self._pool.prepare_message(self._pool.our_capability)
        return self._drain()[0]

    def frame(self, kind: MessageType, clixml: str, pipeline_id: UUID = NO_PIPELINE) -> list[bytes]:
        """Our own message as fragments, ready to send."""
        header = self._headers.get((kind, pipeline_id))
        if header is None:
            header = message_header(kind, self.pool_id, pipeline_id) + self._mark
            self._headers[kind, pipeline_id] = header
        self._object_id += 1
        return split(self._object_id, header + clixml.encode("utf-8", "surrogatepass"))

    def forget(self, pipeline_id: UUID) -> None:
        """A pipeline is gone for good."""
        for key in [key for key in self._headers if key[1] == pipeline_id]:
            del self._headers[key]

    def _answer(self, event: PSRPEvent, free_runspaces: int) -> None:  # type: ignore[type-arg]
        if isinstance(event, SetMaxRunspacesEvent):
            good = event.count >= max(1, self._pool.min_runspaces)
            self._pool.runspace_availability_response(event.ci, good)
        elif isinstance(event, SetMinRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, 1 <= event.count <= self._pool.max_runspaces)
        elif isinstance(event, GetAvailableRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, free_runspaces)
        elif isinstance(event, ResetRunspaceStateEvent):
            self._pool.runspace_availability_response(event.ci, free_runspaces == self.max_runspaces)

    def _drain(self) -> list[Sent]:
        framed = []
        while (payload := self._pool.data_to_send()) is not None:
            for message in Defragmenter().feed(payload.data):
                self._object_id += 1
                header = message_header(message.type, message.pool_id, message.pipeline_id)
                fragments = split(self._object_id, header + self._mark + message.clixml)
                framed.append(Sent(message.type, tuple(fragments)))
        return framed
