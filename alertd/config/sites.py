"""`alertd.toml` `[district]` and `sites/*.toml`: places, their words, their laws, their policies."""

import re
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from alertd.config.problems import did_you_mean, quoted
from alertd.config.reading import Reading, Thing
from alertd.config.toml_files import NAME_CHARACTERS_MAX, Table
from alertd.model.ids import DISTRICT, PolicyId, SiteId, ZoneId
from alertd.model.incident import IncidentClass
from alertd.model.people import Endpoint
from alertd.model.site import ANNOUNCED, Hours, Site, StateRules, Zone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
TROUBLE = "trouble"
POLICY_CLASSES = (*(c.value for c in IncidentClass), TROUBLE)

SHORT_CHARACTERS_MAX = 12
"""Opens every text: each character here is missing from the room's name."""

_ADDRESS = ("street", "city", "state", "zip", "county", "psap_id", "entry_door", "key_box", "staging", "hazards")


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def read_district(table: Table, reading: Reading) -> tuple[Site, str | None]:
    """The pseudo-site that owns the troubles of broker, carrier and disk; and the technician's number."""
    reading.declare(Thing.DISTRICT, "", table.source.file, table.line, table.lines("district."))
    name = table.required_text("name", "Maple County Schools", maximum=80)
    short = table.required_text("short", "MAPLE", maximum=SHORT_CHARACTERS_MAX)
    time_zone = read_time_zone(table)
    policy = table.required_text("trouble_policy", TROUBLE)
    if table.has("trouble_policy"):
        reading.known(Thing.POLICY, policy, table, "trouble_policy")
    technician = _phone(table, "technician_phone", reading)
    main_phone = _phone(table, "main_phone", reading)
    table.done()
    site = Site(
        id=DISTRICT,
        name=name,
        short=short,
        time_zone=time_zone,
        main_phone=main_phone,
        policies={TROUBLE: PolicyId(policy)},
    )
    return site, technician


def read_site(site_id: SiteId, table: Table, reading: Reading) -> tuple[Site, tuple[Zone, ...]]:
    """One school."""
    reading.declare(Thing.SITE, site_id, table.source.file, 1, table.lines())
    zones = tuple(_zone(site_id, name, zone, reading) for name, zone in table.table("zones").named_tables())
    if not zones:
        table.refuse("zones", "has no zones", 'write [zones.rm-101] and below it label = "Rm 101, 1st fl West"')
    address = table.table("address")
    texts: Any = {key: address.text(key, maximum=120) for key in _ADDRESS}
    lat = address.number("lat", least=-90, most=90)
    lon = address.number("lon", least=-180, most=180)
    main_phone = _phone(address, "main_phone", reading)
    address.done()
    site = Site(
        id=site_id,
        name=table.required_text("name", "Oak Elementary", maximum=80),
        short=table.required_text("short", "OAK ELEM", maximum=SHORT_CHARACTERS_MAX),
        time_zone=read_time_zone(table),
        lat=lat,
        lon=lon,
        main_phone=main_phone,
        rules=_rules(table.table("rules")),
        policies=_policies(table.table("policies"), reading),
        loudspeakers=_loudspeakers(site_id, table.table("loudspeakers"), reading),
        hours=_hours(table.table("hours")),
        sensor_storm_per_h=_sensor_storm(table.table("sensors")),
        **texts,
    )
    table.done()
    return site, zones


def zone_id(site_id: str, zone: str) -> ZoneId:
    """Zones are named within their site: every school has a Rm 101."""
    return ZoneId(f"{site_id}:{zone}")


def read_time_zone(table: Table) -> str:
    name = table.required_text("time_zone", "America/Chicago")
    if name in _time_zones():
        return name
    table.refuse("time_zone", f"{quoted(name)} is not an IANA time zone", did_you_mean(name, _time_zones()))
    return "UTC"


def _zone(site_id: SiteId, name: str, table: Table, reading: Reading) -> Zone:
    identity = zone_id(site_id, name)
    reading.declare(Thing.ZONE, identity, table.source.file, table.line)
    label = table.required_text("label", "Rm 101, 1st fl West", maximum=60)
    zone = Zone(
        id=identity,
        site_id=site_id,
        label=label,
        short=table.text("short", maximum=30) or label.partition(",")[0],
        spoken=table.text("spoken", maximum=120) or "",
        building=table.text("building", maximum=60),
        floor=table.text("floor", maximum=30),
        room=table.text("room", maximum=30),
        nearest_exterior_door=table.text("nearest_exterior_door", maximum=60),
    )
    table.done()
    return zone


def _rules(table: Table) -> StateRules:
    rules = StateRules(
        audible=table.boolean("audible", default=True),
        confirm_before_dispatch=table.choice("confirm_before_dispatch", ("off", "timed", "required"), "off"),
        confirm_timeout_s=table.integer("confirm_timeout_s", 60, least=5, most=300),
        everyone_told_within_s=table.integer("everyone_told_within_s", 60, least=5, most=3_600),
        announce=_announce(table),
    )
    table.done()
    return rules


def _sensor_storm(table: Table) -> int:
    """Alarms of nuisance sensors within an hour beyond which the whole site gets one digest (req 68)."""
    storm_per_h = table.integer("storm_per_h", 60, least=5, most=10_000)
    table.done()
    return storm_per_h


def _hours(table: Table) -> Hours:
    """When its wearables have to be heard."""
    usual = Hours()
    days = _days(table) if table.has("days") else usual.days
    start = table.text("start", maximum=5) or usual.start
    end = table.text("end", maximum=5) or usual.end
    for key, written in (("start", start), ("end", end)):
        if not _CLOCK.fullmatch(written):
            table.refuse(key, f"{quoted(written)} is no time of day", 'write it like "07:30"')
            start, end = usual.start, usual.end
    if start >= end:
        table.refuse("end", "is not after the start", "hours lie within a day")
        start, end = usual.start, usual.end
    table.done()
    return Hours(days=days, start=start, end=end)


def _days(table: Table) -> tuple[int, ...]:
    found = []
    for _, day in table.texts("days"):
        if day in DAYS:
            found.append(DAYS.index(day) + 1)
        else:
            table.refuse("days", f"{quoted(day)} is no day", did_you_mean(day, DAYS))
    return tuple(sorted(set(found))) or Hours().days


def _announce(table: Table) -> tuple[str, ...]:
    """Classes that loudspeakers may speak of. None is a choice, too: `announce = []`."""
    classes = tuple(name for _, name in table.texts("announce"))
    for name in classes:
        if name not in POLICY_CLASSES:
            table.refuse("announce", f"{quoted(name)} is not an incident class", did_you_mean(name, POLICY_CLASSES))
    return classes if table.has("announce") else ANNOUNCED


def _loudspeakers(site_id: SiteId, table: Table, reading: Reading) -> dict[str, Endpoint]:
    """Zones of a PA that are this site's, by the names that its policies use. Whether they exist, lint judges."""
    found: dict[str, Endpoint] = {}
    for name, entry in table.named_tables():
        reading.declare(Thing.LOUDSPEAKERS, f"{site_id}/{name}", table.source.file, entry.line, entry.lines())
        channel = entry.required_text("channel", "pa")
        zone = entry.required_text("zone", f"{site_id}-all", maximum=NAME_CHARACTERS_MAX)
        entry.done()
        found[name] = Endpoint(channel=channel, address=zone)
    return found


def _policies(table: Table, reading: Reading) -> dict[str, PolicyId]:
    found: dict[str, PolicyId] = {}
    for incident_class in table.names():
        policy = table.text(incident_class)
        if incident_class not in POLICY_CLASSES:
            table.refuse(incident_class, "is not an incident class", did_you_mean(incident_class, POLICY_CLASSES))
        elif policy is not None and reading.known(Thing.POLICY, policy, table, incident_class):
            found[incident_class] = PolicyId(policy)
    return found


def _phone(table: Table, key: str, reading: Reading) -> str | None:
    written = table.text(key, maximum=32)
    return reading.phone(written, table, key) if written else None
