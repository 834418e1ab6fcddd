"""Buttons for the endurance run: each a real MQTT client with its own user, which presses and does not give up.

Owns what the devices' side knows for certain: which press got its PUBACK, and when. That is the promise the judge holds
alertd and the broker to. A press without PUBACK is sent again, as the same press, until it has one. Must never count a
press as promised for any other reason, and must know nothing of what became of it.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from random import Random

import aiomqtt
import msgspec
from msgspec import Struct

from alertd_simulator.devices import MQTT_TIMEOUT_S, Badge, Payload

RETRY_S = 0.3
"""Pause before a button connects again."""
FEEDBACK_WAIT_S = 3.0
"""A button that hears nothing for so long after its PUBACK presses again, if it is one of those that listen."""
WAITING_MAX = 400
"""Presses without PUBACK in the whole district; beyond it nobody presses, until some have one."""
BURST_EVERY = 10
"""On average one of so many presses is a burst: every button of a school within the same moment."""


class Until(StrEnum):
    """When a button stops repeating a press."""

    PUBACK = "puback"
    FEEDBACK = "feedback"


class Pressing(Struct, kw_only=True, eq=False):
    """One press: one payload with one number, however often it is sent."""

    device: str
    number: int
    payload: Payload
    phase: str
    sends: int = 0
    sent_s: float = 0.0
    """When it was sent last, by the wall clock."""
    puback_s: float | None = None
    """When the first PUBACK came, by the wall clock."""
    sends_after_puback: int = 0
    """Repeated because no feedback came: each may have been saved by that."""


Dial = Callable[[str], aiomqtt.Client]
"""The connection of the device with this id."""


class Button:
    """Presses one press after the other; the next waits until this one is done."""

    def __init__(self, device: str, dial: Dial, until: Until) -> None:
        self.device = device
        self.made: list[Pressing] = []
        self.reconnects = -1
        self._waiting: deque[Pressing] = deque()
        self._pressed = asyncio.Event()
        self._badge = Badge(device)
        self._dial = dial
        self._until = until
        self._heard_at_s = 0.0
        """What the last feedback says it is the answer of, by alertd's clock: that of this machine."""
        self._heard = asyncio.Event()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def press(self, phase: str) -> None:
        payload = self._badge.press(
            action="emergency"
        )  # each is one: a hold that is said again may be one that goes on
        pressing = Pressing(device=self.device, number=self._badge.sequence, payload=payload, phase=phase)
        self.made.append(pressing)
        self._waiting.append(pressing)
        self._pressed.set()

    async def run(self) -> None:
        """For ever; a connection that breaks is made again."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError, OSError):
                async with self._dial(self.device) as client:
                    self.reconnects += 1
                    await self._one_connection(client)
            await asyncio.sleep(RETRY_S)

    async def _one_connection(self, client: aiomqtt.Client) -> None:
        await client.subscribe(f"alertd/feedback/{self.device}", qos=1)
        tasks = [asyncio.create_task(self._listen(client)), asyncio.create_task(self._press_all(client))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            said = msgspec.json.decode(bytes(message.payload), type=dict[str, str])
            self._heard_at_s = datetime.fromisoformat(said["at"]).timestamp()
            self._heard.set()

    async def _press_all(self, client: aiomqtt.Client) -> None:
        while True:
            while self._waiting:
                pressing = self._waiting[0]
                await self._send(client, pressing)
                if self._until is Until.PUBACK or await self._was_heard(pressing):
                    self._waiting.popleft()
            self._pressed.clear()
            await self._pressed.wait()

    async def _send(self, client: aiomqtt.Client, pressing: Pressing) -> None:
        pressing.sends += 1
        pressing.sends_after_puback += pressing.puback_s is not None
        pressing.sent_s = time.time()
        self._heard.clear()
        await client.publish(pressing.payload.topic, pressing.payload.payload, qos=1, timeout=MQTT_TIMEOUT_S)
        if pressing.puback_s is None:
            pressing.puback_s = time.time()

    async def _was_heard(self, pressing: Pressing) -> bool:
        """Feedback names no press, only its time: an answer from before this press was sent is another one's."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FEEDBACK_WAIT_S):
                while True:
                    await self._heard.wait()
                    self._heard.clear()
                    # `at` is cut to milliseconds
                    if self._heard_at_s >= pressing.sent_s - 0.001:
                        return True
        return False


class Fleet:
    """All buttons of a district, and the load they make together."""

    def __init__(self, schools: Sequence[Sequence[str]], dial: Dial, until: Until, rng: Random) -> None:
        self._schools = [[Button(device, dial, until) for device in devices] for devices in schools]
        self._rng = rng
        self.buttons = [button for school in self._schools for button in school]
        self.phase = ""

    @property
    def made(self) -> list[Pressing]:
        return [pressing for button in self.buttons for pressing in button.made]

    @property
    def waiting(self) -> int:
        return sum(button.waiting for button in self.buttons)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for button in self.buttons:
                group.create_task(button.run())

    async def press_on(self, per_s: float) -> None:
        """Press at random moments, `per_s` on average, until cancelled."""
        presses_a_moment = 1 + (sum(map(len, self._schools)) / len(self._schools) - 1) / BURST_EVERY
        while True:
            await asyncio.sleep(self._rng.expovariate(per_s / presses_a_moment))
            if self.waiting >= WAITING_MAX:
                continue
            school = self._rng.choice(self._schools)
            burst = self._rng.random() < 1 / BURST_EVERY
            for button in school if burst else [self._rng.choice(school)]:
                button.press(self.phase)
