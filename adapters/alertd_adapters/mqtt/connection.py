"""The narrow door to a broker: what the adapter needs of an MQTT client, and nothing else.

`paho_connection` implements it over a socket; the simulated world implements it in memory (`extra["mqtt_broker"]`).
A `BrokerConnection` is one life of one TCP connection: it is never reconnected, so an ack can only ever reach the
connection that delivered its message. Nothing here decides when to acknowledge; `source` does.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct

SESSION_NEVER_EXPIRES = 0xFFFFFFFF
"""MQTT 5: the broker keeps the session until somebody deletes it."""


class ConnectionLostError(Exception):
    """The connection does not stand (any more), or never stood. The message says why, for people."""


class PublishRefusedError(Exception):
    """The broker said no to one publication (MQTT 5 only: 3.1.1 drops it in silence); the connection stands."""


class Credentials(Struct, frozen=True, kw_only=True):
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r}, password=…)"


class ConnectOptions(Struct, frozen=True, kw_only=True):
    """How a session introduces itself.

    `persistent`: the broker keeps the session, its subscriptions and what arrives while nobody is connected.
    `window`: unacknowledged messages that the session takes; then it stops reading, and TCP holds the broker back. It
    is not told to the broker (MQTT 5, Receive Maximum): mosquitto 2.0.11 oversteps it, and counts messages of QoS 0
    that had waited among them, which nobody ever acknowledges. As many of those, and no press behind them comes.
    """

    client_id: str
    persistent: bool
    credentials: Credentials | None = None
    keepalive_s: int = 15
    window: int = 2000


class BrokerMessage(Struct, frozen=True, kw_only=True):
    """One PUBLISH packet as it arrived."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    dup: bool = False
    mid: int = 0


class BrokerConnection(Protocol):
    """A connection that stands, until it is lost or closed. Then every method raises `ConnectionLostError`, except
    `ack`, which does nothing: a stale ack must not reach anybody."""

    @property
    def session_present(self) -> bool:
        """The broker remembered this client: subscriptions stand, and what waited is coming."""
        ...

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        """Topic filters with the wanted QoS; answers the granted ones, ≥ 128 = refused."""
        ...

    async def unsubscribe(self, filters: Sequence[str]) -> None: ...

    def messages(self) -> AsyncIterator[BrokerMessage]:
        """What arrives, from the moment of connecting. What was read before the loss is still handed out, then
        `ConnectionLostError`. While the reader is behind, the socket is not read either."""
        ...

    def ack(self, message: BrokerMessage) -> bool:
        """PUBACK, by the reader's own decision. Never before the press is committed (promise 1). Was it sent? Not over
        a lost connection, of which the reader may not know yet."""
        ...

    async def publish(self, topic: str, payload: bytes, *, qos: int, expires_s: int | None = None) -> None:
        """Completes with the broker's PUBACK (QoS 1); raises `PublishRefusedError` if it says no. `expires_s` is
        MQTT 5 message expiry; 3.1.1 ignores it."""
        ...

    async def close(self) -> None:
        """Idempotent. What was not acknowledged is delivered again to the next connection of the session."""
        ...


class Broker(Protocol):
    """A way to make connections: an address with its TLS and protocol, or a simulated broker."""

    @property
    def address(self) -> str:
        """For people: "mqtt.example.org:8883"."""
        ...

    async def connect(self, options: ConnectOptions) -> BrokerConnection:
        """Raises `ConnectionLostError`. A connection with the same client id that still stands is taken over."""
        ...
