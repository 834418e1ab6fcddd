"""The way back to the presser's device: "received", "responder accepted" (req 7).

    topic    alertd/feedback/{device_id}
    payload  {"state": "received", "at": "2026-10-14T14:42:07.312Z", "expires_at": "2026-10-14T14:42:37.312Z"}

Best effort: it expires (MQTT 5: at the broker; 3.1.1: the device compares `expires_at`), is bounded, and never waits
in the path of a press. It travels on the side connection.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime

import msgspec
import structlog
from msgspec import Struct

from alertd.model.decision import Confirmation
from alertd.ports import Clock
from alertd_adapters.mqtt.connection import BrokerConnection, ConnectionLostError, PublishRefusedError
from alertd_adapters.mqtt.settings import DEVICE_FIELD

log = structlog.get_logger("alertd.mqtt")

WAITING_MAX = 2000
"""Confirmations that wait for the broker; beyond it the oldest are dropped, which have expired first."""


class Waiting(Struct, frozen=True):
    confirmation: Confirmation
    wall_us: int
    expires_boot_us: int


class MqttFeedback:
    def __init__(self, topic: str, clock: Clock) -> None:
        self._topic = topic
        self._clock = clock
        self._waiting: deque[Waiting] = deque(maxlen=WAITING_MAX)
        self._arrived = asyncio.Event()
        self._refusal_logged = False

    def confirm(self, confirmation: Confirmation) -> None:
        """Put it in line; publishing is `keep_publishing`'s."""
        device_id = confirmation.device_id
        if not self._topic or any(sign in device_id for sign in "+#\0"):
            return
        now = self._clock.now()
        self._waiting.append(Waiting(confirmation, now.wall_us, now.boot_us + confirmation.expires_s * 1_000_000))
        self._arrived.set()

    async def keep_publishing(self, connection: BrokerConnection) -> None:
        """Until the connection is lost; what waits then waits for the next one, and expires."""
        while True:
            while self._waiting:
                waiting = self._waiting[0]
                remaining_us = waiting.expires_boot_us - self._clock.now().boot_us
                if remaining_us > 0 and not await self._publish(connection, waiting, -(-remaining_us // 1_000_000)):
                    return
                if self._waiting and self._waiting[0] is waiting:
                    self._waiting.popleft()
            self._arrived.clear()
            await self._arrived.wait()

    async def _publish(self, connection: BrokerConnection, waiting: Waiting, expires_s: int) -> bool:
        confirmation = waiting.confirmation
        topic = self._topic.replace(DEVICE_FIELD, confirmation.device_id)
        payload = {
            "state": confirmation.state.value,
            "at": _iso(waiting.wall_us),
            "expires_at": _iso(waiting.wall_us + confirmation.expires_s * 1_000_000),
        }
        try:
            await connection.publish(topic, msgspec.json.encode(payload), qos=1, expires_s=expires_s)
        except PublishRefusedError as error:
            if not self._refusal_logged:
                self._refusal_logged = True
                log.warning("mqtt_feedback_refused", topic=topic, why=str(error), remedy="allow it in the acl_file")
        except ConnectionLostError:
            await connection.close()
            return False
        return True


def _iso(wall_us: int) -> str:
    return datetime.fromtimestamp(wall_us / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
