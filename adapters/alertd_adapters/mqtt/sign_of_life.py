"""Our own message, out and back through the broker on the session that carries presses.

It proves what a standing socket does not: the broker takes publications, queues them for us and delivers them. And
since a broker hands out a session's messages in order, or nearly so, the first one to come back says that what had
waited there has been delivered: what comes a moment later is fresh.
"""

import asyncio
from collections.abc import Callable

from alertd_adapters.mqtt.connection import BrokerConnection, ConnectionLostError, PublishRefusedError

INTERVAL_S = 10.0
LATE_S = 20.0
"""Nothing came back for so long: what else is said to come back can tell more, and before `MISSING_S`."""
MISSING_S = 30.0
"""Nothing came back for so long: presses may not come either."""
DRAINED_IDLE_S = 1.0
"""Without a sign of life, a broker that sends nothing for so long has nothing left."""
OTHER_TOPICS_S = 4.0
"""Our message back, what waited may still come for so long: order is promised within a topic only (MQTT 3.1.1 and 5.0,
4.6), and brokers that keep a queue a subscription (NATS JetStream) make use of that."""
DRAIN_MAX_S = 60.0
"""What arrives later than this after connecting is taken as fresh, whatever else; or after the one that ends a silence
since connecting: who knows how long that lay behind a deaf session?"""


class SignOfLife:
    """Of one connection. `topic` "" = the broker lets us publish nothing: then silence must do."""

    def __init__(self, topic: str, nonce: str) -> None:
        self.topic = topic
        self._is_drained = False
        self._nonce = nonce.encode()
        self._loop = asyncio.get_running_loop()
        self._connected_at = self._loop.time()
        self._idle_since = self._connected_at
        self._returned_at: float | None = None
        self._first_returned_at: float | None = None
        self._beats = 0
        self._acknowledged_at: float | None = None
        """When something came last that is to be acknowledged, as presses are."""
        self._speaks_since = self._connected_at

    def returned(self, payload: bytes) -> bool:
        """Take our message back; an old connection's, or a stranger's, proves nothing."""
        if payload != self._nonce:
            return False
        self._returned_at = self._loop.time()
        if self._first_returned_at is None:
            self._first_returned_at = self._returned_at
        return True

    @property
    def is_proven(self) -> bool:
        """The session works, to the best of what can be known: subscribed, and lately a beat came back."""
        return self._beats > 0 and (not self.topic or self._returned_at is not None) and not self.is_missing

    @property
    def is_late(self) -> bool:
        return self._is_out_for(LATE_S)

    @property
    def is_missing(self) -> bool:
        return self._is_out_for(MISSING_S)

    def _is_out_for(self, seconds: float) -> bool:
        last = self._connected_at if self._returned_at is None else self._returned_at
        return bool(self.topic) and self._loop.time() - last > seconds

    @property
    def is_deaf(self) -> bool:
        """Our message does not come back, and for as long nothing came that a broker hands out as it does presses: it
        is not merely behind a long backlog. It may be that our right to read it is missing, and nobody presses."""
        last = self._connected_at if self._acknowledged_at is None else self._acknowledged_at
        return self.is_missing and self._loop.time() - last > MISSING_S

    @property
    def heard_nothing(self) -> bool:
        """Of what is to be acknowledged, since this connection was made."""
        return self._acknowledged_at is None

    def heard(self, qos: int) -> None:
        """Anything was read."""
        if qos:
            if self.is_deaf and self.heard_nothing:
                self._speaks_since, self._is_drained = self._loop.time(), False
            self._acknowledged_at = self._loop.time()

    def arrived(self) -> bool:
        """A message was read. Had it waited at the broker, perhaps?"""
        now, back_at = self._loop.time(), self._first_returned_at
        has_come_back = back_at is not None and now - back_at > OTHER_TOPICS_S
        is_silent = not self.topic and now - self._idle_since > DRAINED_IDLE_S
        if has_come_back or is_silent or now - self._speaks_since > DRAIN_MAX_S:
            self._is_drained = True
        return not self._is_drained

    def handled(self) -> None:
        """The reader is ready for the next message: from here on, waiting is the broker's silence, not ours."""
        self._idle_since = self._loop.time()

    async def keep_sending(self, connection: BrokerConnection, on_beat: Callable[[str], bool]) -> None:
        """Beat until the connection is lost. `on_beat` is told why a beat was refused, or "", and says whether to stay:
        else the connection is closed."""
        while True:
            refused = ""
            if self.topic:
                try:
                    await connection.publish(self.topic, self._nonce, qos=1)
                except PublishRefusedError as error:
                    refused = str(error)
                except ConnectionLostError:
                    await connection.close()  # it took no PUBACK either: do not wait for the keep-alive
                    return
            self._beats += 1
            if not on_beat(refused):
                await connection.close()
                return
            if refused:
                self.topic = ""
            await asyncio.sleep(INTERVAL_S)
