"""The lab's control port: a very small HTTP server on loopback, for tests and for the console's lab menu.

``GET /world`` is the truth, ``POST /fault`` throws a fault of the world or of the wire, ``POST /advance`` moves manual
time. One request a connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from console.clock import ManualClock
from console.lab.endpoint.faults import Fault, FaultBoard
from console.lab.world.cluster import LabCluster
from console.lab.world.faults import FaultError, WorldFaults, world_fault_fields
from console.lab.world.service import ClusterRefusal
from console.lab.world.truth import world_document

LOOPBACK = "127.0.0.1"
_MOST_BYTES = 1_000_000
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 409: "Conflict"}


class BadRequest(ValueError):
    """The request can not be served; the text says why."""


async def advance(cluster: LabCluster, seconds: float) -> None:
    """Move manual time forward, stopping at every event so that all who wait act at their own moment.

    Raises:
        BadRequest: the lab's time is not manual.
    """
    clock = cluster.clock
    if not isinstance(clock, ManualClock):
        raise BadRequest("the lab's time runs by itself; start it with speed 0 to move it by hand")
    target = clock.elapsed_s() + seconds
    while clock.elapsed_s() < target:
        await _settle()
        wake = clock.next_wake_s()
        step = target if wake is None else max(min(wake, target), clock.elapsed_s())
        clock.advance(step - clock.elapsed_s())
        cluster.advance()
    await _settle()


async def _settle() -> None:
    """Let everyone run who can."""
    for _ in range(20):
        await asyncio.sleep(0)


class ControlPort:
    """Serves one lab."""

    def __init__(self, cluster: LabCluster, board: FaultBoard | None = None) -> None:
        self._cluster = cluster
        self._faults = WorldFaults(cluster)
        self._board = board
        self._server: asyncio.Server | None = None
        self._routes: Mapping[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "/world"): lambda body: world_document(cluster),
            ("GET", "/faults"): lambda body: self._known_faults(),
            ("POST", "/fault"): self._throw,
            ("POST", "/advance"): self._advance,
        }

    async def start(self, port: int = 0) -> str:
        """Listen; the address of the port."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, port)
        number = self._server.sockets[0].getsockname()[1]
        return f"http://{LOOPBACK}:{number}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _known_faults(self) -> object:
        wire = {fault.value: ["amount", "host", "lift", "strikes"] for fault in Fault}
        return {"world": world_fault_fields(), "wire": dict(sorted(wire.items())) if self._board is not None else {}}

    def _throw(self, body: Any) -> object:
        if not isinstance(body, dict):
            raise BadRequest("a fault is a JSON object with a kind")
        wire = {fault.value: fault for fault in Fault}
        kind = str(body.get("kind", ""))
        if kind in wire:
            self._throw_at_wire(wire[kind], body)
        elif kind == "lift-all" and self._board is not None:
            self._board.lift_all()
        else:
            self._faults.throw(body)
            self._carry_over(kind, body)
        return {"thrown": kind}

    def _carry_over(self, kind: str, body: Mapping[str, Any]) -> None:
        """A host that dies takes its WinRM with it, and brings it back."""
        host = self._cluster.world.host(str(body.get("host", "")))
        if self._board is None or host is None:
            return
        if kind == "host-down":
            self._board.throw(Fault.REFUSE, host.name)
        elif kind == "host-up":
            self._board.lift(Fault.REFUSE, host.name)

    def _throw_at_wire(self, fault: Fault, body: Mapping[str, Any]) -> None:
        if self._board is None:
            raise BadRequest("this lab has no wire")
        unknown = sorted(set(body) - {"kind", "host", "lift", "amount", "strikes"})
        if unknown:
            raise BadRequest(f"a fault of the wire knows nothing of {', '.join(unknown)}")
        named = str(body.get("host", ""))
        known = self._cluster.world.host(named) if named else None
        if named and known is None:
            raise BadRequest(f"no host {named!r}")
        host = "" if known is None else known.name
        if body.get("lift"):
            self._board.lift(fault, host)
            return
        amount, strikes = body.get("amount"), body.get("strikes")
        self._board.throw(
            fault,
            host,
            amount=None if amount is None else float(amount),
            strikes=None if strikes is None else int(strikes),
        )

    async def _advance(self, body: Any) -> object:
        seconds = float(body["seconds"]) if isinstance(body, dict) and "seconds" in body else None
        if seconds is None or seconds < 0:
            raise BadRequest('advance needs {"seconds": a number that is not negative}')
        await advance(self._cluster, seconds)
        return {"time_s": self._cluster.advance()}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            status, document = await self._answer(reader)
            text = json.dumps(document).encode()
            head = (
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + text)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, object]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, *_ = [*head.split("\r\n", 1)[0].split(" "), "", ""]
        route = self._routes.get((method, path.split("?")[0]))
        if route is None:
            return 404, {"error": f"no {method} {path}; there are GET /world, GET /faults, POST /fault, POST /advance"}
        try:
            answer = route(await _body(reader, head))
            return 200, await answer if asyncio.iscoroutine(answer) else answer
        except ClusterRefusal as refusal:
            return 409, {"error": refusal.message, "code": refusal.code}
        except (BadRequest, FaultError, ValueError, TypeError) as error:
            return 400, {"error": str(error)}


async def _body(reader: asyncio.StreamReader, head: str) -> Any:
    lengths = [line.split(":", 1)[1] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
    length = int(lengths[0]) if lengths else 0
    if length > _MOST_BYTES:
        raise BadRequest("the body is too long")
    return json.loads(await reader.readexactly(length)) if length else {}
