"""The demo's story: a lockdown, a key in a call, a second room, a reply; then a drill, and a real press in its middle.

Owns who does what and when; it only presses, waits, orders as an operator would, and lets the witnesses watch. What
alertd does about it, alertd decides.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from alertd.model.site import Site
from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.demo_daemon import RunningDaemon
from alertd_simulator.demo_hops import Hop
from alertd_simulator.demo_loudspeakers import Heard, Room
from alertd_simulator.demo_school import Part, School
from alertd_simulator.demo_witness import Witnesses, hops_of
from alertd_simulator.devices import Air, Badge
from alertd_simulator.dispatch_center import DispatchCenter, Message
from alertd_simulator.mqtt_tap import Tap
from alertd_simulator.people import Habit, Responder, Seen

SECOND_ROOM_S = 1.5
REPLY_S = 2.0
SLOW_S = 25.0
ASK_S = 0.2
CHAPTER_S = 45.0
"""The longest that a chapter takes with the demo's short waits; a district's own come on top of it."""
RINGS_S, KEY_S = 1.2, 2.8
"""Before the first responder takes the call; and then, having heard the place, presses 4."""
PATIENCE_S = 12.0
"""For what the story would like to have seen before it goes on."""
MIDDLE_S = 4.9
"""So long into the drill's announcement its words are being said: mark, tone, and half a sentence."""
TOLD_BEFORE = "J. Doe, county dispatch"


class Story:
    def __init__(
        self, school: School, air: Air, carrier: Carrier, center: DispatchCenter, tap: Tap, rooms: Sequence[Room]
    ) -> None:
        self.school = school
        self.hops = hops_of(school, pa=bool(rooms))
        self.responders = self._cast(carrier)
        self.rooms = tuple(rooms)
        self.afterwards: list[tuple[int, str]] = []
        """What happened when the story was over: wall clock (µs) and words."""
        self.is_over = False
        self.active = school.site
        """Where something happened last, and where the user presses."""
        self.incidents: list[dict[str, Any]] = []
        """Open ones, as alertd tells them."""
        self.calls_to = carrier.phones.to
        self._air = air
        self._badges: dict[str, Badge] = {}
        self._seen = seen = Witnesses(school, self.hops, self.responders)
        carrier.on_phone.append(seen.phone_lit_up)
        carrier.phones.on_pickup.append(seen.call_taken)
        carrier.phones.on_key.append(seen.key_pressed)
        carrier.phones.on_heard.append(seen.heard_in_call)
        carrier.phones.on_key.append(lambda call, key: self._note(f"{self._named(call.to)} presses {key} in the call"))
        center.on_message.append(seen.dispatch_received)
        center.on_message.append(self._note_dispatch)
        tap.on_packet.append(seen.on_the_wire)
        for room in rooms:
            room.on_heard.append(seen.loudspeaker)
            room.on_heard.append(self._note_loudspeaker)

    def _cast(self, carrier: Carrier) -> list[Responder]:
        """Those asked first do not hear the text; one of them takes the call. Of those asked next one answers the text
        at once, and the others are slower."""
        first, *later = self.school.told_by_step("lockdown")
        carrier.phones.usual = Conduct(pickup=Pickup.TAKES, rings_s=RINGS_S * 3, keys=(("4", KEY_S),))
        cast, delay_s, takes_call = [], REPLY_S, True
        for person, number in self.school.phones():
            is_next = bool(later) and person.id in later[0] - first
            habit = Habit.SILENT if person.id in first else Habit.GOES
            if habit is Habit.SILENT:
                takes = Conduct(pickup=Pickup.TAKES, rings_s=RINGS_S, keys=(("4", KEY_S),))
                carrier.phones.conducts[number] = takes if takes_call else Conduct(pickup=Pickup.RINGS_OUT)
                takes_call = False
            responder = Responder(person.name, number, carrier, habit=habit, after_s=delay_s if is_next else SLOW_S)
            responder.on_screen.append(partial(self._on_screen, responder))
            delay_s = SLOW_S if is_next else delay_s
            cast.append(responder)
        return cast

    def _named(self, number: str) -> str:
        return next((each.name for each in self.responders if each.number == number), number)

    # --- what people at the school do

    async def press(self, incident_class: str, number: int = 0, site: Site | None = None) -> Part:
        """The `number`-th device that can mean this is pressed. Raises `RuntimeError` if the school has none."""
        self.active = site = site or self.school.site
        parts = self.school.parts(incident_class, site)
        if not parts:
            raise RuntimeError(f"no device of {site.name} means {incident_class.replace('_', ' ')}")
        part = parts[number % len(parts)]
        badge = self._badges.setdefault(part.device.id, Badge(part.device.id))
        self._note(f"{site.name}: {part.happens}, {incident_class.replace('_', ' ')}")
        await self._air.publish(badge.press(part.count, action=part.action))
        return part

    async def begin_drill(self, daemon: RunningDaemon, site: Site) -> Part:
        """The drill of the first room's button, ordered as an operator does. Raises `RuntimeError` if it is refused."""
        self.active = site
        part = self.school.parts("lockdown", site)[0]
        order = {"name": "J. Ruiz", "devices": [part.device.id], "told": TOLD_BEFORE, "minutes": 20}
        await daemon.order(f"/v1/sites/{site.id}/drill", order)
        self._note(f"{site.name}: a drill of {part.where} begins")
        return part

    async def close(self, daemon: RunningDaemon, site: Site) -> int:
        """Everything open at the school is closed, rooms released; how many there were."""
        closed = 0
        for incident in await daemon.incidents():
            if incident["site"] == site.id:
                body = {"name": "J. Ruiz", "rooms_released": True}
                await daemon.order(f"/v1/incidents/{incident['id']}/resolve", body)
                closed += 1
        if closed:
            self._note(f"{site.name}: closed, every room released in person")
        return closed

    def _note(self, words: str) -> None:
        if self.is_over:
            self.afterwards.append((time.time_ns() // 1000, words))

    # --- the chapters

    async def play(self, daemon: RunningDaemon) -> None:
        """All chapters, or as far as it came within each one's time. Raises `RuntimeError` if alertd refuses an order
        of the story."""
        waits_s = 0.0 if self.school.is_example else float(self.school.policy().steps[0].wait_s) * 2
        try:
            async with asyncio.timeout(CHAPTER_S + waits_s):
                await self._lockdown(daemon)
                await self._until(lambda: not self.hops.missing(Hop.DRILL_BEGUN))
            async with asyncio.timeout(CHAPTER_S):
                await self._drill(daemon)
                await self._until(lambda: not self.hops.missing(Hop.REAL_PRESSED))
            async with asyncio.timeout(CHAPTER_S):
                await self._real()
                await self._until(lambda: not self.hops.missing())
        except TimeoutError:
            pass
        finally:
            self.is_over = True

    async def _lockdown(self, daemon: RunningDaemon) -> None:
        part = self.school.parts("lockdown")[0]
        self._seen.topic = f"alertd/press/{part.device.id}"
        where = f"{self.school.site.name}, {part.where}"
        self.hops.reach(Hop.PRESSED, f"{part.label}, {part.count} presses, {where}")
        await self.press("lockdown")
        self.hops.reach(Hop.BROKER)
        await self._until(lambda: Hop.TEXT_SEEN in self.hops.reached)
        await self._patiently(lambda: not self.hops.missing(Hop.SECOND_PRESSED))
        await asyncio.sleep(SECOND_ROOM_S)
        part = self.school.parts("lockdown")[1]
        self.hops.reach(Hop.SECOND_PRESSED, f"{part.label}, {part.where}")
        await self.press("lockdown", 1)
        await self._until(lambda: not self.hops.missing(Hop.CLOSED))
        await self.close(daemon, self.school.site)
        self.hops.reach(Hop.CLOSED)

    async def _drill(self, daemon: RunningDaemon) -> None:
        site = self.school.drill_site
        await asyncio.sleep(SECOND_ROOM_S)
        part = self.school.parts("lockdown", site)[0]
        takes_part = f"{site.name}: only {part.label}, {part.where}, takes part; {TOLD_BEFORE} knows"
        self.hops.reach(Hop.DRILL_BEGUN, takes_part)
        await self.begin_drill(daemon, site)
        await self._until(lambda: Hop.DRILL_TOLD in self.hops.reached)
        await asyncio.sleep(SECOND_ROOM_S)
        self.hops.reach(Hop.DRILL_PRESSED, f"{part.label}, {part.where}")
        await self.press("lockdown", 0, site)

    async def _real(self) -> None:
        site = self.school.drill_site
        await self._patiently(self._is_mid_sentence)
        part = self.school.parts("lockdown", site)[1]
        self.hops.reach(Hop.REAL_PRESSED, f"{part.label}, {part.where}")
        await self.press("lockdown", 1, site)

    def _is_mid_sentence(self) -> bool:
        zones = self.school.zones_of(self.school.drill_site)
        rooms = [room for room in self.rooms if room.zone.name in zones]
        return all(room.is_speaking and room.sayings[-1].seconds >= MIDDLE_S for room in rooms)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():  # noqa: ASYNC110  # the hops come from many places, and a person is watching anyway
            await asyncio.sleep(ASK_S / 4)

    async def _patiently(self, reached: Callable[[], bool]) -> None:
        """The story goes on without it; what is missing is named at the end."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._until(reached)
        except TimeoutError:
            pass

    # --- for the screen, once the story is over

    def _on_screen(self, responder: Responder, line: Seen) -> None:
        if line.mine:
            self._note(f"{responder.name} texts {line.body}")
            self.hops.reach(Hop.REPLIED, f"{responder.name} writes", text=line.body)

    def _note_dispatch(self, message: Message) -> None:
        if message.type != "heartbeat":
            self._note(f"Dispatch reads: {message.headline}")

    def _note_loudspeaker(self, heard: Heard) -> None:
        if heard.words:
            self._note(f"Loudspeakers {heard.zone}: {heard.words}")

    # --- what alertd says of itself

    async def watch(self, daemon: RunningDaemon) -> None:
        """Until it is cancelled."""
        while True:
            self.incidents = await daemon.incidents()
            for incident in self.incidents:
                of_drill_site = incident["site"] == self.school.drill_site.id
                for line in await daemon.timeline(incident["id"]):
                    self._seen.read(line, of_drill_site=of_drill_site)
            await asyncio.sleep(ASK_S)
