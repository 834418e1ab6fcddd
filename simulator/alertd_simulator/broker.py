"""An MQTT broker in memory: the adapter's narrow door (`mqtt.connection`) without a socket, and with a broker's faults.

Owns sessions, retained messages and delivery: at QoS 1 a message is kept until it is acknowledged by the connection
that delivered it, and delivered again (DUP) to the session's next connection, never on the same one. Packet ids start
anew with each connection and are reused, as real brokers reuse them: an ack of an old connection must find nothing.
Must not decode what it carries.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from alertd_adapters.mqtt.connection import BrokerMessage, ConnectionLostError, ConnectOptions, PublishRefusedError

QUEUE_MAX = 100_000
"""Messages a session keeps while nobody is connected; more is a broken run."""
REFUSED = 0x80


class Published(Struct, frozen=True, kw_only=True):
    """One PUBLISH that the broker took."""

    at_s: float
    topic: str
    payload: bytes
    qos: int
    client_id: str
    expires_s: int | None = None


class _Session:
    """What the broker remembers of one client. It outlives connections if it is persistent."""

    def __init__(self, *, persistent: bool) -> None:
        self.persistent = persistent
        self.filters: dict[str, int] = {}
        self.queue: deque[BrokerMessage] = deque()
        """Not yet delivered to the standing connection, or to nobody at all."""
        self.connection: SimulatedConnection | None = None


class SimulatedConnection:
    """One life of one connection. Implements `BrokerConnection`."""

    def __init__(self, broker: "SimulatedBroker", session: _Session, options: ConnectOptions, *, present: bool) -> None:
        self.session_present = present
        self.options = options
        self.under_way: dict[int, BrokerMessage] = {}
        """Delivered, unacknowledged."""
        self._broker = broker
        self._session = session
        self._lost = ""
        self._inbox: asyncio.Queue[BrokerMessage | None] = asyncio.Queue()
        self._mid = 0

    # --- what the adapter calls

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        await self._cross()
        granted = tuple(self._subscribe(topic_filter, qos) for topic_filter, qos in filters)
        self.pump()
        return granted

    def _subscribe(self, topic_filter: str, qos: int) -> int:
        if topic_filter in self._broker.forbidden_filters:
            return REFUSED
        self._session.filters[topic_filter] = qos
        for message in self._broker.retained.values():
            if matches(topic_filter, message.topic):
                self._session.queue.append(replace(message, qos=min(message.qos, qos), retain=True))
        return qos

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        await self._cross()
        for topic_filter in filters:
            self._session.filters.pop(topic_filter, None)

    async def messages(self) -> AsyncIterator[BrokerMessage]:
        while (message := await self._inbox.get()) is not None:
            yield message
        self._inbox.put_nowait(None)
        raise ConnectionLostError(self._lost)

    def ack(self, message: BrokerMessage) -> None:
        if self._lost:
            return
        self._broker.acks.append(message)
        self.under_way.pop(message.mid, None)
        self.pump()

    async def publish(self, topic: str, payload: bytes, *, qos: int, expires_s: int | None = None) -> None:
        await self._cross()
        if topic in self._broker.forbidden_topics:
            raise PublishRefusedError(f"not authorized to publish to {topic}")
        self._broker.publish(topic, payload, qos=qos, client_id=self.options.client_id, expires_s=expires_s)

    async def close(self) -> None:
        self.lose("closed by the client")

    async def _cross(self) -> None:
        """To the broker and back."""
        if self._lost:
            raise ConnectionLostError(self._lost)
        await asyncio.sleep(self._broker.latency_s())
        if self._lost:
            raise ConnectionLostError(self._lost)

    # --- what the broker calls

    def pump(self) -> None:
        """Deliver what waits, up to the client's window."""
        while self._session.queue and len(self.under_way) < self.options.receive_maximum:
            message = self._session.queue.popleft()
            if message.qos:
                self._mid += 1
                message = replace(message, mid=self._mid)
                self.under_way[self._mid] = message
            asyncio.get_running_loop().call_later(self._broker.latency_s(), self._arrive, message)

    def _arrive(self, message: BrokerMessage) -> None:
        if not self._lost:
            self._inbox.put_nowait(message)
            if self._broker.duplicates():
                self._inbox.put_nowait(replace(message, dup=True))

    def lose(self, why: str) -> None:
        if self._lost:
            return
        self._lost = why
        self._inbox.put_nowait(None)
        unacknowledged = [replace(message, dup=True, mid=0) for message in self.under_way.values()]
        self.under_way.clear()
        self._session.connection = None
        self._session.queue.extendleft(reversed(unacknowledged))
        self._broker.forget_if_clean(self.options.client_id)


class SimulatedBroker:
    """Implements `Broker`, and is the tests' handle on it: `publish`, `restart`, `drop_connections`, `is_up`."""

    address = "simulated broker"

    def __init__(self, *, latency_s: Callable[[], float] = lambda: 0.001) -> None:
        self.latency_s = latency_s
        """One crossing, asked for each; jitter reorders messages."""
        self.duplicates: Callable[[], bool] = lambda: False
        """Asked for each delivery: does it arrive twice on this connection?"""
        self.is_up = True
        self.forbidden_filters: set[str] = set()
        self.forbidden_topics: set[str] = set()
        """The ACL: what alertd may not subscribe to, and not publish to."""
        self.retained: dict[str, BrokerMessage] = {}
        self.published: list[Published] = []
        self.acks: list[BrokerMessage] = []
        """PUBACKs that reached the connection which delivered."""
        self._sessions: dict[str, _Session] = {}

    async def connect(self, options: ConnectOptions) -> SimulatedConnection:
        await asyncio.sleep(self.latency_s())
        if not self.is_up:
            raise ConnectionLostError("connection refused: the broker is down")
        session = self._sessions.get(options.client_id)
        if session is not None and session.connection is not None:
            session.connection.lose("another connection took the session over")
        session = self._sessions.get(options.client_id)
        present = session is not None and options.persistent
        if session is None or not present:
            session = self._sessions[options.client_id] = _Session(persistent=options.persistent)
        session.connection = SimulatedConnection(self, session, options, present=present)
        session.connection.pump()
        return session.connection

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        client_id: str = "device",
        expires_s: int | None = None,
    ) -> None:
        """A device publishes; returning is its PUBACK. Raises while the broker is down, as the device would see."""
        if not self.is_up:
            raise ConnectionLostError("connection refused: the broker is down")
        at_s = asyncio.get_running_loop().time()
        self.published.append(
            Published(at_s=at_s, topic=topic, payload=payload, qos=qos, client_id=client_id, expires_s=expires_s)
        )
        message = BrokerMessage(topic=topic, payload=payload, qos=qos)
        if retain:
            self._retain(message)
        for session in self._sessions.values():
            granted = [level for topic_filter, level in session.filters.items() if matches(topic_filter, topic)]
            if granted and (session.connection or (session.persistent and qos)):
                assert len(session.queue) < QUEUE_MAX, f"a session queues more than {QUEUE_MAX} messages"
                session.queue.append(replace(message, qos=min(qos, max(granted))))
                if session.connection:
                    session.connection.pump()

    def _retain(self, message: BrokerMessage) -> None:
        if message.payload:
            self.retained[message.topic] = message
        else:
            self.retained.pop(message.topic, None)

    # --- faults

    def drop_connections(self, why: str = "connection reset by peer") -> None:
        for session in list(self._sessions.values()):
            if session.connection:
                session.connection.lose(why)

    def stop(self) -> None:
        self.is_up = False
        self.drop_connections("the broker went down")

    def start(self, *, with_state: bool = True) -> None:
        """`with_state=False`: it was killed, and its sessions, queues and retained messages were in memory only."""
        if not with_state:
            self._sessions.clear()
            self.retained.clear()
        self.is_up = True

    def forget_if_clean(self, client_id: str) -> None:
        session = self._sessions.get(client_id)
        if session is not None and not session.persistent:
            del self._sessions[client_id]

    def unacknowledged(self, client_id: str) -> int:
        """Messages the broker still holds for a client."""
        session = self._sessions.get(client_id)
        if session is None:
            return 0
        return len(session.queue) + (len(session.connection.under_way) if session.connection else 0)


def matches(topic_filter: str, topic: str) -> bool:
    """MQTT's wildcards; `$`-topics only by a filter that begins with `$`."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    if given[0].startswith("$") and not wanted[0].startswith("$"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given) or level not in {"+", given[index]}:
            return False
    return len(wanted) == len(given)
