"""A broker and a door under the test's thumb: packet ids as mosquitto gives them, commits that happen when told to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.canary import CANARY_WORD
from alertd.model.check_in import CheckIn
from alertd.model.events import Arrival, Event, TroubleCleared, TroubleRaised
from alertd.ports import NotCommittedError
from alertd_adapters.mqtt.connection import BrokerMessage, ConnectionLostError, ConnectOptions, PublishRefusedError
from alertd_adapters.mqtt.settings import matches
from alertd_simulator.virtual_time import VirtualClock


class Publication(Struct, frozen=True):
    topic: str
    payload: bytes
    expires_s: int | None


class FakeConnection:
    def __init__(self, broker: "FakeBroker", options: ConnectOptions, *, present: bool) -> None:
        self.broker = broker
        self.options = options
        self.session_present = present
        self.lost: str | None = None
        self.unacked: dict[int, BrokerMessage] = {}
        self.acked: list[bytes] = []
        self.subscribed: dict[str, int] = {}
        self._inbox: asyncio.Queue[BrokerMessage | None] = asyncio.Queue()
        self.is_clogged = False

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        self._check()
        if any(topic_filter in self.broker.hangs_up_on for topic_filter, _ in filters):
            self.lose("the broker hung up")
            self._check()
        self.subscribed |= dict(filters)
        self.broker.session_filters.setdefault(self.options.client_id, {}).update(filters)
        self.broker.hand_out(self, [topic_filter for topic_filter, _ in filters])
        return tuple(self.broker.granted.get(topic_filter, qos) for topic_filter, qos in filters)

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        self._check()
        for topic_filter in filters:
            self.broker.session_filters[self.options.client_id].pop(topic_filter)
        self.broker.on_unsubscribe()

    async def messages(self) -> AsyncIterator[BrokerMessage]:
        while (message := await self._inbox.get()) is not None:
            yield message
        raise ConnectionLostError(self.lost)

    def ack(self, message: BrokerMessage) -> bool:
        if self.lost is not None:
            return False
        found = self.unacked.pop(message.mid)  # an ack of what this connection never sent is a protocol error
        self.acked.append(found.payload)
        return True

    async def publish(self, topic: str, payload: bytes, *, qos: int, expires_s: int | None = None) -> None:
        self._check()
        await asyncio.sleep(0.001)
        self._check()
        if topic in self.broker.hangs_up_on:
            self.lose("the broker hung up")
            self._check()
        if topic in self.broker.forbidden:
            raise PublishRefusedError("not authorized")
        self.broker.published.append(Publication(topic, payload, expires_s))
        if topic not in self.broker.swallowed:
            self.broker.publish(topic, payload, qos=qos)

    async def close(self) -> None:
        self.lose("we closed the connection")

    def _check(self) -> None:
        if self.lost is not None:
            raise ConnectionLostError(self.lost)

    def deliver(self, message: BrokerMessage) -> None:
        if message.qos:
            self.unacked[message.mid] = message
            if self.is_clogged:
                return
        self._inbox.put_nowait(message)

    def heal(self) -> None:
        """What was clogged comes after all, what has waited first."""
        self.is_clogged = False
        for message in self.unacked.values():
            self._inbox.put_nowait(message)

    def lose(self, why: str) -> None:
        if self.lost is None:
            self.lost = why
            self._inbox.put_nowait(None)


class FakeBroker:
    address = "broker.example:1883"

    def __init__(self) -> None:
        self.clock: VirtualClock | None = None
        self.connections: list[FakeConnection] = []
        self.connected_at: list[float] = []
        self.down: str | None = None
        self.granted: dict[str, int] = {}
        self.forbidden: set[str] = set()
        self.hangs_up_on: set[str] = set()
        self.swallowed: set[str] = set()
        """Topics that the broker takes and never delivers."""
        self.clogs = 0
        """So many sessions of presses get nothing that is to be acknowledged, as mosquitto 2.0.11 does to one for which
        too many messages of QoS 0 had waited."""
        self.kept: dict[str, bytes] = {}
        """What it retains, and hands out at QoS 0 at every subscription."""
        self.loses_kept = 0
        """So many times it throws that away."""
        self.on_unsubscribe: Callable[[], None] = lambda: None
        """What happens just then."""
        self.published: list[Publication] = []
        self.session_filters: dict[str, dict[str, int]] = {}
        self._waiting: dict[str, list[BrokerMessage]] = {}
        self._mid = 0

    async def connect(self, options: ConnectOptions) -> FakeConnection:
        if options.persistent:
            self.connected_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.001)
        if self.down is not None:
            raise ConnectionLostError(self.down)
        present = options.persistent and options.client_id in self.session_filters
        connection = FakeConnection(self, options, present=present)
        before = self.live(options.client_id)
        if before is not None:
            before.lose("session taken over")
        owed = (
            [replace(m, dup=True) for c in self._of(options.client_id) for m in c.unacked.values()] if present else []
        )
        for old in self._of(options.client_id):
            old.unacked = {}
        if options.persistent and self.clogs:
            self.clogs -= 1
            connection.is_clogged = True
        self.connections.append(connection)
        for message in (*owed, *self._waiting.pop(options.client_id, [])):
            connection.deliver(message)
        return connection

    def _of(self, client_id: str) -> list[FakeConnection]:
        return [c for c in self.connections if c.options.client_id == client_id]

    def live(self, client_id: str = "alertd-oak") -> FakeConnection | None:
        return next((c for c in self._of(client_id) if c.lost is None), None)

    @property
    def presses(self) -> FakeConnection:
        """The standing connection of the trigger session."""
        found = self.live()
        assert found is not None, "the trigger session is not connected"
        return found

    def acked(self, *, own: bool = False) -> list[bytes]:
        """Payloads acknowledged over any connection; our own signs of life only if asked for."""
        taken = (p for c in self._of("alertd-oak") for p in c.acked if not p.startswith(CANARY_WORD))
        return [p for p in taken if own or p.startswith(b"{") or not p[:1].isdigit()]

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """A device publishes; an offline persistent session keeps it."""
        for client_id, filters in self.session_filters.items():
            if any(matches(topic_filter, topic) for topic_filter in filters):
                self._mid += 1
                message = BrokerMessage(
                    topic=topic, payload=payload, qos=qos, retain=retain, mid=self._mid if qos else 0
                )
                live = self.live(client_id)
                if live is not None:
                    live.deliver(message)
                elif not client_id.endswith("-side"):
                    self._waiting.setdefault(client_id, []).append(message)

    def hand_out(self, connection: FakeConnection, filters: Sequence[str]) -> None:
        found = [topic for topic in self.kept if any(matches(each, topic) for each in filters)]
        if found and self.loses_kept:
            self.loses_kept -= 1
            return
        for topic in found:
            connection.deliver(BrokerMessage(topic=topic, payload=self.kept[topic], qos=0, retain=True, mid=0))

    def drop(self, why: str = "connection reset") -> None:
        for connection in self.connections:
            connection.lose(why)

    def lose_everything(self) -> None:
        """It was killed without persistence: sessions are gone, and packet ids begin anew."""
        self.drop("the broker died")
        self.connections.clear()
        self.session_filters.clear()
        self._waiting.clear()
        self._mid = 0

    def reuse_packet_ids(self) -> None:
        """A restarted broker that remembers the session, but not what was under way."""
        self.drop("the broker restarted")
        for connection in self.connections:
            connection.unacked = {}
        self._mid = 0


class FakeDoor:
    """Commits at once, or only when the test says so (`hold`)."""

    def __init__(self, *, hold: bool = False) -> None:
        self.hold = hold
        self.fail_with: Exception | None = None
        self.arrivals: list[Arrival] = []
        self.waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self.events: list[Event] = []
        self.observed: list[tuple[str, str]] = []
        self.check_ins: list[tuple[CheckIn, bool, int | None]] = []
        """With whether it was retained, and its QoS on the way of presses."""
        self.refuse_events = 0

    async def receive(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        if self.fail_with is not None:
            raise self.fail_with
        if self.hold:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append((arrival, future))
            await future

    def commit(self, index: int = 0) -> None:
        self.waiting.pop(index)[1].set_result(None)

    def fail(self, index: int = 0) -> None:
        self.waiting.pop(index)[1].set_exception(NotCommittedError("disk full"))

    async def submit(self, event: Event) -> None:
        if self.refuse_events:
            self.refuse_events -= 1
            raise NotCommittedError("disk full")
        self.events.append(event)

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None:
        self.observed.append((source, name))

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        self.check_ins += [(check_in, retained, qos) for check_in in check_ins]

    @property
    def standing(self) -> dict[str, str]:
        """Troubles raised and not cleared, with their words."""
        found: dict[str, str] = {}
        for event in self.events:
            if isinstance(event, TroubleRaised):
                found[event.key] = event.summary
            elif isinstance(event, TroubleCleared):
                found.pop(event.key, None)
        return found

    @property
    def rings(self) -> dict[str, bool]:
        """Does the trouble ring, as it was raised last?"""
        return {event.key: event.rings for event in self.events if isinstance(event, TroubleRaised)}

    @property
    def payload_actions(self) -> list[Any]:
        return [signal.action for arrival in self.arrivals for signal in arrival.signals]
