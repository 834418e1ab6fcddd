"""Network and channels as a simulated machine gives them to the daemon: counted, refused to the dead, and watched.

Owns the seam between one incarnation and the world. Must change nothing of what passes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext
from random import Random

from alertd.model.notification import Claim, Kind, NotificationRow
from alertd.model.outcome import Outcome
from alertd.ports import Channel, Http, HttpRequest, HttpResponse
from alertd_adapters.mqtt.connection import Broker, BrokerConnection, BrokerMessage, ConnectOptions
from alertd_simulator.world.life import Life
from alertd_simulator.world_http import SENDING

DYING_S = 0.1
"""A call that takes time is died in within this long of its beginning."""


class GuardedHttp:
    """See `ports.Http`."""

    def __init__(self, http: Http, life: Life, random: Random) -> None:
        self._http = http
        self._life = life
        self._random = random

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        port = "http.send" if request.method == "POST" else "http.read"
        trap = self._life.sprung(port)
        if trap is not None:
            why = f"{port} {self._life.calls[port]} {trap.crash.moment}"
            if trap.crash.moment == "before":
                self._life.die(why, trap.crash)
            elif trap.crash.moment == "during":
                loop = asyncio.get_running_loop()
                loop.call_later(self._random.random() * DYING_S, self._life.die, why, trap.crash)
        self._life.refuse_if_dead()
        try:
            response = await self._http.send(request, timeout_s=timeout_s)
        finally:
            if trap is not None and trap.crash.moment == "after":
                self._life.die(f"{port} {self._life.calls[port]} after", trap.crash)
        self._life.refuse_if_dead()
        return response


class GuardedBroker:
    """See `mqtt.connection.Broker`. `open_connections` are what the kernel resets when the process is killed."""

    def __init__(self, broker: Broker, life: Life) -> None:
        self._broker = broker
        self._life = life
        self.open_connections: list[BrokerConnection] = []

    @property
    def address(self) -> str:
        return self._broker.address

    async def connect(self, options: ConnectOptions) -> BrokerConnection:
        with self._life.passing("mqtt.connect"):
            connection = await self._broker.connect(options)
        self.open_connections.append(connection)
        return _GuardedConnection(connection, self._life)


class _GuardedConnection:
    def __init__(self, connection: BrokerConnection, life: Life) -> None:
        self._connection = connection
        self._life = life

    @property
    def session_present(self) -> bool:
        return self._connection.session_present

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        with self._life.passing("mqtt.subscribe"):
            return await self._connection.subscribe(filters)

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        with self._life.passing("mqtt.unsubscribe"):
            await self._connection.unsubscribe(filters)

    async def messages(self) -> AsyncIterator[BrokerMessage]:
        async for message in self._connection.messages():
            self._life.refuse_if_dead()
            yield message

    def ack(self, message: BrokerMessage) -> bool:
        with self._life.passing("mqtt.ack"):
            return self._connection.ack(message)

    async def publish(self, topic: str, payload: bytes, *, qos: int, expires_s: int | None = None) -> None:
        with self._life.passing("mqtt.publish"):
            await self._connection.publish(topic, payload, qos=qos, expires_s=expires_s)

    async def close(self) -> None:
        if self._life.alive:
            await self._connection.close()


class WatchedChannel:
    """See `ports.Channel`: tells when an attempt begins and how it ended, and marks whatever it sends as its own."""

    def __init__(
        self,
        channel: Channel,
        life: Life,
        began: Callable[[Claim, str], None],
        ended: Callable[[Claim, Outcome | None], None],
    ) -> None:
        self.name = channel.name
        self.kind = channel.kind
        self.limits = channel.limits
        self._channel = channel
        self._life = life
        self._began = began
        self._ended = ended

    async def send(self, claim: Claim) -> Outcome:
        with self._life.passing("channel.send"):
            pass
        page = claim.notification.kind is Kind.PAGE
        with self._life.passing("pa.send") if page else nullcontext():
            pass
        self._began(claim, self.name)
        mark = SENDING.set(claim.notification.id)
        outcome: Outcome | None = None
        try:
            outcome = await self._channel.send(claim)
        except Exception as error:  # the daemon contains it; here it is a defect of the adapter
            asyncio.get_running_loop().call_exception_handler({"message": "a channel raised", "exception": error})
            raise
        finally:
            SENDING.reset(mark)
            self._ended(claim, outcome)
        return outcome

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        with self._life.passing("channel.look_up"):
            pass
        return await self._channel.look_up(row)
