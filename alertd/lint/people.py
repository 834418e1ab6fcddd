"""People's numbers: one phone is one person, and examples stay in the demo."""

import re

from alertd.config import Thing
from alertd.config.sections import NEVER_DIAL_KINDS
from alertd.lint.findings import Judge
from alertd.model.people import Person, PersonKind

EXAMPLE_NUMBER = re.compile(r"\+1\d{3}55501\d{2}")
"""555-0100 to 555-0199 are set aside for fiction in every area code: nobody would ever be reached."""


def check_people(judge: Judge) -> None:
    owners: dict[str, Person] = {}
    for person in judge.registry.people.values():
        for address in dict.fromkeys(endpoint.address for endpoint in person.endpoints):
            _check_number(judge, Thing.PERSON, person.id, "phone", address)
            other = owners.setdefault(address, person)
            if other is not person:
                message = f"{person.name} and {other.name} share a phone: a reply would count as {other.name}'s"
                judge.error(Thing.PERSON, person.id, "phone", message, "give each the number of their own phone")
        is_known = not judge.unread(Thing.CHANNEL, Thing.PERSON)
        if person.kind is PersonKind.RESPONDER and not person.endpoints and is_known:
            judge.error(
                Thing.PERSON, person.id, "phone", f"responder {person.name} cannot be reached", "write their phone"
            )
    for site in judge.schools():
        if site.main_phone:
            _check_number(judge, Thing.SITE, site.id, "address.main_phone", site.main_phone)
    for destination in judge.registry.destinations.values():
        channel = judge.registry.channels.get(destination.endpoint.channel)
        if channel is not None and channel.kind not in NEVER_DIAL_KINDS:
            _check_number(judge, Thing.DESTINATION, destination.id, "address", destination.endpoint.address)
    if judge.registry.technician_phone:
        _check_number(judge, Thing.DISTRICT, "", "district.technician_phone", judge.registry.technician_phone)


def _check_number(judge: Judge, thing: Thing, name: str, key: str, address: str) -> None:
    if not address.startswith("+") or judge.unread(Thing.DISTRICT):  # whether this is the demo, its file says
        return
    is_example = EXAMPLE_NUMBER.fullmatch(address) is not None
    if is_example and not judge.loaded.demo:
        message = "is an example number (555-01xx): nobody would ever be reached"
        judge.error(thing, name, key, message, "write the real number")
    elif judge.loaded.demo and not is_example:
        message = "is not an example number, but this is a demo"
        judge.warn(thing, name, key, message, "write a 555-01xx number, or remove demo = true from alertd.toml")
