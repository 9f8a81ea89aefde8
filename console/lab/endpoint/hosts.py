"""One simulated host on the network: its ports, its open connections, its share of the faults."""

from __future__ import annotations

import asyncio
import socket
import ssl

from console.lab.endpoint.certificates import LOOPBACK
from console.lab.endpoint.connections import Connection, HostSide
from console.lab.endpoint.faults import Fault
from console.lab.endpoint.http import WatchedReader
from console.lab.endpoint.traits import Traits

_BACKLOG = 128
_FAREWELL_S = 2.0
"""How long a TLS connection that ends waits for the other side to say so too; clients look only when they ask again."""


class Port:
    """A listening port that can refuse for a while without losing its number.

    A socket that is bound but does not listen makes the kernel refuse, and keeps others away.
    """

    def __init__(self, host: Host, context: ssl.SSLContext | None) -> None:
        self._host = host
        self._context = context
        self._server: asyncio.Server | None = None
        self._held: socket.socket | None = None
        self._reopening: asyncio.Task[None] | None = None
        self.number = 0

    async def open(self, number: int) -> None:
        """Listen on this port, or on a free one when it is 0.

        Raises:
            OSError: the port is taken.
        """
        held = _bound(number)
        self.number = held.getsockname()[1]
        await self._serve(held)

    def refuse(self) -> None:
        """Stop listening, keep the number."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._held = _bound(self.number)

    def accept(self) -> None:
        """Listen again; connections that come at once wait in the kernel."""
        held, self._held = self._held, None
        if held is not None:
            held.listen(_BACKLOG)
            self._reopening = asyncio.get_running_loop().create_task(self._serve(held))

    async def close(self) -> None:
        """Give the port up."""
        if self._reopening is not None:
            await self._reopening
        if self._server is not None:
            self._server.close()
        if self._held is not None:
            self._held.close()

    async def _serve(self, held: socket.socket) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(WatchedReader(loop), self._accepted, loop=loop)

        farewell_s = None if self._context is None else _FAREWELL_S
        self._server = await loop.create_server(
            protocol, sock=held, ssl=self._context, backlog=_BACKLOG, ssl_shutdown_timeout=farewell_s
        )

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, WatchedReader)
        self._host.accept(reader, writer, tls=self._context is not None)


def _bound(number: int) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((LOOPBACK, number))
        held.setblocking(False)
    except OSError:
        held.close()
        raise
    return held


class Host:
    """A host's ports and connections."""

    def __init__(self, side: HostSide, traits: Traits, context: ssl.SSLContext | None, *, http: bool) -> None:
        self.side = side
        self.https = Port(self, context) if context is not None else None
        self.http = Port(self, None) if http else None
        self._traits = traits
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._idle_watch: asyncio.Task[None] | None = None
        side.faults.subscribe(self._fault_changed)

    @property
    def ports(self) -> list[Port]:
        return [port for port in (self.https, self.http) if port is not None]

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def start(self) -> None:
        """Begin to watch for idle connections, and obey what was thrown before."""
        self._watch_idle()
        if self.side.faults.amount(Fault.REFUSE, self.side.host) is not None:
            self._refuse()

    def accept(self, reader: WatchedReader, writer: asyncio.StreamWriter, *, tls: bool) -> None:
        """Serve a new connection."""
        connection = Connection(self.side, reader, writer, tls=tls)
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._connections[connection] = task
        task.add_done_callback(lambda _: self._connections.pop(connection, None))

    async def stop(self) -> None:
        """End everything of this host."""
        for port in self.ports:
            await port.close()
        running = [*self._connections.values(), *(task for shell in self.side.service.shells for task in shell.tasks)]
        if self._idle_watch is not None:
            running.append(self._idle_watch)
        self.side.service.shells.drop_all()
        for connection in list(self._connections):
            connection.abort()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _fault_changed(self, fault: Fault, host: str, thrown: bool) -> None:
        if host not in {"", self.side.host}:
            return
        if fault is Fault.REFUSE:
            self._refuse() if thrown else self._accept()
        elif fault is Fault.SHELL_GONE and thrown:
            self.side.service.shells.drop_all()
        elif fault is Fault.IDLE_CLOSE:
            self._watch_idle()

    def _refuse(self) -> None:
        for port in self.ports:
            port.refuse()
        for connection in list(self._connections):
            connection.abort()

    def _accept(self) -> None:
        for port in self.ports:
            port.accept()

    def _idle_limit(self) -> float | None:
        thrown = self.side.faults.amount(Fault.IDLE_CLOSE, self.side.host)
        return self._traits.idle_close_s if thrown is None else thrown

    def _watch_idle(self) -> None:
        if self._idle_watch is not None:
            self._idle_watch.cancel()
            self._idle_watch = None
        limit = self._idle_limit()
        if limit is not None:
            self._idle_watch = asyncio.get_running_loop().create_task(self._close_idle(limit))

    async def _close_idle(self, limit: float) -> None:
        clock = self.side.clock
        while True:
            now = clock.elapsed_s()
            wake = now + limit
            for connection in list(self._connections):
                since = connection.idle_since_s
                if since is None:
                    continue
                if since + limit <= now:
                    connection.close_idle()
                else:
                    wake = min(wake, since + limit)
            await clock.sleep_until(wake)
