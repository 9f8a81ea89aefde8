"""Message encryption over plain http: the multipart framing of MS-WSMV 2.2.9.1, around an NTLM or SPNEGO context."""

from __future__ import annotations

import re
import struct
from typing import Protocol

PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'

_BOUNDARY = b"--Encrypted Boundary"
_OCTETS = b"Content-Type: application/octet-stream\r\n"
_LENGTH = re.compile(rb"Length=(\d+)")


class Wrapped(Protocol):
    """What wrapping gives."""

    header: bytes
    data: bytes
    padding_length: int


class Sealer(Protocol):
    """A signed-in security context."""

    def wrap_winrm(self, data: bytes) -> Wrapped: ...

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes: ...


class UnsealError(Exception):
    """A body that is not sealed as it should be."""


def is_sealed(content_type: str) -> bool:
    """Whether a request's content type announces message encryption."""
    return content_type.lower().startswith("multipart/encrypted")


def unseal(sealer: Sealer, body: bytes) -> bytes:
    """The plain body.

    Raises:
        UnsealError: framing or length is wrong.
    """
    length = _LENGTH.search(body)
    start = body.find(_OCTETS)
    end = body.rfind(_BOUNDARY)  # ciphertext may hold anything: look for the end from the end
    if length is None or start < 0 or end <= start:
        raise UnsealError("The encrypted body has no two parts.")
    sealed = body[start + len(_OCTETS) : end]
    if len(sealed) < 4:
        raise UnsealError("The encrypted part is empty.")
    (header_length,) = struct.unpack_from("<I", sealed)
    plain = sealer.unwrap_winrm(sealed[4 : 4 + header_length], sealed[4 + header_length :])
    if len(plain) != int(length.group(1)):
        raise UnsealError("The encrypted body has another length than it says.")
    return plain


def seal(sealer: Sealer, body: bytes) -> bytes:
    """The encrypted body of an answer."""
    wrapped = sealer.wrap_winrm(body)
    length = len(body) + wrapped.padding_length
    head = (
        f"--Encrypted Boundary\r\n\tContent-Type: {PROTOCOL}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={length}\r\n"
        "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
    )
    sealed = struct.pack("<I", len(wrapped.header)) + wrapped.header + wrapped.data
    return head.encode() + sealed + b"--Encrypted Boundary--\r\n"
