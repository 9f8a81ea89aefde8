"""PSRP messages and fragments as bytes (MS-PSRP 2.2.1 and 2.2.4).

A fragment is object id (8 bytes, big endian), fragment id (8), flags (1 = first, 2 = last), length (4) and data.
A message is destination (4 bytes, little endian), type (4), pool id, pipeline id (GUIDs, little endian) and CLIXML.
Windows sends at most 32 KiB a fragment, header included, and puts a UTF-8 byte order mark before each CLIXML.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

FRAGMENT_BYTES = 32 * 1024
HEADER_BYTES = 21
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NO_PIPELINE = UUID(int=0)

_FRAGMENT = struct.Struct(">QQBI")
_MESSAGE = struct.Struct("<II")
_MESSAGE_HEADER_BYTES = 40
_TO_CLIENT = 1
_TO_SERVER = 2
_FIRST = 1
_LAST = 2


class MessageType(IntEnum):
    """The message types that the endpoint itself reads or writes (MS-PSRP 2.2.1)."""

    SESSION_CAPABILITY = 0x00010002
    INIT_RUNSPACEPOOL = 0x00010004
    SET_MAX_RUNSPACES = 0x00021002
    SET_MIN_RUNSPACES = 0x00021003
    CREATE_PIPELINE = 0x00021006
    GET_COMMAND_METADATA = 0x0002100A
    RUNSPACEPOOL_HOST_RESPONSE = 0x00021101
    PIPELINE_INPUT = 0x00041002
    END_OF_PIPELINE_INPUT = 0x00041003
    PIPELINE_OUTPUT = 0x00041004
    ERROR_RECORD = 0x00041005
    PIPELINE_STATE = 0x00041006
    WARNING_RECORD = 0x00041009
    PROGRESS_RECORD = 0x00041010
    PIPELINE_HOST_RESPONSE = 0x00041101


class FramingError(Exception):
    """Bytes that are no fragment, or no message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message; ``clixml`` carries no byte order mark."""

    type: int
    pool_id: UUID
    pipeline_id: UUID
    clixml: bytes

    def pack(self, *, to_server: bool = False) -> bytes:
        """The message's bytes."""
        destination = _TO_SERVER if to_server else _TO_CLIENT
        return message_header(self.type, self.pool_id, self.pipeline_id, destination) + self.clixml


def message_header(kind: int, pool_id: UUID, pipeline_id: UUID, destination: int = _TO_CLIENT) -> bytes:
    """The 40 bytes before the CLIXML."""
    return _MESSAGE.pack(destination, kind) + pool_id.bytes_le + pipeline_id.bytes_le


def unpack_message(data: bytes) -> Message:
    """Read a message.

    Raises:
        FramingError: too short.
    """
    if len(data) < _MESSAGE_HEADER_BYTES:
        raise FramingError(f"A message has at least {_MESSAGE_HEADER_BYTES} bytes, not {len(data)}.")
    _, kind = _MESSAGE.unpack_from(data)
    clixml = data[_MESSAGE_HEADER_BYTES:].removeprefix(BYTE_ORDER_MARK)
    return Message(kind, UUID(bytes_le=data[8:24]), UUID(bytes_le=data[24:40]), clixml)


def split(object_id: int, message: bytes) -> list[bytes]:
    """The fragments of one message, headers included, each at most 32 KiB."""
    room = FRAGMENT_BYTES - HEADER_BYTES
    if len(message) <= room:
        return [_FRAGMENT.pack(object_id, 0, _FIRST | _LAST, len(message)) + message]
    pieces = [message[start : start + room] for start in range(0, len(message), room)]
    last = len(pieces) - 1
    return [
        _FRAGMENT.pack(object_id, number, (_FIRST if number == 0 else 0) | (_LAST if number == last else 0), len(piece))
        + piece
        for number, piece in enumerate(pieces)
    ]


class Defragmenter:
    """Puts the fragments of many messages together, by object id."""

    def __init__(self) -> None:
        self._open: dict[int, list[bytes]] = {}

    def feed(self, data: bytes) -> list[Message]:
        """Take whole fragments and return the messages that they complete, in order.

        Raises:
            FramingError: a cut fragment, or one out of order.
        """
        messages = []
        position = 0
        while position < len(data):
            message, position = self._one(data, position)
            if message is not None:
                messages.append(message)
        return messages

    def _one(self, data: bytes, position: int) -> tuple[Message | None, int]:
        start = position + HEADER_BYTES
        if start > len(data):
            raise FramingError("A fragment is shorter than its header.")
        object_id, fragment_id, flags, length = _FRAGMENT.unpack_from(data, position)
        if start + length > len(data):
            raise FramingError(f"A fragment announces {length} bytes and brings {len(data) - start}.")
        pieces = self._open.setdefault(object_id, [])
        if fragment_id != len(pieces):
            raise FramingError(f"Fragment {fragment_id} of object {object_id} came where {len(pieces)} was due.")
        pieces.append(data[start : start + length])
        if not flags & _LAST:
            return None, start + length
        del self._open[object_id]
        return unpack_message(b"".join(pieces)), start + length
