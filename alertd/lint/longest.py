"""The longest text that a site could ever send: longest room × longest badge × the site's own name.

Builds a real incident of extreme values and lets the engine's own renderer fill the template, so that what is measured
is what would be sent.
"""

from functools import lru_cache

from alertd.engine import spoken, wording
from alertd.engine.gsm7 import septets, to_gsm7
from alertd.lint.findings import Judge, classes_of, reaches
from alertd.model.ids import CauseId, DeviceId, IncidentId, PersonId
from alertd.model.incident import (
    Answer,
    AnswerKind,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
    Location,
    Press,
    Told,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.site import Device, DeviceKind, Site, Zone

NOON_US = 1_790_000_000 * 1_000_000
HEARD_AGO_US = 12 * 60 * 1_000_000
"""A badge that was last heard so long before the text is written: two digits of minutes."""

TOKEN = "117"
"""Three digits: the longest day."""

PRESSES = 12
PEOPLE_TRIED = 999

SHORT = ("short_where", "first_where")
"""The short words of a wearable's place: its age and the doubt are told as tersely as the renderer must, and only if
the end of a text were lost otherwise, not at all."""

FREE_TEXT = {"reason": "hit a button by mistake", "summary": "broker away since 10:42, nothing can be heard"}
"""Words of unknown length, which the renderer shortens; this much must always survive."""


def longest_params(judge: Judge, site: Site, incident_class: str) -> dict[str, str]:
    """Every placeholder there is, each as long as it can get at this site for this class."""
    known = IncidentClass(incident_class) if incident_class in tuple(IncidentClass) else IncidentClass.LOCKDOWN
    if (site.id, known) not in judge.longest:  # every rule about words asks for the same
        judge.longest[site.id, known] = _longest_params(judge, site, known)
    return judge.longest[site.id, known]


def _longest_params(judge: Judge, site: Site, known: IncidentClass) -> dict[str, str]:
    incident = _incident(judge, site, known)
    names = [person.name for person in judge.registry.people.values()] or ["Somebody"]
    name = max(names, key=_size)
    texted, heard = (
        wording.incident_params(site, incident, NOON_US),
        spoken.params(judge.registry, site, incident, NOON_US),
    )
    return (
        texted
        | {name: wording.bare(texted[name]) for name in SHORT}
        | heard
        | {
            "spoken_closed": "twelve forty-seven",
            "district": judge.registry.district,
            "name": name,
            "by": name,
            "ends": "12:47",
            "why": "its time is over",
            "notice": "99",
            "tried": str(PEOPLE_TRIED),
            "between": "02:10 AND 06:55",
            "today": ", 22nd today",
            "alarms": "3500",
            "call_number": "26-118743",
            "code": f"4{TOKEN}",
            "headlines": incident.headline,
            "count": "THREE",
            "rest": "Nothing else is open.",
            **FREE_TEXT,
        }
    )


def _incident(judge: Judge, site: Site, incident_class: IncidentClass) -> Incident:
    press = _press(judge, site, incident_class)
    return Incident(
        id=IncidentId("i-longest"),
        site_id=site.id,
        incident_class=incident_class,
        mode=Mode.TEST,
        merge_key="",
        headline=wording.headline(site, incident_class, press, Mode.LIVE),
        token=TOKEN,
        policy_hash="",
        state=IncidentState.ACTIVE,
        escalation=EscalationState.RUNNING,
        opened_us=NOON_US,
        presses=(press, press),
        answers=(_answer("Alvarado"),),
        told=(Told(endpoint_key="", person_id=PersonId("p"), words="responder"),),
    )


def _answer(name: str) -> Answer:
    return Answer(person_id=PersonId("p"), name=name, kind=AnswerKind.GOING, at_us=NOON_US, via="sms", covers=2)


def _press(judge: Judge, site: Site, incident_class: IncidentClass) -> Press:
    """A press of the device with the longest label, from the place with the longest words."""
    here = [d for d in judge.registry.devices.values() if site.id in reaches(d)]
    able = [d for d in here if incident_class in classes_of(d)] or [d for d in here if _may_come_to(d, incident_class)]
    labels = [device.label or device.id for device in able] or ["badge"]
    return Press(
        id=CauseId("c"),
        device_id=DeviceId("d"),
        device_label=max(labels, key=_size),
        location=_place(judge, site, able),
        incident_class=incident_class,
        count=PRESSES,
        received_us=NOON_US,
        pressed_us=None,
        by_sensor=not is_panic(incident_class),
    )


def _may_come_to(device: Device, incident_class: IncidentClass) -> bool:
    """Where no device raises a class itself: people can make a panic of whatever they are told of, and only a sensor
    says what is none."""
    return device.kind is DeviceKind.SENSOR or (is_panic(incident_class) and device.kind is not DeviceKind.GATEWAY)


def _place(judge: Judge, site: Site, able: list[Device]) -> Location:
    places = [Location(zone_id=None, label="place UNKNOWN", short="place UNKNOWN", source="unknown")]
    places += [_fixed(zone) for device in able if (zone := _zone(judge, device)) is not None]
    if any(device.kind is DeviceKind.WEARABLE for device in able):
        gateways = [d for d in judge.registry.devices.values() if d.kind is DeviceKind.GATEWAY and d.site_id == site.id]
        places += [_near(zone) for device in gateways if (zone := _zone(judge, device)) is not None]
    return max(places, key=lambda place: _size(wording.place_words(place, NOON_US)[0]))


def _zone(judge: Judge, device: Device) -> Zone | None:
    return judge.registry.zones.get(device.zone_id) if device.zone_id else None


def _fixed(zone: Zone) -> Location:
    return Location(zone_id=zone.id, label=zone.label, short=zone.short, source="fixed")


def _near(zone: Zone) -> Location:
    heard_us = NOON_US - HEARD_AGO_US
    return Location(
        zone_id=zone.id, label=zone.label, short=zone.short, source="last_heard", heard_us=heard_us, unsure=True
    )


@lru_cache(maxsize=4096)  # the same few names at every site and for every class
def _size(text: str) -> int:
    return septets(to_gsm7(text)) or len(text)
