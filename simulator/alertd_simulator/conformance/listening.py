"""Walks somebody through the checklist at a real broker, and writes down what is heard.

Owns the connection, the clock and the prompts. Subscribes at QoS 2 with the retain flag as published, so that it sees
what the device really sent. Publishes one thing: `received`, in the step that asks for it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from secrets import token_hex

import aiomqtt
import msgspec
from aiomqtt.exceptions import MqttConnectError
from msgspec import Struct
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from alertd_simulator.conformance.steps import RECEIVED_AFTER_S, STEPS, Step
from alertd_simulator.conformance.transcript import (
    Entered,
    Happened,
    Heard,
    Line,
    Subject,
    heard,
    nothing_at_all,
    written,
)

RETRY_S = 0.5
TIMEOUT_S = 10.0
SESSION_S = 600
"""So long the broker keeps what comes while the kit is away: a device may be back before it is."""

Say = Callable[[str], None]
Answer = Callable[[Step], Awaitable[str]]
"""Asked when a step may begin: "" to begin, "skip", "quit"."""


class Place(Struct, frozen=True, kw_only=True):
    """Where to listen."""

    host: str
    port: int
    topics: tuple[str, ...]
    username: str | None = None
    password: str | None = None
    feedback: str = ""
    """Topic on which the device hears "received"; "" = it cannot."""

    @property
    def user(self) -> str:
        return f"the user {self.username}" if self.username else "somebody without a name (see --username)"


class Listener:
    """`walk` once; the transcript is on disk after every step."""

    def __init__(self, place: Place, subject: Subject, out: Path, *, say: Say, answer: Answer) -> None:
        self._place = place
        self._subject = subject
        self._out = out
        self._say = say
        self._answer = answer
        self._lines: list[Line] = []
        self._began_s = time.monotonic()
        self._session = f"alertd-conformance-{token_hex(8)}"
        self._client: aiomqtt.Client | None = None
        self._connected = asyncio.Event()
        self._was_up = self._went = False

    async def walk(self, steps: Sequence[Step] = STEPS, *, pace: float = 1.0) -> None:
        """`pace`: what a step lasts is divided by it. Raises `RuntimeError` if the broker is not there, or does not
        let us read."""
        listening = asyncio.create_task(self._listen())
        try:
            await asyncio.wait({listening, asyncio.create_task(self._connected.wait())}, timeout=TIMEOUT_S,
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            if listening.done():
                await listening
            if not self._connected.is_set():
                raise RuntimeError(f"the broker {self._place.host}:{self._place.port} does not answer")
            for number, step in enumerate(steps, start=1):
                if not await self._step(number, len(steps), step, pace):
                    break
                if step.id != "idle" and not any(isinstance(line, Heard) for line in self._lines):
                    self._say(f"   {nothing_at_all(self._place.topics, self._place.user)}")
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self._save()

    async def _step(self, number: int, total: int, step: Step, pace: float) -> bool:
        """False: somebody has had enough."""
        self._say(f"\n{number} of {total}: {step.do}")
        answer = await self._answer(step)
        if answer == "quit":
            return False
        self._lines.append(Entered(step=step.id, at_s=self._now_s()))
        if answer == "skip":
            self._note("skipped")
            return True
        until_s = time.monotonic() + step.lasts_s / pace
        if step.id == "repeat" and self._place.feedback:
            await asyncio.sleep(min(RECEIVED_AFTER_S / pace, step.lasts_s / pace))
            await self._received()
        await asyncio.sleep(max(0.0, until_s - time.monotonic()))
        self._save()
        return True

    async def _received(self) -> None:
        client = self._client
        if client is None:
            return
        payload = msgspec.json.encode({"state": "received"})
        await client.publish(self._place.feedback, payload, qos=1, timeout=TIMEOUT_S)
        self._note("received")

    # --- the broker

    async def _listen(self) -> None:
        while True:
            try:
                await self._one_connection()
            except aiomqtt.MqttError as error:
                if isinstance(error, MqttConnectError) and not self._connected.is_set():
                    raise RuntimeError(f"the broker does not let {self._place.user} in ({error.rc})") from None
                if self._was_up:
                    self._was_up, self._went = False, True
                    self._note("away")
                    self._say("   (the broker is away)")
                self._client = None
                await asyncio.sleep(RETRY_S)

    async def _one_connection(self) -> None:
        place = self._place
        kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no type there
        kept.SessionExpiryInterval = SESSION_S
        async with aiomqtt.Client(
            place.host, place.port, protocol=aiomqtt.ProtocolVersion.V5, username=place.username,
            password=place.password, timeout=TIMEOUT_S, identifier=self._session, clean_start=False, properties=kept,
        ) as client:  # fmt: skip
            options = SubscribeOptions(qos=2, retainAsPublished=True)
            for topic in place.topics:
                for granted in await client.subscribe(topic, options=options):
                    if isinstance(granted, ReasonCode) and granted.is_failure:
                        raise RuntimeError(f"the broker does not let {place.user} read {topic} ({granted})")
            self._client = client
            if self._went:
                self._note("back")
                self._say("   (the broker is back)")
            self._was_up, self._went = True, False
            self._connected.set()
            async for message in client.messages:
                self._hear(message)

    def _hear(self, message: aiomqtt.Message) -> None:
        payload = bytes(message.payload or b"")
        line = heard(self._now_s(), str(message.topic), payload, qos=message.qos, retain=message.retain)
        self._lines.append(line)
        self._say(f"   heard {message.topic} ({len(payload)} bytes, QoS {message.qos})")

    # --- the transcript

    def _now_s(self) -> float:
        return round(time.monotonic() - self._began_s, 3)

    def _note(self, event: str) -> None:
        self._lines.append(Happened(event=event, at_s=self._now_s()))

    def _save(self) -> None:
        self._out.write_text(written(self._subject, self._lines), "utf-8")
