"""The demo's story: a lockdown, a second room, a responder who does not hear, and one who does.

Owns who does what and when; it only presses, waits and watches. What alertd does about it, alertd decides.
"""

import asyncio
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_json import Text
from alertd_simulator.demo_daemon import RunningDaemon
from alertd_simulator.demo_hops import Hop, Hops
from alertd_simulator.demo_school import Part, School
from alertd_simulator.devices import Air, Badge
from alertd_simulator.dispatch_center import DispatchCenter, Message
from alertd_simulator.mqtt_tap import Packet, Tap
from alertd_simulator.people import OFFER, Habit, Responder, Seen

SECOND_ROOM_S = 1.5
REPLY_S = 2.0
SLOW_S = 25.0
ASK_S = 0.2
STORY_S = 60.0
"""The whole story; without the demo's short waits it would take minutes."""

GOING = re.compile(r"\bGOING\b")


class Story:
    def __init__(self, school: School, air: Air, carrier: Carrier, center: DispatchCenter, tap: Tap) -> None:
        self.school = school
        self.hops = Hops()
        self.responders = self._cast(carrier)
        self.afterwards: list[tuple[int, str]] = []
        """What happened when the story was over: wall clock (µs) and words."""
        self._air = air
        self._badges: dict[str, Badge] = {}
        self._topic = ""
        self._ignoring: dict[str, None] = {}
        """Names of those whose phone lit up and who do not hear it, in order."""
        self._text_channels = {name for name, rules in school.registry.channels.items() if rules.kind == "sms"}
        self._delivered: tuple[int, int] | None = None
        """Connection and packet id of the press on its way to alertd."""
        carrier.on_phone.append(self._phone_lit_up)
        center.on_message.append(self._dispatch_received)
        tap.on_packet.append(self._on_the_wire)

    def _cast(self, carrier: Carrier) -> list[Responder]:
        """Those asked first do not hear it; of those asked next, one goes at once and the others are slower."""
        first, *later = self.school.told_by_step("lockdown")
        cast, delay_s = [], REPLY_S
        for person, number in self.school.phones():
            is_next = bool(later) and person.id in later[0] - first
            habit = Habit.SILENT if person.id in first else Habit.GOES
            responder = Responder(person.name, number, carrier, habit=habit, after_s=delay_s if is_next else SLOW_S)
            responder.on_screen.append(partial(self._on_screen, responder))
            delay_s = SLOW_S if is_next else delay_s
            cast.append(responder)
        return cast

    # --- what people at the school do

    async def press(self, incident_class: str, number: int = 0) -> Part:
        """The `number`-th device that can mean this is pressed. Raises `RuntimeError` if the school has none."""
        parts = self.school.parts(incident_class)
        if not parts:
            raise RuntimeError(f"no device of {self.school.site.name} means {incident_class}")
        part = parts[number % len(parts)]
        badge = self._badges.setdefault(part.device.id, Badge(part.device.id))
        self._note(f"{part.label} pressed, {part.where}: {incident_class.replace('_', ' ')}")
        await self._air.publish(badge.press(part.count, action=part.action))
        return part

    def _note(self, words: str) -> None:
        if not self.hops.missing():
            self.afterwards.append((time.time_ns() // 1000, words))

    async def play(self, daemon: RunningDaemon) -> None:
        """The whole story, until every hop was reached or `STORY_S` have passed."""
        watching = asyncio.create_task(self._watch(daemon), name="watch")
        try:
            async with asyncio.timeout(STORY_S):
                await self._first_room()
                await self._until(lambda: Hop.DISPATCH_ACCEPTED in self.hops.reached)
                await asyncio.sleep(SECOND_ROOM_S)
                await self._second_room()
                await self._until(lambda: not self.hops.missing())
        except TimeoutError:
            return
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _first_room(self) -> None:
        part = self.school.parts("lockdown")[0]
        self._topic = f"alertd/press/{part.device.id}"
        self.hops.reach(Hop.PRESSED, f"{part.label}, {part.count} presses, {part.where}")
        await self.press("lockdown")
        self.hops.reach(Hop.BROKER)

    async def _second_room(self) -> None:
        part = self.school.parts("lockdown")[1]
        self.hops.reach(Hop.SECOND_PRESSED, f"{part.label}, {part.where}")
        await self.press("lockdown", 1)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():  # noqa: ASYNC110  # the hops come from many places, and a person is watching anyway
            await asyncio.sleep(ASK_S / 4)

    # --- what can be seen from outside

    def _on_the_wire(self, packet: Packet) -> None:
        if packet.topic == self._topic and not packet.from_client:
            self._delivered = (packet.connection, packet.packet_id)
        elif packet.is_ack and packet.from_client and (packet.connection, packet.packet_id) == self._delivered:
            self.hops.reach(Hop.ACKNOWLEDGED, at_us=packet.at_us)
        elif packet.from_client and packet.topic.startswith("alertd/feedback/"):
            self.hops.reach(Hop.FEEDBACK, at_us=packet.at_us)

    def _phone_lit_up(self, text: Text) -> None:
        responder = next((each for each in self.responders if each.number == text.to), None)
        if responder is None:
            return
        reads = f"{responder.name} reads"
        if "ALSO" in text.body:
            self.hops.reach(Hop.SECOND_TOLD, reads, text=text.body)
        if responder.habit is Habit.SILENT:
            self._ignoring[responder.name] = None
            self.hops.reach(Hop.TEXT_SEEN, reads, text=text.body)
        elif OFFER.search(text.body) and Hop.ESCALATED in self.hops.reached:
            self.hops.reach(Hop.NEXT_SEEN, reads, text=text.body)
        if GOING.search(text.body) and Hop.REPLIED in self.hops.reached:
            self.hops.reach(Hop.CONFIRMED, reads, text=text.body)

    def _on_screen(self, responder: Responder, line: Seen) -> None:
        if line.mine:
            self._note(f"{responder.name} texts {line.body}")
            self.hops.reach(Hop.REPLIED, f"{responder.name} writes", text=line.body)

    def _dispatch_received(self, message: Message) -> None:
        self._note(f"Dispatch reads: {message.headline}")
        if message.type == "new":
            self.hops.reach(Hop.DISPATCH_RECEIVED, text=message.headline)
        presses = message.body.get("presses")
        if isinstance(presses, list) and len(presses) > 1:
            self.hops.reach(Hop.SECOND_DISPATCH, text=message.headline)

    # --- what alertd says of itself

    async def _watch(self, daemon: RunningDaemon) -> None:
        while True:
            for incident in await daemon.incidents():
                for line in await daemon.timeline(incident["id"]):
                    self._read(line)
            await asyncio.sleep(ASK_S)

    def _read(self, line: dict[str, Any]) -> None:
        what, who, at_us = line["what"], line["who"], line["at_us"]
        is_text = line["known_by"] in self._text_channels
        if what.startswith("press"):
            self.hops.reach(Hop.COMMITTED, at_us=at_us)
        elif is_text and line["state"] == "accepted":
            self.hops.reach(Hop.TEXT_ACCEPTED, f"to {who}", at_us=at_us)
        elif is_text and line["state"] == "delivered":
            self.hops.reach(Hop.TEXT_DELIVERED, f"to {who}", at_us=at_us)
        elif what.startswith("dispatch:") and line["state"] == "accepted":
            self.hops.reach(Hop.DISPATCH_ACCEPTED, what.removeprefix("dispatch: "), at_us=at_us)
        elif line["reason"] == "next_step":
            self.hops.reach(Hop.IGNORED, ", ".join(self._ignoring), at_us=at_us)
            self.hops.reach(Hop.ESCALATED, f"{who} is called", at_us=at_us)
        elif what.startswith("answer") and line["reason"] == "acknowledged":
            self.hops.reach(Hop.ANSWERED, what.removeprefix("answer: "), at_us=at_us)
