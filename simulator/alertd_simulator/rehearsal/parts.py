"""What a configuration consists of that can fail alone: one person's phone, a channel, a destination, the internet.

Owns how each is taken out of a day. The day stays the same otherwise: same seed, same habits.
"""

from collections import defaultdict
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from alertd.config import Loaded
from alertd.model.ids import PersonId
from alertd_simulator.rehearsal.days import down_channel
from alertd_simulator.weather import Weather
from alertd_simulator.world.plan import BrokerDown, Deed, DispatchWeather, Plan, UplinkCut

BEFORE_PRESS_S = 10.0
"""What is taken away is gone so long after the world began: the daemon is up, the press has not come."""


class PartKind(StrEnum):
    PERSON = "person"
    CHANNEL = "channel"
    PROVIDER = "provider"
    DESTINATION = "destination"
    INTERNET = "internet"
    BROKER = "broker"


LIFELINES = frozenset({PartKind.INTERNET, PartKind.BROKER})
"""What every press hangs on, whatever the policies say."""


class Part(Struct, frozen=True, kw_only=True):
    """`failure`: what it is called when it fails ("Ruiz's phone is off")."""

    kind: PartKind
    id: str
    name: str
    failure: str


def parts_of(loaded: Loaded) -> tuple[Part, ...]:
    """Everything but people: whom of them to try is known only when the days have been seen."""
    registry = loaded.registry
    found: list[Part] = []
    by_plugin: dict[str, list[str]] = defaultdict(list)
    for section in loaded.sections:
        if section.table == "channels":
            by_plugin[section.plugin].append(section.name)
    for channel in registry.channels.values():
        served = [d for d in registry.destinations.values() if d.endpoint.channel == channel.name]
        if channel.kind == "sms" or len(served) > 1:
            found.append(
                Part(
                    kind=PartKind.CHANNEL,
                    id=channel.name,
                    name=f"channel {channel.name}",
                    failure=f"channel {channel.name} is down",
                )
            )
    for plugin, channels in by_plugin.items():
        if len(channels) > 1:
            found.append(
                Part(
                    kind=PartKind.PROVIDER, id=plugin, name=plugin, failure=f"everything sent through {plugin} is down"
                )
            )
    for destination in registry.destinations.values():
        failure = f"destination {destination.id} does not answer"
        found.append(Part(kind=PartKind.DESTINATION, id=destination.id, name=destination.id, failure=failure))
    found.append(Part(kind=PartKind.INTERNET, id="internet", name="internet", failure="the way to the internet is cut"))
    found.append(Part(kind=PartKind.BROKER, id="broker", name="broker", failure="the MQTT broker is down"))
    return tuple(found)


def person(loaded: Loaded, person_id: str) -> Part:
    known = loaded.registry.people.get(PersonId(person_id))
    name = known.name if known else person_id
    return Part(kind=PartKind.PERSON, id=person_id, name=name, failure=f"{possessive(name)} phone is off")


def possessive(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def without(loaded: Loaded, plan: Plan, part: Part) -> Plan:
    """The same day, and this part of it fails from before the press to the end."""
    if part.kind is PartKind.PERSON:
        habits = [replace(each, phone_off_s=plan.over_at_s) if each.person == part.id else each for each in plan.habits]
        return replace(plan, habits=tuple(habits))
    deeds = (*plan.deeds, *_failure(loaded, part, plan.over_at_s - BEFORE_PRESS_S))
    return replace(plan, deeds=deeds, heal_at_s=plan.over_at_s)


def _failure(loaded: Loaded, part: Part, lasts_s: float) -> tuple[Deed, ...]:
    registry, at_s = loaded.registry, BEFORE_PRESS_S
    match part.kind:
        case PartKind.CHANNEL:
            return down_channel(registry, part.id, at_s=at_s, lasts_s=lasts_s)
        case PartKind.PROVIDER:
            names = [s.name for s in loaded.sections if s.table == "channels" and s.plugin == part.id]
            return tuple(d for name in names for d in down_channel(registry, name, at_s=at_s, lasts_s=lasts_s))
        case PartKind.DESTINATION:
            down = DispatchWeather(at_s=at_s, lasts_s=lasts_s, weather=Weather.UNAVAILABLE, destination=part.id)
            return (down,)
        case PartKind.INTERNET:
            return (UplinkCut(at_s=at_s, lasts_s=lasts_s),)
        case PartKind.BROKER:
            return (BrokerDown(at_s=at_s, lasts_s=lasts_s),)
        case PartKind.PERSON:
            raise AssertionError("a person is no fault: see `without`")
