"""The other connection: signs of life in, feedback out, and an eye on what the broker throws away.

QoS 0 and no persistent session: nothing here is a press, and nothing here may delay one. What arrives is handed to
`door.check_in`, which keeps it in memory. A press that comes here all the same pages nobody (it would be lost while we
are away), and is a trouble; so is what the broker throws away.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NoReturn

import structlog
from msgspec import Struct

from alertd.model.canary import is_canary
from alertd.model.check_in import CheckIn
from alertd.model.ids import DeviceId
from alertd.ports import Door
from alertd_adapters.mqtt.canaries import Canaries
from alertd_adapters.mqtt.connection import BrokerConnection, BrokerMessage, ConnectionLostError
from alertd_adapters.mqtt.decoding import Triggers
from alertd_adapters.mqtt.feedback import MqttFeedback
from alertd_adapters.mqtt.reconnecting import Reconnecting
from alertd_adapters.mqtt.session_memory import SessionMemory
from alertd_adapters.mqtt.standing_troubles import StandingTroubles
from alertd_adapters.mqtt.strangers import Strangers

log = structlog.get_logger("alertd.mqtt")

HUNG_UP_MAX = 3
"""So often in a row the broker ended the connection when asked for its counter; then it is not asked again."""
ASK_AGAIN_S = (15.0, 60.0, 180.0, 300.0)
"""Pauses after which the broker is asked again what it keeps. At QoS 0 it may throw away what it hands out, and a
gateway of which nobody says that it is back would be gone until it speaks by itself."""
ANSWER_S = 10.0
"""What comes as retained so soon after that was asked for."""
QUIET_S = 24 * 3600.0
"""The broker has thrown nothing away for so long: the trouble is over."""


class SideSessionOptions(Struct, frozen=True, kw_only=True):
    name: str
    address: str
    telemetry: Triggers
    """Who understands what comes here."""
    presses: Triggers
    """What also comes over the session of presses is no business of this one."""
    dropped_topic: str
    canaries: Canaries
    strangers: Strangers
    listens: Callable[[], bool]
    """Does the session of presses work?"""
    may_be_asked: Callable[[], bool]
    """Does it, or is its sign of life late?"""


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
        self._is_up = False
        self._quiet_since = 0.0
        self._hung_up = 0
        self._hung_up_again = 0
        """As often over what it was asked again."""
        self._is_asked_again = False
        self._known: set[DeviceId] = set()
        """Who spoke, or whose link was spoken of, on this connection: of them a broker knows nothing newer."""

    async def run(self, door: Door) -> NoReturn:
        self._quiet_since = asyncio.get_running_loop().time()

        async def serve(connection: BrokerConnection) -> None:
            await self._serve(connection, door)

        await self._reconnecting.run(serve, lambda _why: None)

    @property
    def is_up(self) -> bool:
        """What devices say is heard, as far as it comes here."""
        return self._is_up or not self._options.telemetry.filters

    async def _serve(self, connection: BrokerConnection, door: Door) -> None:
        self._is_asked_again = False
        self._known.clear()
        helpers = (
            asyncio.create_task(self._subscribe(connection)),
            asyncio.create_task(self._ask_again(connection)),
            asyncio.create_task(self._feedback.keep_publishing(connection)),
        )
        try:
            async for message in connection.messages():
                if message.topic == self._options.dropped_topic:
                    self._count_dropped(message)
                elif not is_canary(message.payload):
                    self._take(message, door)
        finally:
            self._is_up = False
            for helper in helpers:
                helper.cancel()

    def _take(self, message: BrokerMessage, door: Door) -> None:
        door.observe(self._options.name, "telemetry")
        decoded = self._options.telemetry.decode(message.topic, message.payload)
        if decoded.refused or decoded.uncovered:
            door.observe(self._options.name, "telemetry_not_understood")
        if message.retain and self._is_asked_again:
            lost = [each for each in decoded.check_ins if each.link is not None and each.device_id not in self._known]
            self._check_in(lost, message, door)
            return
        self._check_in(decoded.check_ins, message, door)
        self._options.strangers.note(message, decoded)
        for signal in decoded.signals:
            if not message.retain and not self._options.presses.covers(message.topic):
                self._troubles.raise_(
                    f"telemetry_press:{signal.device_id}",
                    f"presses where it pages NOBODY. Was it a press? {message.topic[:60]} is telemetry: name it among "
                    "the source's triggers.",
                    about=signal.device_id,
                )

    def _check_in(self, check_ins: Sequence[CheckIn], message: BrokerMessage, door: Door) -> None:
        live = not message.retain
        self._known.update(each.device_id for each in check_ins if each.link is not None or (live and each.alive))
        door.check_in(self._options.name, check_ins, retained=message.retain)

    async def _ask_again(self, connection: BrokerConnection) -> None:
        """The same subscription: who kept a last will hands it out once more."""
        filters = [(topic, 0) for topic in self._options.telemetry.filters]
        for pause_s in ASK_AGAIN_S:
            await asyncio.sleep(pause_s)
            if not filters or self._hung_up_again >= HUNG_UP_MAX:
                return
            self._is_asked_again = True
            try:
                await connection.subscribe(filters)
            except ConnectionLostError:
                self._hung_up_again += 1
                await connection.close()
                return
            self._hung_up_again = 0
            await asyncio.sleep(ANSWER_S)
            self._is_asked_again = False

    async def _subscribe(self, connection: BrokerConnection) -> None:
        filters = self._options.telemetry.filters
        try:
            if filters:
                granted = await connection.subscribe([(topic, 0) for topic in filters])
                for topic, code in zip(filters, granted, strict=False):
                    self._note_refusal(topic, code)
            self._is_up = True
        except ConnectionLostError:
            await connection.close()
            return
        if await self._watch_dropped(connection):
            await self._options.canaries.keep_asking(connection, self._options.listens, self._options.may_be_asked)

    async def _watch_dropped(self, connection: BrokerConnection) -> bool:
        """Does the connection stand? Asked by itself: a broker without $SYS may end the connection over it (rumqttd
        does), and the rest must go on."""
        topic = self._options.dropped_topic
        if not topic or self._hung_up >= HUNG_UP_MAX:
            return True
        try:
            (code,) = await connection.subscribe([(topic, 0)])
        except ConnectionLostError as error:
            await connection.close()
            self._hung_up += 1
            if self._hung_up == HUNG_UP_MAX:
                log.warning("mqtt_dropped_not_watched", topic=topic, why=str(error), remedy='set dropped_topic = ""')
            return False
        self._hung_up = 0
        self._note_refusal(topic, code)
        return True

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
                "may be among them. Ask who may have pressed. Set max_queued_messages as alertd broker config does, "
                "and look for clients that do not keep up.",
            )
        elif now - self._quiet_since >= QUIET_S:
            self._troubles.clear(key)
