"""The network between the daemon and one server: a real TCP connection that can be cut, plugged in again, or go dead.

Owns bytes only. What it forwards is what the server got; what it holds back is what the network lost.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from alertd_simulator.loopback_server import LOOPBACK, free_port

CHUNK_BYTES = 64 * 1024


class Cable:
    """`url` is what the daemon calls; it always leads to the same port."""

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        assert parts.port is not None
        self._to = parts.port
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}"
        self.swallows_answers = False
        """Requests reach the server, and nothing comes back."""
        self._server: asyncio.Server | None = None
        self._flows: set[asyncio.Task[None]] = set()

    async def plug_in(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self._port)

    async def cut(self) -> None:
        """Nobody listens any more, and what is under way breaks off."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        flows = tuple(self._flows)
        for flow in flows:
            flow.cancel()
        await asyncio.gather(*flows, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._flows.add(task)
        try:
            from_server, to_server = await asyncio.open_connection(LOOPBACK, self._to)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._flow(reader, to_server, are_answers=False))
                    group.create_task(self._flow(from_server, writer, are_answers=True))
            finally:
                to_server.transport.abort()
        except (OSError, asyncio.CancelledError, ExceptionGroup):
            pass  # the connection is what breaks; nobody else is to know
        finally:
            writer.transport.abort()
            self._flows.discard(task)

    async def _flow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, are_answers: bool) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if are_answers and self.swallows_answers:
                continue
            writer.write(chunk)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()


@asynccontextmanager
async def plugged_in(server_url: str) -> AsyncIterator[Cable]:
    cable = Cable(server_url)
    await cable.plug_in()
    try:
        yield cable
    finally:
        await cable.cut()
