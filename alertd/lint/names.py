"""Names that people act on: does each mean one school, one room, one person?

Two schools or rooms of one name are errors: whoever reads or hears it goes to one of them, perhaps the wrong one. Two
people of one name are warned of only: each is told all the same and goes to the right place, and "Also going: Smith"
misleads about who; that must not keep a district from alerting its new teacher.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TypeVar

from alertd.config import Thing
from alertd.config.problems import quoted
from alertd.engine.gsm7 import to_gsm7
from alertd.lint.findings import Judge
from alertd.model.people import Person, PersonKind
from alertd.model.site import Site

NAMED_IN_TEXTS = (PersonKind.STAFF, PersonKind.RESPONDER)

WORDS_OF_A_ROOM = {"label": "label", "short": "short name", "spoken": "spoken name"}

T = TypeVar("T")


def check_names(judge: Judge) -> None:
    _check_schools(judge)
    for site in judge.schools():
        _check_rooms(judge, site)
    _check_people(judge)


def _check_schools(judge: Judge) -> None:
    schools = sorted(judge.schools(), key=lambda site: site.id)
    for site, other in _twins(schools, lambda site: site.name):
        message = f"{other.id} and {site.id} are both called {quoted(site.name)}: help could be sent to either"
        judge.error(Thing.SITE, site.id, "name", message, "write what tells them apart")
    for site, other in _twins(schools, lambda site: site.short):
        message = f"texts of {other.id} and {site.id} both begin with {quoted(site.short)}: people could go to either"
        judge.error(Thing.SITE, site.id, "short", message, "write what tells them apart")


def _check_rooms(judge: Judge, site: Site) -> None:
    rooms = sorted((zone for zone in judge.registry.zones.values() if zone.site_id == site.id), key=lambda z: z.id)
    seen: set[tuple[str, str]] = set()
    for key, what in WORDS_OF_A_ROOM.items():
        for zone, other in _twins(rooms, attrgetter(key)):
            if (zone.id, other.id) in seen:  # who mends the label has mended the rest
                continue
            seen.add((zone.id, other.id))
            own, its = (each.id.removeprefix(f"{site.id}:") for each in (zone, other))
            shown = quoted(getattr(zone, key))
            message = f"{its} and {own} of {site.id} have one {what}, {shown}: people could go to either"
            remedy = f'write what tells them apart: {key} = "…"'
            judge.error(Thing.ZONE, zone.id, f"zones.{own}.{key}", message, remedy)


def _check_people(judge: Judge) -> None:
    told = [person for person in judge.registry.people.values() if person.kind in NAMED_IN_TEXTS]
    warned: set[str] = set()
    for site in judge.schools():
        here = sorted((person for person in told if site.id in person.sites), key=lambda person: person.id)
        for person, other in _twins(here, lambda person: person.name):
            if person.id not in warned:
                warned.add(person.id)
                _warn_of_namesake(judge, site, person, other)


def _warn_of_namesake(judge: Judge, site: Site, person: Person, other: Person) -> None:
    message = f"{other.id} and {person.id} are both called {person.name} at {site.id}: nobody could tell who is going"
    judge.warn(Thing.PERSON, person.id, "name", message, f'write what tells them apart: "J. {person.name}"')


def _twins(things: Iterable[T], words: Callable[[T], str]) -> Iterator[tuple[T, T]]:
    """Each whose words would look the same in a text as those of one before it, and that one."""
    seen: dict[str, T] = {}
    for thing in things:
        look = " ".join(to_gsm7(words(thing)).split()).casefold()
        if look and (other := seen.setdefault(look, thing)) is not thing:
            yield thing, other
