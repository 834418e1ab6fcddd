"""Publishes presses and telemetry: MQTT 3.1.1 by hand, for a client library would cost more than what is measured."""

import asyncio
import struct
from typing import Self

KEEP_ALIVE_S = 600


def _field(value: bytes) -> bytes:
    return struct.pack("!H", len(value)) + value


def _packet(kind: int, body: bytes) -> bytes:
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (128 if length else 0))
        if not length:
            return bytes((kind,)) + bytes(encoded) + body


def press_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    """PUBLISH at QoS 1."""
    return _packet(0x32, _field(topic.encode()) + struct.pack("!H", packet_id) + payload)


def telemetry_packet(topic: str, payload: bytes) -> bytes:
    """PUBLISH at QoS 0."""
    return _packet(0x30, _field(topic.encode()) + payload)


class Presser:
    """One connection. Reads and forgets what the broker answers."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = _field(b"MQTT") + bytes((4, 2)) + struct.pack("!H", KEEP_ALIVE_S) + _field(b"bench-presser")
        self._writer.write(_packet(0x10, body))
        connack = await reader.readexactly(4)
        assert connack == b"\x20\x02\x00\x00", f"the broker refused us: {connack!r}"
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(65_536):
            pass

    def write(self, packets: bytes) -> None:
        self._writer.write(packets)

    async def flushed(self) -> None:
        await self._writer.drain()
