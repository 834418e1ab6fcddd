"""A wire tap between a client and its MQTT broker: relays every byte, and notes publishes and their acknowledgements.

Owns what went over the wire and when: the only honest witness of a PUBACK. It can also cut or stall the line. Must
never change a byte, and understands no more of MQTT than packet type, topic and packet id.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from msgspec import Struct

from alertd_simulator.loopback_server import LOOPBACK

PUBLISH = 3
PUBACK = 4
CHUNK_BYTES = 65_536


class Packet(Struct, frozen=True, kw_only=True):
    """A PUBLISH or PUBACK. `packet_id` 0: QoS 0."""

    at_us: int
    connection: int
    from_client: bool
    is_ack: bool
    packet_id: int
    topic: str = ""


class Tap:
    def __init__(self, upstream_port: int) -> None:
        self.port = 0
        self.packets: list[Packet] = []
        self.on_packet: list[Callable[[Packet], None]] = []
        """Called when a packet has been passed on."""
        self.cuts_before: Callable[[Packet], bool] = lambda _packet: False
        """Asked before a packet is passed on: yes cuts its connection, and the packet never arrives. What came in the
        same read goes with it."""
        self._upstream_port = upstream_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections = 0
        self._open = asyncio.Event()
        self._open.set()

    def acks_of(self, topic: str) -> list[Packet]:
        """PUBACKs by the client for what was delivered on this topic."""
        ids = {(p.connection, p.packet_id) for p in self.packets if p.topic == topic and not p.from_client}
        return [p for p in self.packets if p.is_ack and p.from_client and (p.connection, p.packet_id) in ids]

    def cut(self) -> None:
        """Reset every connection that stands."""
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self) -> None:
        """The line stays up, and nothing comes through any more."""
        self._open.clear()

    def resume(self) -> None:
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection."""
        self._connections += 1
        number = self._connections
        with suppress(OSError):
            upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, self._upstream_port)
            ends = {writer, upstream_writer}
            self._writers |= ends
            directions = [
                asyncio.create_task(self._relay(reader, upstream_writer, number, from_client=True)),
                asyncio.create_task(self._relay(upstream_reader, writer, number, from_client=False)),
            ]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in directions:
                    task.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
                self._writers -= ends
                upstream_writer.transport.abort()
        writer.transport.abort()

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, *, from_client: bool
    ) -> None:
        frames = _Frames()
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._open.wait()
                at_us = time.time_ns() // 1000
                packets = [_packet(at_us, number, frame, from_client=from_client) for frame in frames.feed(data)]
                known = [packet for packet in packets if packet is not None]
                if any(self.cuts_before(packet) for packet in known):
                    return
                writer.write(data)
                for packet in known:
                    self._note(packet)
                await writer.drain()

    def _note(self, packet: Packet) -> None:
        self.packets.append(packet)
        for listener in self.on_packet:
            listener(packet)


def _packet(at_us: int, connection: int, frame: tuple[int, bytes], *, from_client: bool) -> Packet | None:
    """The packet, if it is one we note."""
    header, body = frame
    kind, qos = header >> 4, (header >> 1) & 3
    topic, packet_id = "", int.from_bytes(body[:2])
    if kind == PUBLISH:
        length = packet_id
        topic = body[2 : 2 + length].decode(errors="replace")
        packet_id = int.from_bytes(body[2 + length : 4 + length]) if qos else 0
    elif kind != PUBACK:
        return None
    return Packet(
        at_us=at_us, connection=connection, from_client=from_client, is_ack=kind == PUBACK, packet_id=packet_id,
        topic=topic,
    )  # fmt: skip


class _Frames:
    """Splits a byte stream into MQTT packets: header byte, length of one to four bytes, body."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        self._buffer += data
        found = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    def _next(self) -> tuple[int, bytes] | None:
        length = 0
        for index in range(1, 5):
            if len(self._buffer) <= index:
                return None
            byte = self._buffer[index]
            length |= (byte & 0x7F) << (7 * (index - 1))
            if byte < 0x80:
                break
        else:
            raise ValueError("not MQTT: a length of more than four bytes")
        end = index + 1 + length
        if len(self._buffer) < end:
            return None
        header, body = self._buffer[0], bytes(self._buffer[index + 1 : end])
        del self._buffer[:end]
        return header, body


@asynccontextmanager
async def tapped(upstream_port: int) -> AsyncIterator[Tap]:
    """Listen on a free loopback port and relay to `upstream_port` until the block ends."""
    tap = Tap(upstream_port)
    server = await asyncio.start_server(tap.serve, LOOPBACK, 0)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()
        tap.cut()
        with suppress(TimeoutError):  # 3.12+ waits for handlers, and an aborted one is soon gone
            await asyncio.wait_for(server.wait_closed(), 2)
