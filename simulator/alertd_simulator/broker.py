"""An MQTT broker in memory: the adapter's narrow door (`mqtt.connection`) without a socket, and with a broker's faults.

Owns sessions, retained messages and the numbers by which a message is known for good. At QoS 1 a message is kept until
it is acknowledged by the connection that delivered it. Packet ids start anew with each connection and are reused, as
brokers reuse them after a restart: an ack of an old connection must find nothing. Must not decode what it carries.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from alertd_adapters.mqtt.connection import BrokerMessage, ConnectionLostError, ConnectOptions
from alertd_simulator.broker_connection import Session, SimulatedConnection, Waiting
from alertd_simulator.world.plan import BrokerTricks

__all__ = ["Published", "SimulatedBroker", "SimulatedConnection", "matches"]

QUEUE_MAX = 100_000
"""Messages a session keeps while nobody is connected; more is a broken run."""
TOPICS_KEPT = 16_384
"""Filters and topics of which it is kept whether they match: every message of a day is asked about each filter."""
DEVICE, REPLAYER = "device", "replayer"
"""Client ids of those who publish: any device, and who publishes old messages again."""


class Published(Struct, frozen=True, kw_only=True):
    """One PUBLISH that the broker took."""

    at_s: float
    topic: str
    payload: bytes
    qos: int
    client_id: str
    expires_s: int | None = None
    number: int = 0
    """Names it for good, however often it is delivered."""
    retain: bool = False


class SimulatedBroker:
    """Implements `Broker`, and is the tests' handle on it: `publish`, `stop`, `start`, `forget`, `drop_connections`,
    `replay`, `tricks`. The lists of callables are called as things happen."""

    address = "simulated broker"

    def __init__(self, *, latency_s: Callable[[], float] = lambda: 0.001, random: Random | None = None) -> None:
        self.latency_s = latency_s
        """One crossing, asked for each."""
        self.random = random or Random("broker")
        self.tricks: BrokerTricks | None = None
        self.duplicates: Callable[[], bool] = lambda: False
        """Asked for each delivery: does it arrive twice on this connection?"""
        self.renumbers = True
        """False: what is delivered again keeps its packet id, as the standard asks of a broker that kept its state."""
        self.queues_qos0 = False
        """As mosquitto's `queue_qos0_messages`, which our mosquitto.conf sets."""
        self.is_up = True
        self.forbidden_filters: set[str] = set()
        self.forbidden_topics: set[str] = set()
        """The ACL: what alertd may not subscribe to, and not publish to."""
        self.retained: dict[str, BrokerMessage] = {}
        self.published: list[Published] = []
        self.acks: list[BrokerMessage] = []
        """PUBACKs that reached the connection which delivered."""
        self.violations: list[str] = []
        """What no client may do, and real brokers do not forgive."""
        self.on_published: list[Callable[[Published], None]] = []
        self.on_arrived: list[Callable[[int, int, int, bool, bool], None]] = []
        """Number, connection, packet id, dup, retain: put into the client's hands."""
        self.on_acked: list[Callable[[int, int], None]] = []
        """Number and connection: the broker will not deliver it again. Copies of retained messages are not told of:
        the broker keeps what it retains, acknowledged or not."""
        self.on_forgot: list[Callable[[tuple[int, ...], str], None]] = []
        """Numbers that nobody will get from here any more, and why."""
        self._sessions: dict[str, Session] = {}
        self._retained_numbers: dict[str, int] = {}
        self._connections = 0

    async def connect(self, options: ConnectOptions) -> SimulatedConnection:
        await asyncio.sleep(self.crossing_s())
        if not self.is_up:
            raise ConnectionLostError("connection refused: the broker is down")
        session = self._sessions.get(options.client_id)
        if session is not None and session.connection is not None:
            session.connection.lose("another connection took the session over")
        session = self._sessions.get(options.client_id)
        present = session is not None and options.persistent
        if session is None or not present:
            if session is not None:
                self.tell_forgot(session.numbers(), "the client asked for a clean session")
            session = self._sessions[options.client_id] = Session(persistent=options.persistent)
        session.connection = SimulatedConnection(self, session, options, present=present)
        session.connection.pump()
        return session.connection

    @property
    def next_number(self) -> int:
        """What the next message that the broker takes will be called."""
        return len(self.published) + 1

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        client_id: str = DEVICE,
        expires_s: int | None = None,
    ) -> int:
        """A device publishes; returning is its PUBACK, with the message's number. Raises while the broker is down, as
        the device would see."""
        if not self.is_up:
            raise ConnectionLostError("connection refused: the broker is down")
        published = Published(
            at_s=asyncio.get_running_loop().time(), topic=topic, payload=payload, qos=qos, client_id=client_id,
            expires_s=expires_s, number=self.next_number, retain=retain,
        )  # fmt: skip
        self.published.append(published)
        for listener in self.on_published:
            listener(published)
        message = BrokerMessage(topic=topic, payload=payload, qos=qos)
        if retain:
            self._retain(message, published.number)
        takers = [self._queue(session, message, published.number) for session in list(self._sessions.values())]
        if not any(takers):
            self.tell_forgot((published.number,), "no session takes it")
        return published.number

    def _queue(self, session: Session, message: BrokerMessage, number: int) -> bool:
        """Does the session take it?"""
        if self.tricks and self.tricks.withholds and matches(self.tricks.withholds, message.topic):
            return False  # the subscription stands, and the access list forbids what comes by it
        granted = [qos for topic_filter, qos in session.filters.items() if matches(topic_filter, message.topic)]
        keeps = session.persistent and (message.qos or self.queues_qos0)
        if not granted or not (session.connection or keeps):
            return False
        assert len(session.queue) < QUEUE_MAX, f"a session queues more than {QUEUE_MAX} messages"
        copy = replace(message, qos=min(message.qos, max(granted)))
        session.queue.append(Waiting(number=number, message=copy))
        if session.connection:
            session.connection.pump()
        return True

    def _retain(self, message: BrokerMessage, number: int) -> None:
        if message.payload:
            self.retained[message.topic] = message
            self._retained_numbers[message.topic] = number
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
        if not with_state:
            self.forget()
        for session in self._sessions.values():
            session.last_mid = 0  # new messages take packet ids that others had before
        self.is_up = True

    def forget(self) -> None:
        """It was killed, and its sessions, queues and retained messages were in memory only."""
        self.drop_connections("the broker was killed")
        for session in self._sessions.values():
            self.tell_forgot(session.numbers(), "the broker lost its memory")
        self._sessions.clear()
        self.retained.clear()

    def replay(self, newest: int) -> tuple[int, ...]:
        """A gateway, or an attacker, publishes the newest messages of devices again, byte for byte."""
        if not self.is_up:
            return ()
        old = [published for published in self.published if published.client_id == DEVICE][-newest:]
        return tuple(self.publish(p.topic, p.payload, qos=p.qos, client_id=REPLAYER) for p in old)

    def forget_if_clean(self, client_id: str) -> None:
        session = self._sessions.get(client_id)
        if session is not None and not session.persistent:
            self.tell_forgot(session.numbers(), "a clean session ended")
            del self._sessions[client_id]

    # --- what connections ask

    def next_connection(self) -> int:
        self._connections += 1
        return self._connections

    def crossing_s(self) -> float:
        """From client to broker, or back. Jitter reorders topics."""
        jitter_s = self.random.random() * self.tricks.jitter_s if self.tricks and self.tricks.jitter_s else 0.0
        return self.latency_s() + jitter_s

    def repeats(self) -> bool:
        """Does this delivery arrive twice?"""
        return self.duplicates() or bool(self.tricks and self.random.random() < self.tricks.duplicates)

    def loses(self) -> bool:
        """Is this delivery at QoS 0 lost?"""
        return bool(self.tricks and self.random.random() < self.tricks.loses)

    def clogs(self) -> bool:
        return self.tricks is not None and self.tricks.clogs

    def retained_for(self, topic_filter: str) -> Iterator[Waiting]:
        for topic, message in self.retained.items():
            if matches(topic_filter, topic):
                yield Waiting(number=self._retained_numbers[topic], message=message)

    def tell_acked(self, number: int, connection: int) -> None:
        for listener in self.on_acked:
            listener(number, connection)

    def tell_forgot(self, numbers: tuple[int, ...], why: str) -> None:
        for listener in self.on_forgot if numbers else ():
            listener(numbers, why)

    def unacknowledged(self, client_id: str) -> int:
        """Messages the broker still holds for a client."""
        session = self._sessions.get(client_id)
        if session is None:
            return 0
        return len(session.queue) + (len(session.connection.under_way) if session.connection else 0)


@lru_cache(maxsize=TOPICS_KEPT)
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
