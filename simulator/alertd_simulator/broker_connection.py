"""One life of one connection to the simulated broker, and the session behind it.

Owns delivery at QoS 1: what was delivered and not acknowledged stays the session's, and comes again (DUP) to its next
connection, never on the same one. Order within a topic is kept always; between topics only as long as every crossing
takes the same time. Must never let an ack of a lost connection reach anybody.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from alertd_adapters.mqtt.connection import BrokerMessage, ConnectionLostError, ConnectOptions, PublishRefusedError

if TYPE_CHECKING:
    from alertd_simulator.broker import SimulatedBroker

REFUSED = 0x80
MIDS = 65_535


class Waiting(Struct, frozen=True, kw_only=True):
    """A message that a session holds. `number` names it for good; its packet id is one delivery's only."""

    number: int
    message: BrokerMessage


class Session:
    """What the broker remembers of one client. It outlives connections if it is persistent."""

    def __init__(self, *, persistent: bool) -> None:
        self.persistent = persistent
        self.filters: dict[str, int] = {}
        self.queue: deque[Waiting] = deque()
        """Not yet delivered to the standing connection, or to nobody at all."""
        self.connection: SimulatedConnection | None = None
        self.last_mid = 0

    def numbers(self) -> tuple[int, ...]:
        """Of all that it holds, but for what the broker remembers anyway (retained)."""
        return tuple(waiting.number for waiting in self.queue if not waiting.message.retain)


class SimulatedConnection:
    """One life of one connection. Implements `BrokerConnection`."""

    def __init__(self, broker: "SimulatedBroker", session: Session, options: ConnectOptions, *, present: bool) -> None:
        self.session_present = present
        self.options = options
        self.number = broker.next_connection()
        self.under_way: dict[int, BrokerMessage] = {}
        """Delivered, unacknowledged."""
        self._broker = broker
        self._session = session
        self._lost = ""
        self.is_deserted = False
        """Nobody is at its other end any more, and the broker does not know yet: what it delivers arrives nowhere."""
        self._inbox: asyncio.Queue[BrokerMessage | None] = asyncio.Queue()
        self._numbers: dict[int, int] = {}
        """Packet id -> number of the message, of everything that this connection delivered."""
        self._on_the_way: dict[str, deque[Waiting]] = {}
        """By topic: left the broker, not yet arrived."""
        self._is_clogged = present and broker.clogs() and bool(session.queue)
        if broker.renumbers:
            session.last_mid = 0

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
        for waiting in self._broker.retained_for(topic_filter):
            message = replace(waiting.message, qos=min(waiting.message.qos, qos), retain=True)
            self._session.queue.append(replace(waiting, message=message))
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

    def ack(self, message: BrokerMessage) -> bool:
        """An ack of a lost connection does nothing. One that this connection never asked for is a violation: a real
        broker may have given that packet id to another press."""
        if self._lost:
            return False
        number = self._numbers.get(message.mid)
        if number is None:
            self._broker.violations.append(f"connection {self.number} never delivered packet {message.mid}: acked")
            return False
        self._broker.acks.append(message)
        taken = self.under_way.pop(message.mid, None)
        if taken is not None and not taken.retain:
            self._broker.tell_acked(number, self.number)
        self.pump()
        return True

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
        await asyncio.sleep(self._broker.crossing_s())
        if self._lost:
            raise ConnectionLostError(self._lost)

    # --- what the broker calls

    def pump(self) -> None:
        """Deliver what waits, up to the client's window."""
        held = deque[Waiting]()
        while self._session.queue and len(self.under_way) < self.options.window:
            waiting = self._session.queue.popleft()
            if waiting.message.qos and self._is_clogged:
                held.append(waiting)
            elif waiting.message.qos:
                self._send(self._under_way(waiting))
            elif self._broker.loses():
                self._broker.tell_forgot((waiting.number,), "lost on its way at QoS 0")
            else:
                self._send(waiting)
        self._session.queue.extendleft(reversed(held))

    def _under_way(self, waiting: Waiting) -> Waiting:
        """Give it a packet id: its own of before, if the broker keeps them; else the next that is free."""
        mid = waiting.message.mid
        while not mid or mid in self.under_way:
            mid = self._session.last_mid = self._session.last_mid % MIDS + 1
        message = replace(waiting.message, mid=mid)
        self.under_way[mid] = message
        self._numbers[mid] = waiting.number
        return replace(waiting, message=message)

    def _send(self, waiting: Waiting) -> None:
        topic, loop = waiting.message.topic, asyncio.get_running_loop()
        self._on_the_way.setdefault(topic, deque()).append(waiting)
        loop.call_later(self._broker.crossing_s(), self._arrive, topic)

    def _arrive(self, topic: str) -> None:
        """The oldest of its topic, whichever timer rang."""
        if self._lost:
            return
        waiting = self._on_the_way[topic].popleft()
        self._hand_over(waiting)
        if waiting.message.qos and self._broker.repeats():
            self._hand_over(replace(waiting, message=replace(waiting.message, dup=True)))

    def _hand_over(self, waiting: Waiting) -> None:
        if self.is_deserted:
            return
        self._inbox.put_nowait(waiting.message)
        for listener in self._broker.on_arrived:
            message = waiting.message
            listener(waiting.number, self.number, message.mid, message.dup, message.retain)

    def desert(self, known_after_s: float) -> None:
        """Its client died. The broker knows that so much later."""
        self.is_deserted = True
        asyncio.get_running_loop().call_later(known_after_s, self.lose, "the process died")

    def lose(self, why: str) -> None:
        if self._lost:
            return
        self._lost = why
        self._inbox.put_nowait(None)
        for waiting in self._on_the_way.values():
            gone = tuple(each.number for each in waiting if not each.message.qos and not each.message.retain)
            self._broker.tell_forgot(gone, "on its way at QoS 0 when the connection was lost")
        again = [
            Waiting(
                number=self._numbers[mid], message=replace(message, dup=True, mid=0 if self._broker.renumbers else mid)
            )
            for mid, message in self.under_way.items()
        ]
        self.under_way.clear()
        self._session.connection = None
        self._session.queue.extendleft(reversed(again))
        self._broker.forget_if_clean(self.options.client_id)
