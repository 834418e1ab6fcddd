"""Keeps one session connected: dial, serve, back off, again. Says once when it is lost and once when it is back.

Must never give up, and never hammer: the pause grows to its bound until a connection has stood for a while. Only one
thing cuts it short: another session of the same source got through, so the broker is back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from random import Random
from typing import NoReturn

import structlog

from alertd_adapters.mqtt.connection import Broker, BrokerConnection, ConnectionLostError, ConnectOptions

log = structlog.get_logger("alertd.mqtt")

STOOD_S = 10.0
"""A connection that lasted so long begins its back-off anew."""


class Backoff:
    """Exponential with jitter: each pause is between half of its bound and the whole."""

    def __init__(self, min_s: float, max_s: float, random: Random) -> None:
        self._min_s = min_s
        self._max_s = max_s
        self._random = random
        self._bound_s = min_s

    def next_s(self) -> float:
        bound_s = self._bound_s
        self._bound_s = min(self._bound_s * 2, self._max_s)
        return bound_s * (0.5 + self._random.random() / 2)

    def reset(self) -> None:
        self._bound_s = self._min_s


class BrokerSeen:
    """Shared by the sessions of one source: who gets through tells those who did not."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """Set when any session connects after this was asked for."""
        return self._next

    def tell(self) -> None:
        self._next.set()
        self._next = asyncio.Event()


class Reconnecting:
    """`serve` runs while a connection stands; `on_lost` is told the reason, again at each failed attempt."""

    def __init__(
        self, broker: Broker, options: ConnectOptions, backoff: Backoff, seen: BrokerSeen, *, session: str
    ) -> None:
        self._broker = broker
        self._options = options
        self._backoff = backoff
        self._seen = seen
        self._log = log.bind(session=session, broker=broker.address)
        self._is_up: bool | None = None

    async def run(
        self, serve: Callable[[BrokerConnection], Awaitable[None]], on_lost: Callable[[str], None]
    ) -> NoReturn:
        loop = asyncio.get_running_loop()
        while True:
            seen: asyncio.Event | None = self._seen.next
            try:
                connection = await self._broker.connect(self._options)
                # Who was let in and then lost it waits its whole pause: two such sessions would chase each other.
                seen = None
                self._seen.tell()
                connected_at = loop.time()
                self._note(is_up=True, why="")
                try:
                    await serve(connection)
                finally:
                    await connection.close()
                    if loop.time() - connected_at >= STOOD_S:
                        self._backoff.reset()
            except ConnectionLostError as error:
                self._note(is_up=False, why=str(error))
                on_lost(str(error))
            await self._pause(seen)

    async def _pause(self, seen: asyncio.Event | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next_s()):
                await (seen or asyncio.Event()).wait()

    def _note(self, *, is_up: bool, why: str) -> None:
        if is_up == self._is_up:
            return
        self._is_up = is_up
        if is_up:
            self._log.info("mqtt_connected")
        else:
            self._log.warning("mqtt_connection_lost", why=why, effect="retrying")
