"""`gestures.toml` and `devices.csv`: the buttons, where they hang and what their presses mean."""

from collections.abc import Iterator

from alertd.config.csv_files import Row
from alertd.config.problems import did_you_mean, quoted
from alertd.config.reading import Reading, Thing
from alertd.config.sites import zone_id
from alertd.config.toml_files import Table
from alertd.model.ids import DISTRICT, DeviceId, PersonId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.people import Person
from alertd.model.site import Device, DeviceKind, Gestures

FILE = "devices.csv"
REQUIRED = ("id", "kind", "site")
OPTIONAL = ("zone", "gestures", "label", "assigned_to", "roaming_sites", "profile")

PRESSES_MAX = 20
"""Nobody can press more often on purpose."""

ID_CHARACTERS_MAX = 120
"""Longest name that the decoders read from a topic."""
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
        actions = dict(_classes(table.table("actions")))
        window_s = table.integer("window_s", 10, least=1, most=60)
        if not table.table("presses").names() and not table.table("actions").names():
            table.refuse(None, "means nothing", 'write presses = { 3 = "staff_assist", 8 = "lockdown" }')
        table.done()
        yield Gestures(id=name, presses=dict(sorted(presses.items())), actions=actions, window_s=window_s)


def _classes(table: Table) -> Iterator[tuple[str, str]]:
    known = tuple(IncidentClass)
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
    return Device(
        id=DeviceId(identity),
        kind=kind,
        site_id=SiteId(site),
        gestures=_gestures(row, kind, reading, gestures),
        zone_id=zone_id(site, zone) if zone else None,
        label=label,
        assigned_to=assigned_to,
        roaming_sites=tuple(SiteId(other) for other in roaming if other != site),
        profile=row.get("profile"),
    )


def _check_id(row: Row, identity: str) -> None:
    if len(identity) > ID_CHARACTERS_MAX:
        message = f"is {len(identity)} characters long: no press of it would be heard"
        row.refuse("id", message, f"at most {ID_CHARACTERS_MAX}; rename the device")
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
