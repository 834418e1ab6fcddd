"""`gestures.toml` and `devices.csv`: the buttons, where they hang and what their presses mean."""

from collections.abc import Iterator

from alertd.config.csv_files import Row
from alertd.config.problems import did_you_mean, quoted
from alertd.config.reading import Reading, Thing
from alertd.config.sites import zone_id
from alertd.config.toml_files import Table
from alertd.engine.gestures import IGNORED
from alertd.model.check_in import window_s
from alertd.model.duress_code import CODES_MAX, is_hash
from alertd.model.ids import DISTRICT, DeviceId, PersonId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.people import Person
from alertd.model.site import Device, DeviceKind, Gestures, SensorRules, Thresholds

FILE = "devices.csv"
REQUIRED = ("id", "kind", "site")
OPTIONAL = (
    "zone",
    "gestures",
    "label",
    "assigned_to",
    "roaming_sites",
    "profile",
    "check_in",
    "gateway",
    "duress_codes",
)

PRESSES_MAX = 20
"""Nobody can press more often on purpose."""

READING_MAX = 1_000_000
"""No sensor measures more, in whatever unit."""

ID_CHARACTERS_MAX = 120
"""Longest name that the decoders read from a topic."""
POLICE = "police"
"""What a device says of which a duress code was typed."""
KEPT_AS_TEXT = ("=", "'")
"""How spreadsheets are told not to take digits for a number: `="0012345"`, `'0012345`."""
NEVER_IN_A_DEVICE_ID = "/+#"
"""An id is one level of a topic: it is heard, and answered, under a trigger like `alertd/press/+`."""

LABEL_CHARACTERS_MAX = 24
_DEFAULT_LABELS = {DeviceKind.BUTTON: "wall button", DeviceKind.SENSOR: "sensor", DeviceKind.GATEWAY: "gateway"}


def read_gestures(root: Table, reading: Reading) -> Iterator[Gestures]:
    """Every `[NAME]` of gestures.toml says what presses and actions of a kind of device mean."""
    for name, table in root.named_tables():
        reading.declare(Thing.GESTURES, name, table.source.file, table.line)
        presses = {
            count: incident_class
            for key, incident_class in _classes(table.table("presses"))
            if (count := _press_count(key, table)) is not None
        }
        actions = dict(_classes(table.table("actions"), IGNORED))
        window_s = table.integer("window_s", 10, least=1, most=60)
        sensor = _sensor_rules(table, actions)
        if not table.table("presses").names() and not table.table("actions").names():
            table.refuse(None, "means nothing", 'write presses = { 3 = "staff_assist", 8 = "lockdown" }')
        table.done()
        presses = dict(sorted(presses.items()))
        yield Gestures(id=name, presses=presses, actions=actions, window_s=window_s, sensor=sensor)


def _sensor_rules(table: Table, actions: dict[str, str]) -> SensorRules:
    """How much of what such a sensor says becomes a notice; of devices that people press it means nothing."""
    readings = table.table("readings")
    thresholds = {
        action: _thresholds(each) for action, each in readings.named_tables() if _is_heard(each, action, actions)
    }
    return SensorRules(
        cool_down_s=table.integer("cool_down_s", 600, least=30, most=86_400),
        storm_per_h=table.integer("storm_per_h", 20, least=3, most=1_000),
        thresholds=thresholds,
    )


def _is_heard(table: Table, action: str, actions: dict[str, str]) -> bool:
    if action in actions:
        return True
    table.refuse(None, f"judges {quoted(action)}, which its actions do not know", did_you_mean(action, actions))
    return False


def _thresholds(table: Table) -> Thresholds:
    found = Thresholds(
        trigger=table.number("trigger", least=-READING_MAX, most=READING_MAX) or 0.0,
        release=table.number("release", least=-READING_MAX, most=READING_MAX) or 0.0,
        for_s=table.integer("for_s", 10, least=0, most=3_600),
    )
    for key in ("trigger", "release"):
        if not table.has(key):
            table.refuse(key, "is missing", f"add {key} = {getattr(Thresholds(), key):g}, in the sensor's own unit")
    if table.has("trigger") and table.has("release") and found.release >= found.trigger:
        message = f"is not below trigger, {found.trigger:g}: the alarm would come and go with every reading"
        table.refuse("release", message, "write a smaller number, like 20 beside a trigger of 50")
    table.done()
    return found


def _classes(table: Table, *others: str) -> Iterator[tuple[str, str]]:
    known = (*IncidentClass, *others)
    for key in table.names():
        value = table.text(key)
        if value is None:
            continue
        if value in known:
            yield key, value
        else:
            table.refuse(key, f"{quoted(value)} is not an incident class", did_you_mean(value, known))


def _press_count(key: str, table: Table) -> int | None:
    if key.isascii() and key.isdigit() and len(key) < 4 and 1 <= int(key) <= PRESSES_MAX:
        return int(key)
    path = (*table.path, "presses", key)
    table.source.refuse(path, f"{quoted(key)} is not a number of presses", f"write a number from 1 to {PRESSES_MAX}")
    return None


def read_device(
    row: Row, reading: Reading, gestures: dict[str, Gestures], people: dict[PersonId, Person]
) -> Device | None:
    """One row as a device; `None` and a problem if it cannot be one."""
    identity = row.get("id")
    reading.declare(Thing.DEVICE, identity, row.file, row.line)
    if row.is_broken:
        return None
    _check_id(row, identity)
    kind_text = row.choice("kind", tuple(DeviceKind))
    site = row.required("site")
    if kind_text is None or site is None or not reading.known(Thing.SITE, site, row, "site"):
        return None
    if site == DISTRICT:
        row.refuse("site", "a device hangs in a school", "name one of the files in sites/")
        return None
    kind = DeviceKind(kind_text)
    zone = row.get("zone")
    if zone and not _zone_known(row, site, zone, reading):
        return None
    # Req 69: staff who cannot find the place cannot respond.
    if not zone and kind is DeviceKind.SENSOR and not row.may_lack_cells:
        row.refuse("zone", "is empty: nobody would know where to go", "name the zone where the sensor hangs")
        return None
    assigned_to = row.get("assigned_to") or None
    if assigned_to is not None:
        reading.known(Thing.PERSON, assigned_to, row, "assigned_to")
    roaming = reading.all_known(Thing.SITE, row.values("roaming_sites"), row, "roaming_sites")
    if roaming and kind is not DeviceKind.WEARABLE:
        row.refuse("roaming_sites", f"a {kind} does not roam", "leave it empty, or make the device a wearable")
    label = row.get("label") or _default_label(kind, people.get(PersonId(assigned_to or "")))
    if len(label) > LABEL_CHARACTERS_MAX:
        row.refuse(
            "label", f"is {len(label)} characters long", f"at most {LABEL_CHARACTERS_MAX}: texts have no more room"
        )
    meaning = _gestures(row, kind, reading, gestures)
    return Device(
        id=DeviceId(identity),
        kind=kind,
        site_id=SiteId(site),
        gestures=meaning,
        zone_id=zone_id(site, zone) if zone else None,
        label=label,
        assigned_to=assigned_to,
        roaming_sites=tuple(SiteId(other) for other in roaming if other != site),
        profile=row.get("profile"),
        duress_codes=_duress_codes(row, meaning),
        check_in_s=_check_in_s(row),
        gateway=_gateway(row, identity),
    )


def _duress_codes(row: Row, gestures: Gestures) -> tuple[str, ...]:
    """Hashes of the codes that mean "I am forced to". Never quoted: somebody may have written the code itself."""
    written = row.values("duress_codes")
    if any(not is_hash(each) for each in written):
        row.refuse(
            "duress_codes", "holds something that is no hash of a code", "make one with alertd devices hash-code"
        )
        return ()
    if len(written) > CODES_MAX:
        row.refuse("duress_codes", f"holds {len(written)} hashes", f"at most {CODES_MAX}: each is compared")
    if written and gestures.actions.get(POLICE, IGNORED) == IGNORED:
        message = f"is of no use: its gestures {quoted(gestures.id)} do not say whom {quoted(POLICE)} calls"
        row.refuse("duress_codes", message, f'write actions = {{ {POLICE} = "police_duress" }} in gestures.toml')
    return tuple(written)


def _check_in_s(row: Row) -> int | None:
    """Its window; empty: as its profile says."""
    written = row.get("check_in")
    seconds = window_s(written) if written else None
    if written and seconds is None:
        remedy = 'write "200 s", "15 min", "26 h" or "3 d" (a minute at least, a month at most), or "none"'
        row.refuse("check_in", f"{quoted(written)} is no check-in window", remedy)
    return seconds


def _gateway(row: Row, identity: str) -> DeviceId | None:
    """Below which it hangs. That it is registered, as a gateway, lint judges: it may stand further down."""
    gateway = row.get("gateway")
    if gateway == identity:
        row.refuse("gateway", "nothing hangs below itself", "leave it empty")
        return None
    return DeviceId(gateway) if gateway else None


def _check_id(row: Row, identity: str) -> None:
    if len(identity) > ID_CHARACTERS_MAX:
        message = f"is {len(identity)} characters long: no press of it would be heard"
        row.refuse("id", message, f"at most {ID_CHARACTERS_MAX}; rename the device")
    if row.is_rounded("id", "the device's label"):
        return
    if identity.startswith(KEPT_AS_TEXT):
        message = f"{quoted(identity)} begins as spreadsheets mark text: the device does not call itself so"
        row.warn("id", message, "write its id alone, and format the column as text")
    for sign in NEVER_IN_A_DEVICE_ID:
        if sign in identity:
            message = f'has "{sign}" in it, so no press of {quoted(identity)} would be heard'
            remedy = "rename the device, here and where it publishes (in Zigbee2MQTT its friendly name)"
            row.refuse("id", message, remedy)
            return


def _zone_known(row: Row, site: str, zone: str, reading: Reading) -> bool:
    if zone_id(site, zone) in reading.names[Thing.ZONE]:
        return True
    if Thing.ZONE in reading.unknowable:
        return False
    prefix = zone_id(site, "")
    here = {name.removeprefix(prefix) for name in reading.names[Thing.ZONE] if name.startswith(prefix)}
    row.refuse("zone", f"no zone {quoted(zone)} at site {quoted(site)}", did_you_mean(zone, here))
    return False


def _gestures(row: Row, kind: DeviceKind, reading: Reading, gestures: dict[str, Gestures]) -> Gestures:
    name = row.get("gestures")
    if kind is DeviceKind.GATEWAY:
        if name:
            row.refuse("gestures", "a gateway has none", "leave it empty")
        return Gestures(id="none")
    if not name:
        row.refuse("gestures", "is empty: nothing this device does would tell anybody", "name a table of gestures.toml")
        return Gestures(id="none")
    if not reading.known(Thing.GESTURES, name, row, "gestures"):
        return Gestures(id="none")
    return gestures[name]


def _default_label(kind: DeviceKind, wearer: Person | None) -> str:
    if kind is DeviceKind.WEARABLE:
        return f"{wearer.name} badge" if wearer else "badge"
    return _DEFAULT_LABELS[kind]
