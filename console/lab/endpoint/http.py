"""As much of HTTP/1.1 as WinRM needs: keep-alive POSTs with a known length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SOAP = "application/soap+xml;charset=UTF-8"
"""Always with its charset: a client without one guesses the encoding of the whole body."""

HEAD_BYTES = 64 * 1024
BODY_BYTES = 1024 * 1024

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query (PowerShell asks for ``/wsman?PSVersion=5.1``)."""
        return self.target.partition("?")[0]

    @property
    def wants_close(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = SOAP
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False

    def render(self) -> bytes:
        """The bytes of the answer."""
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}",
            "Server: Microsoft-HTTPAPI/2.0",
            f"Content-Length: {len(self.body)}",
        ]
        if self.body:
            lines.append(f"Content-Type: {self.content_type}")
        if self.close:
            lines.append("Connection: close")
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


class BadRequest(Exception):
    """Not a request that is served; answered with ``status``, then the connection is closed."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class WatchedReader(asyncio.StreamReader):
    """A stream that tells when its far end has gone, also while nobody reads.

    A Receive waits on the far side of a request; if its client goes away meanwhile it must not take the output.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=BODY_BYTES, loop=loop)
        self.ended = False
        self._listeners: list[Callable[[], None]] = []

    def feed_eof(self) -> None:
        super().feed_eof()
        self._end()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self._end()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` once when the stream ends; at once when it already has."""
        if self.ended:
            listener()
        else:
            self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Take a listener back."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _end(self) -> None:
        self.ended = True
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or None when the client has gone.

    Raises:
        BadRequest: what came is no request, or too long.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        return None
    except asyncio.LimitOverrunError as failure:
        raise BadRequest(400) from failure
    if len(head) > HEAD_BYTES:
        raise BadRequest(400)
    method, target, headers = _head(head)
    try:
        body = await reader.readexactly(_length(headers))
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        return None
    return Request(method, target, headers, body)


def _head(head: bytes) -> tuple[str, str, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(400)
    headers: dict[str, str] = {}
    for line in lines[1:]:
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(400)
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], headers


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequest(411)
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequest(400)
    if int(length) > BODY_BYTES:
        raise BadRequest(413)
    return int(length)
