"""One TCP connection: requests in, answers out, and the faults that are thrown at it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from spnego.exceptions import SpnegoError

from console.clock import Clock
from console.lab.endpoint import sealing, soap
from console.lab.endpoint.certificates import certificate_user
from console.lab.endpoint.counters import Statistics
from console.lab.endpoint.faults import Fault, FaultBoard
from console.lab.endpoint.http import BadRequest, Request, Response, WatchedReader, read_request
from console.lab.endpoint.service import ClientGone, Service
from console.lab.endpoint.signin import Accounts, SignIn

PATH = "/wsman"

_RECEIVE = f"{soap.SHELL}/Receive"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostSide:
    """What every connection of a host shares."""

    host: str
    service: Service
    accounts: Accounts
    statistics: Statistics
    faults: FaultBoard
    clock: Clock


class Connection:
    """Serves one client connection. Is also the carrier of its answers."""

    def __init__(self, side: HostSide, reader: WatchedReader, writer: asyncio.StreamWriter, *, tls: bool) -> None:
        self._side = side
        self._reader = reader
        self._writer = writer
        self._tls = tls
        certificate = certificate_user(writer.get_extra_info("peercert"))
        self._sign_in = SignIn(side.accounts, side.statistics, side.host, tls=tls, certificate=certificate)
        self._cut_share: float | None = None
        self.idle_since_s: float | None = None
        """When it fell idle, by the lab's clock; None while a request is served."""

    @property
    def ended(self) -> bool:
        return self._reader.ended

    def listen(self, listener: Callable[[], None]) -> None:
        self._reader.listen(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        self._reader.forget(listener)

    def abort(self) -> None:
        """Cut the connection, whatever is under way."""
        self._writer.transport.abort()

    def close_idle(self) -> None:
        """Close the connection as http.sys does: in good order, so what was sent has arrived."""
        self._side.service.arrived(self)
        for shell in self._side.service.shells:
            if shell.carrier is self:
                shell.connected = False
        self._writer.close()
        # Over TLS the farewell is on its way now; asyncio would wait half a minute for the client's.
        self._writer.transport.abort()

    async def serve(self) -> None:
        """Answer requests until the client goes."""
        try:
            while not self._holed():
                self.idle_since_s = self._side.clock.elapsed_s()
                request = await read_request(self._reader)
                self.idle_since_s = None
                if request is None or not await self._serve_one(request):
                    return
            await self._reader_ended()
        except BadRequest as failure:
            await self._write(Response(failure.status, close=True).render())
        except (ConnectionError, TimeoutError, ClientGone):
            pass
        finally:
            self._side.service.forget(self)
            self._writer.close()

    def _holed(self) -> bool:
        return self._side.faults.amount(Fault.BLACK_HOLE, self._side.host) is not None

    async def _reader_ended(self) -> None:
        """Never answer; the client has to give up by itself."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle() -> None:
            if not ended.done():
                ended.set_result(None)

        self._reader.listen(settle)
        await ended

    async def _serve_one(self, request: Request) -> bool:
        nonsense = self._nonsense()
        self._side.service.arrived(self)
        answer = await self._respond(request) if nonsense is None else None
        data = nonsense if answer is None else answer.render()
        if self._holed():
            await self._reader_ended()
            return False
        cut, self._cut_share = self._cut_share, None
        if data is not None:
            await self._write(data if cut is None else data[: int(len(data) * cut)])
        if cut is not None:
            self.abort()
            return False
        return not request.wants_close and not (answer is not None and answer.close)

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def _nonsense(self) -> bytes | None:
        """Bytes to send in place of an answer, while such a fault is thrown."""
        faults, host = self._side.faults, self._side.host
        if faults.strike(Fault.GARBAGE, host) is not None:
            return b"\x00\x16\x03\x01 this is not HTTP \xff\xfe\r\n\r\n"
        if faults.strike(Fault.HTML, host) is not None:
            page = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"
            return Response(200, page, "text/html; charset=utf-8").render()
        if faults.strike(Fault.BROKEN_XML, host) is not None:
            return Response(200, f'<s:Envelope xmlns:s="{soap.S}"><s:Header><a:Act'.encode()).render()
        if faults.strike(Fault.UNAVAILABLE, host) is not None:
            return Response(503, b"Service Unavailable", "text/html").render()
        return None

    async def _respond(self, request: Request) -> Response:
        if request.path.casefold() != PATH:
            return Response(404)
        if request.method != "POST":
            return Response(405)
        if "wsmanidentify" in request.headers:
            self._side.statistics.of(self._side.host, "").requests += 1
            return Response(200, soap.identify_answer())
        self._sign_in.refuse = self._side.faults.amount(Fault.SIGN_IN_REFUSED, self._side.host) is not None
        if not self._tls and sealing.is_sealed(request.headers.get("content-type", "")):
            return await self._respond_sealed(request)
        verdict = self._sign_in.judge(request.headers.get("authorization"))
        if verdict.user is None:
            return Response(401, headers=verdict.headers)
        if not self._tls:
            # Only the handshake's empty request may come unencrypted (AllowUnencrypted is false).
            return Response(500 if request.body else 200, headers=verdict.headers)
        status, body = await self._soap(request.body, verdict.user)
        return Response(status, body, headers=verdict.headers)

    async def _respond_sealed(self, request: Request) -> Response:
        authorization = request.headers.get("authorization")
        if authorization is None and self._sign_in.sealer is None:
            return Response(400)  # as Windows, when an encrypted client comes back on a fresh connection
        verdict = self._sign_in.judge(authorization)
        sealer = self._sign_in.sealer
        if sealer is None or verdict.user is None:
            return Response(401, headers=verdict.headers)
        try:
            plain = sealing.unseal(sealer, request.body)
        except (sealing.UnsealError, SpnegoError, ValueError):
            return Response(400, close=True)
        status, body = await self._soap(plain, verdict.user)
        return Response(status, sealing.seal(sealer, body), sealing.CONTENT_TYPE)

    async def _soap(self, body: bytes, user: str) -> tuple[int, bytes]:
        self._side.statistics.of(self._side.host, user).requests += 1
        message_id = ""
        try:
            envelope = soap.parse(body)
            message_id = envelope.message_id
            answer = await self._side.service.answer(envelope, user, self)
            if envelope.action == _RECEIVE:
                self._cut_share = self._side.faults.strike(Fault.CUT_RECEIVE, self._side.host)
            return 200, answer
        except soap.WsmanFault as fault:
            return 500, soap.fault_answer(fault, message_id, self._side.host)
        except (ClientGone, ConnectionError):
            raise
        except Exception as failure:
            # The border of the endpoint: a closed connection would take encrypted clients down with it.
            _log.exception("A request failed")
            internal = soap.internal_error(f"{type(failure).__name__}: {failure}")
            return 500, soap.fault_answer(internal, message_id, self._side.host)
