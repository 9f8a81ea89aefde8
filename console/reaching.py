"""How far a plain connection to a node gets: its name, its port, its certificate. Nobody signs in here."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.clock import Clock
from console.diagnose.symptoms import NodeAddress, Reach

LIMIT_S = 8.0


class Sockets:
    """See :class:`console.diagnose.symptoms.Prober`."""

    def __init__(self, clock: Clock, ca_file: Path | None = None) -> None:
        self._clock = clock
        self._ca_file = ca_file

    async def reach(self, node: NodeAddress) -> Reach:
        """Resolve, connect and, for https, shake hands; each failure as a sentence. (A time-out is an OSError.)"""
        try:
            addresses = await _resolved(node)
        except TimeoutError:
            return Reach(name_error="the name was not resolved in time.")
        except OSError as error:
            return Reach(name_error=f"the name could not be resolved ({_reason(error)}).")
        started = self._clock.elapsed_s()
        try:
            await self._opened(node, None)
        except OSError as error:
            return Reach(addresses, port_error=f"no connection ({_reason(error)}).")
        reach = Reach(addresses, connect_s=self._clock.elapsed_s() - started)
        return await self._with_certificate(node, reach) if node.https else reach

    async def _with_certificate(self, node: NodeAddress, reach: Reach) -> Reach:
        try:
            context = ssl.create_default_context(cafile=None if self._ca_file is None else str(self._ca_file))
        except (OSError, ssl.SSLError) as error:
            return replace(reach, tls_error=f"ca_file can not be used ({_reason(error)}).")
        try:
            certificate = await self._opened(node, context)
        except ssl.SSLCertVerificationError as error:
            return replace(reach, tls_error=f"The certificate is not accepted: {error.verify_message}.")
        except OSError as error:
            return replace(reach, tls_error=f"TLS could not be set up ({_reason(error)}).")
        return replace(reach, certificate_expires=_expiry(certificate))

    async def _opened(self, node: NodeAddress, context: ssl.SSLContext | None) -> dict[str, Any]:
        """Connect and close again; the peer's certificate, empty without TLS."""
        name = node.address if context else None
        async with asyncio.timeout(LIMIT_S):
            _, writer = await asyncio.open_connection(node.address, node.port, ssl=context, server_hostname=name)
        try:
            return writer.get_extra_info("peercert") or {}
        finally:
            writer.transport.abort()


async def _resolved(node: NodeAddress) -> tuple[str, ...]:
    async with asyncio.timeout(LIMIT_S):
        found = await asyncio.get_running_loop().getaddrinfo(node.address, node.port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _expiry(certificate: dict[str, Any]) -> datetime | None:
    ends = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    text = getattr(error, "strerror", None) or str(error) or "no answer in time"
    return " ".join(str(text).split())
