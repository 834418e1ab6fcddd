"""What admins do at the console during a simulated day: resolve, release, correct, answer, test, reload.

Owns the choice of incident and person. Goes through the door as the console does; must never write anything itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random

from alertd.config import Loaded
from alertd.model.events import (
    AnswerGiven,
    CorrectionOrdered,
    DeviceTestEndOrdered,
    DeviceTestOrdered,
    DeviceTestWatched,
    DrillEndOrdered,
    DrillOrdered,
    Event,
    ResolveOrdered,
    SayOrdered,
    SilenceOrdered,
    TestOrdered,
    TroubleAcknowledged,
)
from alertd.model.ids import CauseId, DeviceId, IncidentId, PersonId, SiteId, ZoneId
from alertd.model.incident import AnswerKind, Incident, IncidentClass
from alertd.model.people import Person, PersonKind
from alertd.ports import NotCommittedError
from alertd_simulator.world.happenings import Happening, Ordered, Reloaded
from alertd_simulator.world.machine import Machine
from alertd_simulator.world.plan import Order

LOUDSPEAKERS = frozenset({"pa_stop", "say", "say_emergency"})
Widen = Callable[[Loaded], Loaded]


DRILLS = frozenset({"drill_start", "drill_end"})
DEVICE_TESTS = frozenset({"device_test_start", "device_test_end"})
LOOKS_EVERY_S = 10.0
"""So often it is written down that somebody watches a test."""


class Admins:
    """Carries out one order after another. `widened` makes the configuration that a reload brings."""

    def __init__(self, machine: Machine, *, random: Random, emit: Callable[[Happening], None], widened: Widen) -> None:
        self.on_reloaded: Callable[[Loaded], None] = lambda _: None
        self._machine = machine
        self._random = random
        self._emit = emit
        self._widened = widened
        self._count = 0

    async def carry_out(self, order: Order) -> None:
        if self._machine.daemon is None or self._machine.store is None:
            return
        self._count += 1
        if order.what == "reload":
            await self._reload()
        elif order.what in LOUDSPEAKERS:
            await self._loudspeakers(order)
        elif order.what in DRILLS:
            await self._drill(order)
        elif order.what in DEVICE_TESTS:
            await self._device_test(order)
        elif order.what == "acknowledge_trouble":
            await self._acknowledge_trouble(order)
        elif order.what == "test":
            people = [p for p in self._machine.school.registry.people.values() if p.endpoints and p.sites]
            person = next((p for p in people if p.id == order.by), None) or self._random.choice(people)
            event = TestOrdered(site_id=person.sites[0], cause=self._cause(order), by="admin", person_id=person.id)
            await self._submit(order.what, "admin", event)
        else:
            await self._on_incident(order)

    def _cause(self, order: Order) -> CauseId:
        return CauseId(f"order-{self._count}-{order.what}")

    async def _on_incident(self, order: Order) -> None:
        store = self._machine.store
        assert store is not None
        incidents = store.read_incidents(open_only=True, site_id=None, limit=100)
        ordered = sorted(incidents, key=lambda incident: (incident.opened_us, incident.id))
        if not ordered:
            return
        incident = ordered[order.nth % len(ordered)]
        person = self._someone(incident, order.by)
        await self._submit(order.what, person.id, self._event(order, incident, person), incident.id)

    def _someone(self, incident: Incident, by: str) -> Person:
        known = self._machine.school.registry.people
        if by:
            return known[PersonId(by)]
        people = known.values()
        able = [p for p in people if incident.site_id in p.sites and p.kind is PersonKind.RESPONDER]
        return self._random.choice(able or list(people))

    def _event(self, order: Order, incident: Incident, person: Person) -> Event:
        cause = self._cause(order)
        resolve = partial(
            ResolveOrdered, site_id=incident.site_id, cause=cause, incident_id=incident.id, by=person.name
        )
        match order.what:
            case "resolve":
                return resolve()
            case "resolve_rooms_released":
                return resolve(rooms_released=True)
            case "release":
                return resolve(zone_id=self._zone(order, incident))
            case "correct":
                return CorrectionOrdered(
                    site_id=incident.site_id, cause=cause, incident_id=incident.id, by=person.name, reason="a mistake"
                )
            case "answer_going":
                return AnswerGiven(
                    site_id=incident.site_id,
                    cause=cause,
                    incident_id=incident.id,
                    person_id=person.id,
                    kind=AnswerKind.GOING,
                    via="console",
                )
            case other:
                raise AssertionError(f"no admin knows the order {other!r}")

    def _zone(self, order: Order, incident: Incident) -> ZoneId | None:
        zones = [press.location.zone_id for press in incident.presses if press.location.zone_id]
        chosen = self._random.choice(zones) if zones else None
        return ZoneId(order.zone) if order.zone else chosen

    async def _loudspeakers(self, order: Order) -> None:
        registry = self._machine.school.registry
        site_id = SiteId(order.site)
        people = [p for p in registry.people.values() if site_id in p.sites and p.kind is PersonKind.RESPONDER]
        by = registry.people[PersonId(order.by)] if order.by else self._random.choice(people)
        event: Event = SilenceOrdered(site_id=site_id, cause=self._cause(order), by=by.name)
        if order.what != "pa_stop":
            emergency = order.what == "say_emergency"
            event = SayOrdered(
                site_id=site_id, cause=self._cause(order), by=by.name, words=order.words, emergency=emergency
            )
        await self._submit(order.what, by.id, event)

    async def _drill(self, order: Order) -> None:
        """As the console does: nobody takes part but the devices that are named, and dispatch was called before."""
        site_id = SiteId(order.site)
        by = self._machine.school.registry.people.get(PersonId(order.by)) if order.by else None
        name = by.name if by else "admin"
        event: Event = DrillEndOrdered(site_id=site_id, cause=self._cause(order), by=name)
        if order.what == "drill_start":
            event = DrillOrdered(
                site_id=site_id,
                cause=self._cause(order),
                by=name,
                by_id=by.id if by else None,
                incident_class=IncidentClass(order.drilled),
                device_ids=tuple(map(DeviceId, order.devices)),
                told_before="the dispatcher on duty",
                minutes=order.minutes,
            )
        await self._submit(order.what, name, event)

    async def _device_test(self, order: Order) -> None:
        """One device is tried out, and watched, or is live again: at every school at which it may press, as the command
        does it."""
        device_id = DeviceId(order.devices[0])
        device = self._machine.school.registry.devices.get(device_id)
        sites = {SiteId(order.site): None} if device is None else dict.fromkeys((device.site_id, *device.roaming_sites))
        for site_id in sites:
            event: Event = DeviceTestEndOrdered(site_id=site_id, device_id=device_id, why="it was enough")
            if order.what == "device_test_start":
                event = DeviceTestOrdered(
                    site_id=site_id,
                    cause=CauseId(f"{self._cause(order)}-{site_id}"),
                    by="admin",
                    device_id=device_id,
                    incident_class=IncidentClass(order.drilled),
                    minutes=order.minutes,
                )
            await self._submit(order.what, "admin", event)
        if order.what == "device_test_start":
            await self._watch([DeviceTestWatched(site_id=each, device_id=device_id) for each in sites], order.watched_s)

    async def _watch(self, events: Sequence[DeviceTestWatched], watched_s: float) -> None:
        """A command that asks again and again, until its daemon is gone or it is closed."""
        daemon = self._machine.daemon
        for _ in range(int(watched_s // LOOKS_EVERY_S)):
            await asyncio.sleep(LOOKS_EVERY_S)
            if self._machine.daemon is not daemon or daemon is None:
                return
            for event in events:
                await _done(daemon.intake.submit(event))

    async def _acknowledge_trouble(self, order: Order) -> None:
        store = self._machine.store
        assert store is not None
        troubles = sorted(store.read_troubles(), key=lambda trouble: (trouble.site_id, trouble.key))
        standing = [t for t in troubles if t.cleared_us is None and not t.acknowledged_by]
        if standing:
            trouble = standing[order.nth % len(standing)]
            event = TroubleAcknowledged(site_id=trouble.site_id, cause=self._cause(order), key=trouble.key, by="admin")
            await self._submit(order.what, "admin", event)

    async def _reload(self) -> None:
        daemon = self._machine.daemon
        assert daemon is not None
        school = self._widened(self._machine.school)
        await daemon.reload(school.registry)
        self._machine.school = school
        self.on_reloaded(school)
        self._emit(Reloaded(at_us=self._machine.true_us(), version=school.registry.version))

    async def _submit(self, what: str, by: str, event: Event, incident_id: IncidentId | None = None) -> None:
        daemon = self._machine.daemon
        assert daemon is not None
        self._tell(what, by, event, incident_id, committed=False)
        if await _done(daemon.intake.submit(event)):
            self._tell(what, by, event, incident_id, committed=True)

    def _tell(self, what: str, by: str, event: Event, incident_id: IncidentId | None, *, committed: bool) -> None:
        self._emit(
            Ordered(
                at_us=self._machine.true_us(),
                what=what,
                by=by,
                site_id=event.site_id,
                incident_id=incident_id,
                committed=committed,
            )
        )


async def _done(submitted: Awaitable[None]) -> bool:
    try:
        await submitted
    except NotCommittedError:
        return False
    return True
