"""The same facts for ears: "ten forty-two", "four one seven", "Room two-oh-four, second floor east".

Owns numbers, times, dates and places as a telephone speaks them. Must never say who pressed: a voicemail is heard by
whoever picks up the phone.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from alertd.engine.wording import DAY_US, did
from alertd.model.ids import DeviceId
from alertd.model.incident import Incident, IncidentClass, Location, Press
from alertd.model.mode import Mode
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind, Site

WHAT: dict[IncidentClass, str] = {
    IncidentClass.LOCKDOWN: "Lockdown",
    IncidentClass.FIRE: "Fire",
    IncidentClass.POLICE_DURESS: "Police needed",
    IncidentClass.DURESS: "Duress",
    IncidentClass.MEDICAL: "Medical emergency",
    IncidentClass.STAFF_ASSIST: "Staff assist",
    IncidentClass.HOLD: "Hold",
    IncidentClass.GUNSHOT_SENSOR: "Gunshot sensor, unconfirmed",
    IncidentClass.KEYWORD_SENSOR: "Help word heard by a sensor, unconfirmed",
    IncidentClass.TAMPER: "Sensor tampered with",
    IncidentClass.MASKING: "Vape sensor masked",
    IncidentClass.VAPE: "Vape sensor",
    IncidentClass.NOISE: "Noise sensor",
    IncidentClass.ENVIRONMENTAL: "Environmental sensor",
}

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty")
_ORDINALS = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"}
_NORTH_AMERICAN_DIGITS = 10
_DEVICE = {DeviceKind.WEARABLE: "Badge", DeviceKind.BUTTON: "Button", DeviceKind.SENSOR: "Sensor"}


def number(value: int) -> str:
    """0 to 59 in words; anything else digit by digit."""
    if not 0 <= value < 60:
        return digits(str(value))
    if value < len(_SMALL):
        return _SMALL[value]
    tens, ones = divmod(value, 10)
    return f"{_TENS[tens]}-{_SMALL[ones]}" if ones else _TENS[tens]


def digits(text: str) -> str:
    """Every digit by itself, "417" as "four one seven"; whatever is no digit is left out."""
    return " ".join(_SMALL[int(character)] for character in text if character in "0123456789")


def phone(text: str) -> str:
    """A number to write down, with a breath where it is written with one: "five five five, zero one four two"."""
    plain = "".join(character for character in text if character in "0123456789")
    if len(plain) == _NORTH_AMERICAN_DIGITS + 1 and plain.startswith("1"):
        plain = plain[1:]
    groups = (plain[:-7], plain[-7:-4], plain[-4:])
    return ", ".join(digits(group) for group in groups if group)


def clock(site: Site, at_us: int) -> str:
    """Like "ten forty-two", at the site; twelve hours, as people here speak."""
    at = _local(site, at_us)
    hour = number(at.hour % 12 or 12)
    if at.minute == 0:
        return f"{hour} o'clock"
    return f"{hour} oh {number(at.minute)}" if at.minute < 10 else f"{hour} {number(at.minute)}"


def half(site: Site, at_us: int) -> str:
    """Which of the two: for whoever hears it a day later."""
    return "in the morning" if _local(site, at_us).hour < 12 else "in the afternoon"


def date(site: Site, at_us: int) -> str:
    """Like "Monday, March second"."""
    at = _local(site, at_us)
    return f"{at.strftime('%A, %B')} {_ordinal(at.day)}"


def _local(site: Site, at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, ZoneInfo(site.time_zone))


def _ordinal(day: int) -> str:
    """1 to 31."""
    if day in _ORDINALS:
        return _ORDINALS[day]
    if day < 20:
        return f"{number(day)}th"
    tens, ones = divmod(day, 10)
    return f"{_TENS[tens]}-{_ordinal(ones)}" if ones else f"{_TENS[tens][:-1]}ieth"


def place(registry: Registry, location: Location, now_us: int) -> str:
    """Where to go. A wearable is *near* where it was heard, with the age of that knowledge."""
    zone = registry.zones.get(location.zone_id) if location.zone_id else None
    words = (zone.spoken if zone else "") or location.label
    if location.source == "fixed":
        return words
    if location.source == "last_heard":
        doubt = ", perhaps" if location.unsure else ""
        return f"Near {words}{doubt}, heard there {_heard(location, now_us)}"
    return "Place unknown"


def _heard(location: Location, now_us: int) -> str:
    if location.heard_us is None:
        return "when it was pressed"
    minutes = max(0, now_us - location.heard_us) // 60_000_000
    return f"{number(minutes)} minute{'s' if minutes > 1 else ''} ago" if minutes else "just now"


def device(registry: Registry, device_id: DeviceId) -> str:
    """What was pressed ("Badge", "Button"), never whose; the phone of somebody who asked."""
    if not device_id:
        return "Phone"
    known = registry.devices.get(device_id)
    return _DEVICE.get(known.kind, "Button") if known else "Button"


def what(incident_class: IncidentClass, mode: Mode) -> str:
    """Like "Lockdown", in a drill "Lockdown drill"."""
    return f"{WHAT[incident_class]} drill" if mode is Mode.DRILL else WHAT[incident_class]


def params(registry: Registry, site: Site, incident: Incident, now_us: int) -> dict[str, str]:
    """Parameters of call templates, beside those of texts."""
    first, last = incident.presses[0], incident.presses[-1]
    return {
        "site_name": site.name,
        "spoken_where": place(registry, first.location, now_us),
        "spoken_what": what(incident.incident_class, incident.mode),
        "spoken_device": device(registry, first.device_id),
        "spoken_time": clock(site, incident.opened_us),
        "spoken_half": half(site, incident.opened_us),
        "spoken_date": date(site, incident.opened_us),
        "spoken_between": between(site, first),
        "spoken_also_where": place(registry, last.location, now_us),
        "spoken_also_time": clock(site, last.received_us),
        "spoken_also_did": "was also heard" if last.carried else f"has also {did(last)}",
        "spoken_minute": clock(site, now_us),
        "spoken_token": digits(incident.token),
        "spoken_tried": number(len({told.person_id for told in incident.told})),
        "spoken_phone": phone(site.main_phone) if site.main_phone else "the school",
    }


def between(site: Site, press: Press) -> str:
    """When a late press can have been made."""
    since_us = press.received_us if press.oldest_us is None else press.oldest_us
    day = f"{date(site, since_us)}, " if press.received_us - since_us >= DAY_US else ""
    return f"{day}{clock(site, since_us)} and {clock(site, press.received_us)}"
