"""The words people read, from templates and facts. The tone and the rules are those of `messages.md`: location first,
one GSM-7 segment, codes that a carrier does not reserve, "badge" and never "X pressed"."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from alertd.engine.gsm7 import septets, to_gsm7
from alertd.model.incident import Incident, IncidentClass, Location, Press
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.site import Site

WHAT: dict[IncidentClass, str] = {
    IncidentClass.LOCKDOWN: "LOCKDOWN",
    IncidentClass.FIRE: "FIRE",
    IncidentClass.POLICE_DURESS: "POLICE NEEDED",
    IncidentClass.DURESS: "DURESS",
    IncidentClass.MEDICAL: "MEDICAL",
    IncidentClass.STAFF_ASSIST: "STAFF ASSIST",
    IncidentClass.HOLD: "HOLD",
    IncidentClass.GUNSHOT_SENSOR: "SHOT, unconfirmed",
    IncidentClass.KEYWORD_SENSOR: "HELP WORD, unconfirmed",
    IncidentClass.TAMPER: "sensor tampered",
    IncidentClass.MASKING: "vape sensor masked",
    IncidentClass.VAPE: "vape sensor",
    IncidentClass.NOISE: "noise sensor",
    IncidentClass.ENVIRONMENTAL: "environmental sensor",
}

SEGMENT = 160
"""GSM-7 septets of one text message (3GPP TS 23.038); more is sent in parts that arrive late or out of order."""

SHORTENED = ("others", "headlines", "reason", "summary", "who", "where", "also_where", "first_where", "short_where")
"""Parameters that give way, in this order, when a text would not fit one segment. `alertd check` makes this rare."""

DRILL = "THIS IS A DRILL."
"""Before and after everything that is said in a drill (req 74)."""
DRILL_OVER = "THE DRILL IS OVER."
REAL = "DRILL STOPPED, THIS IS REAL."
"""Before the first that those told of a drill hear of the press that was real."""
REAL_SHORT = "THIS IS REAL."
"""The same before what follows the first words of it, where there is no room for more."""
NOT_A_DRILL = "NOT A DRILL."
"""Before what a sensor asks of those who take part in a drill, which goes on beside it."""
SPOKEN = {
    DRILL: "This is a drill.",
    DRILL_OVER: "The drill is over.",
    REAL: "The drill is stopped. This is real.",
    NOT_A_DRILL: "This is not a drill.",
}
"""The marks for ears."""

_NEVER_CUT = 8
"""Letters that a shortened parameter keeps."""
_LONG_WORD = 16
"""Letters of a word that goes as a whole. What is longer is a topic or an id: its beginning is told."""
_STOPS = ".,:;!?)"
"""Without these a word is whole."""
_PLACE = re.compile(r"(?P<near>(?:MAYBE )?NEAR\??) (?P<name>.*) \((?:heard )?(?:just )?(?P<age>now|\d+ \w+)(?: ago)?\)")
"""Of a wearable: "MAYBE NEAR Rm 204 (10 min ago)"."""
DAY_US = 24 * 3600 * 1_000_000
"""Of what is older a time of day says too little."""


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_time(site: Site, at_us: int) -> str:
    """Like "10:42", at the site. Raises nothing: an unknown time zone was refused when the configuration was loaded."""
    at = datetime.fromtimestamp(at_us / 1_000_000, _zone(site.time_zone))
    return f"{at.hour:02}:{at.minute:02}"  # every text asks for it, and `strftime` takes twice as long


def between(site: Site, since_us: int, until_us: int) -> str:
    """Like "02:10 AND 06:55"; of a day or more "28 FEB AND NOW", which is no longer."""
    if until_us - since_us < DAY_US:
        return f"{local_time(site, since_us)} AND {local_time(site, until_us)}"
    at = datetime.fromtimestamp(since_us / 1_000_000, _zone(site.time_zone))
    return f"{at.day} {at.strftime('%b').upper()} AND NOW"


def local_iso(site: Site, at_us: int) -> str:
    """ISO 8601 with a numeric offset, at the site (req 39: no "Z")."""
    return datetime.fromtimestamp(at_us // 1_000_000, _zone(site.time_zone)).isoformat()


def utc_iso(at_us: int) -> str:
    """ISO 8601 in UTC with a numeric offset (req 39: no "Z")."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(timespec="milliseconds")


class _Blank(dict[str, str]):
    """A placeholder without a value becomes empty: a text with a gap beats no text."""

    def __missing__(self, key: str) -> str:
        return ""


def render(template: str, params: dict[str, str], limit: int = SEGMENT) -> str:
    """The text, in GSM-7, within `limit` septets (0 = no limit).

    A text that is too long loses words of `SHORTENED` parameters, never the code that answers it; of a wearable's place
    letters of the name first, and only then how old and how doubtful it is. Never raises: a
    template that cannot be filled is sent as it stands."""
    text = _fill(template, params)
    if not limit:
        return text
    shorter = dict(params)
    for shortened, name in product((_tersely, _cut, _barely), SHORTENED):
        excess = _size(text) - limit
        if excess <= 0:
            return text
        if name in shorter:
            shorter[name] = shortened(shorter[name], excess)
            text = _fill(template, shorter)
    return text[:limit] if _size(text) > limit else text


def fits(template: str, params: dict[str, str], limit: int) -> bool:
    """Is the text within `limit` septets (0 = no limit) with nothing left out?"""
    return not limit or _size(_fill(template, params)) <= limit


def marked(template: str, params: dict[str, str], limit: int, *, before: str, after: str = "") -> str:
    """The same with a mark before it, and after it. It is there whatever the template says, once, and is never cut."""
    template = _unmarked(template, before, after)
    room = sum(len(mark) + 1 for mark in (before, after) if mark)
    inner = render(template, params, limit - room if limit else 0)
    return " ".join(part for part in (before, inner, after) if part)


def real(template: str, params: dict[str, str], limit: int, marks: tuple[str, ...] = (REAL, REAL_SHORT)) -> str:
    """What somebody hears who believes in a drill: the words of any other day after a mark, the first of `marks` with
    which they fit, with places and badges by their short names. What does not fit with any goes in two parts: better
    than to lose a code, or the last of what a room is to do (`alertd check` warns of it)."""
    short = params | {"where": params.get("short_where", ""), "who": params.get("device", "")}
    for mark in marks:
        if _size(marked(template, short | shortest(short), 0, before=mark)) <= limit:
            return marked(template, short, limit, before=mark)
    return marked(template, short, 0, before=marks[0])


def _unmarked(template: str, *marks: str) -> str:
    """Without the marks that its author wrote."""
    bare = template.strip()
    for mark in filter(None, marks):
        plain = mark.rstrip(".").casefold()
        if bare.casefold().startswith(plain):
            bare = bare[len(plain) :].lstrip(" .!:")
        if bare.rstrip(" .!").casefold().endswith(plain):
            bare = bare.rstrip(" .!")[: -len(plain)].rstrip()
    return bare


def shortest(params: dict[str, str]) -> dict[str, str]:
    """What is left of those parameters that give way, when they have given way as far as they may."""
    return {name: _barely(params[name], len(params[name])) for name in SHORTENED if name in params}


def bare(words: str) -> str:
    """Of a wearable's place: "NEAR Rm 204". Anything else as it stands."""
    found = _PLACE.fullmatch(words)
    return words if found is None else f"NEAR {found['name']}"


def _tersely(value: str, _excess: int) -> str:
    """Of a wearable's place: "NEAR? Rm 204 (10 min)"."""
    found = _PLACE.fullmatch(value)
    if found is None:
        return value
    near, name, age = found.group("near", "name", "age")
    return f"{'NEAR' if near == 'NEAR' else 'NEAR?'} {name} ({age})"


def _cut(value: str, excess: int) -> str:
    """Without so many of its last letters and what is left of their word, or as many as may be left out; of a place, of
    its name."""
    found = _PLACE.fullmatch(value)
    if found is None:
        kept = max(_NEVER_CUT, len(value) - excess)
        is_whole = not value[kept:].split(" ", 1)[0].strip(_STOPS)  # no letter of it is left out
        at_word = -1 if is_whole else value.rfind(" ", max(_NEVER_CUT, kept - _LONG_WORD), kept + 1)
        return value[: kept if at_word < 0 else at_word].rstrip(" ,")
    name, at = found["name"], found.start("name")
    return value[:at] + _cut(name, excess) + value[at + len(name) :]


def _barely(value: str, excess: int) -> str:
    """The same of what has no age and no doubt any more."""
    least = bare(value)
    return _cut(least, excess - (len(value) - len(least)))


def _fill(template: str, params: dict[str, str]) -> str:
    try:
        filled = template.format_map(_Blank(params))
    except (ValueError, IndexError, AttributeError, KeyError):
        filled = template
    return to_gsm7(" ".join(filled.split()))


def _size(text: str) -> int:
    return septets(text) or len(text)


def fixed_place(label: str, short: str) -> tuple[str, str]:
    """Words for a place that is known for certain."""
    return label, short


def place_words(location: Location, now_us: int) -> tuple[str, str]:
    """(where, short): a wearable is NEAR where it was heard, with the age of that knowledge; never its home room."""
    if location.source == "fixed":
        return location.label, location.short
    if location.source == "last_heard":
        age = age_words(location, now_us)
        where = f"{_near(location)} {location.label} ({age if location.unsure else f'heard {age}'})"
        return where, f"{_near(location)} {location.short} ({age})"
    return "place UNKNOWN", "place UNKNOWN"


def place_at(site: Site, location: Location) -> str:
    """In words that are read for hours: a wearable was "MAYBE NEAR Rm 204 at 10:42", if anybody knows when."""
    if location.source != "last_heard":
        return location.short
    heard = "" if location.heard_us is None else f" at {local_time(site, location.heard_us)}"
    return f"{_near(location)} {location.short}{heard}"


def _near(location: Location) -> str:
    return "MAYBE NEAR" if location.unsure else "NEAR"


JUST_NOW_S, IN_SECONDS_S, IN_MINUTES_S = 5, 90, 7_200
"""Heard less than so long ago it is "just now"; less than that it is told in seconds, in minutes; else in hours."""


def age_words(location: Location, now_us: int) -> str:
    """How old the knowledge is of where a wearable is: "12 s ago"."""
    if location.heard_us is None:
        return "when pressed"
    age_s = max(0, now_us - location.heard_us) // 1_000_000
    if age_s < JUST_NOW_S:
        return "just now"
    if age_s < IN_SECONDS_S:
        return f"{age_s} s ago"
    return f"{age_s // 60} min ago" if age_s < IN_MINUTES_S else f"{age_s // 3_600} h ago"


def press_words(press: Press) -> str:
    """Like "Okafor badge, 8 presses", "wall button" or "vape sensor, 3 reports"."""
    label = press.device_label or press.device_id
    things = "reports" if press.by_sensor else "presses"
    return f"{label}, {press.count} {things}" if press.count > 1 else label


def did(press: Press) -> str:
    """What became known of a place by it: somebody "pressed" there, or "asked" for more there; or it was "heard"."""
    return "asked" if press.asked else "heard" if press.by_sensor or press.carried else "pressed"


def _mistake(incident: Incident) -> str:
    """What it was, once somebody says so: "pressed by mistake" only if anybody has pressed for it."""
    pressed = any(p.incident_class is incident.incident_class and did(p) == "pressed" for p in incident.presses)
    return "pressed by mistake" if pressed else "a mistake"


def what(incident_class: IncidentClass, mode: Mode) -> str:
    """Like "LOCKDOWN", in a drill "LOCKDOWN DRILL"."""
    return f"{WHAT[incident_class]} DRILL" if mode is Mode.DRILL else WHAT[incident_class]


def headline(site: Site, incident_class: IncidentClass, press: Press, mode: Mode) -> str:
    """Like "OAK ELEM Rm 204 LOCKDOWN 10:42": how answers call an incident. It is read for hours: how old the place of a
    wearable is, a time of day says, "MAYBE NEAR Rm 204 (10:32)", if it is not that of the press."""
    location, pressed = press.location, local_time(site, press.received_us)
    _, short = place_words(location, press.received_us)
    if location.source == "last_heard":
        heard = local_time(site, location.heard_us or press.received_us)
        short = f"{_near(location)} {location.short}" + (f" ({heard})" if heard != pressed else "")
    return f"{site.short} {short} {what(incident_class, mode)} {pressed}"


def told_of(incident: Incident, kind: Kind) -> Incident:
    """As far as a message of this kind speaks of it. "NOBODY HAS ANSWERED" is said of the presses of which nobody has:
    who goes to the first room answered before the second one pressed."""
    first = incident.unanswered
    if kind not in (Kind.REMINDER, Kind.EXHAUSTED) or not 0 < first < len(incident.presses):
        return incident
    presses = incident.presses[first:]
    return replace(incident, presses=presses, opened_us=presses[0].received_us)


def incident_params(site: Site, incident: Incident, now_us: int) -> dict[str, str]:
    """Parameters that every template of an incident may use."""
    first, last = incident.presses[0], incident.presses[-1]
    where, short = place_words(first.location, now_us)
    also_where, _ = place_words(last.location, now_us)
    going = [a.name for a in incident.answers[incident.counted_from :] if a.kind != "cannot_go"]
    return {
        "site": site.short,
        "where": where,
        "short_where": short,
        "time": local_time(site, incident.opened_us),
        "what": what(incident.incident_class, incident.mode),
        "who": press_words(first),
        "device": first.device_label or first.device_id,
        "did": "SENSED" if first.by_sensor else "PRESSED",
        "mistake": _mistake(incident),
        "presses": str(first.count),
        "age": f"{max(0, now_us - incident.opened_us) // 60_000_000} min",
        "also_where": also_where,
        "also_time": local_time(site, last.received_us),
        "also_who": press_words(last),
        "also_did": did(last),
        "first_where": short,
        "first_time": local_time(site, incident.opened_us),
        "token": incident.token,
        "others": ", ".join(dict.fromkeys(going)) or "nobody yet",
        "minute": local_time(site, now_us),
        "tried": str(len({t.person_id for t in incident.told})),
        "phone": site.main_phone or "number unknown",
        "count": str(len(incident.presses)),
    }
