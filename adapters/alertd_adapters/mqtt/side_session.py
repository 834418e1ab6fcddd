"""The other connection: telemetry in, feedback out, and an eye on what the broker throws away.

QoS 0 and no persistent session: nothing here is a press, and nothing here may delay one. What arrives is counted by
`door.observe` and forgotten; only the broker's dropped-message counter can raise a trouble.
"""

import asyncio
from typing import NoReturn

import structlog
from msgspec import Struct

from alertd.ports import Door
from alertd_adapters.mqtt.connection import BrokerConnection, BrokerMessage, ConnectionLostError
from alertd_adapters.mqtt.feedback import MqttFeedback
from alertd_adapters.mqtt.reconnecting import Reconnecting
from alertd_adapters.mqtt.session_memory import SessionMemory
from alertd_adapters.mqtt.standing_troubles import StandingTroubles

log = structlog.get_logger("alertd.mqtt")

HUNG_UP_MAX = 3
"""So often in a row the broker ended the connection when asked for its counter; then it is not asked again."""
QUIET_S = 24 * 3600.0
"""The broker has thrown nothing away for so long: the trouble is over."""


class SideSessionOptions(Struct, frozen=True, kw_only=True):
    name: str
    address: str
    telemetry: tuple[str, ...]
    dropped_topic: str


class SideSession:
    def __init__(
        self,
        options: SideSessionOptions,
        reconnecting: Reconnecting,
        feedback: MqttFeedback,
        memory: SessionMemory,
        troubles: StandingTroubles,
    ) -> None:
        self._options = options
        self._reconnecting = reconnecting
        self._feedback = feedback
        self._memory = memory
        self._troubles = troubles
        self._quiet_since = 0.0
        self._hung_up = 0

    async def run(self, door: Door) -> NoReturn:
        self._quiet_since = asyncio.get_running_loop().time()

        async def serve(connection: BrokerConnection) -> None:
            await self._serve(connection, door)

        await self._reconnecting.run(serve, lambda _why: None)

    async def _serve(self, connection: BrokerConnection, door: Door) -> None:
        helpers = (
            asyncio.create_task(self._subscribe(connection)),
            asyncio.create_task(self._feedback.keep_publishing(connection)),
        )
        try:
            async for message in connection.messages():
                if message.topic == self._options.dropped_topic:
                    self._count_dropped(message)
                else:
                    door.observe(self._options.name, "telemetry")
        finally:
            for helper in helpers:
                helper.cancel()

    async def _subscribe(self, connection: BrokerConnection) -> None:
        try:
            if self._options.telemetry:
                granted = await connection.subscribe([(topic, 0) for topic in self._options.telemetry])
                for topic, code in zip(self._options.telemetry, granted, strict=False):
                    self._note_refusal(topic, code)
        except ConnectionLostError:
            await connection.close()
            return
        await self._watch_dropped(connection)

    async def _watch_dropped(self, connection: BrokerConnection) -> None:
        """By itself: a broker without $SYS may end the connection over it (rumqttd does), and the rest must go on."""
        topic = self._options.dropped_topic
        if not topic or self._hung_up >= HUNG_UP_MAX:
            return
        try:
            (code,) = await connection.subscribe([(topic, 0)])
        except ConnectionLostError as error:
            await connection.close()
            self._hung_up += 1
            if self._hung_up == HUNG_UP_MAX:
                log.warning("mqtt_dropped_not_watched", topic=topic, why=str(error), remedy='set dropped_topic = ""')
            return
        self._hung_up = 0
        self._note_refusal(topic, code)

    @staticmethod
    def _note_refusal(topic: str, code: int) -> None:
        if code >= 128:
            log.warning("mqtt_telemetry_refused", topic=topic, remedy="allow it in the broker's acl_file")

    def _count_dropped(self, message: BrokerMessage) -> None:
        """`$SYS/broker/publish/messages/dropped` counts since the broker started; a smaller number is a restart."""
        text = message.payload[:20].decode(errors="replace").strip()
        if not text.isascii() or not text.isdigit():
            return
        count, before = int(text), self._memory.values.dropped
        self._memory.values.dropped = count
        self._memory.save()
        now = asyncio.get_running_loop().time()
        key = f"broker_dropped:{self._options.name}"
        lost = 0 if before is None else count - before if count >= before else count
        if lost:
            self._quiet_since = now
            self._troubles.raise_(
                key,
                f"The broker {self._options.address} has thrown away {lost} message{'s' if lost > 1 else ''}; presses "
                "may be among them. Ask who may have pressed. Set max_queued_messages 0 in mosquitto.conf, and look "
                "for clients that do not keep up.",
            )
        elif now - self._quiet_since >= QUIET_S:
            self._troubles.clear(key)
