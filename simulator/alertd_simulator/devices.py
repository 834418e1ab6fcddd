"""Simulated devices: what badges, wall buttons and sensors really publish, and the ways to a broker.

Owns payload shapes and the devices' own counters; a device knows nothing of schools. A payload leaves as bytes, and
whether it arrives is the broker's business.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiomqtt
from msgspec import Struct
from msgspec.json import encode
from paho.mqtt.reasoncodes import ReasonCode

from alertd.ports import Clock
from alertd_simulator.broker import SimulatedBroker

MQTT_TIMEOUT_S = 10.0
CURSED = "cursed"
"""The action of a press on which a simulated engine fails: a bug that nobody has found yet."""


class Payload(Struct, frozen=True, kw_only=True):
    """One message a device publishes."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1
    user: str = ""
    """By whose password; empty: its own, or that of whoever carries it."""
    until_confirmed: str = ""
    """A gateway's repetition: not needed once alertd has confirmed to this device."""


class Badge:
    """A programmable badge or button: the documented plain-JSON press. It counts its presses and its restarts.

    `clock=None`: a device without a clock leaves `at` out. A gesture of eight presses is eight messages, each with the
    count so far: severity rises as they arrive."""

    def __init__(self, device_id: str, *, clock: Clock | None = None, boot: int = 1) -> None:
        self.device_id = device_id
        self.boot = boot
        self.sequence = 0
        self._clock = clock

    def press(self, count: int = 1, *, action: str = "press") -> Payload:
        """One message: this was the press number `count` of the gesture."""
        self.sequence += 1
        body: dict[str, object] = {"action": action, "count": count, "seq": self.sequence, "boot": self.boot}
        if self._clock is not None:
            body["at"] = self._clock.now().wall_us / 1e6
        return Payload(topic=f"alertd/press/{self.device_id}", payload=encode(body))

    def gesture(self, presses: int) -> list[Payload]:
        """All messages of a gesture, in order."""
        return [self.press(count) for count in range(1, presses + 1)]

    def restart(self) -> None:
        """The battery was changed: the counter begins anew, and the boot number says so."""
        self.boot += 1
        self.sequence = 0


class ZigbeeButton:
    """A Zigbee button behind Zigbee2MQTT: no counter, no time; the gateway's JSON and its plain `/action` twin."""

    def __init__(self, name: str, *, battery: int = 87) -> None:
        self.name = name
        self.battery = battery

    def press(self, action: str = "emergency") -> Payload:
        body = {"action": action, "battery": self.battery, "linkquality": 112, "voltage": 2900}
        return Payload(topic=f"zigbee2mqtt/{self.name}", payload=encode(body), qos=0)

    def press_with_twin(self, action: str = "emergency") -> list[Payload]:
        """What a default Zigbee2MQTT sends for one press."""
        twin = Payload(topic=f"zigbee2mqtt/{self.name}/action", payload=action.encode(), qos=0)
        return [self.press(action), twin]

    def availability(self, state: str = "online") -> Payload:
        topic = f"zigbee2mqtt/{self.name}/availability"
        return Payload(topic=topic, payload=encode({"state": state}), retain=True, qos=0)


def poison(kind: str, device_id: str, name: str) -> Payload:
    """Something on a press topic that is no press as anybody knows it. `kind`: see `world.plan.Poison`; `name` tells
    two of one kind apart."""
    found = {
        "garbage": b"\x00\xff\xfe{{{" + name.encode(),
        "empty": b"",
        "unregistered": encode({"action": "press", "count": 8, "seq": 1, "boot": name}),
        "unmapped": encode({"action": "dance", "seq": 1, "boot": name}),
        "huge": encode({"action": "press", "count": 8, "padding": "x" * 70_000}),
        "deep": b"[" * 20_000,
        "decide": encode({"action": CURSED, "seq": 1, "boot": name}),
    }[kind]
    sender = f"ghost-{name}" if kind == "unregistered" else device_id
    return Payload(topic=f"alertd/press/{sender}", payload=found)


class Air(Protocol):
    """The way from a device to its broker."""

    async def publish(self, message: Payload) -> None:
        """Completes with the broker's PUBACK (QoS 1)."""
        ...


class SimulatedAir:
    """Into the broker in memory."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker

    async def publish(self, message: Payload) -> None:
        self._broker.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)


class _Asking(aiomqtt.Client):
    """One that hears what a PUBACK of MQTT 5 says: a broker takes what its access list forbids, and drops it."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.refusals: list[str] = []

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:
        if reason_code.is_failure:
            self.refusals.append(str(reason_code))
        super()._on_publish(client, userdata, mid, reason_code, properties)


class MqttAir:
    """Over a real connection."""

    def __init__(self, client: _Asking) -> None:
        self._client = client

    @property
    def refusals(self) -> Sequence[str]:
        """Why the broker refused messages, one each, in its own words. Under MQTT 3.1.1, and at QoS 0, it says nothing
        of what it does not take."""
        return self._client.refusals

    async def publish(self, message: Payload) -> None:
        await self._client.publish(
            message.topic, message.payload, qos=message.qos, retain=message.retain, timeout=MQTT_TIMEOUT_S
        )


@asynccontextmanager
async def on_the_air(
    host: str,
    port: int,
    *,
    protocol: aiomqtt.ProtocolVersion = aiomqtt.ProtocolVersion.V5,
    username: str | None = None,
    password: str | None = None,
) -> AsyncIterator[MqttAir]:
    """A real MQTT connection for devices."""
    async with _Asking(
        host, port, protocol=protocol, username=username, password=password, timeout=MQTT_TIMEOUT_S
    ) as client:
        yield MqttAir(client)
