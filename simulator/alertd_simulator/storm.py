"""A storm: every device of a district pressed at once, over real MQTT and as fast as the broker takes it.

Owns how presses are put on the wire and counted. Each press is one message with a counter of its own, so that what
arrives can be told apart and what is lost can be named.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

import aiomqtt
from msgspec import Struct

from alertd_simulator.devices import Badge, Payload
from alertd_simulator.loopback_server import LOOPBACK

CONNECTIONS = 10
IN_FLIGHT_MAX = 200
"""Unacknowledged publications of one connection."""
PUBACK_WAIT_S = 60.0


class StormResult(Struct, frozen=True, kw_only=True):
    presses: tuple[Payload, ...]
    """Those whose PUBACK came: the broker has them."""
    seconds: float


def storm_of(devices: Sequence[str], presses: int, *, count: int = 8) -> Iterator[Payload]:
    """`presses` messages, round-robin over the devices; each says `count` presses of its gesture."""
    badges = [Badge(device_id) for device_id in devices]
    for number in range(presses):
        yield badges[number % len(badges)].press(count)


async def blow(
    presses: Sequence[Payload],
    port: int,
    *,
    host: str = LOOPBACK,
    username: str | None = None,
    password: str | None = None,
) -> StormResult:
    """Publish them all, QoS 1, over several connections; every PUBACK is awaited."""
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                aiomqtt.Client(
                    host, port, protocol=aiomqtt.ProtocolVersion.V5, max_inflight_messages=IN_FLIGHT_MAX,
                    timeout=PUBACK_WAIT_S, username=username, password=password,
                )
            )
            for _ in range(CONNECTIONS)
        ]  # fmt: skip
        async with asyncio.TaskGroup() as group:
            for number, client in enumerate(clients):
                client.pending_calls_threshold = IN_FLIGHT_MAX  # more of them waiting would be logged, each
                group.create_task(_publish(client, presses[number::CONNECTIONS]))
    return StormResult(presses=tuple(presses), seconds=time.monotonic() - began)


async def _publish(client: aiomqtt.Client, presses: Sequence[Payload]) -> None:
    room = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def one(press: Payload) -> None:
        async with room:
            await client.publish(press.topic, press.payload, qos=1, timeout=PUBACK_WAIT_S)

    async with asyncio.TaskGroup() as group:
        for press in presses:
            group.create_task(one(press))
