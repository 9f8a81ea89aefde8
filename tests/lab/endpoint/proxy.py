"""A TCP proxy between client and lab that cuts where it is told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType


class CuttingProxy:
    """Forwards to one port. ``cut_after`` bytes of an answer it cuts both sides, once; ``swallow`` forwards none."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut_after: int | None = None
        self.swallow = False
        self.cuts = 0
        self.connections = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> CuttingProxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Cut every connection now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, server_writer}
        for source, sink, answering in ((reader, server_writer, False), (server_reader, writer, True)):
            task = asyncio.create_task(self._pump(source, sink, answering))
            self._tasks.add(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, answering: bool) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if answering and self.swallow:
                    continue
                if answering and self.cut_after is not None:
                    part = data[: self.cut_after]
                    self.cut_after = self.cut_after - len(part) or None
                    sink.write(part)
                    if self.cut_after is None:
                        self.cuts += 1
                        await asyncio.sleep(0)
                        self.cut_all()
                        return
                    continue
                sink.write(data)
        sink.close()
