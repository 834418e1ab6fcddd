"""The way back to the presser's device: "received", "responder accepted" (req 7).

    topic    alertd/feedback/{device_id}
    payload  {"state": "received", "at": "2026-10-14T14:42:07.312Z", "expires_at": "2026-10-14T14:42:37.312Z"}

and, for a device behind a network server, whatever its profile says that it shows. The topic has the id under which
the device itself pressed last, for there it listens; of one that has not yet, the registry's.

Best effort: it expires (MQTT 5: at the broker; 3.1.1: the device compares `expires_at`), is bounded, and never waits
in the path of a press. It travels on the side connection.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import structlog
from msgspec import Struct

from alertd.model.decision import Confirmation
from alertd.model.events import Signal
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.ports import Clock, Downlink
from alertd_adapters.mqtt.connection import BrokerConnection, ConnectionLostError, PublishRefusedError
from alertd_adapters.mqtt.settings import DEVICE_FIELD

log = structlog.get_logger("alertd.mqtt")

WAITING_MAX = 2000
"""Confirmations that wait for the broker; beyond it the oldest are dropped, which have expired first."""
TAKEN_BACK_S = 24 * 3600
"""So long it is tried to take back what a network server may keep: until the broker, or the server, is there again."""


class Waiting(Struct, frozen=True):
    topic: str
    payload: bytes
    expires_boot_us: int


class MqttFeedback:
    def __init__(
        self,
        topic: str,
        clock: Clock,
        registry: Callable[[], Registry | None],
        answers: Callable[[Confirmation, int], Sequence[Downlink]],
    ) -> None:
        """`answers`: by which ways of their own devices are told, and until when it is worth it (wall clock)."""
        self._topic = topic
        self._clock = clock
        self._registry = registry
        self._answers = answers
        self._spoken: dict[DeviceId, DeviceId] = {}
        """Registered devices that spell their address otherwise than the registry, and how."""
        self._forgetting: dict[str, asyncio.TimerHandle] = {}
        self._waiting: deque[Waiting] = deque(maxlen=WAITING_MAX)
        self._arrived = asyncio.Event()
        self._refusal_logged = False

    def heard(self, signals: Sequence[Signal]) -> None:
        """Devices have pressed, by the names that they give themselves."""
        registry = self._registry()
        if registry is None:
            return
        for signal in signals:
            registered = registry.spelled(signal.device_id)
            if registered == signal.device_id:
                self._spoken.pop(registered, None)
            else:
                self._spoken[registered] = signal.device_id

    def confirm(self, confirmation: Confirmation) -> None:
        """Put it in line; publishing is `keep_publishing`'s."""
        device_id = self._spoken.get(confirmation.device_id, confirmation.device_id)
        if not self._topic or any(sign in device_id for sign in "+#\0"):
            return
        wall_us = self._clock.now().wall_us
        expires_us = wall_us + confirmation.expires_s * 1_000_000
        body = {"state": confirmation.state.value, "at": _iso(wall_us), "expires_at": _iso(expires_us)}
        self._put(self._topic.replace(DEVICE_FIELD, device_id), msgspec.json.encode(body), confirmation.expires_s)
        for downlink in self._answers(confirmation, expires_us):
            self._put(downlink.topic, downlink.payload, confirmation.expires_s)
            self._forget_later(downlink.forget, confirmation.expires_s)

    def _put(self, topic: str, payload: bytes, expires_s: int) -> None:
        if not any(sign in topic for sign in "+#\0"):
            self._waiting.append(Waiting(topic, payload, self._clock.now().boot_us + expires_s * 1_000_000))
            self._arrived.set()

    def _forget_later(self, forget: Downlink | None, expires_s: int) -> None:
        """A network server keeps what a sleeping device has not fetched: "received" must not be shown to a later press
        that nobody has heard. What replaced it meanwhile has a time of its own."""
        if forget is None:
            return
        known = self._forgetting.pop(forget.topic, None)
        if known is not None:
            known.cancel()
        self._forgetting[forget.topic] = asyncio.get_running_loop().call_later(expires_s, self._forget, forget)

    def _forget(self, forget: Downlink) -> None:
        """Waits for the broker longer than what it takes back: that is with the network server, and does not expire."""
        self._forgetting.pop(forget.topic, None)
        self._put(forget.topic, forget.payload, TAKEN_BACK_S)

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
        try:
            await connection.publish(waiting.topic, waiting.payload, qos=1, expires_s=expires_s)
        except PublishRefusedError as error:
            if not self._refusal_logged:
                self._refusal_logged = True
                log.warning(
                    "mqtt_feedback_refused", topic=waiting.topic, why=str(error), remedy="allow it in the acl_file"
                )
        except ConnectionLostError:
            await connection.close()
            return False
        return True


def _iso(wall_us: int) -> str:
    return datetime.fromtimestamp(wall_us / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
