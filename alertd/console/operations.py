"""What an operator can do, one function each: look up, refuse in words, submit the event, read what was committed.

Every change is an event through the door, and every function that changes something returns only after the commit.
Must never write the store, and never take a mode from the caller: a press from the console is live (promise 3).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from alertd.console.backend import Backend
from alertd.console.refusals import refused, unknown
from alertd.console.timeline import TimelineLine, timeline
from alertd.console.views import (
    IncidentView,
    NotificationView,
    clock_time,
    incident_view,
    notification_view,
    release_hint,
)
from alertd.engine.routing import route
from alertd.model.events import (
    AnswerGiven,
    Arrival,
    CorrectionOrdered,
    Event,
    Pressed,
    ResolveOrdered,
    Signal,
    TestOrdered,
    TroubleAcknowledged,
)
from alertd.model.ids import DISTRICT, CauseId, IncidentId, PersonId, SiteId, ZoneId, derive
from alertd.model.incident import AnswerKind, Incident
from alertd.model.mode import Mode
from alertd.model.notification import NotificationRow
from alertd.model.trouble import Trouble

SOURCE = "console"
COMMIT_WAIT_S = 15.0
"""A commit that takes longer than this is answered "not known"; it may still happen."""
INCIDENTS_MAX = 500
"""Most incidents of one listing."""

ID_BEGINNING_MIN = 6
"""Fewest characters of an id's beginning that may stand for it: "inc-" and two digits."""

T = TypeVar("T")


class Committed(Struct, frozen=True, kw_only=True):
    """What followed from one order, read back after its commit."""

    cause: str
    """Repeat the order with this as Idempotency-Key and it is not done twice."""
    mode: str
    changed: bool
    words: str
    incident: IncidentView | None = None
    lines: tuple[TimelineLine, ...] = ()
    """What the journal says about it."""
    notifications: tuple[NotificationView, ...] = ()
    """Messages that were written because of it, with the people they go to."""
    next: str | None = None
    """What a human has to do now."""


class Standing(Struct, frozen=True):
    """One incident with all that hangs on it, read at one moment."""

    incident: Incident
    rows: tuple[NotificationRow, ...]
    lines: tuple[TimelineLine, ...]


async def read(call: Callable[[], T]) -> T:
    """Reads run in a worker thread, so that a slow disk holds up no press."""
    return await asyncio.to_thread(call)


def cause_of(key: str | None, verb: str) -> tuple[str, CauseId]:
    """The caller's Idempotency-Key (or a fresh one), and the cause that it identifies."""
    chosen = key or uuid4().hex
    return chosen, CauseId(derive(SOURCE, verb, chosen))


async def find_incident(backend: Backend, incident_id: str) -> Incident:
    """By id; or, for people in a hurry, by the token of exactly one open incident or the unique beginning of an id."""
    incident = await read(lambda: backend.store.read_incident(IncidentId(incident_id)))
    if incident is not None:
        return incident
    recent = await read(lambda: backend.store.read_incidents(open_only=False, site_id=None, limit=INCIDENTS_MAX))
    meant = [i for i in recent if i.is_open and i.token == incident_id] or [
        i for i in recent if i.id.startswith(incident_id) and len(incident_id) >= ID_BEGINNING_MIN
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        choices = ", ".join(f"{i.id} ({i.headline})" for i in meant[:5])
        raise refused(409, f'"{incident_id}" means more than one incident', "incident id", f"say which: {choices}")
    raise unknown("incident", incident_id, "incident id", [i.id for i in recent])


async def standing(backend: Backend, incident: Incident) -> Standing:
    rows = await read(lambda: backend.store.read_notifications(incident.id))
    journal = await read(lambda: backend.store.read_timeline(incident.id))
    return Standing(incident, rows, timeline(incident, journal, rows))


def find_person(backend: Backend, person_id: str) -> PersonId:
    people = backend.registry().people
    if person_id not in people:
        raise unknown("person", person_id, "person", people)
    return PersonId(person_id)


def name_of(backend: Backend, by: str) -> str:
    """A person's id becomes the name that others read; any other name is taken as it is given."""
    person = backend.registry().people.get(PersonId(by))
    return person.name if person else by


async def committed(order: Awaitable[None]) -> None:
    """Waits for the commit. An order that takes too long is not cancelled: that could leave half of it done."""
    task = asyncio.ensure_future(order)
    done, _ = await asyncio.wait({task}, timeout=COMMIT_WAIT_S)
    if not done:
        task.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise refused(
            504,
            f"not known whether it was committed: the store has not answered for {COMMIT_WAIT_S:.0f} s",
            "store",
            "look at `alertd health` and the disk; the same order with the same Idempotency-Key is not done twice",
        )
    await task


async def press(backend: Backend, pressed: Signal, key: str | None) -> Committed:
    """A press by hand, through the same door and the same routing as a button's. Always live."""
    registry, device_id = backend.registry(), pressed.device_id
    if device_id not in registry.devices:
        raise unknown("device", device_id, "device_id", registry.devices)
    chosen = key or uuid4().hex
    arrival = Arrival(
        source=SOURCE,
        topic=f"console/{device_id}",
        signals=(replace(pressed, cause=chosen),),
        received_us=backend.clock.now().wall_us,
        arrival_id=chosen,
    )
    event = route(registry, arrival)[0]
    if not isinstance(event, Pressed):
        raise refused(
            409,
            f"a press of {device_id} pages nobody: {event.why}",  # type: ignore[union-attr]
            "device_id",
            "press a device that is registered as a trigger at a site",
        )
    before = await _presses_of(backend, event)
    await committed(backend.door.receive(arrival))
    after = await _presses_of(backend, event)
    touched = next((i for i, count_ in after.items() if count_ != before.get(i)), None)
    if touched is None:
        return Committed(
            cause=chosen,
            mode=Mode.LIVE.value,
            changed=False,
            words="Committed. It changed no incident: the same press was known, or the device needs more presses, or "
            "its gesture means nothing. `alertd incidents` shows what is open.",
        )
    incident = await find_incident(backend, touched)
    now = await standing(backend, incident)
    words = f"Committed, LIVE: {incident.headline}. Messages written so far: {len(now.rows)}."
    return _result(backend, chosen, words, None, now)


async def _presses_of(backend: Backend, event: Pressed) -> dict[IncidentId, tuple[int, int]]:
    """Open incidents with a press of that device, and how much of it they have counted."""
    incidents = await read(
        lambda: backend.store.read_incidents(open_only=True, site_id=event.site_id, limit=INCIDENTS_MAX)
    )
    mine = {i.id: [p for p in i.presses if p.device_id == event.signal.device_id] for i in incidents}
    return {i: (len(presses), sum(p.count for p in presses)) for i, presses in mine.items() if presses}


async def answer(backend: Backend, incident_id: str, person_id: str, kind: AnswerKind, key: str | None) -> Committed:
    incident = await _open_incident(backend, incident_id)
    person = find_person(backend, person_id)
    chosen, cause = cause_of(key, "answer")
    event = AnswerGiven(
        site_id=incident.site_id, cause=cause, incident_id=incident.id, person_id=person, kind=kind, via=SOURCE
    )
    return await _order(backend, incident, event, chosen)


async def resolve(
    backend: Backend, incident_id: str, by: str, key: str | None, *, rooms_released: bool, zone: str | None
) -> Committed:
    incident = await _open_incident(backend, incident_id)
    zone_id = _find_zone(backend, incident, zone) if zone is not None else None
    chosen, cause = cause_of(key, "resolve")
    event = ResolveOrdered(
        site_id=incident.site_id,
        cause=cause,
        incident_id=incident.id,
        by=name_of(backend, by),
        rooms_released=rooms_released,
        zone_id=zone_id,
    )
    return await _order(backend, incident, event, chosen)


def _find_zone(backend: Backend, incident: Incident, zone: str) -> ZoneId:
    """By id, or by the name within its site ("204"), or as people read it ("Rm 204")."""
    zones = [z for z in backend.registry().zones.values() if z.site_id == incident.site_id]
    for known in zones:
        if zone in (known.id, known.id.removeprefix(f"{incident.site_id}:"), known.short):
            return known.id
    raise unknown(f"zone at {incident.site_id}", zone, "zone", [z.short for z in zones])


async def correct(backend: Backend, incident_id: str, by: str, reason: str, key: str | None) -> Committed:
    """Says that it was a mistake, to exactly those who were told; never an all-clear."""
    incident = await _open_incident(backend, incident_id)
    earlier = incident.correction
    if earlier is not None and all(p.received_us <= earlier.at_us for p in incident.presses):
        at = clock_time(backend.registry(), incident.site_id, earlier.at_us)
        said = f"{earlier.by} corrected it at {at}, and nothing was pressed since"
        raise refused(409, said, incident.id, "nobody was told again; resolve it when that is due")
    chosen, cause = cause_of(key, "correct")
    event = CorrectionOrdered(
        site_id=incident.site_id, cause=cause, incident_id=incident.id, by=name_of(backend, by), reason=reason
    )
    return await _order(backend, incident, event, chosen)


async def acknowledge_trouble(
    backend: Backend, trouble_key: str, by: str, site: str | None, key: str | None
) -> Trouble:
    troubles = await read(backend.store.read_troubles)
    matching = [t for t in troubles if t.key == trouble_key and site in (None, t.site_id)]
    if not matching:
        raise unknown("standing trouble", trouble_key, "trouble key", [t.key for t in troubles])
    if len(matching) > 1:
        sites = ", ".join(t.site_id for t in matching)
        raise refused(409, f"{trouble_key} stands at several sites", "site", f"say which: site = {sites}")
    _, cause = cause_of(key, "trouble")
    event = TroubleAcknowledged(site_id=matching[0].site_id, cause=cause, key=trouble_key, by=name_of(backend, by))
    await committed(backend.door.submit(event))
    after = await read(backend.store.read_troubles)
    same = [t for t in after if (t.key, t.site_id) == (trouble_key, matching[0].site_id)]
    return same[0] if same else matching[0]


async def order_person_test(backend: Backend, person_id: str, by: str, key: str | None) -> Committed:
    person = backend.registry().people[find_person(backend, person_id)]
    if not person.endpoints:
        raise refused(409, f"{person.name} has no endpoint", f"person {person_id}", "give them a phone in people.csv")
    chosen, cause = cause_of(key, "test")
    site_id = person.sites[0] if person.sites else DISTRICT
    event = TestOrdered(site_id=site_id, cause=cause, by=name_of(backend, by), person_id=person.id)
    keys = frozenset(endpoint.key for endpoint in person.endpoints)
    return await _test(backend, event, chosen, keys)


async def order_destination_test(backend: Backend, name: str, by: str, key: str | None) -> Committed:
    destinations = backend.registry().destinations
    if name not in destinations:
        raise unknown("destination", name, "destination", destinations)
    destination = destinations[name]
    chosen, cause = cause_of(key, "test")
    site_id = destination.site_ids[0] if destination.site_ids else DISTRICT
    event = TestOrdered(site_id=site_id, cause=cause, by=name_of(backend, by), destination_id=name)
    return await _test(backend, event, chosen, frozenset({destination.endpoint.key}))


async def _test(backend: Backend, event: TestOrdered, chosen: str, endpoints: frozenset[str]) -> Committed:
    ordered_us = backend.clock.now().wall_us
    await committed(backend.door.submit(event))
    rows = await read(lambda: backend.store.read_tests(ordered_us))
    mine = [row for row in rows if row.notification.endpoint.key in endpoints]
    registry = backend.registry()
    return Committed(
        cause=chosen,
        mode=Mode.TEST.value,
        changed=bool(mine),
        words=f"Test messages written: {len(mine)}. Each says what became of it."
        if mine
        else "Committed, and no message was written: the same test was ordered before.",
        notifications=tuple(notification_view(row, registry) for row in mine),
    )


async def _open_incident(backend: Backend, incident_id: str) -> Incident:
    incident = await find_incident(backend, incident_id)
    if not incident.is_open:
        at = clock_time(backend.registry(), incident.site_id, incident.closed_us or incident.opened_us)
        closed = f"{incident.headline} was closed {at} by {incident.closed_by or 'somebody'}"
        raise refused(409, closed, incident_id, "nothing was changed; `alertd incidents` shows what is open")
    return incident


async def _order(backend: Backend, incident: Incident, event: Event, chosen: str) -> Committed:
    before = await standing(backend, incident)
    await committed(backend.door.submit(event))
    after = await standing(backend, await find_incident(backend, incident.id))
    changed = after.incident != before.incident
    words = "Committed." if changed else "Committed, but it changed nothing; the lines below say why."
    return _result(backend, chosen, words, before, after)


def _result(backend: Backend, chosen: str, words: str, before: Standing | None, after: Standing) -> Committed:
    registry = backend.registry()
    known = {row.notification.id for row in before.rows} if before else frozenset()
    fresh = [row for row in after.rows if row.notification.id not in known]
    return Committed(
        cause=chosen,
        mode=after.incident.mode.value,
        changed=before is None or after.incident != before.incident,
        words=words,
        incident=incident_view(after.incident, registry, backend.clock.now().wall_us),
        lines=after.lines[len(before.lines) if before else 0 :],
        notifications=tuple(notification_view(row, registry) for row in fresh),
        next=release_hint(after.incident),
    )


def find_site(backend: Backend, site: str) -> SiteId:
    sites = backend.registry().sites
    if site != DISTRICT and site not in sites:
        raise unknown("site", site, "site", [*sites, DISTRICT])
    return SiteId(site)
