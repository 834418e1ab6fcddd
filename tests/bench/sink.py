"""Receives webhooks and says when: HTTP/1.1 by hand, so that the sink is not what is measured."""

import asyncio
import re
import time
from collections import Counter
from typing import Self

DEVICE = re.compile(rb"bench-(\d{6})")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
NO_TEXTS = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"messages":[]}'
"""For the poll that asks the carrier for replies."""


class Sink:
    """Listens on a free loopback port. Arrivals by the number of the device that pressed."""

    def __init__(self) -> None:
        self.arrived: dict[int, float] = {}
        """When, by the monotonic clock; of several, the first."""
        self.again: Counter[int] = Counter()
        """How often after the first."""
        self.away = False
        """It answers 503 and takes nothing."""
        self._news = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    def take(self, body: bytes) -> None:
        found = DEVICE.search(body)
        if found is None:
            return
        number = int(found[1])
        if number in self.arrived:
            self.again[number] += 1
        else:
            self.arrived[number] = time.monotonic()
            self._news.set()

    async def wait_for(self, numbers: range, timeout_s: float) -> int:
        """Until each of them has arrived. How many have not when nothing more came for that long."""
        return await self.wait_until(len(numbers), of=numbers, timeout_s=timeout_s, pause_s=0.02)

    async def wait_until(self, count: int, *, of: range, timeout_s: float, pause_s: float = 0.0) -> int:
        """Until so many of them have arrived. How many lack when nothing more came for that long. The pause between
        two looks is for many numbers: a look at all of them is not for every arrival."""
        while (lacking := count - sum(number in self.arrived for number in of)) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
                await asyncio.sleep(pause_s)
            except TimeoutError:
                return lacking
        return 0


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head_end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:head_end]
            length = LENGTH.search(head)
            end = head_end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < end:
                return
            if self._sink.away:
                self._transport.write(AWAY)
            elif head.startswith(b"POST /hook "):
                self._sink.take(self._buffer[head_end + 4 : end])
                self._transport.write(EMPTY)
            else:
                self._transport.write(NO_TEXTS)
            self._buffer = self._buffer[end:]
