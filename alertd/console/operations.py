"""What an operator can do, one function each: look up, refuse in words, submit the event, read what was committed.

Every change is an event through the door, and every function that changes something returns only after the commit.
Must never write the store, and never take a mode from the caller: the engine alone says what a press is (promise 3).
"""

import asyncio
from collections.abc import Awaitable
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from alertd.console.backend import Backend
from alertd.console.naming import (
    INCIDENTS_MAX,
    Meant,
    find_device,
    find_incident,
    find_meant,
    find_person,
    find_zone,
    read,
    who_orders,
)
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
from alertd.engine.answers import DIGITS, may_answer
from alertd.engine.routing import route
from alertd.engine.spelling import as_registered
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
from alertd.model.ids import DISTRICT, CauseId, IncidentId, derive
from alertd.model.incident import AnswerKind, Incident, Press
from alertd.model.mode import Mode
from alertd.model.notification import NotificationRow
from alertd.model.trouble import Trouble

SOURCE = "console"
COMMIT_WAIT_S = 15.0
"""A commit that takes longer than this is answered "not known"; it may still happen."""


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


class Signature(Struct, frozen=True, kw_only=True):
    """Who gives an order: a registered person, or a name that was given expressly as such. Exactly one of them."""

    by: str | None = None
    name: str | None = None


class Standing(Struct, frozen=True):
    """One incident with all that hangs on it, read at one moment."""

    incident: Incident
    rows: tuple[NotificationRow, ...]
    lines: tuple[TimelineLine, ...]


def cause_of(key: str | None, verb: str) -> tuple[str, CauseId]:
    """The caller's Idempotency-Key (or a fresh one), and the cause that it identifies."""
    chosen = key or uuid4().hex
    return chosen, CauseId(derive(SOURCE, verb, chosen))


async def standing(backend: Backend, incident: Incident) -> Standing:
    rows = await read(lambda: backend.store.read_notifications(incident.id))
    journal = await read(lambda: backend.store.read_timeline(incident.id))
    return Standing(incident, rows, timeline(incident, journal, rows))


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
    registry, device_id = backend.registry(), find_device(backend, pressed.device_id).id
    chosen = key or uuid4().hex
    arrival = Arrival(
        source=SOURCE,
        topic=f"console/{device_id}",
        signals=(replace(pressed, device_id=device_id, cause=chosen),),
        received_us=backend.clock.now().wall_us,
        arrival_id=chosen,
    )
    event = route(registry, as_registered(registry, arrival))[0]
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
    touched = next((i for i, presses in after.items() if presses != before.get(i)), None)
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
    mode = incident.mode.value.upper()  # as the engine has it: a participant's first gesture in a drill is one
    words = f"Committed, {mode}: {incident.headline}. Messages written so far: {len(now.rows)}."
    return _result(backend, chosen, words, None, now)


async def _presses_of(backend: Backend, event: Pressed) -> dict[IncidentId, list[Press]]:
    """Open incidents with a press of that device, and what they know of it."""
    incidents = await read(
        lambda: backend.store.read_incidents(open_only=True, site_id=event.site_id, limit=INCIDENTS_MAX)
    )
    mine = {i.id: [p for p in i.presses if p.device_id == event.signal.device_id] for i in incidents}
    return {i: presses for i, presses in mine.items() if presses}


async def answer(
    backend: Backend, incident_id: str, person_id: str, kind: AnswerKind | None, key: str | None
) -> Committed:
    """Without a `kind` the digit of the code says it ("517" has arrived); a token or an id alone means going."""
    meant = await _open_meant(backend, incident_id)
    incident, person = meant.incident, find_person(backend, person_id)
    kind = kind or _kind_of(meant, incident_id)
    if not may_answer(backend.registry(), incident, person):
        raise refused(
            409,
            f"{person.name} is not of the site {incident.site_id} and was not told of {incident.headline}",
            "person",
            "nothing was changed; `alertd incidents` shows what is open, and where: name that incident, or somebody "
            "whom this one concerns",
        )
    chosen, cause = cause_of(key, "answer")
    event = AnswerGiven(
        site_id=incident.site_id, cause=cause, incident_id=incident.id, person_id=person.id, kind=kind, via=SOURCE
    )
    return await _order(backend, incident, event, chosen)


def _kind_of(meant: Meant, named: str) -> AnswerKind:
    if meant.digit is None:
        return AnswerKind.GOING
    if meant.digit not in DIGITS:
        raise refused(
            409,
            f'"{named}" asks for more than an answer ({meant.digit}…): by text it would hold or lock down the school',
            "incident id",
            f"to answer: `alertd ack {meant.incident.token}`; to raise it: `alertd press` a device of the site",
        )
    return DIGITS[meant.digit]


async def resolve(
    backend: Backend, incident_id: str, signed: Signature, key: str | None, *, rooms_released: bool, zone: str | None
) -> Committed:
    incident = await _open_incident(backend, incident_id)
    by = who_orders(backend, signed.by, signed.name)
    zone_id = find_zone(backend, incident, zone) if zone is not None else None
    chosen, cause = cause_of(key, "resolve")
    event = ResolveOrdered(
        site_id=incident.site_id,
        cause=cause,
        incident_id=incident.id,
        by=by,
        rooms_released=rooms_released,
        zone_id=zone_id,
    )
    return await _order(backend, incident, event, chosen)


async def correct(backend: Backend, incident_id: str, signed: Signature, reason: str, key: str | None) -> Committed:
    """Says that it was a mistake, to exactly those who were told; never an all-clear."""
    incident = await _open_incident(backend, incident_id)
    by = who_orders(backend, signed.by, signed.name)
    earlier = incident.correction
    if earlier is not None and all(p.received_us <= earlier.at_us for p in incident.presses):
        at = clock_time(backend.registry(), incident.site_id, earlier.at_us)
        said = f"{earlier.by} corrected it at {at}, and nothing was pressed since"
        raise refused(409, said, incident.id, "nobody was told again; resolve it when that is due")
    chosen, cause = cause_of(key, "correct")
    event = CorrectionOrdered(site_id=incident.site_id, cause=cause, incident_id=incident.id, by=by, reason=reason)
    return await _order(backend, incident, event, chosen)


async def acknowledge_trouble(
    backend: Backend, trouble_key: str, signed: Signature, site: str | None, key: str | None
) -> Trouble:
    by = who_orders(backend, signed.by, signed.name)
    troubles = await read(lambda: backend.store.read_troubles(latched=True))
    matching = [t for t in troubles if t.key == trouble_key and site in (None, t.site_id)]
    if not matching:
        raise unknown("standing trouble", trouble_key, "trouble key", [t.key for t in troubles])
    if len(matching) > 1:
        sites = ", ".join(t.site_id for t in matching)
        raise refused(409, f"{trouble_key} stands at several sites", "site", f"say which: site = {sites}")
    _, cause = cause_of(key, "trouble")
    event = TroubleAcknowledged(site_id=matching[0].site_id, cause=cause, key=trouble_key, by=by)
    await committed(backend.door.submit(event))
    after = await read(lambda: backend.store.read_troubles(latched=True))
    same = [t for t in after if (t.key, t.site_id) == (trouble_key, matching[0].site_id)]
    return same[0] if same else matching[0]


async def order_person_test(backend: Backend, person_id: str, signed: Signature, key: str | None) -> Committed:
    person = find_person(backend, person_id)
    by = who_orders(backend, signed.by, signed.name, otherwise=SOURCE)
    if not person.endpoints:
        raise refused(409, f"{person.name} has no endpoint", f"person {person_id}", "give them a phone in people.csv")
    chosen, cause = cause_of(key, "test")
    site_id = person.sites[0] if person.sites else DISTRICT
    event = TestOrdered(site_id=site_id, cause=cause, by=by, person_id=person.id)
    keys = frozenset(endpoint.key for endpoint in person.endpoints)
    return await _test(backend, event, chosen, keys)


async def order_destination_test(backend: Backend, name: str, signed: Signature, key: str | None) -> Committed:
    by = who_orders(backend, signed.by, signed.name, otherwise=SOURCE)
    destinations = backend.registry().destinations
    if name not in destinations:
        raise unknown("destination", name, "destination", destinations)
    destination = destinations[name]
    chosen, cause = cause_of(key, "test")
    site_id = destination.site_ids[0] if destination.site_ids else DISTRICT
    event = TestOrdered(site_id=site_id, cause=cause, by=by, destination_id=name)
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
    return (await _open_meant(backend, incident_id)).incident


async def _open_meant(backend: Backend, incident_id: str) -> Meant:
    meant = await find_meant(backend, incident_id)
    incident = meant.incident
    if not incident.is_open:
        at = clock_time(backend.registry(), incident.site_id, incident.closed_us or incident.opened_us)
        closed = f"{incident.headline} was closed {at} by {incident.closed_by or 'somebody'}"
        raise refused(409, closed, incident_id, "nothing was changed; `alertd incidents` shows what is open")
    return meant


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
