"""What operators call things, and what they mean by it: incidents by id, token or reply code; people, rooms,
devices, sites.

A name that could mean two things is asked back, one that means nothing is refused with the nearest that exists. Must
never guess: an answer to the wrong incident silences the right one.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import Struct

from alertd.config.problems import quoted
from alertd.console.backend import Backend
from alertd.console.refusals import Refusal, RefusedError, refused, unknown
from alertd.engine.answers import DIGITS, HOLD_DIGIT, LOCKDOWN_DIGIT
from alertd.model.ids import DISTRICT, DeviceId, IncidentId, PersonId, SiteId, ZoneId, spelled_alike
from alertd.model.incident import Incident
from alertd.model.people import Person
from alertd.model.site import Device, Zone

INCIDENTS_MAX = 500
"""Most incidents of one listing."""
ID_BEGINNING_MIN = 6
"""Fewest characters of an id's beginning that may stand for it: "inc-" and two digits."""
CHOICES_MAX = 5
"""Open incidents that a refusal lists."""

_CODE = re.compile(r"([0-9])\s?([0-9]{2,6})")
_DIGITS = frozenset({*DIGITS, HOLD_DIGIT, LOCKDOWN_DIGIT})

T = TypeVar("T")


class Meant(Struct, frozen=True, kw_only=True):
    """The incident that was named. `digit`: of the reply code by which it was, else `None`."""

    incident: Incident
    digit: int | None = None


async def read(call: Callable[[], T]) -> T:
    """Reads run in a worker thread, so that a slow disk holds up no press."""
    return await asyncio.to_thread(call)


async def find_incident(backend: Backend, name: str) -> Incident:
    return (await find_meant(backend, name)).incident


async def find_meant(backend: Backend, name: str) -> Meant:
    """By id; or, for people in a hurry, by what exactly one open incident goes by: its token ("17") or the code that
    every text and screen shows ("417"); or by the unique beginning of an id."""
    incident = await read(lambda: backend.store.read_incident(IncidentId(name)))
    if incident is not None:
        return Meant(incident=incident)
    recent = await read(lambda: backend.store.read_incidents(open_only=False, site_id=None, limit=INCIDENTS_MAX))
    still_open = await read(lambda: backend.store.read_incidents(open_only=True, site_id=None, limit=INCIDENTS_MAX))
    meant = _by_code(name, still_open) or [
        Meant(incident=i) for i in recent if i.id.startswith(name) and len(name) >= ID_BEGINNING_MIN
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        choices = ", ".join(f"{m.incident.id} ({m.incident.headline})" for m in meant[:CHOICES_MAX])
        raise refused(409, f'"{name}" means more than one incident', "incident id", f"say which: {choices}")
    if name.replace(" ", "").isdigit():
        error = f'no open incident goes by "{name}"'
        raise refused(404, error, "incident id", _open_ones(still_open))
    raise unknown("incident", name, "incident id", [i.id for i in recent])


def _by_code(name: str, still_open: Iterable[Incident]) -> list[Meant]:
    code = _CODE.fullmatch(name)
    digit, token = (int(code[1]), code[2]) if code else (0, "")
    found: list[Meant] = []
    for incident in still_open:
        if incident.token == name:
            found.append(Meant(incident=incident))
        elif incident.token == token and digit in _DIGITS:
            found.append(Meant(incident=incident, digit=digit))
    return found


def _open_ones(still_open: tuple[Incident, ...]) -> str:
    if not still_open:
        return "no incident is open; `alertd incidents --all` shows the closed ones"
    more = ", …" if len(still_open) > CHOICES_MAX else ""
    return "open are: " + ", ".join(f"{i.token} ({i.headline})" for i in still_open[:CHOICES_MAX]) + more


def find_person(backend: Backend, person_id: str) -> Person:
    people = backend.registry().people
    if person_id not in people:
        raise unknown("person", person_id, "person", people)
    return people[PersonId(person_id)]


def who_orders(backend: Backend, by: str | None, name: str | None, *, otherwise: str | None = None) -> str:
    """The name that others will read: that of a registered person, or one that was given expressly as such (the API
    has seen to its characters)."""
    if by is None and name is None and otherwise is not None:
        return otherwise
    if (by is None) == (name is None):
        wrong = "nobody is named" if by is None else "two are named"
        raise refused(422, f"{wrong} who orders it", "body.by", f"give one of the two: `by`, a person's id; or {_NAME}")
    if name is not None:
        return name
    assert by is not None, "exactly one of the two is given"
    person = backend.registry().people.get(PersonId(by))
    if person is None:
        missing = unknown("person", by, "by", backend.registry().people).refusal
        remedy = f"{missing.remedy}; for somebody who is not in people.csv give {_NAME}"
        raise RefusedError(404, Refusal(error=missing.error, where=missing.where, remedy=remedy))
    return person.name


_NAME = "`name` (--name), as others should read it"


def find_zone(backend: Backend, incident: Incident, zone: str) -> ZoneId:
    """By id, by the name within its site ("rm-204"), as people read it ("Rm 204"), or by the number on its door
    ("204"), in this order; never a room of another site."""
    said = _plain(zone)
    zones = [z for z in backend.registry().zones.values() if z.site_id == incident.site_id]
    names: tuple[Callable[[Zone], str], ...] = (
        lambda z: z.id,
        lambda z: z.id.removeprefix(f"{z.site_id}:"),
        lambda z: z.short,
        lambda z: z.room or "",
    )
    for name in names:
        found = [known for known in zones if _plain(name(known)) == said]
        if len(found) > 1:
            shorts = " or ".join(quoted(known.short) for known in found)
            raise refused(404, f"{len(found)} rooms are called {quoted(zone)}", "zone", f"say which: {shorts}")
        if found and said:
            return found[0].id
    raise unknown(f"zone at {incident.site_id}", zone, "zone", [z.short for z in zones])


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def find_device(backend: Backend, name: str) -> Device:
    """By id, whatever the case of its letters, an address however it is spelled: a label prints in capitals and with
    colons what a registry may write small. No two ids differ in that alone (`config.csv_files`, `lint.profiles`)."""
    devices = backend.registry().devices
    said = spelled_alike(_plain(name))
    alike = (d for d in devices.values() if spelled_alike(_plain(d.id)) == said)
    found = devices.get(DeviceId(name)) or next(alike, None)
    if found is None:
        raise unknown("device", name, "device", devices)
    return found


def find_site(backend: Backend, site: str) -> SiteId:
    sites = backend.registry().sites
    if site != DISTRICT and site not in sites:
        raise unknown("site", site, "site", [*sites, DISTRICT])
    return SiteId(site)
